#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "murmur/clear.h"
#include "murmur/log.h"
#include "murmur/quantity.h"
#include "murmur/record.h"

typedef struct settings {
    bool is_sure, is_breaking_lock;
} settings;

static const mur_option options[] = {
    {"yes", NULL, "do not ask", NULL},
    {"break-lock", NULL, "also when its lock names a writer, which is known to be dead", NULL},
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    (void)value;
    settings *s = into;
    if (strcmp(name, "yes") == 0)
        s->is_sure = true;
    else if (strcmp(name, "break-lock") == 0)
        s->is_breaking_lock = true;
    return 0;
}

/* 0 for yes. */
static int ask(const char *folder, const mur_clear_survey *s)
{
    char size[MUR_QUANTITY_TEXT], answer[16] = "";
    if (!isatty(STDIN_FILENO))
        return mur_fail(MUR_EUSAGE, "%s has %zu records and %zu other files (%s); to delete them all, give --yes",
                        folder, s->n_records, s->n_files, mur_size_format(size, s->bytes));
    fprintf(stderr, "Delete the store %s, %zu records and %zu other files (%s), for ever? [y/N] ", folder, s->n_records,
            s->n_files, mur_size_format(size, s->bytes));
    fflush(stderr);
    bool is_yes = fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
    return is_yes ? 0 : mur_fail(MUR_EUSAGE, "%s stays", folder);
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings given = {0};
    int first, rc = mur_parse_options(self, argc, argv, set, &given, &first);
    if (rc != 0)
        return rc;
    const char *folder = argv[first];
    mur_clear_survey s;
    rc = mur_clear_look(&s, folder);
    if (rc == 0 && !given.is_sure)
        rc = ask(folder, &s);
    if (rc < 0)
        return rc;
    char run_id[MUR_RUN_ID];
    bool is_left;
    mur_run_id_make(run_id);
    rc = mur_clear(folder, run_id, given.is_breaking_lock, &is_left);
    if (rc == 0 && is_left)
        mur_log_warn("the store is deleted, and the folder %s stays: it holds files that are not murmur's", folder);
    else if (rc == 0)
        mur_log_info("the store %s is deleted", folder);
    return rc;
}

const mur_command mur_cmd_clear = {
    .name = "clear",
    .operands = "STORE",
    .summary = "delete a store",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
