/* par.h: what the ranks of a job do together. The only layer that calls MPI (MPI 3.1, https://www.mpi-forum.org/docs/).
 *
 * Every function is marked Collective (all ranks of the job call it, in the same order) or Local. A collective function
 * either returns the same verdict on all ranks or cannot fail: MPI's own errors end the job (message, then abort).
 * The rhythm of callers: prepare locally, mur_agree, act together, mur_agree. No return between two collectives unless
 * all ranks take it. Waits sleep after the first 10 ms, so that a waiting rank leaves its core to others.
 */
#ifndef MURMUR_PAR_H
#define MURMUR_PAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/error.h"

typedef struct mur_comm {
    int rank, n_ranks;
    int node_rank, node_size; /* among the ranks that share this node's memory */
    int node, n_nodes;        /* nodes are numbered in order of their first rank */
    struct mur_comm_handles *handles;
} mur_comm;

/* The rank a launcher (mpirun, srun, with or without PMIx) gave this process, read from the environment; 0 where there
 * is none. Local, and before or without mur_comm_open: commands that only read run on rank 0 alone, without MPI. */
int mur_launch_rank(void);

/* Collective. Starts MPI, fills `c`, and lets the log speak as this rank. One of several processes that each are alone
 * in MPI (srun without PMIx, another MPI's mpiexec, an sbatch script that starts the program bare) is refused:
 * MUR_EUSAGE with the cure. */
int mur_comm_open(mur_comm *c) MUR_MUST_USE;

/* Collective. From now on each `ranks_per_node` neighbouring ranks of a node, and the last fewer, count as a node of
 * their own: so several nodes are tested and measured on one. 0: nodes are what they are. */
void mur_comm_divide(mur_comm *c, int ranks_per_node);

/* A job of this process alone, inside a larger job or without MPI: agreement, sums, broadcasts, gathers and exchanges
 * on it call no MPI and wait for nobody, so that what is written for ranks serves one. Not for shares and deals. Local;
 * nothing to close. */
mur_comm mur_comm_alone(void);

/* Collective. Ends MPI. */
void mur_comm_close(mur_comm *c);

/* Local. MPI cannot be ended in order any more: what hangs on its end would crash. The job has failed; after this of
 * any rank mur_comm_close lets rank 0 say so and go, and its status makes the launcher end the others. */
void mur_comm_abandon(void);

/* Local. Ends the whole job at once; for states in which ranks can no longer agree. `status` 1..125. */
void mur_comm_abort(int status) __attribute__((noreturn));

/* Whether what this process writes to standard error comes out on a terminal: its own, or that of the mpirun which
 * started it and hands lines on as they come. `*columns` is its width then. Local. */
bool mur_launch_terminal(int *columns);

/* What this rank has sent and how long it took, waiting for other ranks included, since mur_comm_open. What MPI-IO
 * moves between ranks is not in it. */
typedef struct mur_traffic {
    int64_t exchange_bytes;  /* sent to other ranks by mur_exchange and the gathers */
    int64_t reduce_bytes;    /* given to sums, minima, maxima and agreements */
    int64_t broadcast_bytes; /* that came from rank 0, or went from it, once */
    double exchange_seconds, reduce_seconds, broadcast_seconds;
    int64_t n_agreements; /* sums, minima, maxima, agreements, barriers, broadcasts: each takes log(ranks) messages */
    int64_t n_gathers;    /* the same; a broadcast more where all ranks get what is gathered */
    int64_t n_exchanges;  /* a barrier each, */
    int64_t n_messages;   /* and messages of this rank to others that it has bytes for; also those of gathers */
} mur_traffic;

/* Local. */
mur_traffic mur_comm_traffic(const mur_comm *c);

/* Local, and before or without mur_comm_open. "Open MPI v4.1.4": the library that runs. Static text. */
const char *mur_mpi_name(void);

/* Collective. Every rank returns the same verdict: 0, or the worst code with its message and rank in mur_error_last. */
int mur_agree(const mur_comm *c, int rc) MUR_MUST_USE;

/* Collective. */
void mur_barrier(const mur_comm *c);
int64_t mur_sum(const mur_comm *c, int64_t value);
int64_t mur_max(const mur_comm *c, int64_t value);
int64_t mur_min(const mur_comm *c, int64_t value);
void mur_sum_all(const mur_comm *c, int64_t *values, size_t n); /* element by element, in place */

/* Collective. The sum of the values of lower ranks. */
int64_t mur_sum_before(const mur_comm *c, int64_t value);

/* Collective. Rank 0's bytes replace everyone's contents of `b`. */
void mur_broadcast(const mur_comm *c, mur_buf *b);
int64_t mur_broadcast_int64(const mur_comm *c, int64_t value);

/* Collective. Appends every rank's bytes to `all`, in rank order, on every rank (gather: on rank 0 only). Where `ends`
 * is not NULL, on all ranks or none, it has n_ranks entries and receives where each rank's bytes end, relative to their
 * start in `all` (gather: on rank 0 only). Takes log(ranks) messages one after the other; above 16 MiB in all, rank 0
 * one from each. */
void mur_all_gather(const mur_comm *c, mur_view mine, mur_buf *all, size_t *ends);
void mur_gather(const mur_comm *c, mur_view mine, mur_buf *all, size_t *ends);

/* Collective. Personalised exchange: `outgoing[r]` goes to rank r; what came is appended to `incoming` in rank order,
 * `ends` as above. Any sizes, any of them empty: messages go between those ranks alone that have bytes for each other,
 * from `outgoing` into `incoming`, 2 MiB of a rank at a time. */
void mur_exchange(const mur_comm *c, const mur_buf *outgoing, mur_buf *incoming, size_t *ends);

/* One block of memory per node, mapped by all its ranks. `bytes` is zeroed at first. */
typedef struct mur_share {
    void *bytes;
    size_t len;
    struct mur_share_handles *handles;
} mur_share;

/* Collective. All ranks of a node give the same `len`; the block is zeroed and begins at a cache line (64 bytes). Fails
 * where /dev/shm has no room, or, of a rank that is alone on its node, memory. */
int mur_share_open(mur_share *s, const mur_comm *c, size_t len) MUR_MUST_USE;

/* Collective. After this, what the node's first rank wrote into the block is seen by all its ranks. */
void mur_share_publish(const mur_share *s, const mur_comm *c);

/* Collective over the node. NULL bytes afterwards; closing a zeroed one is fine if all ranks do. */
void mur_share_close(mur_share *s, const mur_comm *c);

/* Work units 0..n-1, taken by ranks as they become free; which rank takes which never shows in results. On a node they
 * are a queue in shared memory, taken by an atomic. Half of the work, by `sizes`, is dealt to the nodes in advance, the
 * largest first and in proportion to their ranks. The rest is rank 0's to deal: a thread of its own answers a thread of
 * each node's first rank, which asks before the node's queue is empty, and what it hands out shrinks with what is left.
 * So a node that is faster, or whose units were smaller than reckoned, gets more. Those threads alone call MPI between
 * mur_deal_open and mur_deal_close: a rank must not. */
typedef struct mur_deal {
    mur_share queue;  /* of this node */
    size_t place;     /* in it, that this rank took last */
    int64_t expected; /* of the sum of sizes: what comes to this node if all nodes are equally fast */
    mur_buf *answers; /* NULL, or the caller's, set after opening: mur_deal_close appends the seconds (double)
                         from each of this rank's requests until what was answered could be taken */
    struct mur_dealing *dealing; /* of a node's first rank */
} mur_deal;

/* Collective. `sizes` in any unit of work, the same on every rank. */
int mur_deal_open(mur_deal *d, const mur_comm *c, const int64_t *sizes, size_t n) MUR_MUST_USE;

/* Local. False when there are no more units. Sleeps where the node's queue is empty and rank 0 was asked. */
bool mur_deal_next(mur_deal *d, size_t *unit);

/* Local. The unit that will be taken `ahead` takes after this rank's last one by some rank of this node; false where
 * that is not known yet, or there is none. */
bool mur_deal_peek(const mur_deal *d, size_t ahead, size_t *unit);

/* Local. The job has failed: ranks of this node take no more units, and rank 0 deals no more to others. */
void mur_deal_abandon(mur_deal *d);

/* Collective. */
void mur_deal_close(mur_deal *d, const mur_comm *c);

#endif
