#include "murmur/table_rows.h"

#include <stdlib.h>

#define FRAME_ROWS 16384

int mur_each_frame(const mur_store *store, const mur_selection *selection, const mur_schema *schema,
                   int (*take)(void *context, const mur_frame *rows), void *context)
{
    int64_t version = mur_store_version_at(store, selection->table, selection->record);
    if (version < 0)
        return 0;
    const mur_part **parts = NULL;
    size_t n_parts;
    int rc = mur_store_parts(store, selection->table, version, &parts, &n_parts);
    if (rc < 0)
        return rc;
    int64_t left = selection->limit < 0 ? INT64_MAX : selection->limit;
    mur_frame rows;
    mur_frame_init(&rows, schema);
    for (size_t p = 0; rc == 0 && p < n_parts && left > 0; p++) {
        mur_part_reader *reader = NULL;
        rc = mur_part_open(&reader, mur_store_folder(store), parts[p]);
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
