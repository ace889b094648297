/* dealer.h: how units come to a node while its ranks work: mur_deal's threads.
 *
 * Each node's first rank has one. Rank 0's keeps the units that were not dealt in advance, fills its own node's queue
 * and answers the others'. It sleeps between looks, so that it costs a rank that computes nothing to speak of. A rank's
 * main thread calls no MPI meanwhile (MPI_THREAD_SERIALIZED).
 */
#ifndef MURMUR_DEALER_H
#define MURMUR_DEALER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/par.h"

/* A node's queue, in the memory that its ranks share. A rank takes the next place whether or not it is filled yet, and
 * then waits for it to be. Only the node's first rank fills. */
typedef struct mur_queue {
    atomic_size_t next;       /* the first place that nobody took */
    atomic_size_t n_filled;   /* places */
    atomic_bool is_complete;  /* no more will be filled */
    atomic_bool is_abandoned; /* no more are to be taken */
    size_t units[];
} mur_queue;

void mur_queue_fill(mur_queue *q, const size_t *units, size_t n);

/* The units that are still to be dealt. */
typedef struct mur_stock {
    const size_t *units;     /* the largest first; borrowed, as the next two */
    const int64_t *sizes;    /* by unit */
    const int64_t *ranks_of; /* by node */
    size_t n;
    int64_t size; /* of them together */
} mur_stock;

/* Takes a node's next units off the stock; 0 where there are none. They are the first of what `units` was. */
size_t mur_stock_take(mur_stock *s, const mur_comm *c, int node);

typedef struct mur_dealer mur_dealer;

/* Collective. Starts the thread on the nodes' first ranks; *out is NULL where it fails, and on the others `out` is not
 * looked at. `stock` is rank 0's; what it points at, `c` and the queue of `n_places` outlive the dealer. */
int mur_dealer_open(mur_dealer **out, const mur_comm *c, mur_queue *q, const mur_stock *stock,
                    size_t n_places) MUR_MUST_USE;

/* Local; waits for the end of what was asked and, on rank 0, until all nodes have had their last answer. `answers` as
 * in mur_deal. Closing NULL is fine. */
void mur_dealer_close(mur_dealer *d, mur_buf *answers);

#endif
