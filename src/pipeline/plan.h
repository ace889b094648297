/* plan.h: one trigger's batch of files, cut into work units. Depends on files and options alone, never on ranks: unit
 * boundaries shape the model's batches, and so the last bits of scores. */
#ifndef MURMUR_PLAN_H
#define MURMUR_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/sources.h"

/* About a quarter MiB of JSON, some 1,500 tweets or 30,000 tokens: many full model batches, and a second or two of
 * work, so that the ranks end together. */
#define MUR_UNIT_BYTES (256 << 10)

/* The last part of a batch's bytes is cut into smaller units. Largest first, they are dealt last, and ranks that wait
 * for the last one wait less. */
#define MUR_LAST_PART 8                          /* an eighth */
#define MUR_LAST_UNIT_BYTES (MUR_UNIT_BYTES / 4) /* eight batches of the model, still */

/* What gzip makes of tweets in JSON, about. */
#define MUR_GZIP_RATIO 5

/* A run of bytes of one file: all of it, or lines of a JSON Lines file. */
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

/* Local. Takes files from the front of `pending` until `max_files` or `max_bytes` is reached (at least one file),
 * opening each: one that cannot be opened or read, or is no longer as it was listed, is left out and its index in
 * `pending` told to `refuse`, with the failure in the error slot. */
void mur_plan_make(mur_plan *p, const mur_source *pending, size_t n_pending, int64_t max_files, int64_t max_bytes,
                   void (*refuse)(void *context, size_t index), void *context);

/* The plan as bytes, to be broadcast, and back. */
void mur_plan_pack(const mur_plan *p, mur_buf *out);
void mur_plan_unpack(mur_plan *p, mur_view bytes);

void mur_plan_clear(mur_plan *p);

#endif
