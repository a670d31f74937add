/* Elementary functions of V, after lanes.h: each lane by itself, NaN in NaN out, no branches.

   The exponential stands on x = k ln 2 + r with k whole and |r| <= ln(2)/2, and the polynomial

       q(r) = (e^r - 1 - r) / r^2,   so   e^r - 1 = r + r^2 q(r).

   Adding LANES_WHOLE to a number rounds it to a whole one and leaves that in its lowest bits. The
   logarithm is that of fdlibm (Sun Microsystems, 1993): with x = 2^k (1 + f), s = f / (2 + f),

       log(1 + f) = 2 s + s R(s^2). */

#if DOUBLE
#define LANES_MANTISSA 52
#define LANES_BIAS 1023
#define LANES_WHOLE 6755399441055744.0 /* 1.5 2^52 */
#define LANES_LN2_HIGH 6.93147180369123816490e-01
#define LANES_LN2_LOW 1.90821492927058770002e-10
#define LANES_EXP_FROM -746.0 /* 0 below */
#define LANES_EXP_TO 710.0 /* infinite above */
#define LANES_ONE_FROM 40.0 /* 1 + e^-x is 1 */
#define LANES_SMALLEST_NORMAL 2.2250738585072014e-308
#define LANES_LOW_HALF 0x7ffffffULL
#define LANES_HALF_ROOT 0x3fe6a09e667f3bcdULL /* the bits of sqrt(1/2) */
#define LANES_LIBM(name) name
#else
#define LANES_MANTISSA 23
#define LANES_BIAS 127
#define LANES_WHOLE 12582912.0f
#define LANES_LN2_HIGH 0.693359375f
#define LANES_LN2_LOW -2.12194440e-4f
#define LANES_EXP_FROM -104.0f
#define LANES_EXP_TO 89.0f
#define LANES_ONE_FROM 18.0f
#define LANES_SMALLEST_NORMAL 1.17549435e-38f
#define LANES_LOW_HALF 0xfffU
#define LANES_HALF_ROOT 0x3f3504f3U
#define LANES_LIBM(name) name##f
#endif

#define LANES_SIGN ((lanes_word)1 << (sizeof(R) * 8 - 1))
#define LANES_INVERSE_LN2 ((R)1.4426950408889634)
#define LANES_INFINITY ((R)__builtin_inf())
#define LANES_NAN ((R)__builtin_nan(""))

LANES_INLINE V ABS(V a) { return lanes_value(lanes_bits(a) & ~LANES_SIGN); }
LANES_INLINE V NEG(V a) { return -a; }
LANES_INLINE V RECIP(V a) { return SPLAT(1) / a; }
LANES_INLINE V RSQRT(V a) { return SPLAT(1) / SQRT(a); }

LANES_INLINE V lanes_signed(V size, V sign) {
  return lanes_value(lanes_bits(size) | (lanes_bits(sign) & LANES_SIGN));
}

/* 0 at NaN, as torch has it. */
LANES_INLINE V SIGN(V a) {
  V zero = SPLAT(0), one = SPLAT(1);
  return SELECT(GT(a, zero), one, zero) - SELECT(LT(a, zero), one, zero);
}

LANES_INLINE V RELU(V a) { return lanes_most(SPLAT(0), a); }
LANES_INLINE V MAXIMUM(V a, V b) { return SELECT(NE(a, a), a, lanes_most(a, b)); }
LANES_INLINE V MINIMUM(V a, V b) { return SELECT(NE(a, a), a, lanes_least(a, b)); }

LANES_INLINE V FLOOR(V a) {
  /* From 2^LANES_MANTISSA on every number is whole. */
  V large = SPLAT((R)((lanes_int)1 << LANES_MANTISSA)), size = ABS(a);
  V near = lanes_signed((size + large) - large, a);
  V down = near - SELECT(GT(near, a), SPLAT(1), SPLAT(0));
  return SELECT(LT(size, large), lanes_signed(down, a), a);
}

/* c[0] + c[1] x + ... + c[n - 1] x^(n - 1) */
LANES_INLINE V lanes_polynomial(V x, const R *c, int n) {
  V sum = SPLAT(c[n - 1]);
  for (int i = n - 2; i >= 0; i--) sum = FMA(sum, x, SPLAT(c[i]));
  return sum;
}

/* u q(u r) for u = 1 or 2: c[i] u^(i + 1) is exact, and for the compiler to compute. */
LANES_INLINE V lanes_q(V r, int u) {
#if DOUBLE
  static const R c[] = {0.500000000000000103,    0.166666666666666675,    0.0416666666666238205,
                        0.0083333333333300382,   0.00138888889173670806,  0.00019841269863171556,
                        2.48015210578682052e-05, 2.75572682769056962e-06, 2.76202015910315488e-07,
                        2.5100472505694996e-08};
#else
  static const R c[] = {0.5f, 0.166665766661199283f, 0.0416665542129841503f, 0.0083632328836826182f,
                        0.00139262508314976117f};
#endif
  const int last = sizeof c / sizeof *c - 1;
  V sum = SPLAT(c[last] * (1 << (last + 1) * (u - 1)));
  for (int i = last - 1; i >= 0; i--) sum = FMA(sum, r, SPLAT(c[i] * (1 << (i + 1) * (u - 1))));
  return sum;
}

/* k + offset + LANES_WHOLE, where k is a over ln 2, rounded. */
LANES_INLINE V lanes_whole(V a, R offset) {
  return FMA(a, SPLAT(LANES_INVERSE_LN2), SPLAT((R)LANES_WHOLE + offset));
}

LANES_INLINE V lanes_rest(V a, V k) {
  return FMA(k, SPLAT(-LANES_LN2_LOW), FMA(k, SPLAT(-LANES_LN2_HIGH), a));
}

/* 2^k of whole = k + LANES_BIAS + LANES_WHOLE, where that is a normal number. */
LANES_INLINE V lanes_power_of_two(V whole) {
  return lanes_value(lanes_bits(whole) << LANES_MANTISSA);
}

/* e^a for a <= LANES_EXP_TO */
LANES_INLINE V lanes_exp(V a) {
  const R twice = 2 * LANES_BIAS;
  a = lanes_most(SPLAT(LANES_EXP_FROM), a);
  V whole = lanes_whole(a, twice);
  V k = whole - SPLAT((R)LANES_WHOLE + twice), r = lanes_rest(a, k);
  V power = FMA(FMA(lanes_q(r, 1), r, SPLAT(1)), r, SPLAT(1));
#if LANES > 1 && defined(__AVX512F__) && defined(__AVX512VL__)
  /* Rounded once, as the product with two factors is, whose first one is exact. */
  lanes_parts x = lanes_cut(power), y = lanes_cut(k);
  for (unsigned p = 0; p < LANES_PARTS; p++)
    x.part[p] = LANES_CPU(scalef)(x.part[p], y.part[p]);
  return x.whole;
#else
  lanes_words bits = lanes_bits(whole), half = bits >> 1;
  return power * lanes_value(half << LANES_MANTISSA) *
         lanes_value((bits - half) << LANES_MANTISSA);
#endif
}

LANES_INLINE V EXP(V a) { return lanes_exp(lanes_least(SPLAT(LANES_EXP_TO), a)); }

LANES_INLINE V EXPM1(V a) {
  V within = lanes_most(SPLAT(-LANES_ONE_FROM), lanes_least(SPLAT(LANES_EXP_TO), a));
  V whole = lanes_whole(within, LANES_BIAS), k = whole - SPLAT((R)LANES_WHOLE + LANES_BIAS);
  V r = lanes_rest(within, k), less = FMA(r * r, lanes_q(r, 1), r);
  /* Half of it, since 2^k is too large by one when the result is not. */
  V half = lanes_power_of_two(whole - SPLAT(1));
  V result = FMA(half, less, half - SPLAT((R)0.5)) * SPLAT(2);
  return SELECT(LT(ABS(a), SPLAT(LANES_SMALLEST_NORMAL * 4)), a, result);
}

/* With n = (e^2|x| - 1) / 2: n / (n + 1), and the sign of x. Here r is half of that above, and
   ln 2 needs no low part: where k is large, an error of n hardly changes the result. */
LANES_INLINE V TANH(V a) {
  V size = lanes_least(SPLAT(LANES_ONE_FROM / 2 + 1), ABS(a));
  V whole = FMA(size, SPLAT(2 * LANES_INVERSE_LN2), SPLAT((R)LANES_WHOLE + LANES_BIAS));
  V k = whole - SPLAT((R)LANES_WHOLE + LANES_BIAS), power = lanes_power_of_two(whole);
  V r = FMA(k, SPLAT((R)-0.34657359027997264), size);
  V less = FMA(r * r, lanes_q(r, 2), r);
  V n = FMA(power, less, FMA(power, SPLAT((R)0.5), SPLAT((R)-0.5)));
  return lanes_signed(n / (n + SPLAT(1)), a);
}

/* e^x / (1 + e^x), which stays exact relative to itself where it is tiny. */
LANES_INLINE V SIGMOID(V a) {
  V power = lanes_exp(lanes_least(SPLAT(LANES_ONE_FROM), a));
  return power / (power + SPLAT(1));
}

/* a = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), for a positive and finite. */
LANES_INLINE V lanes_fraction(V a, V *k) {
  const R up = (R)((lanes_int)1 << LANES_MANTISSA);
  M small = LT(a, SPLAT(LANES_SMALLEST_NORMAL));
  a = SELECT(small, a * SPLAT(up), a);
  lanes_words bits = lanes_bits(a);
  /* The bias keeps the exponent positive, and LANES_WHOLE makes a number of it. */
  lanes_words lift = bits - LANES_HALF_ROOT + ((lanes_word)(LANES_BIAS + 1) << LANES_MANTISSA);
  lanes_words exponent = lift >> LANES_MANTISSA;
  V shift = SELECT(small, SPLAT((R)LANES_WHOLE + LANES_BIAS + 1 + LANES_MANTISSA),
                   SPLAT((R)LANES_WHOLE + LANES_BIAS + 1));
  *k = lanes_value(exponent | lanes_bits(SPLAT(LANES_WHOLE))) - shift;
  lanes_words back = (exponent - (LANES_BIAS + 1)) << LANES_MANTISSA;
  return lanes_value(bits - back) - SPLAT(1);
}

/* R(z) of the logarithm. */
LANES_INLINE V lanes_log_rest(V z) {
#if DOUBLE
  static const R c[] = {6.666666666666735130e-01, 3.999999999940941908e-01,
                        2.857142874366239149e-01, 2.222219843214978396e-01,
                        1.818357216161805012e-01, 1.531383769920937332e-01,
                        1.479819860511658591e-01};
  return z * lanes_polynomial(z, c, 7);
#else
  static const R c[] = {0.66666662693f, 0.40000972152f, 0.28498786688f, 0.24279078841f};
  return z * lanes_polynomial(z, c, 4);
#endif
}

LANES_INLINE V LOG(V a) {
  V k, f = lanes_fraction(a, &k), s = f / (f + SPLAT(2)), square = SPLAT((R)0.5) * f * f;
  V low = FMA(s, square + lanes_log_rest(s * s), k * SPLAT(LANES_LN2_LOW));
  V result = FMA(k, SPLAT(LANES_LN2_HIGH), f - (square - low));
  V zero = SPLAT(0), infinity = SPLAT(LANES_INFINITY);
  V end = SELECT(EQ(a, zero), -infinity, SELECT(EQ(a, infinity), a, SPLAT(LANES_NAN)));
  return SELECT(AND(GT(a, zero), LT(a, infinity)), result, end);
}

/* a b - ab, of which a b is kept whole by halves of the numbers. */
LANES_INLINE V lanes_lost(V a, V b, V ab) {
#if LANES_FUSED
  return FMA(a, b, -ab);
#else
  V x = lanes_value(lanes_bits(a) & ~(lanes_word)LANES_LOW_HALF), u = a - x;
  V y = lanes_value(lanes_bits(b) & ~(lanes_word)LANES_LOW_HALF), v = b - y;
  return ((x * y - ab) + x * v + u * y) + u * v;
#endif
}

/* e^(b log|a|), the logarithm as the sum of two numbers, so that b may be large; then the sign
   and the ends as in C: x^0 and 1^y are 1 even of NaN, 0 and infinity keep the sign of odd powers. */
LANES_INLINE V POW(V a, V b) {
  V zero = SPLAT(0), one = SPLAT(1), infinity = SPLAT(LANES_INFINITY), size = ABS(a), k;
  V f = lanes_fraction(size, &k), sum = f + SPLAT(2), sum_low = f - (sum - SPLAT(2));
  V s = f / sum, product = s * sum;
  V s_low = ((f - product) - lanes_lost(s, sum, product) - s * sum_low) / sum;
  V tail = s * lanes_log_rest(s * s) + SPLAT(2) * s_low + k * SPLAT(LANES_LN2_LOW);
  V head = k * SPLAT(LANES_LN2_HIGH), twice = s + s, high = head + twice;
  V rest = (twice - (high - head)) + tail, log_size = high + rest;
  V low = rest - (log_size - high);
  V x = b * log_size, x_low = FMA(b, low, lanes_lost(b, log_size, x));
  V power = EXP(x);
  M inside = AND(GT(x, SPLAT(LANES_EXP_FROM)), LT(x, SPLAT(LANES_EXP_TO)));
  V result = SELECT(inside, FMA(power, x_low, power), power);
  result = SELECT(EQ(size, one), one, result);
  M up = GT(b, zero);
  result = SELECT(EQ(size, zero), SELECT(up, zero, infinity), result);
  result = SELECT(EQ(size, infinity), SELECT(up, infinity, zero), result);
  V half = b * SPLAT((R)0.5);
  M whole = EQ(FLOOR(b), b), odd = AND(whole, NE(FLOOR(half), half));
  M none = AND(AND(LT(a, zero), LT(size, infinity)), NOT(whole));
  result = SELECT(none, SPLAT(LANES_NAN), result);
  result = SELECT(odd, lanes_signed(result, a), result);
  result = SELECT(OR(NE(a, a), NE(b, b)), a + b, result);
  return SELECT(OR(EQ(a, one), EQ(b, zero)), one, result);
}

/* a^n by repeated squaring; n is the same in all lanes. */
LANES_INLINE V POWI(V a, int n) {
  unsigned left = n < 0 ? -(unsigned)n : (unsigned)n;
  V result = SPLAT(1);
  for (; left; left >>= 1, a = a * a)
    if (left & 1) result = result * a;
  return n < 0 ? SPLAT(1) / result : result;
}

/* name(a) lane by lane from the C library, for what is rare. */
#define LANEWISE(name, function)                   \
  LANES_INLINE V name(V a) {                       \
    for (int l = 0; l < LANES; l++)                \
      LANE(a, l) = LANES_LIBM(function)(LANE(a, l)); \
    return a;                                      \
  }
LANEWISE(SIN, sin)
LANEWISE(COS, cos)
LANEWISE(TAN, tan)
LANEWISE(ASIN, asin)
LANEWISE(ACOS, acos)
LANEWISE(ATAN, atan)
LANEWISE(SINH, sinh)
LANEWISE(COSH, cosh)
LANEWISE(ERF, erf)
LANEWISE(ERFC, erfc)
LANEWISE(LOG1P, log1p)
LANEWISE(LOG2, log2)
LANEWISE(LOG10, log10)
LANEWISE(CEIL, ceil)
LANEWISE(TRUNC, trunc)
LANEWISE(RINT, rint)

/* log(1 + e^x) */
LANES_INLINE V SOFTPLUS(V a) { return RELU(a) + LOG1P(EXP(-ABS(a))); }
