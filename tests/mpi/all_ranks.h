/* all_ranks.h: tests of collective code. A failed assertion on one rank would leave the others waiting: so what every
 * rank found is agreed first, and then all fail together. */
#ifndef MURMUR_ALL_RANKS_H
#define MURMUR_ALL_RANKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "murmur/buf.h"
#include "murmur/log.h"
#include "murmur/par.h"
#include "scratch.h"

static mur_comm all;

#define assert_all(condition)                                                                                          \
    do {                                                                                                               \
        bool holds = (condition);                                                                                      \
        if (!holds)                                                                                                    \
            print_error("rank %d: %s:%d: %s\n", all.rank, __FILE__, __LINE__, #condition);                             \
        assert_true(mur_min(&all, holds));                                                                             \
    } while (0)

/* Collective: scratch_make and scratch_remove of one folder for all ranks, which remove frees, too. */
static inline char *shared_scratch_make(const char *name)
{
    mur_buf folder = {0};
    char *made = all.rank == 0 ? scratch_make(name) : NULL;
    if (all.rank == 0 && !made)
        mur_comm_abort(1);
    if (made)
        mur_buf_append(&folder, made, strlen(made) + 1);
    free(made);
    mur_broadcast(&all, &folder);
    return folder.ptr;
}

static inline void shared_scratch_remove(char *folder)
{
    mur_barrier(&all);
    if (all.rank == 0)
        scratch_remove(folder);
    free(folder);
}

/* Runs the group on all ranks; every rank's status is the same. */
#define run_on_all_ranks(tests)                                                                                        \
    (mur_comm_open(&all) == 0 ? (mur_log_rank_set(all.rank), finish(cmocka_run_group_tests(tests, NULL, NULL))) : 1)

static int finish(int n_failed)
{
    n_failed = (int)mur_max(&all, n_failed);
    mur_comm_close(&all);
    return n_failed ? 1 : 0;
}

#endif
