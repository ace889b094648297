#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "json_lines.h"
#include "murmur/mem.h"
#include "murmur/registry.h"
#include "murmur/tokenizer.h"

typedef struct settings {
    const char *model;
    bool is_normalized_shown;
} settings;

static const mur_option options[] = {
    {"model", "MODEL",
     "folder with the tokenizer files, or NAME@VERSION of $MURMUR_MODELS (default murmur-mini, $MURMUR_MODEL)", NULL},
    {"normalized", NULL, "print the normalised text too", NULL},
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    settings *s = into;
    if (strcmp(name, "model") == 0)
        s->model = value;
    else
        s->is_normalized_shown = true;
    return 0;
}

typedef struct context {
    mur_tokenizer *tokenizer;
    mur_ids ids;
    mur_buf normalized;
    bool is_normalized_shown;
} context;

static void answer(void *with, mur_view text, mur_buf *out)
{
    context *c = with;
    c->ids.len = 0;
    mur_tokenizer_encode(c->tokenizer, text, &c->ids, NULL);
    mur_buf_append_text(out, "{\"ids\":");
    mur_append_ids(out, &c->ids);
    if (c->is_normalized_shown) {
        mur_buf_reset(&c->normalized);
        mur_tokenizer_normalize(c->tokenizer, text, &c->normalized);
        mur_buf_append_text(out, ",\"normalized\":");
        mur_append_json_string(out, mur_buf_view(&c->normalized));
    }
    mur_buf_append_text(out, "}");
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings s = {0};
    int first, rc = mur_parse_options(self, argc, argv, set, &s, &first);
    if (rc != 0)
        return rc;
    char *model = mur_model_or_default(s.model);
    context c = {.is_normalized_shown = s.is_normalized_shown};
    char *folder;
    rc = mur_registry_find(&folder, model);
    if (rc == 0)
        rc = mur_tokenizer_open(&c.tokenizer, folder);
    if (rc == 0)
        rc = mur_answer_json_lines(answer, &c);
    mur_tokenizer_close(&c.tokenizer);
    mur_ids_clear(&c.ids);
    mur_buf_clear(&c.normalized);
    free(folder);
    free(model);
    return rc;
}

const mur_command mur_cmd_tokenize = {
    .name = "tokenize",
    .operands = "",
    .summary = "JSON Lines {\"text\": ...} in, {\"ids\": [...]} out, one for one",
    .options = options,
    .min_operands = 0,
    .max_operands = 0,
    .run = run,
};
