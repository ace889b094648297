/* model.h: a Hugging Face sequence classifier: what it is, and its weights in one block that ranks of a node share.
 *
 *     mur_model *m;
 *     rc = mur_model_open(&m, folder, NULL);           config and tensor table, checked; nothing large is read
 *     block = … mur_model_block_bytes(m) bytes, 64-byte aligned, one per node …
 *     rc = mur_model_load(m, block);                   one rank of the node: reads, converts, packs
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

/* hidden_act: "gelu" (by erf), "gelu_new" and "gelu_pytorch_tanh" (by tanh), "relu"; tanh is for heads only. */
typedef enum { MUR_GELU, MUR_GELU_TANH, MUR_RELU, MUR_TANH } mur_activation;

/* What matrix products are computed in: floats of 32 or of 16 bits, or numbers of 8 with scales (docs/MODEL.md). */
typedef enum { MUR_PRECISION_FP32, MUR_PRECISION_BF16, MUR_PRECISION_INT8, MUR_N_PRECISIONS } mur_precision;

/* "fp32", "bf16", "int8" */
const char *mur_precision_name(mur_precision p);
int mur_precision_parse(mur_precision *out, const char *name) MUR_MUST_USE; /* MUR_EUSAGE */

/* What config.json says, under the names that BERT's has. */
typedef struct mur_model_config {
    char architecture[64]; /* architectures[0] */
    int hidden_size;
    int n_layers;
    int n_heads;
    int intermediate_size;
    int vocab_size;
    int max_positions;  /* max_position_embeddings */
    int first_position; /* position of a text's first token: pad_token_id + 1 for RoBERTa, else 0 */
    int padding_id;     /* RoBERTa's pad_token_id: it stands before the first position and is not counted; else -1 */
    int type_vocab_size;
    mur_activation activation;      /* hidden_act */
    mur_activation head_activation; /* of the head's hidden layer */
    float layer_norm_eps;
    int n_labels;
    char (*labels)[64];        /* id2label, n_labels of them */
    mur_sentiment *sentiments; /* which class each label counts for */
    bool is_multi_label;       /* labels are not exclusive: each has a sigmoid of its own */
} mur_model_config;

/* `label_map` says which class labels count for, where their names do not ("LABEL_0=NEG,LABEL_1=POS"); may be NULL.
 * MUR_ENOINPUT (no such folder or file), MUR_EDATA (no model, wrong or missing tensor, lying header), MUR_EUSAGE (the
 * label map, or MURMUR_ISA names no instruction set of this machine); messages name file and tensor. */
int mur_model_open(mur_model **out, const char *folder, const char *label_map) MUR_MUST_USE;
void mur_model_close(mur_model **m);

/* Before the block is made; a model that was opened is one in fp32. MUR_EDATA where it cannot be had in that precision.
 */
int mur_model_set_precision(mur_model *m, mur_precision p) MUR_MUST_USE;
mur_precision mur_model_precision(const mur_model *m);

/* The network of RobertaForSequenceClassification with GELU and three labels. */
typedef struct mur_model_shape {
    const char *name;
    int vocab_size, hidden_size, n_layers, n_heads, intermediate_size, max_positions;
} mur_model_shape;

/* A model without a folder, for measurements: mur_model_load gives it random weights, the same ones each time, such as
 * training begins with. Everything but mur_model_summarize is as with a folder. The shape is a valid one. MUR_EUSAGE as
 * above. */
int mur_model_open_random(mur_model **out, const mur_model_shape *shape) MUR_MUST_USE;

const mur_model_config *mur_model_config_of(const mur_model *m);
const char *mur_model_name(const mur_model *m);   /* NAME@VERSION (registry.h), else the folder's last component */
const char *mur_model_folder(const mur_model *m); /* as given */

/* The label map as a JSON object in order of label ids, {"LABEL_0":"NEG"}: the same for all ways to write one. NULL
 * where none was given. */
const char *mur_model_label_map(const mur_model *m);

/* What the weights are in their files. */
typedef struct mur_model_summary {
    const char *file; /* model.safetensors, or pytorch_model.bin.index.json …; the model's */
    size_t n_files;   /* an index and its shards */
    int64_t n_bytes;  /* of all files */
    int64_t n_parameters;
    char dtypes[32]; /* "F32" or "F16, F32" */
} mur_model_summary;
void mur_model_summarize(const mur_model *m, mur_model_summary *out);

size_t mur_model_block_bytes(const mur_model *m);
int mur_model_load(mur_model *m, void *block) MUR_MUST_USE;
void mur_model_bind(mur_model *m, const void *block);

/* XXH3 of config, tokenizer files and weights, the same on every machine; travels in the block. After mur_model_bind.
 */
uint64_t mur_model_hash(const mur_model *m);

/* What decides the last bits of the model's logits, and how its block is laid out: BLAS's kernel type ("Haswell",
 * "SkylakeX", …) where BLAS multiplies, else "murmur-fma", "murmur-bf16", "murmur-vdpbf16ps", "murmur-tdpbf16ps" or
 * "murmur-int8", which is one kind of arithmetic each, on any machine. */
const char *mur_model_kernel(const mur_model *m);

/* The same of any model in fp32 on this machine. */
const char *mur_fp32_kernel(void);

/* The i-th set of vector instructions that may be used, best first, as MURMUR_ISA names it: those that the machine has,
 * from the one on that MURMUR_ISA names. NULL behind the last, and, with the error MUR_EUSAGE, where it names none. */
const char *mur_instruction_set_at(size_t i);

/* The BLAS kernel type in use. mur_model_open makes BLAS single-threaded. */
const char *mur_blas_kernel(void);

#endif
