#include "murmur/progress.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "murmur/file.h"
#include "murmur/mem.h"
#include "murmur/quantity.h"
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
    static const char *const names[] = {"listing", "checking", "scoring", "writing", "counting", "waiting"};
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

/* 0 where there is none. */
static int64_t file_size(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 ? (int64_t)about.st_size : 0;
}

/* The lines of a file from byte `first` on: what is left there of the line before is passed over. */
static int read_file(mur_progress_history *h, size_t *cap, const char *store, int number, int64_t first)
{
    char *path = mur_progress_path(store, number);
    mur_buf text = {0};
    int64_t size = file_size(path);
    int rc = first == 0 ? mur_file_read(&text, path) : mur_file_read_range(&text, path, first, size - first);
    mur_view left = mur_buf_view(&text);
    for (bool is_first = true; left.len > 0; is_first = false) {
        const char *end = memchr(left.ptr, '\n', left.len);
        size_t len = end ? (size_t)(end - left.ptr) : left.len;
        if (len > 0 && (first == 0 || !is_first))
            add_line(h, cap, (mur_view){left.ptr, len});
        left = (mur_view){left.ptr + len + (end != NULL), left.len - len - (end != NULL)};
    }
    mur_buf_clear(&text);
    free(path);
    return rc == MUR_ENOINPUT ? 0 : rc; /* not there yet, or rotated away */
}

/* Reads the files, of all of them together the last `bytes`. */
static int read_files(mur_progress_history *h, const char *store, const int *rotated, size_t n, int64_t bytes)
{
    int64_t *firsts = mur_alloc(n + 1, sizeof *firsts);
    size_t oldest = n + 1, cap = 0;
    int rc = 0;
    while (oldest > 0 && bytes > 0) { /* from the newest back, until there are enough */
        char *path = mur_progress_path(store, --oldest < n ? rotated[oldest] : 0);
        int64_t size = file_size(path);
        firsts[oldest] = size > bytes ? size - bytes : 0;
        bytes -= size;
        free(path);
    }
    for (size_t i = oldest; rc == 0 && i <= n; i++)
        rc = read_file(h, &cap, store, i < n ? rotated[i] : 0, firsts[i]);
    free(firsts);
    return rc;
}

int mur_progress_read_last(mur_progress_history *h, const char *store, int64_t bytes)
{
    int *before, *after;
    size_t n_before, n_after;
    *h = (mur_progress_history){0};
    int rc = mur_progress_rotated(store, &before, &n_before);
    for (bool is_done = false; rc == 0 && !is_done;) {
        mur_progress_history_clear(h); /* rotated meanwhile: what lay between was missed */
        rc = read_files(h, store, before, n_before, bytes);
        if (rc == 0)
            rc = mur_progress_rotated(store, &after, &n_after);
        if (rc < 0)
            break;
        is_done = (n_before > 0 ? before[n_before - 1] : 0) == (n_after > 0 ? after[n_after - 1] : 0);
        free(before);
        before = after;
        n_before = n_after;
    }
    free(before);
    if (rc < 0)
        mur_progress_history_clear(h);
    return rc;
}

int mur_progress_read(mur_progress_history *h, const char *store)
{
    return mur_progress_read_last(h, store, INT64_MAX);
}

int mur_progress_tail_read(mur_progress_tail *tail, const char *store, mur_buf *out)
{
    char *path = mur_progress_path(store, 0);
    struct stat about;
    size_t before = out->len;
    int rc = 0;
    if (stat(path, &about) < 0) {
        about = (struct stat){0};
        tail->device = tail->inode = UINT64_MAX; /* what comes is new */
    } else if (tail->inode == 0) {
        tail->offset = about.st_size;
    } else if (tail->device != about.st_dev || tail->inode != about.st_ino || about.st_size < tail->offset) {
        tail->offset = 0;
    }
    if (about.st_ino != 0) {
        tail->device = about.st_dev;
        tail->inode = about.st_ino;
        if (about.st_size > tail->offset)
            rc = mur_file_read_range(out, path, tail->offset, about.st_size - tail->offset);
    }
    while (out->len > before && out->ptr[out->len - 1] != '\n')
        out->len--; /* the rest of a line comes with it */
    tail->offset += (int64_t)(out->len - before);
    free(path);
    return rc;
}

bool mur_progress_line_parse(mur_progress_line *out, mur_view text)
{
    mur_run_counters run = {0};
    bool is_line = mur_progress_parse(text, out, &run) == MUR_PROGRESS_LINE;
    mur_run_counters_clear(&run);
    return is_line;
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
        char left[MUR_QUANTITY_TEXT];
        mur_buf_printf(out, "  ETA %s", mur_duration_format(left, now->seconds_left));
    }
    if (now->batch >= 0)
        mur_buf_printf(out, "  batch %" PRId64 ": %s", now->batch, mur_phase_name(now->phase));
    else
        mur_buf_printf(out, "  %s", mur_phase_name(now->phase));
    size_t room = columns > 0 ? (size_t)columns : 0;
    if (out->len - before > room)
        out->len = before + room;
}
