/* watchdog.h: ends the job when writing makes no progress, as on a hung network file system or, with ROMIO, a full
 * disk.
 *
 * A thread, not a timer's signal: a main thread that is stuck in the kernel never runs its handlers. Local; ranks wait
 * for each other in every step, so all of them see the same standstill, and rank 0 speaks for all.
 */
#ifndef MURMUR_WATCHDOG_H
#define MURMUR_WATCHDOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct mur_watchdog {
    bool is_running;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    double patience; /* seconds without progress */
    double kicked;   /* when progress was last made, as mur_monotonic */
    bool is_over;
    int rank;
    const char *path; /* what is being written */
    const char *step;
} mur_watchdog;

/* From here until mur_watchdog_stop the process ends with status 74 when it is not kicked for `timeout_ms` (0: never).
 * `path` and every `step` are borrowed and outlive the watch; `step` completes "while …". */
void mur_watchdog_start(mur_watchdog *w, int rank, int64_t timeout_ms, const char *path);

/* Progress was made, and this step begins. */
void mur_watchdog_kick(mur_watchdog *w, const char *step);

/* Fine on a zeroed one. */
void mur_watchdog_stop(mur_watchdog *w);

#endif
