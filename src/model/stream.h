/* stream.h: a file read front to back in bounded memory, and hashed on the way. */
#ifndef MURMUR_MODEL_STREAM_H
#define MURMUR_MODEL_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/error.h"

/* Part of the hash's definition: it is XXH3 over the XXH3 (8 bytes each, little-endian) of the file's pieces of this
 * size, the last one shorter. */
#define MUR_STREAM_CHUNK (8L << 20)

/* What each call sees again of the bytes of the call before, so that any element of up to 8 bytes is whole in a call.
 */
#define MUR_STREAM_OVERLAP 8

/* Gets bytes[0 .. end - begin), which are bytes begin .. end of the file. A negative code ends the reading. */
typedef int mur_stream_visit(void *context, const char *bytes, int64_t begin, int64_t end);

/* Reads the first `len` bytes of the file. `visit` may be NULL. MUR_ENOINPUT, MUR_EIO (also when the file is shorter).
 */
int mur_stream_file(const char *path, int64_t len, mur_stream_visit *visit, void *context, uint64_t *hash) MUR_MUST_USE;

#endif
