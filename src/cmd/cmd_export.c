#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "csv.h"
#include "export_h5.h"
#include "json_lines.h"
#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/json.h"
#include "murmur/mem.h"
#include "murmur/quantity.h"
#include "murmur/table_rows.h"
#include "murmur/tables.h"
#include "murmur/utf8.h"
#include "when.h"

typedef enum { FORMAT_JSONL, FORMAT_CSV, FORMAT_H5, N_FORMATS } format;

static const char *const format_names[N_FORMATS] = {"jsonl", "csv", "h5"};

typedef struct settings {
    format format;
    mur_when when;
    const char *output, *columns;
    int64_t limit;
} settings;

static const mur_option options[] = {
    {"format", "FORMAT", "jsonl (default), csv, or h5: one plain HDF5 file (with --output)", NULL},
    {"output", "FILE", "write there instead of standard output", NULL},
    MUR_WHEN_OPTIONS("the table"),
    {"columns", "A,B", "these columns, in this order (default: all)", NULL},
    {"limit", "N", "at most N rows", NULL},
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    settings *s = into;
    if (strcmp(name, "format") == 0) {
        s->format = FORMAT_JSONL;
        while (s->format < N_FORMATS && strcmp(value, format_names[s->format]) != 0)
            s->format++;
        if (s->format == N_FORMATS)
            return mur_fail(MUR_EUSAGE, "'%s' is no format: jsonl, csv and h5 are", value);
    } else if (strcmp(name, "output") == 0) {
        s->output = value;
    } else if (mur_when_takes(name)) {
        return mur_when_set(&s->when, name, value);
    } else if (strcmp(name, "columns") == 0) {
        s->columns = value;
    } else if (strcmp(name, "limit") == 0) {
        return mur_integer_parse(&s->limit, value, 0, INT64_MAX);
    }
    return 0;
}

/* Appends text as UTF-8: bytes that are not stand as \xNN (rejects.raw holds what files held). */
static mur_view make_utf8(mur_buf *mended, mur_view text)
{
    if (mur_utf8_is_valid(text))
        return text;
    mur_buf_reset(mended);
    mur_utf8_append_escaped(mended, text, false);
    return mur_buf_view(mended);
}

typedef struct context {
    const settings *settings;
    mur_buf out, mended;
    mur_buf before;                      /* what stands before each value, one behind the other */
    size_t before_ends[MUR_MAX_COLUMNS]; /* in it */
    bool has_written;
} context;

static void append_value(context *c, const mur_frame *rows, size_t row, size_t column)
{
    bool is_csv = c->settings->format == FORMAT_CSV;
    char time[MUR_TIME_TEXT];
    switch (rows->schema->columns[column].type) {
    case MUR_STRING: {
        mur_view text = make_utf8(&c->mended, mur_frame_string(rows, row, column));
        if (is_csv)
            mur_append_csv_string(&c->out, text);
        else
            mur_json_append_string(&c->out, text);
        break;
    }
    case MUR_TIMESTAMP:
        mur_time_format(time, mur_frame_int64(rows, row, column));
        mur_buf_append_text(&c->out, is_csv ? "" : "\"");
        mur_buf_append_text(&c->out, time);
        mur_buf_append_text(&c->out, is_csv ? "" : "\"");
        break;
    case MUR_INT64: mur_buf_printf(&c->out, "%" PRId64, mur_frame_int64(rows, row, column)); break;
    case MUR_INT8: mur_buf_printf(&c->out, "%d", mur_frame_int8(rows, row, column)); break;
    case MUR_BOOL: mur_buf_append_text(&c->out, mur_frame_int8(rows, row, column) ? "true" : "false"); break;
    case MUR_FLOAT32: mur_append_float(&c->out, mur_frame_float32(rows, row, column)); break;
    case MUR_FLOAT64: mur_append_double(&c->out, mur_frame_float64(rows, row, column)); break;
    }
}

static int flush(context *c)
{
    mur_view bytes = mur_buf_view(&c->out);
    const char *path = c->settings->output;
    int rc = !path ? mur_output(bytes) : c->has_written ? mur_file_append(path, bytes) : mur_file_write(path, bytes);
    c->has_written = true;
    mur_buf_reset(&c->out);
    return rc;
}

/* What stands before the values of a row: columns merged into bronze have any names. */
static void prepare_before(context *c, const mur_schema *schema)
{
    for (size_t k = 0; k < schema->n_columns; k++) {
        if (c->settings->format == FORMAT_CSV) {
            mur_buf_append_text(&c->before, k ? "," : "");
        } else {
            mur_buf_append_byte(&c->before, k ? ',' : '{');
            mur_append_json_string(&c->before, mur_view_of(schema->columns[k].name));
            mur_buf_append_byte(&c->before, ':');
        }
        c->before_ends[k] = c->before.len;
    }
}

static void append_before(context *c, size_t column)
{
    size_t begin = column ? c->before_ends[column - 1] : 0;
    mur_buf_append(&c->out, c->before.ptr + begin, c->before_ends[column] - begin);
}

static int take(void *with, const mur_frame *rows)
{
    context *c = with;
    const mur_schema *schema = rows->schema;
    bool is_csv = c->settings->format == FORMAT_CSV;
    for (size_t row = 0; row < rows->n_rows; row++) {
        for (size_t k = 0; k < schema->n_columns; k++) {
            append_before(c, k);
            if (mur_frame_is_present(rows, row, k))
                append_value(c, rows, row, k);
            else if (!is_csv)
                mur_buf_append_text(&c->out, "null");
        }
        mur_buf_append_text(&c->out, is_csv ? "\n" : "}\n");
    }
    return flush(c);
}

/* The columns named in `list`, or all of them; `chosen` has room for MUR_MAX_COLUMNS. */
static int choose_columns(mur_column *chosen, size_t *n, const mur_schema *table, const char *list)
{
    *n = 0;
    if (!list) {
        memcpy(chosen, table->columns, table->n_columns * sizeof *chosen);
        *n = table->n_columns;
        return 0;
    }
    for (const char *at = list, *end; *at || at == list; at = *end ? end + 1 : end) {
        end = at + strcspn(at, ",");
        int found = mur_schema_find(table, (mur_view){at, (size_t)(end - at)});
        if (found < 0)
            return mur_fail(MUR_EUSAGE, "--columns: %s has no column '%.*s'", table->table, (int)(end - at), at);
        if (*n == MUR_MAX_COLUMNS)
            return mur_fail(MUR_EUSAGE, "--columns: more than %d columns", MUR_MAX_COLUMNS);
        chosen[(*n)++] = table->columns[found];
    }
    return 0;
}

static int export_text(const mur_store *store, const mur_selection *selection, const mur_schema *schema,
                       const settings *s)
{
    context c = {.settings = s};
    prepare_before(&c, schema);
    if (s->format == FORMAT_CSV) {
        for (size_t k = 0; k < schema->n_columns; k++) {
            append_before(&c, k);
            mur_append_csv_string(&c.out, mur_view_of(schema->columns[k].name));
        }
        mur_buf_append_byte(&c.out, '\n');
    }
    int rc = mur_each_frame(store, selection, schema, take, &c);
    if (rc == 0) /* what is left: a header alone, or the file of a table without rows */
        rc = flush(&c);
    mur_buf_clear(&c.out);
    mur_buf_clear(&c.mended);
    mur_buf_clear(&c.before);
    return rc;
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings s = {.limit = -1};
    int first, rc = mur_parse_options(self, argc, argv, set, &s, &first);
    if (rc != 0)
        return rc;
    const mur_schema *table = mur_table_schema(argv[first + 1]);
    if (!table)
        return mur_fail(MUR_EUSAGE, "there is no table '%s': bronze, silver, gold, application and rejects are",
                        argv[first + 1]);
    if (s.format == FORMAT_H5 && !s.output)
        return mur_fail(MUR_EUSAGE, "--format h5 needs --output FILE: HDF5 is written to files only");
    mur_store *store;
    rc = mur_store_open(&store, argv[first]);
    if (rc < 0)
        return rc;
    mur_column chosen[MUR_MAX_COLUMNS];
    mur_schema schema = {table->table, table->description, chosen, 0}, *stored = NULL;
    mur_selection selection = {table->table, -1, s.limit};
    rc = mur_when_find(&selection.record, &s.when, store, table->table);
    int64_t version = rc == 0 ? mur_store_version_at(store, table->table, selection.record) : -1;
    if (version >= 0) /* bronze of that version may be wider than murmur's own */
        rc = mur_store_schema(&stored, store, table->table, version);
    if (rc == 0)
        rc = choose_columns(chosen, &schema.n_columns, stored ? stored : table, s.columns);
    if (rc == 0)
        rc = s.format == FORMAT_H5 ? mur_export_h5(store, &selection, &schema, s.output)
                                   : export_text(store, &selection, &schema, &s);
    mur_schema_free(&stored);
    mur_store_close(&store);
    return rc;
}

const mur_command mur_cmd_export = {
    .name = "export",
    .operands = "STORE TABLE",
    .summary = "a table's rows as JSON Lines, CSV or a plain HDF5 file",
    .options = options,
    .min_operands = 2,
    .max_operands = 2,
    .run = run,
};
