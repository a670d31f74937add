/* What a sequence is worth: its error while learning, and what the task says of its answers. */

typedef struct {
  V loss;
  M right;
  V off, weight; /* the task's error, summed over scored steps, and how many they are */
} Verdict;

static inline Verdict unjudged(void) {
  Verdict v = {SPLAT((R)0), EQ(SPLAT((R)0), SPLAT((R)0)), SPLAT((R)0), SPLAT((R)0)};
  return v;
}

static inline void judge(Verdict *v, const Sequences *data, const Place *place, long t,
                         const V *outputs, const V *target, V scored, V *work) {
  V answers[OUTPUTS], grade[2];
  const int same = data->fields[ANSWER].rows == data->fields[TARGET].rows && !place->apart;
  if (!same) fetch(data, ANSWER, place, t, OUTPUTS, answers);
  k_grade(outputs, same ? target : answers, grade, work);
  M asked = GT(scored, SPLAT((R)0));
  v->right = AND(v->right, OR(NOT(asked), GT(grade[0], SPLAT((R)0))));
  v->off = v->off + SELECT(asked, grade[1] * scored, SPLAT((R)0));
  v->weight = v->weight + scored;
}

typedef struct {
  R *loss, *error;
  uint8_t *right;
  long apart; /* numbers of one lane; those of the next follow */
} Verdicts; /* [LANES, sequence] each */

static inline void report(const Verdict *v, Verdicts out, long place) {
  V error = v->off / SELECT(LT(v->weight, SPLAT((R)1)), SPLAT((R)1), v->weight);
  for (int l = 0; l < LANES; l++) {
    out.loss[l * out.apart + place] = LANE(v->loss, l);
    out.error[l * out.apart + place] = LANE(error, l);
    out.right[l * out.apart + place] = LANE(v->right, l) != 0;
  }
}

/* The sequences first ... first + count - 1 of a set, answered without learning, until each lane
   has more than `allowed` wrong ones; how many were asked. */
typedef struct {
  const R *params;
  const int32_t *rows;
  long first, count, allowed;
  long losses; /* whether the errors of learning are wanted */
  Sequences data;
  Verdicts verdicts;
} Exam;

/* What parameters answer to one sequence. `losses`: whether the errors of learning are wanted. */
LANES_INLINE Verdict answered(const V *p, const Sequences *data, const Place *place, int losses,
                              V *state, V *next, V *work) {
  Verdict v = unjudged();
  k_start(p, state, work);
  for (long t = 0; t < place->longest; t++) {
    LOOK(t);
    k_step(p, state, x, symbol, next, work);
    if (t >= place->shortest) blend(present(place, t), next, state, STATE);
    memcpy(state, next, STATE * sizeof(V));
    V scored, outputs[OUTPUTS], target[OUTPUTS];
    fetch(data, SCORED, place, t, 1, &scored);
    if (!ANY(GT(scored, SPLAT((R)0)))) continue;
    k_read(p, state, x, symbol, outputs, work);
    fetch(data, TARGET, place, t, OUTPUTS, target);
    if (losses) {
      V loss;
      k_loss(outputs, target, &scored, &loss, work);
      v.loss = v.loss + loss;
    }
    judge(&v, data, place, t, outputs, target, scored, work);
  }
  return v;
}

long examine(const Exam *e, V *scratch) {
  const V *const p = (const V *)e->params;
  const Sequences *const data = &e->data;
  V *const state = scratch, *const next = state + STATE, *const found = next + STATE;
  V *const work = found + FOUND(data->steps);
  const __auto_type before = flushing();
  long wrong[LANES] = {0}, n = 0;
  Place where, *const place = &where;
  look_up(data, e->rows, place);
  for (; n < e->count; n++) {
    obtain(data, e->rows, 0, e->first + n, place, found, work);
    const Verdict v = answered(p, data, place, e->losses != 0, state, next, work);
    report(&v, e->verdicts, n);
    long least = e->allowed + 1;
    for (int l = 0; l < LANES; l++) {
      wrong[l] += !LANE(v.right, l);
      if (wrong[l] < least) least = wrong[l];
    }
    if (least > e->allowed) {
      n++;
      break;
    }
  }
  restore(before);
  return n;
}

/* Vectors of memory that this takes. */
static long examining(long steps) { return 2 * STATE + FOUND(steps) + WORK; }

#if !LEARNS
long scratch(long steps) { return examining(steps); }
#endif
