/* The scalars of meta.yaml, as murmur writes them and as PyYAML does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/tracking/yaml.h"

static void assert_written(const char *text, const char *scalar)
{
    mur_buf out = {0};
    mur_yaml_append_string(&out, mur_view_of(text));
    assert_string_equal(mur_buf_text(&out), scalar);
    mur_buf_clear(&out);
}

static void assert_read(const char *document, const char *value)
{
    mur_buf out = {0};
    assert_int_equal(mur_yaml_member(&out, mur_view_of(document), "k", "document"), 0);
    assert_string_equal(mur_buf_text(&out), value);
    mur_buf_clear(&out);
}

static void texts_that_look_like_something_else_are_quoted(void **state)
{
    (void)state;
    assert_written("murmur-mini_2", "murmur-mini_2");
    static const char *const others[][2] = {
        {"", "''"},
        {"007", "'007'"},
        {"1e3", "'1e3'"},
        {"0x1F", "'0x1F'"},
        {"-1", "'-1'"},
        {"yes", "'yes'"},
        {"NULL", "'NULL'"},
        {"~", "'~'"},
        {"a: b", "'a: b'"},
        {"a #b", "'a #b'"},
        {"it's", "'it''s'"},
        {"- x", "'- x'"},
        {" a ", "' a '"},
        {"[]", "'[]'"},
        {"*a", "'*a'"},
        {"a\\n", "'a\\n'"},
        {"\xC3\xA9", "'\xC3\xA9'"},
        {"1:30", "'1:30'"},
        {"2026-11-22", "'2026-11-22'"},
        {"a\"b", "'a\"b'"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_written(others[i][0], others[i][1]);
}

static void what_no_line_of_yaml_holds_is_escaped(void **state)
{
    (void)state;
    assert_written("two\nlines", "\"two\\x0alines\"");
    assert_written("a\"b\\c\x7F", "\"a\\\"b\\\\c\\x7f\"");
    assert_written("\xE2\x80\xA8", "\"\\u2028\"");
    assert_written("\xC2\x85", "\"\\x85\"");
}

static void scalars_are_read_as_pyyaml_writes_them(void **state)
{
    (void)state;
    assert_read("a: 1\nk: plain text\nb: 2\n", "plain text");
    assert_read("k: http://host:5000/x#y # comment\n", "http://host:5000/x#y");
    assert_read("k: null\n", "null");
    assert_read("k:\nb: 2\n", "");
    assert_read("k: ''\n", "");
    assert_read("k: ' blanks '  # kept\n", " blanks ");
    assert_read("k: 'it''s'\n", "it's");
    assert_read("k: 'one\n  two\n\n  three'\n", "one two\nthree");
    assert_read("k: one\n  two\n  three\nb: 1\n", "one two three");
    assert_read("k: \"a\\tb \\xE9 \\u20AC \\U0001F600\"\n", "a\tb \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80");
    assert_read("k: \"a long\\\n  \\ line\\n\"\r\n", "a long line\n");
    assert_read("ak: 0\nkk: 0\nk: 1", "1");
}

static void what_is_no_scalar_is_refused(void **state)
{
    (void)state;
    static const char *const documents[] = {"k: 'open\n", "k: \"open\\\"\n", "k: \"\\q\"\n", "k: \"\\x4\"\n",
                                            "k: 'a' b\n", "k: \xFF\n",       "k: \"\\"};
    mur_buf out = {0};
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
        assert_int_equal(mur_yaml_member(&out, mur_view_of(documents[i]), "k", "document"), MUR_EDATA);
    assert_int_equal(mur_yaml_member(&out, mur_view_of("a: 1\n k: 2\n"), "k", "document"), 1);
    mur_buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_that_look_like_something_else_are_quoted),
        cmocka_unit_test(what_no_line_of_yaml_holds_is_escaped),
        cmocka_unit_test(scalars_are_read_as_pyyaml_writes_them),
        cmocka_unit_test(what_is_no_scalar_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
