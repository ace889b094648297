/* optimize.h: neighbouring small parts of a table put together into larger ones; rows and their order stay. */
#ifndef MURMUR_OPTIMIZE_H
#define MURMUR_OPTIMIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/par.h"
#include "murmur/writing.h"

/* What a part takes uncompressed, and the ranks together in memory while they write it: what a batch of `murmur run`
 * takes at its default --max-bytes. */
#define MUR_OPTIMIZE_TARGET (INT64_C(256) << 20)

typedef struct mur_optimize_options {
    const char *store;
    char *const *tables; /* names, borrowed; none: all tables */
    size_t n_tables;
    int64_t target_bytes; /* of a part, uncompressed */
    mur_writing writing;
    bool is_dry; /* says what would be done, without the lock */
} mur_optimize_options;

/* The defaults of murmur(1); `store` is the caller's to set. */
void mur_optimize_options_init(mur_optimize_options *o);

/* Parts that became one. */
typedef struct mur_compaction {
    const char *table;
    size_t n_parts;
    int64_t n_rows;
    int64_t version;             /* that it made; -1 with is_dry */
    int64_t bytes_before, bytes; /* of the files; `bytes` is 0 with is_dry */
} mur_compaction;

/* Collective. Each run of neighbouring parts that fit together becomes one part, in a record of its own, so that an
 * interrupted optimize keeps what it has done. A part is checked against the log before it is replaced: MUR_EDATA for a
 * damaged one. Rank 0 calls `say` after each. MUR_ENOINPUT, MUR_ECREATE (locked), MUR_EIO; MUR_EUSAGE for an unknown
 * table. */
int mur_optimize(mur_comm *c, const mur_optimize_options *options,
                 void (*say)(void *context, const mur_compaction *done), void *context) MUR_MUST_USE;

#endif
