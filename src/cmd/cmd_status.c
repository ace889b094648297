/* Who writes a store and how far it is. Reads only; the tables are seen as of one record, beside any writer. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "five_s_text.h"
#include "murmur/clock.h"
#include "murmur/json.h"
#include "murmur/quantity.h"
#include "murmur/store.h"
#include "murmur/tables.h"
#include "murmur/writer.h"
#include "status_follow.h"

/* Of progress.jsonl: the last triggers, and the counters of thousands of ranks. */
#define LAST_BYTES (INT64_C(1) << 20)

typedef struct settings {
    bool is_json, is_following;
} settings;

static const mur_option options[] = {
    {"follow", NULL, "tell how far the job is until it ends", NULL},
    {"json", NULL, "one JSON object instead of text (with --follow: more of them, one a line)", NULL},
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    settings *s = into;
    (void)value; /* both are flags */
    *(strcmp(name, "json") == 0 ? &s->is_json : &s->is_following) = true;
    return 0;
}

/* What there is to tell. */
typedef struct facts {
    const mur_store *store;
    mur_writer writer;
    mur_disk_use disk;
    int64_t behind; /* versions of gold that application does not stand for */
    mur_progress_now now;
    bool is_now_there;
    mur_progress_history history; /* the end of it */
    mur_five_s five_s;
} facts;

static bool is_writing(const mur_writer *w)
{
    return w->state == MUR_WRITER_RUNNING || w->state == MUR_WRITER_SILENT;
}

static int gather(facts *f, const mur_store *store)
{
    const char *folder = mur_store_folder(store);
    *f = (facts){.store = store};
    const mur_change *gold = mur_store_change(store, "gold", -1);
    const mur_change *application = mur_store_change(store, "application", -1);
    f->behind = (gold ? gold->version : -1) - (application ? application->input_version : -1);
    int rc = mur_writer_look(&f->writer, folder);
    if (rc == 0)
        rc = mur_store_disk_use(folder, &f->disk);
    if (rc == 0)
        rc = mur_progress_now_read(&f->now, folder, &f->is_now_there);
    /* A job that was killed leaves its last words. */
    f->is_now_there = f->is_now_there && is_writing(&f->writer) && strcmp(f->now.run_id, f->writer.run_id) == 0;
    if (rc == 0)
        rc = mur_progress_read_last(&f->history, folder, LAST_BYTES);
    int64_t record = (int64_t)mur_store_n_records(store) - 1;
    return rc == 0 ? mur_five_s_compute(&f->five_s, store, record, &f->history.last_run) : rc;
}

/* The last trigger of a stream that is told of; NULL if none is. */
static const mur_progress_line *last_line(const facts *f, mur_stream stream)
{
    for (size_t i = f->history.n; i-- > 0;)
        if (f->history.lines[i].stream == stream)
            return &f->history.lines[i];
    return NULL;
}

static const mur_record *last_record(const mur_store *s)
{
    size_t n = mur_store_n_records(s);
    return n > 0 ? mur_store_record(s, n - 1) : NULL;
}

/* "2026-11-22T18:00:00Z", or "an unknown time". */
static const char *when(char text[MUR_TIME_TEXT], int64_t time)
{
    return time == MUR_NO_TIME ? "an unknown time" : mur_time_format(text, time);
}

static void print_writer(mur_buf *out, const mur_writer *w)
{
    char since[MUR_TIME_TEXT];
    if (w->state == MUR_WRITER_NONE) {
        mur_buf_append_text(out, "writer       none\n");
        return;
    }
    mur_buf_printf(out, "writer       %s: run %s, process %" PRId64 " on host %s%s%s, since %s, renewed %.0f s ago\n",
                   mur_writer_state_name(w->state), *w->run_id ? w->run_id : "?", w->pid, *w->host ? w->host : "?",
                   *w->job ? ", SLURM job " : "", w->job, when(since, w->since), w->silence > 0 ? w->silence : 0);
    if (w->reason)
        mur_buf_printf(out, "             %s; the next run takes over\n", w->reason);
    if (w->is_asked_to_stop)
        mur_buf_printf(out, "stop         asked at %s: the run ends after the batch in hand\n",
                       when(since, w->stop_asked));
}

static void print_progress(mur_buf *out, const facts *f)
{
    if (!f->is_now_there)
        return;
    double age = 1e-3 * (double)(mur_now_ms() - f->now.time);
    mur_buf_append_text(out, "progress     ");
    mur_progress_now_format(out, &f->now, 200);
    mur_buf_printf(out, " (%.0f s ago)\n", age > 0 ? age : 0);
}

static void print_last_run(mur_buf *out, const mur_run_counters *run)
{
    char time[MUR_TIME_TEXT], seconds[MUR_QUANTITY_TEXT];
    if (run->n_ranks == 0)
        return;
    mur_buf_printf(out, "last run     %s ended at %s after %s: %" PRId64 " tweets in %" PRId64 " batch%s, %d rank%s\n",
                   run->run_id, when(time, run->ended), mur_duration_format(seconds, run->seconds),
                   mur_run_counters_sum(run).tweets, run->n_batches, run->n_batches == 1 ? "" : "es", run->n_ranks,
                   run->n_ranks == 1 ? "" : "s");
}

static void print_streams(mur_buf *out, const facts *f)
{
    char time[MUR_TIME_TEXT];
    if (f->history.n == 0)
        return;
    mur_buf_printf(out, "\n%-13s  %7s  %12s  %12s  %11s  %8s  %s\n", "last trigger", "batch", "rows in", "rows out",
                   "rows/s", "seconds", "time");
    for (mur_stream s = 0; s < MUR_N_STREAMS; s++) {
        const mur_progress_line *l = last_line(f, s);
        if (l)
            mur_buf_printf(out, "%-13s  %7" PRId64 "  %12" PRId64 "  %12" PRId64 "  %11.1f  %8.2f  %s\n",
                           mur_stream_name(s), l->batch, l->n_in, l->n_out, l->processed_per_second, l->seconds.max,
                           when(time, l->timestamp));
    }
}

static void print_text(mur_buf *out, const facts *f)
{
    char time[MUR_TIME_TEXT], size[MUR_QUANTITY_TEXT], available[MUR_QUANTITY_TEXT];
    const mur_record *last = last_record(f->store);
    print_writer(out, &f->writer);
    print_progress(out, f);
    print_last_run(out, &f->history.last_run);
    if (last)
        mur_buf_printf(out, "last record  %" PRId64 " at %s, %s\n", last->number, mur_time_format(time, last->time),
                       last->operation);
    else
        mur_buf_append_text(out, "last record  none yet\n");
    mur_buf_printf(out, "sources      %zu files ingested\n", mur_store_n_sources(f->store));
    mur_buf_printf(out, "disk         %s in %" PRId64 " files, %s available\n", mur_size_format(size, f->disk.bytes),
                   f->disk.n_files, mur_size_format(available, f->disk.available));
    if (f->behind > 0)
        mur_buf_printf(out, "application  %" PRId64 " version%s behind gold\n", f->behind, f->behind == 1 ? "" : "s");
    else if (mur_store_change(f->store, "application", -1))
        mur_buf_append_text(out, "application  stands for all of gold\n");
    mur_buf_printf(out, "\n%-11s  %7s  %12s  %6s  %10s  %s\n", "table", "version", "rows", "parts", "bytes", "time");
    for (size_t i = 0; i < MUR_N_TABLES; i++) {
        const mur_change *c = mur_store_change(f->store, mur_tables[i]->table, -1);
        if (c)
            mur_buf_printf(out, "%-11s  %7" PRId64 "  %12" PRId64 "  %6" PRId64 "  %10s  %s\n", c->table, c->version,
                           c->n_rows, c->n_parts, mur_size_format(size, c->bytes),
                           mur_time_format(time, mur_store_record_of(f->store, c)->time));
        else
            mur_buf_printf(out, "%-11s  %7s\n", mur_tables[i]->table, "-");
    }
    print_streams(out, f);
    mur_buf_append_byte(out, '\n');
    mur_append_five_s(out, &f->five_s);
}

static void add_time(cJSON *object, const char *name, int64_t time)
{
    char text[MUR_TIME_TEXT];
    if (time == MUR_NO_TIME)
        cJSON_AddNullToObject(object, name);
    else
        cJSON_AddStringToObject(object, name, mur_time_format(text, time));
}

static void add_text(cJSON *object, const char *name, const char *text)
{
    if (text && *text)
        cJSON_AddStringToObject(object, name, text);
    else
        cJSON_AddNullToObject(object, name);
}

static void add_writer(cJSON *root, const mur_writer *w)
{
    if (w->state == MUR_WRITER_NONE) {
        cJSON_AddNullToObject(root, "writer");
        return;
    }
    cJSON *o = cJSON_AddObjectToObject(root, "writer");
    cJSON_AddStringToObject(o, "state", mur_writer_state_name(w->state));
    add_text(o, "reason", w->reason);
    add_text(o, "run_id", w->run_id);
    add_text(o, "host", w->host);
    cJSON_AddNumberToObject(o, "pid", (double)w->pid);
    add_text(o, "job", w->job);
    add_time(o, "since", w->since);
    add_time(o, "renewed", w->renewed);
    add_time(o, "stop_asked", w->is_asked_to_stop ? w->stop_asked : MUR_NO_TIME);
}

static void add_record(cJSON *root, const mur_record *last)
{
    if (!last) {
        cJSON_AddNullToObject(root, "last_record");
        return;
    }
    cJSON *o = cJSON_AddObjectToObject(root, "last_record");
    cJSON_AddNumberToObject(o, "number", (double)last->number);
    add_time(o, "time", last->time);
    cJSON_AddStringToObject(o, "operation", last->operation);
    cJSON_AddStringToObject(o, "run_id", last->run_id);
}

static void add_tables(cJSON *root, const mur_store *store)
{
    cJSON *tables = cJSON_AddObjectToObject(root, "tables");
    for (size_t i = 0; i < MUR_N_TABLES; i++) {
        const mur_change *c = mur_store_change(store, mur_tables[i]->table, -1);
        if (!c)
            continue;
        cJSON *o = cJSON_AddObjectToObject(tables, c->table);
        cJSON_AddNumberToObject(o, "version", (double)c->version);
        cJSON_AddNumberToObject(o, "rows", (double)c->n_rows);
        cJSON_AddNumberToObject(o, "parts", (double)c->n_parts);
        cJSON_AddNumberToObject(o, "bytes", (double)c->bytes);
        add_time(o, "time", mur_store_record_of(store, c)->time);
    }
}

static void add_progress(cJSON *root, const facts *f)
{
    if (f->is_now_there)
        cJSON_AddItemToObject(root, "progress", mur_progress_now_json(&f->now));
    else
        cJSON_AddNullToObject(root, "progress");
    cJSON *streams = cJSON_AddObjectToObject(root, "streams");
    for (mur_stream s = 0; s < MUR_N_STREAMS; s++) {
        const mur_progress_line *l = last_line(f, s);
        if (!l)
            continue;
        cJSON *o = cJSON_AddObjectToObject(streams, mur_stream_name(s));
        cJSON_AddStringToObject(o, "run_id", l->run_id);
        add_time(o, "time", l->timestamp);
        cJSON_AddNumberToObject(o, "batch", (double)l->batch);
        cJSON_AddNumberToObject(o, "rows_in", (double)l->n_in);
        cJSON_AddNumberToObject(o, "rows_out", (double)l->n_out);
        cJSON_AddNumberToObject(o, "rows_per_second", l->processed_per_second);
        cJSON_AddNumberToObject(o, "processing_seconds", l->seconds.max);
        cJSON_AddNumberToObject(o, "trigger_seconds", 1e-3 * (double)l->trigger_ms);
    }
}

static void add_last_run(cJSON *root, const mur_run_counters *run)
{
    if (run->n_ranks == 0) {
        cJSON_AddNullToObject(root, "last_run");
        return;
    }
    mur_rank_counters sum = mur_run_counters_sum(run);
    cJSON *o = cJSON_AddObjectToObject(root, "last_run");
    cJSON_AddStringToObject(o, "run_id", run->run_id);
    add_time(o, "began", run->began);
    add_time(o, "ended", run->ended);
    cJSON_AddNumberToObject(o, "seconds", run->seconds);
    cJSON_AddNumberToObject(o, "batches", (double)run->n_batches);
    cJSON_AddNumberToObject(o, "ranks", run->n_ranks);
    cJSON_AddNumberToObject(o, "nodes", run->n_nodes);
    cJSON_AddNumberToObject(o, "tweets", (double)sum.tweets);
    cJSON_AddNumberToObject(o, "mentions", (double)sum.mentions);
    cJSON_AddNumberToObject(o, "rejects", (double)sum.rejects);
}

static void print_json(mur_buf *out, const facts *f)
{
    cJSON *root = cJSON_CreateObject();
    add_writer(root, &f->writer);
    add_progress(root, f);
    add_last_run(root, &f->history.last_run);
    cJSON_AddItemToObject(root, "five_s", mur_five_s_json(&f->five_s));
    add_record(root, last_record(f->store));
    cJSON_AddNumberToObject(root, "sources", (double)mur_store_n_sources(f->store));
    cJSON *disk = cJSON_AddObjectToObject(root, "disk");
    cJSON_AddNumberToObject(disk, "bytes", (double)f->disk.bytes);
    cJSON_AddNumberToObject(disk, "files", (double)f->disk.n_files);
    cJSON_AddNumberToObject(disk, "available", (double)f->disk.available);
    cJSON_AddNumberToObject(root, "application_behind", (double)f->behind);
    add_tables(root, f->store);
    char *text = cJSON_PrintUnformatted(root);
    mur_buf_printf(out, "%s\n", text ? text : "null");
    free(text);
    cJSON_Delete(root);
}

/* Prints the status once; `*is_running`: a job writes the store. */
static int print_status(const char *folder, bool is_json, bool *is_running)
{
    mur_store *store;
    int rc = mur_store_open(&store, folder);
    if (rc < 0)
        return rc;
    facts f;
    rc = gather(&f, store);
    if (rc == 0) {
        mur_buf out = {0};
        (is_json ? print_json : print_text)(&out, &f);
        rc = mur_output(mur_buf_view(&out));
        mur_buf_clear(&out);
    }
    *is_running = is_writing(&f.writer);
    mur_writer_clear(&f.writer);
    mur_progress_history_clear(&f.history);
    mur_store_close(&store);
    return rc;
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings s = {0};
    bool is_running;
    int first, rc = mur_parse_options(self, argc, argv, set, &s, &first);
    if (rc != 0)
        return rc;
    rc = print_status(argv[first], s.is_json, &is_running);
    if (rc != 0 || !s.is_following || !is_running)
        return rc;
    rc = s.is_json ? 0 : mur_output(mur_view_of("\n"));
    if (rc == 0)
        rc = mur_status_follow(argv[first], s.is_json);
    if (rc == 0)
        rc = s.is_json ? 0 : mur_output(mur_view_of("\n"));
    return rc == 0 ? print_status(argv[first], s.is_json, &is_running) : rc; /* as it was left */
}

const mur_command mur_cmd_status = {
    .name = "status",
    .operands = "STORE",
    .summary = "who writes a store, and how far it is",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
