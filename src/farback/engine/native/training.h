/* Training: sequence after sequence, one trial in each lane. */

typedef struct {
  R *params, *memory;    /* [PARAMS, LANES], [MEMORY, LANES] */
  const int32_t *rows;   /* the row of each lane's trial in `data` */
  const uint64_t *keys;  /* by row: what chooses from the set; NULL where it comes in turn */
  long first, count;
  Sequences data;
  Verdicts verdicts; /* of count * BATCH sequences */
} Training;

/* Vectors of memory for the trials of one set of lanes. */
static long training(long steps) { return PARAMS + 2 * BATCH + CHANCES + room(steps); }

/* The numbers of learners/_chance.py for the present step of each trial, all of which are as far. */
#if CHANCES
static void roll(const V *m, V *chance) {
  const V *const key = m + CHANCE_AT, *const step = key + 4;
  lanes_long word = LANES_CONVERT(lanes_long, key[0]);
  for (int part = 1; part < 4; part++) word |= LANES_CONVERT(lanes_long, key[part]) << 16 * part;
  Keys keys;
  keys_of(word, &keys);
  const uint64_t number = (uint64_t)LANE(step[0], 0) | (uint64_t)LANE(step[1], 0) << 20;
  draw_integers(&keys, number, 0, CHANCES, 0x1p24, chance);
  for (long i = 0; i < CHANCES; i++) chance[i] = chance[i] * SPLAT((R)0x1p-24);
}
#endif

/* `count` steps of learning, from sequence number `first` on, for the trials of each of `works`,
   which are no more than WIDE and go on together. */
void train(const Training *works, int wide, V *scratch) {
  const __auto_type before = flushing();
  const Sequences *const data = &works->data;
  Trials trials[WIDE];
  Run runs[WIDE];
  for (int w = 0; w < wide; w++) {
    Trials *const it = trials + w;
    it->p = (V *)works[w].params;
    it->m = (V *)works[w].memory;
    it->g = scratch + w * training(data->steps);
    it->losses = it->g + PARAMS;
    it->right = it->losses + BATCH;
    it->chance = it->right + BATCH;
    runs[w].of = it;
    start(runs + w, data, it->chance + CHANCES);
    look_up(data, works[w].rows, &runs[w].place);
  }
  long done = 0;
  for (long n = 0; n < works->count; n++) {
    for (int w = 0; w < wide; w++) {
#if CHANCES
      roll(trials[w].m, trials[w].chance);
#endif
      k_before(trials[w].p, trials[w].chance, trials[w].m, runs[w].work);
      none(trials[w].g, PARAMS);
    }
    for (long b = 0; b < BATCH; b++, done++) {
      for (int w = 0; w < wide; w++)
        obtain(data, works[w].rows, works[w].keys, works[w].first + done, &runs[w].place,
               runs[w].found, runs[w].work);
      sequence(runs, wide, data);
      for (int w = 0; w < wide; w++) {
        report(&runs[w].verdict, works[w].verdicts, done);
        trials[w].losses[b] = runs[w].verdict.loss;
        trials[w].right[b] = SELECT(runs[w].verdict.right, SPLAT((R)1), SPLAT((R)0));
      }
    }
    for (int w = 0; w < wide; w++) {
#if !PER_STEP
      k_update(trials[w].p, trials[w].g, trials[w].m, runs[w].work);
#endif
      k_after(trials[w].p, trials[w].losses, trials[w].right, trials[w].chance, trials[w].m,
              runs[w].work);
    }
  }
  restore(before);
}

long scratch(long steps) {
  const long learning = WIDE * training(steps);
  return learning > examining(steps) ? learning : examining(steps);
}
