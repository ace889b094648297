#include "job.h"

#include <stdlib.h>

#include "murmur/mem.h"
#include "murmur/tables.h"

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
