/* thread.h: the helper threads that jobs run (watchdog, lock, progress) sleep and start alike. */
#ifndef MURMUR_THREAD_H
#define MURMUR_THREAD_H

#include <pthread.h>

/* Starts a thread to which no signal is delivered: those are the main thread's. 0, or an errno value. */
int mur_thread_start(pthread_t *thread, void *(*run)(void *context), void *context);

/* A condition whose waits count on the clock of mur_monotonic. */
void mur_condition_init(pthread_cond_t *condition);

/* Waits for the condition, at most until mur_monotonic reaches `until`. */
void mur_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, double until);

#endif
