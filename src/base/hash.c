#include "murmur/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

uint64_t mur_hash(const void *bytes, size_t len)
{
    return XXH3_64bits(bytes, len);
}

char *mur_hash_hex(char out[MUR_HASH_HEX], uint64_t digest)
{
    snprintf(out, MUR_HASH_HEX, "%016" PRIx64, digest);
    return out;
}
