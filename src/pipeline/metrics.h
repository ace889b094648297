/* metrics.h: a job's figures as a Prometheus text file, for node_exporter's textfile collector. Local. */
#ifndef MURMUR_METRICS_H
#define MURMUR_METRICS_H

#include "murmur/progress.h"

/* What a stream, and all of them, have done in this run; zeroed is nothing. */
typedef struct mur_stream_totals {
    int64_t n_batches, n_in, n_out;
    double seconds;         /* processing time */
    mur_progress_line last; /* where n_batches is not 0 */
} mur_stream_totals;

typedef struct mur_metrics {
    bool is_running;
    mur_stream_totals streams[MUR_N_STREAMS];
    mur_run_counters run; /* once the run has ended */
} mur_metrics;

void mur_metrics_add(mur_metrics *m, const mur_progress_line *line);

/* Replaces `path` by a whole new file, in one instant. Names, types and units are docs/FORMAT.md's. MUR_EIO,
 * MUR_ECREATE. */
int mur_metrics_write(const mur_metrics *m, const mur_progress_now *now, const char *path) MUR_MUST_USE;

#endif
