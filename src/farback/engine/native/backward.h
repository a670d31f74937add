/* The gradient of one sequence in each lane, by passes back over windows.

   Every EVERY steps the errors of the last EVERY steps are run back over the last WINDOW steps:

     dE/dstate_t = e_t [t >= end - EVERY] + J_{t+1}^T dE/dstate_{t+1}      t >= end - WINDOW   (1)
     dE/dparams  = sum of the outputs' own parts and of (dstate_t/dparams)^T dE/dstate_t       (2)

   Without an end of windows this is back-propagation through time; with both at 1, Elman's. On the
   way back a step is computed again from the state before it, but for the activations that were
   kept. Where some inputs are zero from the step EARLY on, steps from there are kernels of their own.

   A step waits for the one before it. Where the net is so small that the CPU could do more at a time,
   the lanes of some trials take turns with those of others, step by step. */

struct run {
  Trials *of;
  Place place;
  Verdict verdict;
  M due;        /* the lanes with an error in the block */
  long first;   /* of the block */
  long high;    /* behind its last step */
  long read;    /* readings whose products were put off */
  long put_off; /* steps back whose products were */
  V *states, *entering, *kept, *factors, *factors_back, *adjoint, *old, *found, *work;
  uint8_t *scored;
};

/* Whether some inputs are known to be zero at a step. */
#if LATER
#define IS_LATER(place, t) ((place)->drawn && (t) >= EARLY)
#else
#define IS_LATER(place, t) 0
#endif

#define NOBODY NE(SPLAT((R)0), SPLAT((R)0))

static inline long least(long a, long b) { return a < b ? a : b; }

/* One step of equations (1) and (2), at t of the block that ends at `high`. */
LANES_INLINE void one_back(Run *r, const Sequences *data, long t, long low) {
  const Place *const place = &r->place;
  const V *const e = r->entering + t * STATE;
  V now[STATE];
  const int enters = t >= r->first && r->scored[t];
  for (int i = 0; i < STATE; i++) now[i] = enters ? r->adjoint[i] + e[i] : r->adjoint[i];
#if BOUNDED
  M reached = EQ(SPLAT((R)0), SPLAT((R)0));
  for (int l = 0; l < LANES; l++)
    if (t < least((long)LANE(place->length, l), r->high) - WINDOW) LANE(reached, l) = 0;
  for (int i = 0; i < STATE; i++) now[i] = SELECT(reached, now[i], SPLAT((R)0));
#endif
  V *const p = r->of->p, *const g = r->of->g, *const state = r->states + t * STATE,
          *const kept = r->kept + t * KEPT;
#if LATER
  if (IS_LATER(place, t)) {
    LOOK(t);
    k_later_back(p, state, x, symbol, now, kept, r->adjoint, g, r->factors_back, r->work);
    return;
  }
#endif
  LOOK(t);
  k_back(p, state, x, symbol, now, kept, r->adjoint, g,
         r->factors_back + r->put_off * FACTORS_back, r->work);
  if (++r->put_off == TOGETHER || t == low) {
    k_back_sum(r->of->g, r->factors_back, r->put_off);
    r->put_off = 0;
  }
}

/* Equations (1) and (2) for a block of each. */
static void back(Run *runs, int wide, const Sequences *data) {
  long steps = 0;
  for (int w = 0; w < wide; w++) {
    none(runs[w].adjoint, STATE);
    if (runs[w].high > steps) steps = runs[w].high;
  }
  for (long behind = 1; behind <= steps; behind++)
    for (int w = 0; w < wide; w++) {
      Run *const r = runs + w;
      const long t = r->high - behind, low = r->first + 1 > WINDOW ? r->first + 1 - WINDOW : 0;
      if (t < low) continue;
      one_back(r, data, t, low);
      if (t == 0) k_origin(r->of->p, r->adjoint, r->of->g, r->work);
    }
}

/* What a block's errors make of the gradient, and, with PER_STEP, of the parameters. */
static void settle(Run *runs, int wide, const Sequences *data) {
#if PER_STEP
  Run *const r = runs;
  if (!ANY(r->due)) return;
#if EVERY > 1
  const Place *const place = &r->place;
  for (long j = r->first; j < r->high; j++) {
    if (!r->scored[j]) continue;
    LOOK(j);
    V unused[OUTPUTS + 1], weight, target[OUTPUTS];
    fetch(data, TARGET, place, j, OUTPUTS, target);
    fetch(data, SCORED, place, j, 1, &weight);
    k_reading(r->of->p, r->states + (j + 1) * STATE, x, symbol, target, &weight, unused,
              unused + OUTPUTS, r->entering + j * STATE, r->of->g, r->factors, r->work);
    k_reading_sum(r->of->g, r->factors, 1);
  }
#endif
#endif
  back(runs, wide, data);
#if PER_STEP
  learn(r->of->p, r->of->g, r->of->m, r->due, r->old, r->work);
#endif
}

/* The lanes that are asked after a step, at which `state` became `next`. */
LANES_INLINE int asked(Run *r, const Sequences *data, long t, const V *state, V *next, V *weight) {
  const Place *const place = &r->place;
  if (t >= place->shortest) blend(present(place, t), next, state, STATE);
  fetch(data, SCORED, place, t, 1, weight);
  const M those = GT(*weight, SPLAT((R)0));
  r->scored[t] = ANY(those);
  if (r->scored[t]) r->due = OR(r->due, those);
  return r->scored[t];
}

/* One step forward, and what its output says. */
LANES_INLINE void one_ahead(Run *r, const Sequences *data, long t) {
  const Place *const place = &r->place;
  V *const state = r->states + t * STATE, *const next = state + STATE;
  V *const kept = r->kept + t * KEPT;
  V weight, outputs[OUTPUTS], target[OUTPUTS], loss;
#if LATER
  /* Here a step is so short that looking at all inputs would be most of it. */
  if (IS_LATER(place, t)) {
    LOOK(t);
    k_later_ahead(r->of->p, state, x, symbol, kept, next, r->work);
    if (!asked(r, data, t, state, next, &weight)) return;
  }
#endif
  LOOK(t);
  if (!IS_LATER(place, t)) {
    k_ahead(r->of->p, state, x, symbol, kept, next, r->work);
    if (!asked(r, data, t, state, next, &weight)) return;
  }
  fetch(data, TARGET, place, t, OUTPUTS, target);
#if PER_STEP && EVERY > 1
  k_read(r->of->p, next, x, symbol, outputs, r->work);
  k_loss(outputs, target, &weight, &loss, r->work);
#else
  k_reading(r->of->p, next, x, symbol, target, &weight, outputs, &loss, r->entering + t * STATE,
            r->of->g, r->factors + r->read * FACTORS_reading, r->work);
  if (++r->read == TOGETHER || EVERY == 1) {
    k_reading_sum(r->of->g, r->factors, r->read);
    r->read = 0;
  }
#endif
  r->verdict.loss = r->verdict.loss + loss;
  judge(&r->verdict, data, place, t, outputs, target, weight, r->work);
}

static void start(Run *r, const Sequences *data, V *scratch) {
  r->states = scratch;
  r->entering = r->states + (data->steps + 1) * STATE;
  r->scored = (uint8_t *)(r->entering + data->steps * STATE);
  r->kept = r->entering + data->steps * STATE + 1 + data->steps / sizeof(V);
  r->factors = r->kept + data->steps * KEPT;
  r->factors_back = r->factors + TOGETHER * FACTORS_reading;
  r->adjoint = r->factors_back + TOGETHER * FACTORS_back;
  r->old = r->adjoint + STATE;
  r->found = r->old + PER_STEP * (PARAMS + MEMORY);
  r->work = r->found + FOUND(data->steps);
}

static void sequence(Run *runs, int wide, const Sequences *data) {
  long longest = 0;
  for (int w = 0; w < wide; w++) {
    Run *const r = runs + w;
    r->verdict = unjudged();
    r->due = NOBODY;
    r->first = r->read = r->put_off = 0;
    r->high = r->place.longest;
    if (r->high > longest) longest = r->high;
    k_start(r->of->p, r->states, r->work);
  }
#if EVERY
  /* Each goes back within its sequence. */
  for (int w = 0; w < wide; w++) {
    Run *const r = runs + w;
    for (long t = 0; t < r->place.longest; t++) {
      one_ahead(r, data, t);
      r->high = t + 1;
      if (r->high < r->place.longest && r->high - r->first < EVERY) continue;
      if (ANY(r->due)) settle(r, 1, data);
      r->due = NOBODY;
      r->first = r->high;
    }
  }
#else
  for (long t = 0; t < longest; t++)
    for (int w = 0; w < wide; w++)
      if (t < runs[w].place.longest) one_ahead(runs + w, data, t);
  settle(runs, wide, data);
#endif
  for (int w = 0; w < wide; w++) k_reading_sum(runs[w].of->g, runs[w].factors, runs[w].read);
}

long room(long steps) {
  return (steps + 1) * STATE + steps * (STATE + KEPT) + 1 + steps / (long)sizeof(V) +
         TOGETHER * (FACTORS_reading + FACTORS_back) + STATE + PER_STEP * (PARAMS + MEMORY) +
         FOUND(steps) + WORK;
}
