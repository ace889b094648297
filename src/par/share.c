#include <stdlib.h>

#include "comm_mpi.h"
#include "murmur/file.h"
#include "murmur/mem.h"
#include "murmur/quantity.h"

#define ALIGNMENT 64 /* a cache line */

struct mur_share_handles {
    MPI_Win window;
};

/* Open MPI backs shared windows with files in /dev/shm; a too small one kills ranks with SIGBUS at the first touch. */
static int check_room(size_t len)
{
    char need[MUR_QUANTITY_TEXT], have[MUR_QUANTITY_TEXT];
    int64_t room;
    if (mur_path_space(&room, "/dev/shm") < 0) /* not Linux's layout: let MPI decide */
        return 0;
    if (room >= (int64_t)len)
        return 0;
    return mur_fail(MUR_EINTERNAL,
                    "/dev/shm has %s free and %s are needed for memory shared by this node's ranks; "
                    "remove stale files there or enlarge it (mount -o remount,size=…, docker --shm-size)",
                    mur_size_format(have, room), mur_size_format(need, (int64_t)len));
}

/* A rank that is alone on its node has nobody to share with, and its own memory may be in large pages. */
static int open_alone(mur_share *s, size_t len)
{
    s->bytes = mur_try_alloc_large(len);
    if (!s->bytes)
        return mur_error_last()->code;
    memset(s->bytes, 0, len);
    s->len = len;
    return 0;
}

int mur_share_open(mur_share *s, const mur_comm *c, size_t len)
{
    *s = (mur_share){0};
    const bool is_alone = c->node_size == 1;
    int rc = mur_agree(c, is_alone ? open_alone(s, len) : c->node_rank == 0 ? check_room(len) : 0);
    if (rc < 0)
        mur_share_close(s, c);
    if (rc < 0 || is_alone)
        return rc;

    s->handles = mur_alloc(1, sizeof *s->handles);
    MPI_Aint mine = c->node_rank == 0 ? (MPI_Aint)(len + ALIGNMENT) : 0, got;
    int unit;
    void *local;
    MUR_MPI(MPI_Win_allocate_shared(mine, 1, MPI_INFO_NULL, c->handles->node, &local, &s->handles->window));
    MUR_MPI(MPI_Win_set_errhandler(s->handles->window, MPI_ERRORS_RETURN));
    MUR_MPI(MPI_Win_shared_query(s->handles->window, 0, &got, &unit, &s->bytes));
    MUR_MPI(MPI_Win_lock_all(MPI_MODE_NOCHECK, s->handles->window));
    /* Open MPI puts its own words for each rank first. Every rank maps the window at a page's begin, so all come to the
     * same byte of it. */
    s->bytes = (void *)(((uintptr_t)s->bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    s->len = len;
    if (c->node_rank == 0)
        memset(s->bytes, 0, len);
    mur_share_publish(s, c);
    return 0;
}

void mur_share_publish(const mur_share *s, const mur_comm *c)
{
    MPI_Request request;
    if (!s->handles)
        return;
    MUR_MPI(MPI_Win_sync(s->handles->window));
    MUR_MPI(MPI_Ibarrier(c->handles->node, &request));
    mur_comm_wait(&request);
    MUR_MPI(MPI_Win_sync(s->handles->window));
}

void mur_share_close(mur_share *s, const mur_comm *c)
{
    if (s->handles) {
        mur_share_publish(s, c); /* MPI's own wait for the node's ranks, in what follows, would spin */
        MUR_MPI(MPI_Win_unlock_all(s->handles->window));
        MUR_MPI(MPI_Win_free(&s->handles->window));
        free(s->handles);
    } else {
        free(s->bytes);
    }
    *s = (mur_share){0};
}
