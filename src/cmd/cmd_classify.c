#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "json_lines.h"
#include "murmur/encoder.h"
#include "murmur/mem.h"
#include "murmur/scorer.h"

typedef struct settings {
    const char *model, *label_map;
    mur_precision precision;
    bool is_json, are_logits_shown, are_ids_shown;
} settings;

static const mur_option options[] = {
    {"model", "MODEL",
     "classifier: a Hugging Face folder, or NAME@VERSION of $MURMUR_MODELS (default murmur-mini, $MURMUR_MODEL)", NULL},
    MUR_LABEL_MAP_OPTION,
    MUR_PRECISION_OPTION,
    {"json", NULL, "read JSON Lines {\"text\": ...}, print one object a line: label and score (0 to 1)", NULL},
    {"logits", NULL, "with --json: the model's logits, in order of its label ids", NULL},
    {"ids", NULL, "with --json: the token ids", NULL},
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    settings *s = into;
    if (strcmp(name, "model") == 0)
        s->model = value;
    else if (strcmp(name, "label-map") == 0)
        s->label_map = value;
    else if (strcmp(name, "precision") == 0)
        return mur_precision_parse(&s->precision, value);
    else if (strcmp(name, "json") == 0)
        s->is_json = true;
    else if (strcmp(name, "logits") == 0)
        s->are_logits_shown = true;
    else
        s->are_ids_shown = true;
    return 0;
}

typedef struct context {
    const settings *settings;
    mur_scorer scorer;
    mur_ids ids;
    float *logits;
    mur_buf line;
} context;

static mur_verdict judge(context *c, mur_view text)
{
    mur_verdict v;
    mur_scorer_logits(&c->scorer, text, c->logits, &c->ids);
    v.sentiment = mur_classify_logits(c->scorer.model, c->logits, &v.probability);
    return v;
}

static void answer(void *with, mur_view text, mur_buf *out)
{
    context *c = with;
    mur_verdict v = judge(c, text);
    mur_buf_printf(out, "{\"label\":\"%s\",\"score\":", mur_sentiment_name(v.sentiment));
    mur_append_float(out, v.probability);
    if (c->settings->are_logits_shown) {
        int n_labels = mur_model_config_of(c->scorer.model)->n_labels;
        mur_buf_append_text(out, ",\"logits\":");
        for (int i = 0; i < n_labels; i++) {
            mur_buf_append_byte(out, i ? ',' : '[');
            mur_append_float(out, c->logits[i]);
        }
        mur_buf_append_byte(out, ']');
    }
    if (c->settings->are_ids_shown) {
        mur_buf_append_text(out, ",\"ids\":");
        mur_append_ids(out, &c->ids);
    }
    mur_buf_append_byte(out, '}');
}

/* "POS  97.3  the text" */
static int print_text(void *with, mur_view text)
{
    context *c = with;
    mur_verdict v = judge(c, text);
    mur_buf_reset(&c->line);
    mur_buf_printf(&c->line, "%s  %5.1f  ", mur_sentiment_name(v.sentiment), 100.0 * (double)v.probability);
    mur_buf_append_view(&c->line, text);
    mur_buf_append_byte(&c->line, '\n');
    return mur_output(mur_buf_view(&c->line));
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings s = {0};
    int first, rc = mur_parse_options(self, argc, argv, set, &s, &first);
    if (rc != 0)
        return rc;
    if (!s.is_json && (s.are_logits_shown || s.are_ids_shown))
        return mur_fail(MUR_EUSAGE, "--logits and --ids go with --json");
    if (s.is_json && first < argc)
        return mur_fail(MUR_EUSAGE, "--json reads standard input; it does not take '%s'", argv[first]);

    context c = {.settings = &s};
    char *model = mur_model_or_default(s.model);
    rc = mur_scorer_open(&c.scorer, NULL, model, s.label_map, s.precision);
    if (rc == 0) {
        c.logits = mur_alloc((size_t)mur_model_config_of(c.scorer.model)->n_labels, sizeof *c.logits);
        if (s.is_json)
            rc = mur_answer_json_lines(answer, &c);
        else if (first == argc)
            rc = mur_each_line(print_text, &c);
        for (int i = first; rc == 0 && i < argc; i++)
            rc = print_text(&c, mur_view_of(argv[i]));
    }
    mur_scorer_close(&c.scorer, NULL);
    mur_ids_clear(&c.ids);
    mur_buf_clear(&c.line);
    free(c.logits);
    free(model);
    return rc;
}

const mur_command mur_cmd_classify = {
    .name = "classify",
    .operands = "[TEXT...]",
    .summary = "label and score texts, from arguments or lines of standard input",
    .options = options,
    .min_operands = 0,
    .max_operands = 100000,
    .run = run,
};
