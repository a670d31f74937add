/* The gradient of one sequence in each lane, by what is carried back over its states.

     carried = 0;   carried, added = back(state, carried + entering, parts),   t = T - 1 ... 0
     gradient = finish(sum of added + origin(carried))

   What enters and the parts come of the output of step t, where that is scored. Behind its end a
   lane carries nothing, and of nothing a step makes nothing. */

struct run {
  Trials *of;
  Place place;
  Verdict verdict;
  V *states, *carried, *earlier, *parts, *added, *found, *work;
};

static void start(Run *r, const Sequences *data, V *scratch) {
  r->states = scratch;
  r->carried = r->states + (data->steps + 1) * STATE;
  r->earlier = r->carried + CARRIED;
  r->parts = r->earlier + CARRIED;
  r->added = r->parts + PARTS;
  r->found = r->added + ADDED;
  r->work = r->found + FOUND(data->steps);
}

static void ahead(Run *r, const Sequences *data) {
  const Place *const place = &r->place;
  k_start(r->of->p, r->states, r->work);
  for (long t = 0; t < place->longest; t++) {
    V *const state = r->states + t * STATE, *const next = state + STATE;
    LOOK(t);
    k_step(r->of->p, state, x, symbol, next, r->work);
    if (t >= place->shortest) blend(present(place, t), next, state, STATE);
  }
}

static void one(Run *r, const Sequences *data) {
  const Place *const place = &r->place;
  const V *const p = r->of->p;
  V *carried = r->carried, *earlier = r->earlier, *const work = r->work;
  Verdict v = unjudged();
  int read = 0;
  ahead(r, data);
  none(carried, CARRIED);
  none(r->parts, PARTS);
  none(r->added, ADDED);
  for (long t = place->longest - 1; t >= 0; t--) {
    const V *const state = r->states + t * STATE;
    V weight;
    LOOK(t);
    fetch(data, SCORED, place, t, 1, &weight);
    if (ANY(GT(weight, SPLAT((R)0)))) {
      V outputs[OUTPUTS], target[OUTPUTS], loss;
      fetch(data, TARGET, place, t, OUTPUTS, target);
      k_reading(p, state + STATE, x, symbol, target, &weight, outputs, &loss, carried, r->parts,
                work);
      v.loss = v.loss + loss;
      judge(&v, data, place, t, outputs, target, weight, work);
      read = 1;
    } else if (read) {
      none(r->parts, PARTS);
      read = 0;
    }
    k_back(p, state, x, symbol, carried, r->parts, earlier, r->added, work);
    V *const before = carried;
    carried = earlier;
    earlier = before;
  }
  k_origin(p, carried, r->added, work);
  k_finish(r->added, r->of->g, work);
  r->verdict = v;
}

static void sequence(Run *runs, int wide, const Sequences *data) {
  for (int w = 0; w < wide; w++) one(runs + w, data);
}

long room(long steps) {
  return (steps + 1) * STATE + 2 * CARRIED + PARTS + ADDED + FOUND(steps) + WORK;
}
