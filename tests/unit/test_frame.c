#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "murmur/clock.h"
#include "murmur/frame.h"

enum { NAME, COUNT, SMALL, SHARE, WHEN };

static const mur_column columns[] = {{"name", MUR_STRING, ""},
                                     {"count", MUR_INT64, ""},
                                     {"small", MUR_INT8, ""},
                                     {"share", MUR_FLOAT32, ""},
                                     {"when", MUR_TIMESTAMP, ""}};
static const mur_schema schema = {"things", "", columns, 5};

static void fill(mur_frame *f)
{
    mur_frame_add_row(f);
    mur_frame_set_int64(f, COUNT, -5);
    mur_frame_set_string(f, NAME, mur_view_of("first"));
    mur_frame_add_row(f); /* all null */
    mur_frame_add_row(f);
    mur_frame_set_string(f, NAME, mur_view_of(""));
    mur_frame_set_int8(f, SMALL, 3);
    mur_frame_set_float32(f, SHARE, 0.5f);
    mur_frame_set_int64(f, WHEN, 7);
}

static void check(const mur_frame *f, size_t first)
{
    assert_true(mur_view_equal(mur_frame_string(f, first, NAME), mur_view_of("first")));
    assert_int_equal(mur_frame_int64(f, first, COUNT), -5);
    for (size_t c = 0; c < schema.n_columns; c++)
        assert_false(mur_frame_is_present(f, first + 1, c));
    assert_int_equal(mur_frame_int64(f, first + 1, WHEN), MUR_NO_TIME);
    assert_int_equal(mur_frame_int64(f, first + 1, COUNT), 0);
    assert_true(mur_frame_is_present(f, first + 2, NAME));
    assert_int_equal(mur_frame_string(f, first + 2, NAME).len, 0);
    assert_int_equal(mur_frame_int8(f, first + 2, SMALL), 3);
    assert_true(mur_frame_float32(f, first + 2, SHARE) == 0.5f);
    assert_int_equal(mur_frame_int64(f, first + 2, WHEN), 7);
}

static void null_and_empty_are_told_apart(void **state)
{
    (void)state;
    mur_frame f;
    mur_frame_init(&f, &schema);
    fill(&f);
    check(&f, 0);
    mur_frame_reset(&f);
    assert_int_equal(f.n_rows, 0);
    fill(&f);
    check(&f, 0);
    mur_frame_clear(&f);
}

static void frames_append_to_frames(void **state)
{
    (void)state;
    mur_frame a, b;
    mur_frame_init(&a, &schema);
    mur_frame_init(&b, &schema);
    fill(&a);
    mur_frame_append(&b, &a);
    mur_frame_append(&b, &a);
    for (size_t r = 0; r < a.n_rows; r++)
        mur_frame_append_row(&b, &a, r);
    assert_int_equal(b.n_rows, 9);
    check(&b, 0);
    check(&b, 3);
    check(&b, 6);
    assert_int_equal(mur_frame_bytes(&b), 9 * 8 + 3 * 5 + 10 * 8 + 9 * 8 + 9 + 9 * 4 + 9 * 8);
    mur_frame_clear(&a);
    mur_frame_clear(&b);
}

static void a_timestamp_of_no_time_stays_null(void **state)
{
    (void)state;
    mur_frame f;
    mur_frame_init(&f, &schema);
    mur_frame_add_row(&f);
    mur_frame_set_int64(&f, WHEN, MUR_NO_TIME);
    assert_false(mur_frame_is_present(&f, 0, WHEN));
    mur_frame_clear(&f);
}

static void type_names_go_both_ways(void **state)
{
    (void)state;
    for (mur_type t = MUR_STRING; t <= MUR_TIMESTAMP; t++) {
        mur_type back;
        assert_true(mur_type_from_name(&back, mur_view_of(mur_type_name(t))));
        assert_int_equal(back, t);
    }
    mur_type t;
    assert_false(mur_type_from_name(&t, mur_view_of("decimal")));
    assert_int_equal(mur_schema_find(&schema, mur_view_of("when")), WHEN);
    assert_int_equal(mur_schema_find(&schema, mur_view_of("When")), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_and_empty_are_told_apart),
        cmocka_unit_test(frames_append_to_frames),
        cmocka_unit_test(a_timestamp_of_no_time_stays_null),
        cmocka_unit_test(type_names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
