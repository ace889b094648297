/* plan.h: one trigger's batch of files, cut into work units. Depends on files and options alone, never on ranks: unit
 * boundaries shape the model's batches, and so the last bits of scores. */
#ifndef MURMUR_PLAN_H
#define MURMUR_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/par.h"
#include "murmur/sources.h"

/* About a quarter MiB of JSON, some 1,500 tweets or 30,000 tokens: many full model batches, and a second or two of
 * work, so that the ranks end together. */
#define MUR_UNIT_BYTES (256 << 10)

/* The last part of a batch's bytes is cut into smaller units. Largest first, they are dealt last, and ranks that wait
 * for the last one wait less. */
#define MUR_LAST_PART 8  /* an eighth */
#define MUR_LAST_UNITS 4 /* so many of them are as large as one of the others: eight batches of the model, still */

/* A batch of less than 16 MiB, as of a trigger every few seconds, is cut into so many units all the same, that more
 * ranks than one work on it; but into none smaller than two batches of the model, which cost no more to score than
 * larger ones (docs/PERFORMANCE.md). */
#define MUR_FEWEST_UNITS 64
#define MUR_LEAST_UNIT_BYTES (MUR_UNIT_BYTES / 16)

/* What gzip makes of tweets in JSON, about. */
#define MUR_GZIP_RATIO 5

/* A run of bytes of one file: all of it, or of a JSON Lines file the lines that end beyond `offset` and begin before
 * the first line end at or beyond offset + len. So where it is cut follows from sizes alone, and who reads a piece
 * finds its first and last line; one inside a longer line has none. */
typedef struct mur_piece_of_file {
    size_t file; /* in the plan's files */
    int64_t offset, len;
    int64_t most; /* bytes of JSON that its unit may have */
    bool is_whole;
} mur_piece_of_file;

typedef struct mur_unit {
    size_t first_piece, n_pieces;
    int64_t size;     /* estimated bytes of JSON */
    int64_t n_tokens; /* estimated too (estimate.h): what units are dealt by; 0 before */
} mur_unit;

typedef struct mur_plan {
    mur_source *files;
    size_t n_files;
    mur_piece_of_file *pieces; /* in order of file and offset */
    size_t n_pieces;
    mur_unit *units;
    size_t n_units;
} mur_plan;

/* Collective. Takes files from the front of rank 0's `pending` until `max_files` or `max_bytes` is reached (at least
 * one file). Each rank opens a share of them: one that cannot be opened or read, or is no longer as it was listed, is
 * left out and, on rank 0, its index in `pending` told to `refuse`, with the failure in the error slot. Returns how
 * many files were left out; the plan is the same on all ranks. */
size_t mur_plan_make(mur_plan *p, const mur_comm *c, const mur_source *pending, size_t n_pending, int64_t max_files,
                     int64_t max_bytes, void (*refuse)(void *context, size_t index), void *context);

/* Local. Appends to an empty `text` a piece as it stands in the file; `*offset` is where that begins. Verdicts are
 * mur_source_read's. */
int mur_plan_read(mur_buf *text, int64_t *offset, const mur_plan *p, const mur_piece_of_file *piece) MUR_MUST_USE;

void mur_plan_clear(mur_plan *p);

#endif
