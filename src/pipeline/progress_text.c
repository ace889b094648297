#include "progress_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "murmur/clock.h"
#include "murmur/json.h"
#include "murmur/mem.h"

#define LARGEST 9007199254740992.0 /* 2^53: whole numbers above it are not told apart in JSON */

static void append_time(mur_buf *out, const char *before, int64_t time)
{
    char text[MUR_TIME_TEXT];
    mur_buf_printf(out, "%s\"%s\"", before, mur_time_format(text, time));
}

/* Finite, and short: six digits behind the point are microseconds. */
static void append_number(mur_buf *out, const char *before, double value)
{
    mur_buf_printf(out, "%s%.6f", before, isfinite(value) ? value : 0.0);
}

static void append_spread(mur_buf *out, const char *before, const mur_spread *s)
{
    append_number(out, before, s->min);
    append_number(out, ",\"mean\":", s->mean);
    append_number(out, ",\"max\":", s->max);
    mur_buf_append_byte(out, '}');
}

/* Spark's offsets are JSON of the source's own kind. */
static void append_offset(mur_buf *out, const char *name, mur_stream stream, int64_t offset)
{
    if (offset < 0)
        mur_buf_printf(out, ",\"%s\":null", name);
    else
        mur_buf_printf(out, ",\"%s\":{\"%s\":%" PRId64 "}", name, stream == MUR_STREAM_BRONZE ? "files" : "version",
                       offset);
}

static void append_table(mur_buf *out, const char *before, const char *store, const char *table)
{
    mur_buf text = {0};
    mur_buf_printf(&text, "murmur[%s/%s]", store, table);
    mur_buf_append_text(out, before);
    mur_json_append_string(out, mur_buf_view(&text));
    mur_buf_clear(&text);
}

/* The durations of Spark's MicroBatchExecution, by what they are here. */
static void append_durations(mur_buf *out, const mur_progress_line *l)
{
    mur_buf_printf(out,
                   ",\"durationMs\":{\"addBatch\":%" PRId64 ",\"commitOffsets\":%" PRId64 ",\"getBatch\":0"
                   ",\"latestOffset\":%" PRId64 ",\"queryPlanning\":%" PRId64 ",\"triggerExecution\":%" PRId64
                   ",\"walCommit\":%" PRId64 "}",
                   l->processing_ms, l->commit_ms, l->listing_ms, l->planning_ms, l->trigger_ms, l->writing_ms);
}

void mur_progress_line_format(mur_buf *out, const mur_progress_line *l, const char *store, const char *id)
{
    static const char *const inputs[] = {NULL, "bronze", "silver", "gold"};
    mur_buf_printf(out, "{\"id\":\"%.31s%d\",\"runId\":\"%s\",\"name\":\"%s\"", id, (int)l->stream, l->run_id,
                   mur_stream_name(l->stream));
    append_time(out, ",\"timestamp\":", l->timestamp);
    mur_buf_printf(out, ",\"batchId\":%" PRId64 ",\"batchDuration\":%" PRId64 ",\"numInputRows\":%" PRId64, l->batch,
                   l->trigger_ms, l->n_in);
    append_number(out, ",\"inputRowsPerSecond\":", l->in_per_second);
    append_number(out, ",\"processedRowsPerSecond\":", l->processed_per_second);
    append_durations(out, l);
    mur_buf_append_text(out, ",\"stateOperators\":[],\"sources\":[{\"description\":");
    if (inputs[l->stream])
        append_table(out, "", store, inputs[l->stream]);
    else
        mur_buf_append_text(out, "\"murmur[source files]\"");
    append_offset(out, "startOffset", l->stream, l->start_offset);
    append_offset(out, "endOffset", l->stream, l->end_offset);
    append_offset(out, "latestOffset", l->stream, l->latest_offset);
    mur_buf_printf(out, ",\"numInputRows\":%" PRId64, l->n_in);
    append_number(out, ",\"inputRowsPerSecond\":", l->in_per_second);
    append_number(out, ",\"processedRowsPerSecond\":", l->processed_per_second);
    append_table(out, "}],\"sink\":{\"description\":", store, mur_stream_table(l->stream));
    mur_buf_printf(out, ",\"numOutputRows\":%" PRId64 "},\"observedMetrics\":{", l->n_out);
    if (l->stream == MUR_STREAM_BRONZE)
        mur_buf_printf(out, "\"numRejects\":%" PRId64, l->n_rejects);
    else if (l->stream == MUR_STREAM_SILVER)
        mur_buf_printf(out, "\"numBadDates\":%" PRId64, l->n_bad_dates);
    else if (l->stream == MUR_STREAM_GOLD)
        mur_buf_printf(out, "\"numTexts\":%" PRId64 ",\"numTokens\":%" PRId64, l->n_texts, l->n_tokens);
    mur_buf_printf(out, "},\"ranks\":{\"n\":%d", l->n_ranks);
    append_spread(out, ",\"seconds\":{\"min\":", &l->seconds);
    append_spread(out, ",\"rows\":{\"min\":", &l->rows);
    append_spread(out, ",\"bytes\":{\"min\":", &l->bytes);
    mur_buf_append_text(out, "}}\n");
}

void mur_run_counters_format(mur_buf *out, const mur_run_counters *run)
{
    mur_buf_printf(out, "{\"runId\":\"%s\",\"name\":\"run\"", run->run_id);
    append_time(out, ",\"timestamp\":", run->began);
    append_time(out, ",\"ended\":", run->ended);
    append_number(out, ",\"seconds\":", run->seconds);
    mur_buf_printf(out, ",\"numBatches\":%" PRId64 ",\"nodes\":%d,\"ranks\":%d,\"slowestUnit\":{\"rank\":%d,\"file\":",
                   run->n_batches, run->n_nodes, run->n_ranks, run->slowest_rank);
    mur_json_append_string(out, mur_view_of(run->slowest_file ? run->slowest_file : ""));
    mur_buf_printf(out, ",\"tweets\":%" PRId64 ",\"tokens\":%" PRId64 "},\"counters\":{", run->slowest_tweets,
                   run->slowest_tokens);
    /* By column: a job may have thousands of ranks, and names are longer than numbers. */
#define X(name, meaning)                                                                                               \
    for (int r = 0; r < run->n_ranks; r++)                                                                             \
        mur_buf_printf(out, "%s%" PRId64, r == 0 ? "\"" #name "\":[" : ",", run->ranks[r].name);                       \
    mur_buf_append_text(out, "],");
    MUR_WHOLE_COUNTERS(X)
#undef X
#define X(name, meaning)                                                                                               \
    for (int r = 0; r < run->n_ranks; r++)                                                                             \
        append_number(out, r == 0 ? "\"" #name "\":[" : ",", run->ranks[r].name);                                      \
    mur_buf_append_text(out, "],");
    MUR_SECONDS_COUNTERS(X)
#undef X
    out->len--; /* the last comma */
    mur_buf_append_text(out, "}}\n");
}

void mur_progress_now_text(mur_buf *out, const mur_progress_now *now)
{
    mur_buf_printf(out, "{\"runId\":\"%s\"", now->run_id);
    append_time(out, ",\"time\":", now->time);
    mur_buf_printf(out, ",\"phase\":\"%s\",\"batch\":%" PRId64 ",\"numBatches\":%" PRId64, mur_phase_name(now->phase),
                   now->batch, now->n_batches);
    append_number(out, ",\"elapsed\":", now->elapsed);
    append_number(out, ",\"fraction\":", now->fraction);
    if (now->seconds_left >= 0)
        append_number(out, ",\"secondsLeft\":", now->seconds_left);
    mur_buf_printf(out, ",\"tweets\":%" PRId64, now->n_tweets);
    append_number(out, ",\"tweetsPerSecond\":", now->tweets_per_second);
    for (mur_stream s = 0; s < MUR_N_STREAMS; s++)
        mur_buf_printf(out, ",\"%s\":%" PRId64, mur_stream_name(s), now->n_rows[s]);
    mur_buf_append_text(out, "}\n");
}

/* Members of an object: 0 (`otherwise`) where there is none of the right type and range. */
static int64_t whole(const cJSON *o, const char *name, int64_t otherwise)
{
    double value = mur_json_number(o, name, (double)otherwise);
    return value >= 0 && value <= LARGEST ? (int64_t)value : otherwise;
}

static double number(const cJSON *o, const char *name)
{
    double value = mur_json_number(o, name, 0);
    return value >= 0 && value <= LARGEST ? value : 0;
}

static int64_t time_of(const cJSON *o, const char *name)
{
    int64_t time;
    return mur_time_parse(&time, mur_view_of(mur_json_string(o, name, ""))) == 0 ? time : MUR_NO_TIME;
}

/* Only what can be a run's id: it is printed as it is. */
static void copy_run_id(char out[MUR_RUN_ID], const cJSON *o)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    const char *id = mur_json_string(o, "runId", "");
    bool is_one = strlen(id) < MUR_RUN_ID && strspn(id, allowed) == strlen(id);
    snprintf(out, MUR_RUN_ID, "%s", is_one ? id : "");
}

static mur_spread spread_of(const cJSON *ranks, const char *name)
{
    const cJSON *o = mur_json_member(ranks, name);
    return (mur_spread){number(o, "min"), number(o, "mean"), number(o, "max")};
}

static int64_t offset_of(const cJSON *source, const char *name, mur_stream stream)
{
    return whole(mur_json_member(source, name), stream == MUR_STREAM_BRONZE ? "files" : "version", -1);
}

static void parse_line(mur_progress_line *l, const cJSON *o, mur_stream stream)
{
    const cJSON *durations = mur_json_member(o, "durationMs"), *ranks = mur_json_member(o, "ranks");
    const cJSON *metrics = mur_json_member(o, "observedMetrics");
    const cJSON *source = cJSON_GetArrayItem(mur_json_member(o, "sources"), 0);
    *l = (mur_progress_line){.stream = stream,
                             .timestamp = time_of(o, "timestamp"),
                             .batch = whole(o, "batchId", 0),
                             .n_in = whole(o, "numInputRows", 0),
                             .n_out = whole(mur_json_member(o, "sink"), "numOutputRows", 0),
                             .in_per_second = number(o, "inputRowsPerSecond"),
                             .processed_per_second = number(o, "processedRowsPerSecond"),
                             .processing_ms = whole(durations, "addBatch", 0),
                             .listing_ms = whole(durations, "latestOffset", 0),
                             .planning_ms = whole(durations, "queryPlanning", 0),
                             .writing_ms = whole(durations, "walCommit", 0),
                             .commit_ms = whole(durations, "commitOffsets", 0),
                             .trigger_ms = whole(durations, "triggerExecution", 0),
                             .start_offset = offset_of(source, "startOffset", stream),
                             .end_offset = offset_of(source, "endOffset", stream),
                             .latest_offset = offset_of(source, "latestOffset", stream),
                             .n_rejects = whole(metrics, "numRejects", 0),
                             .n_bad_dates = whole(metrics, "numBadDates", 0),
                             .n_texts = whole(metrics, "numTexts", 0),
                             .n_tokens = whole(metrics, "numTokens", 0),
                             .n_ranks = (int)whole(ranks, "n", 1) & INT32_MAX,
                             .seconds = spread_of(ranks, "seconds"),
                             .rows = spread_of(ranks, "rows"),
                             .bytes = spread_of(ranks, "bytes")};
    copy_run_id(l->run_id, o);
}

/* The arrays of counters; false if one that is there has not an element for each rank. */
static bool parse_counters(mur_run_counters *run, const cJSON *counters)
{
    const cJSON *at;
    int r;
#define X(name, meaning)                                                                                               \
    r = 0;                                                                                                             \
    cJSON_ArrayForEach(at, mur_json_member(counters, #name))                                                           \
    {                                                                                                                  \
        if (r == run->n_ranks)                                                                                         \
            return false;                                                                                              \
        double value = cJSON_IsNumber(at) ? at->valuedouble : 0;                                                       \
        run->ranks[r++].name = value >= 0 && value <= LARGEST ? TYPE value : 0;                                        \
    }                                                                                                                  \
    if (r != 0 && r != run->n_ranks)                                                                                   \
        return false;
#define TYPE (int64_t)
    MUR_WHOLE_COUNTERS(X)
#undef TYPE
#define TYPE
    MUR_SECONDS_COUNTERS(X)
#undef TYPE
#undef X
    return true;
}

static bool parse_run(mur_run_counters *out, const cJSON *o)
{
    const cJSON *counters = mur_json_member(o, "counters"), *unit = mur_json_member(o, "slowestUnit");
    mur_run_counters run = {.began = time_of(o, "timestamp"),
                            .ended = time_of(o, "ended"),
                            .seconds = number(o, "seconds"),
                            .n_batches = whole(o, "numBatches", 0),
                            .n_nodes = (int)whole(o, "nodes", 1) & INT32_MAX,
                            .n_ranks = cJSON_GetArraySize(mur_json_member(counters, "units")),
                            .slowest_tweets = whole(unit, "tweets", 0),
                            .slowest_tokens = whole(unit, "tokens", 0)};
    if (run.n_ranks < 1)
        return false;
    copy_run_id(run.run_id, o);
    run.ranks = mur_alloc((size_t)run.n_ranks, sizeof *run.ranks);
    run.slowest_file = mur_strdup(mur_json_string(unit, "file", ""));
    int64_t slowest = whole(unit, "rank", 0);
    run.slowest_rank = slowest < run.n_ranks ? (int)slowest : 0;
    if (!parse_counters(&run, counters)) {
        mur_run_counters_clear(&run);
        return false;
    }
    mur_run_counters_clear(out);
    *out = run;
    return true;
}

mur_progress_kind mur_progress_parse(mur_view text, mur_progress_line *line, mur_run_counters *run)
{
    mur_progress_kind kind = MUR_PROGRESS_UNREADABLE;
    cJSON *o = mur_json_parse(text, "progress");
    const char *name = mur_json_string(o, "name", "");
    if (strcmp(name, "run") == 0) {
        kind = parse_run(run, o) ? MUR_PROGRESS_RUN : MUR_PROGRESS_UNREADABLE;
    } else {
        for (mur_stream s = 0; s < MUR_N_STREAMS; s++) {
            if (strcmp(name, mur_stream_name(s)) == 0 && time_of(o, "timestamp") != MUR_NO_TIME) {
                parse_line(line, o, s);
                kind = MUR_PROGRESS_LINE;
            }
        }
    }
    cJSON_Delete(o);
    return kind;
}

bool mur_progress_now_parse(mur_progress_now *out, mur_view text)
{
    cJSON *o = mur_json_parse(text, "progress");
    const char *phase = mur_json_string(o, "phase", "");
    *out = (mur_progress_now){.time = time_of(o, "time"),
                              .phase = MUR_PHASE_WAITING,
                              .batch = whole(o, "batch", -1),
                              .n_batches = whole(o, "numBatches", 0),
                              .elapsed = number(o, "elapsed"),
                              .fraction = number(o, "fraction"),
                              .seconds_left = mur_json_number(o, "secondsLeft", -1),
                              .n_tweets = whole(o, "tweets", 0),
                              .tweets_per_second = number(o, "tweetsPerSecond")};
    copy_run_id(out->run_id, o);
    for (mur_phase p = 0; p <= MUR_PHASE_WAITING; p++)
        if (strcmp(phase, mur_phase_name(p)) == 0)
            out->phase = p;
    for (mur_stream s = 0; s < MUR_N_STREAMS; s++)
        out->n_rows[s] = whole(o, mur_stream_name(s), 0);
    out->fraction = out->fraction < 0 ? 0 : out->fraction > 1 ? 1 : out->fraction;
    cJSON_Delete(o);
    return out->time != MUR_NO_TIME;
}
