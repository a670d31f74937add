/* One trial in each SIMD lane: the types, and what a lane does with a number and a mask.

   LANES (a power of two) and DOUBLE (0 or 1) are set by the compiler's command line.

       R  one number            V  LANES of them
       M  a mask for SELECT     I  LANES integers as wide as R

   A lane's result has the same bits whatever LANES is: every width does the same operations, and
   a product is fused with a sum either at all widths or at none. So compile with
   -ffp-contract=off and never with -ffast-math. The bits of a NaN are not part of the promise. */

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if DOUBLE
typedef double R;
typedef int64_t lanes_int;
typedef uint64_t lanes_word;
#else
typedef float R;
typedef int32_t lanes_int;
typedef uint32_t lanes_word;
#endif

#define LANES_INLINE static inline __attribute__((always_inline, unused))

#if LANES == 1

/* gcc keeps a vector of one lane in the integer registers, so here V is a plain number. */
typedef R V;
typedef lanes_int I;
typedef lanes_word lanes_words;
typedef int M;

#define LANE(v, l) (v)
#define NOT(m) (!(m))

LANES_INLINE V SPLAT(R a) { return a; }
LANES_INLINE V SELECT(M m, V a, V b) { return m ? a : b; }
LANES_INLINE int ANY(M m) { return m; }
LANES_INLINE int ALL(M m) { return m; }

#else

/* Every function that takes a V is inlined, so how one would be passed does not matter. One note
   of gcc's about it goes away with -Wno-psabi only. */
#pragma GCC diagnostic ignored "-Wpsabi"

#define LANES_BYTES (LANES * (DOUBLE ? 8 : 4))

typedef R V __attribute__((vector_size(LANES_BYTES)));
typedef lanes_int I __attribute__((vector_size(LANES_BYTES)));
typedef lanes_word lanes_words __attribute__((vector_size(LANES_BYTES)));
typedef I M;

#define LANE(v, l) ((v)[l])
#define NOT(m) (~(m))

/* a - 0 and not 0 + a, which would lose the sign of -0. */
LANES_INLINE V SPLAT(R a) { return a - (V){0}; }
/* Written so, it becomes a blend by the comparison's own flags on AVX-512. */
LANES_INLINE V SELECT(M m, V a, V b) { return (V)((m & (M)a) | (~m & (M)b)); }

LANES_INLINE int ANY(M m) {
#if LANES_BYTES == 64 && defined(__AVX512F__)
  return _mm512_test_epi32_mask((__m512i)m, (__m512i)m) != 0;
#elif LANES_BYTES == 32 && defined(__AVX__)
  return !_mm256_testz_si256((__m256i)m, (__m256i)m);
#else
  uint64_t words[LANES_BYTES / 8], any = 0;
  memcpy(words, &m, sizeof words);
  for (int w = 0; w < LANES_BYTES / 8; w++) any |= words[w];
  return any != 0;
#endif
}
LANES_INLINE int ALL(M m) { return !ANY(~m); }

#endif

#define AND(m, n) ((m) & (n))
#define OR(m, n) ((m) | (n))

#define LT(a, b) ((M)((a) < (b)))
#define LE(a, b) ((M)((a) <= (b)))
#define GT(a, b) ((M)((a) > (b)))
#define GE(a, b) ((M)((a) >= (b)))
#define EQ(a, b) ((M)((a) == (b)))
#define NE(a, b) ((M)((a) != (b)))

/* The bits of V as unsigned integers, where overflow and shifts are defined, and back. */
LANES_INLINE lanes_words lanes_bits(V a) {
  lanes_words bits;
  memcpy(&bits, &a, sizeof bits);
  return bits;
}
LANES_INLINE V lanes_value(lanes_words bits) {
  V a;
  memcpy(&a, &bits, sizeof a);
  return a;
}

/* What C has no vector operator for goes to the CPU in parts as wide as its registers:

       FMA(a, b, c)       a b + c, rounded once where the CPU can, twice where it cannot
       SQRT(a)
       lanes_least(a, b)  a < b ? a : b, so b where either is NaN
       lanes_most(a, b)   a > b ? a : b, so b where either is NaN */

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || \
    (defined(__FP_FAST_FMA) && defined(__FP_FAST_FMAF))
#define LANES_FUSED 1
#else
#define LANES_FUSED 0
#endif

#if DOUBLE
#define LANES_FMA1 __builtin_fma
#define LANES_SQRT1 __builtin_sqrt
#else
#define LANES_FMA1 __builtin_fmaf
#define LANES_SQRT1 __builtin_sqrtf
#endif

#if LANES > 1 && defined(__x86_64__)

#if LANES_BYTES >= 64 && defined(__AVX512F__)
#define LANES_FLOAT(name) _mm512_##name##_ps
#define LANES_DOUBLE(name) _mm512_##name##_pd
typedef __m512 lanes_float;
typedef __m512d lanes_double;
#elif LANES_BYTES >= 32 && defined(__AVX__)
#define LANES_FLOAT(name) _mm256_##name##_ps
#define LANES_DOUBLE(name) _mm256_##name##_pd
typedef __m256 lanes_float;
typedef __m256d lanes_double;
#else
#define LANES_FLOAT(name) _mm_##name##_ps
#define LANES_DOUBLE(name) _mm_##name##_pd
typedef __m128 lanes_float;
typedef __m128d lanes_double;
#endif

#if DOUBLE
typedef lanes_double lanes_part;
#define LANES_CPU LANES_DOUBLE
#else
typedef lanes_float lanes_part;
#define LANES_CPU LANES_FLOAT
#endif

#define LANES_CPU_FMA LANES_CPU(fmadd)
#define LANES_CPU_SQRT LANES_CPU(sqrt)

#elif LANES > 1 && defined(__aarch64__)

#if DOUBLE
typedef float64x2_t lanes_part;
#define LANES_CPU_FMA(a, b, c) vfmaq_f64(c, a, b)
#define LANES_CPU_SQRT vsqrtq_f64
#else
typedef float32x4_t lanes_part;
#define LANES_CPU_FMA(a, b, c) vfmaq_f32(c, a, b)
#define LANES_CPU_SQRT vsqrtq_f32
#endif

#elif LANES > 1

typedef R lanes_part;
#define LANES_CPU_FMA LANES_FMA1
#define LANES_CPU_SQRT LANES_SQRT1

#endif

#if LANES > 1

#define LANES_PARTS ((sizeof(V) + sizeof(lanes_part) - 1) / sizeof(lanes_part))
typedef union {
  lanes_part part[LANES_PARTS];
  V whole;
} lanes_parts;

/* A V narrower than a part stands at its beginning; what follows it is zero. */
LANES_INLINE lanes_parts lanes_cut(V a) {
  lanes_parts parts;
  if (sizeof(V) < sizeof(lanes_part)) memset(&parts, 0, sizeof parts);
  parts.whole = a;
  return parts;
}

#endif

LANES_INLINE V FMA(V a, V b, V c) {
#if !LANES_FUSED
  return a * b + c;
#elif LANES == 1
  return LANES_FMA1(a, b, c);
#else
  lanes_parts x = lanes_cut(a), y = lanes_cut(b), z = lanes_cut(c);
  for (unsigned p = 0; p < LANES_PARTS; p++)
    z.part[p] = LANES_CPU_FMA(x.part[p], y.part[p], z.part[p]);
  return z.whole;
#endif
}

LANES_INLINE V SQRT(V a) {
#if LANES == 1
  return LANES_SQRT1(a);
#else
  lanes_parts x = lanes_cut(a);
  for (unsigned p = 0; p < LANES_PARTS; p++) x.part[p] = LANES_CPU_SQRT(x.part[p]);
  return x.whole;
#endif
}

LANES_INLINE V lanes_least(V a, V b) {
#if LANES > 1 && defined(__x86_64__)
  lanes_parts x = lanes_cut(a), y = lanes_cut(b);
  for (unsigned p = 0; p < LANES_PARTS; p++)
    x.part[p] = LANES_CPU(min)(x.part[p], y.part[p]);
  return x.whole;
#else
  return SELECT(LT(a, b), a, b);
#endif
}

LANES_INLINE V lanes_most(V a, V b) {
#if LANES > 1 && defined(__x86_64__)
  lanes_parts x = lanes_cut(a), y = lanes_cut(b);
  for (unsigned p = 0; p < LANES_PARTS; p++)
    x.part[p] = LANES_CPU(max)(x.part[p], y.part[p]);
  return x.whole;
#else
  return SELECT(GT(a, b), a, b);
#endif
}
