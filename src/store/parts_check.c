/* Parts held against the log by all ranks together: each reads a share of the blocks of their files. */
#include <stdlib.h>

#include "file_hash.h"
#include "murmur/file.h"
#include "murmur/hash.h"
#include "murmur/mem.h"

/* Whose hashes are in memory at once, on every rank, unless one part has more: 64 GiB of files, 512 KiB of hashes. */
#define GROUP_BLOCKS 65536

static int name_part(int rc, const char *store, const mur_part *part)
{
    if (rc < 0)
        mur_error_add("part %s of %s is not as it was written (murmur verify tells more)", part->path, store);
    return rc;
}

/* This rank's share of the parts: there, and of the sizes that all ranks are about to compute with. */
static int check_sizes(const mur_comm *c, const char *store, const mur_part *parts, size_t n)
{
    int rc = 0;
    for (size_t i = (size_t)c->rank; i < n && rc == 0; i += (size_t)c->n_ranks)
        rc = name_part(mur_part_check_size(store, &parts[i]), store, &parts[i]);
    return rc;
}

/* The hashes of blocks [first, end), counted over the parts; those of other blocks are skipped. */
static int hash_share(const char *store, const mur_part *parts, size_t n, int64_t first, int64_t end, uint64_t *hashes,
                      int64_t *bytes_read)
{
    int rc = 0;
    int64_t at = 0;
    for (size_t i = 0; i < n && rc == 0; i++) {
        int64_t n_blocks = mur_file_blocks(parts[i].bytes), low = first - at, high = end - at;
        low = low > 0 ? low : 0;
        high = high < n_blocks ? high : n_blocks;
        at += n_blocks;
        if (low >= high)
            continue;
        char *path = mur_path_join(store, parts[i].path);
        rc = mur_file_hash_blocks(path, parts[i].bytes, low, high - low, hashes);
        rc = name_part(rc, store, &parts[i]);
        free(path);
        hashes += high - low;
        *bytes_read += high < n_blocks ? (high - low) * MUR_FILE_BLOCK : parts[i].bytes - low * MUR_FILE_BLOCK;
    }
    return rc;
}

static int compare(const char *store, const mur_part *parts, size_t n, const uint64_t *hashes)
{
    char is[MUR_HASH_HEX], was[MUR_HASH_HEX];
    for (size_t i = 0; i < n; i++) {
        size_t n_blocks = (size_t)mur_file_blocks(parts[i].bytes);
        uint64_t hash = mur_hash(hashes, n_blocks * sizeof *hashes);
        if (hash != parts[i].file_hash)
            return name_part(mur_fail(MUR_EDATA, "the hash of its bytes is %s instead of %s", mur_hash_hex(is, hash),
                                      mur_hash_hex(was, parts[i].file_hash)),
                             store, &parts[i]);
        hashes += n_blocks;
    }
    return 0;
}

int mur_parts_check(const mur_comm *c, const char *store, const mur_part *parts, size_t n, int64_t *bytes_read)
{
    int rc = mur_agree(c, check_sizes(c, store, parts, n));
    for (size_t first = 0, end; rc == 0 && first < n; first = end) {
        int64_t n_blocks = 0;
        for (end = first; end < n && (end == first || n_blocks + mur_file_blocks(parts[end].bytes) <= GROUP_BLOCKS);
             end++)
            n_blocks += mur_file_blocks(parts[end].bytes);
        int64_t low = n_blocks * c->rank / c->n_ranks, high = n_blocks * (c->rank + 1) / c->n_ranks;
        uint64_t *mine = mur_alloc((size_t)(high - low), sizeof *mine);
        mur_buf all = {0};
        rc = mur_agree(c, hash_share(store, parts + first, end - first, low, high, mine, bytes_read));
        if (rc == 0) {
            mur_all_gather(c, (mur_view){(const char *)mine, (size_t)(high - low) * sizeof *mine}, &all, NULL);
            rc = mur_agree(c, compare(store, parts + first, end - first, (const uint64_t *)(const void *)all.ptr));
        }
        free(mine);
        mur_buf_clear(&all);
    }
    return rc;
}
