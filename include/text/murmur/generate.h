/* generate.h: synthetic tweets in the source schema, the same bytes for a seed: for demonstrations, tests and
 * measurements where real tweets may not travel.
 *
 * Most are plausible English tweets whose wording shows their sentiment, from users and about users that follow Zipf's
 * law. Every 25th is an odd one that is still a record (mentions of all kinds, other scripts, wrong types, missing,
 * null, duplicate and undeclared fields, unknown dates …), and behind every 200th stands one that is no record. The
 * files take turns in form: JSON Lines with LF, CRLF, blank lines, a byte order mark or no last line feed, arrays, a
 * single pretty-printed object, gzip of one or many members or without its end.
 *
 * Tweet i depends on the seed and i alone: the same tweets come in any number of files.
 */
#ifndef MURMUR_GENERATE_H
#define MURMUR_GENERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "murmur/error.h"

typedef struct mur_generate_options {
    int64_t n_tweets; /* records that ingest takes: exactly so many */
    int64_t n_files;
    uint64_t seed;
    bool is_clean; /* nothing that ingest rejects */
} mur_generate_options;

typedef struct mur_generated {
    int64_t n_rejects; /* what ingest will reject: records that are none, and the tail of a gzip without its end */
    int64_t n_written, n_kept, n_removed; /* files: new or changed; there with the same bytes; of an earlier set */
    int64_t bytes;                        /* of all files */
} mur_generated;

/* Makes the folder if need be. Each file is written under a temporary name and renamed; one that holds its bytes
 * already is left alone, so that its time stays. A folder with files of others is refused; those of an earlier call
 * are replaced, or removed where the new set has no such name. MUR_ECREATE, MUR_EIO. */
int mur_generate(const char *folder, const mur_generate_options *options, mur_generated *out) MUR_MUST_USE;

#endif
