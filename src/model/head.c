#include "head.h"

#include "approx.h"
#include "model_internal.h"
#include "murmur/encoder.h"

void mur_head_run(const mur_kernels *k, mur_linear_function *linear, const mur_model_config *c,
                  const mur_head_weights *w, const float *x, size_t n, float *scratch, float *logits)
{
    size_t hidden = (size_t)c->hidden_size, n_labels = (size_t)c->n_labels;
    linear(scratch, hidden, x, w->dense_weight, w->dense_bias, n, hidden, hidden);
    mur_kernels_activation(k, c->head_activation)(scratch, n * hidden);
    linear(logits, n_labels, scratch, w->out_weight, w->out_bias, n, hidden, n_labels);
}

/* e^-|x|, and so 1 / (1 + e^-x), without overflow. */
static float sigmoid(float x)
{
    float e = mur_exp(x < 0 ? x : -x);
    return (x < 0 ? e : 1.0f) / (1.0f + e);
}

/* Of each class: the sum of its labels' softmax; where labels are not exclusive the greatest of its labels' sigmoids,
 * since sums could pass 1. */
static void class_probabilities(const mur_model_config *c, const float *logits, float of_class[MUR_N_SENTIMENTS])
{
    if (c->is_multi_label) {
        for (int i = 0; i < c->n_labels; i++) {
            float p = sigmoid(logits[i]), *most = &of_class[c->sentiments[i]];
            *most = p > *most ? p : *most;
        }
        return;
    }
    float most = logits[0], total = 0;
    for (int i = 1; i < c->n_labels; i++)
        most = logits[i] > most ? logits[i] : most;
    for (int i = 0; i < c->n_labels; i++) {
        float e = mur_exp(logits[i] - most);
        of_class[c->sentiments[i]] += e;
        total += e;
    }
    for (int s = 0; s < MUR_N_SENTIMENTS; s++)
        of_class[s] /= total;
}

mur_sentiment mur_classify_logits(const mur_model *m, const float *logits, float *probability)
{
    const mur_model_config *c = &m->config;
    float of_class[MUR_N_SENTIMENTS] = {0};
    class_probabilities(c, logits, of_class);
    mur_sentiment best = c->sentiments[0];
    for (int i = 1; i < c->n_labels; i++)
        if (of_class[c->sentiments[i]] > of_class[best])
            best = c->sentiments[i];
    *probability = of_class[best];
    return best;
}
