/* How well the model's word agrees with the given labels. */
#include <string.h>

#include "cmd.h"
#include "evaluation_print.h"
#include "when.h"

typedef struct settings {
    bool is_json;
    mur_when when;
} settings;

static const mur_option options[] = {
    {"json", NULL, "one JSON object instead of text", NULL},
    MUR_WHEN_OPTIONS("the gold table"),
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    settings *s = into;
    if (mur_when_takes(name))
        return mur_when_set(&s->when, name, value);
    s->is_json = true;
    return 0;
}

static int print(const mur_evaluation *e, bool is_json)
{
    mur_buf out = {0};
    if (is_json) {
        mur_evaluation_json(&out, e);
        mur_buf_append_text(&out, "}\n");
    } else {
        mur_evaluation_text(&out, e);
    }
    int rc = mur_output(mur_buf_view(&out));
    mur_buf_clear(&out);
    return rc;
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings s = {0};
    int first, rc = mur_parse_options(self, argc, argv, set, &s, &first);
    if (rc != 0)
        return rc;
    mur_store *store;
    rc = mur_store_open(&store, argv[first]);
    if (rc < 0)
        return rc;
    int64_t record;
    mur_evaluation e = {0};
    rc = mur_when_find(&record, &s.when, store, "gold");
    if (rc == 0)
        rc = mur_evaluate(&e, store, record);
    if (rc == 0)
        rc = print(&e, s.is_json);
    mur_evaluation_clear(&e);
    mur_store_close(&store);
    return rc;
}

const mur_command mur_cmd_evaluate = {
    .name = "evaluate",
    .operands = "STORE",
    .summary = "precision, recall, F1 and calibration of gold against the given labels",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
