/* Sequences in memory, and the step that each lane is at.

   A field of a set stands as [trial, sequence, step, width] numbers, or, where few different rows
   occur in it, as the number of each row in a table: [trial, sequence, step] bytes. What is padded
   behind the end of a sequence is zero. */

/* Numbers too small to be normal are taken for zero while a program runs: an error that has
   vanished so far is none, and reckoning with them takes a hundred times as long. */
#if defined(__x86_64__)
LANES_INLINE unsigned flushing(void) {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040);
  return before;
}
LANES_INLINE void restore(unsigned before) { _mm_setcsr(before); }
#elif defined(__aarch64__)
LANES_INLINE uint64_t flushing(void) {
  uint64_t before;
  __asm__ volatile("mrs %0, fpcr" : "=r"(before));
  __asm__ volatile("msr fpcr, %0" : : "r"(before | (1 << 24)));
  return before;
}
LANES_INLINE void restore(uint64_t before) { __asm__ volatile("msr fpcr, %0" : : "r"(before)); }
#else
LANES_INLINE int flushing(void) { return 0; }
LANES_INLINE void restore(int before) { (void)before; }
#endif

enum { INPUT, TARGET, ANSWER, SCORED, FIELDS };

typedef struct {
  const R *rows;    /* every number; or a table by rows */
  const R *columns; /* the table by columns of COLUMN numbers, where it has no more rows */
  long coded;       /* how many rows the table has; 0 where every number stands there */
  long onehot;      /* whether row i of the table is 1 at i and 0 elsewhere */
} Field;

enum { COLUMN = 32 };

typedef struct {
  long steps; /* room for so many steps of each sequence */
  long count; /* sequences of each trial; of drawn ones, how many trials there are */
  const int32_t *lengths;
  const uint32_t *words; /* [trial, sequence, step]: the row of each coded field, by SHIFTS */
  const uint64_t *keys;  /* [purpose, trial]: what they are drawn with; NULL where they lie here */
  Field fields[FIELDS];
} Sequences;

/* Where the row of each coded field stands in a word, and how large it may be. */
static const int SHIFTS[FIELDS] = {0, 10, 20, 30}, LARGEST[FIELDS] = {1023, 1023, 1023, 3};

/* Where each lane is, with what it needs at every step laid lane beside lane. */
typedef struct {
  long at[LANES]; /* the first step of each lane's sequence */
  I length;
  long shortest, longest;
  lanes_int *words; /* [steps, LANES] */
  V *inputs;        /* [steps, INPUTS], unless they are coded */
  int apart;        /* whether answers are drawn that are not the targets */
#if DRAWN
  int drawn;
  lanes_long keys[PURPOSES]; /* what each lane's sequences are drawn with */
  const V *given[FIELDS];    /* as in drawing.h */
#endif
} Place;

/* A one-hot input by its symbol; INPUTS where it is all zeros. */
typedef struct {
  I code;
  long first; /* lane 0's */
  int same;   /* whether all lanes show it */
} Symbol;

#if LANES == 1
#define IS(codes, k) ((codes) == (k))
#else
#define IS(codes, k) ((M)((codes) == ((I){0} + (lanes_int)(k))))
#endif

LANES_INLINE V hot(Symbol s, int i) {
  return SELECT(IS(s.code, i), SPLAT((R)1), SPLAT((R)0));
}

static inline V gather(const V *column, long stride, Symbol s) {
  if (s.same) return s.first < INPUTS ? column[s.first * stride] : SPLAT((R)0);
  V picked = SPLAT((R)0);
  for (int l = 0; l < LANES; l++)
    if (LANE(s.code, l) < INPUTS) LANE(picked, l) = LANE(column[LANE(s.code, l) * stride], l);
  return picked;
}

static inline void scatter(V *column, long stride, Symbol s, V value) {
  if (s.same) {
    if (s.first < INPUTS) column[s.first * stride] = column[s.first * stride] + value;
    return;
  }
  for (int l = 0; l < LANES; l++)
    if (LANE(s.code, l) < INPUTS) {
      V *place = column + LANE(s.code, l) * stride;
      LANE(*place, l) = LANE(*place, l) + LANE(value, l);
    }
}

/* Which sequence of a set comes as the `number`th: the first draw of farback's draws.py with the
   trial's key, uniform in 0 ... count - 1.

   Reference: J. K. Salmon and others, Parallel Random Numbers: As Easy as 1, 2, 3, 2011. */
static long chosen(uint64_t key, uint64_t number, long count) {
  uint32_t zero = 0, one = 0, two = (uint32_t)number, three = number >> 32;
  uint32_t low = (uint32_t)key, high = key >> 32;
  for (int round = 0; round < 10; round++) {
    const uint64_t first = (uint64_t)0xD2511F53 * zero, second = (uint64_t)0xCD9E8D57 * two;
    zero = (uint32_t)(second >> 32) ^ one ^ low;
    one = (uint32_t)second;
    two = (uint32_t)(first >> 32) ^ three ^ high;
    three = (uint32_t)first;
    low += 0x9E3779B9;
    high += 0xBB67AE85;
  }
  const uint64_t word = (uint64_t)zero << 32 | one;
  return (long)((word >> 11) * 0x1p-53 * count);
}

/* Find the lanes' sequences and lay their steps beside each other; behind its end a lane sees
   its last input again, which nobody counts and on which its step has a derivative. */
static void find(const Sequences *s, const int32_t *rows, const uint64_t *keys, long number,
                 Place *place, V *room) {
  place->words = (lanes_int *)room;
  place->inputs = room + s->steps;
  place->apart = 0;
  place->shortest = s->steps;
  place->longest = 0;
  for (int l = 0; l < LANES; l++) {
    const long sequence = rows[l] * s->count +
                          (keys ? chosen(keys[rows[l]], number, s->count) : number % s->count);
    const long length = s->lengths[sequence];
    place->at[l] = sequence * s->steps;
    LANE(place->length, l) = length;
    if (length < place->shortest) place->shortest = length;
    if (length > place->longest) place->longest = length;
  }
  for (int l = 0; l < LANES; l++) {
    const uint32_t *const words = s->words + place->at[l];
    const long last = LANE(place->length, l) - 1;
    for (long t = 0; t < place->longest; t++)
      place->words[t * LANES + l] = (lanes_int)((words[t] & ~(uint32_t)LARGEST[INPUT]) |
                                                (words[t < last ? t : last] & LARGEST[INPUT]));
  }
  if (s->fields[INPUT].coded) return;
  for (int l = 0; l < LANES; l++) {
    const R *const row = s->fields[INPUT].rows + place->at[l] * INPUTS;
    const long end = LANE(place->length, l) * INPUTS;
    for (long i = 0; i < place->longest * INPUTS; i++)
      ((R *)place->inputs)[i * LANES + l] = row[i < end ? i : end - INPUTS + i % INPUTS];
  }
}

#if DRAWN
static const int BY_STEP[FIELDS] = {1, DRAWN_TARGETS_BY_STEP,
                                    DRAWN_ANSWERS ? DRAWN_ANSWERS_BY_STEP : DRAWN_TARGETS_BY_STEP, 1};
#endif

/* The lanes whose sequence has a step t. */
LANES_INLINE M present(const Place *place, long t) {
#if LANES == 1
  return place->length > t;
#else
  return (M)(place->length > ((I){0} + (lanes_int)t));
#endif
}

/* The row of a coded field that each lane is at. */
LANES_INLINE I coded(const Place *place, int field, long t) {
  I word;
#if DRAWN
  if (place->drawn) {
    memcpy(&word, place->given[field] + (BY_STEP[field] ? t : 0), sizeof word);
    return word;
  }
#endif
  memcpy(&word, place->words + t * LANES, sizeof word);
  return word >> SHIFTS[field] & LARGEST[field];
}

LANES_INLINE void fetch(const Sequences *s, int field, const Place *place, long t, int width,
                        V *out) {
  const Field *const f = &s->fields[field];
#if DRAWN
  if (place->drawn && field == SCORED && !DRAWN_SCORED) {
    out[0] = SELECT(IS(place->length, t + 1), SPLAT((R)1), SPLAT((R)0));
    return;
  }
  if (place->drawn && !f->coded) {
    const V *const given = place->given[field] + (BY_STEP[field] ? t : 0), zero = SPLAT((R)0);
    if (field == INPUT && t >= EARLY)
      for (int k = 0; k < width; k++) out[k] = STILL[k] ? zero : given[k * DRAWN_STEPS];
    else
      for (int k = 0; k < width; k++) out[k] = given[BY_STEP[field] ? k * DRAWN_STEPS : k];
    if (field == SCORED) {
      out[0] = SELECT(GT(out[0], zero), SPLAT((R)1), zero);
      if (t >= place->shortest) out[0] = SELECT(present(place, t), out[0], zero);
    }
    return;
  }
#endif
  if (!f->coded) {
    if (field == INPUT) {
      memcpy(out, place->inputs + t * INPUTS, INPUTS * sizeof(V));
      return;
    }
    for (int l = 0; l < LANES; l++)
      for (int k = 0; k < width; k++) LANE(out[k], l) = f->rows[(place->at[l] + t) * width + k];
    return;
  }
  const I codes = coded(place, field, t);
  if (f->onehot) {
    for (int k = 0; k < width; k++) out[k] = SELECT(IS(codes, k), SPLAT((R)1), SPLAT((R)0));
    return;
  }
#if LANES > 1 && !defined(__clang__)
  if (f->columns && f->coded <= 2 * LANES) {
    for (int k = 0; k < width; k++) {
      V low, high;
      memcpy(&low, f->columns + k * COLUMN, sizeof low);
      memcpy(&high, f->columns + k * COLUMN + LANES % COLUMN, sizeof high);
      out[k] = f->coded <= LANES ? __builtin_shuffle(low, codes)
                                 : __builtin_shuffle(low, high, codes);
    }
    return;
  }
#endif
  for (int l = 0; l < LANES; l++)
    for (int k = 0; k < width; k++) LANE(out[k], l) = f->rows[LANE(codes, l) * width + k];
}

LANES_INLINE Symbol shown(const Place *place, long t) {
  Symbol s;
  s.code = coded(place, INPUT, t);
  s.first = LANE(s.code, 0);
  s.same = ALL(IS(s.code, s.first));
  return s;
}

static inline void blend(M mask, V *values, const V *others, long count) {
  for (long i = 0; i < count; i++) values[i] = SELECT(mask, values[i], others[i]);
}

#if HOT
#define LOOK(t)                                \
  const Symbol symbol = shown(place, t);       \
  const V *const x = 0
#else
#define LOOK(t)                                \
  V x[INPUTS];                                 \
  fetch(data, INPUT, place, t, INPUTS, x);     \
  const Symbol symbol = {0}
#endif
