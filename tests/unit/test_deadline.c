/* What is reserved before a deadline, for a batch and the count behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../src/pipeline/deadline.h"

static mur_deadline opened(int64_t limit_ms)
{
    mur_deadline d;
    unsetenv("SLURM_JOB_END_TIME");
    mur_deadline_open(&d, limit_ms);
    return d;
}

static void reserve_grows_with_the_rows_that_are_to_be_counted(void **state)
{
    (void)state;
    mur_deadline d = opened(100000);
    mur_deadline_note_batch(&d, 4, 1000000);
    mur_deadline_note_count(&d, 10, 10000000);
    double before = mur_deadline_need(&d, 9000000); /* with the next batch's as many as last time */
    assert_true(before > 1.25 * 14 && before < 1.25 * 14 + 3);
    assert_false(mur_deadline_is_near(&d, 9000000));
    /* Ten times as many rows: some 100 s more than the 100 that there are. */
    assert_true(mur_deadline_need(&d, 99000000) > 1.25 * (4 + 99));
    assert_true(mur_deadline_is_near(&d, 99000000));
}

static void reserve_is_the_last_count_where_fewer_rows_wait(void **state)
{
    (void)state;
    mur_deadline d = opened(100000);
    mur_deadline_note_batch(&d, 4, 1000);
    mur_deadline_note_count(&d, 10, 10000000); /* all of gold; the table itself stays as large */
    assert_true(mur_deadline_need(&d, 0) >= 1.25 * 14);
    mur_deadline_note_count(&d, 2, 100000);
    assert_true(mur_deadline_need(&d, 0) < 1.25 * 14);
}

static void count_of_few_rows_tells_little_of_one_of_many(void **state)
{
    (void)state;
    mur_deadline d = opened(60000);
    mur_deadline_note_batch(&d, 1, 1000);
    mur_deadline_note_count(&d, 0.02, 10);
    assert_true(mur_deadline_need(&d, 1000000) < 10); /* 20 ms for ten rows are no 2,000 s for a million */
    assert_true(mur_deadline_need(&d, 1000000) > 1.25 * 2);
}

static void nothing_is_near_where_no_deadline_is(void **state)
{
    (void)state;
    mur_deadline d = opened(0);
    mur_deadline_note_batch(&d, 1e9, INT64_C(1) << 40);
    assert_false(mur_deadline_is_near(&d, INT64_C(1) << 40));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reserve_grows_with_the_rows_that_are_to_be_counted),
        cmocka_unit_test(reserve_is_the_last_count_where_fewer_rows_wait),
        cmocka_unit_test(count_of_few_rows_tells_little_of_one_of_many),
        cmocka_unit_test(nothing_is_near_where_no_deadline_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
