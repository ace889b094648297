/* part.h: immutable files of a table's rows: written by all ranks together, read by anyone alone.
 *
 * The only layer that calls HDF5 (1.10, https://docs.hdfgroup.org/hdf5/v1_10/). The layout is docs/FORMAT.md's: one
 * dataset per column, strings as a group of `offsets` and `bytes`, validity bits in `valid`.
 */
#ifndef MURMUR_PART_H
#define MURMUR_PART_H

#include <stdint.h>

#include "murmur/frame.h"
#include "murmur/par.h"

/* What a log record says of a part. */
typedef struct mur_part {
    char *path; /* relative to the store: "gold/part-….h5"; owned */
    int64_t n_rows;
    int64_t bytes;      /* of the file */
    uint64_t hash;      /* of the contents: independent of ranks, chunks and compression */
    uint64_t file_hash; /* of the file's bytes: what HDF5 keeps beside the contents is covered too */
} mur_part;

void mur_part_clear(mur_part *p);

/* Local, one rank: clears the parts and removes their files. For parts that this job wrote and no record names, nor
 * can: after link() has begun (mur_store_publish) one may. A file that cannot be removed stays, as litter. */
void mur_parts_discard(const char *store, mur_part *parts, size_t n);

/* Rows that one rank contributes. The part holds all ranks' pieces in ascending `order`, which is unique over the job
 * (a work unit's number); pieces may have no rows. */
typedef struct mur_piece {
    int64_t order;
    const mur_frame *frame; /* of the part's schema */
} mur_piece;

typedef struct mur_part_options {
    const char *store;        /* folder */
    const char *run_id;       /* makes the name unique */
    int64_t version;          /* of the table, the one that this part will belong to */
    int64_t number;           /* of several parts that one run writes for one version: 0 first */
    int compress;             /* deflate level 0..9 */
    int64_t small_bytes;      /* rank 0 alone writes a part that takes no more, uncompressed; the rows come to it */
    int64_t io_timeout_ms;    /* no progress for so long ends the job (status 74) */
    int64_t *temporary_bytes; /* where not NULL: what this rank wrote to files that are removed again is added */
} mur_part_options;

/* Collective. Steps 1 to 5 of a commit (docs/FORMAT.md): hash, write under a temporary name, fsync, read back and
 * compare, rename. The part does not exist until a record names it. On failure nothing is left under the final name,
 * and the temporary file is removed where that is still possible. `*bytes_written` is this rank's share of the
 * uncompressed data. MUR_ECREATE, MUR_EIO (also: read back differs, as on a full disk; no room for 1.5 x the raw size).
 */
int mur_part_write(mur_part *out, const mur_comm *c, const mur_schema *schema, const mur_piece *pieces, size_t n_pieces,
                   const mur_part_options *options, int64_t *bytes_written) MUR_MUST_USE;

/* Local. Whether the file is there and is, to the byte, what the log says. MUR_EDATA naming the part; MUR_EIO. */
int mur_part_check(const char *store, const mur_part *part) MUR_MUST_USE;

/* Collective. The same for parts that the ranks are about to share: each rank reads its share of their bytes, however
 * few and large they are, and adds it to `*bytes_read`. All ranks give the same parts. */
int mur_parts_check(const mur_comm *c, const char *store, const mur_part *parts, size_t n,
                    int64_t *bytes_read) MUR_MUST_USE;

/* Local. Starts HDF5, which calls MPI when it first does anything: for who is to read parts while units are dealt
 * (murmur/par.h), when a rank's main thread may not. */
void mur_part_start(void);

/* Reading: Local, with the serial driver, so it works without MPI and beside a writer. Opening is mur_part_check
 * first: nothing is made of a damaged part, and HDF5 1.10 can crash on a flipped bit. NULL after a failure. */
typedef struct mur_part_reader mur_part_reader;
int mur_part_open(mur_part_reader **out, const char *store, const mur_part *part) MUR_MUST_USE;

/* Opens a part that this job's mur_parts_check found sound. */
int mur_part_open_checked(mur_part_reader **out, const char *store, const mur_part *part) MUR_MUST_USE;
void mur_part_close(mur_part_reader **r);
int64_t mur_part_n_rows(const mur_part_reader *r);

/* The columns that the part has, in order. Borrowed from the reader. */
const mur_schema *mur_part_schema(const mur_part_reader *r);

/* What its rows take uncompressed, offsets and validity included: of two parts of one schema the sum is what a part
 * with the rows of both takes, whatever the ranks and the compression that wrote them. */
int64_t mur_part_raw_bytes(const mur_part_reader *r);

/* Appends rows [first, first + n) to `out`, whose schema names the columns wanted, in any order; a column that the part
 * lacks reads as null, one of another type is MUR_EDATA. */
int mur_part_read(mur_part_reader *r, int64_t first, int64_t n, mur_frame *out) MUR_MUST_USE;

/* Reads everything and recomputes the content hash. */
int mur_part_hash(mur_part_reader *r, uint64_t *hash) MUR_MUST_USE;

#endif
