#include <inttypes.h>

#include "cmd.h"
#include "murmur/deep.h"
#include "murmur/store.h"

static const mur_option options[] = {
    {"deep", NULL, "also compute silver from bronze, and application from gold, and compare", NULL},
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    (void)name, (void)value; /* there is one */
    *(bool *)into = true;
    return 0;
}

static void say(void *context, bool is_damage, const char *text)
{
    mur_buf_printf(context, "%s: %s\n", is_damage ? "damage" : "litter", text);
}

static void say_difference(void *context, const char *text)
{
    say(context, true, text);
}

static int run(const mur_command *self, int argc, char **argv)
{
    bool is_deep = false;
    int first, rc = mur_parse_options(self, argc, argv, set, &is_deep, &first);
    if (rc != 0)
        return rc;
    mur_buf out = {0};
    int64_t n_parts = 0, n_rows = 0;
    rc = mur_store_verify(argv[first], say, &out, &n_parts, &n_rows);
    if (rc == 0)
        mur_buf_printf(&out, "%s is whole: %" PRId64 " parts, %" PRId64 " rows\n", argv[first], n_parts, n_rows);
    if (rc == 0 && is_deep && n_parts > 0) {
        const mur_deep_options deep = {.mentions_at_once = MUR_DEEP_MENTIONS};
        rc = mur_verify_deep(argv[first], &deep, say_difference, &out, &n_rows);
        if (rc == 0)
            mur_buf_printf(&out, "its tables agree: %" PRId64 " rows computed again\n", n_rows);
    }
    int written = mur_output(mur_buf_view(&out));
    mur_buf_clear(&out);
    return rc < 0 ? rc : written;
}

const mur_command mur_cmd_verify = {
    .name = "verify",
    .operands = "STORE",
    .summary = "check every part against the log",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
