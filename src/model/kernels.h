/* kernels.h: the arithmetic of the network. Matrices are row-major; x[n,H] is n rows of H floats.
 *
 * A table of functions for each set of vector instructions that the program carries, chosen when it runs. All of them
 * give the same bits, but for products of matrices, of which word_tile.h tells, and in the portable set for gelu and
 * for BLAS, which computes products of fp32 there: sums go over 16 lanes whatever the machine's vectors are, in an
 * order that depends on lengths alone, never on addresses, and what is fused is so on all.
 */
#ifndef MURMUR_MODEL_KERNELS_H
#define MURMUR_MODEL_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "int8_tile.h"
#include "murmur/model.h"
#include "word_tile.h"

/* Queries q[n_queries,d] against keys and values [n_keys,d] of one head of one text: out = softmax(q·kᵀ / √d)·v.
 * Rows of q, k and v are ld_qkv floats apart, those of out ld_out. */
typedef struct mur_attention {
    float *out;
    const float *q, *k, *v;
    size_t n_queries, n_keys, d;
    size_t ld_out, ld_qkv;
    float *scratch; /* mur_attention_scratch(most keys, d) floats, 64-byte aligned */
} mur_attention;

/* What becomes of a product v, element by element. */
typedef enum mur_then {
    MUR_THEN_SET,  /* y = v */
    MUR_THEN_ADD,  /* y += v */
    MUR_THEN_GELU, /* y = gelu_coarse(v) */
} mur_then;

/* Sums c[n_rows,n_columns] of a tile, MUR_TILE_COLUMNS apart, as numbers v = c · row_scale · column_scale + bias, and
 * what becomes of them. c is 64-byte aligned where it has all columns. */
typedef struct mur_scaling {
    float *y;
    size_t ld_y;
    const int32_t *c;
    size_t n_rows, n_columns;
    const float *row_scales, *column_scales, *bias;
    mur_then then;
} mur_scaling;

/* Sums c[n_rows,n_columns], rows ld_c apart: y = c + bias, or that added to y. */
typedef struct mur_placing {
    float *y;
    size_t ld_y;
    const float *c;
    size_t ld_c;
    size_t n_rows, n_columns;
    const float *bias; /* NULL: none */
    bool is_added;
} mur_placing;

/* y[n,out] = x[n,in] · w[out,in]ᵀ + b[out]; rows of y are ld_y floats apart. */
typedef void mur_linear_function(float *y, size_t ld_y, const float *x, const float *w, const float *b, size_t n,
                                 size_t in, size_t out);

struct mur_int8_product;
struct mur_panels_product;

typedef struct mur_kernels {
    const char *name; /* of the set: "portable", "avx2", "avxvnni", "avx512", "avx512vnni", "avx512bf16", "amx" */

    /* y[n] = a[n] + b[n] + c[n] */
    void (*add_three)(float *y, const float *a, const float *b, const float *c, size_t n);

    /* every row of x[n,width] += b[width] */
    void (*add_to_rows)(float *x, const float *b, size_t n, size_t width);

    /* every row of x[n,width] = (row - mean) / √(variance + eps) · w + b */
    void (*layer_norm)(float *x, const float *w, const float *b, size_t n, size_t width, float eps);

    /* x[n] = f(x[n]) */
    void (*gelu)(float *x, size_t n);        /* portably mur_gelu, else mur_gelu_fused: other bits */
    void (*gelu_coarse)(float *x, size_t n); /* gelu within 7e-5 |x| */
    void (*gelu_tanh)(float *x, size_t n);
    void (*relu)(float *x, size_t n);
    void (*tanh)(float *x, size_t n);

    void (*attention)(const mur_attention *a);

    /* As mur_linear, but a row's bits do not depend on how many there are. For a head, which is small. */
    mur_linear_function *linear_by_rows;

    /* q[width] = x[width] in 8 bits, + 128 (int8.h); returns the scale. */
    float (*round_row)(uint8_t *q, const float *x, size_t width);

    mur_int8_tile *int8_tile;
    void (*scale_tile)(const mur_scaling *s);

    mur_word_tile *fp32_tile; /* NULL: BLAS computes fp32 products, of matrices as they are in the file */
    mur_word_tile *bf16_tile; /* NULL: by fp32_tile, of words that are widened (panels.h) */
    const char *bf16_name;    /* of its arithmetic: mur_model_kernel */

    /* Whole products, for instructions that the tiles above do not fit (amx.h); NULL: by those tiles. */
    void (*int8_linear)(const struct mur_kernels *k, const struct mur_int8_product *p);
    void (*bf16_linear)(const struct mur_kernels *k, const struct mur_panels_product *p);

    void (*place_tile)(const mur_placing *p);
    void (*place_gelu)(const mur_placing *p); /* y = gelu(c + bias); whole panels */
    void (*round_bf16)(uint16_t *y, const float *x, size_t n);

    /* Floats of n_words words of two bf16: of a word the later one, then the earlier one. A panel has MUR_TILE_COLUMNS
     * words side by side, and its floats are those of all later ones, then those of all earlier ones. */
    void (*widen_row)(float *y, const char *words, size_t n_words);
    void (*widen_panel)(float *y, const char *words, size_t n_words);
} mur_kernels;

/* The tables that this machine can run, best first; NULL behind the last. The portable one is always there. */
const mur_kernels *mur_kernels_at(size_t i);

/* The best of them, or the one that the environment variable MURMUR_ISA names. MUR_EUSAGE where this machine has no
 * such set. */
int mur_kernels_choose(const mur_kernels **out) MUR_MUST_USE;

/* The function of that table. */
typedef void mur_activate(float *x, size_t n);
mur_activate *mur_kernels_activation(const mur_kernels *k, mur_activation activation);

/* Floats of scratch for texts of up to `n_keys` tokens and heads of `d`. */
size_t mur_attention_scratch(size_t n_keys, size_t d);

/* By BLAS. */
mur_linear_function mur_linear;

/* y[n,out] += x[n,in] · w[out,in]ᵀ + b[out] */
void mur_linear_add(const mur_kernels *k, float *y, const float *x, const float *w, const float *b, size_t n, size_t in,
                    size_t out);

#endif
