/* The gradient of one sequence in each lane, by what is carried along with the state.

     carry = begin(params);   carry, gradient = advance(params, carry, t),   t = 0, 1, ... */

static Verdict sequence(V *p, V *g, V *m, const Sequences *data, const Place *place, V *scratch) {
  V *carry = scratch, *next = carry + CARRY;
  V *const old = next + CARRY, *const work = old + PER_STEP * (PARAMS + MEMORY);
  (void)old;
  Verdict v = unjudged();
  k_begin(p, carry, work);
  for (long t = 0; t < place->longest; t++) {
    LOOK(t);
    V weight, outputs[OUTPUTS], target[OUTPUTS], loss, due;
    fetch(data, SCORED, place, t, 1, &weight);
    fetch(data, TARGET, place, t, OUTPUTS, target);
    if (t == 0)
      k_first(p, carry, x, symbol, target, &weight, next, outputs, &loss, &due, g, work);
    else
      k_advance(p, carry, x, symbol, target, &weight, next, outputs, &loss, &due, g, work);
    if (t >= place->shortest) blend(alive(place, t), next, carry, CARRY);
    V *const before = carry;
    carry = next;
    next = before;
    v.loss = v.loss + loss;
    if (ANY(GT(weight, SPLAT((R)0)))) judge(&v, data, place, t, outputs, weight, work);
#if PER_STEP
    M now = AND(GT(due, SPLAT((R)0)), alive(place, t));
    if (ANY(now)) learn(p, g, m, now, old, work);
#endif
  }
  return v;
}

long room(long steps) {
  (void)steps;
  return 2 * CARRY + PER_STEP * (PARAMS + MEMORY) + WORK;
}
