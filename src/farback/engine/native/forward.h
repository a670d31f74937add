/* The gradient of one sequence in each lane, by what is carried along with the state.

     carry = begin(params);   carry, gradient = advance(params, carry, t),   t = 0, 1, ... */

struct run {
  Trials *of;
  Place place;
  Verdict verdict;
  V *carry, *next, *old, *found, *work;
  unsigned char live[COLUMNS + 1]; /* influence.h */
};

static void start(Run *r, const Sequences *data, V *scratch) {
  r->carry = scratch;
  r->next = r->carry + CARRY;
  r->old = r->next + CARRY;
  r->found = r->old + PER_STEP * (PARAMS + MEMORY);
  r->work = r->found + FOUND(data->steps);
}

static void one(Run *r, const Sequences *data) {
  V *const p = r->of->p, *const g = r->of->g, *const work = r->work;
  V *carry = r->carry, *next = r->next;
  const Place *const place = &r->place;
  Verdict v = unjudged();
  k_begin(p, carry, work);
  for (long t = 0; t < place->longest; t++) {
    LOOK(t);
    /* Influences stay in their place, unless there are none yet or some lane keeps its old ones. */
    unsigned char *const live = COLUMNS && t > 0 && t < place->shortest ? r->live : 0;
    V weight, outputs[OUTPUTS], target[OUTPUTS], loss, due;
    fetch(data, SCORED, place, t, 1, &weight);
    fetch(data, TARGET, place, t, OUTPUTS, target);
    if (t == 0)
      k_first(p, carry, x, symbol, target, &weight, next, outputs, &loss, &due, g, work);
    else
      k_advance(p, carry, x, symbol, target, &weight, next, outputs, &loss, &due, g, live, work);
    if (live)
      k_rest(carry, next);
    else {
      if (t >= place->shortest) blend(present(place, t), next, carry, CARRY);
      V *const before = carry;
      carry = next;
      next = before;
      memset(r->live, 1, COLUMNS);
    }
    v.loss = v.loss + loss;
    if (ANY(GT(weight, SPLAT((R)0))))
      judge(&v, data, place, t, outputs, target, weight, work);
#if PER_STEP
    M now = AND(GT(due, SPLAT((R)0)), present(place, t));
    if (ANY(now)) learn(p, g, r->of->m, now, r->old, work);
#endif
  }
  r->verdict = v;
}

static void sequence(Run *runs, int wide, const Sequences *data) {
  for (int w = 0; w < wide; w++) one(runs + w, data);
}

long room(long steps) {
  return 2 * CARRY + PER_STEP * (PARAMS + MEMORY) + FOUND(steps) + WORK;
}
