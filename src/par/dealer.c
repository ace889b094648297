#include "dealer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "comm_mpi.h"
#include "murmur/clock.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/thread.h"

/* Between two looks, at the node's queue and for messages: well below the 20 ms in which an answer is to come, and some
 * 10 µs of work each. */
#define NAP_SECONDS 0.002
#define ASKED_NAP_SECONDS 0.0005 /* of who waits for an answer: not for long */

/* A node asks when fewer units than this are in its queue. Units that wait there cannot go to another node any more. */
#define LOW_WATER(n_ranks) (1 + (n_ranks) / 8)

/* What goes to a node at once: this fraction of its share of what is left, so that what is handed out last is small,
 * but units for some ranks, so that nodes of many ranks do not wait for messages. */
#define FRACTION 0.5
#define FEWEST(n_ranks) (1 + (n_ranks) / 16)

/* To rank 0: a node's number, or, behind its last message, -1 - its number. Back: numbers of units; none is the end. */
enum { TAG_ASK = 1, TAG_ANSWER = 2 };

/* What rank 0 sends to a node; the bytes must last until the request is done. */
typedef struct answer {
    MPI_Request request;
    size_t *units;
} answer;

struct mur_dealer {
    const mur_comm *comm;
    mur_queue *queue;
    pthread_t thread;
    bool is_started;
    atomic_int order; /* to the thread */
    size_t *incoming; /* units, as many as there are places */
    size_t n_places;
    mur_buf answers; /* seconds, double */
    /* Rank 0's: */
    mur_stock stock;
    answer *sent; /* by node */
    int n_open;   /* other nodes that had no last answer */
};
enum { WAIT, WORK, STOP };

void mur_queue_fill(mur_queue *q, const size_t *units, size_t n)
{
    size_t n_filled = atomic_load(&q->n_filled);
    if (n > 0)
        memcpy(q->units + n_filled, units, n * sizeof *units);
    atomic_store(&q->n_filled, n_filled + n);
}

static bool is_low(const mur_dealer *d)
{
    size_t next = atomic_load(&d->queue->next), n_filled = atomic_load(&d->queue->n_filled);
    return n_filled < next + (size_t)LOW_WATER(d->comm->node_size);
}

size_t mur_stock_take(mur_stock *s, const mur_comm *c, int node)
{
    double share = FRACTION * (double)s->size * (double)s->ranks_of[node] / c->n_ranks, taken = 0;
    size_t fewest = (size_t)FEWEST(s->ranks_of[node]), n = 0;
    while (n < s->n && (n < fewest || taken + (double)s->sizes[s->units[n]] <= share)) {
        taken += (double)s->sizes[s->units[n]];
        s->size -= s->sizes[s->units[n]];
        n++;
    }
    s->units += n;
    s->n -= n;
    return n;
}

static bool is_over(const mur_dealer *d)
{
    return atomic_load(&d->order) == STOP || atomic_load(&d->queue->is_abandoned);
}

/* Rank 0. */
static void fill_own(mur_dealer *d)
{
    const size_t *units = d->stock.units;
    size_t n = mur_stock_take(&d->stock, d->comm, 0);
    mur_queue_fill(d->queue, units, n);
    if (n == 0)
        atomic_store(&d->queue->is_complete, true);
}

/* Rank 0. A node's message, which is there. */
static void reply(mur_dealer *d, int source)
{
    int node;
    MPI_Comm all = d->comm->handles->all;
    MUR_MPI(MPI_Recv(&node, 1, MPI_INT, source, TAG_ASK, all, MPI_STATUS_IGNORE));
    if (node < 0) {
        d->n_open--;
        d->stock.n = 0; /* it stopped early: the job has failed */
        return;
    }
    answer *a = &d->sent[node];
    MUR_MPI(MPI_Wait(&a->request, MPI_STATUS_IGNORE)); /* long since there: the node asks again */
    const size_t *units = d->stock.units;
    size_t n = mur_stock_take(&d->stock, d->comm, node);
    d->n_open -= n == 0;
    free(a->units);
    a->units = mur_alloc(n, sizeof *units);
    if (n > 0)
        memcpy(a->units, units, n * sizeof *units);
    MUR_MPI(MPI_Isend(a->units, (int)(n * sizeof *units), MPI_BYTE, source, TAG_ANSWER, all, &a->request));
}

static void *deal_out(void *context)
{
    mur_dealer *d = context;
    while (atomic_load(&d->order) == WAIT)
        mur_sleep(NAP_SECONDS);
    while (d->n_open > 0 || !atomic_load(&d->queue->is_complete)) {
        if (is_over(d)) {
            d->stock.n = 0;
            atomic_store(&d->queue->is_complete, true);
        }
        if (!atomic_load(&d->queue->is_complete) && is_low(d))
            fill_own(d);
        for (int is_there = 1; d->n_open > 0 && is_there;) {
            MPI_Status status;
            MUR_MPI(MPI_Iprobe(MPI_ANY_SOURCE, TAG_ASK, d->comm->handles->all, &is_there, &status));
            if (is_there)
                reply(d, status.MPI_SOURCE);
        }
        mur_sleep(NAP_SECONDS);
    }
    for (int node = 0; node < d->comm->n_nodes; node++)
        mur_comm_wait(&d->sent[node].request);
    return NULL;
}

/* What is asked for, and since when. */
typedef struct question {
    MPI_Request sent, answered;
    int node;
    double since;
} question;

static void ask(mur_dealer *d, question *q)
{
    MPI_Comm all = d->comm->handles->all;
    q->node = d->comm->node;
    q->since = mur_monotonic();
    MUR_MPI(
        MPI_Irecv(d->incoming, (int)(d->n_places * sizeof *d->incoming), MPI_BYTE, 0, TAG_ANSWER, all, &q->answered));
    MUR_MPI(MPI_Isend(&q->node, 1, MPI_INT, 0, TAG_ASK, all, &q->sent));
}

/* Whether the answer came; then the node's queue has it. */
static bool take_answer(mur_dealer *d, question *q)
{
    int is_there, len;
    MPI_Status status;
    MUR_MPI(MPI_Test(&q->answered, &is_there, &status));
    if (!is_there)
        return false;
    MUR_MPI(MPI_Get_count(&status, MPI_BYTE, &len));
    mur_comm_wait(&q->sent);
    mur_queue_fill(d->queue, d->incoming, (size_t)len / sizeof *d->incoming);
    if (len == 0)
        atomic_store(&d->queue->is_complete, true);
    double seconds = mur_monotonic() - q->since;
    mur_buf_append(&d->answers, &seconds, sizeof seconds);
    return true;
}

static void *fetch(void *context)
{
    mur_dealer *d = context;
    question q = {.sent = MPI_REQUEST_NULL, .answered = MPI_REQUEST_NULL};
    while (atomic_load(&d->order) == WAIT)
        mur_sleep(NAP_SECONDS);
    for (bool is_asked = false; !atomic_load(&d->queue->is_complete);) {
        if (is_asked)
            is_asked = !take_answer(d, &q);
        else if (is_over(d))
            break;
        else if ((is_asked = is_low(d)))
            ask(d, &q);
        mur_sleep(is_asked ? ASKED_NAP_SECONDS : NAP_SECONDS);
    }
    if (!atomic_load(&d->queue->is_complete)) {
        atomic_store(&d->queue->is_complete, true);
        int end = -1 - d->comm->node;
        MUR_MPI(MPI_Isend(&end, 1, MPI_INT, 0, TAG_ASK, d->comm->handles->all, &q.sent));
        mur_comm_wait(&q.sent);
    }
    return NULL;
}

static int start(mur_dealer *d)
{
    int error = mur_thread_start(&d->thread, d->comm->rank == 0 ? deal_out : fetch, d);
    d->is_started = error == 0;
    return error == 0 ? 0 : mur_fail(MUR_EINTERNAL, "cannot start a thread that deals units: %s", strerror(error));
}

int mur_dealer_open(mur_dealer **out, const mur_comm *c, mur_queue *q, const mur_stock *stock, size_t n_places)
{
    int rc = 0;
    mur_dealer *d = NULL;
    if (n_places > INT_MAX / sizeof *q->units)
        return mur_fail(MUR_EINTERNAL, "%zu units are too many for one batch", n_places); /* the same on all ranks */
    if (c->node_rank == 0) {
        d = *out = mur_alloc(1, sizeof *d);
        *d = (mur_dealer){.comm = c, .queue = q, .n_places = n_places, .n_open = c->n_nodes - 1};
        if (c->rank == 0) {
            d->stock = *stock;
            d->sent = mur_alloc((size_t)c->n_nodes, sizeof *d->sent);
            for (int node = 0; node < c->n_nodes; node++)
                d->sent[node].request = MPI_REQUEST_NULL;
        } else {
            d->incoming = mur_alloc(n_places, sizeof *d->incoming);
        }
        rc = start(d);
    }
    rc = mur_agree(c, rc);
    if (!d)
        return rc;
    if (rc < 0) { /* nobody has sent anything, and nobody waits for anything */
        atomic_store(&q->is_complete, true);
        d->n_open = 0;
    }
    atomic_store(&d->order, WORK);
    if (rc < 0) {
        mur_dealer_close(d, NULL);
        *out = NULL;
    }
    return rc;
}

void mur_dealer_close(mur_dealer *d, mur_buf *answers)
{
    if (!d)
        return;
    atomic_store(&d->order, STOP);
    if (d->is_started)
        pthread_join(d->thread, NULL);
    if (answers)
        mur_buf_append(answers, d->answers.ptr, d->answers.len);
    for (int node = 0; d->sent && node < d->comm->n_nodes; node++)
        free(d->sent[node].units);
    free(d->sent);
    free(d->incoming);
    mur_buf_clear(&d->answers);
    free(d);
}
