#include <inttypes.h>
#include <string.h>

#include "cmd.h"
#include "murmur/log.h"
#include "murmur/optimize.h"
#include "murmur/quantity.h"
#include "murmur/stop.h"
#include "writing_options.h"

static const mur_option options[] = {
    {"target-size", "SIZE", "what a part's rows may take, uncompressed (default 256M)", NULL},
    {"dry-run", NULL, "only say which parts would be put together", NULL},
    MUR_WRITING_OPTIONS,
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    mur_optimize_options *o = into;
    int rc = 0;
    if (strcmp(name, "target-size") == 0) {
        rc = mur_size_parse(&o->target_bytes, value);
        if (rc == 0 && o->target_bytes <= 0)
            rc = mur_fail(MUR_EUSAGE, "'%s' is no size of a part", value);
    } else if (strcmp(name, "dry-run") == 0) {
        o->is_dry = true;
    } else if (mur_writing_takes(name)) {
        rc = mur_writing_set(&o->writing, name, value);
    }
    return rc < 0 ? rc : 0;
}

typedef struct summary {
    size_t n_before, n_after;
    int rc; /* of standard output */
} summary;

static void say(void *context, const mur_compaction *done)
{
    summary *s = context;
    char before[MUR_QUANTITY_TEXT], after[MUR_QUANTITY_TEXT];
    mur_buf line = {0};
    mur_size_format(before, done->bytes_before);
    if (done->version < 0)
        mur_buf_printf(&line, "%s: %zu parts (%" PRId64 " rows, %s) would become one\n", done->table, done->n_parts,
                       done->n_rows, before);
    else
        mur_buf_printf(&line, "%s: version %" PRId64 ": %zu parts (%" PRId64 " rows, %s) are one of %s\n", done->table,
                       done->version, done->n_parts, done->n_rows, before, mur_size_format(after, done->bytes));
    if (s->rc == 0)
        s->rc = mur_output(mur_buf_view(&line));
    mur_buf_clear(&line);
    s->n_before += done->n_parts;
    s->n_after++;
}

static int run(const mur_command *self, int argc, char **argv)
{
    mur_optimize_options o;
    mur_optimize_options_init(&o);
    int first, rc = mur_parse_options(self, argc, argv, set, &o, &first);
    if (rc != 0)
        return rc;
    o.store = argv[first];
    o.tables = argv + first + 1;
    o.n_tables = (size_t)(argc - first - 1);

    mur_comm c;
    summary s = {0};
    mur_stop_listen();
    rc = mur_comm_open(&c);
    if (rc == 0) {
        rc = mur_optimize(&c, &o, say, &s);
        if (rc == 0 && c.rank == 0) {
            if (s.n_after == 0)
                mur_log_info("%s: no neighbouring parts fit together: nothing to do", o.store);
            else
                mur_log_info("%s: %zu parts %s %zu", o.store, s.n_before, o.is_dry ? "would become" : "became",
                             s.n_after);
            rc = s.rc;
        }
    }
    mur_comm_close(&c);
    return rc;
}

const mur_command mur_cmd_optimize = {
    .name = "optimize",
    .operands = "STORE [TABLE...]",
    .summary = "put small parts together; old versions stay until vacuum (under mpirun, srun or alone)",
    .options = options,
    .min_operands = 1,
    .max_operands = 100,
    .is_collective = true,
    .run = run,
};
