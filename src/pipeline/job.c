#include "job.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "murmur/fault.h"
#include "murmur/hash.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/tables.h"
#include "schema_file.h"

void mur_job_name(mur_job *j)
{
    mur_buf name = {0};
    mur_run_id_make(j->run_id);
    mur_buf_append(&name, j->run_id, sizeof j->run_id);
    mur_broadcast(j->c, &name);
    memcpy(j->run_id, name.ptr, sizeof j->run_id);
    mur_buf_clear(&name);
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

static volatile sig_atomic_t is_signalled;

static void on_signal(int number)
{
    (void)number;
    is_signalled = 1;
}

void mur_job_listen(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
}

bool mur_job_is_stopping(mur_job *j)
{
    bool is_asked = is_signalled || (j->store && mur_store_is_stop_asked(j->store));
    j->is_stopping = j->is_stopping || mur_max(j->c, is_asked) != 0;
    return j->is_stopping;
}

void mur_job_record(const mur_job *j, mur_record *r, const char *operation, char *options)
{
    *r = (mur_record){.ranks = j->c->n_ranks};
    r->operation = mur_strdup(operation);
    r->run_id = mur_strdup(j->run_id);
    r->murmur_version = mur_strdup(MURMUR_VERSION);
    r->blas_kernel = mur_strdup(mur_blas_kernel());
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

mur_part_options mur_job_part_options(const mur_job *j, int64_t version)
{
    return (mur_part_options){.store = j->options->store,
                              .run_id = j->run_id,
                              .version = version,
                              .compress = j->options->writing.compress,
                              .io_timeout_ms = j->options->writing.io_timeout_ms};
}
