/* word_tile.h: the innermost product of fp32 and bf16 layers, once for each set of vector instructions that has its
 * own. Rows and panels are made of words of 32 bits, the same in both: a word is a float, or the bf16 of two inputs,
 * the earlier one in the lower half. */
#ifndef MURMUR_MODEL_WORD_TILE_H
#define MURMUR_MODEL_WORD_TILE_H

#include <stdbool.h>
#include <stddef.h>

#include "int8_tile.h"

/* Panels, of MUR_TILE_COLUMNS outputs, that are multiplied at once. */
#define MUR_WORD_PANELS 2
#define MUR_WORD_COLUMNS (MUR_WORD_PANELS * MUR_TILE_COLUMNS)

/* y[n_rows, 32 n_panels] = x[n_rows, n_words] · panelsᵀ + bias. */
typedef struct mur_word_product {
    const char *x; /* rows of words, ld_x bytes apart */
    size_t ld_x;
    size_t n_rows;     /* at most MUR_TILE_ROWS */
    const char *panel; /* the first one */
    size_t panel_step; /* bytes from one to the next */
    size_t n_panels;   /* at most MUR_WORD_PANELS */
    size_t n_words;
    float *y;
    size_t ld_y;       /* of them, from row to row */
    const float *bias; /* NULL: none */
    bool is_added;     /* y += instead */
    const char *next;  /* MUR_WORD_AHEAD bytes that will be wanted soon; never read, so they need not be there */
} mur_word_product;

/* Bytes that a product may fetch into the second-level cache: what it has time for. Two panels are eight times that. */
#define MUR_WORD_AHEAD(n_words) ((n_words) / 4 * 128)

/* Each sum begins at zero and takes one product after the other, in order of the inputs but for those of a pair, of
 * which the later comes first, as in `vdpbf16ps`: so a row's sums do not depend on the other rows. fp32 multiplies and
 * adds in one rounding. Products of bf16 are exact, so that all tiles give the same bits but that of AVX-512 BF16,
 * which takes subnormal numbers for zeros, and of which documents differ in where it rounds. Then y + (sum + bias). */
typedef void mur_word_tile(const mur_word_product *p);

mur_word_tile mur_tile_bf16_portable;
#if defined(__x86_64__)
mur_word_tile mur_tile_fp32_avx2, mur_tile_fp32_avx512, mur_tile_fp32_avx512bf16;
mur_word_tile mur_tile_bf16_avx512bf16;
#endif

#endif
