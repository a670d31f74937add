/* One sequence in each lane, answered: no derivative is taken. */

struct run {
  Trials *of;
  Place place;
  Verdict verdict;
  V *state, *next, *found, *work;
};

static void start(Run *r, const Sequences *data, V *scratch) {
  r->state = scratch;
  r->next = r->state + STATE;
  r->found = r->next + STATE;
  r->work = r->found + FOUND(data->steps);
}

static void sequence(Run *runs, int wide, const Sequences *data) {
  for (int w = 0; w < wide; w++) {
    Run *const r = runs + w;
    r->verdict = answered(r->of->p, data, &r->place, 1, r->state, r->next, r->work);
  }
}

static long room(long steps) { return 2 * STATE + FOUND(steps) + WORK; }
