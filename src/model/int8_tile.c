#include "int8_tile.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define COLUMNS MUR_TILE_COLUMNS
#define GROUP_BYTES (4 * COLUMNS) /* of a panel: four inputs */

/* Unsigned, since the sum of (q + 128) w may pass 2^31 on the way to one that does not. */
void mur_int8_tile_portable(int32_t *c, const uint8_t *x, size_t ld, size_t n_rows, const int8_t *panel,
                            const int32_t *offsets, size_t n_groups, const int8_t *ahead)
{
    (void)ahead;
    for (size_t r = 0; r < n_rows; r++) {
        uint32_t sum[COLUMNS];
        memcpy(sum, offsets, sizeof sum);
        for (size_t g = 0; g < n_groups; g++) {
            const uint8_t *a = x + r * ld + 4 * g;
            const int8_t *w = panel + g * GROUP_BYTES;
            for (size_t j = 0; j < COLUMNS; j++)
                sum[j] += (uint32_t)(a[0] * w[4 * j] + a[1] * w[4 * j + 1] + a[2] * w[4 * j + 2] + a[3] * w[4 * j + 3]);
        }
        memcpy(c + r * COLUMNS, sum, sizeof sum);
    }
}

#if defined(__x86_64__)

#define INLINE static inline __attribute__((always_inline))

/* Four bytes of a row. */
INLINE int32_t four_at(const uint8_t *x)
{
    int32_t four;
    memcpy(&four, x, sizeof four);
    return four;
}

/* `vpmaddubsw` adds two products in 16 bits and saturates. With the sign moved from the activation to the weight both
 * factors are within 127, and 2 · 127² fits: so the activations' own q is taken, and no offset. Half a panel, up to
 * four rows: eight sums in 16 registers. */
#define AVX2 __attribute__((target("avx2")))
#define AVX2_ROWS 4
AVX2 INLINE void half_tile(int32_t *c, const uint8_t *x, size_t ld, const size_t n_rows, const int8_t *panel,
                           size_t n_groups)
{
    const __m256i ones = _mm256_set1_epi16(1), high = _mm256_set1_epi8((char)0x80);
    __m256i sum[AVX2_ROWS][2];
#pragma GCC unroll 4
    for (size_t r = 0; r < n_rows; r++)
        sum[r][0] = sum[r][1] = _mm256_setzero_si256();
    for (size_t g = 0; g < n_groups; g++, panel += GROUP_BYTES) {
        __m256i w0 = _mm256_loadu_si256((const __m256i *)panel), w1 = _mm256_loadu_si256((const __m256i *)(panel + 32));
#pragma GCC unroll 4
        for (size_t r = 0; r < n_rows; r++) {
            __m256i q = _mm256_xor_si256(_mm256_set1_epi32(four_at(x + r * ld + 4 * g)), high);
            __m256i size = _mm256_abs_epi8(q);
            __m256i p0 = _mm256_maddubs_epi16(size, _mm256_sign_epi8(w0, q));
            __m256i p1 = _mm256_maddubs_epi16(size, _mm256_sign_epi8(w1, q));
            sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(p0, ones));
            sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(p1, ones));
        }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < n_rows; r++) {
        _mm256_storeu_si256((__m256i *)(c + r * COLUMNS), sum[r][0]);
        _mm256_storeu_si256((__m256i *)(c + r * COLUMNS + 8), sum[r][1]);
    }
}

AVX2 void mur_int8_tile_avx2(int32_t *c, const uint8_t *x, size_t ld, size_t n_rows, const int8_t *panel,
                             const int32_t *offsets, size_t n_groups, const int8_t *ahead)
{
    (void)offsets;
    (void)ahead;
    for (size_t first = 0; first < n_rows; first += AVX2_ROWS) {
        for (size_t half = 0; half < 2; half++) {
            int32_t *to = c + first * COLUMNS + half * COLUMNS / 2;
            const uint8_t *from = x + first * ld;
            const int8_t *weights = panel + half * GROUP_BYTES / 2;
            switch (n_rows - first) {
            case 1: half_tile(to, from, ld, 1, weights, n_groups); break;
            case 2: half_tile(to, from, ld, 2, weights, n_groups); break;
            case 3: half_tile(to, from, ld, 3, weights, n_groups); break;
            default: half_tile(to, from, ld, AVX2_ROWS, weights, n_groups); break;
            }
        }
    }
}

/* AVX-VNNI: the instruction of AVX-512 VNNI in registers of AVX. Half a panel, up to six rows: twelve sums in 16
 * registers. Rows are reached from every third one, so that their addresses need few registers. */
#define AVX_VNNI __attribute__((target("avx2,avxvnni")))
#define AVX_VNNI_ROWS 6
AVX_VNNI INLINE void half_tile_by_vnni(int32_t *c, const uint8_t *x, size_t ld, const size_t n_rows,
                                       const int8_t *panel, const int32_t *offsets, size_t n_groups)
{
    __m256i sum[AVX_VNNI_ROWS][2];
    const uint8_t *third[] = {x, x + 3 * ld};
#pragma GCC unroll 6
    for (size_t r = 0; r < n_rows; r++) {
        sum[r][0] = _mm256_loadu_si256((const __m256i *)offsets);
        sum[r][1] = _mm256_loadu_si256((const __m256i *)(offsets + 8));
    }
    for (size_t g = 0; g < n_groups; g++, panel += GROUP_BYTES) {
        __m256i w0 = _mm256_loadu_si256((const __m256i *)panel), w1 = _mm256_loadu_si256((const __m256i *)(panel + 32));
#pragma GCC unroll 6
        for (size_t r = 0; r < n_rows; r++) {
            __m256i a = _mm256_set1_epi32(four_at(third[r / 3] + r % 3 * ld + 4 * g));
            sum[r][0] = _mm256_dpbusd_avx_epi32(sum[r][0], a, w0);
            sum[r][1] = _mm256_dpbusd_avx_epi32(sum[r][1], a, w1);
        }
    }
#pragma GCC unroll 6
    for (size_t r = 0; r < n_rows; r++) {
        _mm256_storeu_si256((__m256i *)(c + r * COLUMNS), sum[r][0]);
        _mm256_storeu_si256((__m256i *)(c + r * COLUMNS + 8), sum[r][1]);
    }
}

AVX_VNNI void mur_int8_tile_avxvnni(int32_t *c, const uint8_t *x, size_t ld, size_t n_rows, const int8_t *panel,
                                    const int32_t *offsets, size_t n_groups, const int8_t *ahead)
{
    (void)ahead;
    for (size_t first = 0; first < n_rows; first += AVX_VNNI_ROWS) {
        for (size_t half = 0; half < 2; half++) {
            int32_t *to = c + first * COLUMNS + half * COLUMNS / 2;
            const uint8_t *from = x + first * ld;
            const int8_t *weights = panel + half * GROUP_BYTES / 2;
            const int32_t *starts = offsets + half * COLUMNS / 2;
            switch (n_rows - first) {
            case 1: half_tile_by_vnni(to, from, ld, 1, weights, starts, n_groups); break;
            case 2: half_tile_by_vnni(to, from, ld, 2, weights, starts, n_groups); break;
            case 3: half_tile_by_vnni(to, from, ld, 3, weights, starts, n_groups); break;
            case 4: half_tile_by_vnni(to, from, ld, 4, weights, starts, n_groups); break;
            case 5: half_tile_by_vnni(to, from, ld, 5, weights, starts, n_groups); break;
            default: half_tile_by_vnni(to, from, ld, AVX_VNNI_ROWS, weights, starts, n_groups); break;
            }
        }
    }
}

#define VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

/* Group `g` of those behind `third` and `panel`: of each row four inputs, times the panel's. */
VNNI INLINE void add_group(__m512i (*sum)[2], const uint8_t *const *third, size_t ld, const size_t n_rows,
                           const int8_t *panel, size_t g)
{
    __m512i w0 = _mm512_loadu_si512(panel + g * GROUP_BYTES), w1 = _mm512_loadu_si512(panel + g * GROUP_BYTES + 64);
#pragma GCC unroll 12
    for (size_t r = 0; r < n_rows; r++) {
        __m512i a = _mm512_set1_epi32(four_at(third[r / 3] + r % 3 * ld + 4 * g));
        sum[r][0] = _mm512_dpbusd_epi32(sum[r][0], a, w0);
        sum[r][1] = _mm512_dpbusd_epi32(sum[r][1], a, w1);
    }
}

/* Weights come from memory, which is slow to begin: the next panel's are fetched into the second-level cache while this
 * one is used, a line for each four groups; and the next rows into the first. */
VNNI INLINE void tile(int32_t *c, const uint8_t *x, size_t ld, const size_t n_rows, const int8_t *panel,
                      const int32_t *offsets, size_t n_groups, const int8_t *ahead)
{
    __m512i sum[MUR_TILE_ROWS][2];
    const __m512i offset0 = _mm512_loadu_si512(offsets), offset1 = _mm512_loadu_si512(offsets + 16);
#pragma GCC unroll 12
    for (size_t r = 0; r < n_rows; r++) {
        sum[r][0] = offset0;
        sum[r][1] = offset1;
    }
    const uint8_t *third[] = {x, x + 3 * ld, x + 6 * ld, x + 9 * ld};
    const uint8_t *next = x + n_rows * ld;
    size_t g = 0;
    for (; g + 4 <= n_groups; g += 4, panel += 4 * GROUP_BYTES, ahead += 64, next += 4 * 64) {
        _mm_prefetch((const char *)ahead, _MM_HINT_T1);
        for (size_t i = 0; i < 4; i++)
            _mm_prefetch((const char *)next + i * 64, _MM_HINT_T0);
#pragma GCC unroll 12
        for (size_t i = 0; i < 4; i++)
            add_group(sum, third, ld, n_rows, panel, i);
#pragma GCC unroll 12
        for (size_t i = 0; i < 4; i++)
            third[i] += 4 * 4;
    }
    for (size_t i = 0; g < n_groups; g++, i++)
        add_group(sum, third, ld, n_rows, panel, i);
#pragma GCC unroll 12
    for (size_t r = 0; r < n_rows; r++) {
        _mm512_store_si512(c + r * COLUMNS, sum[r][0]);
        _mm512_store_si512(c + r * COLUMNS + 16, sum[r][1]);
    }
}

VNNI void mur_int8_tile_avx512vnni(int32_t *c, const uint8_t *x, size_t ld, size_t n_rows, const int8_t *panel,
                                   const int32_t *offsets, size_t n_groups, const int8_t *ahead)
{
    switch (n_rows) {
#define ROWS(n)                                                                                                        \
    case n: tile(c, x, ld, n, panel, offsets, n_groups, ahead); return
        ROWS(1);
        ROWS(2);
        ROWS(3);
        ROWS(4);
        ROWS(5);
        ROWS(6);
        ROWS(7);
        ROWS(8);
        ROWS(9);
        ROWS(10);
        ROWS(11);
        ROWS(12);
#undef ROWS
    }
}

#endif
