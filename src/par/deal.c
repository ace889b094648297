#include <stdatomic.h>
#include <stdlib.h>

#include "comm_mpi.h"
#include "murmur/mem.h"

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

int mur_deal_open(mur_deal *d, const mur_comm *c, const int64_t *sizes, size_t n)
{
    *d = (mur_deal){0};
    int rc = mur_share_open(&d->next, c, sizeof(atomic_size_t));
    if (rc < 0)
        return rc;

    /* Every rank deals alike: each unit to the node whose load per rank would be least, the first of equals. */
    int64_t *ranks_of = mur_alloc((size_t)c->n_nodes * 2, sizeof *ranks_of), *load = ranks_of + c->n_nodes;
    if (c->node_rank == 0)
        ranks_of[c->node] = c->node_size;
    mur_sum_all(c, ranks_of, (size_t)c->n_nodes);

    sized_unit *units = mur_alloc(n, sizeof *units);
    for (size_t i = 0; i < n; i++)
        units[i] = (sized_unit){sizes[i], i};
    qsort(units, n, sizeof *units, larger_first);

    d->queue = mur_alloc(n, sizeof *d->queue);
    for (size_t i = 0; i < n; i++) {
        int best = 0;
        for (int node = 1; node < c->n_nodes; node++)
            if ((double)(load[node] + units[i].size) / (double)ranks_of[node] <
                (double)(load[best] + units[i].size) / (double)ranks_of[best])
                best = node;
        load[best] += units[i].size > 0 ? units[i].size : 1;
        if (best == c->node)
            d->queue[d->n_mine++] = units[i].number;
    }
    free(units);
    free(ranks_of);
    return 0;
}

bool mur_deal_next(mur_deal *d, size_t *unit)
{
    size_t taken = atomic_fetch_add((atomic_size_t *)d->next.bytes, 1);
    if (taken >= d->n_mine)
        return false;
    *unit = d->queue[taken];
    return true;
}

void mur_deal_close(mur_deal *d, const mur_comm *c)
{
    mur_share_close(&d->next, c);
    free(d->queue);
    *d = (mur_deal){0};
}
