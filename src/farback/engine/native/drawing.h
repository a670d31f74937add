/* Where a sequence comes from: a set in memory, or this program itself. */

#if DRAWN

/* What k_draw writes, one behind the other. Fields that are rows of a table are written as places in
   it, the others as columns: [width, DRAWN_STEPS]. */
#define DRAWN_ROOM                                                                             \
  (DRAWN_NUMBERS + DRAWN_INPUTS + DRAWN_TARGETS + DRAWN_ANSWERS + DRAWN_SCORED + DRAWN_LENGTHS)

/* Whole numbers from `least` to `most`, whatever a task has drawn. */
LANES_INLINE I whole(V a, long least, long most) {
  const V low = SPLAT((R)least), known = SELECT(EQ(a, a), a, low);
  return LANES_CONVERT(I, lanes_least(SPLAT((R)most), lanes_most(low, known)));
}

static void coded_rows(V *places, long count, const Field *field) {
  if (!field->coded) return;
  for (long i = 0; i < count; i++) {
    const I codes = whole(places[i], 0, field->coded - 1);
    memcpy(places + i, &codes, sizeof codes);
  }
}

static void draw(const Sequences *s, long number, Place *place, V *room, V *work) {
  Keys keys[PURPOSES];
  for (int q = 0; q < PURPOSES; q++) keys_of(place->keys[q], keys + q);
  V *const u = room, *const inputs = u + DRAWN_NUMBERS, *const targets = inputs + DRAWN_INPUTS,
          *const answers = targets + DRAWN_TARGETS, *const scored = answers + DRAWN_ANSWERS,
          *const lengths = scored + DRAWN_SCORED;
  k_numbers(keys, number, u, inputs);
  k_draw(u, inputs, targets, answers, scored, lengths, work);
  place->given[INPUT] = inputs;
  place->given[TARGET] = targets;
  place->given[ANSWER] = DRAWN_ANSWERS ? answers : targets;
  place->given[SCORED] = scored;
  place->apart = DRAWN_ANSWERS > 0;
  coded_rows(inputs, DRAWN_INPUTS, s->fields + INPUT);
  coded_rows(targets, DRAWN_TARGETS, s->fields + TARGET);
  coded_rows(answers, DRAWN_ANSWERS, s->fields + ANSWER);
  place->shortest = place->longest = DRAWN_STEPS;
  place->length = (I){0} + DRAWN_STEPS;
#if DRAWN_LENGTHS
  place->length = whole(lengths[0], 1, DRAWN_STEPS);
  place->longest = 0;
  for (int l = 0; l < LANES; l++) {
    const long length = LANE(place->length, l);
    if (length < place->shortest) place->shortest = length;
    if (length > place->longest) place->longest = length;
  }
  /* Behind its end a lane sees its last input again, as in `find`. */
  for (int k = 0; k < INPUTS && !s->fields[INPUT].coded; k++) {
    V *const column = inputs + k * DRAWN_STEPS;
    const long end = STILL[k] && EARLY < place->longest ? EARLY : place->longest;
    for (long t = place->shortest; t < end; t++)
      column[t] = SELECT(present(place, t), column[t], column[t - 1]);
  }
#endif
}

#define FOUND(steps) ((steps) * (1 + INPUTS) + DRAWN_ROOM)

#else

/* Vectors of `room` for a sequence. */
#define FOUND(steps) ((steps) * (1 + INPUTS))

#endif

/* What the sequences of these rows are drawn with, if the program draws them. */
static void look_up(const Sequences *s, const int32_t *rows, Place *place) {
  (void)s, (void)rows, (void)place;
#if DRAWN
  place->drawn = s->keys != 0;
  for (int q = 0; place->drawn && q < PURPOSES; q++)
    for (int l = 0; l < LANES; l++) LANE(place->keys[q], l) = s->keys[q * s->count + rows[l]];
#endif
}

/* The `number`th sequence of each lane. */
static void obtain(const Sequences *s, const int32_t *rows, const uint64_t *keys, long number,
                   Place *place, V *room, V *work) {
  (void)work;
#if DRAWN
  if (place->drawn) {
    draw(s, number, place, room, work);
    return;
  }
#endif
  find(s, rows, keys, number, place, room);
}

#if DRAWN

/* What the program shows for the sequences first ... first + count - 1, of T = DRAWN_STEPS:
   [sequence, step, number, LANES] with inputs, targets, answers, scored, and whether it is there. */
void show(const Sequences *s, const int32_t *rows, long first, long count, R *out, V *scratch) {
  const Sequences *const data = s;
  Place where, *const place = &where;
  look_up(s, rows, place);
  for (long n = 0; n < count; n++) {
    obtain(s, rows, 0, first + n, place, scratch, scratch + FOUND(s->steps));
    for (long t = 0; t < DRAWN_STEPS; t++) {
      LOOK(t);
      V seen[INPUTS + 2 * OUTPUTS + 2];
      for (int i = 0; i < INPUTS; i++) seen[i] = HOT ? hot(symbol, i) : x[i];
      fetch(data, TARGET, place, t, OUTPUTS, seen + INPUTS);
      fetch(data, ANSWER, place, t, OUTPUTS, seen + INPUTS + OUTPUTS);
      fetch(data, SCORED, place, t, 1, seen + INPUTS + 2 * OUTPUTS);
      seen[INPUTS + 2 * OUTPUTS + 1] = SELECT(present(place, t), SPLAT((R)1), SPLAT((R)0));
      memcpy(out, seen, sizeof seen);
      out += (INPUTS + 2 * OUTPUTS + 2) * LANES;
    }
  }
}

#endif
