/* sources.h: the tweet files below the given paths. Local: rank 0 lists, and tells the others. */
#ifndef MURMUR_SOURCES_H
#define MURMUR_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/error.h"
#include "murmur/map.h"

typedef struct mur_source {
    char *path; /* absolute, valid UTF-8; owned by the list */
    int64_t size;
    int64_t mtime_ns;
} mur_source;

typedef struct mur_sources {
    mur_source *items; /* in byte order of their paths, each once */
    size_t n;
    size_t cap;
    size_t n_refused; /* files and folders that could not be taken; each was named in a warning */
} mur_sources;

/* Lists files (.json .jsonl .ndjson, each also with .gz) given by name or below folders, recursively; names that begin
 * with '.' or '_' are skipped. Symbolic links to files are followed and known by their own path; those to folders are
 * not, which is told. What is no regular file, or has a name that is not UTF-8, is refused and never opened. What is
 * not there: MUR_ENOINPUT for a given path, nothing for what vanishes meanwhile. `told`, where not NULL, holds paths
 * that were named in a warning before: a later listing of the same paths names only new ones. */
int mur_sources_list(mur_sources *out, char *const *paths, size_t n_paths, mur_map *told) MUR_MUST_USE;
void mur_sources_clear(mur_sources *s);

/* Appends `len` bytes from `offset` of a file that was listed. MUR_EAGAIN where its size or time is no longer what the
 * listing says (then nothing that was read of it may be kept), MUR_ENOINPUT where it is gone, MUR_EIO. */
int mur_source_read(mur_buf *out, const mur_source *file, int64_t offset, int64_t len) MUR_MUST_USE;

#endif
