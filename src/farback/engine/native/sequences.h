/* Sequences in memory, and the step that each lane is at.

   A field of a set stands as [trial, sequence, step, width] numbers, or, where few different rows
   occur in it, as the number of each row in a table: [trial, sequence, step] bytes. What is padded
   behind the end of a sequence is zero. */

enum { INPUT, TARGET, ANSWER, SCORED, FIELDS };

typedef struct {
  const R *rows;        /* every number, or the table */
  const uint8_t *codes; /* NULL where every number stands there */
  long onehot;          /* whether row i of the table is 1 at i and 0 elsewhere */
} Field;

typedef struct {
  long steps;  /* room for so many steps of each sequence */
  long count;  /* sequences of each trial */
  const int32_t *lengths;
  Field fields[FIELDS];
} Sequences;

typedef struct {
  long at[LANES]; /* the first step of each lane's sequence */
  I length;
  long shortest, longest;
} Place;

/* A one-hot input by its symbol; negative where it is all zeros. */
typedef struct {
  int lane[LANES];
  int same; /* whether all lanes show lane 0's */
  V code;   /* the symbol as a number, which is exact */
} Symbol;

LANES_INLINE V hot(Symbol s, int i) {
  return SELECT(EQ(s.code, SPLAT((R)i)), SPLAT((R)1), SPLAT((R)0));
}

static inline V gather(const V *column, long stride, Symbol s) {
  if (s.same) return s.lane[0] < 0 ? SPLAT((R)0) : column[s.lane[0] * stride];
  V picked = SPLAT((R)0);
  for (int l = 0; l < LANES; l++)
    if (s.lane[l] >= 0) LANE(picked, l) = LANE(column[s.lane[l] * stride], l);
  return picked;
}

static inline void scatter(V *column, long stride, Symbol s, V value) {
  if (s.same) {
    if (s.lane[0] >= 0) column[s.lane[0] * stride] = column[s.lane[0] * stride] + value;
    return;
  }
  for (int l = 0; l < LANES; l++)
    if (s.lane[l] >= 0) {
      V *place = column + s.lane[l] * stride;
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

/* Where the lanes' sequences begin, and how long they are. */
static void find(const Sequences *s, const int32_t *rows, const uint64_t *keys, long number,
                 Place *place) {
  place->shortest = s->steps;
  place->longest = 0;
  for (int l = 0; l < LANES; l++) {
    long sequence = rows[l] * s->count +
                    (keys ? chosen(keys[rows[l]], number, s->count) : number);
    long length = s->lengths[sequence];
    place->at[l] = sequence * s->steps;
    LANE(place->length, l) = length;
    if (length < place->shortest) place->shortest = length;
    if (length > place->longest) place->longest = length;
  }
}

LANES_INLINE void fetch(const Field *field, const Place *place, long t, int width, V *out) {
  if (field->codes && field->onehot) {
    V code;
    for (int l = 0; l < LANES; l++) LANE(code, l) = field->codes[place->at[l] + t];
    for (int k = 0; k < width; k++)
      out[k] = SELECT(EQ(code, SPLAT((R)k)), SPLAT((R)1), SPLAT((R)0));
    return;
  }
  for (int l = 0; l < LANES; l++) {
    long row = field->codes ? field->codes[place->at[l] + t] : place->at[l] + t;
    for (int k = 0; k < width; k++) LANE(out[k], l) = field->rows[row * width + k];
  }
}

LANES_INLINE Symbol shown(const Field *field, const Place *place, long t) {
  Symbol s;
  s.same = 1;
  for (int l = 0; l < LANES; l++) {
    int code = field->codes[place->at[l] + t];
    s.lane[l] = code < INPUTS ? code : -1;
    LANE(s.code, l) = s.lane[l];
    s.same &= s.lane[l] == s.lane[0];
  }
  return s;
}

/* The lanes whose sequence has a step t. */
LANES_INLINE M alive(const Place *place, long t) {
#if LANES == 1
  return place->length > t;
#else
  return (M)(place->length > ((I){0} + (lanes_int)t));
#endif
}

static inline void blend(M mask, V *values, const V *others, long count) {
  for (long i = 0; i < count; i++) values[i] = SELECT(mask, values[i], others[i]);
}

#if HOT
#define LOOK(t)                                                     \
  const Symbol symbol = shown(&data->fields[INPUT], place, t);      \
  const V *const x = 0
#else
#define LOOK(t)                                                     \
  V x[INPUTS];                                                      \
  fetch(&data->fields[INPUT], place, t, INPUTS, x);                 \
  const Symbol symbol = {{0}, 0, SPLAT((R)0)}
#endif
