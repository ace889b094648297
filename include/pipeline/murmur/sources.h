/* sources.h: the tweet files below the given paths. Local: rank 0 lists, and tells the others. */
#ifndef MURMUR_SOURCES_H
#define MURMUR_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/error.h"

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
 * with '.' or '_' are skipped, symbolic links to folders are not followed, what is no regular file is refused. Not
 * there: MUR_ENOINPUT. `is_quiet` leaves the warnings out (a later listing of the same paths). */
int mur_sources_list(mur_sources *out, char *const *paths, size_t n_paths, bool is_quiet) MUR_MUST_USE;
void mur_sources_clear(mur_sources *s);

#endif
