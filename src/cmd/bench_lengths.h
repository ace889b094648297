/* bench_lengths.h: how many tokens texts have. */
#ifndef MURMUR_BENCH_LENGTHS_H
#define MURMUR_BENCH_LENGTHS_H

#include <stddef.h>

#include "murmur/error.h"

typedef struct mur_lengths {
    size_t *items; /* the first and the last token of a text included */
    size_t n;
} mur_lengths;

/* Those of `path`, one number a line, or where it is NULL such as tweets have. MUR_ENOINPUT, MUR_EIO, MUR_EDATA. */
int mur_lengths_read(mur_lengths *out, const char *path) MUR_MUST_USE;
void mur_lengths_clear(mur_lengths *l);

#endif
