/* settle.h: whether a source file is still being written, as far as its size and time tell. */
#ifndef MURMUR_SETTLE_H
#define MURMUR_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "murmur/map.h"
#include "murmur/sources.h"

/* Files as earlier looks of this run saw them. Zero it once. */
typedef struct mur_settle {
    mur_map paths;
    struct sight *sights; /* by path */
    size_t cap;
} mur_settle;

/* True when the file's time is `settle_ms` back at least by the file system's clock, `now_ns`, and its size and time
 * have been the same over looks for so long, or were never seen otherwise. A time further ahead of the clock than
 * `settle_ms` tells nothing of writing and counts as old. 0 is always over. */
bool mur_settle_is_over(mur_settle *s, const mur_source *file, int64_t settle_ms, int64_t now_ns);
void mur_settle_clear(mur_settle *s);

#endif
