/* What a run would find here, and what to do about it. Under mpirun or srun it speaks for all nodes. */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "murmur/doctor.h"
#include "murmur/json.h"
#include "murmur/mem.h"

typedef struct settings {
    bool is_json;
    const char *model;
} settings;

static const mur_option options[] = {
    {"model", "DIR", "the model that a run would take (default $MURMUR_MODEL or murmur-mini)", NULL},
    {"json", NULL, "one JSON object a finding", NULL},
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    settings *s = into;
    if (strcmp(name, "json") == 0)
        s->is_json = true;
    else
        s->model = value;
    return 0;
}

static void print_text(mur_buf *out, const mur_finding *f)
{
    mur_buf_printf(out, "%-4s  %-13s  %s\n", mur_finding_grade_name(f->grade), f->subject, f->text);
    if (f->cure)
        mur_buf_printf(out, "%21s%s\n", "cure: ", f->cure);
}

static void print_json(mur_buf *out, const mur_finding *f)
{
    mur_buf_append_text(out, "{\"subject\":");
    mur_json_append_string(out, mur_view_of(f->subject));
    mur_buf_printf(out, ",\"grade\":\"%s\",\"text\":", mur_finding_grade_name(f->grade));
    mur_json_append_string(out, mur_view_of(f->text));
    mur_buf_append_text(out, ",\"cure\":");
    if (f->cure)
        mur_json_append_string(out, mur_view_of(f->cure));
    else
        mur_buf_append_text(out, "null");
    mur_buf_append_text(out, "}\n");
}

/* Rank 0. */
static int print(const mur_findings *found, bool is_json)
{
    mur_buf out = {0};
    size_t n_bad = 0;
    for (size_t i = 0; i < found->n; i++) {
        n_bad += found->items[i].grade == MUR_FINDING_BAD;
        if (is_json)
            print_json(&out, &found->items[i]);
        else
            print_text(&out, &found->items[i]);
    }
    int rc = mur_output(mur_buf_view(&out));
    mur_buf_clear(&out);
    if (rc == 0 && n_bad > 0)
        rc = mur_fail(MUR_EDATA, "%zu of the findings would make a run fail: see their cures", n_bad);
    return rc;
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings s = {0};
    int first, rc = mur_parse_options(self, argc, argv, set, &s, &first);
    if (rc != 0)
        return rc;
    char *model = mur_model_or_default(s.model);
    mur_comm c;
    mur_findings found = {0};
    rc = mur_comm_open(&c);
    if (rc == 0)
        rc = mur_doctor(&found, &c, model, first < argc ? argv[first] : ".");
    if (rc == 0)
        rc = mur_agree(&c, c.rank == 0 ? print(&found, s.is_json) : 0);
    mur_comm_close(&c);
    mur_findings_clear(&found);
    free(model);
    return rc;
}

const mur_command mur_cmd_doctor = {
    .name = "doctor",
    .operands = "[FOLDER]",
    .summary = "what a run would find here: cores, BLAS, memory, file system, gnuplot, with cures",
    .options = options,
    .max_operands = 1,
    .is_collective = true,
    .run = run,
};
