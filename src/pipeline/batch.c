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
#define N_WRITTEN (sizeof written / sizeof *written)

static const mur_schema *schema_of(const mur_job *j, size_t table)
{
    return written[table].schema == &mur_bronze_schema ? j->bronze : written[table].schema;
}

typedef struct batch {
    mur_unit_tables *done; /* the units this rank has worked off */
    size_t n_done;
    mur_file_counts *counts;  /* by file */
    mur_unit_rows *unit_rows; /* by unit */
    int64_t versions[N_WRITTEN];
    mur_part parts[N_WRITTEN]; /* path NULL: no rows, no part */
} batch;

/* Collective. The ranks take units until none is left. */
static int work(mur_job *j, const mur_plan *plan, batch *b)
{
    int64_t *sizes = mur_alloc(plan->n_units, sizeof *sizes);
    for (size_t i = 0; i < plan->n_units; i++)
        sizes[i] = plan->units[i].size;
    mur_deal deal;
    int rc = mur_deal_open(&deal, j->c, sizes, plan->n_units);
    free(sizes);
    if (rc < 0)
        return rc;

    rc = mur_fault("unit.take");
    for (size_t unit; rc == 0 && mur_deal_next(&deal, &unit);) {
        mur_unit_tables *t = &b->done[b->n_done++];
        mur_unit_tables_init(t, unit, j->bronze);
        rc = MUR_AFTER("unit.done", mur_work_unit(t, plan, j->options, &j->scorer, b->counts, &j->tally));
        b->unit_rows[unit] =
            (mur_unit_rows){(int64_t)t->bronze.n_rows, (int64_t)t->rejects.n_rows, (int64_t)t->silver.n_rows};
        mur_progress_add(&j->progress, MUR_STREAM_BRONZE, (int64_t)t->bronze.n_rows);
        mur_progress_add(&j->progress, MUR_STREAM_SILVER, (int64_t)t->bronze.n_rows);
        mur_progress_add(&j->progress, MUR_STREAM_GOLD, (int64_t)t->gold.n_rows);
    }
    mur_deal_close(&deal, j->c);
    return mur_agree(j->c, rc);
}

/* Collective. A part of each table that has rows. */
static int write_parts(mur_job *j, batch *b)
{
    double start = mur_monotonic();
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
        j->tally.bytes_written += bytes;
    }
    free(pieces);
    j->tally.write_seconds += mur_monotonic() - start;
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

/* Collective. A line per stream: rows over all ranks, and the longest time of any. */
static void tell(mur_job *j, const batch *b, const mur_plan *plan, const mur_tally *before)
{
    int64_t n_bronze = 0, n_silver = 0;
    for (size_t i = 0; i < plan->n_files; i++)
        n_bronze += b->counts[i].n_rows;
    for (size_t i = 0; i < b->n_done; i++)
        n_silver += (int64_t)b->done[i].silver.n_rows;
    n_silver = mur_sum(j->c, n_silver);
    const mur_tally *now = &j->tally;
    double seconds[] = {now->ingest_seconds - before->ingest_seconds, now->refine_seconds - before->refine_seconds,
                        now->score_seconds - before->score_seconds};
    for (int s = 0; s < 3; s++)
        seconds[s] = 1e-6 * (double)mur_max(j->c, (int64_t)(1e6 * seconds[s]));
    mur_progress_tell(&j->progress, MUR_STREAM_BRONZE, n_bronze, seconds[0]);
    mur_progress_tell(&j->progress, MUR_STREAM_SILVER, n_bronze, seconds[1]);
    mur_progress_tell(&j->progress, MUR_STREAM_GOLD, n_silver, seconds[2]);
}

int mur_batch_run(mur_job *j, const mur_plan *plan, int64_t number, mur_file_fate *fates, bool *is_committed)
{
    batch b = {.done = mur_alloc(plan->n_units, sizeof *b.done),
               .counts = mur_alloc(plan->n_files, sizeof *b.counts),
               .unit_rows = mur_alloc(plan->n_units, sizeof *b.unit_rows)};
    mur_tally before = j->tally;
    *is_committed = false;
    for (size_t t = 0; t < N_WRITTEN; t++) {
        const mur_change *last = j->store ? mur_store_change(j->store, written[t].schema->table, -1) : NULL;
        b.versions[t] = mur_broadcast_int64(j->c, last ? last->version + 1 : 0);
    }
    mur_progress_begin(&j->progress, number);

    int rc = work(j, plan, &b);
    if (rc == 0) {
        mur_fault_pass("batch.sum");
        mur_sum_all(j->c, (int64_t *)b.counts, plan->n_files * sizeof *b.counts / sizeof(int64_t));
        mur_sum_all(j->c, (int64_t *)b.unit_rows, plan->n_units * sizeof *b.unit_rows / sizeof(int64_t));
        bool is_whole = true;
        for (size_t i = 0; i < plan->n_files; i++) {
            fates[i] = b.counts[i].n_failed > 0  ? MUR_FILE_FAILED
                       : b.counts[i].n_moved > 0 ? MUR_FILE_MOVED
                                                 : MUR_FILE_READ;
            is_whole = is_whole && fates[i] == MUR_FILE_READ;
        }
        if (is_whole) {
            tell(j, &b, plan, &before);
            rc = write_parts(j, &b);
            if (rc == 0)
                rc = mur_agree(j->c, j->c->rank == 0 ? publish(j, plan, &b) : 0);
            *is_committed = rc == 0;
        } else {
            j->tally = before; /* done again without the files that were not read */
        }
    }

    for (size_t i = 0; i < b.n_done; i++)
        mur_unit_tables_clear(&b.done[i]);
    for (size_t t = 0; t < N_WRITTEN; t++)
        mur_part_clear(&b.parts[t]);
    free(b.done);
    free(b.counts);
    free(b.unit_rows);
    return rc;
}
