/* cmd.h: a command is a row of main.c's table; its options are a table too, from which parsing and --help come. */
#ifndef MURMUR_CMD_H
#define MURMUR_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "murmur/buf.h"
#include "murmur/error.h"

typedef struct mur_option {
    const char *name;     /* without the dashes */
    const char *argument; /* what the help calls the value; NULL for a flag */
    const char *help;     /* with the default, where there is one */
    const char *variable; /* environment variable that gives the value when the option is absent; NULL: none */
} mur_option;

/* The row of every command that takes labels of models. */
#define MUR_LABEL_MAP_OPTION                                                                                           \
    {                                                                                                                  \
        "label-map", "MAP", "what labels mean whose names do not tell: 'LABEL_0=NEG,LABEL_1=POS' (or NEU)", NULL       \
    }

/* The row of every command that runs a model; mur_precision_parse takes its value. */
#define MUR_PRECISION_OPTION                                                                                           \
    {                                                                                                                  \
        "precision", "fp32|bf16|int8", "arithmetic of the model (default fp32)", NULL                                  \
    }

typedef struct mur_command {
    const char *name;
    const char *operands; /* "STORE TABLE" */
    const char *summary;
    const mur_option *options; /* ends with a zeroed one; --help, --quiet and --verbose are everyone's */
    size_t min_operands, max_operands;
    bool is_collective; /* all ranks run it; the others are run by rank 0 alone, without MPI */
    int (*run)(const struct mur_command *self, int argc, char **argv);
} mur_command;

/* Parses argv[1..] by the command's table; `set` is called for each option given, in order, and returns MUR_EUSAGE with
 * a message for a value that it does not take. `*first` is the index of the first operand; operands are moved behind
 * the options. Returns 1 when --help was printed and there is nothing to do. */
int mur_parse_options(const mur_command *self, int argc, char **argv,
                      int (*set)(void *into, const char *name, const char *value), void *into, int *first) MUR_MUST_USE;

void mur_print_help(const mur_command *self, FILE *to);

/* Results: buffered standard output whose errors are found. MUR_EIO; 0 when the reader has gone away (as `| head`). */
int mur_output(mur_view bytes) MUR_MUST_USE;

/* The model `given`, or where that is NULL the default: $MURMUR_MODEL, else weights/murmur-mini found from the
 * executable. A fresh string. */
char *mur_model_or_default(const char *given);

extern const mur_command mur_cmd_run, mur_cmd_doctor, mur_cmd_sources, mur_cmd_export, mur_cmd_history, mur_cmd_verify,
    mur_cmd_mentions, mur_cmd_classify, mur_cmd_tokenize, mur_cmd_model, mur_cmd_generate, mur_cmd_optimize,
    mur_cmd_vacuum, mur_cmd_status, mur_cmd_stop, mur_cmd_clear, mur_cmd_bench, mur_cmd_rescore, mur_cmd_evaluate,
    mur_cmd_eda, mur_cmd_push, mur_cmd_report;

#endif
