#include "head.h"

#include <stdlib.h>
#include <strings.h>

#include "approx.h"
#include "model_internal.h"
#include "murmur/encoder.h"

static const char *const sentiment_names[MUR_N_SENTIMENTS] = {"NEG", "NEU", "POS"};

const char *mur_sentiment_name(mur_sentiment s)
{
    return sentiment_names[s];
}

bool mur_sentiment_of_label(mur_sentiment *out, const char *label, int n_labels)
{
    static const struct {
        const char *label;
        mur_sentiment sentiment;
        bool is_numbered; /* the names transformers gives where a model has none: cardiffnlp's three-label models */
    } known[] = {
        {"NEG", MUR_NEG, false},      {"NEU", MUR_NEU, false},     {"POS", MUR_POS, false},
        {"NEGATIVE", MUR_NEG, false}, {"NEUTRAL", MUR_NEU, false}, {"POSITIVE", MUR_POS, false},
        {"LABEL_0", MUR_NEG, true},   {"LABEL_1", MUR_NEU, true},  {"LABEL_2", MUR_POS, true},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcasecmp(known[i].label, label) == 0 && (!known[i].is_numbered || n_labels == MUR_N_SENTIMENTS)) {
            *out = known[i].sentiment;
            return true;
        }
    }
    return false;
}

void mur_head_run(const mur_kernels *k, const mur_model_config *c, const mur_head_weights *w, const float *x, size_t n,
                  float *scratch, float *logits)
{
    size_t hidden = (size_t)c->hidden_size, n_labels = (size_t)c->n_labels;
    mur_linear(scratch, hidden, x, w->dense_weight, w->dense_bias, n, hidden, hidden);
    k->tanh(scratch, n * hidden);
    mur_linear(logits, n_labels, scratch, w->out_weight, w->out_bias, n, hidden, n_labels);
}

mur_sentiment mur_classify_logits(const mur_model *m, const float *logits, float *probability)
{
    const mur_model_config *c = &m->config;
    float most = logits[0];
    for (int i = 1; i < c->n_labels; i++)
        most = logits[i] > most ? logits[i] : most;

    float total = 0, of_class[MUR_N_SENTIMENTS] = {0};
    for (int i = 0; i < c->n_labels; i++) {
        float e = mur_exp(logits[i] - most);
        of_class[c->sentiments[i]] += e;
        total += e;
    }
    mur_sentiment best = c->sentiments[0];
    for (int i = 1; i < c->n_labels; i++)
        if (of_class[c->sentiments[i]] > of_class[best])
            best = c->sentiments[i];
    *probability = of_class[best] / total;
    return best;
}
