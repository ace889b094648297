#include "stream.h"

#include <stdlib.h>

#include "murmur/file.h"
#include "murmur/hash.h"
#include "murmur/mem.h"

int mur_stream_file(const char *path, int64_t len, mur_stream_visit *visit, void *context, uint64_t *hash)
{
    mur_buf bytes = {0};
    uint64_t *hashes = mur_alloc((size_t)(len / MUR_STREAM_CHUNK) + 1, sizeof *hashes);
    size_t n_hashes = 0;
    int rc = 0;
    for (int64_t at = 0; at < len && rc == 0;) {
        size_t kept = bytes.len < MUR_STREAM_OVERLAP ? bytes.len : MUR_STREAM_OVERLAP;
        if (kept)
            memmove(bytes.ptr, bytes.ptr + bytes.len - kept, kept);
        bytes.len = kept;
        int64_t n = len - at < MUR_STREAM_CHUNK ? len - at : MUR_STREAM_CHUNK;
        rc = mur_file_read_range(&bytes, path, at, n);
        if (rc < 0)
            break;
        hashes[n_hashes++] = mur_hash(bytes.ptr + kept, (size_t)n);
        if (visit)
            rc = visit(context, bytes.ptr, at - (int64_t)kept, at + n);
        at += n;
    }
    *hash = mur_hash(hashes, n_hashes * sizeof *hashes);
    free(hashes);
    mur_buf_clear(&bytes);
    return rc;
}
