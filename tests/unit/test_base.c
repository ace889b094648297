/* The base layer's small modules: error, buf, utf8, map, clock, quantity, file. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "murmur/buf.h"
#include "murmur/clock.h"
#include "murmur/error.h"
#include "murmur/file.h"
#include "murmur/map.h"
#include "murmur/quantity.h"
#include "murmur/utf8.h"
#include "scratch.h"

static void shown_text_is_printable_and_on_one_line(void **state)
{
    (void)state;
    char out[64];
    mur_view text = mur_view_of("a \xC3\xA9\n\x7F\xFF\xC2\x85.json");
    assert_int_equal(mur_utf8_show(out, sizeof out, text), strlen("a \xC3\xA9\\x0a\\x7f\\xff\\xc2\\x85.json"));
    assert_string_equal(out, "a \xC3\xA9\\x0a\\x7f\\xff\\xc2\\x85.json");
    assert_int_equal(mur_utf8_show(out, 4, text), 2); /* no half of a character */
    assert_string_equal(out, "a ");
    assert_int_equal(mur_utf8_show(out, 1, text), 0);
}

static void error_context_grows_outward_and_is_cut_at_the_end(void **state)
{
    (void)state;
    assert_int_equal(mur_fail(MUR_EDATA, "line %d: no id", 7), MUR_EDATA);
    mur_error_add("%s", "vocab.txt");
    assert_string_equal(mur_error_last()->message, "vocab.txt: line 7: no id");
    for (int i = 0; i < 500; i++)
        mur_error_add("context");
    assert_true(strlen(mur_error_last()->message) < sizeof mur_error_last()->message);
    assert_int_equal(mur_exit_status(MUR_EDATA), 65);
    assert_int_equal(mur_exit_status(3), 0);
    assert_int_equal(mur_exit_status(-1), 70);
}

static void utf8_follows_rfc_3629(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        int length;
        uint32_t point;
    } cases[] = {
        {"a", 1, 'a'},
        {"\xC3\xA9", 2, 0xE9},
        {"\xE2\x82\xAC", 3, 0x20AC},
        {"\xF0\x9F\x98\x80", 4, 0x1F600},
        {"\xF4\x8F\xBF\xBF", 4, 0x10FFFF},
        {"\x80", -1, 0xFFFD},             /* a continuation alone */
        {"\xC0\xAF", -1, 0xFFFD},         /* overlong */
        {"\xE0\x9F\xBF", -1, 0xFFFD},     /* overlong */
        {"\xED\xA0\x80", -1, 0xFFFD},     /* surrogate */
        {"\xF4\x90\x80\x80", -1, 0xFFFD}, /* above U+10FFFF */
        {"\xE2\x82", -2, 0xFFFD},         /* cut short: one maximal subsequence */
        {"\xF0\x9F\x98", -3, 0xFFFD},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t point;
        assert_int_equal(mur_utf8_decode(&point, cases[i].bytes, strlen(cases[i].bytes)), cases[i].length);
        assert_int_equal(point, cases[i].point);
        if (cases[i].length > 0) {
            char out[4];
            assert_int_equal(mur_utf8_encode(out, point), cases[i].length);
            assert_memory_equal(out, cases[i].bytes, (size_t)cases[i].length);
        }
    }
    assert_int_equal(mur_utf8_valid_prefix(mur_view_of("abc\xFFz")), 3);
    assert_true(mur_utf8_is_valid(mur_view_of("\xEF\xBB\xBFx")));
}

static void map_numbers_keys_in_order_of_insertion(void **state)
{
    (void)state;
    mur_map m = {0};
    char key[32];
    bool is_new;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < 5000; i++) {
            int len = snprintf(key, sizeof key, "key %zu", i * 7919 % 5000);
            assert_int_equal(mur_map_add(&m, (mur_view){key, (size_t)len}, &is_new), i);
            assert_int_equal(is_new, round == 0);
        }
    assert_true(mur_view_equal(mur_map_key(&m, 1), mur_view_of("key 2919")));
    assert_int_equal(mur_map_find(&m, mur_view_of("absent")), MUR_MAP_NONE);
    mur_map_reset(&m);
    assert_int_equal(mur_map_find(&m, mur_view_of("key 1")), MUR_MAP_NONE);
    assert_int_equal(mur_map_add(&m, (mur_view){"", 0}, &is_new), 0);
    assert_true(is_new);
    mur_map_clear(&m);
}

static void instants_are_formatted_and_parsed_as_iso_8601(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2009-04-07T05:19:45Z", INT64_C(1239081585000)},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2000-02-29T12:00:00.250Z", INT64_C(951825600250)},
        {"0001-01-01T00:00:00Z", INT64_C(-62135596800000)},
    };
    char text[MUR_TIME_TEXT];
    int64_t ms;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(mur_time_format(text, cases[i].ms), cases[i].text);
        assert_int_equal(mur_time_parse(&ms, mur_view_of(cases[i].text)), 0);
        assert_int_equal(ms, cases[i].ms);
    }
    static const char *const same[] = {"2009-04-07",
                                       "2009-04-07T00:00",
                                       "2009-04-07 00:00:00",
                                       "2009-04-07T02:00:00+02:00",
                                       "2009-04-06T19:00:00-0500",
                                       "2009-04-07T00:00:00.0009Z"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_int_equal(mur_time_parse(&ms, mur_view_of(same[i])), 0);
        assert_int_equal(ms, INT64_C(1239062400000));
    }
    static const char *const wrong[] = {"",
                                        "2009",
                                        "2009-02-29",
                                        "2009-04-07T24:00:00Z",
                                        "2009-04-07T10:00:60Z",
                                        "2009-04-07T",
                                        "2009-04-07T10:00Zjunk",
                                        "2009-4-7",
                                        "2009-04-07T10:00:00."};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(mur_time_parse(&ms, mur_view_of(wrong[i])), MUR_EDATA);
}

static void quantities_take_suffixes_and_refuse_the_rest(void **state)
{
    (void)state;
    int64_t value;
    assert_int_equal(mur_size_parse(&value, "256M"), 0);
    assert_int_equal(value, INT64_C(256) << 20);
    assert_int_equal(mur_size_parse(&value, "1.5GiB"), 0);
    assert_int_equal(value, INT64_C(3) << 29);
    assert_int_equal(mur_duration_parse(&value, "10s"), 0);
    assert_int_equal(value, 10000);
    assert_int_equal(mur_duration_parse(&value, "7d"), 0);
    assert_int_equal(value, INT64_C(604800000));
    static const char *const wrong[] = {"", "-1", "M", "10X", "1e400", "10 s", "nan"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(mur_size_parse(&value, wrong[i]), MUR_EUSAGE);
        assert_int_equal(mur_duration_parse(&value, wrong[i]), MUR_EUSAGE);
    }
    assert_int_equal(mur_integer_parse(&value, "12", 0, 12), 0);
    assert_int_equal(mur_integer_parse(&value, "13", 0, 12), MUR_EUSAGE);
    assert_int_equal(mur_integer_parse(&value, "1x", 0, 12), MUR_EUSAGE);
}

static void files_are_read_whole_or_in_ranges(void **state)
{
    (void)state;
    char *folder = scratch_make("base");
    assert_non_null(folder);
    char *nested = mur_path_join(folder, "a/b/c"), *path = mur_path_join(nested, "f");
    assert_int_equal(mur_folder_make(nested), 0);
    assert_int_equal(mur_folder_make(nested), 0);
    assert_int_equal(mur_file_write(path, mur_view_of("0123456789")), 0);
    mur_buf b = {0};
    assert_int_equal(mur_file_read(&b, path), 0);
    assert_true(mur_view_equal(mur_buf_view(&b), mur_view_of("0123456789")));
    mur_buf_reset(&b);
    assert_int_equal(mur_file_read_range(&b, path, 3, 4), 0);
    assert_true(mur_view_equal(mur_buf_view(&b), mur_view_of("3456")));
    assert_int_equal(mur_file_read_range(&b, path, 8, 4), MUR_EIO); /* became shorter */
    assert_int_equal(mur_file_read(&b, nested), MUR_EIO);           /* a folder */
    assert_int_equal(mur_folder_make(path), MUR_ECREATE);           /* a file is in the way */
    assert_int_equal(mur_file_sync(path), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mur_file_read(&b, path), MUR_ENOINPUT);
    assert_non_null(strstr(mur_error_last()->message, path));
    scratch_remove(folder);
    free(folder);
    free(path);
    free(nested);
    mur_buf_clear(&b);
}

static void integers_are_appended_in_decimal(void **state)
{
    (void)state;
    const int64_t values[] = {0, 7, -7, 10, 1234567890123, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        mur_buf own = {0}, expected = {0};
        mur_buf_append_int(&own, values[i]);
        mur_buf_printf(&expected, "%" PRId64, values[i]);
        assert_string_equal(mur_buf_text(&own), mur_buf_text(&expected));
        mur_buf_clear(&own);
        mur_buf_clear(&expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_appended_in_decimal),
        cmocka_unit_test(shown_text_is_printable_and_on_one_line),
        cmocka_unit_test(error_context_grows_outward_and_is_cut_at_the_end),
        cmocka_unit_test(utf8_follows_rfc_3629),
        cmocka_unit_test(map_numbers_keys_in_order_of_insertion),
        cmocka_unit_test(instants_are_formatted_and_parsed_as_iso_8601),
        cmocka_unit_test(quantities_take_suffixes_and_refuse_the_rest),
        cmocka_unit_test(files_are_read_whole_or_in_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
