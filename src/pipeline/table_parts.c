#include "table_parts.h"

#include <stdlib.h>
#include <string.h>

#include "murmur/mem.h"
#include "murmur/schema.h"
#include "murmur/tables.h"

#define SLICE_ROWS 65536 /* rows read at a time: they are held twice for a moment */

void mur_table_parts_clear(mur_table_parts *t)
{
    mur_part_close(&t->reader);
    mur_schema_free(&t->parsed);
    free(t->parts);
    free(t->first_rows);
    mur_buf_clear(&t->paths);
    *t = (mur_table_parts){0};
}

static int parse_schema(mur_table_parts *t, mur_view json)
{
    if (t->version < 0)
        return 0;
    int rc = mur_schema_parse(&t->parsed, json, t->name);
    if (rc == 0) {
        t->schema = *t->parsed;
        t->schema.description = mur_table_schema(t->name)->description;
    }
    return rc;
}

int mur_table_parts_load(mur_table_parts *t, const mur_job *j, const char *name)
{
    *t = (mur_table_parts){.name = name};
    const mur_change *change = j->store ? mur_store_change(j->store, name, -1) : NULL;
    const mur_part **parts = NULL;
    mur_buf facts = {0}, schema = {0};
    int rc = mur_agree(j->c, change ? mur_store_parts(j->store, name, -1, &parts, &t->n) : 0);
    if (rc < 0) {
        free(parts);
        return rc;
    }
    for (size_t i = 0; i < t->n; i++) {
        mur_buf_append(&facts, parts[i], sizeof *parts[i]);
        mur_buf_append(&t->paths, parts[i]->path, strlen(parts[i]->path) + 1);
    }
    free(parts);
    mur_buf_append_text(&schema, change ? change->schema : "");
    t->version = mur_broadcast_int64(j->c, change ? change->version : -1);
    mur_broadcast(j->c, &facts);
    mur_broadcast(j->c, &t->paths);
    mur_broadcast(j->c, &schema);

    t->n = facts.len / sizeof *t->parts;
    t->parts = mur_alloc(t->n, sizeof *t->parts);
    t->first_rows = mur_alloc(t->n + 1, sizeof *t->first_rows);
    if (t->n > 0)
        memcpy(t->parts, facts.ptr, facts.len);
    for (size_t i = 0, at = 0; i < t->n; i++) {
        t->parts[i].path = t->paths.ptr + at;
        at += strlen(t->parts[i].path) + 1;
        t->first_rows[i + 1] = t->first_rows[i] + t->parts[i].n_rows;
    }
    rc = parse_schema(t, mur_buf_view(&schema));
    mur_buf_clear(&facts);
    mur_buf_clear(&schema);
    return mur_agree(j->c, rc);
}

int mur_table_parts_check(const mur_table_parts *t, const mur_job *j, size_t first, size_t n)
{
    for (size_t i = first + (size_t)j->c->rank; i < first + n; i += (size_t)j->c->n_ranks) {
        int rc = mur_part_check_file(j->options->store, &t->parts[i]);
        if (rc < 0) {
            mur_error_add("part %s is damaged, and nothing is made of it (murmur verify tells more)", t->parts[i].path);
            return rc;
        }
    }
    return 0;
}

/* The part that has row `row`, which the table has. */
static size_t part_of(const mur_table_parts *t, int64_t row)
{
    size_t low = 0, high = t->n; /* first_rows[low] <= row < first_rows[high] */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (t->first_rows[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int mur_table_parts_read(mur_table_parts *t, const mur_job *j, int64_t first, int64_t n, mur_frame *out)
{
    if (first < 0 || n < 0 || n > t->first_rows[t->n] - first)
        return mur_fail(MUR_EINTERNAL, "rows are read that table %s does not have", t->name);
    int rc = 0;
    for (int64_t left = n, now; rc == 0 && left > 0; left -= now, first += now) {
        size_t part = part_of(t, first);
        if (!t->reader || part != t->open) {
            mur_part_close(&t->reader);
            rc = mur_part_open(&t->reader, j->options->store, t->parts[part].path);
            t->open = part;
        }
        now = t->first_rows[part + 1] - first;
        now = now < left ? now : left;
        now = now < SLICE_ROWS ? now : SLICE_ROWS;
        if (rc == 0)
            rc = mur_part_read(t->reader, first - t->first_rows[part], now, out);
    }
    return rc;
}
