#include "metrics.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "murmur/file.h"
#include "murmur/mem.h"

void mur_metrics_add(mur_metrics *m, const mur_progress_line *line)
{
    m->streams[line->stream].n_batches++;
    m->streams[line->stream].n_in += line->n_in;
    m->streams[line->stream].n_out += line->n_out;
    m->streams[line->stream].seconds += line->seconds.max;
    m->streams[line->stream].last = *line;
}

static void begin(mur_buf *out, const char *name, const char *type, const char *help)
{
    mur_buf_printf(out, "# HELP murmur_%s %s.\n# TYPE murmur_%s %s\n", name, help, name, type);
}

static void put(mur_buf *out, const char *name, double value)
{
    mur_buf_printf(out, "murmur_%s %.15g\n", name, value);
}

static void put_alone(mur_buf *out, const char *name, const char *type, const char *help, double value)
{
    begin(out, name, type, help);
    put(out, name, value);
}

static void put_of_stream(mur_buf *out, const char *name, mur_stream stream, double value)
{
    mur_buf_printf(out, "murmur_%s{stream=\"%s\"} %.15g\n", name, mur_stream_name(stream), value);
}

static void put_streams(mur_buf *out, const mur_metrics *m)
{
#define ALL(name, type, help, value)                                                                                   \
    begin(out, name, type, help);                                                                                      \
    for (mur_stream s = 0; s < MUR_N_STREAMS; s++)                                                                     \
    put_of_stream(out, name, s, (double)(value))
    ALL("batches_total", "counter", "Triggers of the stream in this run", m->streams[s].n_batches);
    ALL("input_rows_total", "counter", "Rows that the stream took in, in this run", m->streams[s].n_in);
    ALL("output_rows_total", "counter", "Rows that the stream made, in this run", m->streams[s].n_out);
    ALL("processing_seconds_total", "counter", "Processing time of the stream, the most of any rank, in this run",
        m->streams[s].seconds);
    ALL("last_batch_processed_rows_per_second", "gauge", "Rows per second of the stream's last trigger",
        m->streams[s].last.processed_per_second);
    ALL("last_batch_timestamp_seconds", "gauge", "When the stream's last trigger began",
        1e-3 * (double)m->streams[s].last.timestamp);
#undef ALL
}

static void put_ranks(mur_buf *out, const mur_run_counters *run)
{
#define X(name, meaning)                                                                                               \
    begin(out, "rank_" #name, "gauge", meaning);                                                                       \
    for (int r = 0; r < run->n_ranks; r++)                                                                             \
        mur_buf_printf(out, "murmur_rank_" #name "{rank=\"%d\"} %.15g\n", r, (double)run->ranks[r].name);
    MUR_WHOLE_COUNTERS(X)
    MUR_SECONDS_COUNTERS(X)
#undef X
}

/* Beside the file, under a name that the collector, which takes *.prom, leaves alone. */
static int replace(const char *path, mur_view text)
{
    char *temporary = mur_format("%s.%ld.tmp", path, (long)getpid());
    int rc = 0, fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        rc = mur_fail_errno(MUR_ECREATE, "cannot create %s", temporary);
    else if (write(fd, text.ptr, text.len) != (ssize_t)text.len)
        rc = mur_fail_errno(MUR_EIO, "cannot write %s", temporary);
    if (fd >= 0)
        close(fd);
    if (rc == 0 && rename(temporary, path) < 0)
        rc = mur_fail_errno(MUR_EIO, "cannot rename %s to %s", temporary, path);
    if (rc < 0 && fd >= 0)
        unlink(temporary);
    free(temporary);
    return rc;
}

int mur_metrics_write(const mur_metrics *m, const mur_progress_now *now, const char *path)
{
    mur_buf out = {0};
    begin(&out, "run_info", "gauge", "The run that these figures are of");
    mur_buf_printf(&out, "murmur_run_info{run_id=\"%s\",version=\"%s\"} 1\n", now->run_id, MURMUR_VERSION);
    put_alone(&out, "running", "gauge", "Whether the run goes on", m->is_running);
    put_alone(&out, "time_seconds", "gauge", "When these figures were written", 1e-3 * (double)now->time);
    put_alone(&out, "elapsed_seconds", "gauge", "Time since the run began", now->elapsed);
    put_alone(&out, "progress_ratio", "gauge", "Share of the source bytes found that is done", now->fraction);
    if (now->seconds_left >= 0)
        put_alone(&out, "left_seconds", "gauge", "Estimate of the time until all that was found is done",
                  now->seconds_left);
    put_alone(&out, "tweets", "gauge", "Tweets done, those of the batch in hand included", (double)now->n_tweets);
    put_streams(&out, m);
    if (m->run.ranks)
        put_ranks(&out, &m->run);
    int rc = replace(path, mur_buf_view(&out));
    mur_buf_clear(&out);
    return rc;
}
