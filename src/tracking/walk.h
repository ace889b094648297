/* walk.h: folders of a file store. */
#ifndef MURMUR_WALK_H
#define MURMUR_WALK_H

#include <stdbool.h>

#include "murmur/error.h"

/* Calls `take` with each folder in `path` (or each file), in byte order of names, until it returns something else than
 * 0, which is then the result. Links are passed over. MUR_ENOINPUT if there is no folder `path`; MUR_EIO. */
int mur_walk_entries(const char *path, bool is_of_folders,
                     int (*take)(void *context, const char *name, const char *path), void *context) MUR_MUST_USE;

/* The same with each file below `path`, however deep, by its name relative to it ("a/b"); none where there is no such
 * folder. */
int mur_walk_files(const char *path, int (*take)(void *context, const char *name, const char *path),
                   void *context) MUR_MUST_USE;

#endif
