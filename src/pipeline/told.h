/* told.h: from what each rank did in a trigger to the lines that tell of it. */
#ifndef MURMUR_TOLD_H
#define MURMUR_TOLD_H

#include "murmur/par.h"
#include "murmur/progress.h"

/* The steps of the trigger in hand, which its streams share: rank 0's. */
typedef struct mur_trigger_times {
    int64_t began_at;     /* milliseconds */
    double began, before; /* it, and the one before it; seconds, mur_monotonic; 0: there was none */
    double listing, planning, writing, commit; /* seconds */
} mur_trigger_times;

/* A trigger begins. */
void mur_trigger_begin(mur_trigger_times *t);

/* One rank's part in what a stream did. */
typedef struct mur_stream_share {
    double seconds;
    int64_t n_in, n_out, n_bytes;
    int64_t n_rejects, n_bad_dates, n_texts, n_tokens;
} mur_stream_share;

/* Collective. Completes the lines of `n` streams on rank 0 from every rank's shares: rows, rates, times, spreads. Their
 * stream, batch and offsets are set. */
void mur_told_sum_up(mur_progress_line *lines, size_t n, const mur_stream_share *mine, const mur_comm *c,
                     const mur_trigger_times *times, const char *run_id);

#endif
