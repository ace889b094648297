/* hash.h: XXH3, 64 bits (https://github.com/Cyan4973/xxHash): fast integrity checks, not protection against forgery. */
#ifndef MURMUR_HASH_H
#define MURMUR_HASH_H

#include <stddef.h>
#include <stdint.h>

#define MUR_HASH_HEX 17 /* 16 hexadecimal digits and a NUL */

uint64_t mur_hash(const void *bytes, size_t len);

/* The digest in lower case, most significant digit first; returns `out`. */
char *mur_hash_hex(char out[MUR_HASH_HEX], uint64_t digest);

#endif
