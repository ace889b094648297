#include "labels.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "murmur/json.h"
#include "murmur/mem.h"

static const char *const sentiment_names[MUR_N_SENTIMENTS] = {"NEG", "NEU", "POS"};

/* What names tell. "N star" are ratings of 1 to 5 (nlptown and its like). A number of labels other than 0: the name
 * tells only in a model with so many. */
static const struct {
    const char *label;
    mur_sentiment sentiment;
    int n_labels;
} known[] = {
    {"NEG", MUR_NEG, 0},           {"NEU", MUR_NEU, 0},      {"POS", MUR_POS, 0},           {"NEGATIVE", MUR_NEG, 0},
    {"NEUTRAL", MUR_NEU, 0},       {"POSITIVE", MUR_POS, 0}, {"VERY NEGATIVE", MUR_NEG, 0}, {"LABEL 0", MUR_NEG, 3},
    {"VERY POSITIVE", MUR_POS, 0}, {"1 STAR", MUR_NEG, 5},   {"LABEL 1", MUR_NEU, 3},       {"5 STARS", MUR_POS, 5},
    {"2 STARS", MUR_NEG, 5},       {"LABEL 2", MUR_POS, 3},  {"4 STARS", MUR_POS, 5},       {"1 STARS", MUR_NEG, 5},
    {"3 STARS", MUR_NEU, 5},
};

const char *mur_sentiment_name(mur_sentiment s)
{
    return sentiment_names[s];
}

/* Letters in any case; '_', '-' and ' ' are one. */
static bool same_words(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        char x = *a == '_' || *a == '-' ? ' ' : (char)toupper((unsigned char)*a);
        if (x != *b)
            return false;
    }
    return *a == *b;
}

bool mur_sentiment_of_label(mur_sentiment *out, const char *label, int n_labels)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if ((known[i].n_labels == 0 || known[i].n_labels == n_labels) && same_words(label, known[i].label)) {
            *out = known[i].sentiment;
            return true;
        }
    }
    return false;
}

/* The label of that name, else of that id; -1 where there is none. */
static int find_label(const mur_model_config *c, const char *word)
{
    for (int i = 0; i < c->n_labels; i++)
        if (strcmp(c->labels[i], word) == 0)
            return i;
    char id[16];
    for (int i = 0; i < c->n_labels; i++) {
        snprintf(id, sizeof id, "%d", i);
        if (strcmp(id, word) == 0)
            return i;
    }
    return -1;
}

/* Without the spaces around it, in place. */
static char *trim(char *word)
{
    while (*word == ' ')
        word++;
    for (size_t len = strlen(word); len > 0 && word[len - 1] == ' '; len--)
        word[len - 1] = '\0';
    return word;
}

static void append_labels(mur_buf *out, const mur_model_config *c)
{
    for (int i = 0; i < c->n_labels; i++)
        mur_buf_printf(out, "%s%s", i ? ", " : "", c->labels[i]);
}

/* One "LABEL=CLASS". The class stands behind the last '=': a label may hold one. */
static int read_pair(const mur_model_config *c, char *pair, int *chosen)
{
    char *equals = strrchr(pair, '=');
    mur_sentiment sentiment;
    if (!equals)
        return mur_fail(MUR_EUSAGE, "label map: '%.100s' is not LABEL=CLASS, as in LABEL_0=NEG", pair);
    *equals = '\0';
    const char *label = trim(pair), *class = trim(equals + 1);
    if (!mur_sentiment_of_label(&sentiment, class, 0))
        return mur_fail(MUR_EUSAGE, "label map: '%.100s' of label %.100s is not NEG, NEU or POS", class, label);
    int i = find_label(c, label);
    if (i < 0) {
        mur_buf all = {0};
        append_labels(&all, c);
        int rc = mur_fail(MUR_EUSAGE, "label map: the model has no label '%.100s'; it has %.1000s", label,
                          mur_buf_text(&all));
        mur_buf_clear(&all);
        return rc;
    }
    if (chosen[i] >= 0)
        return mur_fail(MUR_EUSAGE, "label map: label %.100s is there twice", c->labels[i]);
    chosen[i] = (int)sentiment;
    return 0;
}

/* chosen[n_labels]: the classes that the map gives, -1 for labels that it leaves out. */
static int read_map(const mur_model_config *c, const char *map, int *chosen)
{
    for (int i = 0; i < c->n_labels; i++)
        chosen[i] = -1;
    if (!map)
        return 0;
    char *pairs = mur_strdup(map), *rest = pairs, *pair;
    int rc = 0;
    while (rc == 0 && (pair = strsep(&rest, ",")))
        rc = read_pair(c, trim(pair), chosen);
    free(pairs);
    return rc;
}

static int fail_untold(const mur_model_config *c, int label, const char *path)
{
    mur_buf all = {0};
    append_labels(&all, c);
    int rc =
        mur_fail(MUR_EDATA,
                 "%s: label \"%s\" (id2label \"%d\") does not say whether it is negative, neutral or positive; say "
                 "it with --label-map '%s=NEG,…' for each such label (NEG, NEU or POS); the labels are %.1000s",
                 path, c->labels[label], label, c->labels[label], mur_buf_text(&all));
    mur_buf_clear(&all);
    return rc;
}

int mur_labels_map(mur_model_config *c, const char *map, mur_buf *canonical, const char *path)
{
    int *chosen = mur_alloc((size_t)c->n_labels, sizeof *chosen);
    int rc = read_map(c, map, chosen);
    for (int i = 0; rc == 0 && i < c->n_labels; i++) {
        if (chosen[i] >= 0) {
            c->sentiments[i] = (mur_sentiment)chosen[i];
            mur_buf_append_byte(canonical, canonical->len ? ',' : '{');
            mur_json_append_string(canonical, mur_view_of(c->labels[i]));
            mur_buf_printf(canonical, ":\"%s\"", mur_sentiment_name(c->sentiments[i]));
        } else if (!mur_sentiment_of_label(&c->sentiments[i], c->labels[i], c->n_labels)) {
            rc = fail_untold(c, i, path);
        }
    }
    if (canonical->len) {
        mur_buf_append_byte(canonical, '}');
        mur_buf_text(canonical); /* readable as a C string from now on */
    }
    free(chosen);
    return rc;
}
