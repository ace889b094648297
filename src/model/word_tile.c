#include "word_tile.h"

#include <stdint.h>
#include <string.h>

#include "approx.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define COLUMNS ((size_t)MUR_TILE_COLUMNS)
#define WORD_BYTES (4 * COLUMNS) /* of a panel: a word of each output */
#define LINE ((size_t)64)

#define INLINE static inline __attribute__((always_inline))

INLINE uint32_t word_at(const char *x)
{
    uint32_t word;
    memcpy(&word, x, sizeof word);
    return word;
}

void mur_tile_bf16_portable(const mur_word_product *p)
{
    for (size_t r = 0; r < p->n_rows; r++) {
        for (size_t panel = 0; panel < p->n_panels; panel++) {
            float sum[COLUMNS] = {0}, *y = p->y + r * p->ld_y + panel * COLUMNS;
            for (size_t k = 0; k < p->n_words; k++) {
                uint32_t a = word_at(p->x + r * p->ld_x + 4 * k), w[COLUMNS];
                memcpy(w, p->panel + panel * p->panel_step + k * WORD_BYTES, sizeof w);
                for (size_t j = 0; j < COLUMNS; j++) {
                    sum[j] += mur_later_of(a) * mur_later_of(w[j]);
                    sum[j] += mur_earlier_of(a) * mur_earlier_of(w[j]);
                }
            }
            for (size_t j = 0; p->bias && j < COLUMNS; j++)
                sum[j] += p->bias[panel * COLUMNS + j];
            for (size_t j = 0; j < COLUMNS; j++)
                y[j] = p->is_added ? y[j] + sum[j] : sum[j];
        }
    }
}

#if defined(__x86_64__)

/* What a set of instructions does with a word, in a register: to make of it, of a row or of the weights, what can be
 * multiplied, and to add the products to a sum. */

#define AVX2 __attribute__((target("avx2,fma")))

AVX2 INLINE __m256 prepare_fp32_avx2(__m256i words)
{
    return _mm256_castsi256_ps(words);
}

AVX2 INLINE __m256 add_fp32_avx2(__m256 sum, __m256 a, __m256 w)
{
    return _mm256_fmadd_ps(a, w, sum);
}

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))

AVX512 INLINE __m512 prepare_fp32_avx512(__m512i words)
{
    return _mm512_castsi512_ps(words);
}

AVX512 INLINE __m512 add_fp32_avx512(__m512 sum, __m512 a, __m512 w)
{
    return _mm512_fmadd_ps(a, w, sum);
}

#define AVX512_BF16 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))

AVX512_BF16 INLINE __m512bh prepare_bf16_avx512bf16(__m512i words)
{
    return (__m512bh)words;
}

AVX512_BF16 INLINE __m512 add_bf16_avx512bf16(__m512 sum, __m512bh a, __m512bh w)
{
    return _mm512_dpbf16_ps(sum, a, w);
}

/* 6 rows by two registers of 8 outputs: 12 sums in 16 registers. */
#define VECTOR __m256
#define LANES 8
#define REGISTERS 2
#define FETCH_WORDS ((size_t)4)
#define ZERO _mm256_setzero_ps
#define LOAD _mm256_loadu_ps
#define STORE _mm256_storeu_ps
#define LOAD_WORDS(at) _mm256_loadu_si256((const __m256i *)(at))
#define SPREAD _mm256_set1_epi32
#define TARGET AVX2

#define ROWS_AT_ONCE 6
#define NAME(function) function##fp32_avx2
#define OPERAND __m256
#include "word_tile_body.h"
#undef ROWS_AT_ONCE
#undef NAME
#undef OPERAND

#undef VECTOR
#undef LANES
#undef ZERO
#undef LOAD
#undef STORE
#undef LOAD_WORDS
#undef SPREAD
#undef TARGET

/* 12 rows by two registers of 16 outputs: 24 sums in 32 registers. */
#define VECTOR __m512
#define LANES 16
#define ZERO _mm512_setzero_ps
#define LOAD _mm512_loadu_ps
#define STORE _mm512_storeu_ps
#define LOAD_WORDS(at) _mm512_loadu_si512(at)
#define SPREAD _mm512_set1_epi32
#define ROWS_AT_ONCE 12
#define TARGET AVX512

#define NAME(function) function##fp32_avx512
#define OPERAND __m512
#include "word_tile_body.h"
#undef NAME
#undef OPERAND

#undef REGISTERS
#undef ROWS_AT_ONCE
#undef FETCH_WORDS

/* 6 rows by four registers: as many sums by fewer loads, which count where two threads share a core, and half as much
 * of x in the first-level cache. Of processors that have AVX-512 BF16 all look ahead far enough. */
#define REGISTERS 4
#define ROWS_AT_ONCE 6
#define FETCH_WORDS ((size_t)0)

#define NAME(function) function##fp32_avx512bf16
#define OPERAND __m512
#define prepare_fp32_avx512bf16 prepare_fp32_avx512
#define add_fp32_avx512bf16 add_fp32_avx512
#include "word_tile_body.h"
#undef TARGET
#undef NAME
#undef OPERAND

#define TARGET AVX512_BF16
#define NAME(function) function##bf16_avx512bf16
#define OPERAND __m512bh
#include "word_tile_body.h"

#endif
