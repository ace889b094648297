/* file_store.h: MLflow's file store, the folder mlruns: what MLflow 2.x reads as it is, and 3.x with
 * MLFLOW_ALLOW_FILE_STORE or after `mlflow migrate-filestore`. The layout is that of
 * mlflow/store/tracking/file_store.py.
 *
 *     mlruns/.trash/
 *     mlruns/EXPERIMENT/meta.yaml                          an integer of 18 digits; 0 is MLflow's "Default"
 *     mlruns/EXPERIMENT/RUN/meta.yaml                      32 hexadecimal digits
 *     mlruns/EXPERIMENT/RUN/{metrics,params,tags,artifacts}/KEY
 */
#ifndef MURMUR_FILE_STORE_H
#define MURMUR_FILE_STORE_H

#include "murmur/tracked_run.h"

/* Local. Adds the run to the file store in `folder`, which is made if it is not there; its experiment too. Readers see
 * the run whole or not at all; several processes may add at once. `*run_folder` is a fresh string. MUR_EDATA if the
 * experiment was deleted; MUR_ECREATE, MUR_EIO. */
int mur_file_store_add(char **run_folder, const char *folder, const mur_tracked_run *r) MUR_MUST_USE;

/* Local. Folders of the runs (not of deleted ones) that have the tag with this value, by their start and id: fresh
 * strings in `key`, with their ids in `value`. Folders that are no runs are passed over. MUR_ENOINPUT, MUR_EIO. */
int mur_file_store_find(mur_pairs *out, const char *folder, const char *tag, const char *value) MUR_MUST_USE;

/* Local. All that the store has of a run; `artifacts` names its files where they lie. Clear it even after a failure.
 * MUR_EDATA naming the file that is not as it should be; MUR_ENOINPUT, MUR_EIO. */
int mur_file_store_read(mur_tracked_run *out, const char *run_folder) MUR_MUST_USE;

/* Local. Sets one tag of a run; readers see the old value or the new. MUR_ECREATE, MUR_EIO. */
int mur_file_store_tag(const char *run_folder, const char *key, const char *value) MUR_MUST_USE;

#endif
