#include <limits.h>
#include <stdlib.h>

#include "comm_mpi.h"
#include "murmur/clock.h"
#include "murmur/mem.h"

/* A job of one (mur_comm_alone) has no handles. */
static bool is_alone(const mur_comm *c)
{
    return !c->handles;
}

/* Waits, and adds the time to what this kind of collective has taken so far. */
static void wait_for(MPI_Request *request, double *seconds)
{
    double start = mur_monotonic();
    mur_comm_wait(request);
    *seconds += mur_monotonic() - start;
}

int mur_agree(const mur_comm *c, int rc)
{
    if (is_alone(c))
        return rc < 0 ? rc : 0;
    struct {
        int code, rank;
    } mine = {rc < 0 ? rc : 0, c->rank}, worst;
    MPI_Request request;
    mur_traffic *traffic = &c->handles->traffic;
    MUR_MPI(MPI_Iallreduce(&mine, &worst, 1, MPI_2INT, MPI_MINLOC, c->handles->all, &request));
    wait_for(&request, &traffic->reduce_seconds);
    traffic->reduce_bytes += (int64_t)sizeof mine;
    if (worst.code == 0)
        return 0;
    mur_error *e = mur_error_last();
    MUR_MPI(MPI_Ibcast(e, (int)sizeof *e, MPI_BYTE, worst.rank, c->handles->all, &request));
    wait_for(&request, &traffic->broadcast_seconds);
    e->rank = worst.rank;
    return worst.code;
}

void mur_barrier(const mur_comm *c)
{
    if (is_alone(c))
        return;
    MPI_Request request;
    MUR_MPI(MPI_Ibarrier(c->handles->all, &request));
    wait_for(&request, &c->handles->traffic.reduce_seconds);
}

static void reduce(const mur_comm *c, int64_t *values, size_t n, MPI_Op op)
{
    if (is_alone(c))
        return;
    MPI_Request request;
    MUR_MPI(MPI_Iallreduce(MPI_IN_PLACE, values, (int)n, MPI_INT64_T, op, c->handles->all, &request));
    wait_for(&request, &c->handles->traffic.reduce_seconds);
    c->handles->traffic.reduce_bytes += (int64_t)(n * sizeof *values);
}

int64_t mur_sum(const mur_comm *c, int64_t value)
{
    reduce(c, &value, 1, MPI_SUM);
    return value;
}

int64_t mur_max(const mur_comm *c, int64_t value)
{
    reduce(c, &value, 1, MPI_MAX);
    return value;
}

int64_t mur_min(const mur_comm *c, int64_t value)
{
    reduce(c, &value, 1, MPI_MIN);
    return value;
}

void mur_sum_all(const mur_comm *c, int64_t *values, size_t n)
{
    for (size_t done = 0; done < n;) {
        size_t step = n - done < INT_MAX ? n - done : INT_MAX;
        reduce(c, values + done, step, MPI_SUM);
        done += step;
    }
}

int64_t mur_sum_before(const mur_comm *c, int64_t value)
{
    if (is_alone(c))
        return 0;
    int64_t before = 0;
    MPI_Request request;
    MUR_MPI(MPI_Iexscan(&value, &before, 1, MPI_INT64_T, MPI_SUM, c->handles->all, &request));
    wait_for(&request, &c->handles->traffic.reduce_seconds);
    c->handles->traffic.reduce_bytes += (int64_t)sizeof value;
    return c->rank == 0 ? 0 : before; /* rank 0's is undefined by the standard */
}

int64_t mur_broadcast_int64(const mur_comm *c, int64_t value)
{
    if (is_alone(c))
        return value;
    MPI_Request request;
    MUR_MPI(MPI_Ibcast(&value, 1, MPI_INT64_T, 0, c->handles->all, &request));
    wait_for(&request, &c->handles->traffic.broadcast_seconds);
    c->handles->traffic.broadcast_bytes += (int64_t)sizeof value;
    return value;
}

/* MPI 3 counts are ints: longer messages go in rounds of this many bytes. */
#define ROUND ((size_t)1 << 30)

/* What a rank sends in a round of an exchange, and what it receives, is held twice: few enough bytes not to matter, and
 * to arrive before a wait begins to sleep, between whose looks MPI moves only some tens of KiB; enough to keep a
 * network busy. */
#define EXCHANGE_ROUND ((size_t)2 << 20)

void mur_broadcast(const mur_comm *c, mur_buf *b)
{
    if (is_alone(c))
        return;
    size_t len = (size_t)mur_broadcast_int64(c, (int64_t)b->len);
    if (c->rank != 0) {
        mur_buf_reset(b);
        mur_buf_reserve(b, len);
        b->len = len;
    }
    for (size_t done = 0; done < len; done += ROUND) {
        size_t step = len - done < ROUND ? len - done : ROUND;
        MPI_Request request;
        MUR_MPI(MPI_Ibcast(b->ptr + done, (int)step, MPI_BYTE, 0, c->handles->all, &request));
        wait_for(&request, &c->handles->traffic.broadcast_seconds);
    }
    c->handles->traffic.broadcast_bytes += (int64_t)len;
}

void mur_exchange(const mur_comm *c, const mur_buf *outgoing, mur_buf *incoming, size_t *ends)
{
    if (is_alone(c)) {
        if (ends)
            ends[0] = outgoing[0].len;
        mur_buf_append(incoming, outgoing[0].ptr, outgoing[0].len);
        return;
    }
    int n = c->n_ranks;
    int64_t *sizes = mur_alloc((size_t)n * 2, sizeof *sizes), *coming = sizes + n;
    for (int r = 0; r < n; r++)
        sizes[r] = (int64_t)outgoing[r].len;
    MPI_Request request;
    mur_traffic *traffic = &c->handles->traffic;
    MUR_MPI(MPI_Ialltoall(sizes, 1, MPI_INT64_T, coming, 1, MPI_INT64_T, c->handles->all, &request));
    wait_for(&request, &traffic->exchange_seconds);

    /* Each pair moves at most `share` bytes a round. The rounds' bytes are staged and then put where they belong; what
     * stays on this rank goes there at once. */
    size_t share = EXCHANGE_ROUND / (size_t)n + 1, total = 0;
    int64_t most = 0;
    size_t *starts = mur_alloc((size_t)n, sizeof *starts);
    for (int r = 0; r < n; r++) {
        if (r != c->rank && sizes[r] > most)
            most = sizes[r];
        starts[r] = total;
        total += (size_t)coming[r];
        if (ends)
            ends[r] = total;
    }
    int64_t n_rounds = mur_max(c, (most + (int64_t)share - 1) / (int64_t)share);

    char *base = mur_buf_reserve(incoming, total);
    incoming->len += total;
    if (sizes[c->rank] > 0)
        memcpy(base + starts[c->rank], outgoing[c->rank].ptr, (size_t)sizes[c->rank]);
    sizes[c->rank] = coming[c->rank] = 0;
    mur_buf out = {0}, in = {0};
    int *counts = mur_alloc((size_t)n * 4, sizeof *counts);
    int *to_counts = counts, *to_starts = counts + n, *from_counts = counts + 2 * n, *from_starts = counts + 3 * n;
    for (int64_t round = 0; round < n_rounds; round++) {
        size_t from = (size_t)round * share, in_len = 0;
        mur_buf_reset(&out);
        mur_buf_reset(&in);
        for (int r = 0; r < n; r++) {
            size_t left = (size_t)sizes[r] > from ? (size_t)sizes[r] - from : 0;
            size_t due = (size_t)coming[r] > from ? (size_t)coming[r] - from : 0;
            to_starts[r] = (int)out.len;
            to_counts[r] = (int)(left < share ? left : share);
            mur_buf_append(&out, left ? outgoing[r].ptr + from : NULL, (size_t)to_counts[r]);
            from_starts[r] = (int)in_len;
            from_counts[r] = (int)(due < share ? due : share);
            in_len += (size_t)from_counts[r];
        }
        mur_buf_reserve(&in, in_len);
        mur_buf_reserve(&out, 1);
        MUR_MPI(MPI_Ialltoallv(out.ptr, to_counts, to_starts, MPI_BYTE, in.ptr, from_counts, from_starts, MPI_BYTE,
                               c->handles->all, &request));
        wait_for(&request, &traffic->exchange_seconds);
        traffic->exchange_bytes += (int64_t)out.len;
        for (int r = 0; r < n; r++)
            if (from_counts[r])
                memcpy(base + starts[r] + from, in.ptr + from_starts[r], (size_t)from_counts[r]);
    }
    mur_buf_clear(&out);
    mur_buf_clear(&in);
    free(counts);
    free(starts);
    free(sizes);
}

/* Both gathers are an exchange in which most pairs send nothing: small messages, and any size works. */
static void gather(const mur_comm *c, mur_view mine, mur_buf *all, size_t *ends, bool everywhere)
{
    mur_buf *outgoing = mur_alloc((size_t)c->n_ranks, sizeof *outgoing);
    for (int r = 0; r < c->n_ranks; r++)
        if (everywhere || r == 0)
            outgoing[r] = (mur_buf){(char *)mine.ptr, mine.len, mine.len}; /* borrowed, only read */
    mur_exchange(c, outgoing, all, ends);
    free(outgoing);
}

void mur_all_gather(const mur_comm *c, mur_view mine, mur_buf *all, size_t *ends)
{
    gather(c, mine, all, ends, true);
}

void mur_gather(const mur_comm *c, mur_view mine, mur_buf *all, size_t *ends)
{
    gather(c, mine, all, ends, false);
}
