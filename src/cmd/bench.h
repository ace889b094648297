/* bench.h: measurements of parts of the program: rows of cmd_bench.c's table. */
#ifndef MURMUR_BENCH_H
#define MURMUR_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/error.h"

typedef struct mur_bench {
    const char *name;
    const char *folder; /* to work in; there, empty, and nobody else's */
    bool is_json;
    int64_t n_sources, n_records, n_files; /* of log */
    const char *model, *texts;             /* of tokenizer; NULL: the default model, generated tweets */
} mur_bench;

typedef struct mur_figure {
    const char *name; /* "seconds": the member's name in JSON */
    double value;
    enum { MUR_COUNT, MUR_SECONDS, MUR_BYTES } kind;
} mur_figure;

/* Prints a result: a line of text, or an object. MUR_EIO. */
int mur_bench_tell(const mur_bench *b, const char *what, const mur_figure *figures, size_t n) MUR_MUST_USE;

/* What a step took in a process of its own. */
typedef struct mur_cost {
    double seconds;
    double cpu_seconds; /* of the process as a whole: says more where others use the machine too */
    int64_t peak_bytes; /* the most memory that the process had resident, its code included */
} mur_cost;

/* Runs `step` in a child, so that it finds no memory that an earlier one left, nor leaves any. Its verdict, and its
 * message where it fails. `seconds` is what the step measured of itself, or all of it where that is 0. */
int mur_bench_step(mur_cost *cost, int (*step)(void *context, double *seconds), void *context) MUR_MUST_USE;

int mur_bench_log(const mur_bench *b) MUR_MUST_USE;
int mur_bench_tokenizer(const mur_bench *b) MUR_MUST_USE;

#endif
