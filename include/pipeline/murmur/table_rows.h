/* table_rows.h: a table of a store read row by row, as of one record, in memory that does not grow with it. Local. */
#ifndef MURMUR_TABLE_ROWS_H
#define MURMUR_TABLE_ROWS_H

#include "murmur/frame.h"
#include "murmur/store.h"

/* Which rows. */
typedef struct mur_selection {
    const char *table;
    int64_t record; /* the table as of this record of the log (when.h) */
    int64_t limit;  /* -1: all */
} mur_selection;

/* Calls `take` with frames of `schema`'s columns, in table order, until it returns something else than 0 (which is then
 * the result) or the rows end. A table that had no version yet has no rows. */
int mur_each_frame(const mur_store *store, const mur_selection *selection, const mur_schema *schema,
                   int (*take)(void *context, const mur_frame *rows), void *context) MUR_MUST_USE;

#endif
