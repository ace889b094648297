#include "murmur/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "murmur/file.h"
#include "murmur/mem.h"
#include "progress_file.h"
#include "progress_text.h"

const char *mur_stream_name(mur_stream stream)
{
    static const char *const names[] = {"bronze_stream", "silver_stream", "gold_stream", "application"};
    return names[stream];
}

const char *mur_stream_table(mur_stream stream)
{
    static const char *const names[] = {"bronze", "silver", "gold", "application"};
    return names[stream];
}

const char *mur_phase_name(mur_phase phase)
{
    static const char *const names[] = {"listing", "scoring", "writing", "counting", "waiting"};
    return names[phase];
}

double mur_rank_busy_seconds(const mur_rank_counters *c)
{
    return c->ingest_seconds + c->refine_seconds + c->score_seconds + c->write_seconds + c->merge_seconds;
}

mur_rank_counters mur_run_counters_sum(const mur_run_counters *run)
{
    mur_rank_counters sum = {0};
    for (int r = 0; r < run->n_ranks; r++) {
#define X(name, meaning) sum.name += run->ranks[r].name;
        MUR_WHOLE_COUNTERS(X)
        MUR_SECONDS_COUNTERS(X)
#undef X
    }
    return sum;
}

void mur_run_counters_clear(mur_run_counters *run)
{
    free(run->ranks);
    free(run->slowest_file);
    *run = (mur_run_counters){0};
}

static void add_line(mur_progress_history *h, size_t *cap, mur_view text)
{
    mur_progress_line line;
    mur_progress_kind kind = mur_progress_parse(text, &line, &h->last_run);
    h->n_unreadable += kind == MUR_PROGRESS_UNREADABLE;
    if (kind != MUR_PROGRESS_LINE)
        return;
    if (h->n == *cap) {
        *cap = mur_grown(*cap, h->n + 1);
        h->lines = mur_realloc(h->lines, *cap, sizeof *h->lines);
    }
    h->lines[h->n++] = line;
}

static int read_file(mur_progress_history *h, size_t *cap, const char *store, int number)
{
    char *path = mur_progress_path(store, number);
    mur_buf text = {0};
    int rc = mur_file_read(&text, path);
    mur_view left = mur_buf_view(&text);
    while (left.len > 0) {
        const char *end = memchr(left.ptr, '\n', left.len);
        size_t len = end ? (size_t)(end - left.ptr) : left.len;
        if (len > 0)
            add_line(h, cap, (mur_view){left.ptr, len});
        left = (mur_view){left.ptr + len + (end != NULL), left.len - len - (end != NULL)};
    }
    mur_buf_clear(&text);
    free(path);
    return rc == MUR_ENOINPUT ? 0 : rc; /* not there yet, or rotated away */
}

int mur_progress_read(mur_progress_history *h, const char *store)
{
    int *before, *after;
    size_t n_before, n_after = 0, cap = 0;
    *h = (mur_progress_history){0};
    int rc = mur_progress_rotated(store, &before, &n_before);
    while (rc == 0) {
        for (size_t i = 0; rc == 0 && i <= n_before; i++)
            rc = read_file(h, &cap, store, i < n_before ? before[i] : 0);
        if (rc == 0)
            rc = mur_progress_rotated(store, &after, &n_after);
        if (rc < 0)
            break;
        int last_before = n_before > 0 ? before[n_before - 1] : 0, last_after = n_after > 0 ? after[n_after - 1] : 0;
        free(before);
        before = after;
        n_before = n_after;
        if (last_before == last_after)
            break;
        mur_progress_history_clear(h); /* rotated meanwhile: what lay between was missed */
        cap = 0;
    }
    free(before);
    if (rc < 0)
        mur_progress_history_clear(h);
    return rc;
}

void mur_progress_history_clear(mur_progress_history *h)
{
    free(h->lines);
    mur_run_counters_clear(&h->last_run);
    *h = (mur_progress_history){0};
}

int mur_progress_now_read(mur_progress_now *out, const char *store, bool *is_there)
{
    char *path = mur_progress_now_path(store);
    mur_buf text = {0};
    int rc = mur_file_read(&text, path);
    *is_there = rc == 0 && mur_progress_now_parse(out, mur_buf_view(&text));
    mur_buf_clear(&text);
    free(path);
    return rc == MUR_ENOINPUT ? 0 : rc;
}

/* "5s", "2m 13s", "3h 5m". */
static void append_duration(mur_buf *out, double seconds)
{
    int64_t s = (int64_t)(seconds + 0.5);
    if (s < 60)
        mur_buf_printf(out, "%" PRId64 "s", s);
    else if (s < 3600)
        mur_buf_printf(out, "%" PRId64 "m %" PRId64 "s", s / 60, s % 60);
    else
        mur_buf_printf(out, "%" PRId64 "h %" PRId64 "m", s / 3600, s / 60 % 60);
}

void mur_progress_now_format(mur_buf *out, const mur_progress_now *now, int columns)
{
    enum { WIDTH = 20 };
    size_t before = out->len;
    int full = (int)(now->fraction * WIDTH);
    mur_buf_append_byte(out, '[');
    for (int i = 0; i < WIDTH; i++)
        mur_buf_append_byte(out, i < full ? '#' : '-');
    /* Not rounded up to 100 before all is done. */
    mur_buf_printf(out, "] %5.1f%%  %" PRId64 " tweets  %.0f/s", (double)(int64_t)(now->fraction * 1000) / 10,
                   now->n_tweets, now->tweets_per_second);
    if (now->seconds_left >= 0 && now->phase != MUR_PHASE_WAITING) {
        mur_buf_append_text(out, "  ETA ");
        append_duration(out, now->seconds_left);
    }
    if (now->batch >= 0)
        mur_buf_printf(out, "  batch %" PRId64 ": %s", now->batch, mur_phase_name(now->phase));
    else
        mur_buf_printf(out, "  %s", mur_phase_name(now->phase));
    size_t room = columns > 0 ? (size_t)columns : 0;
    if (out->len - before > room)
        out->len = before + room;
}
