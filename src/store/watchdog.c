#include "watchdog.h"

#include <string.h>
#include <unistd.h>

#include "murmur/clock.h"
#include "murmur/log.h"
#include "murmur/thread.h"

/* The other ranks give rank 0 this long to speak before they end the job themselves. */
#define GRACE_SECONDS 3.0

/* When it is to end the process; the mutex is held. */
static double end_of(const mur_watchdog *w)
{
    return w->kicked + w->patience * (double)w->n_steps + (w->rank == 0 ? 0 : GRACE_SECONDS);
}

static void *watch(void *context)
{
    mur_watchdog *w = context;
    pthread_mutex_lock(&w->mutex);
    while (!w->is_over && mur_monotonic() < end_of(w))
        mur_condition_wait(&w->changed, &w->mutex, end_of(w));
    if (!w->is_over) {
        if (w->rank == 0)
            mur_log_error("%s: no progress for %g s while %s; the file system hangs or is full. Nothing of this commit "
                          "is published: run again, with a longer --io-timeout if it is only slow",
                          w->path, w->patience * (double)w->n_steps, w->step);
        /* Not exit(): that would wait for MPI and HDF5, which are what hangs. The launcher ends the other ranks. */
        _exit(mur_exit_status(MUR_EIO));
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

void mur_watchdog_start(mur_watchdog *w, int rank, int64_t timeout_ms, const char *path)
{
    *w = (mur_watchdog){.rank = rank,
                        .patience = (double)timeout_ms / 1000,
                        .kicked = mur_monotonic(),
                        .n_steps = 1,
                        .path = path,
                        .step = "beginning to write"};
    if (timeout_ms <= 0)
        return;
    pthread_mutex_init(&w->mutex, NULL);
    mur_condition_init(&w->changed);
    int error = mur_thread_start(&w->thread, watch, w);
    w->is_running = error == 0;
    if (error != 0)
        mur_log_warn("no watch over --io-timeout: cannot start a thread: %s", strerror(error));
}

void mur_watchdog_await(mur_watchdog *w, const char *step, size_t n_steps)
{
    if (!w->is_running)
        return;
    pthread_mutex_lock(&w->mutex);
    bool is_shorter = n_steps < w->n_steps; /* the thread sleeps longer than it may */
    w->kicked = mur_monotonic();
    w->n_steps = n_steps;
    w->step = step;
    if (is_shorter)
        pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->mutex);
}

void mur_watchdog_kick(mur_watchdog *w, const char *step)
{
    mur_watchdog_await(w, step, 1);
}

void mur_watchdog_stop(mur_watchdog *w)
{
    if (!w->is_running)
        return;
    pthread_mutex_lock(&w->mutex);
    w->is_over = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->mutex);
    w->is_running = false;
}
