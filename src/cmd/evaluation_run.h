/* evaluation_run.h: an evaluation as a run of MLflow. */
#ifndef MURMUR_EVALUATION_RUN_H
#define MURMUR_EVALUATION_RUN_H

#include "murmur/evaluation.h"
#include "murmur/tracked_run.h"

/* Which store a run is of: `push` finds the runs of a store by this tag, whose value is the store's first run id, so
 * that a store that was moved is still the same. NULL for a store without records. */
#define MUR_STORE_TAG "murmur.store_id"
const char *mur_store_id(const mur_store *store);

/* `run` is initialized: gets metrics, params and tags. `e` has rows. */
void mur_evaluation_run(mur_tracked_run *run, const mur_evaluation *e, const mur_store *store);

#endif
