#include "schema_file.h"

#include <stdlib.h>
#include <string.h>

#include "murmur/file.h"
#include "murmur/ingest.h"
#include "murmur/json.h"
#include "murmur/map.h"
#include "murmur/tables.h"

#define MAX_NAME 255         /* bytes: as file systems have it, far below what HDF5 takes */
#define MAX_DESCRIPTION 4096 /* bytes */
#define NAMES_SHOWN 8        /* columns of a difference */

typedef struct type_name {
    const char *name;
    mur_type type;
} type_name;

static const type_name own_types[] = {{"string", MUR_STRING}, {"int64", MUR_INT64},         {"float64", MUR_FLOAT64},
                                      {"bool", MUR_BOOL},     {"timestamp", MUR_TIMESTAMP}, {NULL, MUR_STRING}};
static const type_name spark_types[] = {{"string", MUR_STRING},       {"long", MUR_INT64},
                                        {"integer", MUR_INT64},       {"short", MUR_INT64},
                                        {"byte", MUR_INT64},          {"double", MUR_FLOAT64},
                                        {"float", MUR_FLOAT64},       {"boolean", MUR_BOOL},
                                        {"timestamp", MUR_TIMESTAMP}, {"timestamp_ntz", MUR_TIMESTAMP},
                                        {"date", MUR_TIMESTAMP},      {NULL, MUR_STRING}};

typedef struct parser {
    mur_view text;
    const char *what;
    bool is_spark;
    bool is_of_bronze; /* the file says that it is the schema of bronze */
    mur_map names;
    mur_schema *declared;
} parser;

/* A member of an object: the last of duplicates. */
typedef struct member {
    mur_view value;
    mur_json_kind kind;
    bool is_there;
} member;

/* Fails for what begins at `at` in the file's text. */
#define fail_at(p, at, ...) mur_json_fail_at((p)->text, (size_t)((at).ptr - (p)->text.ptr), (p)->what, __VA_ARGS__)

static member find(mur_view object, const char *name)
{
    member found = {0};
    mur_buf plain = {0};
    mur_json_walk w;
    for (mur_json_walk_begin(&w, object); mur_json_walk_next(&w);) {
        mur_buf_reset(&plain);
        mur_json_unquote_name(&plain, w.name);
        if (mur_view_equal(mur_buf_view(&plain), mur_view_of(name)))
            found = (member){w.value, w.kind, true};
    }
    mur_buf_clear(&plain);
    return found;
}

static bool is_text(const member *m, mur_buf *text)
{
    if (!m->is_there || m->kind != MUR_JSON_STRING)
        return false;
    mur_json_unquote(text, m->value);
    return true;
}

static int read_type(const parser *p, mur_type *type, const member *m, const char *name)
{
    mur_buf given = {0};
    int rc = 0;
    bool is_known = false;
    if (is_text(m, &given)) {
        const type_name *known = p->is_spark ? spark_types : own_types;
        for (; known->name && !is_known; known++) {
            is_known = mur_view_equal(mur_buf_view(&given), mur_view_of(known->name));
            *type = known->type;
        }
    }
    if (!is_known)
        rc = fail_at(p, m->value,
                     "column %s: type %.*s cannot be a column: %s can; left out of the schema the field stays "
                     "in rescued_data, or take it as string",
                     name, (int)(m->value.len < 80 ? m->value.len : 80), m->value.ptr,
                     p->is_spark ? "string, long, integer, short, byte, double, float, boolean, timestamp and date"
                                 : "string, int64, float64, bool and timestamp");
    mur_buf_clear(&given);
    return rc;
}

/* The description, or nothing; Spark keeps a column's comment in its metadata. */
static int read_description(const parser *p, mur_buf *description, mur_view object)
{
    member holder = {object, MUR_JSON_OBJECT, true};
    if (p->is_spark)
        holder = find(object, "metadata");
    if (!holder.is_there || holder.kind != MUR_JSON_OBJECT)
        return 0;
    member m = find(holder.value, p->is_spark ? "comment" : "description");
    if (is_text(&m, description) && description->len > MAX_DESCRIPTION)
        return fail_at(p, m.value, "a description of more than %d bytes", MAX_DESCRIPTION);
    return 0;
}

/* A column that bronze has anyway adds nothing; it must be what it is. */
static int check_known(const parser *p, const member *name, const mur_column *known, mur_type type, bool *is_listed)
{
    bool is_field = known - mur_bronze_schema.columns <= MUR_BRONZE_SENTIMENT;
    *is_listed = true;
    if (!is_field && !p->is_of_bronze)
        return fail_at(p, name->value,
                       "%s is a column that murmur adds to bronze itself: no field of the source can have its name "
                       "(such a field stays in rescued_data)",
                       known->name);
    if (type != known->type)
        return fail_at(p, name->value, "column %s is %s in bronze, it cannot be %s", known->name,
                       mur_type_name(known->type), mur_type_name(type));
    return 0;
}

static int take_column(parser *p, mur_view object, mur_json_kind kind)
{
    mur_buf name = {0}, description = {0};
    mur_type type = MUR_STRING;
    bool is_listed = false, is_new = true;
    int rc = 0;
    if (kind != MUR_JSON_OBJECT) {
        rc = fail_at(p, object, "expected a column: an object with a name and a type");
        goto done;
    }
    member name_member = find(object, "name"), type_member = find(object, "type");
    if (!is_text(&name_member, &name) || name.len == 0)
        rc = fail_at(p, object, "the column has no name");
    else if (name.len > MAX_NAME)
        rc = fail_at(p, name_member.value, "a name of more than %d bytes", MAX_NAME);
    else if (!type_member.is_there)
        rc = fail_at(p, object, "column %s has no type", mur_buf_text(&name));
    else
        rc = read_type(p, &type, &type_member, mur_buf_text(&name));
    if (rc == 0)
        rc = read_description(p, &description, object);
    if (rc < 0)
        goto done;
    mur_map_add(&p->names, mur_buf_view(&name), &is_new);
    int known = mur_schema_find(&mur_bronze_schema, mur_buf_view(&name));
    if (!is_new)
        rc = fail_at(p, name_member.value, "column %s is there twice", mur_buf_text(&name));
    else if (known >= 0)
        rc = check_known(p, &name_member, &mur_bronze_schema.columns[known], type, &is_listed);
    else if (p->declared->n_columns == MUR_MAX_COLUMNS)
        rc = fail_at(p, name_member.value, "more than %d columns", MUR_MAX_COLUMNS);
    if (rc == 0 && !is_listed)
        mur_schema_add(p->declared, &(mur_column){mur_buf_text(&name), type, mur_buf_text(&description)});
done:
    mur_buf_clear(&name);
    mur_buf_clear(&description);
    return rc;
}

/* Which form the document has, and its columns. */
static int take_document(parser *p, mur_view document, mur_json_kind kind)
{
    member none = {0}, columns = none, fields = none, type = none, table = none;
    if (kind == MUR_JSON_OBJECT) {
        columns = find(document, "columns");
        fields = find(document, "fields");
        type = find(document, "type");
        table = find(document, "table");
    }
    if (columns.is_there == fields.is_there)
        return fail_at(p, document,
                       "expected murmur's {\"columns\":[…]} or Spark's {\"type\":\"struct\",\"fields\":[…]}");
    p->is_spark = fields.is_there;
    member list = p->is_spark ? fields : columns;
    if (list.kind != MUR_JSON_ARRAY)
        return fail_at(p, list.value, "expected an array of columns");
    if (p->is_spark && !(type.is_there && mur_view_equal(type.value, mur_view_of("\"struct\""))))
        return fail_at(p, type.is_there ? type.value : document, "expected \"type\":\"struct\" beside \"fields\"");
    if (!p->is_spark && table.is_there) {
        p->is_of_bronze = mur_view_equal(table.value, mur_view_of("\"bronze\""));
        if (!p->is_of_bronze)
            return fail_at(p, table.value, "this is the schema of another table than bronze");
    }
    int rc = 0;
    mur_json_walk w;
    for (mur_json_walk_begin(&w, list.value); rc == 0 && mur_json_walk_next(&w);)
        rc = take_column(p, w.value, w.kind);
    return rc;
}

int mur_schema_file_parse(mur_schema **out, mur_view text, const char *what)
{
    static const char mark[] = "\xEF\xBB\xBF";
    *out = NULL;
    if (text.len >= 3 && memcmp(text.ptr, mark, 3) == 0)
        text = (mur_view){text.ptr + 3, text.len - 3};
    parser p = {.text = text, .what = what};
    mur_json_scan scan;
    mur_json_check(&scan, text, MUR_MAX_DEPTH);
    if (scan.begin == text.len)
        return mur_fail(MUR_EDATA, "%s is empty: a schema is {\"columns\":[{\"name\":…,\"type\":…}, …]}", what);
    if (scan.verdict != MUR_JSON_OK)
        return mur_json_fail_at(text, scan.where, what, "%s", scan.detail);
    p.declared = mur_schema_new("bronze", mur_bronze_schema.description);
    int rc = take_document(&p, (mur_view){text.ptr + scan.begin, scan.end - scan.begin}, scan.kind);
    mur_map_clear(&p.names);
    if (rc < 0)
        mur_schema_free(&p.declared);
    *out = p.declared;
    return rc;
}

int mur_schema_file_read(mur_schema **out, const char *path)
{
    mur_buf text = {0};
    *out = NULL;
    int rc = mur_file_read(&text, path);
    if (rc == 0)
        rc = mur_schema_file_parse(out, mur_buf_view(&text), path);
    mur_buf_clear(&text);
    return rc;
}

/* "likes (int64), lang (string) and 3 more" */
static void append_columns(mur_buf *out, const mur_column *const *columns, size_t n)
{
    for (size_t i = 0; i < n && i < NAMES_SHOWN; i++)
        mur_buf_printf(out, "%s%s (%s)", i ? ", " : "", columns[i]->name, mur_type_name(columns[i]->type));
    if (n > NAMES_SHOWN)
        mur_buf_printf(out, " and %zu more", n - NAMES_SHOWN);
}

int mur_schema_file_merge(mur_schema **out, const mur_schema *now, const mur_schema *declared, bool is_merging,
                          const char *what)
{
    const mur_column *added[MUR_MAX_COLUMNS];
    size_t n_added = 0;
    mur_buf difference = {0};
    int rc = 0;
    *out = NULL;
    for (size_t i = 0; rc == 0 && i < declared->n_columns; i++) {
        const mur_column *column = &declared->columns[i];
        int known = mur_schema_find(now, mur_view_of(column->name));
        if (known < 0)
            added[n_added++] = column;
        else if (now->columns[known].type != column->type)
            rc = mur_fail(MUR_EDATA,
                          "%s: column %s is %s there and %s in bronze: a column keeps its type; correct the schema, or "
                          "give the new column another name",
                          what, column->name, mur_type_name(column->type), mur_type_name(now->columns[known].type));
    }
    if (rc == 0 && n_added > 0 && !is_merging) {
        append_columns(&difference, added, n_added);
        rc = mur_fail(MUR_EDATA,
                      "%s declares columns that bronze does not have: %s; add --merge-schema to add them from the next "
                      "commit on, or run without --schema: then these fields stay in rescued_data",
                      what, mur_buf_text(&difference));
    } else if (rc == 0 && now->n_columns + n_added > MUR_MAX_COLUMNS) {
        rc = mur_fail(MUR_EDATA, "%s: bronze has %zu columns and would have %zu: %d is the most", what, now->n_columns,
                      now->n_columns + n_added, MUR_MAX_COLUMNS);
    } else if (rc == 0) {
        *out = mur_schema_new(now->table, now->description);
        for (size_t c = 0; c < now->n_columns; c++)
            mur_schema_add(*out, &now->columns[c]);
        for (size_t c = 0; c < n_added; c++)
            mur_schema_add(*out, added[c]);
    }
    mur_buf_clear(&difference);
    return rc;
}
