/* checkpoint.h: what the records say, kept a second time in a few files, so that a store of many records opens fast.
 *
 *     STORE/_log/checkpoint-FROM-TO-HASH.h5    records FROM to TO - 1; HASH is that of the file (docs/FORMAT.md)
 *
 * A checkpoint is derived from the records and never the truth: where it is missing or damaged they are read. Each
 * holds a range, and small ones are merged as in log-structured merge trees, so writing one stays cheap however long
 * the log is. All Local.
 */
#ifndef MURMUR_CHECKPOINT_H
#define MURMUR_CHECKPOINT_H

#include "state.h"

/* Fills an empty store from checkpoints and from the records that those lack. Warns about a damaged checkpoint.
 * MUR_EDATA naming a record that is missing; failures of records as mur_state_catch_up. */
int mur_checkpoint_load(mur_store *s) MUR_MUST_USE;

/* After a publish: writes a checkpoint when enough has come since the last, merges it with smaller ones before it and
 * removes those. It is done on rank 0 alone while the others go on. A failure is a warning: nothing depends on it. */
void mur_checkpoint_keep_up(mur_store *s, const char *run_id);

/* Holds a checkpoint against the records: `s` was read from them alone. MUR_EDATA, saying what is wrong. Where the
 * records themselves are damaged (`s` NULL), only whether the file is whole. */
int mur_checkpoint_verify(const mur_store *s, const char *folder, const mur_segment *segment) MUR_MUST_USE;

#endif
