/* pickle.h: the state dict that torch.save pickled (protocol 2), as a list of tensors. Nothing is executed or imported:
 * a pickle is a program of a stack machine, and this one knows the opcodes and the names that a state dict needs;
 * docs/MODEL.md lists them. All others are refused by name. */
#ifndef MURMUR_MODEL_PICKLE_H
#define MURMUR_MODEL_PICKLE_H

#include "murmur/error.h"
#include "tensor.h"

typedef struct mur_pickled_tensor {
    mur_view storage;    /* the key of its storage, a view of the pickle */
    const char *type;    /* the storage's class: "FloatStorage" */
    int64_t storage_len; /* elements */
    int64_t first;       /* element of the storage with which it begins */
    size_t n_dims;
    int64_t shape[MUR_TENSOR_DIMS], stride[MUR_TENSOR_DIMS]; /* the first of them, where there are more */
} mur_pickled_tensor;

typedef struct mur_state_dict {
    mur_map names; /* of what is a tensor in the top dict; a name's number is its tensor's */
    mur_pickled_tensor *tensors;
} mur_state_dict;

#define MUR_PICKLE_MOST ((size_t)8 << 20) /* bytes; a state dict of 200 tensors has 20,000 */

/* MUR_EDATA; the message names the opcode or the class, and where. `pickle` outlives `out`. */
int mur_pickle_read(mur_state_dict *out, mur_view pickle, const char *what) MUR_MUST_USE;
void mur_state_dict_clear(mur_state_dict *s);

#endif
