#include "status_follow.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd.h"
#include "murmur/clock.h"
#include "murmur/json.h"
#include "murmur/quantity.h"
#include "murmur/writer.h"

#define LOOK_SECONDS 1.0
#define LINE_SECONDS 10.0
#define CLEAR_LINE "\r\033[K"

cJSON *mur_progress_now_json(const mur_progress_now *now)
{
    char time[MUR_TIME_TEXT];
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "run_id", now->run_id);
    cJSON_AddStringToObject(o, "time", mur_time_format(time, now->time));
    cJSON_AddStringToObject(o, "phase", mur_phase_name(now->phase));
    cJSON_AddNumberToObject(o, "batch", (double)now->batch);
    cJSON_AddNumberToObject(o, "batches_done", (double)now->n_batches);
    cJSON_AddNumberToObject(o, "elapsed_seconds", now->elapsed);
    cJSON_AddNumberToObject(o, "fraction", now->fraction);
    if (now->seconds_left >= 0)
        cJSON_AddNumberToObject(o, "seconds_left", now->seconds_left);
    else
        cJSON_AddNullToObject(o, "seconds_left");
    cJSON_AddNumberToObject(o, "tweets", (double)now->n_tweets);
    cJSON_AddNumberToObject(o, "tweets_per_second", now->tweets_per_second);
    cJSON *rows = cJSON_AddObjectToObject(o, "batch_rows_in");
    for (mur_stream s = 0; s < MUR_N_STREAMS; s++)
        cJSON_AddNumberToObject(rows, mur_stream_name(s), (double)now->n_rows[s]);
    return o;
}

void mur_progress_line_show(mur_buf *out, const mur_progress_line *l)
{
    char time[MUR_TIME_TEXT];
    mur_buf_printf(out, "%s %-13s batch %" PRId64 "  rows in %" PRId64 "  %.1f rows/s  processing time %.1f s\n",
                   mur_time_format(time, l->timestamp + l->trigger_ms), mur_stream_name(l->stream), l->batch, l->n_in,
                   l->processed_per_second, l->seconds.max);
}

/* What is being followed. */
typedef struct follow {
    const char *store;
    bool is_json, is_on_terminal;
    mur_progress_tail tail;
    mur_progress_now now;
    bool is_now_there;
    double told; /* when how far it is was printed last */
    mur_buf out;
} follow;

/* Prints what is to be said now, before there is more to wait for. */
static int flush(follow *f)
{
    int rc = mur_output(mur_buf_view(&f->out));
    mur_buf_reset(&f->out);
    return rc;
}

/* The triggers that ended since the last look. */
static int show_triggers(follow *f)
{
    mur_buf lines = {0};
    int rc = mur_progress_tail_read(&f->tail, f->store, &lines);
    mur_view left = mur_buf_view(&lines);
    while (left.len > 0) {
        mur_progress_line line;
        size_t len = (size_t)((const char *)memchr(left.ptr, '\n', left.len) - left.ptr);
        mur_view text = {left.ptr, len};
        if (mur_progress_line_parse(&line, text)) {
            if (f->is_json) {
                mur_buf_append_text(&f->out, "{\"trigger\":");
                mur_buf_append_view(&f->out, text);
                mur_buf_append_text(&f->out, "}\n");
            } else {
                mur_progress_line_show(&f->out, &line);
            }
        }
        left = (mur_view){left.ptr + len + 1, left.len - len - 1};
    }
    mur_buf_clear(&lines);
    return rc;
}

static void show_now(follow *f, bool is_new)
{
    double clock = mur_monotonic();
    if (!f->is_now_there)
        return;
    if (f->is_json) {
        cJSON *o = is_new ? cJSON_CreateObject() : NULL;
        char *text = o && cJSON_AddItemToObject(o, "progress", mur_progress_now_json(&f->now))
                         ? cJSON_PrintUnformatted(o)
                         : NULL;
        if (text)
            mur_buf_printf(&f->out, "%s\n", text);
        free(text);
        cJSON_Delete(o);
    } else if (f->is_on_terminal) {
        struct winsize size = {0};
        int columns = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
        mur_progress_now_format(&f->out, &f->now, columns - 1);
    } else if (is_new && clock - f->told >= LINE_SECONDS) {
        char time[MUR_TIME_TEXT];
        mur_buf_printf(&f->out, "%s ", mur_time_format(time, f->now.time));
        mur_progress_now_format(&f->out, &f->now, 200);
        mur_buf_append_byte(&f->out, '\n');
        f->told = clock;
    }
}

/* One look. `*is_over`: nobody writes the store. */
static int look(follow *f, bool *is_over)
{
    mur_writer writer;
    mur_progress_now now;
    bool is_there;
    int rc = mur_writer_look(&writer, f->store);
    *is_over = rc == 0 && (writer.state == MUR_WRITER_NONE || writer.state == MUR_WRITER_GONE);
    if (rc == 0)
        rc = mur_progress_now_read(&now, f->store, &is_there);
    if (rc == 0) {
        if (f->is_on_terminal)
            mur_buf_append_text(&f->out, CLEAR_LINE);
        rc = show_triggers(f);
    }
    if (rc == 0 && !*is_over) {
        bool is_new = is_there && (!f->is_now_there || now.time != f->now.time);
        /* Between two runs, and while a file system shows half of a change, the last word stands. */
        if (is_there && strcmp(now.run_id, writer.run_id) == 0) {
            f->now = now;
            f->is_now_there = true;
            show_now(f, is_new);
        } else {
            show_now(f, false);
        }
    }
    mur_writer_clear(&writer);
    return rc;
}

int mur_status_follow(const char *store, bool is_json)
{
    follow f = {.store = store, .is_json = is_json, .is_on_terminal = !is_json && isatty(STDOUT_FILENO)};
    int rc = 0;
    for (bool is_over = false; rc == 0 && !is_over;) {
        rc = look(&f, &is_over);
        if (rc == 0)
            rc = flush(&f);
        if (rc == 0 && !is_over)
            mur_sleep(LOOK_SECONDS);
    }
    mur_buf_clear(&f.out);
    return rc > 0 ? 0 : rc; /* the reader has gone away */
}
