#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "murmur/generate.h"
#include "murmur/log.h"
#include "murmur/quantity.h"

static int set_option(void *into, const char *name, const char *value)
{
    mur_generate_options *o = into;
    int64_t number = 0;
    int rc = 0;
    if (strcmp(name, "tweets") == 0) {
        rc = mur_integer_parse(&o->n_tweets, value, 0, INT64_C(1000000000000));
    } else if (strcmp(name, "files") == 0) {
        rc = mur_integer_parse(&o->n_files, value, 1, 1000000);
    } else if (strcmp(name, "seed") == 0) {
        rc = mur_integer_parse(&number, value, 0, INT64_MAX);
        o->seed = (uint64_t)number;
    } else {
        o->is_clean = true;
    }
    return rc;
}

static int run_generate(const mur_command *self, int argc, char **argv)
{
    mur_generate_options options = {.n_tweets = 10000, .n_files = 16, .seed = 1};
    int first, rc = mur_parse_options(self, argc, argv, set_option, &options, &first);
    if (rc != 0)
        return rc < 0 ? rc : 0;

    const char *folder = argv[first];
    mur_generated made;
    rc = mur_generate(folder, &options, &made);
    if (rc < 0)
        return rc;
    if (made.n_removed > 0)
        mur_log_info("removed %" PRId64 " files of an earlier set from %s", made.n_removed, folder);
    if (made.n_kept > 0)
        mur_log_info("%" PRId64 " files in %s held the same bytes already and stay as they are", made.n_kept, folder);

    char size[MUR_QUANTITY_TEXT];
    mur_buf line = {0};
    mur_buf_printf(&line,
                   "%" PRId64 " tweets and %" PRId64 " texts that ingest rejects, in %" PRId64 " files (%s): %s\n",
                   options.n_tweets, made.n_rejects, options.n_files, mur_size_format(size, made.bytes), folder);
    rc = mur_output(mur_buf_view(&line));
    mur_buf_clear(&line);
    return rc < 0 ? rc : 0;
}

static const mur_option options_table[] = {
    {"tweets", "N", "how many (10000)", NULL},
    {"files", "M", "in how many files (16)", NULL},
    {"seed", "S", "the same seed gives the same bytes (1)", NULL},
    {"clean", NULL, "leave out what ingest rejects: by default a text behind every 200th tweet", NULL},
    {0},
};

const mur_command mur_cmd_generate = {
    .name = "generate",
    .operands = "DIR",
    .summary = "make synthetic tweets, odd and broken ones among them",
    .options = options_table,
    .min_operands = 1,
    .max_operands = 1,
    .run = run_generate,
};
