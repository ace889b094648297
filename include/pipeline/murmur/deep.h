/* deep.h: a store's tables held against each other: what verify does with --deep, after every part was found sound. */
#ifndef MURMUR_DEEP_H
#define MURMUR_DEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "murmur/error.h"

typedef struct mur_deep_options {
    int64_t mentions_at_once; /* how many mentions' counts are held in memory: gold is read again for each so many */
} mur_deep_options;

#define MUR_DEEP_MENTIONS 1000000 /* some 200 MiB */

/* Local. Recomputes silver from bronze (by the mention rule that each record names), gold's copied and derived columns
 * from silver, and application from the version of gold that it stands for; not the model's scores. Calls `say` with
 * the first row of each table that differs. `*n_rows` counts the rows that were held against others. MUR_EDATA if a
 * table differs; MUR_ENOINPUT, MUR_EIO. */
int mur_verify_deep(const char *store, const mur_deep_options *options, void (*say)(void *context, const char *text),
                    void *context, int64_t *n_rows) MUR_MUST_USE;

#endif
