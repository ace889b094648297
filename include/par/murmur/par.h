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
 * is not NULL it has n_ranks entries and receives where each rank's bytes end, relative to their start in `all`. */
void mur_all_gather(const mur_comm *c, mur_view mine, mur_buf *all, size_t *ends);
void mur_gather(const mur_comm *c, mur_view mine, mur_buf *all, size_t *ends);

/* Collective. Personalised exchange: `outgoing[r]` goes to rank r; what came is appended to `incoming` in rank order,
 * `ends` as above. Any sizes: bytes travel in bounded rounds. */
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

/* Work units 0..n-1, taken by ranks as they become free. Units are dealt to nodes in advance, largest first, by `sizes`
 * (any unit of work, the same array on every rank) in proportion to their ranks; on a node they are a queue in shared
 * memory, taken by an atomic. So a fast rank takes more of its node's units; which rank takes which never shows in
 * results. */
typedef struct mur_deal {
    size_t n_mine;  /* units of this node */
    size_t *queue;  /* their numbers, largest first */
    mur_share next; /* one atomic counter */
} mur_deal;

/* Collective. */
int mur_deal_open(mur_deal *d, const mur_comm *c, const int64_t *sizes, size_t n) MUR_MUST_USE;

/* Local. False when the node's queue is empty. */
bool mur_deal_next(mur_deal *d, size_t *unit);

/* Collective. */
void mur_deal_close(mur_deal *d, const mur_comm *c);

#endif
