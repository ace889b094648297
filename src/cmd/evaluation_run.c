#include "evaluation_run.h"

#include <stdlib.h>

#include "evaluation_print.h"
#include "murmur/file.h"
#include "murmur/mem.h"

const char *mur_store_id(const mur_store *store)
{
    return mur_store_n_records(store) > 0 ? mur_store_record(store, 0)->run_id : NULL;
}

static void add_rates(mur_tracked_run *run, const char *name, const mur_rates *r)
{
    const struct {
        const char *name;
        double value;
    } rates[] = {{"precision", r->precision}, {"recall", r->recall}, {"f1_score", r->f1}};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        char *key = mur_format("%s_%s", name, rates[i].name);
        mur_tracked_run_metric(run, key, rates[i].value);
        free(key);
    }
}

static void add_metrics(mur_tracked_run *run, const mur_evaluation *e)
{
    mur_tracked_run_metric(run, "precision", e->positive.precision);
    mur_tracked_run_metric(run, "recall", e->positive.recall);
    mur_tracked_run_metric(run, "f1_score", e->positive.f1);
    mur_tracked_run_metric(run, "accuracy", e->accuracy);
    mur_tracked_run_metric(run, "rows", (double)e->n_rows);
    if (e->n_binned > 0)
        mur_tracked_run_metric(run, "expected_calibration_error", e->calibration_error);
    if (!e->has_three_classes)
        return;
    for (int s = 0; s < MUR_N_CLASSES; s++)
        add_rates(run, mur_class_name((mur_sentiment)s), &e->classes[s]);
    add_rates(run, "macro", &e->macro);
    add_rates(run, "weighted", &e->weighted);
    mur_tracked_run_metric(run, "class_accuracy", e->class_accuracy);
}

void mur_evaluation_run(mur_tracked_run *run, const mur_evaluation *e, const mur_store *store)
{
    const mur_record *r = e->maker;
    char *path = mur_path_absolute(mur_store_folder(store));
    add_metrics(run, e);
    mur_tracked_run_param(run, "model_name", r->model_name ? r->model_name : "");
    mur_tracked_run_param(run, "model_hash", r->model_hash ? r->model_hash : "");
    mur_tracked_run_param(run, "precision", r->precision ? r->precision : "");
    mur_tracked_run_param_int64(run, "silver_table_version", e->silver_version);
    mur_tracked_run_param_int64(run, "gold_table_version", e->gold_version);
    mur_tracked_run_param(run, "murmur_version", MURMUR_VERSION);
    mur_tracked_run_param(run, "mention_rule", e->mention_rule);
    mur_tracked_run_param(run, "text", e->text);
    mur_tracked_run_param_int64(run, "ranks", r->ranks);
    mur_tracked_run_param(run, "blas_kernel", r->blas_kernel);
    mur_tracked_run_tag(run, "mlflow.source.name", "murmur evaluate");
    mur_tracked_run_tag(run, MUR_STORE_TAG, mur_store_id(store));
    mur_tracked_run_tag(run, "murmur.store", path ? path : mur_store_folder(store));

    mur_buf note = {0}; /* MLflow shows it on the run's page, as Markdown */
    mur_buf_append_text(&note, "```\n");
    mur_evaluation_text(&note, e);
    mur_buf_append_text(&note, "```\n");
    mur_tracked_run_tag(run, "mlflow.note.content", mur_buf_text(&note));
    mur_buf_clear(&note);
    free(path);
}
