/* weights.h: the tensors of the network: their names in the file, their shapes, their places in the block.
 *
 * The three lists are the only place that knows the tensors. X(field, rows, columns, kind, modules…) is the weight or
 * the bias of a module, float[rows][columns] in the block, or a vector where columns is ONE. Several modules are
 * several tensors of the file, each of that shape, that stand one behind the other in the block: so the three of
 * queries, keys and values are one matrix [3H][H], and one multiplication computes them. Linear layers are [out][in],
 * as in the file. Modules have BERT's names, architecture.h turns them into an architecture's own; one that it lacks is
 * zeros. The matrices of layers may be packed (packing.h), all else is fp32. H hidden, I intermediate, V vocabulary, P
 * positions, T token types, L labels.
 */
#ifndef MURMUR_MODEL_WEIGHTS_H
#define MURMUR_MODEL_WEIGHTS_H

#include "checkpoint.h"
#include "murmur/buf.h"
#include "murmur/model.h"
#include "packing.h"

#define MUR_EMBEDDING_TENSORS(X)                                                                                       \
    X(words, V, H, WEIGHT, "embeddings.word_embeddings")                                                               \
    X(positions, P, H, WEIGHT, "embeddings.position_embeddings")                                                       \
    X(types, T, H, WEIGHT, "embeddings.token_type_embeddings")                                                         \
    X(norm_weight, H, ONE, WEIGHT, "embeddings.LayerNorm")                                                             \
    X(norm_bias, H, ONE, BIAS, "embeddings.LayerNorm")

/* Of each layer. */
#define MUR_LAYER_TENSORS(X)                                                                                           \
    X(qkv_weight, H, H, WEIGHT, "attention.self.query", "attention.self.key", "attention.self.value")                  \
    X(qkv_bias, H, ONE, BIAS, "attention.self.query", "attention.self.key", "attention.self.value")                    \
    X(attention_weight, H, H, WEIGHT, "attention.output.dense")                                                        \
    X(attention_bias, H, ONE, BIAS, "attention.output.dense")                                                          \
    X(attention_norm_weight, H, ONE, WEIGHT, "attention.output.LayerNorm")                                             \
    X(attention_norm_bias, H, ONE, BIAS, "attention.output.LayerNorm")                                                 \
    X(inner_weight, I, H, WEIGHT, "intermediate.dense")                                                                \
    X(inner_bias, I, ONE, BIAS, "intermediate.dense")                                                                  \
    X(outer_weight, H, I, WEIGHT, "output.dense")                                                                      \
    X(outer_bias, H, ONE, BIAS, "output.dense")                                                                        \
    X(outer_norm_weight, H, ONE, WEIGHT, "output.LayerNorm")                                                           \
    X(outer_norm_bias, H, ONE, BIAS, "output.LayerNorm")

/* What every architecture calls otherwise. */
#define MUR_HEAD_TENSORS(X)                                                                                            \
    X(dense_weight, H, H, WEIGHT, "head.dense")                                                                        \
    X(dense_bias, H, ONE, BIAS, "head.dense")                                                                          \
    X(out_weight, L, H, WEIGHT, "head.out")                                                                            \
    X(out_bias, L, ONE, BIAS, "head.out")

/* Pointers into the block, set by mur_weights_bind. Those of packed matrices are for mur_int8_matrix_at and
 * mur_panels_at alone. */
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
    char *name; /* as the architecture writes it; NULL: it has none, and the block holds zeros */
    char *bare; /* without the base: what a file may call it too */
    size_t rows, columns;
    bool is_vector;
    size_t offset;       /* in the block, bytes; of a packed one: where the matrix begins that it is some rows of */
    const float **bound; /* the pointer that starts here; NULL where the part continues another */
    size_t packed_rows;  /* of the matrix that it is packed into; 0: it stays fp32 */
    size_t packed_first; /* its first row in there */
    size_t file;         /* of the checkpoint; meaningless where name is NULL */
    const mur_tensor *tensor;
} mur_part;

typedef struct mur_weights {
    mur_embedding_weights embeddings;
    mur_layer_weights *layers;
    mur_head_weights head;
    mur_part *parts;
    size_t n_parts, cap_parts;
    size_t block_bytes;
    const mur_packing *packing; /* of the layers' matrices; NULL: as in the file */
} mur_weights;

/* The block begins with the model's hash, and every tensor at a multiple of this. */
#define MUR_BLOCK_ALIGNMENT 64

/* Lays out the block for a checked config. */
void mur_weights_plan(mur_weights *w, const mur_model_config *c, const mur_packing *packing);
void mur_weights_clear(mur_weights *w);

/* Finds every tensor in the checkpoint, which must outlive the weights, and checks its shape and dtype; others are
 * ignored. MUR_EDATA. */
int mur_weights_locate(mur_weights *w, const mur_checkpoint *c) MUR_MUST_USE;

/* Reads each file once, front to back, converts the tensors into `block`, and appends to `hashes` for each file two
 * uint64: the hash of its name and that of its contents (mur_stream_file). MUR_EDATA for values that are not finite,
 * MUR_EIO, MUR_EINTERNAL. */
int mur_weights_load(const mur_weights *w, const mur_checkpoint *c, void *block, mur_buf *hashes) MUR_MUST_USE;

/* Random weights of standard deviation 0.02, norms that change nothing, no biases: what training of a BERT begins with.
 * Goes the way that a file's elements take. MUR_EDATA never, but the way can fail. */
int mur_weights_randomize(const mur_weights *w, void *block) MUR_MUST_USE;

void mur_weights_bind(mur_weights *w, const void *block);

#endif
