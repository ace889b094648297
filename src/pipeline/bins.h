/* bins.h: which neighbouring parts are put together. */
#ifndef MURMUR_BINS_H
#define MURMUR_BINS_H

#include <stddef.h>
#include <stdint.h>

/* Neighbouring parts [first, first + n) of a table. */
typedef struct mur_bin {
    size_t first, n;
} mur_bin;

/* Local. Walks the parts from the first on and gathers neighbours for as long as they come to `target` at most; runs of
 * two and more are written to `bins`, which has room for n / 2, and their number is returned. A part as large as the
 * target stays alone. Put together and binned again, nothing is left to do. */
size_t mur_bins_make(mur_bin *bins, const int64_t *sizes, size_t n, int64_t target);

#endif
