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
    traffic->n_agreements++;
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
    c->handles->traffic.n_agreements++;
}

static void reduce(const mur_comm *c, int64_t *values, size_t n, MPI_Op op)
{
    if (is_alone(c))
        return;
    MPI_Request request;
    MUR_MPI(MPI_Iallreduce(MPI_IN_PLACE, values, (int)n, MPI_INT64_T, op, c->handles->all, &request));
    wait_for(&request, &c->handles->traffic.reduce_seconds);
    c->handles->traffic.n_agreements++;
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
    c->handles->traffic.n_agreements++;
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
    c->handles->traffic.n_agreements++;
    c->handles->traffic.broadcast_bytes += (int64_t)sizeof value;
    return value;
}

/* Bytes between two ranks travel from where they are to where they belong, in messages of at most so many: each arrives
 * before a wait begins to sleep, between whose looks MPI moves only some tens of KiB. */
#define MESSAGE ((size_t)256 << 10)

/* Messages of a rank that are on their way in either direction: enough to keep a network busy, and few enough for what
 * MPI may have to hold of them. */
#define N_ON_THE_WAY 8

/* Fewer bytes than these Open MPI's MPI_Ibcast sends down a tree; more from rank to rank to rank, which with thousands
 * of ranks, of which some sleep, takes seconds. So those go down a tree here, so many at a time. */
#define SMALL_BROADCAST ((size_t)64 << 10)
#define BROADCAST_SLICE ((size_t)1 << 20)

/* Gathered bytes go up a tree, whose inner ranks hold what comes from below, while they are not more than this
 * together; more go to rank 0 from each rank. */
#define TREE_BYTES ((int64_t)16 << 20)

/* Of messages between two ranks; the dealer's are 1 and 2. Sizes have two, which take turns: a rank may be at its next
 * exchange before another has seen that the last one's sizes are all there. */
enum { TAG_BYTES = 3, TAG_SIZE = 4 };

/* A run of bytes to or from another rank. */
typedef struct parcel {
    int rank;
    char *bytes;
    size_t len;
} parcel;

/* Sends or receives parcels in their order, a few messages at a time. */
typedef struct mover {
    const parcel *parcels;
    size_t n, at, done; /* parcels; the one in hand, and what of it went */
    bool is_sender;
    MPI_Request requests[N_ON_THE_WAY];
} mover;

static mover mover_of(const parcel *parcels, size_t n, bool is_sender)
{
    mover m = {.parcels = parcels, .n = n, .is_sender = is_sender};
    for (size_t i = 0; i < N_ON_THE_WAY; i++)
        m.requests[i] = MPI_REQUEST_NULL;
    return m;
}

static void begin_message(const mur_comm *c, mover *m, MPI_Request *request)
{
    const parcel *p = &m->parcels[m->at];
    char *bytes = p->bytes + m->done;
    int len = (int)(p->len - m->done < MESSAGE ? p->len - m->done : MESSAGE);
    if (m->is_sender)
        MUR_MPI(MPI_Isend(bytes, len, MPI_BYTE, p->rank, TAG_BYTES, c->handles->all, request));
    else
        MUR_MPI(MPI_Irecv(bytes, len, MPI_BYTE, p->rank, TAG_BYTES, c->handles->all, request));
    m->done += (size_t)len;
    if (m->done == p->len) {
        m->at++;
        m->done = 0;
    }
}

/* Begins messages in the place of those that came to their end. Returns whether any did; `*is_over` when all have. */
static bool move_on(const mur_comm *c, mover *m, bool *is_over)
{
    int n_ended, ended[N_ON_THE_WAY];
    MUR_MPI(MPI_Testsome(N_ON_THE_WAY, m->requests, &n_ended, ended, MPI_STATUSES_IGNORE));
    *is_over = true;
    for (size_t i = 0; i < N_ON_THE_WAY; i++) {
        if (m->requests[i] == MPI_REQUEST_NULL && m->at < m->n)
            begin_message(c, m, &m->requests[i]);
        *is_over = *is_over && m->requests[i] == MPI_REQUEST_NULL;
    }
    return n_ended > 0; /* MPI_UNDEFINED, where there were none, is negative */
}

/* Moves parcels, none of them empty. Ranks do not wait for each other in a circle where all order theirs by the
 * distance from sender to receiver: the nearest message that has not come is the next one of both its ranks. */
static void move_parcels(const mur_comm *c, const parcel *to, size_t n_to, const parcel *from, size_t n_from)
{
    mover sender = mover_of(to, n_to, true), receiver = mover_of(from, n_from, false);
    mur_comm_pause pause = {0};
    for (bool is_sent = false, is_received = false;;) {
        bool is_moving = move_on(c, &receiver, &is_received);
        is_moving = move_on(c, &sender, &is_sent) || is_moving;
        if (is_sent && is_received)
            break;
        mur_comm_look_again(&pause, is_moving);
    }
    c->handles->traffic.n_messages += (int64_t)n_to;
    for (size_t i = 0; i < n_to; i++)
        c->handles->traffic.exchange_bytes += (int64_t)to[i].len;
}

/* The ranks are a binomial tree whose root is 0: a rank's parent is without its lowest bit, its children have one below
 * that more. So a rank and those below it are neighbours, and what they send up is in order. */
static int lowest_bit(const mur_comm *c)
{
    int bit = 1;
    while (bit < c->n_ranks && !(c->rank & bit))
        bit <<= 1;
    return bit;
}

/* Rank 0's bytes to all others' same number of bytes. A slice comes while the one before goes on. */
static void broadcast_by_tree(const mur_comm *c, char *bytes, size_t len)
{
    int own_bit = lowest_bit(c);
    size_t n_slices = (len + BROADCAST_SLICE - 1) / BROADCAST_SLICE;
    for (size_t slice = 0; slice < n_slices + (c->rank > 0); slice++) {
        parcel to[sizeof(int) * CHAR_BIT], from = {0};
        size_t n_to = 0, n_from = 0, going = slice - (c->rank > 0); /* wraps where there is none yet */
        if (c->rank > 0 && slice < n_slices) {
            size_t first = slice * BROADCAST_SLICE;
            from = (parcel){c->rank - own_bit, bytes + first,
                            len - first < BROADCAST_SLICE ? len - first : BROADCAST_SLICE};
            n_from = 1;
        }
        for (int bit = own_bit >> 1; bit > 0 && going < n_slices; bit >>= 1) { /* the largest below first */
            size_t first = going * BROADCAST_SLICE;
            if (c->rank + bit < c->n_ranks)
                to[n_to++] = (parcel){c->rank + bit, bytes + first,
                                      len - first < BROADCAST_SLICE ? len - first : BROADCAST_SLICE};
        }
        move_parcels(c, to, n_to, &from, n_from);
    }
}

static void broadcast_bytes(const mur_comm *c, char *bytes, size_t len)
{
    mur_traffic *traffic = &c->handles->traffic;
    if (len >= SMALL_BROADCAST) {
        double start = mur_monotonic();
        int64_t before = traffic->exchange_bytes;
        broadcast_by_tree(c, bytes, len);
        traffic->exchange_bytes = before; /* it is counted as what it is */
        traffic->broadcast_seconds += mur_monotonic() - start;
    } else if (len > 0) {
        MPI_Request request;
        MUR_MPI(MPI_Ibcast(bytes, (int)len, MPI_BYTE, 0, c->handles->all, &request));
        wait_for(&request, &traffic->broadcast_seconds);
    }
    traffic->broadcast_bytes += (int64_t)len;
    traffic->n_agreements++;
}

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
    broadcast_bytes(c, b->ptr, len);
}

/* Tells each rank how many bytes come to it from each other, in messages for those pairs alone that have some: a
 * message that is sent in step ends when it is received, and who has come to the end of its own enters a barrier,
 * behind which no size can be on its way (T. Hoefler, C. Siebert, A. Lumsdaine, "Scalable communication protocols for
 * dynamic sparse data exchange", 2010). `coming` is zeroed. MPI_Ialltoall of Open MPI would have a message for every
 * pair. */
static void tell_sizes(const mur_comm *c, const int64_t *sizes, int64_t *coming)
{
    struct mur_comm_handles *h = c->handles;
    int tag = TAG_SIZE + h->size_tag, n_sent = 0, is_over = 0;
    MPI_Request *sent = mur_alloc((size_t)c->n_ranks, sizeof *sent), barrier = MPI_REQUEST_NULL;
    for (int distance = 1; distance < c->n_ranks; distance++) {
        int there = (c->rank + distance) % c->n_ranks;
        if (sizes[there] > 0)
            MUR_MPI(MPI_Issend(&sizes[there], 1, MPI_INT64_T, there, tag, h->all, &sent[n_sent++]));
    }
    int first = 0; /* of those that are not known to have come to their end */
    mur_comm_pause pause = {0};
    for (bool is_in_barrier = false; !is_over;) {
        int is_there, is_ended = 1;
        MPI_Status status;
        MUR_MPI(MPI_Iprobe(MPI_ANY_SOURCE, tag, h->all, &is_there, &status));
        if (is_there)
            MUR_MPI(MPI_Recv(&coming[status.MPI_SOURCE], 1, MPI_INT64_T, status.MPI_SOURCE, tag, h->all,
                             MPI_STATUS_IGNORE));
        int before = first;
        while (first < n_sent && is_ended) {
            MUR_MPI(MPI_Test(&sent[first], &is_ended, MPI_STATUS_IGNORE));
            first += is_ended;
        }
        if (is_in_barrier) {
            MUR_MPI(MPI_Test(&barrier, &is_over, MPI_STATUS_IGNORE));
        } else if (first == n_sent) {
            MUR_MPI(MPI_Ibarrier(h->all, &barrier));
            is_in_barrier = true;
        }
        if (!is_over)
            mur_comm_look_again(&pause, is_there || first > before);
    }
    h->size_tag = 1 - h->size_tag;
    h->traffic.n_exchanges++;
    h->traffic.n_messages += n_sent;
    free(sent);
}

void mur_exchange(const mur_comm *c, const mur_buf *outgoing, mur_buf *incoming, size_t *ends)
{
    if (is_alone(c)) {
        if (ends)
            ends[0] = outgoing[0].len;
        mur_buf_append(incoming, outgoing[0].ptr, outgoing[0].len);
        return;
    }
    double start = mur_monotonic();
    size_t n = (size_t)c->n_ranks, total = 0, n_to = 0, n_from = 0;
    int64_t *sizes = mur_alloc(n * 2, sizeof *sizes), *coming = sizes + n;
    for (size_t r = 0; r < n; r++)
        sizes[r] = (int64_t)outgoing[r].len;
    tell_sizes(c, sizes, coming);
    coming[c->rank] = sizes[c->rank];

    parcel *parcels = mur_alloc(n * 3, sizeof *parcels), *by_rank = parcels, *to = parcels + n, *from = parcels + 2 * n;
    for (size_t r = 0; r < n; r++)
        total += (size_t)coming[r];
    char *begin = mur_buf_reserve(incoming, total), *at = begin;
    incoming->len += total;
    for (size_t r = 0; r < n; r++) {
        by_rank[r] = (parcel){(int)r, at, (size_t)coming[r]};
        at += coming[r];
        if (ends)
            ends[r] = (size_t)(at - begin);
    }
    if (sizes[c->rank] > 0)
        memcpy(by_rank[c->rank].bytes, outgoing[c->rank].ptr, (size_t)sizes[c->rank]);
    for (size_t distance = 1; distance < n; distance++) {
        size_t there = ((size_t)c->rank + distance) % n, here = ((size_t)c->rank + n - distance) % n;
        if (sizes[there] > 0)
            to[n_to++] = (parcel){(int)there, outgoing[there].ptr, (size_t)sizes[there]};
        if (coming[here] > 0)
            from[n_from++] = by_rank[here];
    }
    move_parcels(c, to, n_to, from, n_from);
    c->handles->traffic.exchange_seconds += mur_monotonic() - start;
    free(parcels);
    free(sizes);
}

/* Up the tree: sizes (n_ranks, of which those of this rank and of the ones below it are filled), and then, if
 * `is_by_tree`, their bytes, which are appended to `all`. Else bytes go to rank 0 from each. */
static void gather_up(const mur_comm *c, mur_view mine, int64_t *sizes, bool is_by_tree, mur_buf *all)
{
    int own_bit = lowest_bit(c), n_below = c->n_ranks - c->rank < own_bit ? c->n_ranks - c->rank : own_bit;
    size_t before = all->len;
    sizes[0] = (int64_t)mine.len;
    if (is_by_tree || c->rank == 0)
        mur_buf_append_view(all, mine);
    for (int bit = 1; bit < own_bit && bit < n_below; bit <<= 1) {
        int n = n_below - bit < bit ? n_below - bit : bit;
        parcel from = {c->rank + bit, (char *)(sizes + bit), (size_t)n * sizeof *sizes};
        move_parcels(c, NULL, 0, &from, 1);
        from.len = 0;
        for (int i = bit; i < bit + n; i++)
            from.len += (size_t)sizes[i];
        if (!is_by_tree || from.len == 0)
            continue;
        from.bytes = mur_buf_reserve(all, from.len);
        move_parcels(c, NULL, 0, &from, 1);
        all->len += from.len;
    }
    if (c->rank > 0) {
        size_t len = is_by_tree ? all->len - before : mine.len;
        parcel to[] = {{c->rank - own_bit, (char *)sizes, (size_t)n_below * sizeof *sizes},
                       {is_by_tree ? c->rank - own_bit : 0, is_by_tree ? all->ptr + before : (char *)mine.ptr, len}};
        move_parcels(c, to, len > 0 ? 2 : 1, NULL, 0);
        all->len = before;
    }
}

/* Rank 0, beside gather_up: the bytes of each other rank. */
static void gather_from_each(const mur_comm *c, const int64_t *sizes, mur_buf *all)
{
    size_t n_from = 0, total = 0;
    parcel *from = mur_alloc((size_t)c->n_ranks, sizeof *from);
    for (int r = 1; r < c->n_ranks; r++)
        total += (size_t)sizes[r];
    char *at = mur_buf_reserve(all, total);
    for (int r = 1; r < c->n_ranks; r++) {
        if (sizes[r] > 0)
            from[n_from++] = (parcel){r, at, (size_t)sizes[r]};
        at += sizes[r];
    }
    move_parcels(c, NULL, 0, from, n_from);
    all->len += total;
    free(from);
}

static void set_ends(size_t *ends, const int64_t *sizes, int n_ranks)
{
    size_t end = 0;
    for (int r = 0; r < n_ranks; r++)
        ends[r] = end += (size_t)sizes[r];
}

/* Rank 0 has all afterwards; returns how many bytes that are. `sizes` as in gather_up. */
static size_t gather(const mur_comm *c, mur_view mine, int64_t *sizes, mur_buf *all)
{
    if (is_alone(c)) {
        sizes[0] = (int64_t)mine.len;
        mur_buf_append_view(all, mine);
        return mine.len;
    }
    int64_t total = mur_sum(c, (int64_t)mine.len);
    double start = mur_monotonic();
    bool is_by_tree = total <= TREE_BYTES;
    gather_up(c, mine, sizes, is_by_tree, all);
    if (!is_by_tree && c->rank == 0)
        gather_from_each(c, sizes, all);
    c->handles->traffic.exchange_seconds += mur_monotonic() - start;
    c->handles->traffic.n_gathers++;
    return (size_t)total;
}

void mur_gather(const mur_comm *c, mur_view mine, mur_buf *all, size_t *ends)
{
    int64_t *sizes = mur_alloc((size_t)c->n_ranks, sizeof *sizes);
    gather(c, mine, sizes, all);
    if (ends && c->rank == 0)
        set_ends(ends, sizes, c->n_ranks);
    free(sizes);
}

void mur_all_gather(const mur_comm *c, mur_view mine, mur_buf *all, size_t *ends)
{
    int64_t *sizes = mur_alloc((size_t)c->n_ranks, sizeof *sizes);
    size_t before = all->len, total = gather(c, mine, sizes, all);
    if (!is_alone(c)) {
        mur_buf_reserve(all, before + total - all->len);
        all->len = before + total;
        broadcast_bytes(c, all->ptr + before, total);
        if (ends)
            broadcast_bytes(c, (char *)sizes, (size_t)c->n_ranks * sizeof *sizes);
    }
    if (ends)
        set_ends(ends, sizes, c->n_ranks);
    free(sizes);
}
