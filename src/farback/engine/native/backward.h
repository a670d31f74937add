/* The gradient of one sequence in each lane, by passes back over windows.

   Every EVERY steps the errors of the last EVERY steps are run back over the last WINDOW steps:

     dE/dstate_t = e_t [t >= end - EVERY] + J_{t+1}^T dE/dstate_{t+1}      t >= end - WINDOW   (1)
     dE/dparams  = sum of the outputs' own parts and of (dstate_t/dparams)^T dE/dstate_t       (2)

   Without an end of windows this is back-propagation through time; with both at 1, Elman's. On the
   way back a step is computed again from the state before it, but for the activations that were
   kept. */

static inline long least(long a, long b) { return a < b ? a : b; }

/* Equation (1) and (2) for the block of steps first ... high - 1. */
static inline void back(const V *p, V *g, const Sequences *data, const Place *place, long first,
                        long high, const V *states, const V *kept, const V *entering,
                        const uint8_t *scored, V *factors, V *work) {
  V adjoint[STATE], now[STATE];
  for (int i = 0; i < STATE; i++) adjoint[i] = SPLAT((R)0);
  long count = 0;
  const long low = first + 1 > WINDOW ? first + 1 - WINDOW : 0;
  for (long t = high - 1; t >= low; t--) {
    const V *const e = entering + t * STATE;
    const int enters = t >= first && scored[t];
    for (int i = 0; i < STATE; i++) now[i] = enters ? adjoint[i] + e[i] : adjoint[i];
#if BOUNDED
    M reached = EQ(SPLAT((R)0), SPLAT((R)0));
    for (int l = 0; l < LANES; l++)
      if (t < least((long)LANE(place->length, l), high) - WINDOW) LANE(reached, l) = 0;
    for (int i = 0; i < STATE; i++) now[i] = SELECT(reached, now[i], SPLAT((R)0));
#endif
    LOOK(t);
    k_back(p, states + t * STATE, x, symbol, now, kept + t * KEPT, adjoint, g,
           factors + count * FACTORS_back, work);
    if (++count == TOGETHER || t == low) {
      k_back_sum(g, factors, count);
      count = 0;
    }
  }
  if (low == 0) k_origin(p, adjoint, g, work);
}

static Verdict sequence(V *p, V *g, V *m, const Sequences *data, const Place *place, V *scratch) {
  V *const states = scratch, *const entering = states + (data->steps + 1) * STATE;
  uint8_t *const scored = (uint8_t *)(entering + data->steps * STATE);
  V *const kept = entering + data->steps * STATE + 1 + data->steps / sizeof(V);
  V *const factors = kept + data->steps * KEPT;
  V *const factors_back = factors + TOGETHER * FACTORS_reading;
  V *const old = factors_back + TOGETHER * FACTORS_back;
  V *const work = old + PER_STEP * (PARAMS + MEMORY);
  (void)old;
  Verdict v = unjudged();
  const M nobody = NE(SPLAT((R)0), SPLAT((R)0));
  M due = nobody; /* the lanes with an error in the block */
  long first = 0; /* of the block */
  long count = 0; /* of readings whose products were put off */
  k_start(p, states, work);
  for (long t = 0; t < place->longest; t++) {
    V *const state = states + t * STATE, *const next = state + STATE;
    LOOK(t);
    k_ahead(p, state, x, symbol, next, kept + t * KEPT, work);
    if (t >= place->shortest) blend(alive(place, t), next, state, STATE);
    V weight, outputs[OUTPUTS], target[OUTPUTS], loss;
    fetch(data, SCORED, place, t, 1, &weight);
    M asked = GT(weight, SPLAT((R)0));
    scored[t] = ANY(asked);
    if (scored[t]) {
      due = OR(due, asked);
      fetch(data, TARGET, place, t, OUTPUTS, target);
#if PER_STEP && EVERY > 1
      k_read(p, next, x, symbol, outputs, work);
      k_loss(outputs, target, &weight, &loss, work);
#else
      k_reading(p, next, x, symbol, target, &weight, outputs, &loss, entering + t * STATE, g,
                factors + count * FACTORS_reading, work);
      if (++count == TOGETHER || EVERY == 1) {
        k_reading_sum(g, factors, count);
        count = 0;
      }
#endif
      v.loss = v.loss + loss;
      judge(&v, data, place, t, outputs, weight, work);
    }
    const long end = t + 1;
    if (end < place->longest && (EVERY == 0 || end - first < EVERY)) continue;
    if (ANY(due)) {
#if PER_STEP && EVERY > 1
      for (long j = first; j < end; j++) {
        if (!scored[j]) continue;
        LOOK(j);
        V unused[OUTPUTS + 1];
        fetch(data, TARGET, place, j, OUTPUTS, target);
        fetch(data, SCORED, place, j, 1, &weight);
        k_reading(p, states + (j + 1) * STATE, x, symbol, target, &weight, unused,
                  unused + OUTPUTS, entering + j * STATE, g, factors, work);
        k_reading_sum(g, factors, 1);
      }
#endif
      back(p, g, data, place, first, end, states, kept, entering, scored, factors_back, work);
#if PER_STEP
      learn(p, g, m, due, old, work);
#endif
    }
    due = nobody;
    first = end;
  }
  k_reading_sum(g, factors, count);
  return v;
}

long room(long steps) {
  return (steps + 1) * STATE + steps * (STATE + KEPT) + 1 + steps / (long)sizeof(V) +
         TOGETHER * (FACTORS_reading + FACTORS_back) + PER_STEP * (PARAMS + MEMORY) + WORK;
}
