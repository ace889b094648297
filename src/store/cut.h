/* cut.h: how a dataset is cut into chunks, and which rank holds which while a part is written.
 *
 * A chunk is a whole number of hash blocks, so a rank that holds whole chunks can hash and write them alone: no chunk
 * is ever compressed by two ranks. Local arithmetic: every rank computes every rank's share.
 */
#ifndef MURMUR_CUT_H
#define MURMUR_CUT_H

#include "layout.h"

typedef struct mur_cut {
    int64_t n;        /* elements; 0 has no chunks */
    int64_t chunk;    /* elements */
    int64_t n_chunks; /* the last may be shorter */
    int n_ranks;      /* that hold chunks: the first ones of the job, or all */
    int shift;        /* chunk 0's rank */
} mur_cut;

/* Dataset number `i` of the layout, in the hands of the first `n_ranks`. */
mur_cut mur_cut_of(const mur_layout *l, size_t i, int n_ranks);

/* The elements [*first, *end) of a rank of the job; empty for some where there are fewer chunks than ranks. */
void mur_cut_range(const mur_cut *cut, int rank, int64_t *first, int64_t *end);

#endif
