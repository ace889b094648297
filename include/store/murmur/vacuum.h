/* vacuum.h: files that no kept version of a store needs are taken away. */
#ifndef MURMUR_VACUUM_H
#define MURMUR_VACUUM_H

#include "murmur/store.h"

typedef struct mur_vacuum_options {
    int64_t older_than_ms; /* a version that was current within this time is kept, as the latest always is */
    bool is_dry;           /* only tells; without the lock */
    const char *run_id;    /* these three are the record's */
    const char *murmur_version;
    const char *blas_kernel;
} mur_vacuum_options;

/* A file that goes, or would go. */
typedef struct mur_vacuumed_file {
    const char *path;  /* relative to the store */
    int64_t bytes;     /* 0 where it is missing already */
    bool is_left_over; /* not a part of any version: litter */
} mur_vacuumed_file;

/* Local. Takes away, and calls `tell` for each: parts that a change removed longer ago than the period, that is parts
 * of no kept version; and litter whose time is older than the period (of starting writers: than an hour at least). A
 * record with operation VACUUM that names the parts stands before the first of them goes, so a reader of an old version
 * is told; what an interruption leaves of them the next call takes. The store's lock must be held unless `is_dry`.
 * MUR_EIO when a file stays: it is named in a warning, the others go. */
int mur_store_vacuum(mur_store *s, const mur_vacuum_options *o,
                     void (*tell)(void *context, const mur_vacuumed_file *file), void *context) MUR_MUST_USE;

#endif
