#include "murmur/schema.h"

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

static int parse_column(mur_column *out, const cJSON *json, const mur_schema *before, const char *what)
{
    const char *name = mur_json_string(json, "name", NULL), *type = mur_json_string(json, "type", NULL);
    if (!name || !*name || !type)
        return mur_fail(MUR_EDATA, "%s: column %zu of the schema has no name or no type", what, before->n_columns);
    if (mur_schema_find(before, mur_view_of(name)) >= 0)
        return mur_fail(MUR_EDATA, "%s: the schema names column %s twice", what, name);
    if (!mur_type_from_name(&out->type, mur_view_of(type)))
        return mur_fail(MUR_EDATA, "%s: column %s has the unknown type %s", what, name, type);
    out->name = mur_strdup(name);
    out->description = mur_strdup(mur_json_string(json, "description", ""));
    return 0;
}

int mur_schema_parse(mur_schema **out, mur_view json, const char *what)
{
    *out = NULL;
    cJSON *document = mur_json_parse(json, what);
    if (!document)
        return MUR_EDATA;
    int rc = 0;
    mur_schema *s = mur_alloc(1, sizeof *s);
    mur_column *columns = mur_alloc(MUR_MAX_COLUMNS, sizeof *columns);
    const char *table = mur_json_string(document, "table", NULL);
    const cJSON *list = mur_json_member(document, "columns"), *column;
    *s = (mur_schema){.table = mur_strdup(table ? table : ""), .description = mur_strdup(""), .columns = columns};
    if (!table || !cJSON_IsArray(list)) {
        rc = mur_fail(MUR_EDATA, "%s: the schema has no table or no columns", what);
        goto done;
    }
    cJSON_ArrayForEach(column, list)
    {
        if (s->n_columns == MUR_MAX_COLUMNS)
            rc = mur_fail(MUR_EDATA, "%s: the schema has more than %d columns", what, MUR_MAX_COLUMNS);
        else
            rc = parse_column(&columns[s->n_columns], column, s, what);
        if (rc < 0)
            goto done;
        s->n_columns++;
    }
done:
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
