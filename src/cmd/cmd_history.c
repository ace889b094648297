#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "murmur/clock.h"
#include "murmur/json.h"
#include "murmur/quantity.h"
#include "murmur/store.h"
#include "murmur/tables.h"

typedef struct settings {
    bool is_json;
    int64_t limit;
} settings;

static const mur_option options[] = {
    {"json", NULL, "one object a line, with all that the log tells", NULL},
    {"limit", "N", "at most N lines", NULL},
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    settings *s = into;
    if (strcmp(name, "limit") == 0)
        return mur_integer_parse(&s->limit, value, 0, INT64_MAX);
    s->is_json = true;
    return 0;
}

/* One line of the history: a table's change in a record, or a record that changes no table. */
typedef struct entry {
    const mur_record *record;
    const mur_change *change; /* NULL: none */
    int64_t rows_added, rows_removed;
} entry;

static entry entry_of(const mur_store *s, const mur_record *r, const mur_change *c)
{
    entry e = {.record = r, .change = c};
    for (size_t i = 0; c && i < c->n_added; i++)
        e.rows_added += c->added[i].n_rows;
    const mur_change *before = c && c->version > 0 ? mur_store_change(s, c->table, c->version - 1) : NULL;
    if (c)
        e.rows_removed = (before ? before->n_rows : 0) + e.rows_added - c->n_rows;
    return e;
}

static void print_head(mur_buf *out)
{
    mur_buf_printf(out, "%-11s %7s  %-24s  %-9s  %10s  %10s  %5s  %10s  %7s  %-16s %s\n", "table", "version", "time",
                   "operation", "rows added", "rows", "parts", "bytes", "sources", "model", "run");
}

static void print_line(mur_buf *out, const entry *e)
{
    const mur_record *r = e->record;
    const mur_change *c = e->change;
    char time[MUR_TIME_TEXT], size[MUR_QUANTITY_TEXT];
    mur_time_format(time, r->time);
    if (c)
        mur_buf_printf(out, "%-11s %7" PRId64 "  %-24s  %-9s  %10" PRId64 "  %10" PRId64 "  %5" PRId64 "  %10s",
                       c->table, c->version, time, r->operation, e->rows_added, c->n_rows, c->n_parts,
                       mur_size_format(size, c->bytes));
    else
        mur_buf_printf(out, "%-11s %7s  %-24s  %-9s  %10s  %10s  %5s  %10s", "-", "-", time, r->operation, "-", "-",
                       "-", "-");
    mur_buf_printf(out, "  %7zu  %-16s %s\n", r->n_sources, r->model_name ? r->model_name : "-", r->run_id);
}

/* `before` ends with the member's colon. */
static void append_text(mur_buf *out, const char *before, const char *text)
{
    mur_buf_append_text(out, before);
    if (text)
        mur_json_append_string(out, mur_view_of(text));
    else
        mur_buf_append_text(out, "null");
}

static void print_json(mur_buf *out, const entry *e)
{
    const mur_record *r = e->record;
    const mur_change *c = e->change;
    char time[MUR_TIME_TEXT];
    append_text(out, "{\"table\":", c ? c->table : NULL);
    if (c)
        mur_buf_printf(out, ",\"version\":%" PRId64, c->version);
    else
        mur_buf_append_text(out, ",\"version\":null");
    mur_buf_printf(out, ",\"record\":%" PRId64, r->number);
    append_text(out, ",\"time\":", mur_time_format(time, r->time));
    append_text(out, ",\"operation\":", r->operation);
    if (c) {
        mur_buf_printf(out,
                       ",\"rows_added\":%" PRId64 ",\"rows_removed\":%" PRId64 ",\"rows\":%" PRId64
                       ",\"parts_added\":%zu,\"parts_removed\":%zu,\"parts\":%" PRId64 ",\"bytes\":%" PRId64,
                       e->rows_added, e->rows_removed, c->n_rows, c->n_added, c->n_removed, c->n_parts, c->bytes);
        append_text(out, ",\"input\":", c->input);
        mur_buf_printf(out, c->input ? ",\"input_version\":%" PRId64 : ",\"input_version\":null", c->input_version);
    }
    mur_buf_printf(out, ",\"sources\":%zu,\"vacuumed\":%zu", r->n_sources, r->n_vacuumed);
    append_text(out, ",\"model\":", r->model_name);
    append_text(out, ",\"model_hash\":", r->model_hash);
    append_text(out, ",\"precision\":", r->precision);
    append_text(out, ",\"run_id\":", r->run_id);
    append_text(out, ",\"murmur_version\":", r->murmur_version);
    append_text(out, ",\"blas_kernel\":", r->blas_kernel);
    mur_buf_printf(out, ",\"ranks\":%d,\"options\":%s}\n", r->ranks, r->options);
}

static void print_history(mur_buf *out, const mur_store *store, const char *table, const settings *s)
{
    int64_t n_left = s->limit;
    if (!s->is_json)
        print_head(out);
    for (size_t i = mur_store_n_records(store); i-- > 0;) { /* newest first, as Delta's DESCRIBE HISTORY */
        const mur_record *r = mur_store_record(store, i);
        for (size_t k = 0; k < (r->n_changes > 0 || table ? r->n_changes : 1); k++) {
            const mur_change *c = r->n_changes > 0 ? &r->changes[k] : NULL;
            if (table && strcmp(c->table, table) != 0)
                continue;
            if (n_left-- == 0)
                return;
            entry e = entry_of(store, r, c);
            (s->is_json ? print_json : print_line)(out, &e);
        }
    }
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings s = {.limit = INT64_MAX};
    int first, rc = mur_parse_options(self, argc, argv, set, &s, &first);
    if (rc != 0)
        return rc;
    const char *table = argc - first > 1 ? argv[first + 1] : NULL;
    if (table && !mur_table_schema(table))
        return mur_fail(MUR_EUSAGE, "there is no table '%s': bronze, silver, gold, application and rejects are", table);
    mur_store *store;
    rc = mur_store_open(&store, argv[first]);
    if (rc < 0)
        return rc;
    mur_buf out = {0};
    print_history(&out, store, table, &s);
    rc = mur_output(mur_buf_view(&out));
    mur_buf_clear(&out);
    mur_store_close(&store);
    return rc;
}

const mur_command mur_cmd_history = {
    .name = "history",
    .operands = "STORE [TABLE]",
    .summary = "versions of the tables, newest first",
    .options = options,
    .min_operands = 1,
    .max_operands = 2,
    .run = run,
};
