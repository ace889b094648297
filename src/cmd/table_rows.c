#include "table_rows.h"

#include <inttypes.h>
#include <stdlib.h>

#include "murmur/clock.h"
#include "murmur/quantity.h"

#define FRAME_ROWS 16384

int mur_each_frame(const mur_store *store, const mur_selection *selection, const mur_schema *schema,
                   int (*take)(void *context, const mur_frame *rows), void *context)
{
    const mur_part **parts = NULL;
    size_t n_parts;
    int rc = mur_store_parts(store, selection->table, selection->version, &parts, &n_parts);
    if (rc < 0)
        return rc;
    int64_t left = selection->limit < 0 ? INT64_MAX : selection->limit;
    mur_frame rows;
    mur_frame_init(&rows, schema);
    for (size_t p = 0; rc == 0 && p < n_parts && left > 0; p++) {
        mur_part_reader *reader = NULL;
        rc = mur_part_open(&reader, mur_store_folder(store), parts[p]->path);
        for (int64_t first = 0, n; rc == 0 && first < parts[p]->n_rows && left > 0; first += n, left -= n) {
            n = parts[p]->n_rows - first;
            n = n < FRAME_ROWS ? n : FRAME_ROWS;
            n = n < left ? n : left;
            mur_frame_reset(&rows);
            rc = mur_part_read(reader, first, n, &rows);
            if (rc == 0)
                rc = take(context, &rows);
        }
        mur_part_close(&reader);
    }
    mur_frame_clear(&rows);
    free(parts);
    return rc;
}

int mur_select_version(int64_t *version, const mur_store *store, const char *table, const char *number,
                       const char *as_of)
{
    *version = -1;
    if (number && as_of)
        return mur_fail(MUR_EUSAGE, "--version and --as-of exclude each other");
    if (number)
        return mur_integer_parse(version, number, 0, INT64_MAX);
    if (as_of) {
        int64_t time;
        if (mur_time_parse(&time, mur_view_of(as_of)) < 0)
            return mur_fail(MUR_EUSAGE, "--as-of %s: not a time; write for example 2026-11-22T14:00:00Z", as_of);
        *version = mur_store_version_as_of(store, table, time);
        if (*version < 0)
            return mur_fail(MUR_EUSAGE, "%s had no version at %s; murmur history tells when its versions were made",
                            table, as_of);
    }
    return 0;
}
