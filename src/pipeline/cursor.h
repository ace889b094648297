/* cursor.h: a table's rows one slice after the other, wherever its parts begin and end. Local. */
#ifndef MURMUR_CURSOR_H
#define MURMUR_CURSOR_H

#include "murmur/frame.h"
#include "murmur/store.h"
#include "part_rows.h"

typedef struct mur_cursor {
    const char *folder;
    mur_part_rows parts;
    int64_t first, next; /* rows of the table: where `rows` begins, and the one after it */
    int64_t end;         /* rows to read in all */
    mur_frame rows;
} mur_cursor;

/* Reads `schema`'s columns of the first `n_rows` rows of a version. Clear it even after a failure. */
int mur_cursor_open(mur_cursor *c, const mur_store *store, const char *table, int64_t version, int64_t n_rows,
                    const mur_schema *schema) MUR_MUST_USE;

/* The next `n` rows, fewer at the end, replace those in `rows`; none means the end. */
int mur_cursor_read(mur_cursor *c, int64_t n) MUR_MUST_USE;

void mur_cursor_clear(mur_cursor *c);

#endif
