/* table_parts.h: the latest version of a table as all ranks of a job know it. */
#ifndef MURMUR_TABLE_PARTS_H
#define MURMUR_TABLE_PARTS_H

#include "job.h"
#include "part_rows.h"

typedef struct mur_table_parts {
    const char *name;
    int64_t version;   /* -1: none */
    mur_schema schema; /* of the version; with the table's description */
    mur_part_rows rows;
    mur_schema *parsed;
} mur_table_parts;

/* Collective. Rank 0 tells all others. `name` is one of mur_tables. */
int mur_table_parts_load(mur_table_parts *t, const mur_job *j, const char *name) MUR_MUST_USE;

/* Local. Also of a zeroed one. */
void mur_table_parts_clear(mur_table_parts *t);

#endif
