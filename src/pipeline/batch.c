#include "batch.h"

#include <stddef.h>
#include <stdlib.h>

#include "murmur/clock.h"
#include "murmur/fault.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/tables.h"

/* The tables of one trigger, in the order of their parts and changes; bronze and rejects come from the sources. */
static const struct {
    const mur_schema *schema; /* bronze's is the job's: schema_of */
    size_t frame;             /* in mur_unit_tables */
    const char *input;
} written[] = {
    {&mur_bronze_schema, offsetof(mur_unit_tables, bronze), NULL},
    {&mur_rejects_schema, offsetof(mur_unit_tables, rejects), NULL},
    {&mur_silver_schema, offsetof(mur_unit_tables, silver), "bronze"},
    {&mur_gold_schema, offsetof(mur_unit_tables, gold), "silver"},
};
enum { BRONZE, REJECTS, SILVER, GOLD, N_WRITTEN };
_Static_assert(sizeof written / sizeof *written == N_WRITTEN, "a table for each name");

static const mur_schema *schema_of(const mur_job *j, size_t table)
{
    return written[table].schema == &mur_bronze_schema ? j->bronze : written[table].schema;
}

typedef struct batch {
    mur_unit_tables *done; /* the units this rank has worked off */
    size_t n_done;
    mur_file_counts *counts;  /* by file */
    mur_unit_rows *unit_rows; /* by unit; rank 0's */
    int64_t versions[N_WRITTEN];
    mur_part parts[N_WRITTEN]; /* path NULL: no rows, no part */
} batch;

/* Collective. The ranks take units until none is left. */
static int work(mur_job *j, const mur_plan *plan, batch *b)
{
    int64_t *sizes = mur_alloc(plan->n_units, sizeof *sizes), size = 0;
    for (size_t i = 0; i < plan->n_units; i++)
        size += sizes[i] = plan->units[i].n_tokens;
    mur_deal deal;
    int rc = mur_deal_open(&deal, j->c, sizes, plan->n_units);
    free(sizes);
    if (rc < 0)
        return rc;
    mur_meter_dealt(&j->meter, deal.expected, size);

    mur_worker worker = {&j->scorer, &j->meter, &j->counters, &j->slowest};
    rc = mur_fault("unit.take");
    for (size_t unit; rc == 0 && mur_deal_next(&deal, &unit);) {
        size_t next;
        if (mur_deal_peek(&deal, (size_t)j->c->node_size, &next)) /* what comes when each rank here has taken one */
            mur_work_prefetch(plan, next);
        mur_unit_tables *t = &b->done[b->n_done++];
        mur_unit_tables_init(t, unit, j->bronze);
        rc = MUR_AFTER("unit.done", mur_work_unit(t, plan, j->options, &worker, b->counts));
    }
    if (rc < 0)
        mur_deal_abandon(&deal);
    mur_deal_close(&deal, j->c);
    return mur_agree(j->c, rc);
}

/* Collective. Rank 0 gets each unit's rows from the rank that worked it off. */
static void gather_unit_rows(const mur_job *j, size_t n_units, batch *b)
{
    typedef struct own_unit {
        size_t unit;
        mur_unit_rows rows;
    } own_unit;
    mur_buf mine = {0}, all = {0};
    for (size_t i = 0; i < b->n_done; i++) {
        const mur_unit_tables *t = &b->done[i];
        own_unit own = {t->unit, {(int64_t)t->bronze.n_rows, (int64_t)t->rejects.n_rows, (int64_t)t->silver.n_rows}};
        mur_buf_append(&mine, &own, sizeof own);
    }
    mur_gather(j->c, mur_buf_view(&mine), &all, NULL);
    if (j->c->rank == 0)
        b->unit_rows = mur_alloc(n_units, sizeof *b->unit_rows);
    const own_unit *units = (const own_unit *)(const void *)all.ptr;
    for (size_t i = 0; i < all.len / sizeof *units; i++)
        b->unit_rows[units[i].unit] = units[i].rows;
    mur_buf_clear(&mine);
    mur_buf_clear(&all);
}

/* Collective. A part of each table that has rows. */
static int write_parts(mur_job *j, batch *b)
{
    double start = mur_monotonic();
    mur_meter_phase(&j->meter, MUR_PHASE_WRITING);
    mur_piece *pieces = mur_alloc(b->n_done, sizeof *pieces);
    int rc = 0;
    for (size_t t = 0; rc == 0 && t < N_WRITTEN; t++) {
        int64_t n_rows = 0, bytes = 0;
        for (size_t i = 0; i < b->n_done; i++) {
            const mur_frame *frame = (const mur_frame *)((const char *)&b->done[i] + written[t].frame);
            pieces[i] = (mur_piece){(int64_t)b->done[i].unit, frame};
            n_rows += (int64_t)frame->n_rows;
        }
        if (mur_sum(j->c, n_rows) == 0)
            continue;
        mur_part_options options = mur_job_part_options(j, b->versions[t]);
        rc = mur_part_write(&b->parts[t], j->c, schema_of(j, t), pieces, b->n_done, &options, &bytes);
        j->counters.part_bytes_written += bytes;
    }
    free(pieces);
    j->times.writing = mur_monotonic() - start;
    j->counters.write_seconds += j->times.writing;
    return rc;
}

static char *options_json(const mur_run_options *o, const mur_scorer *scorer)
{
    const char *label_map = mur_model_label_map(scorer->model);
    return mur_format("{\"mention_rule\":\"%s\",\"text\":\"%s\",\"max_value\":%lld,\"batch_tokens\":%zu%s%s}",
                      mur_mention_rule_name(o->mention_rule), o->text == MUR_TEXT_RAW ? "raw" : "cleaned",
                      (long long)o->max_value, scorer->batch_tokens, label_map ? ",\"label_map\":" : "",
                      label_map ? label_map : "");
}

/* Rank 0: the record that makes the batch exist. */
static int publish(mur_job *j, const mur_plan *plan, batch *b)
{
    mur_record r;
    mur_fault_pass("record.make");
    mur_job_record(j, &r, "INGEST", options_json(j->options, &j->scorer));
    mur_job_record_model(j, &r);
    for (size_t t = 0; t < N_WRITTEN; t++) {
        mur_change *change = mur_record_change(&r, written[t].schema->table);
        change->version = b->versions[t];
        change->columns = schema_of(j, t);
        change->input = written[t].input ? mur_strdup(written[t].input) : NULL;
        change->input_version = -1;
        for (size_t i = 0; i < t; i++)
            if (written[t].input && strcmp(written[i].schema->table, written[t].input) == 0)
                change->input_version = b->versions[i];
        if (b->parts[t].path) {
            change->added = mur_alloc(1, sizeof *change->added);
            change->added[0] = b->parts[t];
            change->n_added = 1;
            b->parts[t] = (mur_part){0};
        }
    }
    r.n_sources = plan->n_files;
    r.sources = mur_alloc(plan->n_files, sizeof *r.sources);
    for (size_t i = 0; i < plan->n_files; i++)
        r.sources[i] = (mur_source_file){mur_strdup(plan->files[i].path), plan->files[i].size, plan->files[i].mtime_ns,
                                         b->counts[i].n_rows, b->counts[i].n_rejects};
    r.n_units = plan->n_units;
    r.units = b->unit_rows;
    b->unit_rows = NULL;
    int rc = mur_store_publish(j->store, &r);
    mur_record_clear(&r);
    return rc;
}

/* Collective, after the commit. A line per stream. */
static void tell(mur_job *j, const batch *b, int64_t n_files, const mur_rank_counters *before, int64_t texts_before,
                 int64_t tokens_before)
{
    const mur_rank_counters *now = &j->counters;
    int64_t n_tweets = now->tweets - before->tweets, n_mentions = now->mentions - before->mentions;
    mur_stream_share mine[] = {{.seconds = now->ingest_seconds - before->ingest_seconds,
                                .n_in = n_tweets,
                                .n_out = n_tweets,
                                .n_bytes = now->source_bytes - before->source_bytes,
                                .n_rejects = now->rejects - before->rejects},
                               {.seconds = now->refine_seconds - before->refine_seconds,
                                .n_in = n_tweets,
                                .n_out = n_mentions,
                                .n_bad_dates = now->bad_dates - before->bad_dates},
                               {.seconds = now->score_seconds - before->score_seconds,
                                .n_in = n_mentions,
                                .n_out = n_mentions,
                                .n_texts = j->scorer.n_scored - texts_before,
                                .n_tokens = j->scorer.n_tokens - tokens_before}};
    for (size_t i = 0; i < b->n_done; i++) {
        mine[1].n_bytes += mur_frame_bytes(&b->done[i].silver);
        mine[2].n_bytes += mur_frame_bytes(&b->done[i].gold);
    }
    int64_t n_sources = j->store ? (int64_t)mur_store_n_sources(j->store) : 0;
    int64_t bronze = b->versions[BRONZE], silver = b->versions[SILVER], gold = b->versions[GOLD];
    mur_progress_line lines[] = {{.stream = MUR_STREAM_BRONZE,
                                  .batch = bronze,
                                  .start_offset = n_sources - n_files,
                                  .end_offset = n_sources,
                                  .latest_offset = n_sources - n_files + j->n_waiting},
                                 {.stream = MUR_STREAM_SILVER,
                                  .batch = silver,
                                  .start_offset = bronze - 1,
                                  .end_offset = bronze,
                                  .latest_offset = bronze},
                                 {.stream = MUR_STREAM_GOLD,
                                  .batch = gold,
                                  .start_offset = silver - 1,
                                  .end_offset = silver,
                                  .latest_offset = silver}};
    enum { N = sizeof lines / sizeof *lines };
    mur_told_sum_up(lines, N, mine, j->c, &j->times, j->run_id);
    mur_meter_batch_done(&j->meter, true, lines[0].n_in);
    mur_meter_tell(&j->meter, lines, N);
}

int mur_batch_run(mur_job *j, const mur_plan *plan, mur_file_fate *fates, bool *is_committed)
{
    batch b = {.done = mur_alloc(plan->n_units, sizeof *b.done), .counts = mur_alloc(plan->n_files, sizeof *b.counts)};
    mur_rank_counters before = j->counters;
    int64_t texts = j->scorer.n_scored, tokens = j->scorer.n_tokens, size = 0;
    *is_committed = false;
    for (size_t t = 0; t < N_WRITTEN; t++) {
        const mur_change *last = j->store ? mur_store_change(j->store, written[t].schema->table, -1) : NULL;
        b.versions[t] = mur_broadcast_int64(j->c, last ? last->version + 1 : 0);
    }
    for (size_t i = 0; i < plan->n_files; i++)
        size += plan->files[i].size;
    mur_meter_batch(&j->meter, b.versions[BRONZE], size);

    int rc = work(j, plan, &b);
    if (rc == 0) {
        mur_fault_pass("batch.sum");
        mur_sum_all(j->c, (int64_t *)b.counts, plan->n_files * sizeof *b.counts / sizeof(int64_t));
        gather_unit_rows(j, plan->n_units, &b);
        bool is_whole = true;
        for (size_t i = 0; i < plan->n_files; i++) {
            fates[i] = b.counts[i].n_failed > 0  ? MUR_FILE_FAILED
                       : b.counts[i].n_moved > 0 ? MUR_FILE_MOVED
                                                 : MUR_FILE_READ;
            is_whole = is_whole && fates[i] == MUR_FILE_READ;
        }
        if (is_whole) {
            rc = write_parts(j, &b);
            double publishing = mur_monotonic();
            if (rc == 0)
                rc = mur_agree(j->c, j->c->rank == 0 ? publish(j, plan, &b) : 0);
            j->times.commit = mur_monotonic() - publishing;
            *is_committed = rc == 0;
            if (rc == 0)
                tell(j, &b, (int64_t)plan->n_files, &before, texts, tokens);
        } else {
            j->counters = before; /* done again without the files that were not read */
            mur_meter_batch_done(&j->meter, false, 0);
        }
    }

    for (size_t i = 0; i < b.n_done; i++)
        mur_unit_tables_clear(&b.done[i]);
    mur_job_discard(j, b.parts, N_WRITTEN);
    free(b.done);
    free(b.counts);
    free(b.unit_rows);
    return rc;
}
