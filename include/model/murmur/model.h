/* model.h: a Hugging Face sequence classifier: what it is, and its weights in one block that ranks of a node share.
 *
 *     mur_model *m;
 *     rc = mur_model_open(&m, folder);                 config and tensor table, checked; nothing large is read
 *     block = … mur_model_block_bytes(m) bytes, 64-byte aligned, one per node …
 *     rc = mur_model_load(m, block);                   one rank of the node: reads, converts to fp32
 *     mur_model_bind(m, block);                        every rank, after the block is filled
 *
 * docs/MODEL.md describes the network.
 */
#ifndef MURMUR_MODEL_H
#define MURMUR_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/error.h"

typedef struct mur_model mur_model;

typedef enum { MUR_NEG, MUR_NEU, MUR_POS } mur_sentiment;
#define MUR_N_SENTIMENTS 3

/* "NEG", "NEU", "POS", as gold writes them. */
const char *mur_sentiment_name(mur_sentiment s);

/* hidden_act: "gelu" (by erf), "gelu_new" and "gelu_pytorch_tanh" (by tanh), "relu". */
typedef enum { MUR_GELU, MUR_GELU_TANH, MUR_RELU } mur_activation;

/* What config.json says, under the names it uses. */
typedef struct mur_model_config {
    char architecture[64]; /* architectures[0] */
    int hidden_size;
    int n_layers;
    int n_heads;
    int intermediate_size;
    int vocab_size;
    int max_positions;  /* max_position_embeddings */
    int first_position; /* position of a text's first token: pad_token_id + 1 for RoBERTa */
    int type_vocab_size;
    mur_activation activation; /* hidden_act */
    float layer_norm_eps;
    int n_labels;
    char (*labels)[64];        /* id2label, n_labels of them */
    mur_sentiment *sentiments; /* which class each label counts for */
} mur_model_config;

/* MUR_ENOINPUT (no such folder or file), MUR_EDATA (no model, wrong or missing tensor, lying header); messages name
 * file and tensor. */
int mur_model_open(mur_model **out, const char *folder) MUR_MUST_USE;
void mur_model_close(mur_model **m);

const mur_model_config *mur_model_config_of(const mur_model *m);
const char *mur_model_name(const mur_model *m);   /* the folder's last component */
const char *mur_model_folder(const mur_model *m); /* as given */

size_t mur_model_block_bytes(const mur_model *m);
int mur_model_load(mur_model *m, void *block) MUR_MUST_USE;
void mur_model_bind(mur_model *m, const void *block);

/* XXH3 of config, tokenizer files and weights, the same on every machine; travels in the block. After mur_model_bind.
 */
uint64_t mur_model_hash(const mur_model *m);

/* The BLAS kernel type in use ("Haswell", "SkylakeX", …). mur_model_open makes BLAS single-threaded. */
const char *mur_blas_kernel(void);

#endif
