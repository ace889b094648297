/* The forward pass, as docs/MODEL.md tells it. H is the hidden size, I the intermediate one, T the batch's tokens. */
#include "murmur/encoder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "head.h"
#include "kernels.h"
#include "model_internal.h"
#include "murmur/clock.h"
#include "murmur/mem.h"

struct mur_encoder {
    const mur_model *model;
    const mur_kernels *kernels;
    size_t max_tokens;
    mur_activate *activate;
    float *x;         /* [T,H] what a layer takes and gives */
    float *wide;      /* [T,3H] queries, keys and values side by side; then [T,I] inside the feed-forward */
    float *context;   /* [T,H] what attention gathered */
    float *attention; /* scratch of one head */
    double *seconds;  /* by kernel, where they are wanted; else NULL */
    double last;      /* the instant up to which time is counted */
};

static size_t hidden_size(const mur_encoder *e)
{
    return (size_t)e->model->config.hidden_size;
}

int mur_encoder_open(mur_encoder **out, const mur_model *m, size_t max_tokens)
{
    const mur_model_config *c = &m->config;
    size_t hidden = (size_t)c->hidden_size, inner = (size_t)c->intermediate_size, longest = (size_t)c->max_positions;
    mur_encoder *e = mur_alloc(1, sizeof *e);
    e->model = m;
    e->kernels = mur_kernels_at(0);
    e->max_tokens = max_tokens;
    e->activate = mur_kernels_activation(e->kernels, c->activation);
    const struct {
        float **ptr;
        size_t rows, columns;
    } buffers[] = {
        {&e->x, max_tokens, hidden},
        {&e->wide, max_tokens, 3 * hidden > inner ? 3 * hidden : inner},
        {&e->context, max_tokens, hidden},
        {&e->attention, 1, mur_attention_scratch(longest, hidden / (size_t)c->n_heads)},
    };
    int rc = 0;
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers && rc == 0; i++) {
        *buffers[i].ptr = mur_try_alloc(buffers[i].rows, buffers[i].columns * sizeof(float));
        if (!*buffers[i].ptr)
            rc = mur_error_last()->code;
    }
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

/* The time since the last call was that kernel's. A batch has a few calls a layer, each of milliseconds of work. */
static void spent_on(mur_encoder *e, mur_kernel k)
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
    size_t hidden = hidden_size(e);
    for (size_t text = 0; text < n_texts; text++) {
        int next = c->first_position;
        for (size_t t = starts[text]; t < starts[text + 1]; t++) {
            assert(ids[t] >= 0 && ids[t] < c->vocab_size);
            int position = ids[t] == c->padding_id ? c->first_position - 1 : next++;
            e->kernels->add_three(e->x + t * hidden, w->words + (size_t)ids[t] * hidden,
                                  w->positions + (size_t)position * hidden, w->types, hidden);
        }
    }
    e->kernels->layer_norm(e->x, w->norm_weight, w->norm_bias, starts[n_texts], hidden, c->layer_norm_eps);
}

/* context = what each query gathers from its text's keys and values. Rows of `wide` are queries, keys, values of a
 * token; in the last layer the queries are those of first tokens, in the first n_texts rows. */
static void attend(mur_encoder *e, const size_t *starts, size_t n_texts, bool is_last)
{
    size_t hidden = hidden_size(e), n_heads = (size_t)e->model->config.n_heads, d = hidden / n_heads;
    for (size_t text = 0; text < n_texts; text++) {
        size_t first_query = is_last ? text : starts[text], n_keys = starts[text + 1] - starts[text];
        for (size_t head = 0; head < n_heads; head++) {
            const float *keys = e->wide + starts[text] * 3 * hidden + hidden + head * d;
            e->kernels->attention(&(mur_attention){
                .out = e->context + first_query * hidden + head * d,
                .q = e->wide + first_query * 3 * hidden + head * d,
                .k = keys,
                .v = keys + hidden,
                .n_queries = is_last ? 1 : n_keys,
                .n_keys = n_keys,
                .d = d,
                .ld_out = hidden,
                .ld_qkv = 3 * hidden,
                .scratch = e->attention,
            });
        }
    }
}

/* One layer, post-norm: x = LayerNorm(x + attention(x)), x = LayerNorm(x + feed_forward(x)). The last one is wanted at
 * each text's first token only: keys and values are computed of all tokens, then x shrinks to the first tokens. */
static void run_layer(mur_encoder *e, const mur_layer_weights *w, const size_t *starts, size_t n_texts, bool is_last)
{
    const mur_kernels *k = e->kernels;
    size_t hidden = hidden_size(e), inner = (size_t)e->model->config.intermediate_size;
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
    spent_on(e, MUR_KERNEL_LINEAR);
    attend(e, starts, n_texts, is_last);
    spent_on(e, MUR_KERNEL_ATTENTION);
    mur_linear_add(k, e->x, e->context, w->attention_weight, w->attention_bias, n, hidden, hidden);
    spent_on(e, MUR_KERNEL_LINEAR);
    k->layer_norm(e->x, w->attention_norm_weight, w->attention_norm_bias, n, hidden, eps);
    spent_on(e, MUR_KERNEL_NORM);

    mur_linear(e->wide, inner, e->x, w->inner_weight, w->inner_bias, n, hidden, inner);
    spent_on(e, MUR_KERNEL_LINEAR);
    e->activate(e->wide, n * inner);
    spent_on(e, MUR_KERNEL_ACTIVATION);
    mur_linear_add(k, e->x, e->wide, w->outer_weight, w->outer_bias, n, inner, hidden);
    spent_on(e, MUR_KERNEL_LINEAR);
    k->layer_norm(e->x, w->outer_norm_weight, w->outer_norm_bias, n, hidden, eps);
    spent_on(e, MUR_KERNEL_NORM);
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

    if (e->seconds)
        e->last = mur_monotonic();
    embed(e, ids, starts, n_texts);
    spent_on(e, MUR_KERNEL_EMBEDDING);
    for (int layer = 0; layer < c->n_layers; layer++)
        run_layer(e, &e->model->weights.layers[layer], starts, n_texts, layer == c->n_layers - 1);
    mur_head_run(e->kernels, c, &e->model->weights.head, e->x, n_texts, e->context, logits);
    spent_on(e, MUR_KERNEL_HEAD);
}
