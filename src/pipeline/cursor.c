#include "cursor.h"

#include <stdlib.h>

int mur_cursor_open(mur_cursor *c, const mur_store *store, const char *table, int64_t version, int64_t n_rows,
                    const mur_schema *schema)
{
    *c = (mur_cursor){.folder = mur_store_folder(store), .end = n_rows};
    mur_frame_init(&c->rows, schema);
    return mur_store_parts(store, table, version, &c->parts, &c->n_parts);
}

int mur_cursor_read(mur_cursor *c, int64_t n)
{
    int rc = 0;
    c->first = c->next;
    n = n < c->end - c->next ? n : c->end - c->next;
    mur_frame_reset(&c->rows);
    while (rc == 0 && n > 0 && c->part < c->n_parts) {
        const mur_part *part = c->parts[c->part];
        if (!c->reader)
            rc = mur_part_open(&c->reader, c->folder, part->path);
        if (rc < 0)
            break;
        int64_t left = part->n_rows - c->first_in_part, here = n < left ? n : left;
        rc = mur_part_read(c->reader, c->first_in_part, here, &c->rows);
        c->first_in_part += here;
        c->next += here;
        n -= here;
        if (c->first_in_part == part->n_rows) {
            mur_part_close(&c->reader);
            c->part++;
            c->first_in_part = 0;
        }
    }
    return rc;
}

void mur_cursor_clear(mur_cursor *c)
{
    mur_part_close(&c->reader);
    mur_frame_clear(&c->rows);
    free(c->parts);
}
