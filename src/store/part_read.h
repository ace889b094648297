/* part_read.h: what the writer's read-back and verify need of a part beyond rows. */
#ifndef MURMUR_PART_READ_H
#define MURMUR_PART_READ_H

#include "layout.h"
#include "murmur/part.h"

/* Opens a file that was just held against its hash, or is just being made: HDF5 1.10 can crash on others. `path` is
 * relative to the store. MUR_ENOINPUT, MUR_EDATA. */
int mur_part_open_file(mur_part_reader **out, const char *store, const char *path) MUR_MUST_USE;

/* Borrowed from the reader. */
const mur_layout *mur_part_layout(const mur_part_reader *r);
const char *mur_part_table(const mur_part_reader *r);
int64_t mur_part_version(const mur_part_reader *r);

/* Reads blocks [first, first + n) of dataset number `set` and hashes each into `hashes`. */
int mur_part_hash_blocks(mur_part_reader *r, size_t set, int64_t first, int64_t n, uint64_t *hashes) MUR_MUST_USE;

#endif
