#include "table_parts.h"

#include <stdlib.h>

#include "murmur/schema.h"
#include "murmur/tables.h"

void mur_table_parts_clear(mur_table_parts *t)
{
    mur_part_rows_clear(&t->rows);
    mur_schema_free(&t->parsed);
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
    size_t n = 0;
    int rc = change ? mur_store_parts(j->store, name, -1, &parts, &n) : 0;
    if (rc == 0)
        mur_part_rows_add(&t->rows, parts, n);
    free(parts);
    rc = mur_agree(j->c, rc);
    if (rc < 0)
        return rc;
    mur_buf schema = {0};
    mur_buf_append_text(&schema, change ? change->schema : "");
    t->version = mur_broadcast_int64(j->c, change ? change->version : -1);
    mur_part_rows_broadcast(&t->rows, j->c);
    mur_broadcast(j->c, &schema);
    rc = parse_schema(t, mur_buf_view(&schema));
    mur_buf_clear(&schema);
    return mur_agree(j->c, rc);
}
