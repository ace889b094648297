#include "kernels.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#include "amx.h"
#include "approx.h"
#include "murmur/buf.h"

#define LANES ((size_t)16)
#define ROWS ((size_t)4) /* of queries, or of keys, that attention takes at a time */

/* Registers of the three sizes, at any address. */
typedef float vector4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t integers4 __attribute__((vector_size(16), aligned(4), may_alias));
#if defined(__x86_64__)
typedef float vector8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef float vector16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t integers8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t integers16 __attribute__((vector_size(64), aligned(4), may_alias));
#endif

static inline size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

size_t mur_attention_scratch(size_t n_keys, size_t d)
{
    size_t keys = round_up(n_keys, LANES), width = round_up(d, LANES);
    return d * keys + n_keys * width + ROWS * (keys + width);
}

#define PARTS (LANES / WIDTH) /* registers that make the lanes */

static inline vector4 greater_of_four(vector4 a, vector4 b)
{
    integers4 is_a = a > b;
    return (vector4)(((integers4)a & is_a) | ((integers4)b & ~is_a));
}

/* Four rows of four, and the same as columns. */
typedef struct quartet {
    vector4 row[4];
} quartet;

static inline quartet turned(const vector4 r[4])
{
    vector4 low01 = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5),
            high01 = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
    vector4 low23 = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5),
            high23 = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
    return (quartet){
        {__builtin_shufflevector(low01, low23, 0, 1, 4, 5), __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
         __builtin_shufflevector(high01, high23, 0, 1, 4, 5), __builtin_shufflevector(high01, high23, 2, 3, 6, 7)}};
}

static inline void put_four(float *to, vector4 four)
{
    *(vector4 *)to = four;
}

/* Of each set, beside the names: GELU is how it is approximated (by fused operations only where they are instructions);
 * FUSED is a · b + c rounded once, SPREAD a number in all lanes; LOW and HIGH interleave the lower and the upper two of
 * each four lanes; PUT_FOURS stores each four lanes, `step` floats from the last; FOURTH is the i-th four of lanes that
 * registers x hold together; GREATER is a > b ? a : b. */
static inline vector4 fused_four(vector4 a, vector4 b, vector4 c)
{
    return (vector4){fmaf(a[0], b[0], c[0]), fmaf(a[1], b[1], c[1]), fmaf(a[2], b[2], c[2]), fmaf(a[3], b[3], c[3])};
}

#define TARGET
#define NAME(function) function##_portable
#define VECTOR vector4
#define INTEGERS integers4
#define WIDTH 4
#define MAX_BLOCKS 1
#define FUSED(a, b, c) fused_four(a, b, c)
#define GELU mur_gelu
#define SPREAD(x) ((vector4){x, x, x, x})
#define LOW(a, b) ((vector4){(a)[0], (b)[0], (a)[1], (b)[1]})
#define HIGH(a, b) ((vector4){(a)[2], (b)[2], (a)[3], (b)[3]})
#define PUT_FOURS(to, step, x) put_four(to, x)
#define FOURTH(x, i) (x)[i]
#define GREATER(a, b) greater_of_four(a, b)
#include "kernels_body.h"

#include "attention_body.h"
#undef TARGET
#undef NAME
#undef VECTOR
#undef INTEGERS
#undef WIDTH
#undef MAX_BLOCKS
#undef FUSED
#undef GELU
#undef SPREAD
#undef LOW
#undef HIGH
#undef PUT_FOURS
#undef FOURTH
#undef GREATER

#if defined(__x86_64__)
#define TARGET __attribute__((target("avx2,fma")))
#define NAME(function) function##_avx2
#define VECTOR vector8
#define INTEGERS integers8
#define WIDTH 8
#define MAX_BLOCKS 1
#define FUSED(a, b, c) ((vector8)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define GELU mur_gelu_fused
#define SPREAD(x) ((vector8)_mm256_set1_ps(x))
#define LOW(a, b) ((vector8)_mm256_unpacklo_ps((__m256)(a), (__m256)(b)))
#define HIGH(a, b) ((vector8)_mm256_unpackhi_ps((__m256)(a), (__m256)(b)))
#define FOUR(x, i) ((vector4)_mm256_extractf128_ps((__m256)(x), i))
#define PUT_FOURS(to, step, x) (put_four(to, FOUR(x, 0)), put_four((to) + (step), FOUR(x, 1)))
#define FOURTH(x, i) FOUR((x)[(i) / 2], (i) % 2)
#define GREATER(a, b) ((vector8)_mm256_max_ps((__m256)(a), (__m256)(b)))
#include "kernels_body.h"

#include "attention_body.h"
#undef TARGET
#undef NAME
#undef VECTOR
#undef INTEGERS
#undef WIDTH
#undef MAX_BLOCKS
#undef FUSED
#undef GELU
#undef SPREAD
#undef LOW
#undef HIGH
#undef FOUR
#undef PUT_FOURS
#undef FOURTH
#undef GREATER

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define NAME(function) function##_avx512
#define VECTOR vector16
#define INTEGERS integers16
#define WIDTH 16
#define MAX_BLOCKS 4
#define FUSED(a, b, c) ((vector16)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define GELU mur_gelu_fused
#define SPREAD(x) ((vector16)_mm512_set1_ps(x))
#define LOW(a, b) ((vector16)_mm512_unpacklo_ps((__m512)(a), (__m512)(b)))
#define HIGH(a, b) ((vector16)_mm512_unpackhi_ps((__m512)(a), (__m512)(b)))
#define FOUR(x, i) ((vector4)_mm512_extractf32x4_ps((__m512)(x), i))
#define PUT_FOURS(to, step, x)                                                                                         \
    (put_four(to, FOUR(x, 0)), put_four((to) + (step), FOUR(x, 1)), put_four((to) + 2 * (step), FOUR(x, 2)),           \
     put_four((to) + 3 * (step), FOUR(x, 3)))
#define FOURTH(x, i) FOUR((x)[0], i)
#define GREATER(a, b) ((vector16)_mm512_max_ps((__m512)(a), (__m512)(b)))
#include "kernels_body.h"

#include "attention_body.h"
#endif

#define BF16_NAME_portable "murmur-bf16"
#define BF16_NAME_avx2 BF16_NAME_portable
#define BF16_NAME_avxvnni BF16_NAME_portable
#define BF16_NAME_avx512 BF16_NAME_portable
#define BF16_NAME_avx512vnni BF16_NAME_portable
#define BF16_NAME_avx512bf16 "murmur-vdpbf16ps"
#define BF16_NAME_amx "murmur-tdpbf16ps"

/* A set: what it is called, the loops that it uses, its tiles of 8-bit integers, of bf16 and of fp32, and its whole
 * products of the first two. */
#define KERNELS(set, loops, int8, bf16, fp32, of_int8, of_bf16)                                                        \
    static const mur_kernels kernels_##set = {                                                                         \
        .name = #set,                                                                                                  \
        .add_three = add_three_##loops,                                                                                \
        .add_to_rows = add_to_rows_##loops,                                                                            \
        .layer_norm = layer_norm_##loops,                                                                              \
        .gelu = gelu_##loops,                                                                                          \
        .gelu_coarse = gelu_coarse_##loops,                                                                            \
        .gelu_tanh = gelu_tanh_##loops,                                                                                \
        .relu = relu_##loops,                                                                                          \
        .tanh = tanh_##loops,                                                                                          \
        .attention = attention_##loops,                                                                                \
        .linear_by_rows = linear_by_rows_##loops,                                                                      \
        .round_row = round_row_##loops,                                                                                \
        .int8_tile = mur_int8_tile_##int8,                                                                             \
        .scale_tile = scale_tile_##loops,                                                                              \
        .fp32_tile = fp32,                                                                                             \
        .bf16_tile = bf16,                                                                                             \
        .bf16_name = BF16_NAME_##set,                                                                                  \
        .int8_linear = of_int8,                                                                                        \
        .bf16_linear = of_bf16,                                                                                        \
        .place_tile = place_tile_##loops,                                                                              \
        .place_gelu = place_gelu_##loops,                                                                              \
        .round_bf16 = round_bf16_##loops,                                                                              \
        .widen_row = widen_row_##loops,                                                                                \
        .widen_panel = widen_panel_##loops,                                                                            \
    };
KERNELS(portable, portable, portable, mur_tile_bf16_portable, NULL, NULL, NULL)
#if defined(__x86_64__)
KERNELS(avx2, avx2, avx2, NULL, mur_tile_fp32_avx2, NULL, NULL)
KERNELS(avxvnni, avx2, avxvnni, NULL, mur_tile_fp32_avx2, NULL, NULL)
KERNELS(avx512, avx512, avx2, NULL, mur_tile_fp32_avx512, NULL, NULL)
KERNELS(avx512vnni, avx512, avx512vnni, NULL, mur_tile_fp32_avx512, NULL, NULL)
KERNELS(avx512bf16, avx512, avx512vnni, mur_tile_bf16_avx512bf16, mur_tile_fp32_avx512bf16, NULL, NULL)
KERNELS(amx, avx512, avx512vnni, NULL, mur_tile_fp32_avx512bf16, mur_amx_int8_linear, mur_amx_bf16_linear)
#endif

#if defined(__x86_64__)
/* Leaf 7.1, EAX bit 4: compilers' own tests do not all know it. */
static bool has_avx_vnni(void)
{
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & 1u << 4);
}
#endif

const mur_kernels *mur_kernels_at(size_t i)
{
    const mur_kernels *found[8] = {NULL};
    size_t n = 0;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        if (__builtin_cpu_supports("avx512vnni")) {
            if (__builtin_cpu_supports("avx512bf16")) {
                if (mur_amx_is_there())
                    found[n++] = &kernels_amx;
                found[n++] = &kernels_avx512bf16;
            }
            found[n++] = &kernels_avx512vnni;
        }
        found[n++] = &kernels_avx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        if (has_avx_vnni())
            found[n++] = &kernels_avxvnni;
        found[n++] = &kernels_avx2;
    }
#endif
    found[n++] = &kernels_portable;
    return i < n ? found[i] : NULL;
}

int mur_kernels_choose(const mur_kernels **out)
{
    const char *wanted = getenv("MURMUR_ISA");
    *out = mur_kernels_at(0);
    if (!wanted || !*wanted)
        return 0;
    mur_buf names = {0};
    for (size_t i = 0; (*out = mur_kernels_at(i)) && strcmp((*out)->name, wanted) != 0; i++)
        mur_buf_printf(&names, "%s%s", i ? ", " : "", (*out)->name);
    int rc = *out ? 0
                  : mur_fail(MUR_EUSAGE, "MURMUR_ISA=%s: no instruction set of this machine; it has %s", wanted,
                             mur_buf_text(&names));
    mur_buf_clear(&names);
    return rc;
}

const char *mur_instruction_set_at(size_t i)
{
    const mur_kernels *best, *at;
    if (mur_kernels_choose(&best) < 0)
        return NULL;
    for (size_t skipped = 0; (at = mur_kernels_at(i + skipped)) && mur_kernels_at(skipped) != best;)
        skipped++;
    return at ? at->name : NULL;
}

mur_activate *mur_kernels_activation(const mur_kernels *k, mur_activation activation)
{
    switch (activation) {
    case MUR_GELU: return k->gelu;
    case MUR_GELU_TANH: return k->gelu_tanh;
    case MUR_RELU: return k->relu;
    case MUR_TANH: break;
    }
    return k->tanh;
}

static void multiply_add(float *y, size_t ld_y, const float *x, const float *w, size_t n, size_t in, size_t out)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)n, (blasint)out, (blasint)in, 1.0f, x, (blasint)in, w,
                (blasint)in, 1.0f, y, (blasint)ld_y);
}

/* The bias goes first, in the place of the zeros that BLAS would start from: so it costs nothing. */
void mur_linear(float *y, size_t ld_y, const float *x, const float *w, const float *b, size_t n, size_t in, size_t out)
{
    for (size_t i = 0; i < n; i++)
        memcpy(y + i * ld_y, b, out * sizeof *y);
    multiply_add(y, ld_y, x, w, n, in, out);
}

void mur_linear_add(const mur_kernels *k, float *y, const float *x, const float *w, const float *b, size_t n, size_t in,
                    size_t out)
{
    k->add_to_rows(y, b, n, out);
    multiply_add(y, out, x, w, n, in, out);
}
