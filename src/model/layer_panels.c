/* A layer by the tiles of word_tile.h, in fp32 or bf16. In fp32 the rows of x are multiplied as they are; in bf16 they
 * are rounded once, as soon as a row is whole and still in the first-level cache. All else is fp32 in both. */
#include <string.h>

#include "encoder_internal.h"

/* What fp32 multiplies are floats themselves, so that e->rounded is for bf16 alone. */
static bool is_rounding(const mur_encoder *e)
{
    return e->rounded != NULL;
}

static mur_panels panels(const mur_encoder *e, const float *packed, size_t n_outputs, size_t n_inputs)
{
    return mur_panels_at(packed, n_outputs, n_inputs, is_rounding(e));
}

/* A row of e->x or of the context becomes ready to be multiplied as row `i`. */
static void round_row(mur_encoder *e, const float *row, size_t i)
{
    if (is_rounding(e))
        e->kernels->round_bf16((uint16_t *)(e->rounded + i * e->stride), row, mur_encoder_hidden(e));
}

static const void *words_at(const mur_encoder *e, const float *floats, size_t first)
{
    return is_rounding(e) ? (const void *)(e->rounded + first * e->stride) : floats + first * e->ld_x;
}

void mur_panels_round(mur_encoder *e, size_t n)
{
    for (size_t i = 0; i < n; i++)
        round_row(e, e->x + i * e->ld_x, i);
}

/* x = LayerNorm(x), rows `first` to `end`. */
static void norm(mur_encoder *e, const float *weight, const float *bias, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        e->kernels->layer_norm(e->x + i * e->ld_x, weight, bias, 1, mur_encoder_hidden(e),
                               e->model->config.layer_norm_eps);
        round_row(e, e->x + i * e->ld_x, i);
    }
}

/* What is left of a layer when attention has gathered the context, for rows `first` to `end`. */
static void finish(mur_encoder *e, const mur_layer_weights *w, size_t first, size_t end)
{
    const size_t hidden = mur_encoder_hidden(e), inner = mur_encoder_inner(e), n = end - first;
    const size_t inner_stride = mur_panels_stride(mur_panels_words(inner, is_rounding(e)));
    const mur_panels attention = panels(e, w->attention_weight, hidden, hidden);
    const mur_panels in = panels(e, w->inner_weight, inner, hidden);
    const mur_panels out = panels(e, w->outer_weight, hidden, inner);
    float *x = e->x + first * e->ld_x;

    mur_panels_linear(e->kernels, &(mur_panels_product){
                                      .x = words_at(e, e->context, first),
                                      .ld_x = e->stride,
                                      .n = n,
                                      .scratch = e->scratch,
                                      .w = &attention,
                                      .n_outputs = hidden,
                                      .bias = w->attention_bias,
                                      .y = x,
                                      .ld_y = e->ld_x,
                                      .is_added = true,
                                  });
    mur_encoder_spent(e, MUR_KERNEL_LINEAR);
    norm(e, w->attention_norm_weight, w->attention_norm_bias, first, end);
    mur_encoder_spent(e, MUR_KERNEL_NORM);

    mur_panels_linear(e->kernels, &(mur_panels_product){
                                      .x = words_at(e, e->x, first),
                                      .ld_x = e->stride,
                                      .n = n,
                                      .scratch = e->scratch,
                                      .w = &in,
                                      .n_outputs = inner,
                                      .bias = w->inner_bias,
                                      .y = e->inner,
                                      .ld_y = inner_stride / (is_rounding(e) ? sizeof(uint16_t) : sizeof(float)),
                                      .is_rounded = is_rounding(e),
                                      .f = e->activate,
                                  });
    mur_panels_linear(e->kernels, &(mur_panels_product){
                                      .x = e->inner,
                                      .ld_x = inner_stride,
                                      .n = n,
                                      .scratch = e->scratch,
                                      .w = &out,
                                      .n_outputs = hidden,
                                      .bias = w->outer_bias,
                                      .y = x,
                                      .ld_y = e->ld_x,
                                      .is_added = true,
                                  });
    mur_encoder_spent(e, MUR_KERNEL_LINEAR);
    norm(e, w->outer_norm_weight, w->outer_norm_bias, first, end);
    mur_encoder_spent(e, MUR_KERNEL_NORM);
}

/* x of texts `first` to `end` becomes that of their first tokens, in rows `first` to `end`. */
static void keep_first_tokens(mur_encoder *e, const size_t *starts, size_t first, size_t end)
{
    for (size_t text = first; text < end; text++) { /* downwards or in place: starts[text] >= text */
        memmove(e->x + text * e->ld_x, e->x + starts[text] * e->ld_x, mur_encoder_hidden(e) * sizeof *e->x);
        if (is_rounding(e))
            memmove(e->rounded + text * e->stride, e->rounded + starts[text] * e->stride, e->stride);
    }
}

/* Queries (part 0), keys (1) and values of `heads`, side by side in `wide`: n_parts of them for n rows from row `first`
 * on. */
static void project(mur_encoder *e, const mur_layer_weights *w, const mur_heads *heads, size_t part, size_t n_parts,
                    size_t first, size_t n)
{
    const size_t hidden = mur_encoder_hidden(e), d = mur_encoder_head(e), width = heads->n * d;
    const mur_panels qkv = panels(e, w->qkv_weight, 3 * hidden, hidden);
    const bool is_all = width == hidden; /* then the parts are one matrix */
    for (size_t i = part; i < part + n_parts; i += is_all ? n_parts : 1) {
        const size_t output = i * hidden + heads->first * d;
        mur_panels_linear(e->kernels, &(mur_panels_product){
                                          .x = words_at(e, e->x, first),
                                          .ld_x = e->stride,
                                          .n = n,
                                          .scratch = e->scratch,
                                          .w = &qkv,
                                          .first = output,
                                          .n_outputs = is_all ? n_parts * width : width,
                                          .bias = w->qkv_bias + output,
                                          .y = e->wide + i * width,
                                          .ld_y = heads->ld,
                                      });
    }
}

/* The context of texts `first` to `end`, ready to be multiplied: in bf16 it takes x's place. */
static void attend(mur_encoder *e, const mur_layer_weights *w, const size_t *starts, size_t first, size_t end,
                   bool is_last)
{
    const size_t n_heads = (size_t)e->model->config.n_heads, row = is_last ? first : starts[first];
    const size_t n_tokens = starts[end] - starts[first], n = is_last ? end - first : n_tokens;
    const size_t step = is_last || !is_rounding(e) ? n_heads : e->heads_at_once;
    float *context = is_rounding(e) ? e->context : e->context + row * e->ld_x;
    mur_heads heads = {0};
    for (; heads.first < n_heads; heads.first += step) {
        heads.n = heads.first + step < n_heads ? step : n_heads - heads.first;
        heads.ld = heads.n == n_heads ? e->ld_qkv : 3 * heads.n * mur_encoder_head(e);
        if (is_last) {
            project(e, w, &heads, 1, 2, starts[first], n_tokens);
            keep_first_tokens(e, starts, first, end);
            project(e, w, &heads, 0, 1, row, n);
        } else {
            project(e, w, &heads, 0, 3, row, n);
        }
        mur_encoder_spent(e, MUR_KERNEL_LINEAR);
        mur_attend(e, &heads, context, starts + first, end - first, is_last);
        mur_encoder_spent(e, MUR_KERNEL_ATTENTION);
    }
    for (size_t i = 0; i < n; i++)
        round_row(e, context + i * e->ld_x, row + i);
    mur_encoder_spent(e, MUR_KERNEL_ATTENTION);
}

void mur_layer_panels(mur_encoder *e, const mur_layer_weights *w, const size_t *starts, size_t n_texts, bool is_last)
{
    const size_t n = is_last ? n_texts : starts[n_texts];
    for (size_t first = 0, end; first < n_texts; first = end) {
        end = mur_block_end(e, starts, n_texts, first);
        attend(e, w, starts, first, end, is_last);
    }
    for (size_t first = 0; first < n; first += MUR_PANELS_BLOCK)
        finish(e, w, first, first + MUR_PANELS_BLOCK < n ? first + MUR_PANELS_BLOCK : n);
}
