/* bench.h: measurements of parts of the program: rows of cmd_bench.c's table. */
#ifndef MURMUR_BENCH_H
#define MURMUR_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/error.h"
#include "murmur/frame.h"
#include "murmur/ingest.h"
#include "murmur/par.h"

typedef struct mur_bench {
    const char *name;
    const char *folder; /* to work in; there, empty, and nobody else's. NULL for those that all ranks do */
    mur_comm *comm;     /* for those that all ranks do; NULL for the others */
    const char *dir;    /* that was named to work below; NULL: none */
    bool is_json;
    int64_t n_sources, n_records, n_files;    /* of log */
    const char *model;                        /* of tokenizer and encoder; NULL: the default model, the shapes */
    const char *texts;                        /* of tokenizer, json and table; NULL: generated tweets */
    const char *shape, *precision, *lengths;  /* of encoder; NULL: every one, every one, those of tweets */
    int64_t n_tweets;                         /* of encoder, on each rank; 0: as many as take some seconds */
    int64_t n_units, unit_ms, ranks_per_node; /* of deal: units a rank, their mean; 0: nodes as they are */
} mur_bench;

typedef struct mur_figure {
    const char *name; /* "seconds": the member's name in JSON */
    double value;     /* NAN: there is none, which is null in JSON */
    enum { MUR_COUNT, MUR_SECONDS, MUR_BYTES, MUR_NUMBER, MUR_TEXT } kind;
    const char *text; /* of MUR_TEXT; NULL: there is none */
} mur_figure;

/* Prints a result: a line of text, or an object. MUR_EIO. */
int mur_bench_tell(const mur_bench *b, const char *what, const mur_figure *figures, size_t n) MUR_MUST_USE;

/* The middle one of values[n], the mean of two where n is even; sorts them. */
double mur_bench_median(double *values, size_t n);

/* A source file in memory, inflated. */
typedef struct mur_document {
    char *path;
    mur_buf text;
    const char *damage; /* of a gzip; NULL: none */
} mur_document;

/* The files of `--texts`, or generated tweets. */
typedef struct mur_documents {
    mur_document *items;
    size_t n;
    size_t bytes; /* of all texts */
} mur_documents;
int mur_bench_documents(mur_documents *out, const mur_bench *b) MUR_MUST_USE;
void mur_documents_clear(mur_documents *d);

/* Appends the documents' rows. */
int mur_documents_ingest(const mur_documents *d, mur_frame *bronze) MUR_MUST_USE;

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
int mur_bench_json(const mur_bench *b) MUR_MUST_USE;
int mur_bench_table(const mur_bench *b) MUR_MUST_USE;
int mur_bench_peak(const mur_bench *b) MUR_MUST_USE;
int mur_bench_plan(const mur_bench *b) MUR_MUST_USE;

/* Collective over b->comm; and whether its options are ones that it takes, which is local. */
int mur_bench_ranks(const mur_bench *b) MUR_MUST_USE;
int mur_bench_encoder(const mur_bench *b) MUR_MUST_USE;
int mur_bench_encoder_check(const mur_bench *b) MUR_MUST_USE;

/* Collective over b->comm. */
int mur_bench_deal(const mur_bench *b) MUR_MUST_USE;

#endif
