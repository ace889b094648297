/* tensor.h: the tensors that a file of weights holds, whatever its format, and where their bytes are. */
#ifndef MURMUR_MODEL_TENSOR_H
#define MURMUR_MODEL_TENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "dtype.h"
#include "murmur/map.h"
#include "murmur/view.h"

#define MUR_TENSOR_DIMS 4
#define MUR_TENSOR_SHOWN 200 /* bytes of a tensor's name in messages */

typedef struct mur_tensor {
    mur_dtype dtype;
    char dtype_name[16]; /* as the file says, cut */
    size_t n_dims;
    int64_t shape[MUR_TENSOR_DIMS]; /* the first of them, where there are more */
    int64_t begin, end;             /* bytes of the file: its elements in row-major order, unless it is indirect */

    /* An indirect one is picked from a storage, which are those bytes, perhaps deflated. */
    bool is_indirect;
    int64_t raw_len;                 /* of a deflated storage: the bytes it inflates to; 0: it is not deflated */
    int64_t first;                   /* element of the storage with which the tensor begins */
    int64_t stride[MUR_TENSOR_DIMS]; /* elements from one to the next of a dimension */
} mur_tensor;

typedef struct mur_tensors {
    mur_map names;       /* a name's number is its tensor's */
    mur_tensor *tensors; /* names.n_keys of them */
    int64_t file_len;
} mur_tensors;

/* The tensor of that name, or NULL. */
const mur_tensor *mur_tensors_find(const mur_tensors *t, const char *name);
void mur_tensors_clear(mur_tensors *t);

#endif
