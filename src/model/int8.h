/* int8.h: linear layers in 8-bit integers.
 *
 * A weight is scale · q with q in [-127, 127] and a scale for each output; an activation likewise with a scale for each
 * row (token), found when the row is there. Sums of products are exact in 32 bits, so they are the same on every
 * machine and do not depend on what else is in the batch. Activations are kept as q + 128, since `vpdpbusd` wants one
 * factor without sign: sums then begin at -128 Σ q of the weights.
 *
 * Weights are packed once, when they are loaded, in panels of 32 outputs: of each four inputs the four weights of
 * output 0, those of output 1, … Outputs are filled up with zeros to whole panels, inputs to whole lines of 64.
 */
#ifndef MURMUR_MODEL_INT8_H
#define MURMUR_MODEL_INT8_H

#include <stddef.h>
#include <stdint.h>

#include "kernels.h"
#include "packing.h"

/* Inputs of a layer at most: 2^17 · 127² stays below 2^31. */
#define MUR_INT8_INPUTS ((size_t)1 << 17)

/* A packed weight matrix [n_outputs][n_inputs]. */
typedef struct mur_int8_matrix {
    size_t n_outputs, n_inputs;
    const float *scales;    /* of each output */
    const int32_t *offsets; /* of each output: -128 Σ q */
    const int8_t *panels;
} mur_int8_matrix;

/* A matrix that mur_packing_int8 rounded and packed. */
mur_int8_matrix mur_int8_matrix_at(const void *packed, size_t n_outputs, size_t n_inputs);

size_t mur_int8_panel_bytes(size_t n_inputs);

/* Rounded activations. */
typedef struct mur_int8_rows {
    uint8_t *values; /* rows of mur_int8_stride(width) bytes; what is behind the width may be anything */
    float *scales;   /* of each row */
    size_t width;
} mur_int8_rows;

/* Bytes from one row to the next: whole cache lines, an odd number of them, so that the rows of a tile do not fall into
 * the same few sets of a cache. */
size_t mur_int8_stride(size_t width);

/* The rows from row `first` on. */
mur_int8_rows mur_int8_rows_from(const mur_int8_rows *rows, size_t first);

/* Rounds x[n,width] into the first n rows. */
void mur_int8_round(const mur_kernels *k, const mur_int8_rows *rows, const float *x, size_t n);

/* What to multiply, and where to: y[n,n_outputs] = x · wᵀ + b for outputs `first` and following of `w`. */
typedef struct mur_int8_product {
    const mur_int8_rows *x;
    size_t n; /* rows */
    const mur_int8_matrix *w;
    size_t first, n_outputs;
    const float *bias; /* [n_outputs] */
    float *y;
    size_t ld_y;
    mur_then then;
    const int8_t *next; /* the panels that are wanted after these, to be fetched ahead; or NULL */
} mur_int8_product;

void mur_int8_linear(const mur_kernels *k, const mur_int8_product *p);

#endif
