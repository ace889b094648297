/* The forward pass, as docs/MODEL.md tells it. */
#include "encoder_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "head.h"
#include "murmur/clock.h"
#include "murmur/mem.h"

size_t mur_encoder_batch_tokens(mur_precision p)
{
    return p == MUR_PRECISION_FP32 ? 1024 : 512;
}

static int reserve_floats(float **out, size_t rows, size_t columns)
{
    *out = mur_try_alloc(rows, columns * sizeof **out);
    return *out ? 0 : mur_error_last()->code;
}

/* What fills a row up to whole groups of inputs meets weights that are zero, so it may be anything but unset. */
static int reserve_rows(mur_int8_rows *out, size_t n, size_t width)
{
    size_t stride = mur_int8_stride(width);
    out->width = width;
    out->values = mur_try_alloc(n, stride);
    if (!out->values)
        return mur_error_last()->code;
    memset(out->values, 0, n * stride);
    return reserve_floats(&out->scales, n, 1);
}

/* What fills a row up to whole words meets weights that are zero, too. */
static int reserve_words(void *out, size_t n, size_t stride)
{
    char *words = mur_try_alloc(n, stride);
    memcpy(out, &words, sizeof words);
    if (!words)
        return mur_error_last()->code;
    memset(words, 0, n * stride);
    return 0;
}

static int reserve_scratch(mur_encoder *e, bool is_bf16)
{
    const size_t hidden = mur_encoder_hidden(e), inner = mur_encoder_inner(e);
    const size_t bytes = mur_panels_scratch(e->kernels, hidden > inner ? hidden : inner, is_bf16);
    e->scratch = bytes ? mur_try_alloc(1, bytes) : NULL;
    return e->scratch || bytes == 0 ? 0 : mur_error_last()->code;
}

static int reserve(mur_encoder *e)
{
    const mur_model_config *c = &e->model->config;
    size_t hidden = mur_encoder_hidden(e), inner = mur_encoder_inner(e), n = e->max_tokens;
    const bool is_int8 = e->model->precision == MUR_PRECISION_INT8, is_bf16 = e->model->precision == MUR_PRECISION_BF16;
    const size_t longest = (size_t)(c->max_positions - c->first_position);
    const size_t n_inner = e->is_by_panels ? 0
                           : is_int8       ? MUR_INT8_BLOCK
                                           : n; /* rows of `wide` inside the feed-forward */
    e->ld_x = e->is_by_panels ? mur_panels_stride(hidden) / sizeof(float) : hidden;
    e->ld_qkv = e->is_by_panels ? mur_panels_stride(3 * hidden) / sizeof(float) : 3 * hidden;
    while (++e->heads_at_once < (size_t)c->n_heads && e->heads_at_once * mur_encoder_head(e) % MUR_TILE_COLUMNS)
        ;
    e->stride = mur_panels_stride(mur_panels_words(hidden, is_bf16));
    const bool is_near = e->is_by_panels && 3 * hidden * hidden * sizeof(float) <= MUR_FP32_NEAR_BYTES;
    e->block = is_int8 || is_bf16 ? MUR_TEXTS_BLOCK : is_near ? MUR_FP32_TEXTS_BLOCK : n; /* by BLAS: all */
    e->block = e->block < n ? e->block : n;
    const size_t n_wide = longest < e->block ? e->block : longest < n ? longest : n;
    int rc = reserve_floats(&e->x, n, e->ld_x);
    if (rc == 0)
        rc = reserve_floats(&e->wide, 1, n_wide * e->ld_qkv > n_inner * inner ? n_wide * e->ld_qkv : n_inner * inner);
    if (rc == 0)
        rc = reserve_floats(&e->context, n, e->ld_x);
    if (rc == 0 && e->is_by_panels)
        rc = reserve_words(&e->inner, MUR_PANELS_BLOCK, mur_panels_stride(mur_panels_words(inner, is_bf16)));
    if (rc == 0 && is_bf16)
        rc = reserve_words(&e->rounded, n, e->stride);
    if (rc == 0 && e->is_by_panels)
        rc = reserve_scratch(e, is_bf16);
    if (rc == 0)
        rc = reserve_floats(&e->attention, 1,
                            mur_attention_scratch((size_t)c->max_positions, hidden / (size_t)c->n_heads));
    if (rc == 0 && is_int8)
        rc = reserve_rows(&e->x8, n, hidden);
    if (rc == 0 && is_int8)
        rc = reserve_rows(&e->inner8, MUR_INT8_BLOCK, inner);
    return rc;
}

int mur_encoder_open(mur_encoder **out, const mur_model *m, size_t max_tokens)
{
    mur_encoder *e = mur_alloc(1, sizeof *e);
    e->model = m;
    e->max_tokens = max_tokens;
    e->kernels = m->kernels;
    e->activate = mur_kernels_activation(e->kernels, m->config.activation);
    if (m->precision == MUR_PRECISION_BF16 && m->config.activation == MUR_GELU)
        e->activate = e->kernels->gelu_coarse;
    e->is_by_panels =
        m->precision == MUR_PRECISION_BF16 || (m->precision == MUR_PRECISION_FP32 && e->kernels->fp32_tile);
    int rc = reserve(e);
    if (rc < 0)
        mur_encoder_close(&e);
    *out = e;
    return rc;
}

void mur_encoder_close(mur_encoder **encoder)
{
    mur_encoder *e = *encoder;
    if (!e)
        return;
    free(e->x);
    free(e->wide);
    free(e->context);
    free(e->attention);
    free(e->rounded);
    free(e->scratch);
    free(e->inner);
    free(e->x8.values);
    free(e->x8.scales);
    free(e->inner8.values);
    free(e->inner8.scales);
    free(e);
    *encoder = NULL;
}

const char *mur_kernel_name(mur_kernel k)
{
    static const char *const names[MUR_N_KERNELS] = {
        [MUR_KERNEL_EMBEDDING] = "embedding",   [MUR_KERNEL_LINEAR] = "linear", [MUR_KERNEL_ATTENTION] = "attention",
        [MUR_KERNEL_ACTIVATION] = "activation", [MUR_KERNEL_NORM] = "norm",     [MUR_KERNEL_HEAD] = "head",
    };
    return names[k];
}

void mur_encoder_measure(mur_encoder *e, double *seconds)
{
    e->seconds = seconds;
}

void mur_encoder_spent(mur_encoder *e, mur_kernel k)
{
    if (!e->seconds)
        return;
    double now = mur_monotonic();
    e->seconds[k] += now - e->last;
    e->last = now;
}

/* x = LayerNorm(word + position + type). In RoBERTa a token that is the padding id itself (a text may spell it) has the
 * position before the first and does not count: transformers' create_position_ids_from_input_ids. */
static void embed(mur_encoder *e, const int32_t *ids, const size_t *starts, size_t n_texts)
{
    const mur_model_config *c = &e->model->config;
    const mur_embedding_weights *w = &e->model->weights.embeddings;
    size_t hidden = mur_encoder_hidden(e);
    for (size_t text = 0; text < n_texts; text++) {
        int next = c->first_position;
        for (size_t t = starts[text]; t < starts[text + 1]; t++) {
            assert(ids[t] >= 0 && ids[t] < c->vocab_size);
            int position = ids[t] == c->padding_id ? c->first_position - 1 : next++;
            float *x = e->x + t * e->ld_x;
            e->kernels->add_three(x, w->words + (size_t)ids[t] * hidden, w->positions + (size_t)position * hidden,
                                  w->types, hidden);
            e->kernels->layer_norm(x, w->norm_weight, w->norm_bias, 1, hidden, c->layer_norm_eps);
        }
    }
}

size_t mur_block_end(const mur_encoder *e, const size_t *starts, size_t n_texts, size_t first)
{
    size_t end = first + 1;
    while (end < n_texts && starts[end + 1] - starts[first] <= e->block)
        end++;
    return end;
}

void mur_attend(mur_encoder *e, const mur_heads *heads, float *context, const size_t *starts, size_t n_texts,
                bool is_last)
{
    const size_t d = mur_encoder_head(e), width = heads->n * d;
    for (size_t text = 0; text < n_texts; text++) {
        const size_t start = starts[text] - starts[0], first_query = is_last ? text : start;
        const size_t n_keys = starts[text + 1] - starts[text];
        for (size_t head = 0; head < heads->n; head++) {
            const float *keys = e->wide + start * heads->ld + width + head * d;
            e->kernels->attention(&(mur_attention){
                .out = context + first_query * e->ld_x + (heads->first + head) * d,
                .q = e->wide + first_query * heads->ld + head * d,
                .k = keys,
                .v = keys + width,
                .n_queries = is_last ? 1 : n_keys,
                .n_keys = n_keys,
                .d = d,
                .ld_out = e->ld_x,
                .ld_qkv = heads->ld,
                .scratch = e->attention,
            });
        }
    }
}

void mur_encoder_run(mur_encoder *e, const int32_t *ids, const size_t *starts, size_t n_texts, float *logits)
{
    const mur_model_config *c = &e->model->config;
    if (n_texts == 0)
        return;
    assert(e->model->block && starts[0] == 0 && starts[n_texts] <= e->max_tokens);
    for (size_t text = 0; text < n_texts; text++) {
        assert(starts[text] < starts[text + 1]);
        assert(starts[text + 1] - starts[text] <= (size_t)(c->max_positions - c->first_position));
    }

    const bool is_int8 = e->model->precision == MUR_PRECISION_INT8;
    const size_t hidden = mur_encoder_hidden(e);
    mur_run_layer *run_layer = is_int8 ? mur_layer_int8 : e->is_by_panels ? mur_layer_panels : mur_layer_blas;
    if (e->seconds)
        e->last = mur_monotonic();
    embed(e, ids, starts, n_texts);
    if (is_int8)
        mur_int8_round(e->kernels, &e->x8, e->x, starts[n_texts]);
    if (e->is_by_panels)
        mur_panels_round(e, starts[n_texts]);
    mur_encoder_spent(e, MUR_KERNEL_EMBEDDING);
    for (int layer = 0; layer < c->n_layers; layer++)
        run_layer(e, &e->model->weights.layers[layer], starts, n_texts, layer == c->n_layers - 1);
    for (size_t text = 0; e->ld_x != hidden && text < n_texts; text++)
        memmove(e->x + text * hidden, e->x + text * e->ld_x, hidden * sizeof *e->x);
    mur_head_run(e->kernels, run_layer == mur_layer_blas ? mur_linear : e->kernels->linear_by_rows, c,
                 &e->model->weights.head, e->x, n_texts, e->context, logits);
    mur_encoder_spent(e, MUR_KERNEL_HEAD);
}
