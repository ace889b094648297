#include "told.h"

#include <string.h>

#include "murmur/clock.h"

void mur_trigger_begin(mur_trigger_times *t)
{
    *t = (mur_trigger_times){.began_at = mur_now_ms(), .began = mur_monotonic(), .before = t->began};
}

static int64_t milliseconds(double seconds)
{
    return seconds > 0 ? (int64_t)(1e3 * seconds + 0.5) : 0;
}

/* Takes in the value of rank number `rank` of n. */
static void take(mur_spread *s, double value, int rank, int n)
{
    s->min = rank == 0 || value < s->min ? value : s->min;
    s->max = rank == 0 || value > s->max ? value : s->max;
    s->mean += value / n;
}

static void complete(mur_progress_line *l, const mur_trigger_times *t)
{
    double since = t->began - t->before;
    l->processing_ms = milliseconds(l->seconds.max);
    l->processed_per_second = l->seconds.max > 0 ? (double)l->n_in / l->seconds.max : 0;
    l->in_per_second = t->before > 0 && since > 0 ? (double)l->n_in / since : 0;
    l->timestamp = t->began_at;
    l->listing_ms = milliseconds(t->listing);
    l->planning_ms = milliseconds(t->planning);
    l->writing_ms = milliseconds(t->writing);
    l->commit_ms = milliseconds(t->commit);
    l->trigger_ms = milliseconds(mur_monotonic() - t->began);
}

void mur_told_sum_up(mur_progress_line *lines, size_t n, const mur_stream_share *mine, const mur_comm *c,
                     const mur_trigger_times *times, const char *run_id)
{
    mur_buf all = {0};
    mur_gather(c, (mur_view){(const char *)mine, n * sizeof *mine}, &all, NULL);
    for (size_t i = 0; c->rank == 0 && i < n; i++) {
        mur_progress_line *l = &lines[i];
        memcpy(l->run_id, run_id, sizeof l->run_id);
        l->n_ranks = c->n_ranks;
        for (int r = 0; r < c->n_ranks; r++) {
            mur_stream_share one;
            memcpy(&one, all.ptr + ((size_t)r * n + i) * sizeof one, sizeof one);
            l->n_in += one.n_in;
            l->n_out += one.n_out;
            l->n_rejects += one.n_rejects;
            l->n_bad_dates += one.n_bad_dates;
            l->n_texts += one.n_texts;
            l->n_tokens += one.n_tokens;
            take(&l->seconds, one.seconds, r, c->n_ranks);
            take(&l->rows, (double)one.n_in, r, c->n_ranks);
            take(&l->bytes, (double)one.n_bytes, r, c->n_ranks);
        }
        complete(l, times);
    }
    mur_buf_clear(&all);
}
