/* table_parts.h: the latest version of a table as all ranks of a job know it, and its rows by their place in it. */
#ifndef MURMUR_TABLE_PARTS_H
#define MURMUR_TABLE_PARTS_H

#include "job.h"

typedef struct mur_table_parts {
    const char *name;
    int64_t version;     /* -1: none */
    mur_schema schema;   /* of the version; with the table's description */
    mur_part *parts;     /* in row order; their paths are borrowed from `paths` */
    int64_t *first_rows; /* n + 1: where each part's rows begin in the table */
    size_t n;
    mur_schema *parsed;
    mur_buf paths;
    mur_part_reader *reader; /* of the part that was read last */
    size_t open;
} mur_table_parts;

/* Collective. Rank 0 tells all others. `name` is one of mur_tables. */
int mur_table_parts_load(mur_table_parts *t, const mur_job *j, const char *name) MUR_MUST_USE;

/* Local. Also of a zeroed one. */
void mur_table_parts_clear(mur_table_parts *t);

/* Local. This rank's share of parts [first, first + n) held against the log: MUR_EDATA naming one that is damaged. */
int mur_table_parts_check(const mur_table_parts *t, const mur_job *j, size_t first, size_t n) MUR_MUST_USE;

/* Local. Appends rows [first, first + n) of the table to `out`, as mur_part_read does. */
int mur_table_parts_read(mur_table_parts *t, const mur_job *j, int64_t first, int64_t n, mur_frame *out) MUR_MUST_USE;

#endif
