/* A layer in fp32 whose products are BLAS's. */
#include <string.h>

#include "encoder_internal.h"

void mur_layer_blas(mur_encoder *e, const mur_layer_weights *w, const size_t *starts, size_t n_texts, bool is_last)
{
    const mur_kernels *k = e->kernels;
    size_t hidden = mur_encoder_hidden(e), inner = mur_encoder_inner(e);
    size_t n_tokens = starts[n_texts], n = is_last ? n_texts : n_tokens;
    float eps = e->model->config.layer_norm_eps;

    if (is_last) {
        mur_linear(e->wide + hidden, 3 * hidden, e->x, w->qkv_weight + hidden * hidden, w->qkv_bias + hidden, n_tokens,
                   hidden, 2 * hidden);
        for (size_t text = 0; text < n_texts; text++) /* downwards or in place: starts[text] >= text */
            memmove(e->x + text * hidden, e->x + starts[text] * hidden, hidden * sizeof *e->x);
        mur_linear(e->wide, 3 * hidden, e->x, w->qkv_weight, w->qkv_bias, n, hidden, hidden);
    } else {
        mur_linear(e->wide, 3 * hidden, e->x, w->qkv_weight, w->qkv_bias, n, hidden, 3 * hidden);
    }
    mur_encoder_spent(e, MUR_KERNEL_LINEAR);
    mur_attend(e, &(mur_heads){0, (size_t)e->model->config.n_heads, e->ld_qkv}, e->context, starts, n_texts, is_last);
    mur_encoder_spent(e, MUR_KERNEL_ATTENTION);
    mur_linear_add(k, e->x, e->context, w->attention_weight, w->attention_bias, n, hidden, hidden);
    mur_encoder_spent(e, MUR_KERNEL_LINEAR);
    k->layer_norm(e->x, w->attention_norm_weight, w->attention_norm_bias, n, hidden, eps);
    mur_encoder_spent(e, MUR_KERNEL_NORM);

    mur_linear(e->wide, inner, e->x, w->inner_weight, w->inner_bias, n, hidden, inner);
    mur_encoder_spent(e, MUR_KERNEL_LINEAR);
    e->activate(e->wide, n * inner);
    mur_encoder_spent(e, MUR_KERNEL_ACTIVATION);
    mur_linear_add(k, e->x, e->wide, w->outer_weight, w->outer_bias, n, inner, hidden);
    mur_encoder_spent(e, MUR_KERNEL_LINEAR);
    k->layer_norm(e->x, w->outer_norm_weight, w->outer_norm_bias, n, hidden, eps);
    mur_encoder_spent(e, MUR_KERNEL_NORM);
}
