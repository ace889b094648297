#include <string.h>

#include "cmd.h"
#include "murmur/log.h"
#include "murmur/model.h"
#include "murmur/quantity.h"
#include "murmur/vacuum.h"

typedef struct settings {
    int64_t older_than_ms;
    bool is_dry, is_breaking_lock;
} settings;

#define WEEK_MS (INT64_C(7) * 24 * 3600 * 1000)

static const mur_option options[] = {
    {"older-than", "TIME",
     "keep what was current within it (default 7d); with less, whoever reads an old version now loses its files", NULL},
    {"dry-run", NULL, "only list what would be removed", NULL},
    {"break-lock", NULL, "take the store over from a writer that is known to be dead", NULL},
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    settings *s = into;
    if (strcmp(name, "older-than") == 0)
        return mur_duration_parse(&s->older_than_ms, value);
    if (strcmp(name, "dry-run") == 0)
        s->is_dry = true;
    else if (strcmp(name, "break-lock") == 0)
        s->is_breaking_lock = true;
    return 0;
}

typedef struct summary {
    mur_buf lines;
    bool is_dry;
    size_t n_parts, n_left_over;
    int64_t bytes;
} summary;

static void tell(void *context, const mur_vacuumed_file *file)
{
    summary *s = context;
    char size[MUR_QUANTITY_TEXT];
    mur_buf_printf(&s->lines, "%s %s (%s%s)\n", s->is_dry ? "would remove" : "removed", file->path,
                   mur_size_format(size, file->bytes), file->is_left_over ? ", left over" : "");
    s->n_parts += !file->is_left_over;
    s->n_left_over += file->is_left_over;
    s->bytes += file->bytes;
}

static int vacuum(const char *folder, const settings *given, summary *s)
{
    char run_id[MUR_RUN_ID];
    mur_run_id_make(run_id);
    mur_store *store;
    int rc = mur_store_open(&store, folder);
    if (rc == 0 && !given->is_dry)
        rc = mur_store_lock(store, run_id, given->is_breaking_lock);
    if (rc == 0)
        rc = mur_store_vacuum(store,
                              &(mur_vacuum_options){.older_than_ms = given->older_than_ms,
                                                    .is_dry = given->is_dry,
                                                    .run_id = run_id,
                                                    .murmur_version = MURMUR_VERSION,
                                                    .blas_kernel = mur_blas_kernel()},
                              tell, s);
    mur_store_close(&store);
    return rc;
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings given = {.older_than_ms = WEEK_MS};
    int first, rc = mur_parse_options(self, argc, argv, set, &given, &first);
    if (rc != 0)
        return rc;
    summary s = {.is_dry = given.is_dry};
    rc = vacuum(argv[first], &given, &s);
    int written = mur_output(mur_buf_view(&s.lines));
    mur_buf_clear(&s.lines);
    if (rc == 0) {
        char size[MUR_QUANTITY_TEXT];
        mur_log_info("%s: %zu parts and %zu files left over, %s, %s", argv[first], s.n_parts, s.n_left_over,
                     mur_size_format(size, s.bytes), s.is_dry ? "would be removed" : "removed");
    }
    return rc < 0 ? rc : written;
}

const mur_command mur_cmd_vacuum = {
    .name = "vacuum",
    .operands = "STORE",
    .summary = "remove files that no version of the last days needs",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
