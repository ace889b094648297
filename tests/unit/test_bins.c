/* Which neighbouring parts optimize puts together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/pipeline/bins.h"

#define N(array) (sizeof(array) / sizeof *(array))

static void neighbours_that_fit_are_one_bin(void **state)
{
    (void)state;
    const int64_t sizes[] = {10, 20, 30, 40};
    mur_bin bins[2];
    assert_int_equal(mur_bins_make(bins, sizes, N(sizes), 100), 1);
    assert_int_equal(bins[0].first, 0);
    assert_int_equal(bins[0].n, 4);
    assert_int_equal(mur_bins_make(bins, sizes, N(sizes), 99), 1);
    assert_int_equal(bins[0].n, 3);
}

static void large_part_parts_its_neighbours(void **state)
{
    (void)state;
    const int64_t sizes[] = {10, 10, 500, 10, 10, 10};
    mur_bin bins[3];
    assert_int_equal(mur_bins_make(bins, sizes, N(sizes), 100), 2);
    assert_int_equal(bins[0].first, 0);
    assert_int_equal(bins[0].n, 2);
    assert_int_equal(bins[1].first, 3);
    assert_int_equal(bins[1].n, 3);
}

static void nothing_is_rewritten_alone(void **state)
{
    (void)state;
    const int64_t sizes[] = {60, 60, 1, 100, 100};
    mur_bin bins[2];
    assert_int_equal(mur_bins_make(bins, sizes, N(sizes), 50), 0);
    assert_int_equal(mur_bins_make(bins, sizes, 1, 1000), 0);
    assert_int_equal(mur_bins_make(bins, sizes, 0, 1000), 0);
    const int64_t huge[] = {INT64_MAX, INT64_MAX, 1, 1};
    assert_int_equal(mur_bins_make(bins, huge, N(huge), 1000), 1);
    assert_int_equal(bins[0].first, 2);
}

/* Sizes of many shapes: after one pass a second finds nothing, no row is lost, none moves. */
static void one_pass_is_enough(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int round = 0; round < 2000; round++) {
        int64_t sizes[50], after[50];
        mur_bin bins[25];
        size_t n = 0, n_after = 0, at = 0;
        while (n < 50)
            sizes[n++] = (int64_t)((seed = seed * 6364136223846793005u + 1442695040888963407u) >> 33) % 120;
        size_t n_bins = mur_bins_make(bins, sizes, n, 100);
        for (size_t i = 0; i < n_bins; i++) {
            for (; at < bins[i].first; at++)
                after[n_after++] = sizes[at];
            int64_t sum = 0;
            for (; at < bins[i].first + bins[i].n; at++)
                sum += sizes[at];
            assert_true(bins[i].n > 1 && sum <= 100);
            after[n_after++] = sum;
        }
        for (; at < n; at++)
            after[n_after++] = sizes[at];
        assert_int_equal(mur_bins_make(bins, after, n_after, 100), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_that_fit_are_one_bin),
        cmocka_unit_test(large_part_parts_its_neighbours),
        cmocka_unit_test(nothing_is_rewritten_alone),
        cmocka_unit_test(one_pass_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
