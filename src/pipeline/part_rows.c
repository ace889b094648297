#include "part_rows.h"

#include <stdlib.h>
#include <string.h>

#include "murmur/mem.h"

#define SLICE_ROWS 65536 /* rows read at a time: they are held twice for a moment */

void mur_part_rows_add(mur_part_rows *r, const mur_part *const *parts, size_t n)
{
    if (r->n + n > r->cap || !r->first_rows) {
        r->cap = mur_grown(r->cap, r->n + n);
        r->parts = mur_realloc(r->parts, r->cap, sizeof *r->parts);
        r->first_rows = mur_realloc(r->first_rows, r->cap + 1, sizeof *r->first_rows);
        r->first_rows[0] = 0;
    }
    for (size_t i = 0; i < n; i++, r->n++) {
        r->parts[r->n] = *parts[i];
        r->parts[r->n].path = mur_strdup(parts[i]->path);
        r->first_rows[r->n + 1] = r->first_rows[r->n] + parts[i]->n_rows;
    }
}

void mur_part_rows_broadcast(mur_part_rows *r, const mur_comm *c)
{
    mur_buf facts = {0}, paths = {0};
    for (size_t i = 0; i < r->n; i++) {
        mur_buf_append(&facts, &r->parts[i], sizeof r->parts[i]);
        mur_buf_append(&paths, r->parts[i].path, strlen(r->parts[i].path) + 1);
    }
    mur_broadcast(c, &facts);
    mur_broadcast(c, &paths);
    if (c->rank != 0) {
        size_t n = facts.len / sizeof(mur_part);
        for (size_t i = 0, at = 0; i < n; i++) {
            mur_part part;
            memcpy(&part, facts.ptr + i * sizeof part, sizeof part);
            part.path = paths.ptr + at;
            at += strlen(part.path) + 1;
            mur_part_rows_add(r, &(const mur_part *){&part}, 1);
        }
    }
    mur_buf_clear(&facts);
    mur_buf_clear(&paths);
}

int64_t mur_part_rows_total(const mur_part_rows *r)
{
    return r->n > 0 ? r->first_rows[r->n] : 0;
}

int mur_part_rows_check(const mur_part_rows *r, const mur_comm *c, const char *store)
{
    int rc = 0;
    for (size_t i = (size_t)c->rank; rc == 0 && i < r->n; i += (size_t)c->n_ranks)
        rc = mur_part_check(store, &r->parts[i]);
    return rc;
}

int mur_part_rows_check_together(mur_part_rows *r, const mur_comm *c, const char *store)
{
    int rc = mur_parts_check(c, store, r->parts, r->n, &r->bytes_checked);
    r->is_checked = rc == 0;
    return rc;
}

/* The part that has row `row`, which there is. */
static size_t part_of(const mur_part_rows *r, int64_t row)
{
    size_t low = 0, high = r->n; /* first_rows[low] <= row < first_rows[high] */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (r->first_rows[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int mur_part_rows_read(mur_part_rows *r, const char *store, int64_t first, int64_t n, mur_frame *out)
{
    if (first < 0 || n < 0 || n > mur_part_rows_total(r) - first)
        return mur_fail(MUR_EINTERNAL, "rows are read that no part has");
    int rc = 0;
    for (int64_t left = n, now; rc == 0 && left > 0; left -= now, first += now) {
        size_t part = part_of(r, first);
        if (!r->reader || part != r->open) {
            mur_part_close(&r->reader);
            if (r->is_checked) {
                rc = mur_part_open_checked(&r->reader, store, &r->parts[part]);
            } else {
                rc = mur_part_open(&r->reader, store, &r->parts[part]);
                r->bytes_checked += r->parts[part].bytes;
            }
            r->open = part;
        }
        now = r->first_rows[part + 1] - first;
        now = now < left ? now : left;
        now = now < SLICE_ROWS ? now : SLICE_ROWS;
        if (rc == 0)
            rc = mur_part_read(r->reader, first - r->first_rows[part], now, out);
    }
    return rc;
}

void mur_part_rows_clear(mur_part_rows *r)
{
    mur_part_close(&r->reader);
    for (size_t i = 0; i < r->n; i++)
        mur_part_clear(&r->parts[i]);
    free(r->parts);
    free(r->first_rows);
    *r = (mur_part_rows){0};
}
