#include "job.h"

#include <stdlib.h>
#include <string.h>

#include "murmur/mem.h"
#include "murmur/tables.h"

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
    return rc < 0 ? rc : mur_store_lock(j->store, j->run_id, j->options->is_breaking_lock);
}

void mur_job_close_store(mur_job *j)
{
    if (j->store)
        mur_store_unlock(j->store);
    mur_store_close(&j->store);
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

mur_part_options mur_job_part_options(const mur_job *j, int64_t version)
{
    return (mur_part_options){.store = j->options->store,
                              .run_id = j->run_id,
                              .version = version,
                              .compress = j->options->compress,
                              .io_timeout_ms = j->options->io_timeout_ms};
}
