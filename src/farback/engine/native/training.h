/* Training: sequence after sequence, one trial in each lane. */

typedef struct {
  R *params, *memory;    /* [PARAMS, LANES], [MEMORY, LANES] */
  const int32_t *rows;   /* the row of each lane's trial in `data` */
  const uint64_t *keys;  /* by row: what chooses from the set; NULL where all come in their order */
  long first, count;
  Sequences data;
  Verdicts verdicts; /* [count * BATCH, LANES] */
} Training;

/* `count` steps of learning, from sequence number `first` on. */
void train(const Training *w, V *scratch) {
  V *const p = (V *)w->params, *const m = (V *)w->memory;
  V *const g = scratch, *const losses = g + PARAMS, *const found = losses + BATCH;
  V *const rest = found + FOUND(w->data.steps);
  const __auto_type before = flushing();
  long done = 0;
  for (long n = 0; n < w->count; n++) {
    k_before(p, m, rest);
    none(g, PARAMS);
    for (long b = 0; b < BATCH; b++, done++) {
      Place place;
      obtain(&w->data, w->rows, w->keys, w->first + done, &place, found, rest);
      Verdict v = sequence(p, g, m, &w->data, &place, rest);
      report(&v, w->verdicts, done);
      losses[b] = v.loss;
    }
#if !PER_STEP
    k_update(p, g, m, rest);
#endif
    k_after(p, losses, m, rest);
  }
  restore(before);
}

long scratch(long steps) {
  const long learning = PARAMS + BATCH + FOUND(steps) + room(steps);
  return learning > examining(steps) ? learning : examining(steps);
}
