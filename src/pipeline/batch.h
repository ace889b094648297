/* batch.h: one trigger: a plan's units worked off by all ranks, written, and published as one record. */
#ifndef MURMUR_BATCH_H
#define MURMUR_BATCH_H

#include "job.h"

typedef enum {
    MUR_FILE_READ,
    MUR_FILE_FAILED, /* could not be read; named in a warning by the rank that found it */
    MUR_FILE_MOVED,  /* changed or vanished between its listing and the end of its reading */
} mur_file_fate;

/* Collective. Ingests the plan's files. `*fates` (n_files) tells on every rank how each was: where one was not read
 * nothing was written and `*is_committed` is false. The plan is the same on all ranks. */
int mur_batch_run(mur_job *j, const mur_plan *plan, mur_file_fate *fates, bool *is_committed) MUR_MUST_USE;

#endif
