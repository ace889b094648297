/* panels.h: linear layers in fp32 or bf16 by the tiles of word_tile.h.
 *
 * Rows and weights are made of words: a float, or two bf16, of which the second is zero behind an odd number of inputs.
 * Weights are packed in panels of 32 outputs: of each word that of output 0, that of output 1, …, filled up with zeros.
 */
#ifndef MURMUR_MODEL_PANELS_H
#define MURMUR_MODEL_PANELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels.h"
#include "packing.h"

/* A packed weight matrix [n_outputs][n_words]. */
typedef struct mur_panels {
    size_t n_outputs, n_words;
    bool is_bf16; /* what words are, here and in the rows that are multiplied */
    const char *words;
} mur_panels;

mur_panels mur_panels_at(const void *packed, size_t n_outputs, size_t n_inputs, bool is_bf16);

/* Words of a row: in bf16 whole lines, filled up with zeros. */
size_t mur_panels_words(size_t n_inputs, bool is_bf16);

/* Bytes from one row to the next: whole cache lines, an odd number of them, so that the rows of a tile do not fall into
 * the same few sets of a cache. */
size_t mur_panels_stride(size_t n_words);

/* What to multiply, and where to: y[n,n_outputs] = f(x · wᵀ + b) for outputs `first` and following of `w`. */
typedef struct mur_panels_product {
    const void *x; /* rows of words, ld_x bytes apart */
    size_t ld_x;
    size_t n; /* rows */
    const mur_panels *w;
    size_t first, n_outputs;
    const float *bias; /* [n_outputs] */
    void *y;           /* floats; bf16 where is_rounded */
    size_t ld_y;       /* of them */
    bool is_added;     /* y += instead; only floats without f */
    bool is_rounded;
    mur_activate *f; /* NULL: none */
    void *scratch;   /* mur_panels_scratch(k, its inputs or more, w->is_bf16) bytes, 64-byte aligned */
} mur_panels_product;

/* Bytes of scratch; 0: none is wanted. */
size_t mur_panels_scratch(const mur_kernels *k, size_t n_inputs, bool is_bf16);

/* Where there is no instruction for bf16 (k->bf16_tile is NULL), words are widened to floats, once for a block of rows,
 * and multiplied as such: the same bits as by a tile that takes them apart, at nearly the speed of fp32. */
void mur_panels_linear(const mur_kernels *k, const mur_panels_product *p);

#endif
