/* encoder_internal.h: the inside of an encoder, for the ways to compute a layer. H is the hidden size, I the
 * intermediate one, T the batch's tokens. */
#ifndef MURMUR_MODEL_ENCODER_INTERNAL_H
#define MURMUR_MODEL_ENCODER_INTERNAL_H

#include "int8.h"
#include "kernels.h"
#include "model_internal.h"
#include "murmur/encoder.h"
#include "panels.h"

struct mur_encoder {
    const mur_model *model;
    const mur_kernels *kernels;
    size_t max_tokens;
    mur_activate *activate;
    float *x;       /* [T,H] what a layer takes and gives */
    float *wide;    /* [T,3H] queries, keys and values side by side, of `block` tokens; then, by BLAS and in int8,
                     * inside the feed-forward */
    float *context; /* [T,H] what attention gathered, in bf16 and int8 in a block's rows; then the head's scratch */
    size_t block;   /* tokens of texts whose queries, keys and values are there together; a text of more is alone */
    size_t heads_at_once; /* in bf16 and int8: as few as have whole panels of outputs, where there are such */
    size_t ld_x;          /* floats from one row of x, or of the context, to the next */
    size_t ld_qkv;        /* likewise of `wide` */
    float *attention;     /* scratch of one head */
    double *seconds;      /* by kernel, where they are wanted; else NULL */
    double last;          /* the instant up to which time is counted */

    /* by tiles of words alone (layer_panels.c) */
    bool is_by_panels;
    size_t stride; /* bytes from one row of words of x to the next */
    char *rounded; /* bf16: [T,H] x rounded; then the context. fp32: NULL, the words are x itself */
    void *inner;   /* [MUR_PANELS_BLOCK,I] inside the feed-forward, floats or bf16 */
    void *scratch; /* of a product (panels.h) */

    /* int8 alone */
    mur_int8_rows x8;     /* [T,H] x rounded; then the context */
    mur_int8_rows inner8; /* [MUR_INT8_BLOCK,I] what is inside the feed-forward, rounded */
};

static inline size_t mur_encoder_hidden(const mur_encoder *e)
{
    return (size_t)e->model->config.hidden_size;
}

/* Of one head. */
static inline size_t mur_encoder_head(const mur_encoder *e)
{
    return mur_encoder_hidden(e) / (size_t)e->model->config.n_heads;
}

static inline size_t mur_encoder_inner(const mur_encoder *e)
{
    return (size_t)e->model->config.intermediate_size;
}

/* Tokens of whole texts whose queries, keys and values are there together in bf16 and int8, and in fp32, or one text of
 * more; rows that go through the feed-forward of an int8 layer together; and of a layer of panels: few enough for what
 * they become to stay in a second-level cache, enough to read the weights seldom. */
#define MUR_TEXTS_BLOCK ((size_t)128)
#define MUR_FP32_TEXTS_BLOCK ((size_t)256)

/* In fp32 only where no more bytes of weights than this make queries, keys and values: they then stay in that cache
 * too, where others would be read again from memory for each block. */
#define MUR_FP32_NEAR_BYTES ((size_t)1 << 20)
#define MUR_INT8_BLOCK ((size_t)128)
#define MUR_PANELS_BLOCK ((size_t)192)

/* One layer, post-norm: x = LayerNorm(x + attention(x)), x = LayerNorm(x + feed_forward(x)). The last one is wanted at
 * each text's first token only: keys and values are computed of all tokens, then x shrinks to the first tokens. */
typedef void mur_run_layer(mur_encoder *e, const mur_layer_weights *w, const size_t *starts, size_t n_texts,
                           bool is_last);
mur_run_layer mur_layer_blas, mur_layer_panels, mur_layer_int8;

/* Panels: makes the first n rows of x ready to be multiplied. */
void mur_panels_round(mur_encoder *e, size_t n);

/* The time since the last call was that kernel's. A batch has a few calls a layer, each of milliseconds of work. */
void mur_encoder_spent(mur_encoder *e, mur_kernel k);

/* Heads whose queries, keys and values stand side by side in rows of `wide`, ld floats apart. */
typedef struct mur_heads {
    size_t first, n, ld;
} mur_heads;

/* context = what each query gathers from its text's keys and values. Rows of `wide` are queries, keys, values of a
 * token, from that on with which the first of these texts begins; in the last layer the queries are those of first
 * tokens, in the first n_texts rows. So are rows of the context. */
void mur_attend(mur_encoder *e, const mur_heads *heads, float *context, const size_t *starts, size_t n_texts,
                bool is_last);

/* The text behind those, from text `first` on, whose queries, keys and values have room in `wide` together. */
size_t mur_block_end(const mur_encoder *e, const size_t *starts, size_t n_texts, size_t first);

#endif
