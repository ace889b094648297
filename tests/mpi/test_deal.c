#include "all_ranks.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "murmur/clock.h"
#include "murmur/mem.h"

static void compute(double seconds)
{
    volatile double x = 1;
    for (double start = mur_monotonic(); mur_monotonic() - start < seconds;)
        for (int i = 0; i < 1000; i++)
            x = x * 1.0000001 + 1e-9;
}

/* What this rank does with a unit. */
typedef struct worker {
    double seconds;  /* of a unit of size 1; asleep, so that ranks do not take each other's time */
    bool is_at_work; /* not asleep */
    mur_buf *answers;
    int64_t n_units;
    double last; /* when it was done with its last unit; seconds of mur_monotonic */
} worker;

/* Deals units out, and holds that each was taken once. */
static void deal(const int64_t *sizes, size_t n, worker *w)
{
    int64_t *taken = mur_alloc(n, sizeof *taken);
    mur_deal d;
    assert_all(mur_deal_open(&d, &all, sizes, n) == 0);
    d.answers = w->answers;
    for (size_t unit; mur_deal_next(&d, &unit); w->n_units++) {
        double seconds = w->seconds * (double)sizes[unit];
        taken[unit]++;
        if (w->is_at_work)
            compute(seconds);
        else if (seconds > 0)
            mur_sleep(seconds);
    }
    w->last = mur_monotonic();
    mur_deal_close(&d, &all);
    mur_sum_all(&all, taken, n);
    bool is_once = true;
    for (size_t i = 0; i < n; i++)
        is_once = is_once && taken[i] == 1;
    assert_all(is_once);
    free(taken);
}

static void every_unit_is_taken_once_whatever_the_nodes(void **state)
{
    (void)state;
    enum { N = 1000 };
    int64_t sizes[N];
    for (int i = 0; i < N; i++)
        sizes[i] = (i * 7919) % 101;
    for (int ranks_per_node = 0; ranks_per_node <= all.n_ranks; ranks_per_node++) {
        mur_comm_divide(&all, ranks_per_node);
        for (size_t n = 0; n <= N; n = 3 * n + 1)
            deal(sizes, n, &(worker){0});
        deal(sizes, N, &(worker){0});
    }
}

/* Units as large as 10 to 1, nodes as fast as 4 to 1: with what was dealt in advance alone the slowest node, the last
 * one, would take 2.5 times as long as the others on average. */
static void nodes_end_together_though_one_is_slow(void **state)
{
    (void)state;
    enum { N = 120 };
    int64_t sizes[N];
    for (int i = 0; i < N; i++)
        sizes[i] = i % 12 == 0 ? 10 : 1;
    mur_comm_divide(&all, 1);
    worker w = {.seconds = all.node == all.n_nodes - 1 ? 0.008 : 0.002};
    double start = mur_monotonic();
    deal(sizes, N, &w);
    int64_t mine = (int64_t)(1e6 * (w.last - start)), most = mur_max(&all, mine), mean = mur_sum(&all, mine);
    mean /= all.n_ranks;
    assert_all(w.n_units > 0);
    /* A unit of the slowest takes 8 ms at the end, when small ones are left; the machine may be busy. Its share would
     * take it 0.4 s longer than the others. */
    assert_all(most - mean < 100000);
}

/* Not between two of its units: each takes 0.3 s, and answers come much sooner however busy the machine is. (How much
 * sooner, `murmur bench deal` measures.) */
static void rank_0_answers_while_it_computes(void **state)
{
    (void)state;
    enum { N = 40 };
    int64_t sizes[N];
    for (int i = 0; i < N; i++)
        sizes[i] = 1;
    mur_buf answers = {0};
    const bool is_first = all.rank == 0;
    mur_comm_divide(&all, 1);
    deal(sizes, all.n_ranks > 1 ? N : 4,
         &(worker){.seconds = is_first ? 0.3 : 0.02, .is_at_work = is_first, .answers = &answers});
    size_t n = answers.len / sizeof(double);
    const double *seconds = (const double *)(const void *)answers.ptr;
    int64_t n_late = 0;
    for (size_t i = 0; i < n; i++)
        n_late += seconds[i] > 0.1;
    assert_all((n > 0) == (all.rank > 0));
    assert_all(mur_sum(&all, n_late) * 4 <= mur_sum(&all, (int64_t)n));
    mur_buf_clear(&answers);
}

static void after_a_failure_nobody_waits_for_more(void **state)
{
    (void)state;
    enum { N = 1000 };
    int64_t sizes[N];
    for (int i = 0; i < N; i++)
        sizes[i] = 1;
    for (int ranks_per_node = 1; ranks_per_node <= 2; ranks_per_node++) {
        mur_comm_divide(&all, ranks_per_node);
        for (int failing = 0; failing < all.n_ranks; failing++) {
            mur_deal d;
            assert_all(mur_deal_open(&d, &all, sizes, N) == 0);
            int64_t n_taken = 0;
            for (size_t unit; mur_deal_next(&d, &unit); n_taken++) {
                if (all.rank == failing) {
                    mur_deal_abandon(&d);
                    break;
                }
                mur_sleep(0.0005);
            }
            mur_deal_close(&d, &all);
            assert_all(mur_sum(&all, n_taken) < N);
        }
    }
    mur_comm_divide(&all, 0);
}

static void the_units_that_come_next_can_be_seen(void **state)
{
    (void)state;
    int64_t sizes[] = {1, 5, 3};
    mur_deal d;
    size_t unit = 0, next = 0;
    assert_all(mur_deal_open(&d, &all, sizes, 3) == 0);
    if (all.rank == 0)
        assert_true(mur_deal_next(&d, &unit) && unit == 1);
    mur_barrier(&all); /* one node, so no thread is there that calls MPI */
    if (all.rank == 0) {
        assert_true(mur_deal_peek(&d, 1, &next) && next == 2);
        assert_true(mur_deal_peek(&d, 2, &next) && next == 0);
        assert_false(mur_deal_peek(&d, 3, &next));
        assert_true(mur_deal_next(&d, &unit) && unit == 2);
    }
    mur_deal_close(&d, &all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_unit_is_taken_once_whatever_the_nodes),
        cmocka_unit_test(nodes_end_together_though_one_is_slow),
        cmocka_unit_test(rank_0_answers_while_it_computes),
        cmocka_unit_test(after_a_failure_nobody_waits_for_more),
        cmocka_unit_test(the_units_that_come_next_can_be_seen),
    };
    return run_on_all_ranks(tests);
}
