#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "murmur/log.h"
#include "murmur/mem.h"

static const mur_option common[] = {
    {"quiet", NULL, "only warnings and errors on standard error", NULL},
    {"verbose", NULL, "more on standard error", NULL},
    {"help", NULL, "this text", NULL},
};
#define N_COMMON (sizeof common / sizeof *common)

static size_t count_options(const mur_command *self)
{
    size_t n = 0;
    while (self->options && self->options[n].name)
        n++;
    return n;
}

static void print_option(const mur_option *o, FILE *to)
{
    char left[64];
    snprintf(left, sizeof left, "--%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
    fprintf(to, "  %-24s %s%s%s%s\n", left, o->help, o->variable ? " [env: " : "", o->variable ? o->variable : "",
            o->variable ? "]" : "");
}

void mur_print_help(const mur_command *self, FILE *to)
{
    fprintf(to, "Usage: murmur %s%s%s [options]\n\n%s\n\nOptions:\n", self->name, *self->operands ? " " : "",
            self->operands, self->summary);
    for (size_t i = 0; i < count_options(self); i++)
        print_option(&self->options[i], to);
    for (size_t i = 0; i < N_COMMON; i++)
        print_option(&common[i], to);
    fprintf(to, "\nSizes take K, M, G; durations s, m, h, d. Exit status as in sysexits(3). More: man murmur\n");
}

int mur_parse_options(const mur_command *self, int argc, char **argv,
                      int (*set)(void *into, const char *name, const char *value), void *into, int *first)
{
    size_t n = count_options(self);
    struct option *table = mur_alloc(n + N_COMMON + 1, sizeof *table);
    for (size_t i = 0; i < n + N_COMMON; i++) {
        const mur_option *o = i < n ? &self->options[i] : &common[i - n];
        table[i] = (struct option){o->name, o->argument ? required_argument : no_argument, NULL, 0};
    }

    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const char *value = self->options[i].variable ? getenv(self->options[i].variable) : NULL;
        if (value && *value)
            rc = set(into, self->options[i].name, value);
        if (rc < 0)
            mur_error_add("%s", self->options[i].variable);
    }

    opterr = 0;
    optind = 1;
    while (rc == 0) {
        int index = -1, got = getopt_long(argc, argv, ":", table, &index);
        if (got == -1)
            break;
        if (got != 0 || index < 0) {
            const char *word = argv[optind - 1];
            rc = mur_fail(MUR_EUSAGE,
                          got == ':' ? "option %s needs a value; try 'murmur %s --help'"
                                     : "unknown option %s; try 'murmur %s --help'",
                          word, self->name);
        } else if (strcmp(table[index].name, "help") == 0) {
            mur_print_help(self, stdout);
            rc = 1;
        } else if (strcmp(table[index].name, "quiet") == 0) {
            mur_log_level_set(MUR_LOG_WARN);
        } else if (strcmp(table[index].name, "verbose") == 0) {
            mur_log_level_set(MUR_LOG_DEBUG);
        } else {
            rc = set(into, table[index].name, optarg);
            if (rc < 0)
                mur_error_add("--%s", table[index].name);
        }
    }
    free(table);
    if (rc != 0)
        return rc;

    *first = optind;
    size_t n_operands = (size_t)(argc - optind);
    if (n_operands < self->min_operands)
        return mur_fail(MUR_EUSAGE, "murmur %s needs %s; try 'murmur %s --help'", self->name, self->operands,
                        self->name);
    if (n_operands > self->max_operands)
        return mur_fail(MUR_EUSAGE, "murmur %s does not take '%s'; try 'murmur %s --help'", self->name,
                        argv[optind + (int)self->max_operands], self->name);
    return 0;
}
