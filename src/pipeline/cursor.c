#include "cursor.h"

#include <stdlib.h>

int mur_cursor_open(mur_cursor *c, const mur_store *store, const char *table, int64_t version, int64_t n_rows,
                    const mur_schema *schema)
{
    const mur_part **parts;
    size_t n;
    *c = (mur_cursor){.folder = mur_store_folder(store), .end = n_rows};
    mur_frame_init(&c->rows, schema);
    int rc = mur_store_parts(store, table, version, &parts, &n);
    if (rc == 0) {
        mur_part_rows_add(&c->parts, parts, n);
        free(parts);
    }
    return rc;
}

int mur_cursor_read(mur_cursor *c, int64_t n)
{
    n = n < c->end - c->next ? n : c->end - c->next;
    c->first = c->next;
    c->next += n;
    mur_frame_reset(&c->rows);
    return mur_part_rows_read(&c->parts, c->folder, c->first, n, &c->rows);
}

void mur_cursor_clear(mur_cursor *c)
{
    mur_part_rows_clear(&c->parts);
    mur_frame_clear(&c->rows);
}
