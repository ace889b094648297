/* A layer whose matrix products are of 8-bit integers. What goes into a product is rounded once, row by row, as soon as
 * the row is whole and still in the first-level cache; all else is fp32 and the same as in layer_fp32.c. */
#include <string.h>

#include "encoder_internal.h"

/* x8 = round(x = LayerNorm(x)), rows `first` to `end`. */
static void norm(mur_encoder *e, const float *weight, const float *bias, size_t first, size_t end)
{
    size_t hidden = mur_encoder_hidden(e);
    for (size_t i = first; i < end; i++) {
        mur_int8_rows row = mur_int8_rows_from(&e->x8, i);
        e->kernels->layer_norm(e->x + i * hidden, weight, bias, 1, hidden, e->model->config.layer_norm_eps);
        mur_int8_round(e->kernels, &row, e->x + i * hidden, 1);
    }
}

/* What is left of a layer when attention has gathered the context, rounded in x8, for rows `first` to `end`. `next` is
 * what will be multiplied with after that. */
static void finish(mur_encoder *e, const mur_layer_weights *w, size_t first, size_t end, const int8_t *next)
{
    const mur_kernels *k = e->kernels;
    size_t hidden = mur_encoder_hidden(e), inner = mur_encoder_inner(e), n = end - first;
    const mur_int8_matrix attention = mur_int8_matrix_at(w->attention_weight, hidden, hidden);
    const mur_int8_matrix in = mur_int8_matrix_at(w->inner_weight, inner, hidden);
    const mur_int8_matrix out = mur_int8_matrix_at(w->outer_weight, hidden, inner);
    const mur_int8_rows x8 = mur_int8_rows_from(&e->x8, first);
    float *x = e->x + first * hidden;

    mur_int8_linear(
        k, &(mur_int8_product){&x8, n, &attention, 0, hidden, w->attention_bias, x, hidden, MUR_THEN_ADD, in.panels});
    mur_encoder_spent(e, MUR_KERNEL_LINEAR);
    norm(e, w->attention_norm_weight, w->attention_norm_bias, first, end);
    mur_encoder_spent(e, MUR_KERNEL_NORM);

    bool is_gelu = e->model->config.activation == MUR_GELU;
    mur_int8_linear(k, &(mur_int8_product){&x8, n, &in, 0, inner, w->inner_bias, e->wide, inner,
                                           is_gelu ? MUR_THEN_GELU : MUR_THEN_SET, out.panels});
    mur_encoder_spent(e, MUR_KERNEL_LINEAR);
    for (size_t i = 0; i < n; i++) {
        mur_int8_rows row = mur_int8_rows_from(&e->inner8, i);
        if (!is_gelu)
            e->activate(e->wide + i * inner, inner);
        mur_int8_round(k, &row, e->wide + i * inner, 1);
    }
    mur_encoder_spent(e, MUR_KERNEL_ACTIVATION);
    mur_int8_linear(k,
                    &(mur_int8_product){&e->inner8, n, &out, 0, hidden, w->outer_bias, x, hidden, MUR_THEN_ADD, next});
    mur_encoder_spent(e, MUR_KERNEL_LINEAR);
    norm(e, w->outer_norm_weight, w->outer_norm_bias, first, end);
    mur_encoder_spent(e, MUR_KERNEL_NORM);
}

/* x and x8 of texts `first` to `end` become those of their first tokens, in rows `first` to `end`. */
static void keep_first_tokens(mur_encoder *e, const size_t *starts, size_t first, size_t end)
{
    size_t hidden = mur_encoder_hidden(e), stride = mur_int8_stride(hidden);
    for (size_t text = first; text < end; text++) { /* downwards or in place: starts[text] >= text */
        memmove(e->x + text * hidden, e->x + starts[text] * hidden, hidden * sizeof *e->x);
        memmove(e->x8.values + text * stride, e->x8.values + starts[text] * stride, stride);
        e->x8.scales[text] = e->x8.scales[starts[text]];
    }
}

/* Queries (part 0), keys (1) and values of `heads`, side by side in `wide`: n_parts of them for n rows. */
static void project(mur_encoder *e, const mur_layer_weights *w, const mur_heads *heads, size_t part, size_t n_parts,
                    const mur_int8_rows *rows, size_t n)
{
    const size_t hidden = mur_encoder_hidden(e), d = mur_encoder_head(e), width = heads->n * d;
    const mur_int8_matrix qkv = mur_int8_matrix_at(w->qkv_weight, 3 * hidden, hidden);
    const bool is_all = width == hidden; /* then the parts are one matrix */
    for (size_t i = part; i < part + n_parts; i += is_all ? n_parts : 1) {
        const size_t output = i * hidden + heads->first * d, n_outputs = is_all ? n_parts * width : width;
        const size_t panel = (output + n_outputs) / MUR_TILE_COLUMNS;
        mur_int8_linear(e->kernels, &(mur_int8_product){
                                        .x = rows,
                                        .n = n,
                                        .w = &qkv,
                                        .first = output,
                                        .n_outputs = n_outputs,
                                        .bias = w->qkv_bias + output,
                                        .y = e->wide + i * width,
                                        .ld_y = heads->ld,
                                        .then = MUR_THEN_SET,
                                        .next = qkv.panels + panel * mur_int8_panel_bytes(hidden),
                                    });
    }
}

/* x8 = round(context), for texts `first` to `end`: some heads at a time, so that their queries, keys and values are
 * near when they are wanted; all at once in the last layer, where x8 shrinks before queries are computed. */
static void attend(mur_encoder *e, const mur_layer_weights *w, const size_t *starts, size_t first, size_t end,
                   bool is_last)
{
    const size_t n_heads = (size_t)e->model->config.n_heads, step = is_last ? n_heads : e->heads_at_once;
    const mur_int8_rows all = mur_int8_rows_from(&e->x8, starts[first]);
    const mur_int8_rows rows = mur_int8_rows_from(&e->x8, is_last ? first : starts[first]);
    const size_t n_tokens = starts[end] - starts[first], n = is_last ? end - first : n_tokens;
    mur_heads heads = {0};
    for (; heads.first < n_heads; heads.first += step) {
        heads.n = heads.first + step < n_heads ? step : n_heads - heads.first;
        heads.ld = 3 * heads.n * mur_encoder_head(e);
        if (is_last) {
            project(e, w, &heads, 1, 2, &all, n_tokens);
            keep_first_tokens(e, starts, first, end);
            project(e, w, &heads, 0, 1, &rows, n);
        } else {
            project(e, w, &heads, 0, 3, &all, n_tokens);
        }
        mur_encoder_spent(e, MUR_KERNEL_LINEAR);
        mur_attend(e, &heads, e->context, starts + first, end - first, is_last);
        mur_encoder_spent(e, MUR_KERNEL_ATTENTION);
    }
    mur_int8_round(e->kernels, &rows, e->context, n);
    mur_encoder_spent(e, MUR_KERNEL_ATTENTION);
}

void mur_layer_int8(mur_encoder *e, const mur_layer_weights *w, const size_t *starts, size_t n_texts, bool is_last)
{
    const size_t hidden = mur_encoder_hidden(e), n = is_last ? n_texts : starts[n_texts];
    const int8_t *after = mur_int8_matrix_at(w->attention_weight, hidden, hidden).panels;
    for (size_t first = 0, end; first < n_texts; first = end) {
        end = mur_block_end(e, starts, n_texts, first);
        attend(e, w, starts, first, end, is_last);
    }
    /* Behind the last rows come the next layer's queries. */
    const int8_t *next_layer = is_last ? NULL : mur_int8_matrix_at(w[1].qkv_weight, 3 * hidden, hidden).panels;
    for (size_t first = 0; first < n; first += MUR_INT8_BLOCK) {
        size_t end = first + MUR_INT8_BLOCK < n ? first + MUR_INT8_BLOCK : n;
        finish(e, w, first, end, end < n ? after : next_layer);
    }
}
