/* watchdog.h: ends the job when writing makes no progress, as on a hung network file system or, with ROMIO, a full
 * disk.
 *
 * A thread, not a timer's signal: a main thread that is stuck in the kernel never runs its handlers. Local; ranks wait
 * for each other in every step, or know how many steps another rank takes meanwhile, so all of them see the same
 * standstill, and rank 0 speaks for all.
 */
#ifndef MURMUR_WATCHDOG_H
#define MURMUR_WATCHDOG_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mur_watchdog {
    bool is_running;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    double patience; /* seconds without progress, of one step */
    double kicked;   /* when progress was last made, as mur_monotonic */
    size_t n_steps;  /* that the others take from then on before this process sees any of it */
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

/* Progress was made, and this process waits while others do what they kick their own watch for `n_steps` times: it
 * gives them the time of all these steps, until it is kicked itself. */
void mur_watchdog_await(mur_watchdog *w, const char *step, size_t n_steps);

/* Fine on a zeroed one. */
void mur_watchdog_stop(mur_watchdog *w);

#endif
