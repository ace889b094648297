/* approx.h: exp, tanh and erf for one float, without branches or tables, so that loops over them vectorise.
 *
 * Only IEEE additions, multiplications and divisions in a fixed order, fused only where it says so (this layer is
 * compiled with -ffp-contract=off): the same bits on every machine, whatever its vectors. Coefficients are minimax fits
 * of their own (iteratively reweighted least squares in double precision); the errors stated include fp32 rounding, and
 * tests/unit/test_kernels.c holds the functions to them. NaN stays NaN.
 */
#ifndef MURMUR_MODEL_APPROX_H
#define MURMUR_MODEL_APPROX_H

#include <stdint.h>
#include <string.h>

static inline float mur_float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t mur_bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Of e^r's p, the highest term first. */
#define MUR_EXP_FIRST 1.38144669e-3f
#define MUR_EXP_REST(NEXT) NEXT(8.36878041e-3f) NEXT(4.16683942e-2f) NEXT(1.66665201e-1f) NEXT(4.99999934e-1f)

/* e^x for x <= 88; relative error below 2e-7. Below -87 it stays at e^-87 (1.6e-38), so nothing is subnormal.
 * x = n ln 2 + r with |r| <= ln 2 / 2, e^x = 2^n e^r, e^r = 1 + r + r² p(r). */
static inline float mur_exp(float x)
{
    const float round = 0x1.8p23f; /* adding it rounds to a whole number, which then is in the low bits */
    x = x < -87.0f ? -87.0f : x;
    float shifted = x * 1.44269504f + round;
    uint32_t n = mur_bits_of_float(shifted) - mur_bits_of_float(round);
    float whole = shifted - round;
    float r = x - whole * 0x1.63p-1f; /* ln 2 in two parts; the first has 9 bits, so its product is exact */
    r = r - whole * -2.12194440e-4f;
    float p = MUR_EXP_FIRST;
#define NEXT(term) p = p * r + term;
    MUR_EXP_REST(NEXT)
#undef NEXT
    return (1.0f + (r + r * r * p)) * mur_float_of_bits((n + 127) << 23);
}

/* tanh x = sign(x) (1 - e) / (1 + e), e = e^-2|x|; absolute error below 2e-7. */
static inline float mur_tanh(float x)
{
    uint32_t sign = mur_bits_of_float(x) & 0x80000000u;
    float e = mur_exp(-2.0f * mur_float_of_bits(mur_bits_of_float(x) ^ sign));
    return mur_float_of_bits(mur_bits_of_float((1.0f - e) / (1.0f + e)) ^ sign);
}

/* erf x = x p(x²) / q(x²) on [-3.92, 3.92], outside of which erf is ±1 in fp32; error below 4e-7, relative and so
 * absolute. */
static inline float mur_erf(float x)
{
    x = x < -3.92f ? -3.92f : x;
    x = x > 3.92f ? 3.92f : x;
    float t = x * x;
    float p = 2.05008546e-6f;
    p = p * t + 2.84883705e-4f;
    p = p * t + 3.76564818e-3f;
    p = p * t + 5.27488196e-2f;
    p = p * t + 1.90407157e-1f;
    p = p * t + 1.12837915e+0f;
    float q = 3.80917477e-5f;
    q = q * t + 1.16254362e-3f;
    q = q * t + 1.49692786e-2f;
    q = q * t + 1.14109402e-1f;
    q = q * t + 5.02076690e-1f;
    q = q * t + 1.0f;
    return x * p / q;
}

/* The activations of transformers: "gelu", "gelu_new", "relu". */
static inline float mur_gelu(float x)
{
    return 0.5f * x * (1.0f + mur_erf(x * 0.707106781f));
}

/* The same within as much, for machines that multiply and add in one rounding: x (1/2 + c p(c²)), c = x within ±5.2,
 * error below 2e-7 (1 + |x|), and no division. p is one of u = 2 c² / 5.2² - 1, which is within ±1: of c² itself it
 * would lose half of its digits. The limits are held in whole numbers: of two comparisons of floats gcc makes three
 * cases. */
static inline float mur_gelu_fused(float x)
{
    const int32_t limit = 0x40A66666; /* 5.2f */
    uint32_t bits = mur_bits_of_float(x);
    int32_t size = (int32_t)(bits & 0x7FFFFFFFu);
    size = size < limit ? size : limit;
    float c = mur_float_of_bits((bits & 0x80000000u) | (uint32_t)size);
    float u = __builtin_fmaf(c * c, 7.396449894e-02f, -1.0f);
    float p = -4.812670522e-04f;
    p = __builtin_fmaf(p, u, 1.268506981e-03f);
    p = __builtin_fmaf(p, u, -1.221524435e-03f);
    p = __builtin_fmaf(p, u, 1.800133730e-03f);
    p = __builtin_fmaf(p, u, -4.789003171e-03f);
    p = __builtin_fmaf(p, u, 8.559956215e-03f);
    p = __builtin_fmaf(p, u, -1.250514109e-02f);
    p = __builtin_fmaf(p, u, 1.795479283e-02f);
    p = __builtin_fmaf(p, u, -2.472362481e-02f);
    p = __builtin_fmaf(p, u, 3.198995814e-02f);
    p = __builtin_fmaf(p, u, -3.992981836e-02f);
    p = __builtin_fmaf(p, u, 5.002452061e-02f);
    p = __builtin_fmaf(p, u, -6.774366647e-02f);
    p = __builtin_fmaf(p, u, 1.359499991e-01f);
    return x * __builtin_fmaf(c, p, 0.5f);
}

/* Of mur_gelu_coarse's p, the highest term first. */
#define MUR_GELU_COARSE_LIMIT 0x40733333 /* 3.8f */
#define MUR_GELU_COARSE_FIRST 3.66576351e-8f
#define MUR_GELU_COARSE_REST(NEXT)                                                                                     \
    NEXT(-2.27245550e-6f)                                                                                              \
    NEXT(6.06846879e-5f)                                                                                               \
    NEXT(-9.31546674e-4f) NEXT(9.31663159e-3f) NEXT(-6.57197833e-2f) NEXT(3.98676753e-1f)

/* The same for what is rounded to 8 bits next: x (1/2 + c p(c²)), c = x within ±3.8, error below 7e-5 |x|. */
static inline float mur_gelu_coarse(float x)
{
    const int32_t limit = MUR_GELU_COARSE_LIMIT;
    uint32_t bits = mur_bits_of_float(x);
    int32_t size = (int32_t)(bits & 0x7FFFFFFFu);
    size = size < limit ? size : limit;
    float c = mur_float_of_bits((bits & 0x80000000u) | (uint32_t)size);
    float t = c * c, p = MUR_GELU_COARSE_FIRST;
#define NEXT(term) p = __builtin_fmaf(p, t, term);
    MUR_GELU_COARSE_REST(NEXT)
#undef NEXT
    return x * __builtin_fmaf(c, p, 0.5f);
}

static inline float mur_gelu_tanh(float x)
{
    return 0.5f * x * (1.0f + mur_tanh(0.797884561f * (x + 0.044715f * (x * x * x))));
}

static inline float mur_relu(float x)
{
    return x < 0.0f ? 0.0f : x;
}

/* The floats of two bf16 in a word of 32 bits, of which the earlier one has the lower half. */
static inline float mur_later_of(uint32_t pair)
{
    return mur_float_of_bits(pair & 0xFFFF0000u);
}

static inline float mur_earlier_of(uint32_t pair)
{
    return mur_float_of_bits(pair << 16);
}

/* The nearest bf16, which is the upper half of a float; of two the even one. NaN stays NaN. */
static inline uint16_t mur_bf16_nearest(float x)
{
    uint32_t bits = mur_bits_of_float(x);
    uint32_t nearest = bits + 0x7FFFu + (bits >> 16 & 1u);
    nearest = (bits & 0x7FFFFFFFu) > 0x7F800000u ? bits | 0x400000u : nearest;
    return (uint16_t)(nearest >> 16);
}

/* Rounding to 8 bits, x = q · most / 127 with |x| <= most: what x is multiplied with, and q + 128 of that. What is too
 * small for its inverse to be a number is nothing. */
static inline float mur_int8_inverse(float most)
{
    return most > 1e-30f ? 127.0f / most : 0.0f;
}

static inline uint8_t mur_int8_nearest(float x, float inverse)
{
    const float round = 0x1.8p23f; /* as in mur_exp */
    return (uint8_t)(mur_bits_of_float(x * inverse + round) - mur_bits_of_float(round) + 128);
}

#endif
