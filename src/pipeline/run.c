#include "murmur/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "batch.h"
#include "estimate.h"
#include "job.h"
#include "murmur/clock.h"
#include "murmur/doctor.h"
#include "murmur/fault.h"
#include "murmur/file.h"
#include "murmur/hash.h"
#include "murmur/ingest.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/quantity.h"
#include "murmur/sources.h"
#include "murmur/tables.h"
#include "schema_file.h"
#include "settle.h"

/* Application is brought up to date at the end of a run, and in a long one at most so often; counting writes the whole
 * table, so a large one may take a twentieth of the time, and waits longer. */
#define COUNT_SECONDS 60.0
#define COUNT_TIMES 20.0

/* While a run waits for its next trigger, a request to stop is noticed within this time. */
#define LOOK_SECONDS 0.2

void mur_run_options_init(mur_run_options *o)
{
    *o = (mur_run_options){.trigger = MUR_TRIGGER_AVAILABLE_NOW,
                           .interval_ms = 10000,
                           .max_files = 1000,
                           .max_bytes = (int64_t)256 << 20,
                           .max_value = MUR_MAX_VALUE,
                           .writing = MUR_WRITING_DEFAULT};
}

/* What is to be ingested: rank 0's. */
typedef struct queue {
    mur_sources listed;
    size_t *pending; /* indices in `listed` of files not in the log, from `first` on */
    size_t first, n;
    size_t n_settling; /* files of the last look that moved too short a time before it */
    mur_map moved;     /* paths that changed or vanished since the last look: the next one decides */
    size_t n_moved;    /* those of them that changed */
    mur_map refused;   /* paths that could not be read in this run: told once, not tried again in it */
    mur_map changed;   /* paths that changed after they were ingested: told once */
    mur_map told;      /* paths that a listing named */
    mur_settle settle;
    bool is_listed; /* once at least */
} queue;

static void queue_clear(queue *q)
{
    mur_sources_clear(&q->listed);
    free(q->pending);
    mur_map_clear(&q->refused);
    mur_map_clear(&q->changed);
    mur_map_clear(&q->moved);
    mur_map_clear(&q->told);
    mur_settle_clear(&q->settle);
}

/* Rank 0. Lists the sources and drops what the log holds. */
static int look(mur_job *j, queue *q)
{
    mur_sources_clear(&q->listed);
    mur_map_reset(&q->moved);
    q->n_moved = q->n_settling = 0;
    int rc =
        MUR_STEP("source.list", mur_sources_list(&q->listed, j->options->sources, j->options->n_sources, &q->told));
    int64_t now_ns = 0;
    if (rc == 0 && j->options->settle_ms > 0) /* behind the listing: what moved meanwhile has not settled */
        rc = mur_store_clock(j->store, &now_ns);
    if (rc < 0)
        return rc;
    if (!q->is_listed && q->listed.n == 0)
        mur_log_warn("no source files (.json, .jsonl, .ndjson, also .gz) in %s%s", j->options->sources[0],
                     j->options->n_sources > 1 ? " and the other sources" : "");
    q->is_listed = true;

    free(q->pending);
    q->pending = mur_alloc(q->listed.n, sizeof *q->pending);
    q->first = q->n = 0;
    size_t n_known = 0;
    int64_t bytes = 0;
    for (size_t i = 0; i < q->listed.n; i++) {
        const mur_source *file = &q->listed.items[i];
        mur_view path = mur_view_of(file->path);
        const mur_source_file *known = mur_store_source(j->store, path);
        if (known) {
            bool is_new = false;
            if (known->size != file->size || known->mtime_ns != file->mtime_ns)
                mur_map_add(&q->changed, path, &is_new);
            if (is_new)
                mur_log_warn("%s changed after it was ingested; it is not read again (copy it to a new name to "
                             "ingest it)",
                             file->path);
            n_known++;
        } else if (mur_map_find(&q->refused, path) != MUR_MAP_NONE) {
            continue;
        } else if (!mur_settle_is_over(&q->settle, file, j->options->settle_ms, now_ns)) {
            mur_log_debug("%s is left: it moved within --settle", file->path);
            q->n_settling++;
        } else {
            q->pending[q->n++] = i;
            bytes += file->size;
        }
    }
    mur_meter_found(&j->meter, bytes);
    char settling[64] = "";
    if (q->n_settling > 0)
        snprintf(settling, sizeof settling, ", %zu not settled yet", q->n_settling);
    if (q->n > 0 || j->options->trigger != MUR_TRIGGER_INTERVAL)
        mur_log_info("%zu source files: %zu ingested before, %zu to ingest%s", q->listed.n, n_known, q->n, settling);
    return 0;
}

typedef struct refusal {
    queue *q;
    const mur_source *files;
} refusal;

/* A file that is not as it was listed: half a file is never ingested. */
static void leave(queue *q, const char *path)
{
    mur_map_add(&q->moved, mur_view_of(path), NULL);
    if (mur_path_exists(path)) {
        q->n_moved++;
        mur_log_warn("%s changed while it was to be read; it is left for the next trigger (--settle waits for files "
                     "that are being written)",
                     path);
    } else {
        mur_log_info("%s vanished before it was read", path);
    }
}

/* mur_plan_make's: what failed is in the error slot. */
static void refuse(void *context, size_t index)
{
    refusal *r = context;
    const char *path = r->files[index].path;
    if (mur_error_last()->code == MUR_EAGAIN || mur_error_last()->code == MUR_ENOINPUT) {
        leave(r->q, path);
        return;
    }
    mur_map_add(&r->q->refused, mur_view_of(path), NULL);
    mur_log_warn("%s; it will be tried again next run", mur_error_last()->message);
}

static bool is_waiting(const queue *q, const char *path)
{
    return mur_map_find(&q->refused, mur_view_of(path)) == MUR_MAP_NONE &&
           mur_map_find(&q->moved, mur_view_of(path)) == MUR_MAP_NONE;
}

/* Rank 0. The first files that wait, as many as a batch takes; paths stay the listing's. */
static size_t first_waiting(queue *q, mur_source *files, size_t most)
{
    size_t n = 0;
    while (q->first < q->n && !is_waiting(q, q->listed.items[q->pending[q->first]].path))
        q->first++;
    for (size_t i = q->first; i < q->n && n < most; i++)
        if (is_waiting(q, q->listed.items[q->pending[i]].path))
            files[n++] = q->listed.items[q->pending[i]];
    return n;
}

/* Collective. The next batch of pending files; an empty one where none is left that can be read. */
static void plan_next(const mur_job *j, queue *q, mur_plan *plan)
{
    size_t most = q->n - q->first < (size_t)j->options->max_files ? q->n - q->first : (size_t)j->options->max_files, n;
    mur_source *files = mur_alloc(most, sizeof *files);
    for (;;) {
        n = first_waiting(q, files, most);
        mur_fault_pass("batch.plan");
        if (mur_plan_make(plan, j->c, files, n, j->options->max_files, j->options->max_bytes, refuse,
                          &(refusal){q, files}) == 0 ||
            plan->n_files > 0)
            break;
        mur_plan_clear(plan); /* none of these can be read: the next ones */
    }
    free(files);
    mur_plan_estimate(plan, j->c);
}

/* Rank 0, after a batch: its files are no longer pending, or, where it could not be committed, those that failed are
 * refused, those that moved left, and the others stay. */
static void conclude(queue *q, const mur_plan *plan, const mur_file_fate *fates, bool is_committed)
{
    if (is_committed) {
        const char *last = plan->files[plan->n_files - 1].path;
        while (q->first < q->n && strcmp(q->listed.items[q->pending[q->first]].path, last) <= 0)
            q->first++;
        return;
    }
    for (size_t i = 0; i < plan->n_files; i++) {
        if (fates[i] == MUR_FILE_FAILED)
            mur_map_add(&q->refused, mur_view_of(plan->files[i].path), NULL);
        else if (fates[i] == MUR_FILE_MOVED)
            leave(q, plan->files[i].path);
    }
}

/* Files that wait and were neither refused nor left. */
static size_t n_waiting(const queue *q)
{
    size_t n = 0;
    for (size_t i = q->first; i < q->n; i++)
        n += is_waiting(q, q->listed.items[q->pending[i]].path);
    return n;
}

/* Rank 0: gold is about to hold rows of two models, or of one in two precisions, which may well be meant. */
static void compare_models(const mur_job *j)
{
    const mur_record *last = mur_job_gold_record(j);
    const char *precision = mur_precision_name(mur_model_precision(j->scorer.model));
    char hash[MUR_HASH_HEX];
    mur_hash_hex(hash, mur_model_hash(j->scorer.model));
    if (last && last->model_hash &&
        (strcmp(last->model_hash, hash) != 0 || (last->precision && strcmp(last->precision, precision) != 0)))
        mur_log_warn("gold's last rows were scored by model %s (%s, %s) and this run's will be by %s (%s, %s): name "
                     "those by --model and --precision, or let murmur rescore make them one",
                     last->model_name, last->model_hash, last->precision ? last->precision : "",
                     mur_model_name(j->scorer.model), hash, precision);
}

/* When application may be counted again: by each rank's own clock, so rank 0 decides. */
typedef struct pace {
    double last; /* the last count's end; before one the run's beginning */
    bool has_counted;
} pace;

/* Rank 0. A long run of batches is interrupted for it; a run that pauses anyway does not wait for its first one. */
static bool is_time_to_count(const mur_job *j, const pace *p, bool is_pausing)
{
    double interval = COUNT_TIMES * j->deadline.longest_count;
    interval = interval > COUNT_SECONDS ? interval : COUNT_SECONDS;
    return (is_pausing && !p->has_counted) || mur_monotonic() - p->last > interval;
}

/* Collective. */
static int count(mur_job *j, pace *p)
{
    double start = mur_monotonic();
    bool is_due = j->c->rank == 0 && mur_count_is_due(j);
    int64_t n_rows = is_due ? mur_count_rows(j) : 0;
    int rc = mur_count(j);
    p->last = mur_monotonic();
    if (is_due) {
        p->has_counted = true;
        mur_deadline_note_count(&j->deadline, p->last - start, n_rows);
    }
    return rc;
}

/* Rank 0. */
static int64_t gold_rows(const mur_job *j)
{
    const mur_change *gold = mur_store_change(j->store, "gold", -1);
    return gold ? gold->n_rows : 0;
}

/* Collective. Batches until nothing waits, a stop is asked for, or, with --trigger once, one was committed. The first
 * one's trigger began with the look at the sources. */
static int drain(mur_job *j, queue *q, pace *p)
{
    int rc = 0;
    for (bool is_first = true; rc == 0 && !mur_job_is_stopping(j); is_first = false) {
        mur_plan plan;
        if (!is_first)
            mur_trigger_begin(&j->times);
        double start = mur_monotonic();
        mur_traffic before = mur_comm_traffic(j->c);
        j->n_waiting = (int64_t)(q->n - q->first);
        plan_next(j, q, &plan);
        j->times.planning = mur_monotonic() - start;
        if (plan.n_files == 0) {
            mur_plan_clear(&plan);
            break;
        }
        mur_file_fate *fates = mur_alloc(plan.n_files, sizeof *fates);
        int64_t n_rows = j->c->rank == 0 ? gold_rows(j) : 0;
        bool is_committed;
        rc = mur_batch_run(j, &plan, fates, &is_committed);
        if (j->c->rank == 0)
            mur_deadline_note_batch(&j->deadline, mur_monotonic() - start, gold_rows(j) - n_rows);
        if (rc == 0 && j->c->rank == 0)
            conclude(q, &plan, fates, is_committed);
        free(fates);
        mur_plan_clear(&plan);
        mur_traffic now = mur_comm_traffic(j->c);
        mur_log_debug("the ranks met for this batch: %" PRId64 " agreements, %" PRId64 " gathers, %" PRId64
                      " exchanges",
                      now.n_agreements - before.n_agreements, now.n_gathers - before.n_gathers,
                      now.n_exchanges - before.n_exchanges);
        if (!is_committed)
            continue;
        if (j->options->trigger == MUR_TRIGGER_ONCE)
            break;
        if (mur_broadcast_int64(j->c, is_time_to_count(j, p, false)))
            rc = count(j, p);
    }
    return rc;
}

/* Collective. Until the next look, or until some rank is asked to stop: they compare notes five times a second. What
 * the last batches brought is counted meanwhile, when it is time to. */
static int wait_for_trigger(mur_job *j, pace *p, double since, bool *is_over)
{
    enum { WAIT, COUNT, LOOK };
    double end = since + 1e-3 * (double)j->options->interval_ms;
    bool is_behind = j->c->rank == 0 && mur_count_is_due(j);
    int rc = 0;
    mur_meter_phase(&j->meter, MUR_PHASE_WAITING);
    while (rc == 0 && !(*is_over = mur_job_is_stopping(j))) {
        double left = end - mur_monotonic();
        int64_t next = mur_broadcast_int64(j->c, is_behind && is_time_to_count(j, p, true) ? COUNT
                                                 : left <= 0                               ? LOOK
                                                                                           : WAIT);
        if (next == LOOK)
            break;
        if (next == COUNT) {
            rc = count(j, p);
            is_behind = false;
            mur_meter_phase(&j->meter, MUR_PHASE_WAITING);
        } else if (j->c->rank == 0) {
            mur_sleep(left < LOOK_SECONDS ? left : LOOK_SECONDS);
        }
    }
    return rc;
}

/* Collective. All looks and batches of the run, and the application table. */
static int ingest(mur_job *j, queue *q)
{
    pace p = {.last = mur_monotonic()};
    int rc = 0;
    for (bool is_over = false; rc == 0 && !is_over;) {
        double since = mur_monotonic();
        mur_trigger_begin(&j->times);
        mur_meter_phase(&j->meter, MUR_PHASE_LISTING);
        rc = mur_agree(j->c, j->c->rank == 0 ? look(j, q) : 0);
        j->times.listing = mur_monotonic() - since;
        if (rc == 0)
            rc = drain(j, q, &p);
        if (j->options->trigger != MUR_TRIGGER_INTERVAL)
            is_over = true;
        else if (rc == 0)
            rc = wait_for_trigger(j, &p, since, &is_over);
    }
    return rc == 0 ? count(j, &p) : rc;
}

/* Why the streams have ended. */
static const char *end_of(const mur_job *j)
{
    return j->is_late                                ? "another batch might not end before the job's time is over"
           : j->is_stopping                          ? "a stop was asked for"
           : j->options->trigger == MUR_TRIGGER_ONCE ? "one batch was asked for"
                                                     : "all is read";
}

/* Collective. What each rank did, and the totals. */
static void summarize(mur_job *j)
{
    mur_run_counters run;
    mur_job_gather_counters(j, &run);
    if (j->c->rank == 0) {
        for (int r = 0; r < run.n_ranks; r++) {
            const mur_rank_counters *own = &run.ranks[r];
            char read[MUR_QUANTITY_TEXT], wrote[MUR_QUANTITY_TEXT], peak[MUR_QUANTITY_TEXT];
            mur_log_info("rank %d: %" PRId64 " units, %" PRId64 " tweets parsed (%s), %" PRId64
                         " texts scored (%" PRId64 " tokens), %s written; busy %.2f s of %.2f: ingest %.2f, refine "
                         "%.2f, score %.2f, write %.2f, merge %.2f; peak memory %s",
                         r, own->units, own->tweets, mur_size_format(read, own->source_bytes), own->texts, own->tokens,
                         mur_size_format(wrote, own->part_bytes_written), mur_rank_busy_seconds(own), run.seconds,
                         own->ingest_seconds, own->refine_seconds, own->score_seconds, own->write_seconds,
                         own->merge_seconds, mur_size_format(peak, own->peak_bytes));
        }
        mur_rank_counters sum = mur_run_counters_sum(&run);
        mur_meter_say_totals(&j->meter);
        mur_log_info("%s, %s, %s and %s have ended: %s", mur_stream_name(MUR_STREAM_BRONZE),
                     mur_stream_name(MUR_STREAM_SILVER), mur_stream_name(MUR_STREAM_GOLD),
                     mur_stream_name(MUR_STREAM_APPLICATION), end_of(j));
        mur_log_info("done in %.1f s: %" PRId64 " tweets, %" PRId64 " rejects, %" PRId64 " mentions, %" PRId64
                     " dates not understood; %zu files in %s",
                     run.seconds, sum.tweets, sum.rejects, sum.mentions, sum.bad_dates, mur_store_n_sources(j->store),
                     j->options->store);
    }
    mur_meter_conclude(&j->meter, &run);
    mur_run_counters_clear(&run);
}

/* Rank 0. */
static int open_store(mur_job *j)
{
    int rc = mur_store_create(j->options->store);
    return rc < 0 ? rc : mur_job_open_store(j);
}

/* Rank 0. A source that is not there, or a schema that cannot be, is found before a store is made for it. */
static int check_inputs(const mur_run_options *o, mur_schema **declared)
{
    for (size_t i = 0; i < o->n_sources; i++) {
        char *path = mur_path_absolute(o->sources[i]);
        if (!path)
            return MUR_ENOINPUT;
        free(path);
    }
    if (!o->schema)
        return 0;
    int rc = MUR_STEP("schema.file", mur_schema_file_read(declared, o->schema));
    if (rc == 0 && !mur_path_exists(o->store)) {
        mur_schema *merged = NULL;
        rc = mur_schema_file_merge(&merged, &mur_bronze_schema, *declared, o->is_merging_schema, o->schema);
        mur_schema_free(&merged);
    }
    return rc;
}

int mur_run(mur_comm *c, const mur_run_options *options)
{
    mur_job j = {.c = c, .options = options};
    queue q = {0};
    mur_deadline_open(&j.deadline, options->time_limit_ms);

    mur_job_name(&j);
    mur_doctor_greet(c);
    mur_schema *declared = NULL;
    int rc = mur_agree(c, c->rank == 0 ? check_inputs(options, &declared) : 0);
    if (rc == 0)
        rc = mur_scorer_open(&j.scorer, c, options->model, options->label_map, options->precision);
    if (rc == 0)
        rc = mur_agree(c, c->rank == 0 ? open_store(&j) : 0);
    if (rc == 0)
        rc = mur_job_agree_schema(&j, declared);
    mur_schema_free(&declared);
    if (rc == 0)
        rc = mur_job_open_meter(&j);
    if (rc == 0) {
        mur_log_info("run %s: %d rank%s on %d node%s, model %s, %s, kernels %s, store %s", j.run_id, c->n_ranks,
                     c->n_ranks == 1 ? "" : "s", c->n_nodes, c->n_nodes == 1 ? "" : "s", mur_model_name(j.scorer.model),
                     mur_precision_name(options->precision), mur_model_kernel(j.scorer.model), options->store);
        if (c->rank == 0)
            compare_models(&j);
        rc = ingest(&j, &q);
        if (rc == 0)
            summarize(&j);
        mur_meter_close(&j.meter, c);
    }

    /* What is left over decides the status; rank 0 knows. */
    int left = 0;
    if (rc == 0 && c->rank == 0) {
        size_t waiting = n_waiting(&q), refused = q.refused.n_keys + q.listed.n_refused;
        if (j.is_stopping && waiting > 0)
            left = mur_fail(MUR_EAGAIN, "stopped with %zu files left; run again to go on", waiting);
        else if (refused > 0)
            left = mur_fail(MUR_EIO, "%zu source %s not be read (named above); the next run tries again", refused,
                            refused == 1 ? "file could" : "files could");
        else if (waiting > 0)
            mur_log_info("%zu files wait for the next run", waiting);
        if (q.n_settling + q.n_moved > 0)
            mur_log_info("%zu files that are still being written are left for the next run", q.n_settling + q.n_moved);
    }
    mur_schema_free(&j.bronze);
    free(j.slowest.file);
    mur_job_close_store(&j);
    queue_clear(&q);
    if (rc == 0)
        rc = mur_agree(c, left);
    mur_scorer_close(&j.scorer, c);
    return rc;
}
