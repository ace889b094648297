#include "job.h"

#include <stdlib.h>
#include <string.h>

#include "murmur/clock.h"
#include "murmur/fault.h"
#include "murmur/hash.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/stop.h"
#include "murmur/tables.h"
#include "murmur/usage.h"
#include "schema_file.h"

void mur_job_name(mur_job *j)
{
    mur_buf name = {0};
    j->began = mur_monotonic();
    j->began_at = mur_now_ms();
    mur_run_id_make(j->run_id);
    mur_buf_append(&name, j->run_id, sizeof j->run_id);
    mur_broadcast(j->c, &name);
    memcpy(j->run_id, name.ptr, sizeof j->run_id);
    mur_buf_clear(&name);
}

int mur_job_open_meter(mur_job *j)
{
    const mur_record *first = j->store ? mur_store_record(j->store, 0) : NULL;
    mur_meter_options options = {.store = j->options->store,
                                 .run_id = j->run_id,
                                 .store_id = first ? first->run_id : j->run_id,
                                 .metrics_file = j->options->metrics_file,
                                 .scorer = &j->scorer};
    int rc = mur_meter_open(&j->meter, j->c, &options);
    if (rc == 0) {
        j->scorer.tick = mur_meter_tick;
        j->scorer.context = &j->meter;
    }
    return rc;
}

/* What is counted elsewhere, or by the system. */
static void complete_counters(mur_job *j)
{
    mur_rank_counters *own = &j->counters;
    mur_traffic traffic = mur_comm_traffic(j->c);
    mur_usage usage;
    mur_usage_look(&usage);
    own->node = j->c->node;
    own->texts = j->scorer.n_scored;
    own->tokens = j->scorer.n_tokens;
    own->weights_read_bytes = j->scorer.weights_read;
    own->weights_mapped_bytes = (int64_t)j->scorer.share.len;
    own->weights_seconds = j->scorer.weights_seconds;
    own->peak_bytes = usage.peak_bytes;
    own->swapped_bytes = usage.swapped_bytes;
    own->major_faults = usage.major_faults;
    own->limit_bytes = mur_memory_limit(j->c->node_size);
    own->exchange_bytes = traffic.exchange_bytes;
    own->reduce_bytes = traffic.reduce_bytes;
    own->broadcast_bytes = traffic.broadcast_bytes;
    own->exchange_seconds = traffic.exchange_seconds;
    own->reduce_seconds = traffic.reduce_seconds;
    own->broadcast_seconds = traffic.broadcast_seconds;
}

void mur_job_gather_counters(mur_job *j, mur_run_counters *run)
{
    mur_buf mine = {0}, all = {0};
    size_t *ends = mur_alloc((size_t)j->c->n_ranks, sizeof *ends);
    complete_counters(j);
    mur_buf_append(&mine, &j->counters, sizeof j->counters);
    mur_buf_append(&mine, &j->slowest, sizeof j->slowest);
    mur_buf_append_text(&mine, j->slowest.file ? j->slowest.file : "");
    mur_gather(j->c, mur_buf_view(&mine), &all, ends);
    *run = (mur_run_counters){0};
    if (j->c->rank == 0) {
        *run = (mur_run_counters){.began = j->began_at,
                                  .ended = mur_now_ms(),
                                  .seconds = mur_monotonic() - j->began,
                                  .n_ranks = j->c->n_ranks,
                                  .n_nodes = j->c->n_nodes,
                                  .ranks = mur_alloc((size_t)j->c->n_ranks, sizeof *run->ranks)};
        memcpy(run->run_id, j->run_id, sizeof run->run_id);
        for (int r = 0; r < run->n_ranks; r++) {
            const char *from = all.ptr + (r > 0 ? ends[r - 1] : 0), *file = from + sizeof *run->ranks;
            mur_slowest slowest;
            memcpy(&run->ranks[r], from, sizeof *run->ranks);
            memcpy(&slowest, file, sizeof slowest);
            file += sizeof slowest;
            if (r > 0 && run->ranks[r].slowest_unit_seconds <= run->ranks[run->slowest_rank].slowest_unit_seconds)
                continue;
            free(run->slowest_file);
            run->slowest_rank = r;
            run->slowest_file = mur_strndup(file, (size_t)(all.ptr + ends[r] - file));
            run->slowest_tweets = slowest.n_tweets;
            run->slowest_tokens = slowest.n_tokens;
        }
    }
    mur_buf_clear(&mine);
    mur_buf_clear(&all);
    free(ends);
}

int mur_job_open_store(mur_job *j)
{
    int rc = mur_store_open(&j->store, j->options->store);
    return rc < 0 ? rc : mur_store_lock(j->store, j->run_id, j->options->writing.is_breaking_lock);
}

void mur_job_close_store(mur_job *j)
{
    if (j->store)
        mur_store_unlock(j->store);
    mur_store_close(&j->store);
}

bool mur_job_is_stopping(mur_job *j)
{
    bool is_asked = mur_stop_is_asked() || (j->store && mur_store_is_stop_asked(j->store));
    if (!j->is_stopping)
        j->is_late = !is_asked && j->c->rank == 0 && j->deadline.end != 0 &&
                     mur_deadline_is_near(&j->deadline, mur_count_rows(j));
    j->is_stopping = j->is_stopping || mur_max(j->c, is_asked || j->is_late) != 0;
    return j->is_stopping;
}

void mur_job_record(const mur_job *j, mur_record *r, const char *operation, char *options)
{
    *r = (mur_record){.ranks = j->c->n_ranks};
    r->operation = mur_strdup(operation);
    r->run_id = mur_strdup(j->run_id);
    r->murmur_version = mur_strdup(MURMUR_VERSION);
    r->blas_kernel = mur_strdup(j->scorer.model ? mur_model_kernel(j->scorer.model) : mur_blas_kernel());
    r->options = options;
}

/* The store's bronze must begin with the columns that this program fills by number. */
static int check_stored(const mur_schema *stored, const char *store)
{
    const mur_schema *own = &mur_bronze_schema;
    for (size_t c = 0; c < own->n_columns; c++)
        if (c >= stored->n_columns || strcmp(stored->columns[c].name, own->columns[c].name) != 0 ||
            stored->columns[c].type != own->columns[c].type)
            return mur_fail(MUR_EDATA, "column %zu of bronze in %s is not %s (%s): another murmur made this store", c,
                            store, own->columns[c].name, mur_type_name(own->columns[c].type));
    return 0;
}

/* Rank 0. */
static int merge_schema(const mur_job *j, const mur_schema *declared, mur_schema **merged)
{
    static const mur_schema nothing = {.table = "bronze"};
    mur_schema *stored = NULL;
    int rc = j->store ? mur_store_schema(&stored, j->store, "bronze", -1) : 0;
    if (rc == 0 && stored)
        rc = check_stored(stored, j->options->store);
    if (rc == 0)
        rc = mur_schema_file_merge(merged, stored ? stored : &mur_bronze_schema, declared ? declared : &nothing,
                                   j->options->is_merging_schema, j->options->schema);
    if (rc == 0 && declared) {
        size_t before = stored ? stored->n_columns : mur_bronze_schema.n_columns;
        mur_log_info("%zu of the %zu columns that %s declares are new: bronze has them from the next commit on",
                     (*merged)->n_columns - before, declared->n_columns, j->options->schema);
    }
    mur_schema_free(&stored);
    return rc;
}

int mur_job_agree_schema(mur_job *j, const mur_schema *declared)
{
    mur_schema *merged = NULL, *told = NULL;
    mur_buf json = {0};
    int rc = mur_agree(j->c, j->c->rank == 0 ? MUR_STEP("schema.merge", merge_schema(j, declared, &merged)) : 0);
    if (rc == 0) {
        if (merged)
            mur_schema_format(&json, merged);
        mur_broadcast(j->c, &json);
        rc = mur_agree(j->c, mur_schema_parse(&told, mur_buf_view(&json), "schema of bronze"));
    }
    if (rc == 0) { /* from the same text on every rank: they write it together */
        j->bronze = mur_schema_new(told->table, mur_bronze_schema.description);
        for (size_t c = 0; c < told->n_columns; c++)
            mur_schema_add(j->bronze, &told->columns[c]);
    }
    mur_schema_free(&merged);
    mur_schema_free(&told);
    mur_buf_clear(&json);
    return rc;
}

void mur_job_record_model(const mur_job *j, mur_record *r)
{
    char hash[MUR_HASH_HEX];
    r->model_name = mur_strdup(mur_model_name(j->scorer.model));
    r->model_hash = mur_strdup(mur_hash_hex(hash, mur_model_hash(j->scorer.model)));
    r->precision = mur_strdup(mur_precision_name(mur_model_precision(j->scorer.model)));
}

const mur_record *mur_job_gold_record(const mur_job *j)
{
    const mur_change *gold = mur_store_change(j->store, "gold", -1);
    while (gold && mur_store_is_rewrite(j->store, gold))
        gold = gold->version > 0 ? mur_store_change(j->store, "gold", gold->version - 1) : NULL;
    return gold ? mur_store_record_of(j->store, gold) : NULL;
}

/* Parts of so many bytes one rank compresses in a tenth of a second, which is less than it takes many ranks to do
 * anything together by HDF5 (docs/PERFORMANCE.md). */
#define ONE_WRITER_BYTES ((int64_t)4 << 20)

mur_part_options mur_job_part_options(mur_job *j, int64_t version)
{
    return (mur_part_options){.store = j->options->store,
                              .run_id = j->run_id,
                              .version = version,
                              .compress = j->options->writing.compress,
                              .small_bytes = mur_fault_disables("small") ? 0 : ONE_WRITER_BYTES,
                              .io_timeout_ms = j->options->writing.io_timeout_ms,
                              .temporary_bytes = &j->counters.temporary_bytes};
}

void mur_job_discard(const mur_job *j, mur_part *parts, size_t n)
{
    if (j->c->rank == 0)
        mur_parts_discard(j->options->store, parts, n);
    for (size_t i = 0; i < n; i++)
        mur_part_clear(&parts[i]);
}
