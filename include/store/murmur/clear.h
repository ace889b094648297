/* clear.h: the end of a store: its files are removed, and no others. */
#ifndef MURMUR_CLEAR_H
#define MURMUR_CLEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/error.h"

/* What there is to remove. */
typedef struct mur_clear_survey {
    size_t n_records, n_files; /* n_files without the records */
    int64_t bytes;             /* of all */
    bool is_begun;             /* an earlier clear was interrupted */
} mur_clear_survey;

/* Local. MUR_ENOINPUT if the folder is no store, neither whole nor damaged nor just created nor half cleared. */
int mur_clear_look(mur_clear_survey *out, const char *folder) MUR_MUST_USE;

/* Local. Takes the store's lock (as mur_store_lock), renames the log's folder, which ends the store at one instant, and
 * then removes all files whose names are murmur's, and the folders that are empty then. An interrupted one is finished
 * by the next; until then the folder is a store to no one. `*is_left` tells whether the folder stays because of files
 * that are not murmur's. */
int mur_clear(const char *folder, const char *run_id, bool is_forced, bool *is_left) MUR_MUST_USE;

#endif
