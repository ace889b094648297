/* checkpoint.h: the weights of a Hugging Face folder: one file, or shards and the index that says which holds what.
 *
 * In this order, and the first that is there counts: model.safetensors, model.safetensors.index.json,
 * pytorch_model.bin, pytorch_model.bin.index.json.
 */
#ifndef MURMUR_MODEL_CHECKPOINT_H
#define MURMUR_MODEL_CHECKPOINT_H

#include <cjson/cJSON.h>

#include "murmur/error.h"
#include "tensor.h"

typedef struct mur_weight_file {
    char *name; /* in the folder */
    char *path;
    int64_t len;
    mur_tensors tensors; /* none, of an index */
} mur_weight_file;

typedef struct mur_checkpoint {
    mur_weight_file *files; /* an index first, then its shards in byte order of their names */
    size_t n_files;
    mur_map shards;   /* an index's: the shards' names, numbered as in `files` without the index */
    mur_map names;    /* an index's: all tensors; */
    size_t *shard_of; /* the shard of each */
} mur_checkpoint;

/* MUR_ENOINPUT (no weights), MUR_EIO, MUR_EDATA; the message names file and tensor. */
int mur_checkpoint_open(mur_checkpoint *out, const char *folder) MUR_MUST_USE;
void mur_checkpoint_clear(mur_checkpoint *c);

/* The tensor of that name and the number of its file, or NULL. */
const mur_tensor *mur_checkpoint_find(const mur_checkpoint *c, const char *name, size_t *file);

/* Reads an index, {"weight_map": {TENSOR: SHARD, …}}, into shards, names and shard_of. MUR_EDATA. */
int mur_checkpoint_parse_index(mur_checkpoint *out, mur_view text, const char *what) MUR_MUST_USE;

#endif
