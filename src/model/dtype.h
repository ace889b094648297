/* dtype.h: the number formats of weight files, and their conversion to fp32. */
#ifndef MURMUR_MODEL_DTYPE_H
#define MURMUR_MODEL_DTYPE_H

#include <stddef.h>

typedef enum {
    MUR_DTYPE_F32,
    MUR_DTYPE_F16,  /* IEEE 754 binary16 */
    MUR_DTYPE_BF16, /* the upper half of an F32 */
    MUR_DTYPE_OTHER /* not for weights: integers, booleans, 8-bit and 64-bit floats, and names nobody knows yet */
} mur_dtype;

/* The format called `name` in a safetensors header. `*size` is the bytes of one element, 0 where it is not known. */
mur_dtype mur_dtype_from_name(const char *name, size_t *size);

/* Bytes of one element; 0 for MUR_DTYPE_OTHER. */
size_t mur_dtype_size(mur_dtype dtype);

/* out[n] = `n` elements at `bytes`, little-endian, at any alignment. Exact, subnormals, infinities and NaN included. */
void mur_dtype_to_f32(float *out, const void *bytes, mur_dtype dtype, size_t n);

#endif
