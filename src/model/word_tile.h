/* word_tile.h: the innermost product of fp32 and bf16 layers, once for each set of vector instructions that has its
 * own. Rows and panels are made of words of 32 bits, the same in both: a word is a float, or the bf16 of two inputs,
 * the earlier one in the lower half. */
#ifndef MURMUR_MODEL_WORD_TILE_H
#define MURMUR_MODEL_WORD_TILE_H

#include <stddef.h>

/* c[n_rows,32] = x[n_rows, n_words] · panelᵀ; n_rows is at most MUR_TILE_ROWS, rows of x are ld bytes apart. Each sum
 * begins at zero and takes one product after the other, in order of the inputs but for those of a pair, of which the
 * later comes first, as in `vdpbf16ps`: so a row's sums do not depend on the other rows. fp32 multiplies and adds in
 * one rounding. Products of bf16 are exact, so that all tiles give the same bits but that of AVX-512 BF16, which takes
 * subnormal numbers for zeros, and of which documents differ in where it rounds.
 *
 * For every four words a 64-byte line at `next`, which may be anywhere, is fetched into the second-level cache: a share
 * of the next panel, which takes two lines for every word. */
typedef void mur_word_tile(float *c, const char *x, size_t ld, size_t n_rows, const char *panel, size_t n_words,
                           const char *next);

mur_word_tile mur_tile_bf16_portable;
#if defined(__x86_64__)
mur_word_tile mur_tile_fp32_avx2, mur_tile_fp32_avx512;
mur_word_tile mur_tile_bf16_avx2, mur_tile_bf16_avx512, mur_tile_bf16_avx512bf16;
#endif

#endif
