#include "evaluation_files.h"

#include <stdlib.h>

#include "evaluation_print.h"
#include "murmur/charts.h"
#include "murmur/file.h"
#include "murmur/log.h"
#include "murmur/mem.h"

static int add_json(mur_tracked_run *run, const mur_evaluation *e, const char *folder)
{
    char *path = mur_path_join(folder, "evaluation.json");
    mur_buf json = {0};
    mur_evaluation_json(&json, e);
    mur_buf_append_text(&json, "}\n");
    int rc = mur_file_write(path, mur_buf_view(&json));
    if (rc == 0)
        mur_tracked_run_artifact(run, "evaluation.json", path);
    mur_buf_clear(&json);
    free(path);
    return rc;
}

/* What drawing came to: a picture goes to the run under the name `as`. */
static bool add_picture(mur_tracked_run *run, const mur_picture *picture, const char *as, const char *folder, int rc)
{
    static const char *const kinds[] = {"png", "svg"};
    for (size_t i = 0; rc == 0 && i < sizeof kinds / sizeof *kinds; i++) {
        char *name = mur_format("%s.%s", as, kinds[i]), *path = mur_format("%s/%s.%s", folder, picture->name, kinds[i]);
        mur_tracked_run_artifact(run, name, path);
        free(name);
        free(path);
    }
    if (rc < 0)
        mur_log_warn("the run of MLflow lacks its pictures: %s", mur_error_last()->message);
    return rc >= 0;
}

static void add_pictures(mur_tracked_run *run, const mur_evaluation *e, const char *folder)
{
    static const char *const binary[] = {"not positive", "positive"};
    const char *classes[MUR_N_CLASSES];
    mur_reliability_bin bins[MUR_N_BINS];
    for (int s = 0; s < MUR_N_CLASSES; s++)
        classes[s] = mur_class_name((mur_sentiment)s);
    for (int i = 0; i < MUR_N_BINS; i++) {
        const mur_score_bin *b = &e->bins[i];
        double n = b->n_rows > 0 ? (double)b->n_rows : 1;
        bins[i] = (mur_reliability_bin){.low = (double)i / MUR_N_BINS,
                                        .high = (double)(i + 1) / MUR_N_BINS,
                                        .n_rows = b->n_rows,
                                        .confidence = b->score_sum / 100 / n,
                                        .accuracy = (double)b->n_correct / n};
    }
    const mur_picture *two = &mur_picture_confusion_binary, *three = &mur_picture_confusion;
    bool goes = add_picture(run, two, "confusion_matrix", folder,
                            mur_chart_confusion(folder, two, binary, &e->binary[0][0], 2));
    if (goes && e->has_three_classes)
        goes = add_picture(run, three, "confusion_matrix_by_class", folder,
                           mur_chart_confusion(folder, three, classes, &e->confusion[0][0], MUR_N_CLASSES));
    if (goes)
        add_picture(run, &mur_picture_reliability, "reliability", folder,
                    mur_chart_reliability(folder, bins, MUR_N_BINS));
}

int mur_evaluation_files_make(char **folder, mur_tracked_run *run, const mur_evaluation *e)
{
    int rc = mur_folder_make_temporary(folder, "evaluate");
    if (rc == 0)
        rc = add_json(run, e, *folder);
    if (rc == 0)
        add_pictures(run, e, *folder);
    return rc;
}

void mur_evaluation_files_remove(char **folder)
{
    if (*folder)
        mur_folder_remove(*folder);
    free(*folder);
    *folder = NULL;
}
