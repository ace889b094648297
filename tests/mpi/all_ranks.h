/* all_ranks.h: tests of collective code. A failed assertion on one rank would leave the others waiting: so what every
 * rank found is agreed first, and then all fail together. */
#ifndef MURMUR_ALL_RANKS_H
#define MURMUR_ALL_RANKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "murmur/log.h"
#include "murmur/par.h"

static mur_comm all;

#define assert_all(condition)                                                                                          \
    do {                                                                                                               \
        bool holds = (condition);                                                                                      \
        if (!holds)                                                                                                    \
            print_error("rank %d: %s:%d: %s\n", all.rank, __FILE__, __LINE__, #condition);                             \
        assert_true(mur_min(&all, holds));                                                                             \
    } while (0)

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
