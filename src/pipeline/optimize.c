/* optimize.c: rank 0 tells all ranks a table's parts; they share the measuring, agree on the bins by computing them
 * alike, and write each bin's rows together as one part. */
#include "murmur/optimize.h"

#include <inttypes.h>
#include <stdlib.h>

#include "bins.h"
#include "murmur/fault.h"
#include "murmur/mem.h"
#include "murmur/tables.h"
#include "table_parts.h"

void mur_optimize_options_init(mur_optimize_options *o)
{
    *o = (mur_optimize_options){.target_bytes = MUR_OPTIMIZE_TARGET, .writing = MUR_WRITING_DEFAULT};
}

/* Collective. What each part takes uncompressed; the ranks share the opening, which holds all against the log: a
 * damaged part must not become a sound one. */
static int measure(const mur_job *j, const mur_table_parts *t, int64_t *sizes)
{
    int rc = 0;
    for (size_t i = (size_t)j->c->rank; rc == 0 && i < t->rows.n; i += (size_t)j->c->n_ranks) {
        mur_part_reader *r = NULL;
        rc = MUR_STEP("optimize.check", mur_part_open(&r, j->options->store, &t->rows.parts[i]));
        sizes[i] = rc == 0 ? mur_part_raw_bytes(r) : 0;
        mur_part_close(&r);
    }
    rc = mur_agree(j->c, rc);
    if (rc == 0)
        mur_sum_all(j->c, sizes, t->rows.n);
    return rc;
}

/* This rank's share of the bin's rows: the ranks hold about as many, in order. */
static int read_share(const mur_job *j, mur_table_parts *t, const mur_bin *bin, int64_t n_rows, mur_frame *rows)
{
    int64_t low = n_rows * j->c->rank / j->c->n_ranks, high = n_rows * (j->c->rank + 1) / j->c->n_ranks;
    low += t->rows.first_rows[bin->first];
    high += t->rows.first_rows[bin->first];
    return MUR_STEP("optimize.read", mur_part_rows_read(&t->rows, j->options->store, low, high - low, rows));
}

/* Rank 0: the record that puts `part` in the place of the bin's parts. */
static int publish(const mur_job *j, const mur_table_parts *t, const mur_bin *bin, int64_t target, mur_part *part)
{
    const mur_change *former = mur_store_change(j->store, t->name, -1);
    mur_record r;
    mur_job_record(j, &r, MUR_OPERATION_REWRITE, mur_format("{\"target_size\":%" PRId64 "}", target));
    mur_change *change = mur_record_change(&r, t->name);
    change->version = former->version + 1;
    change->columns = &t->schema;
    change->input = former->input ? mur_strdup(former->input) : NULL;
    change->input_version = former->input_version;
    change->added = mur_alloc(1, sizeof *change->added);
    change->added[0] = *part;
    change->n_added = 1;
    *part = (mur_part){0};
    change->removed = mur_alloc(bin->n, sizeof *change->removed);
    for (size_t i = 0; i < bin->n; i++)
        change->removed[change->n_removed++] = mur_strdup(t->rows.parts[bin->first + i].path);
    int rc = mur_store_publish(j->store, &r);
    mur_record_clear(&r);
    return rc;
}

/* Collective. */
static int rewrite(mur_job *j, mur_table_parts *t, const mur_bin *bin, int64_t target, mur_compaction *done)
{
    mur_frame rows;
    mur_part part = {0};
    mur_frame_init(&rows, &t->schema);
    int rc = mur_agree(j->c, read_share(j, t, bin, done->n_rows, &rows));
    if (rc == 0) {
        mur_part_options options = mur_job_part_options(j, done->version);
        int64_t written;
        rc = mur_part_write(&part, j->c, &t->schema, &(mur_piece){j->c->rank, &rows}, 1, &options, &written);
    }
    done->bytes = part.bytes;
    if (rc == 0)
        rc = mur_agree(j->c, j->c->rank == 0 ? publish(j, t, bin, target, &part) : 0);
    mur_job_discard(j, &part, 1);
    mur_frame_clear(&rows);
    return rc;
}

/* Collective. */
static int optimize_table(mur_job *j, const char *name, const mur_optimize_options *o,
                          void (*say)(void *context, const mur_compaction *done), void *context)
{
    mur_table_parts t;
    int rc = mur_table_parts_load(&t, j, name);
    int64_t *sizes = mur_alloc(t.rows.n, sizeof *sizes);
    mur_bin *bins = mur_alloc(t.rows.n / 2, sizeof *bins);
    size_t n_bins = 0;
    if (rc == 0)
        rc = measure(j, &t, sizes);
    if (rc == 0)
        n_bins = mur_bins_make(bins, sizes, t.rows.n, o->target_bytes);
    for (size_t i = 0; rc == 0 && i < n_bins; i++) {
        if (mur_job_is_stopping(j)) {
            rc = mur_fail(MUR_EAGAIN, "stopped with parts of %s left to put together; run again to go on", name);
            break;
        }
        mur_compaction done = {.table = name, .n_parts = bins[i].n, .version = o->is_dry ? -1 : t.version + 1};
        for (size_t k = bins[i].first; k < bins[i].first + bins[i].n; k++) {
            done.n_rows += t.rows.parts[k].n_rows;
            done.bytes_before += t.rows.parts[k].bytes;
        }
        if (!o->is_dry)
            rc = rewrite(j, &t, &bins[i], o->target_bytes, &done);
        if (rc == 0 && j->c->rank == 0)
            say(context, &done);
        t.version++;
    }
    free(bins);
    free(sizes);
    mur_table_parts_clear(&t);
    return rc;
}

int mur_optimize(mur_comm *c, const mur_optimize_options *o, void (*say)(void *context, const mur_compaction *done),
                 void *context)
{
    mur_run_options options;
    mur_run_options_init(&options);
    options.store = o->store;
    options.writing = o->writing;
    mur_job j = {.c = c, .options = &options};
    size_t n = o->n_tables ? o->n_tables : MUR_N_TABLES;
    for (size_t i = 0; i < o->n_tables; i++)
        if (!mur_table_schema(o->tables[i]))
            return mur_fail(MUR_EUSAGE, "there is no table '%s': bronze, silver, gold, application and rejects are",
                            o->tables[i]);
    mur_job_name(&j);
    int rc = 0;
    if (c->rank == 0)
        rc = o->is_dry ? mur_store_open(&j.store, o->store) : mur_job_open_store(&j);
    rc = mur_agree(c, rc);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = optimize_table(&j, o->n_tables ? o->tables[i] : mur_tables[i]->table, o, say, context);
    mur_job_close_store(&j);
    return rc;
}
