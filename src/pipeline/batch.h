/* batch.h: one trigger: a plan's units worked off by all ranks, written, and published as one record. */
#ifndef MURMUR_BATCH_H
#define MURMUR_BATCH_H

#include "job.h"

/* Collective. Ingests the plan's files. `*failed` (n_files) marks on every rank the files that could not be read: where
 * there is one nothing was written and `*is_committed` is false. The plan is the same on all ranks. */
int mur_batch_run(mur_job *j, const mur_plan *plan, int64_t batch, bool *failed, bool *is_committed) MUR_MUST_USE;

#endif
