/* weights.h: the tensors of the network: their names in the file, their shapes, their places in the block.
 *
 * The three lists are the only place that knows the tensors. X(field, rows, columns, names…) is float[rows][columns] in
 * the block, or a vector where columns is ONE. Several names are several tensors of the file, each of that shape, that
 * stand one behind the other in the block: so the three of queries, keys and values are one matrix [3H][H], and one
 * multiplication computes them. Linear layers are [out][in], as in the file.
 * H hidden, I intermediate, V vocabulary, P positions, T token types, L labels.
 */
#ifndef MURMUR_MODEL_WEIGHTS_H
#define MURMUR_MODEL_WEIGHTS_H

#include "murmur/model.h"
#include "safetensors.h"

#define MUR_EMBEDDING_TENSORS(X)                                                                                       \
    X(words, V, H, "roberta.embeddings.word_embeddings.weight")                                                        \
    X(positions, P, H, "roberta.embeddings.position_embeddings.weight")                                                \
    X(types, T, H, "roberta.embeddings.token_type_embeddings.weight")                                                  \
    X(norm_weight, H, ONE, "roberta.embeddings.LayerNorm.weight")                                                      \
    X(norm_bias, H, ONE, "roberta.embeddings.LayerNorm.bias")

/* Of each layer N; the names stand behind "roberta.encoder.layer.N.". */
#define MUR_LAYER_TENSORS(X)                                                                                           \
    X(qkv_weight, H, H, "attention.self.query.weight", "attention.self.key.weight", "attention.self.value.weight")     \
    X(qkv_bias, H, ONE, "attention.self.query.bias", "attention.self.key.bias", "attention.self.value.bias")           \
    X(attention_weight, H, H, "attention.output.dense.weight")                                                         \
    X(attention_bias, H, ONE, "attention.output.dense.bias")                                                           \
    X(attention_norm_weight, H, ONE, "attention.output.LayerNorm.weight")                                              \
    X(attention_norm_bias, H, ONE, "attention.output.LayerNorm.bias")                                                  \
    X(inner_weight, I, H, "intermediate.dense.weight")                                                                 \
    X(inner_bias, I, ONE, "intermediate.dense.bias")                                                                   \
    X(outer_weight, H, I, "output.dense.weight")                                                                       \
    X(outer_bias, H, ONE, "output.dense.bias")                                                                         \
    X(outer_norm_weight, H, ONE, "output.LayerNorm.weight")                                                            \
    X(outer_norm_bias, H, ONE, "output.LayerNorm.bias")

#define MUR_HEAD_TENSORS(X)                                                                                            \
    X(dense_weight, H, H, "classifier.dense.weight")                                                                   \
    X(dense_bias, H, ONE, "classifier.dense.bias")                                                                     \
    X(out_weight, L, H, "classifier.out_proj.weight")                                                                  \
    X(out_bias, L, ONE, "classifier.out_proj.bias")

/* Pointers into the block, set by mur_weights_bind. */
#define X(field, ...) const float *field;
typedef struct mur_embedding_weights {
    MUR_EMBEDDING_TENSORS(X)
} mur_embedding_weights;
typedef struct mur_layer_weights {
    MUR_LAYER_TENSORS(X)
} mur_layer_weights;
typedef struct mur_head_weights {
    MUR_HEAD_TENSORS(X)
} mur_head_weights;
#undef X

/* One tensor of the file. */
typedef struct mur_part {
    char *name;
    size_t rows, columns;
    bool is_vector;
    size_t offset;       /* in the block, bytes */
    const float **bound; /* the pointer that starts here; NULL where the part continues another */
    mur_dtype dtype;     /* in the file */
    int64_t begin;       /* in the file, bytes */
} mur_part;

typedef struct mur_weights {
    mur_embedding_weights embeddings;
    mur_layer_weights *layers;
    mur_head_weights head;
    mur_part *parts;
    size_t n_parts, cap_parts;
    size_t block_bytes;
    int64_t file_len;
} mur_weights;

/* The block begins with the model's hash, and every tensor at a multiple of this. */
#define MUR_BLOCK_ALIGNMENT 64

/* Lays out the block for a checked config. */
void mur_weights_plan(mur_weights *w, const mur_model_config *c);
void mur_weights_clear(mur_weights *w);

/* Finds every tensor in the file and checks its shape and dtype; others are ignored. MUR_EDATA. */
int mur_weights_locate(mur_weights *w, const mur_safetensors *file, const char *path) MUR_MUST_USE;

/* Reads the file once, front to back, converts the tensors into `block`, and hashes the file on the way
 * (mur_stream_file). MUR_EDATA for values that are not finite, MUR_EIO. */
int mur_weights_load(const mur_weights *w, const char *path, void *block, uint64_t *hash) MUR_MUST_USE;

void mur_weights_bind(mur_weights *w, const void *block);

#endif
