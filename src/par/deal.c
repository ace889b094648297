#include <stdlib.h>

#include "comm_mpi.h"
#include "dealer.h"
#include "murmur/clock.h"
#include "murmur/mem.h"

/* Of the work, what is dealt in advance: a node half as fast as the others then has enough for the whole time, and no
 * more. */
#define IN_ADVANCE 0.5

/* Of a rank that waits for its node's queue to be filled. */
#define NAP_SECONDS 0.001

/* Of a node's first rank. */
struct mur_dealing {
    size_t *units;     /* the largest first */
    int64_t *sizes;    /* by unit, 1 at least */
    int64_t *ranks_of; /* by node */
    mur_dealer *dealer;
};

typedef struct sized_unit {
    int64_t size;
    size_t number;
} sized_unit;

static int larger_first(const void *a, const void *b)
{
    const sized_unit *x = a, *y = b;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return (x->number > y->number) - (x->number < y->number);
}

/* Sorts; returns the sum of sizes. */
static int64_t sort_units(struct mur_dealing *g, const int64_t *sizes, size_t n)
{
    int64_t sum = 0;
    sized_unit *sorted = mur_alloc(n, sizeof *sorted);
    g->units = mur_alloc(n, sizeof *g->units);
    g->sizes = mur_alloc(n, sizeof *g->sizes);
    for (size_t i = 0; i < n; i++) {
        g->sizes[i] = sizes[i] > 0 ? sizes[i] : 1;
        sorted[i] = (sized_unit){g->sizes[i], i};
        sum += g->sizes[i];
    }
    if (n > 0)
        qsort(sorted, n, sizeof *sorted, larger_first);
    for (size_t i = 0; i < n; i++)
        g->units[i] = sorted[i].number;
    free(sorted);
    return sum;
}

/* What a node has, of a heap whose first has least; the first of equals. */
typedef struct node_load {
    double per_rank;
    int node;
} node_load;

static bool has_less(const node_load *a, const node_load *b)
{
    return a->per_rank < b->per_rank || (a->per_rank == b->per_rank && a->node < b->node);
}

/* The first of the heap has more than before. */
static void sink(node_load *heap, size_t n)
{
    const node_load moved = *heap;
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        child += child + 1 < n && has_less(&heap[child + 1], &heap[child]);
        if (!has_less(&heap[child], &moved))
            break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

/* Deals units to nodes, each to the one whose load per rank is least, until `size` of them and at least `fewest` are
 * dealt; this node's go to its queue. Returns how many were dealt, and takes their sizes off `*left`. All nodes come to
 * the same. */
static size_t deal_in_advance(const struct mur_dealing *g, const mur_comm *c, mur_queue *q, size_t n, int64_t size,
                              size_t fewest, int64_t *left)
{
    node_load *heap = mur_alloc((size_t)c->n_nodes, sizeof *heap);
    for (int node = 0; node < c->n_nodes; node++)
        heap[node].node = node;
    size_t at = 0;
    for (int64_t dealt = 0; at < n && (at < fewest || dealt < size); at++) {
        int node = heap->node;
        int64_t own = g->sizes[g->units[at]];
        heap->per_rank += (double)own / (double)g->ranks_of[node];
        sink(heap, (size_t)c->n_nodes);
        dealt += own;
        *left -= own;
        if (node == c->node)
            mur_queue_fill(q, &g->units[at], 1);
    }
    free(heap);
    return at;
}

static void clear(struct mur_dealing *g)
{
    if (!g)
        return;
    free(g->units);
    free(g->sizes);
    free(g->ranks_of);
    free(g);
}

int mur_deal_open(mur_deal *d, const mur_comm *c, const int64_t *sizes, size_t n)
{
    *d = (mur_deal){0};
    int rc = mur_share_open(&d->queue, c, sizeof(mur_queue) + n * sizeof(size_t));
    if (rc < 0)
        return rc;
    int64_t *ranks_of = mur_alloc((size_t)c->n_nodes, sizeof *ranks_of), sum = 0;
    if (c->node_rank == 0)
        ranks_of[c->node] = c->node_size;
    mur_sum_all(c, ranks_of, (size_t)c->n_nodes);
    for (size_t i = 0; i < n; i++)
        sum += sizes[i];
    d->expected = (int64_t)((double)sum * c->node_size / c->n_ranks);

    mur_queue *q = d->queue.bytes;
    mur_stock stock = {0};
    /* Where there is a unit a rank at most, nothing can be evened out. */
    const bool is_one_deal = c->n_nodes == 1 || !c->handles->has_helpers || n <= (size_t)c->n_ranks;
    struct mur_dealing *g = NULL;
    if (c->node_rank == 0) {
        g = d->dealing = mur_alloc(1, sizeof *g);
        g->ranks_of = ranks_of;
        sum = sort_units(g, sizes, n);
        stock = (mur_stock){.sizes = g->sizes, .ranks_of = ranks_of, .size = sum};
        size_t dealt = deal_in_advance(g, c, q, n, is_one_deal ? sum : (int64_t)(IN_ADVANCE * (double)sum),
                                       (size_t)c->n_ranks, &stock.size);
        stock.units = g->units + dealt;
        stock.n = n - dealt;
        if (is_one_deal)
            atomic_store(&q->is_complete, true);
    } else {
        free(ranks_of);
    }
    mur_share_publish(&d->queue, c); /* before the helpers, who from then on alone call MPI */
    if (!is_one_deal)
        rc = mur_dealer_open(g ? &g->dealer : NULL, c, q, &stock, n);
    if (rc < 0)
        mur_deal_close(d, c);
    return rc;
}

bool mur_deal_next(mur_deal *d, size_t *unit)
{
    mur_queue *q = d->queue.bytes;
    d->place = atomic_fetch_add(&q->next, 1);
    for (;;) {
        bool is_complete = atomic_load(&q->is_complete); /* before the places are counted */
        if (atomic_load(&q->is_abandoned))
            return false;
        if (d->place < atomic_load(&q->n_filled)) {
            *unit = q->units[d->place];
            return true;
        }
        if (is_complete)
            return false;
        mur_sleep(NAP_SECONDS);
    }
}

bool mur_deal_peek(const mur_deal *d, size_t ahead, size_t *unit)
{
    mur_queue *q = d->queue.bytes;
    bool is_known = d->place + ahead < atomic_load(&q->n_filled);
    if (is_known)
        *unit = q->units[d->place + ahead];
    return is_known;
}

void mur_deal_abandon(mur_deal *d)
{
    mur_queue *q = d->queue.bytes;
    atomic_store(&q->is_abandoned, true);
}

void mur_deal_close(mur_deal *d, const mur_comm *c)
{
    if (d->dealing)
        mur_dealer_close(d->dealing->dealer, d->answers);
    clear(d->dealing);
    mur_share_close(&d->queue, c);
    *d = (mur_deal){0};
}
