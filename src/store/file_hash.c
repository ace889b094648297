#include "file_hash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "murmur/file.h"
#include "murmur/hash.h"
#include "murmur/mem.h"

#define BLOCK MUR_FILE_BLOCK

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

int mur_part_check_size(const char *store, const mur_part *part)
{
    char *path = mur_path_join(store, part->path);
    struct stat about;
    int rc = 0;
    if (stat(path, &about) < 0)
        rc = errno == ENOENT ? mur_fail(MUR_EDATA, "it is missing") : mur_fail_errno(MUR_EIO, "cannot stat it");
    else if (about.st_size != part->bytes)
        rc = mur_fail(MUR_EDATA, "it has %" PRId64 " bytes and its record in the log says %" PRId64,
                      (int64_t)about.st_size, part->bytes);
    free(path);
    return rc;
}

int mur_part_check_file(const char *store, const mur_part *part)
{
    char *path = mur_path_join(store, part->path);
    char is[MUR_HASH_HEX], was[MUR_HASH_HEX];
    uint64_t hash = 0;
    int rc = mur_part_check_size(store, part);
    if (rc == 0)
        rc = mur_file_hash(path, part->bytes, &hash);
    if (rc == 0 && hash != part->file_hash)
        rc = mur_fail(MUR_EDATA, "the hash of its bytes is %s instead of %s", mur_hash_hex(is, hash),
                      mur_hash_hex(was, part->file_hash));
    free(path);
    return rc;
}

int mur_part_check(const char *store, const mur_part *part)
{
    int rc = mur_part_check_file(store, part);
    if (rc < 0)
        mur_error_add("part %s of %s is not as it was written (murmur verify tells more)", part->path, store);
    return rc;
}
