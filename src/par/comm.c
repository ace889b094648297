#include "murmur/par.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "comm_mpi.h"
#include "launch.h"
#include "murmur/clock.h"
#include "murmur/log.h"
#include "murmur/mem.h"

/* Polls without sleeping for this long: most collectives end sooner, and a sleep costs some 60 µs. */
#define SPIN_SECONDS 0.010
#define NAP_SECONDS 0.001

/* Rank 0 needs an instant to say what went wrong and to end; a rank that went before would be taken for the cause. */
#define ABANDONED_SECONDS 3.0

void mur_comm_check(int code, const char *call, const char *file, int line)
{
    if (code == MPI_SUCCESS)
        return;
    char text[MPI_MAX_ERROR_STRING];
    int len = 0;
    MPI_Error_string(code, text, &len);
    mur_log_error("MPI failed: %.*s (%s, %s:%d)", len, text, call, file, line);
    mur_comm_abort(mur_exit_status(MUR_EINTERNAL));
}

void mur_comm_abort(int status)
{
    int is_running = 0, is_over = 0;
    MPI_Initialized(&is_running);
    MPI_Finalized(&is_over);
    if (is_running && !is_over)
        MPI_Abort(MPI_COMM_WORLD, status);
    _Exit(status);
}

void mur_comm_look_again(mur_comm_pause *p, bool has_come)
{
    if (has_come) {
        p->since = 0;
        return;
    }
    double now = mur_monotonic();
    if (p->since == 0)
        p->since = now;
    if (now - p->since > SPIN_SECONDS)
        mur_sleep(NAP_SECONDS);
}

void mur_comm_wait(MPI_Request *request)
{
    mur_comm_pause pause = {0};
    for (int is_done = 0;;) {
        MUR_MPI(MPI_Test(request, &is_done, MPI_STATUS_IGNORE));
        if (is_done)
            return;
        mur_comm_look_again(&pause, false);
    }
}

mur_traffic mur_comm_traffic(const mur_comm *c)
{
    return c->handles ? c->handles->traffic : (mur_traffic){0};
}

/* Numbers the nodes by their first ranks, and tells every rank its node's number. */
static void number_nodes(mur_comm *c)
{
    struct mur_comm_handles *h = c->handles;
    MUR_MPI(MPI_Comm_rank(h->node, &c->node_rank));
    MUR_MPI(MPI_Comm_size(h->node, &c->node_size));
    int is_first = c->node_rank == 0, before = 0;
    MUR_MPI(MPI_Exscan(&is_first, &before, 1, MPI_INT, MPI_SUM, h->all));
    c->node = c->rank == 0 ? 0 : before;
    MUR_MPI(MPI_Bcast(&c->node, 1, MPI_INT, 0, h->node));
    MUR_MPI(MPI_Allreduce(&is_first, &c->n_nodes, 1, MPI_INT, MPI_SUM, h->all));
}

/* Splits the ranks by the memory that they share. */
static void find_nodes(mur_comm *c)
{
    struct mur_comm_handles *h = c->handles;
    MUR_MPI(MPI_Comm_split_type(h->all, MPI_COMM_TYPE_SHARED, c->rank, MPI_INFO_NULL, &h->node));
    number_nodes(c);
}

void mur_comm_divide(mur_comm *c, int ranks_per_node)
{
    struct mur_comm_handles *h = c->handles;
    MUR_MPI(MPI_Comm_free(&h->node));
    find_nodes(c);
    if (ranks_per_node == 0)
        return;
    MPI_Comm whole = h->node;
    MUR_MPI(MPI_Comm_split(whole, c->node_rank / ranks_per_node, c->rank, &h->node));
    MUR_MPI(MPI_Comm_free(&whole));
    number_nodes(c);
}

int mur_comm_open(mur_comm *c)
{
    *c = (mur_comm){0};
    int rc = mur_launch_before_init();
    if (rc < 0)
        return rc;
    /* MPI's own waits, which HDF5's collectives are full of, spin. Giving the core up between polls lets the rank that
     * is waited for run where cores are shared, and costs nothing where they are not (docs/PERFORMANCE.md). A user's
     * setting stays. */
    setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
    int level;
    MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level);
    mur_mem_on_exhausted(mur_comm_abort);

    struct mur_comm_handles *h = c->handles = mur_alloc(1, sizeof *h);
    h->info = MPI_INFO_NULL;
    MUR_MPI(MPI_Comm_dup(MPI_COMM_WORLD, &h->all));
    MUR_MPI(MPI_Comm_set_errhandler(h->all, MPI_ERRORS_RETURN));
    MUR_MPI(MPI_Comm_rank(h->all, &c->rank));
    MUR_MPI(MPI_Comm_size(h->all, &c->n_ranks));
    mur_log_rank_set(c->rank);
    int has_helpers = level >= MPI_THREAD_SERIALIZED;
    MUR_MPI(MPI_Allreduce(MPI_IN_PLACE, &has_helpers, 1, MPI_INT, MPI_MIN, h->all));
    h->has_helpers = has_helpers;
    MUR_MPI(MPI_Comm_split_type(h->all, MPI_COMM_TYPE_SHARED, c->rank, MPI_INFO_NULL, &h->node));
    number_nodes(c);
    return mur_launch_after_init(c->n_ranks);
}

const char *mur_mpi_name(void)
{
    static char name[MPI_MAX_LIBRARY_VERSION_STRING + 1];
    int len = 0;
    if (!*name && MPI_Get_library_version(name, &len) == MPI_SUCCESS)
        name[strcspn(name, ",")] = '\0'; /* then come the packager, the build's id and its date */
    return name;
}

mur_comm mur_comm_alone(void)
{
    return (mur_comm){.n_ranks = 1, .node_size = 1, .n_nodes = 1};
}

static bool is_abandoned;

void mur_comm_abandon(void)
{
    is_abandoned = true;
}

void mur_comm_close(mur_comm *c)
{
    if (!c->handles)
        return;
    if (mur_max(c, is_abandoned) != 0) {
        if (c->rank != 0)
            mur_sleep(ABANDONED_SECONDS);
        return;
    }
    MPI_Comm_free(&c->handles->node);
    MPI_Comm_free(&c->handles->all);
    free(c->handles);
    *c = (mur_comm){0};
    MPI_Finalize();
}
