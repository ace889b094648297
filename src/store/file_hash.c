#include "file_hash.h"

#include <stdlib.h>

#include "murmur/file.h"
#include "murmur/hash.h"
#include "murmur/mem.h"

#define BLOCK (INT64_C(1) << 20)

int64_t mur_file_blocks(int64_t size)
{
    return (size + BLOCK - 1) / BLOCK;
}

int mur_file_hash_blocks(const char *path, int64_t size, int64_t first, int64_t n, uint64_t *hashes)
{
    mur_buf bytes = {0};
    int rc = 0;
    for (int64_t i = 0; i < n && rc == 0; i++) {
        int64_t offset = (first + i) * BLOCK, len = size - offset < BLOCK ? size - offset : BLOCK;
        mur_buf_reset(&bytes);
        rc = mur_file_read_range(&bytes, path, offset, len);
        if (rc == 0)
            hashes[i] = mur_hash(bytes.ptr, bytes.len);
    }
    mur_buf_clear(&bytes);
    return rc;
}

int mur_file_hash(const char *path, int64_t size, uint64_t *hash)
{
    int64_t n = mur_file_blocks(size);
    uint64_t *hashes = mur_alloc((size_t)n, sizeof *hashes);
    int rc = mur_file_hash_blocks(path, size, 0, n, hashes);
    if (rc == 0)
        *hash = mur_hash(hashes, (size_t)n * sizeof *hashes);
    free(hashes);
    return rc;
}
