/* tracked_run.h: a run as MLflow knows it: of an experiment, with metrics, params, tags and artifacts.
 *
 *     mur_tracked_run r;
 *     mur_tracked_run_init(&r, id, "murmur", "evaluate 3");
 *     mur_tracked_run_metric(&r, "f1_score", 0.91);
 *     mur_tracked_run_param(&r, "model_name", "murmur-mini");
 *     mur_tracked_run_clear(&r);
 *
 * Keys are of letters, digits and "_-./ ", as MLflow wants them.
 */
#ifndef MURMUR_TRACKED_RUN_H
#define MURMUR_TRACKED_RUN_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/buf.h"

#define MUR_TRACKED_RUN_ID 33 /* 32 hexadecimal digits and a NUL */

/* MLflow's RunStatus, by its numbers (mlflow/protos/service.proto). */
typedef enum { MUR_RUNNING = 1, MUR_SCHEDULED, MUR_FINISHED, MUR_FAILED, MUR_KILLED } mur_run_status;

typedef struct mur_metric {
    char *key;
    double value;
    int64_t time, step; /* milliseconds since 1970 */
} mur_metric;

typedef struct mur_pair {
    char *key, *value;
} mur_pair;

typedef struct mur_pairs {
    mur_pair *items;
    size_t n, cap;
} mur_pairs;

typedef struct mur_tracked_run {
    char id[MUR_TRACKED_RUN_ID];
    char *experiment, *name, *user; /* never NULL */
    mur_run_status status;
    int64_t start, end; /* milliseconds since 1970; end is MUR_NO_TIME while it runs */
    mur_metric *metrics;
    size_t n_metrics, cap_metrics;
    mur_pairs params, tags;
    mur_pairs artifacts; /* key: its path among the run's artifacts; value: the file */
} mur_tracked_run;

/* A finished run that starts and ends now, of the user that the process runs as, with the tags of MLflow's own that say
 * so. `id` is copied. All text that is given is copied, and mended where it is no UTF-8. */
void mur_tracked_run_init(mur_tracked_run *r, const char *id, const char *experiment, const char *name);
void mur_tracked_run_clear(mur_tracked_run *r);

/* The metric gets the run's end as its time, and step 0. A param is one line: control characters become spaces. */
void mur_tracked_run_metric(mur_tracked_run *r, const char *key, double value);
void mur_tracked_run_point(mur_tracked_run *r, const char *key, double value, int64_t time, int64_t step);
void mur_tracked_run_param(mur_tracked_run *r, const char *key, const char *value);
void mur_tracked_run_param_int64(mur_tracked_run *r, const char *key, int64_t value);
void mur_tracked_run_tag(mur_tracked_run *r, const char *key, const char *value);
void mur_tracked_run_artifact(mur_tracked_run *r, const char *name, const char *path);

/* The value, borrowed; NULL if there is none such. */
const char *mur_pairs_find(const mur_pairs *p, const char *key);
void mur_pairs_add(mur_pairs *p, const char *key, mur_view value);
void mur_pairs_clear(mur_pairs *p);

#endif
