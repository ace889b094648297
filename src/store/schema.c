#include "murmur/schema.h"

#include <assert.h>
#include <stdlib.h>

#include "murmur/json.h"
#include "murmur/mem.h"

static void append_member(mur_buf *out, const char *before, const char *text)
{
    mur_buf_append_text(out, before);
    mur_json_append_string(out, mur_view_of(text));
}

void mur_schema_format(mur_buf *out, const mur_schema *schema)
{
    append_member(out, "{\"table\":", schema->table);
    mur_buf_append_text(out, ",\"columns\":[");
    for (size_t c = 0; c < schema->n_columns; c++) {
        const mur_column *column = &schema->columns[c];
        append_member(out, c ? ",{\"name\":" : "{\"name\":", column->name);
        append_member(out, ",\"type\":", mur_type_name(column->type));
        append_member(out, ",\"description\":", column->description);
        mur_buf_append_byte(out, '}');
    }
    mur_buf_append_text(out, "]}");
}

mur_schema *mur_schema_new(const char *table, const char *description)
{
    mur_schema *s = mur_alloc(1, sizeof *s);
    *s = (mur_schema){.table = mur_strdup(table),
                      .description = mur_strdup(description),
                      .columns = mur_alloc(MUR_MAX_COLUMNS, sizeof *s->columns)};
    return s;
}

void mur_schema_add(mur_schema *s, const mur_column *column)
{
    assert(s->n_columns < MUR_MAX_COLUMNS);
    ((mur_column *)s->columns)[s->n_columns++] =
        (mur_column){mur_strdup(column->name), column->type, mur_strdup(column->description)};
}

static int parse_column(mur_schema *s, const cJSON *json, const char *what)
{
    const char *name = mur_json_string(json, "name", NULL), *type = mur_json_string(json, "type", NULL);
    if (!name || !*name || !type)
        return mur_fail(MUR_EDATA, "%s: column %zu of the schema has no name or no type", what, s->n_columns);
    if (s->n_columns == MUR_MAX_COLUMNS)
        return mur_fail(MUR_EDATA, "%s: the schema has more than %d columns", what, MUR_MAX_COLUMNS);
    if (mur_schema_find(s, mur_view_of(name)) >= 0)
        return mur_fail(MUR_EDATA, "%s: the schema names column %s twice", what, name);
    mur_column column = {.name = name, .description = mur_json_string(json, "description", "")};
    if (!mur_type_from_name(&column.type, mur_view_of(type)))
        return mur_fail(MUR_EDATA, "%s: column %s has the unknown type %s", what, name, type);
    mur_schema_add(s, &column);
    return 0;
}

int mur_schema_parse(mur_schema **out, mur_view json, const char *what)
{
    *out = NULL;
    cJSON *document = mur_json_parse(json, what);
    if (!document)
        return MUR_EDATA;
    int rc = 0;
    const char *table = mur_json_string(document, "table", NULL);
    const cJSON *list = mur_json_member(document, "columns"), *column;
    mur_schema *s = mur_schema_new(table ? table : "", "");
    if (!table || !cJSON_IsArray(list))
        rc = mur_fail(MUR_EDATA, "%s: the schema has no table or no columns", what);
    cJSON_ArrayForEach(column, list)
    {
        if (rc == 0)
            rc = parse_column(s, column, what);
    }
    cJSON_Delete(document);
    if (rc < 0)
        mur_schema_free(&s);
    *out = s;
    return rc;
}

void mur_schema_free(mur_schema **schema)
{
    mur_schema *s = *schema;
    for (size_t c = 0; s && c < s->n_columns; c++) {
        free((char *)s->columns[c].name);
        free((char *)s->columns[c].description);
    }
    if (s) {
        free((char *)s->table);
        free((char *)s->description);
        free((mur_column *)s->columns);
    }
    free(s);
    *schema = NULL;
}
