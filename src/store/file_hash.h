/* file_hash.h: the hash of a file's bytes, as a hash of the hashes of its blocks, so that ranks can share the reading.
 */
#ifndef MURMUR_FILE_HASH_H
#define MURMUR_FILE_HASH_H

#include <stdint.h>

#include "murmur/part.h"

#define MUR_FILE_BLOCK (INT64_C(1) << 20) /* bytes */

/* The number of blocks of a file of `size` bytes. */
int64_t mur_file_blocks(int64_t size);

/* The hashes of blocks [first, first + n) of a file of `size` bytes. */
int mur_file_hash_blocks(const char *path, int64_t size, int64_t first, int64_t n, uint64_t *hashes) MUR_MUST_USE;

/* The whole: mur_hash over the block hashes, little-endian. */
int mur_file_hash(const char *path, int64_t size, uint64_t *hash) MUR_MUST_USE;

/* Whether the file is there and as large as the log says: before `part->bytes` decides how much memory is asked for, as
 * a record may say anything. MUR_EDATA, MUR_EIO; the message does not name the part. */
int mur_part_check_size(const char *store, const mur_part *part) MUR_MUST_USE;

/* mur_part_check, but that its message does not name the part. */
int mur_part_check_file(const char *store, const mur_part *part) MUR_MUST_USE;

#endif
