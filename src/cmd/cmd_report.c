/* What a store has to tell, as pictures and one page that can be sent. */
#include <stdlib.h>

#include "cmd.h"
#include "murmur/clock.h"
#include "murmur/log.h"
#include "murmur/report.h"

typedef struct settings {
    const char *out;
} settings;

static const mur_option options[] = {
    {"out", "DIR", "the folder for the page and the pictures; made if it is not there", NULL},
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    (void)name; /* there is one */
    settings *s = into;
    if (!*value)
        return mur_fail(MUR_EUSAGE, "a folder has a name");
    s->out = value;
    return 0;
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings s = {0};
    int first, rc = mur_parse_options(self, argc, argv, set, &s, &first);
    if (rc != 0)
        return rc;
    if (!s.out)
        return mur_fail(MUR_EUSAGE, "murmur report needs --out DIR; try 'murmur report --help'");
    double begun = mur_monotonic();
    mur_report_made made;
    rc = mur_report(&made, argv[first], s.out);
    if (rc == 0) {
        mur_log_info("%zu pictures and the page in %.1f s", made.n_pictures, mur_monotonic() - begun);
        mur_buf line = {0};
        mur_buf_printf(&line, "%s\n", made.page);
        rc = mur_output(mur_buf_view(&line));
        mur_buf_clear(&line);
    }
    free(made.page);
    return rc;
}

const mur_command mur_cmd_report = {
    .name = "report",
    .operands = "STORE",
    .summary = "pictures of all that a store has to tell, and a page that shows them",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
