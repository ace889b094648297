/* How well the model's word agrees with the given labels: printed, and logged as a run of MLflow: into a file store
 * first, so that a server that cannot be reached loses nothing. */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "evaluation_files.h"
#include "evaluation_print.h"
#include "evaluation_run.h"
#include "murmur/clock.h"
#include "murmur/file_store.h"
#include "murmur/json.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/push.h"
#include "tracking_options.h"
#include "when.h"

typedef struct settings {
    bool is_json, is_untracked;
    mur_when when;
    mur_tracking tracking;
    const char *experiment, *run_name;
} settings;

static const mur_option options[] = {
    {"json", NULL, "one JSON object instead of text", NULL},
    MUR_WHEN_OPTIONS("the gold table"),
    MUR_TRACKING_OPTIONS,
    {"experiment", "NAME", "MLflow's experiment (default murmur)", "MLFLOW_EXPERIMENT_NAME"},
    {"run-name", "NAME", "the run's name (default: the store's and gold's version)", NULL},
    {"no-tracking", NULL, "only print: no run of MLflow", NULL},
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    settings *s = into;
    if (mur_when_takes(name))
        return mur_when_set(&s->when, name, value);
    if (mur_tracking_takes(name))
        return mur_tracking_set(&s->tracking, name, value);
    if (strcmp(name, "experiment") == 0 || strcmp(name, "run-name") == 0) {
        if (*value == '\0')
            return mur_fail(MUR_EUSAGE, "a name has letters");
        *(strcmp(name, "experiment") == 0 ? &s->experiment : &s->run_name) = value;
    } else {
        *(strcmp(name, "json") == 0 ? &s->is_json : &s->is_untracked) = true;
    }
    return 0;
}

/* Where the evaluation was logged. */
typedef struct logged {
    char *run_folder;                      /* NULL: nowhere */
    char *run_id, *experiment_id, *folder; /* in the file store */
    char *server, *server_run_id;          /* NULL: not there */
} logged;

static void logged_clear(logged *l)
{
    free(l->run_folder);
    free(l->run_id);
    free(l->experiment_id);
    free(l->folder);
    free(l->server);
    free(l->server_run_id);
}

/* MLRUNS/EXPERIMENT/RUN, taken apart. */
static void name_places(logged *l)
{
    char **parts[] = {&l->run_id, &l->experiment_id};
    l->folder = mur_strdup(l->run_folder);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *slash = strrchr(l->folder, '/');
        *parts[i] = mur_strdup(slash + 1);
        *slash = '\0';
    }
}

static int log_run(logged *l, const mur_evaluation *e, const mur_store *store, const settings *s, int64_t start)
{
    char id[MUR_RUN_ID], *files = NULL;
    const char *folder = mur_store_folder(store), *slash = strrchr(folder, '/');
    char *name = s->run_name
                     ? mur_strdup(s->run_name)
                     : mur_format("%s gold %lld", slash && slash[1] ? slash + 1 : folder, (long long)e->gold_version);
    mur_tracked_run run;
    mur_run_id_make(id);
    mur_tracked_run_init(&run, id, s->experiment ? s->experiment : "murmur", name);
    run.start = start;
    mur_evaluation_run(&run, e, store);
    int rc = mur_evaluation_files_make(&files, &run, e);
    if (rc == 0)
        rc = mur_file_store_add(&l->run_folder, mur_tracking_folder(&s->tracking), &run);
    if (rc == 0)
        name_places(l);
    mur_evaluation_files_remove(&files);
    mur_tracked_run_clear(&run);
    free(name);
    return rc;
}

static int push_run(logged *l, const char *store, const char *uri)
{
    mur_push_server *server;
    mur_pushed pushed = {0};
    mur_buf cure = {0};
    int rc = mur_push_open(&server, uri);
    if (rc < 0)
        return rc;
    l->server = mur_strdup(mur_push_address(server));
    rc = mur_push_run(server, l->run_folder, &pushed);
    if (rc == 0) {
        l->server_run_id = mur_strdup(mur_buf_text(&pushed.run_id));
    } else {
        mur_buf_append_text(&cure, "the run is kept, and sent by: murmur push ");
        mur_shell_append(&cure, store);
        mur_buf_append_text(&cure, " --mlruns ");
        mur_shell_append(&cure, l->folder);
        mur_buf_append_text(&cure, " --tracking-uri ");
        mur_shell_append(&cure, l->server);
        mur_log_warn("%s", mur_buf_text(&cure));
    }
    mur_buf_clear(&pushed.run_id);
    mur_buf_clear(&cure);
    mur_push_close(&server);
    return rc;
}

static void print_commands(mur_buf *out, const logged *l)
{
    mur_buf folder = {0};
    mur_shell_append(&folder, l->folder);
    const char *at = mur_buf_text(&folder);
    mur_buf_printf(out, "\nMLflow: run %s in %s\n", l->run_id, at);
    mur_buf_printf(out, "  MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri %s\n", at);
    mur_buf_printf(out,
                   "  or: mlflow migrate-filestore --source %s --target sqlite:///mlflow.db && "
                   "mlflow ui --backend-store-uri sqlite:///mlflow.db\n",
                   at);
    if (l->server_run_id)
        mur_buf_printf(out, "  pushed to %s as run %s\n", l->server, l->server_run_id);
    mur_buf_clear(&folder);
}

static void append_member(mur_buf *out, const char *before, const char *text)
{
    mur_buf_append_text(out, before);
    if (text)
        mur_json_append_string(out, mur_view_of(text));
    else
        mur_buf_append_text(out, "null");
}

static int print(const mur_evaluation *e, const logged *l, bool is_json)
{
    mur_buf out = {0};
    if (is_json) {
        mur_evaluation_json(&out, e);
        if (l->run_folder) {
            append_member(&out, ",\"mlflow\":{\"folder\":", l->folder);
            append_member(&out, ",\"experiment_id\":", l->experiment_id);
            append_member(&out, ",\"run_id\":", l->run_id);
            append_member(&out, ",\"server\":", l->server);
            append_member(&out, ",\"server_run_id\":", l->server_run_id);
            mur_buf_append_text(&out, "}}\n");
        } else {
            mur_buf_append_text(&out, ",\"mlflow\":null}\n");
        }
    } else {
        mur_evaluation_text(&out, e);
        if (l->run_folder)
            print_commands(&out, l);
    }
    int rc = mur_output(mur_buf_view(&out));
    mur_buf_clear(&out);
    return rc;
}

static int evaluate(const settings *s, const mur_store *store)
{
    int64_t record, start = mur_now_ms();
    mur_evaluation e = {0};
    logged l = {0};
    int rc = mur_when_find(&record, &s->when, store, "gold");
    if (rc == 0)
        rc = mur_evaluate(&e, store, record);
    if (rc == 0) { /* the rates are printed also where they cannot be logged */
        if (e.n_rows > 0 && !s->is_untracked)
            rc = log_run(&l, &e, store, s, start);
        if (rc == 0 && l.run_folder && s->tracking.server)
            rc = push_run(&l, mur_store_folder(store), s->tracking.server);
        int printed = print(&e, &l, s->is_json);
        rc = rc < 0 ? rc : printed;
    }
    mur_evaluation_clear(&e);
    logged_clear(&l);
    return rc;
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings s = {0};
    mur_store *store = NULL;
    int first, rc = mur_parse_options(self, argc, argv, set, &s, &first);
    if (rc == 0)
        rc = mur_store_open(&store, argv[first]);
    if (rc == 0)
        rc = evaluate(&s, store);
    mur_store_close(&store);
    mur_tracking_clear(&s.tracking);
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
