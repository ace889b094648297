#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "murmur/clock.h"
#include "murmur/quantity.h"
#include "murmur/store.h"
#include "murmur/tables.h"

static const mur_option options[] = {{NULL, NULL, NULL, NULL}};

static int set(void *into, const char *name, const char *value)
{
    (void)into, (void)name, (void)value; /* no options of its own */
    return 0;
}

static void print_change(mur_buf *out, const mur_record *r, const mur_change *change)
{
    int64_t n_rows = 0;
    for (size_t i = 0; i < change->n_added; i++)
        n_rows += change->added[i].n_rows;
    char time[MUR_TIME_TEXT], size[MUR_QUANTITY_TEXT];
    mur_buf_printf(
        out, "%-11s %7" PRId64 "  %-24s  %-9s  %10" PRId64 "  %10" PRId64 "  %5" PRId64 "  %10s  %7zu  %-16s %s\n",
        change->table, change->version, mur_time_format(time, r->time), r->operation, n_rows, change->n_rows,
        change->n_parts, mur_size_format(size, change->bytes), r->n_sources, r->model_name ? r->model_name : "-",
        r->run_id);
}

static int run(const mur_command *self, int argc, char **argv)
{
    int first, rc = mur_parse_options(self, argc, argv, set, NULL, &first);
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
    mur_buf_printf(&out, "%-11s %7s  %-24s  %-9s  %10s  %10s  %5s  %10s  %7s  %-16s %s\n", "table", "version", "time",
                   "operation", "rows added", "rows", "parts", "bytes", "sources", "model", "run");
    for (size_t i = mur_store_n_records(store); i-- > 0;) { /* newest first, as Delta's DESCRIBE HISTORY */
        const mur_record *r = mur_store_record(store, i);
        for (size_t k = 0; k < r->n_changes; k++)
            if (!table || strcmp(r->changes[k].table, table) == 0)
                print_change(&out, r, &r->changes[k]);
    }
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
