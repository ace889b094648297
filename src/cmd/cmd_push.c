/* The runs of a store in MLflow's file store to an MLflow server: those that it does not have yet. */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "evaluation_run.h"
#include "murmur/file_store.h"
#include "murmur/log.h"
#include "murmur/push.h"
#include "tracking_options.h"

static const mur_option options[] = {
    MUR_TRACKING_OPTIONS,
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    return mur_tracking_set(into, name, value);
}

/* One run that cannot be read does not keep back the others; a server that cannot be reached keeps back all. */
static int push_all(const mur_pairs *runs, mur_push_server *server)
{
    int verdict = 0;
    size_t n_pushed = 0, n_there = 0;
    mur_buf out = {0};
    for (size_t i = 0; i < runs->n && (verdict == 0 || verdict == MUR_EDATA); i++) {
        mur_pushed pushed;
        int rc = mur_push_run(server, runs->items[i].key, &pushed);
        if (rc == MUR_EDATA)
            mur_log_warn("not pushed: %s", mur_error_last()->message);
        verdict = rc < 0 ? rc : verdict;
        n_pushed += rc == 0 && !pushed.was_there;
        n_there += rc == 0 && pushed.was_there;
        if (rc == 0)
            mur_buf_printf(&out, "%s  %s  run %s there, %zu artifacts%s\n", runs->items[i].value,
                           pushed.was_there ? "was there" : "pushed   ", mur_buf_text(&pushed.run_id),
                           pushed.n_artifacts, pushed.n_artifacts_kept > 0 ? " (the others stay here)" : "");
        mur_buf_clear(&pushed.run_id);
    }
    mur_buf_printf(&out, "pushed %zu of %zu runs to %s; %zu were there\n", n_pushed, runs->n, mur_push_address(server),
                   n_there);
    int rc = mur_output(mur_buf_view(&out));
    mur_buf_clear(&out);
    return verdict < 0 ? verdict : rc;
}

static int push(const mur_tracking *t, const mur_store *store)
{
    const char *folder = mur_tracking_folder(t), *id = mur_store_id(store);
    mur_push_server *server = NULL;
    mur_pairs runs = {0};
    int rc = t->server ? mur_push_open(&server, t->server)
                       : mur_fail(MUR_EUSAGE, "push needs --tracking-uri http://… (or MLFLOW_TRACKING_URI)");
    if (rc == 0)
        rc = mur_file_store_find(&runs, folder, MUR_STORE_TAG, id ? id : "");
    if (rc == MUR_ENOINPUT)
        mur_error_add("no file store of MLflow; 'murmur evaluate' makes one");
    if (rc == 0 && runs.n == 0)
        mur_log_warn("%s has no runs of %s; 'murmur evaluate' logs one", folder, mur_store_folder(store));
    if (rc == 0)
        rc = push_all(&runs, server);
    mur_pairs_clear(&runs);
    mur_push_close(&server);
    return rc;
}

static int run(const mur_command *self, int argc, char **argv)
{
    mur_tracking t = {0};
    mur_store *store = NULL;
    int first, rc = mur_parse_options(self, argc, argv, set, &t, &first);
    if (rc == 0)
        rc = mur_store_open(&store, argv[first]);
    if (rc == 0)
        rc = push(&t, store);
    mur_store_close(&store);
    mur_tracking_clear(&t);
    return rc;
}

const mur_command mur_cmd_push = {
    .name = "push",
    .operands = "STORE",
    .summary = "send a store's runs of MLflow to a server",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
