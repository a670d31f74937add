/* The parameters of a lane's trial, and how they change. */

typedef struct {
  V *p, *g, *m; /* parameters, gradient, the learner's memory */
  V *losses;    /* of the sequences of a step */
  V *right;     /* 1 where they were answered rightly, else 0 */
  V *chance;    /* what the learner draws for the step */
} Trials;

/* Trials on their way through a sequence, as backward.h, forward.h or recursion.h has it. */
typedef struct run Run;

static inline void none(V *values, long count) {
  for (long i = 0; i < count; i++) values[i] = SPLAT((R)0);
}

#if PER_STEP
/* A step against the gradient for the lanes that are due; the gradient starts anew. `old` has room
   for parameters and memory. */
static void learn(V *p, V *g, V *m, M due, V *old, V *work) {
  const int some = !ALL(due);
  if (some) {
    memcpy(old, p, PARAMS * sizeof(V));
    memcpy(old + PARAMS, m, MEMORY * sizeof(V));
  }
  k_update(p, g, m, work);
  if (some) {
    blend(due, p, old, PARAMS);
    blend(due, m, old + PARAMS, MEMORY);
  }
  none(g, PARAMS);
}
#endif
