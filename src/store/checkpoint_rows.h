/* checkpoint_rows.h: the rows of a checkpoint: a row for each record, and after it one for each of its source files. */
#ifndef MURMUR_CHECKPOINT_ROWS_H
#define MURMUR_CHECKPOINT_ROWS_H

#include "state.h"

extern const mur_schema mur_checkpoint_schema;

/* Appends the rows of records [from, to). `first_source` is the number of the first's first source in the index. */
void mur_checkpoint_rows_add(mur_frame *f, const mur_store *s, int64_t from, int64_t to, size_t first_source);

/* Folds rows in, which go on where the store's state ends: a record may have rows in several calls. MUR_EDATA, and the
 * state is half a record's then: clear it. */
int mur_checkpoint_rows_fold(mur_store *s, const mur_frame *f, const char *what) MUR_MUST_USE;

/* The hash of contents that a part of these rows has. */
uint64_t mur_checkpoint_rows_hash(const mur_frame *f);

#endif
