/* packing.h: how the weight matrices of layers lie in the block, for kernels that do not take them as they are in the
 * file. Weights are packed once, when they are loaded, a matrix at a time. */
#ifndef MURMUR_MODEL_PACKING_H
#define MURMUR_MODEL_PACKING_H

#include <stddef.h>

typedef struct mur_packing {
    /* Bytes of a matrix [n_outputs][n_inputs], a multiple of 64. */
    size_t (*bytes)(size_t n_outputs, size_t n_inputs);

    /* Packs the finite weights[n][n_inputs] as outputs `first` and following into `packed`, which is 64-byte aligned
     * and was zeros in the beginning. */
    void (*pack)(void *packed, size_t n_outputs, size_t n_inputs, size_t first, const float *weights, size_t n);
} mur_packing;

/* Panels of floats and of pairs of bf16 (panels.h), and of integers with their scales (int8.h). */
extern const mur_packing mur_packing_fp32, mur_packing_bf16, mur_packing_int8;

#endif
