#include "peak.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "murmur/mem.h"
#include "murmur/model.h"

#define STEPS 20000L /* of a loop: some 50 µs */
#define SUMS 12      /* of a step */

/* Volatile, so that the compiler knows neither what goes in nor that nobody wants what comes out. */
static volatile float factor = 0.5f;
static volatile int digits = 0x3F013F01; /* 63, 1, 63, 1 as int8; 0.504 twice as bf16 */
static volatile unsigned char kept;

/* A function that does STEPS times NEXT of SUMS sums. They are independent: as many as it takes that no instruction
 * waits for an earlier one (latencies of 4 to 6 cycles, two instructions a cycle), and no more than AVX2's 16 registers
 * hold beside the operand x. NEXT is an instruction by name: through intrinsics compilers make one sum of sums that
 * begin alike, and gcc 12 copies those of VNNI to and fro. */
#define LOOP(name, TARGET, VECTOR, operand, NEXT)                                                                      \
    TARGET static void name(void)                                                                                      \
    {                                                                                                                  \
        VECTOR x = operand;                                                                                            \
        VECTOR a = x, b = x, c = x, d = x, e = x, f = x, g = x, h = x, i = x, j = x, k = x, l = x;                     \
        for (long step = 0; step < STEPS; step++) {                                                                    \
            NEXT(a);                                                                                                   \
            NEXT(b);                                                                                                   \
            NEXT(c);                                                                                                   \
            NEXT(d);                                                                                                   \
            NEXT(e);                                                                                                   \
            NEXT(f);                                                                                                   \
            NEXT(g);                                                                                                   \
            NEXT(h);                                                                                                   \
            NEXT(i);                                                                                                   \
            NEXT(j);                                                                                                   \
            NEXT(k);                                                                                                   \
            NEXT(l);                                                                                                   \
        }                                                                                                              \
        VECTOR all = a + b + c + d + e + f + g + h + i + j + k + l;                                                    \
        kept = *(const unsigned char *)&all;                                                                           \
    }

#if defined(__x86_64__)
/* Unsigned, whose sums may wrap around. */
typedef unsigned unsigned8 __attribute__((vector_size(32)));
typedef unsigned unsigned16 __attribute__((vector_size(64)));

#define INSTRUCTION(name, s) __asm__ volatile(name " %1, %1, %0" : "+v"(s) : "v"(x))

#define NEXT_SSE(s) __asm__ volatile("mulps %1, %0\n\taddps %1, %0" : "+x"(s) : "x"(x))
LOOP(fp32_sse, , __m128, _mm_set1_ps(factor), NEXT_SSE)

#define NEXT_AVX2(s) INSTRUCTION("vfmadd231ps", s)
LOOP(fp32_avx2, __attribute__((target("avx2,fma"))), __m256, _mm256_set1_ps(factor), NEXT_AVX2)

#define NEXT_AVX512(s) INSTRUCTION("vfmadd231ps", s)
LOOP(fp32_avx512, __attribute__((target("avx512f"))), __m512, _mm512_set1_ps(factor), NEXT_AVX512)

#define NEXT_BF16(s) INSTRUCTION("vdpbf16ps", s)
LOOP(bf16_avx512, __attribute__((target("avx512f"))), unsigned16, (unsigned16)_mm512_set1_epi32(digits), NEXT_BF16)

#define NEXT_AVX_VNNI(s) INSTRUCTION("%{vex%} vpdpbusd", s)
LOOP(int8_avx_vnni, __attribute__((target("avx2"))), unsigned8, (unsigned8)_mm256_set1_epi32(digits), NEXT_AVX_VNNI)

/* Without it: products summed by pairs in 16 bits, by fours in 32, and then to the sum. */
#define NEXT_FOURS(s)                                                                                                  \
    do {                                                                                                               \
        unsigned8 fours;                                                                                               \
        __asm__ volatile("vpmaddubsw %2, %2, %1\n\tvpmaddwd %2, %1, %1\n\tvpaddd %1, %0, %0"                           \
                         : "+x"(s), "=&x"(fours)                                                                       \
                         : "x"(x));                                                                                    \
    } while (0)
LOOP(int8_avx2, __attribute__((target("avx2"))), unsigned8, (unsigned8)_mm256_set1_epi32(digits), NEXT_FOURS)

#define NEXT_VNNI(s) INSTRUCTION("vpdpbusd", s)
LOOP(int8_avx512, __attribute__((target("avx512f"))), unsigned16, (unsigned16)_mm512_set1_epi32(digits), NEXT_VNNI)

/* Products of tiles, 16 by 16 sums each: as many operations a step as SUMS rounds of four sums, which is what tiles are
 * left beside those of the operands. Tiles are there once mur_instruction_set_at has named them. */
#define NEXT_TILES(name)                                                                                               \
    __asm__ volatile(name " %tmm6, %tmm4, %tmm0\n\t" name " %tmm7, %tmm4, %tmm1\n\t" name                              \
                          " %tmm6, %tmm5, %tmm2\n\t" name " %tmm7, %tmm5, %tmm3")
#define TILE_LOOP(name, instruction)                                                                                   \
    AMX static void name(void)                                                                                         \
    {                                                                                                                  \
        begin_tiles();                                                                                                 \
        for (long step = 0; step < STEPS; step += TILE_STEPS)                                                          \
            for (int sum = 0; sum < SUMS; sum += 4)                                                                    \
                NEXT_TILES(instruction);                                                                               \
        _tile_release();                                                                                               \
    }
#define TILE_STEPS 20 /* of LOOP's for one of these, so that neither takes long */
#define AMX __attribute__((target("amx-tile")))

AMX static void begin_tiles(void)
{
    /* Palette 1, then rows of 64 bytes, 16 of them, in each of eight tiles (Intel's manual, ldtilecfg). */
    _Alignas(64) unsigned char shape[64] = {1};
    for (size_t tile = 0; tile < 8; tile++) {
        shape[16 + 2 * tile] = 64;
        shape[48 + tile] = 16;
    }
    int rows[256];
    for (size_t i = 0; i < 256; i++)
        rows[i] = digits;
    __asm__ volatile("ldtilecfg %0" ::"m"(shape) : "memory");
    _tile_loadd(4, rows, 64);
    _tile_loadd(5, rows, 64);
    _tile_loadd(6, rows, 64);
    _tile_loadd(7, rows, 64);
}
TILE_LOOP(bf16_amx, "tdpbf16ps")
TILE_LOOP(int8_amx, "tdpbusd")

#elif defined(__aarch64__)
#define NEXT_NEON(s) __asm__ volatile("fmla %0.4s, %1.4s, %1.4s" : "+w"(s) : "w"(x))
LOOP(fp32_neon, , float32x4_t, vdupq_n_f32(factor), NEXT_NEON)
#else
#define NEXT_SCALAR(s) (s = s * x + x)
LOOP(fp32_scalar, , float, factor, NEXT_SCALAR)
#endif

typedef struct method {
    const char *instructions;
    const char *set; /* of kernels that may use them (mur_instruction_set_at) */
    void (*loop)(void);
    double operations; /* of one NEXT */
} method;

/* Best first; ends with a zeroed one. */
static const method fp32_methods[] = {
#if defined(__x86_64__)
    {"AVX-512 FMA", "avx512", fp32_avx512, 2 * 16},
    {"AVX2 FMA", "avx2", fp32_avx2, 2 * 8},
    {"SSE multiply and add", "portable", fp32_sse, 2 * 4},
#elif defined(__aarch64__)
    {"NEON FMA", "portable", fp32_neon, 2 * 4},
#else
    {"scalar multiply and add", "portable", fp32_scalar, 2},
#endif
    {NULL, NULL, NULL, 0},
};
static const method bf16_methods[] = {
#if defined(__x86_64__)
    {"AMX-BF16", "amx", bf16_amx, 2.0 * 16 * 16 * 32 / TILE_STEPS},
    {"AVX-512 BF16", "avx512bf16", bf16_avx512, 2 * 32},
    {"AVX-512 FMA", "avx512", fp32_avx512, 2 * 16}, /* of numbers that are widened first */
    {"AVX2 FMA", "avx2", fp32_avx2, 2 * 8},
#endif
    {NULL, NULL, NULL, 0},
};
static const method int8_methods[] = {
#if defined(__x86_64__)
    {"AMX-INT8", "amx", int8_amx, 2.0 * 16 * 16 * 64 / TILE_STEPS},
    {"AVX-512 VNNI", "avx512vnni", int8_avx512, 2 * 64},
    {"AVX-VNNI", "avxvnni", int8_avx_vnni, 2 * 32},
    {"AVX2 VPMADDUBSW", "avx2", int8_avx2, 2 * 32},
#endif
    {NULL, NULL, NULL, 0},
};
static const struct {
    const char *name;
    const method *methods;
} kinds[MUR_N_PEAKS] = {
    [MUR_PEAK_FP32] = {"fp32", fp32_methods},
    [MUR_PEAK_BF16] = {"bf16", bf16_methods},
    [MUR_PEAK_INT8] = {"int8", int8_methods},
};

static bool may_use(const method *m)
{
    const char *set;
    for (size_t i = 0; (set = mur_instruction_set_at(i)); i++)
        if (strcmp(set, m->set) == 0)
            return true;
    return false;
}

/* The i-th of a kind that may be used. */
static const method *method_at(mur_peak_kind kind, size_t i)
{
    for (const method *m = kinds[kind].methods; m->loop; m++)
        if (may_use(m) && i-- == 0)
            return m;
    return NULL;
}

const char *mur_peak_name(mur_peak_kind kind)
{
    return kinds[kind].name;
}

const char *mur_peak_instructions(mur_peak_kind kind, size_t i)
{
    const method *m = method_at(kind, i);
    return m ? m->instructions : NULL;
}

double mur_thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double mur_peak_measure(mur_peak_kind kind, size_t i, double seconds)
{
    const method *m = method_at(kind, i);
    if (!m)
        return NAN;
    /* First a while that does not count: processors take up to a millisecond to settle on a clock for wide vectors. */
    double begin = mur_thread_seconds(), end = begin;
    while (end - begin < 0.1 * seconds) {
        m->loop();
        end = mur_thread_seconds();
    }
    double n = 0;
    for (begin = end; end - begin < seconds; n++) {
        m->loop();
        end = mur_thread_seconds();
    }
    return n * (double)STEPS * SUMS * m->operations / (end - begin);
}

#define MEMORY_BYTES ((size_t)256 << 20) /* several times a processor's caches */

int mur_peak_memory(double *out, double seconds)
{
    const size_t n = MEMORY_BYTES / sizeof(uint64_t);
    uint64_t *words = mur_try_alloc(n, sizeof *words), sums[8] = {0};
    if (!words)
        return mur_error_last()->code;
    memset(words, 1, MEMORY_BYTES); /* so that there are pages */
    double bytes = 0, begin = mur_thread_seconds(), end = begin;
    while (end - begin < seconds) {
        for (size_t i = 0; i < n; i += 8)
            for (size_t j = 0; j < 8; j++)
                sums[j] += words[i + j];
        bytes += (double)MEMORY_BYTES;
        end = mur_thread_seconds();
    }
    for (size_t j = 0; j < 8; j++)
        kept = (unsigned char)sums[j];
    free(words);
    *out = bytes / (end - begin);
    return 0;
}
