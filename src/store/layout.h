/* layout.h: the datasets of a part in their fixed order, their hash blocks, and the hash that those make.
 *
 *     valid, then for each column in the schema's order: NAME, or NAME/offsets and NAME/bytes for strings
 *
 * docs/FORMAT.md has the definitions. Nothing here depends on ranks, chunks or compression, so neither does the hash.
 */
#ifndef MURMUR_LAYOUT_H
#define MURMUR_LAYOUT_H

#include <hdf5.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/frame.h"

#define MUR_PART_FORMAT 1

/* Elements of a hash block: 4096 rows, or 64 KiB of text. */
#define MUR_BLOCK_ROWS 4096
#define MUR_BLOCK_BYTES 65536

typedef enum { MUR_DATASET_VALID, MUR_DATASET_NUMBER, MUR_DATASET_OFFSETS, MUR_DATASET_BYTES } mur_dataset_kind;

typedef struct mur_dataset {
    char *name; /* its path in the file */
    mur_dataset_kind kind;
    size_t column; /* of the schema; 0 for valid, which has none */
    size_t size;   /* bytes of an element */
    hid_t disk_type, memory_type;
    int64_t n;           /* elements */
    int64_t block;       /* elements of a hash block */
    int64_t n_blocks;    /* the last may be shorter */
    int64_t first_block; /* where its block hashes begin among the part's */
} mur_dataset;

typedef struct mur_layout {
    mur_dataset *sets;
    size_t n_sets;
    int64_t n_blocks; /* of all datasets */
} mur_layout;

/* `n_bytes` has the text bytes of each column, by column number; entries of other columns are not read. */
void mur_layout_init(mur_layout *l, const mur_schema *schema, int64_t n_rows, const int64_t *n_bytes);
void mur_layout_clear(mur_layout *l);

/* The name of a column's dataset or group: the column's own, with what HDF5 cannot hold escaped. Fresh string. */
char *mur_layout_name(const char *column);

/* The hashes of consecutive blocks of a dataset, of which `elements` begins with a block's first. */
void mur_layout_hash_blocks(const mur_dataset *d, const void *elements, int64_t n, uint64_t *hashes);

/* The part's hash from all its block hashes. */
uint64_t mur_layout_hash(const mur_layout *l, const uint64_t *blocks);

#endif
