/* The numbers of farback's draws.py, one trial in each lane.

   Philox 4x32-10: a counter of four words, of which two are the number of the sequence, and a key of
   two, each word in the lower half of 64 bits. What stands in the upper halves on the way does not
   matter: lanes_product reads the lower ones alone.

   Reference: J. K. Salmon and others, Parallel Random Numbers: As Easy as 1, 2, 3, 2011. */

#if LANES == 1
typedef uint64_t lanes_long;
typedef int64_t lanes_whole_long;
typedef double lanes_real;
#define LANES_CONVERT(type, a) ((type)(a))
#else
typedef uint64_t lanes_long __attribute__((vector_size(LANES * 8)));
typedef int64_t lanes_whole_long __attribute__((vector_size(LANES * 8)));
typedef double lanes_real __attribute__((vector_size(LANES * 8)));
#define LANES_CONVERT(type, a) __builtin_convertvector(a, type)
#endif

/* In parts as wide as the CPU's registers. */
#if LANES >= 8 && defined(__AVX512F__)
typedef union {
  lanes_long whole;
  __m512i part[LANES / 8];
} lanes_long_parts;
#elif LANES >= 4 && defined(__AVX2__)
typedef union {
  lanes_long whole;
  __m256i part[LANES / 4];
} lanes_long_parts;
#endif

/* The lower half of each a times a number of 32 bits. */
LANES_INLINE lanes_long lanes_product(lanes_long a, uint64_t by) {
#if LANES >= 8 && defined(__AVX512F__)
  lanes_long_parts parts = {a};
  for (int p = 0; p < LANES / 8; p++)
    parts.part[p] = _mm512_mul_epu32(parts.part[p], _mm512_set1_epi64((long long)by));
  return parts.whole;
#elif LANES >= 4 && defined(__AVX2__)
  lanes_long_parts parts = {a};
  for (int p = 0; p < LANES / 4; p++)
    parts.part[p] = _mm256_mul_epu32(parts.part[p], _mm256_set1_epi64x((long long)by));
  return parts.whole;
#else
  return (a & 0xFFFFFFFFu) * by;
#endif
}

/* The upper half of each. (A shuffle: the CPU shifts where it multiplies.) */
LANES_INLINE lanes_long lanes_upper(lanes_long a) {
#if LANES >= 8 && defined(__AVX512F__)
  lanes_long_parts parts = {a};
  for (int p = 0; p < LANES / 8; p++)
    parts.part[p] = _mm512_shuffle_epi32(parts.part[p], (_MM_PERM_ENUM)0xF5);
  return parts.whole;
#else
  return a >> 32;
#endif
}

/* The lower half of each, in lanes as wide as R. */
LANES_INLINE lanes_words lanes_lower(lanes_long a) {
#if LANES == 16 && defined(__AVX512F__) && !DOUBLE
  const lanes_long_parts parts = {a};
  const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  return (lanes_words)_mm512_permutex2var_epi32(parts.part[0], even, parts.part[1]);
#else
  return LANES_CONVERT(lanes_words, a & 0xFFFFFFFFu);
#endif
}

/* The keys of all rounds. */
typedef struct {
  lanes_long low[10], high[10];
} Keys;

LANES_INLINE void keys_of(lanes_long key, Keys *keys) {
  for (int round = 0; round < 10; round++) {
    keys->low[round] = key + (uint64_t)round * 0x9E3779B9;
    keys->high[round] = (key >> 32) + (uint64_t)round * 0xBB67AE85;
  }
}

/* Four words each, whose upper halves are anything. In the first round all lanes do the same. */
LANES_INLINE void philox(const Keys *keys, uint64_t place, uint64_t turn, uint64_t number,
                         lanes_long words[4]) {
  const uint64_t first = (place & 0xFFFFFFFFu) * 0xD2511F53, second = (number & 0xFFFFFFFFu) * 0xCD9E8D57;
  lanes_long zero = keys->low[0] ^ (second >> 32 ^ turn), one = zero - zero + second,
             two = keys->high[0] ^ (first >> 32 ^ number >> 32), three = zero - zero + first;
  for (int round = 1; round < 10; round++) {
    const lanes_long first = lanes_product(zero, 0xD2511F53), second = lanes_product(two, 0xCD9E8D57);
    zero = lanes_upper(second) ^ one ^ keys->low[round];
    one = second;
    two = lanes_upper(first) ^ three ^ keys->high[round];
    three = first;
  }
  words[0] = zero;
  words[1] = one;
  words[2] = two;
  words[3] = three;
}

/* Uniform in [0, 1), at 2^53 even steps. */
LANES_INLINE lanes_real lanes_unit(lanes_long first, lanes_long second) {
  const lanes_long word = first << 32 | (second & 0xFFFFFFFFu);
  return LANES_CONVERT(lanes_real, (lanes_whole_long)(word >> 11)) * 0x1p-53;
}

/* The Gaussian number below which a share u = (k + 1/2) / 2^32 of all lies, for k of 32 bits. With
   `share` the least of u and 1 - u, and q = u - 1/2, it is

       q A(s) / B(s)   where |q| <= 0.425, s = 0.425^2 - q^2,
       +-C(r) / D(r)   beyond, r = sqrt(-log share) - 1.6,

   after M. J. Wichura, Algorithm AS 241: The Percentage Points of the Normal Distribution, 1988,
   PPND16. That takes a root, a logarithm and two divisions, so in float it is q times a polynomial
   instead, which is another one in each octave of `share` (normal.h). */
LANES_INLINE V lanes_normal_below(V share, V q) {
#if DOUBLE
  static const R inner[] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                            1.9715909503065514427e+3, 1.3731693765509461125e+4,
                            4.5921953931549871457e+4, 6.7265770927008700853e+4,
                            3.3430575583588128105e+4, 2.5090809287301226727e+3};
  static const R inner_under[] = {1,
                                  4.2313330701600911252e+1,
                                  6.8718700749205790830e+2,
                                  5.3941960214247511077e+3,
                                  2.1213794301586595867e+4,
                                  3.9307895800092710610e+4,
                                  2.8729085735721942674e+4,
                                  5.2264952788528545610e+3};
  static const R outer[] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                            5.76949722146069140550e0,  3.64784832476320460504e0,
                            1.27045825245236838258e0,  2.41780725177450611770e-1,
                            2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static const R outer_under[] = {1,
                                  2.05319162663775882187e0,
                                  1.67638483018380384940e0,
                                  6.89767334985100004550e-1,
                                  1.48103976427480074590e-1,
                                  1.51986665636164571966e-2,
                                  5.47593808499534494600e-4,
                                  1.05075007164441684324e-9};
#define LANES_SERIES(x, c) lanes_polynomial(x, c, sizeof c / sizeof *c)
  const V s = FMA(-q, q, SPLAT(0.180625)), r = SQRT(-LOG(share)) - SPLAT(1.6);
  const V sign = SELECT(LT(q, SPLAT(0)), SPLAT(-1), SPLAT(1));
  const M inside = LE(q * sign, SPLAT(0.425));
  return SELECT(inside, q * LANES_SERIES(s, inner), sign * LANES_SERIES(r, outer)) /
         SELECT(inside, LANES_SERIES(s, inner_under), LANES_SERIES(r, outer_under));
#undef LANES_SERIES
#else
  /* The octave is the exponent; the highest share may have been rounded up to the next. */
  const lanes_words bits = lanes_bits(lanes_least(share, SPLAT(0x1.fffffep-2f)));
  const lanes_words octave = bits >> LANES_MANTISSA;
  const V t = lanes_value((bits & 0x7FFFFF) | 0x3F800000) - SPLAT(1.5f);
  V sum = lanes_of_32(LANES_NORMAL[7], octave);
  for (int i = 6; i >= 0; i--) sum = FMA(sum, t, lanes_of_32(LANES_NORMAL[i], octave));
  return q * sum;
#endif
}

LANES_INLINE V lanes_normal(lanes_words k) {
  const V half = SPLAT((R)0x1p-33), each = SPLAT((R)0x1p-32);
  const lanes_words least = (k ^ -(k >> 31)) & 0xFFFFFFFFu;
  const V share = FMA(LANES_CONVERT(V, (I)least), each, half);
  const V q = FMA(LANES_CONVERT(V, (I)(k - 0x80000000u)), each, half);
  return lanes_normal_below(share, q);
}

/* What each call of draws.py gives at `count` places. */

#define LANES_DRAW(name, value, ...)                                                   \
  static inline void name(const Keys *keys, uint64_t number, uint64_t turn, long count,  \
                          __VA_ARGS__, V *out) {                                       \
    for (long i = 0; i < count; i += 2) {                                              \
      lanes_long words[4];                                                             \
      philox(keys, i / 2, turn, number, words);                                         \
      for (int j = 0; j < 2 && i + j < count; j++) {                                   \
        const lanes_real unit = lanes_unit(words[2 * j], words[2 * j + 1]);            \
        out[i + j] = value;                                                            \
      }                                                                                \
    }                                                                                  \
  }

#define LANES_FLOOR(a) LANES_CONVERT(V, LANES_CONVERT(lanes_whole_long, a)) /* not below 0 */

LANES_DRAW(draw_uniform, LANES_CONVERT(V, low + (high - low) * unit), double low, double high)
LANES_DRAW(draw_integers, LANES_FLOOR(unit * high), double high)

static inline void draw_geometric(const Keys *keys, uint64_t number, uint64_t turn, long count,
                                  double log_more, V *out) {
  for (long i = 0; i < count; i++) {
    lanes_long words[4];
    philox(keys, i / 2, turn, number, words);
    const lanes_real unit = lanes_unit(words[i % 2 * 2], words[i % 2 * 2 + 1]);
    for (int l = 0; l < LANES; l++) LANE(out[i], l) = (R)(long)(log1p(-LANE(unit, l)) / log_more);
  }
}

static inline void draw_normal(const Keys *keys, uint64_t number, uint64_t turn, long count,
                               double std, V *out) {
  /* All words first: each number waits for its own word long, and the next ones do not wait. */
  for (long i = 0; i < count; i += 4) {
    lanes_long words[4];
    philox(keys, i / 4, turn, number, words);
    for (int j = 0; j < 4 && i + j < count; j++) out[i + j] = lanes_value(lanes_lower(words[j]));
  }
  for (long i = 0; i < count; i++) out[i] = lanes_normal(lanes_bits(out[i])) * SPLAT((R)std);
}
