#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "murmur/json.h"
#include "murmur/mem.h"
#include "shared_data.h"

/* A literal with its NULs, and its text in memory of exactly that size, so that the sanitizer sees a byte read too
 * many. */
#define TEXT(literal) ((mur_view){literal, sizeof literal - 1})

static mur_json_scan check_exact(mur_view text, size_t max_depth)
{
    char *copy = malloc(text.len ? text.len : 1);
    memcpy(copy, text.ptr, text.len);
    mur_json_scan scan;
    mur_json_check(&scan, (mur_view){copy, text.len}, max_depth);
    free(copy);
    return scan;
}

static void texts_of_the_grammar_pass(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "[]",
        " \t\r\n[ ] ",
        "0",
        "-0",
        "-0.0",
        "1E+2",
        "0e1",
        "12.5e-3",
        "true",
        "false",
        "null",
        "\"\"",
        "[1,2]",
        "{\"a\":1,\"a\":2}",
        "{\"\":{\"b\":[{},[],\"\"]}}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
        "\"\x7f é の 😀\"",
        "1e99999",
        "123456789012345678901234567890",
        "[\"\\ud83d\\ude00\"]",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        mur_json_scan scan = check_exact(mur_view_of(texts[i]), 0);
        if (scan.verdict != MUR_JSON_OK)
            fail_msg("%s: %s (byte %zu)", texts[i], scan.detail, scan.where);
    }
}

static void surrogate_escapes_without_a_pair_pass(void **state)
{
    (void)state;
    assert_int_equal(check_exact(TEXT("\"\\ud800\""), 0).verdict, MUR_JSON_OK);
    assert_int_equal(check_exact(TEXT("\"\\udc00\\ud800x\""), 0).verdict, MUR_JSON_OK);
}

static void other_texts_fail_at_the_byte_that_is_wrong(void **state)
{
    (void)state;
    const struct {
        mur_view text;
        mur_json_verdict verdict;
        size_t where;
        const char *detail;
    } cases[] = {
        {TEXT(""), MUR_JSON_SYNTAX, 0, "expected a value"},
        {TEXT("  "), MUR_JSON_SYNTAX, 2, "expected a value"},
        {TEXT("{"), MUR_JSON_SYNTAX, 1, "expected a name in quotes"},
        {TEXT("{\"a\""), MUR_JSON_SYNTAX, 4, "expected ':' after a name"},
        {TEXT("{\"a\" 1}"), MUR_JSON_SYNTAX, 5, "expected ':' after a name"},
        {TEXT("{\"a\":}"), MUR_JSON_SYNTAX, 5, "expected a value"},
        {TEXT("{\"a\":1"), MUR_JSON_SYNTAX, 6, "expected ',' or '}' after a member"},
        {TEXT("{\"a\":1]"), MUR_JSON_SYNTAX, 6, "expected ',' or '}' after a member"},
        {TEXT("{\"a\":1,}"), MUR_JSON_SYNTAX, 7, "expected a name in quotes"},
        {TEXT("{a:1}"), MUR_JSON_SYNTAX, 1, "expected a name in quotes"},
        {TEXT("[1,]"), MUR_JSON_SYNTAX, 3, "expected a value"},
        {TEXT("[1 2]"), MUR_JSON_SYNTAX, 3, "expected ',' or ']' after an element"},
        {TEXT("[[1}"), MUR_JSON_SYNTAX, 3, "expected ',' or ']' after an element"},
        {TEXT("{\"a\":[1]"), MUR_JSON_SYNTAX, 8, "expected ',' or '}' after a member"},
        {TEXT("]"), MUR_JSON_SYNTAX, 0, "expected a value"},
        {TEXT("1 2"), MUR_JSON_SYNTAX, 2, "expected nothing after the value"},
        {TEXT("{}{}"), MUR_JSON_SYNTAX, 2, "expected nothing after the value"},
        {TEXT("01"), MUR_JSON_SYNTAX, 1, "expected the end of a number"},
        {TEXT("-"), MUR_JSON_SYNTAX, 1, "expected a digit"},
        {TEXT("1."), MUR_JSON_SYNTAX, 2, "expected a digit"},
        {TEXT("1e"), MUR_JSON_SYNTAX, 2, "expected a digit"},
        {TEXT(".5"), MUR_JSON_SYNTAX, 0, "expected a value"},
        {TEXT("+1"), MUR_JSON_SYNTAX, 0, "expected a value"},
        {TEXT("0x1"), MUR_JSON_SYNTAX, 1, "expected the end of a number"},
        {TEXT("[NaN]"), MUR_JSON_SYNTAX, 1, "NaN and Infinity are not numbers of JSON"},
        {TEXT("[-Infinity]"), MUR_JSON_SYNTAX, 2, "NaN and Infinity are not numbers of JSON"},
        {TEXT("tru"), MUR_JSON_SYNTAX, 0, "expected a value"},
        {TEXT("nulls"), MUR_JSON_SYNTAX, 4, "expected the end of a literal"},
        {TEXT("True"), MUR_JSON_SYNTAX, 0, "expected a value"},
        {TEXT("'a'"), MUR_JSON_SYNTAX, 0, "expected a value"},
        {TEXT("[1]//"), MUR_JSON_SYNTAX, 3, "expected nothing after the value"},
        {TEXT("\"abc"), MUR_JSON_SYNTAX, 0, "string without an end"},
        {TEXT("\"\\"), MUR_JSON_SYNTAX, 2, "expected more of an escape"},
        {TEXT("\"\\x\""), MUR_JSON_SYNTAX, 2, "no such escape"},
        {TEXT("\"\\u12"), MUR_JSON_SYNTAX, 5, "expected four hexadecimal digits after \\u"},
        {TEXT("\"\\u12g4\""), MUR_JSON_SYNTAX, 5, "expected four hexadecimal digits after \\u"},
        {TEXT("\"a\tb\""), MUR_JSON_SYNTAX, 2, "control character in a string"},
        {TEXT("\"12345678\nb\""), MUR_JSON_SYNTAX, 9, "control character in a string"},
        {TEXT("\"a\0b\""), MUR_JSON_SYNTAX, 2, "U+0000 in a string"},
        {TEXT("1\0"), MUR_JSON_SYNTAX, 1, "expected nothing after the value"},
        {TEXT("[1\f]"), MUR_JSON_SYNTAX, 2, "expected ',' or ']' after an element"},
        {TEXT("\xEF\xBB\xBF{}"), MUR_JSON_SYNTAX, 0, "expected a value"},
        {TEXT("\"\xE9\""), MUR_JSON_ENCODING, 1, "not UTF-8"},
        {TEXT("\"\xC0\x80\""), MUR_JSON_ENCODING, 1, "not UTF-8"},
        {TEXT("\"\xED\xA0\x80\""), MUR_JSON_ENCODING, 1, "not UTF-8"},
        {TEXT("\"\xF4\x90\x80\x80\""), MUR_JSON_ENCODING, 1, "not UTF-8"},
        {TEXT("\"12345678\xE3\x81"), MUR_JSON_ENCODING, 9, "not UTF-8"},
        {TEXT("[\xFF]"), MUR_JSON_ENCODING, 1, "not UTF-8"},
        {TEXT("{} \x80"), MUR_JSON_ENCODING, 3, "not UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mur_json_scan scan = check_exact(cases[i].text, 0);
        if (scan.verdict != cases[i].verdict || scan.where != cases[i].where ||
            strcmp(scan.detail, cases[i].detail) != 0)
            fail_msg("%.*s: %d, %s (byte %zu)", (int)cases[i].text.len, cases[i].text.ptr, scan.verdict, scan.detail,
                     scan.where);
    }
}

static void a_broken_limit_is_told_and_the_value_still_has_an_end(void **state)
{
    (void)state;
    mur_json_scan scan;
    mur_view nul = TEXT(" {\"a\":\"x\\u0000\"} {\"b\"");
    mur_json_scan_value(&scan, nul, 0, 1);
    assert_int_equal(scan.verdict, MUR_JSON_NUL);
    assert_int_equal(scan.where, 8);
    assert_int_equal(scan.kind, MUR_JSON_OBJECT);
    assert_int_equal(scan.begin, 1);
    assert_int_equal(scan.end, 16);

    mur_view deep = TEXT("{\"a\":[\"\\u0000\"]} ");
    mur_json_scan_value(&scan, deep, 0, 2);
    assert_int_equal(scan.verdict, MUR_JSON_NUL);
    mur_json_scan_value(&scan, deep, 0, 1);
    assert_int_equal(scan.verdict, MUR_JSON_DEPTH);
    assert_int_equal(scan.where, 5);
    assert_int_equal(scan.end, deep.len - 1);

    mur_json_scan_value(&scan, TEXT("[[\"\\u0000\"]}"), 0, 1); /* a limit first, and then no JSON at all */
    assert_int_equal(scan.verdict, MUR_JSON_SYNTAX);
    assert_int_equal(scan.where, 11);
}

static void a_key_with_nul_breaks_the_limit_too(void **state)
{
    (void)state;
    assert_int_equal(check_exact(TEXT("{\"text\\u0000x\":1}"), 0).verdict, MUR_JSON_NUL);
    assert_int_equal(check_exact(TEXT("{\"text\\\\u0000x\":1}"), 0).verdict, MUR_JSON_OK);
}

static void nesting_has_no_limit_but_the_callers(void **state)
{
    (void)state;
    enum { LEVELS = 100000 };
    mur_buf text = {0};
    for (int i = 0; i < LEVELS; i++)
        mur_buf_append_text(&text, i % 3 ? "[" : "{\"k\":");
    mur_buf_append_byte(&text, '0');
    for (int i = LEVELS - 1; i >= 0; i--)
        mur_buf_append_byte(&text, i % 3 ? ']' : '}');
    assert_int_equal(check_exact(mur_buf_view(&text), 0).verdict, MUR_JSON_OK);
    assert_int_equal(check_exact(mur_buf_view(&text), LEVELS).verdict, MUR_JSON_OK);
    assert_int_equal(check_exact(mur_buf_view(&text), LEVELS - 1).verdict, MUR_JSON_DEPTH);
    text.ptr[text.len - 1] = ']';
    assert_int_equal(check_exact(mur_buf_view(&text), 0).verdict, MUR_JSON_SYNTAX);
    mur_buf_clear(&text);
}

static void scan_stops_behind_the_first_value(void **state)
{
    (void)state;
    mur_view text = TEXT(" [1, \"]\"] {\"a\":2}true");
    static const struct {
        mur_json_kind kind;
        size_t begin, end;
    } values[] = {{MUR_JSON_ARRAY, 1, 9}, {MUR_JSON_OBJECT, 10, 17}, {MUR_JSON_LITERAL, 17, 21}};
    size_t at = 0;
    for (size_t i = 0; i < 3; i++) {
        mur_json_scan scan;
        mur_json_scan_value(&scan, text, at, 0);
        assert_int_equal(scan.verdict, MUR_JSON_OK);
        assert_int_equal(scan.kind, values[i].kind);
        assert_int_equal(scan.begin, values[i].begin);
        assert_int_equal(scan.end, values[i].end);
        at = scan.end;
    }
}

static void assert_view(mur_view view, const char *expected)
{
    if (!mur_view_equal(view, mur_view_of(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", (int)view.len, view.ptr, expected);
}

static void walk_gives_names_and_values_as_written(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        mur_json_kind kind;
    } members[] = {
        {"\"a\"", "1.50", MUR_JSON_NUMBER},
        {"\"a\"", "\"q\\\"}\\\\\"", MUR_JSON_STRING},
        {"\"\\u0062\"", "{ \"x\" : [ \"]}\" ] }", MUR_JSON_OBJECT},
        {"\"\"", "null", MUR_JSON_LITERAL},
        {"\"e\"", "[]", MUR_JSON_ARRAY},
        {"\"f\"", "-1e5", MUR_JSON_NUMBER},
    };
    mur_json_walk w;
    mur_json_walk_begin(&w, TEXT("{ \"a\" : 1.50 ,\"a\":\"q\\\"}\\\\\", \"\\u0062\": { \"x\" : [ \"]}\" ] }"
                                 ",\"\":null\n,\"e\":[],\"f\":-1e5}"));
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        assert_true(mur_json_walk_next(&w));
        assert_view(w.name, members[i].name);
        assert_view(w.value, members[i].value);
        assert_int_equal(w.kind, members[i].kind);
    }
    assert_false(mur_json_walk_next(&w));

    mur_json_walk_begin(&w, TEXT("[true , [1,[2]],\"x\"]"));
    static const char *const elements[] = {"true", "[1,[2]]", "\"x\""};
    for (size_t i = 0; i < 3; i++) {
        assert_true(mur_json_walk_next(&w));
        assert_int_equal(w.name.len, 0);
        assert_view(w.value, elements[i]);
    }
    assert_false(mur_json_walk_next(&w));

    mur_json_walk_begin(&w, TEXT("{ }"));
    assert_false(mur_json_walk_next(&w));
}

static void walk_of_a_text_that_was_not_scanned_ends(void **state)
{
    (void)state;
    static const char *const texts[] = {"",  "{",  "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":\"\\",
                                        "[", "[[", "[1",  "{}}",  "[,"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t len = strlen(texts[i]), n_steps = 0;
        char *copy = malloc(len + !len);
        memcpy(copy, texts[i], len);
        mur_json_walk w;
        mur_json_walk_begin(&w, (mur_view){copy, len});
        while (mur_json_walk_next(&w))
            assert_true(++n_steps <= len);
        free(copy);
    }
}

static void unquoting_resolves_every_escape(void **state)
{
    (void)state;
    static const struct {
        const char *quoted, *text;
    } cases[] = {
        {"\"\"", ""},
        {"\"plain の\"", "plain の"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"a\\u0041\\u00e9\\u00E9\\u306e!\"", "aAééの!"},
        {"\"\\ud83d\\ude00\"", "😀"},
        {"\"\\uD83D\\uDE00x\"", "😀x"},
        {"\"\\ud800\"", "\uFFFD"},
        {"\"\\udc00x\"", "\uFFFDx"},
        {"\"\\ud800\\ud800\"", "\uFFFD\uFFFD"},
        {"\"\\ud800\\u0041\"", "\uFFFDA"},
        {"\"\\ud800\\n\"", "\uFFFD\n"},
        {"\"\\ud800\\ud83d\\ude00\"", "\uFFFD😀"},
        {"\"\\ude00\\ud83d\"", "\uFFFD\uFFFD"},
        {"\"\\\\ud800\"", "\\ud800"},
    };
    mur_buf out = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mur_buf_reset(&out);
        mur_json_unquote(&out, mur_view_of(cases[i].quoted));
        assert_view(mur_buf_view(&out), cases[i].text);
    }
    mur_buf_clear(&out);
}

static void names_with_different_lone_surrogates_stay_different(void **state)
{
    (void)state;
    mur_buf one = {0}, other = {0};
    mur_json_unquote_name(&one, TEXT("\"\\ud800\\u0041\""));
    mur_json_unquote_name(&other, TEXT("\"\\ud801\\u0041\""));
    assert_false(mur_view_equal(mur_buf_view(&one), mur_buf_view(&other)));
    mur_buf_reset(&one);
    mur_json_unquote_name(&one, TEXT("\"\\ud83d\\ude00a\\n\""));
    assert_view(mur_buf_view(&one), "😀a\n");
    mur_buf_clear(&one);
    mur_buf_clear(&other);
}

static void a_string_comes_back_from_its_quotes(void **state)
{
    (void)state;
    mur_buf quoted = {0}, text = {0}, back = {0};
    for (int c = 1; c < 0x80; c++)
        mur_buf_append_byte(&text, (char)c);
    mur_buf_append_text(&text, "é の 😀");
    mur_json_append_string(&quoted, mur_buf_view(&text));
    assert_int_equal(check_exact(mur_buf_view(&quoted), 0).verdict, MUR_JSON_OK);
    mur_json_unquote(&back, mur_buf_view(&quoted));
    assert_view(mur_buf_view(&back), mur_buf_text(&text));

    mur_buf_reset(&quoted);
    mur_json_append_string(&quoted, TEXT("a\"b\\c\nd\x01/\x7f"));
    assert_view(mur_buf_view(&quoted), "\"a\\\"b\\\\c\\nd\\u0001/\x7f\"");
    mur_buf_reset(&quoted);
    mur_json_append_string(&quoted, TEXT("\0"));
    assert_view(mur_buf_view(&quoted), "\"\\u0000\"");
    mur_buf_clear(&quoted);
    mur_buf_clear(&text);
    mur_buf_clear(&back);
}

static void members_are_found_by_exact_name_and_the_last_wins(void **state)
{
    (void)state;
    cJSON *root = mur_json_parse(
        TEXT("{\"A\":\"upper\",\"a\":\"first\",\"a\":\"last\",\"n\":2.5,\"t\":true,\"f\":false,\"z\":null}"), "test");
    assert_non_null(root);
    assert_string_equal(mur_json_string(root, "a", "-"), "last");
    assert_string_equal(mur_json_string(root, "A", "-"), "upper");
    assert_string_equal(mur_json_string(root, "n", "-"), "-");
    assert_string_equal(mur_json_string(root, "missing", "-"), "-");
    assert_true(mur_json_number(root, "n", 0) == 2.5);
    assert_true(mur_json_number(root, "a", 7) == 7);
    assert_true(mur_json_bool(root, "t", false));
    assert_false(mur_json_bool(root, "f", true));
    assert_true(mur_json_bool(root, "z", true));
    assert_null(mur_json_member(root, "missing"));
    assert_null(mur_json_member(mur_json_member(root, "n"), "x"));
    assert_null(mur_json_member(NULL, "x"));
    cJSON_Delete(root);
}

static void a_document_that_cannot_be_read_is_named_with_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{\"a\":1,\n  \"b\" 2}", "doc: line 2, column 7: expected ':' after a name"},
        {"", "doc: line 1, column 1: expected a value"},
        {"\n\n[\"\\u0000\"]", "doc: line 3, column 3: U+0000 in a string"},
        {"[\n\"\xFF\"]", "doc: line 2, column 2: not UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_null(mur_json_parse(mur_view_of(cases[i].text), "doc"));
        assert_int_equal(mur_error_last()->code, MUR_EDATA);
        assert_string_equal(mur_error_last()->message, cases[i].message);
    }
    assert_null(mur_json_parse(TEXT("{\"a\":\n\"\\ud800\"}"), "doc"));
    assert_int_equal(mur_error_last()->code, MUR_EDATA);
    assert_non_null(strstr(mur_error_last()->message, "doc: line 2"));
    assert_non_null(strstr(mur_error_last()->message, "surrogate"));
}

static void a_tree_of_a_thousand_levels_is_the_deepest(void **state)
{
    (void)state;
    mur_buf text = {0};
    for (int levels = 1000; levels <= 1001; levels++) {
        mur_buf_reset(&text);
        for (int i = 0; i < levels; i++)
            mur_buf_append_byte(&text, '[');
        for (int i = 0; i < levels; i++)
            mur_buf_append_byte(&text, ']');
        cJSON *root = mur_json_parse(mur_buf_view(&text), "doc");
        assert_int_equal(root != NULL, levels == 1000);
        cJSON_Delete(root);
    }
    assert_string_equal(mur_error_last()->message, "doc: line 1, column 1001: nested too deep");
    mur_buf_clear(&text);
}

static void a_file_that_is_missing_is_no_input(void **state)
{
    (void)state;
    assert_null(mur_json_parse_file("/nonexistent/config.json"));
    assert_int_equal(mur_error_last()->code, MUR_ENOINPUT);
}

/* JSONTestSuite (https://github.com/nst/JSONTestSuite): y_ must pass, n_ must not; of i_ the policy in scan.c holds. */
static void the_test_suite_is_decided_as_it_says(void **state)
{
    (void)state;
    char *folder = shared_data("golden/json/test_parsing");
    if (!folder)
        skip();
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    size_t n_good = 0, n_bad = 0, n_wrong = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!strstr(entry->d_name, ".json"))
            continue;
        char *path = mur_path_join(folder, entry->d_name);
        mur_buf text = {0};
        assert_int_equal(mur_file_read(&text, path), 0);
        mur_json_scan scan = check_exact(mur_buf_view(&text), 0);
        bool passes = scan.verdict != MUR_JSON_SYNTAX && scan.verdict != MUR_JSON_ENCODING;
        bool should_pass = entry->d_name[0] == 'y';
        if (entry->d_name[0] == 'i')
            should_pass = strstr(entry->d_name, "number") || strstr(entry->d_name, "nested_arrays") ||
                          (strstr(entry->d_name, "surrogate") && !strstr(entry->d_name, "UTF8_surrogate"));
        if (passes != should_pass) {
            printf("%s: %s (byte %zu)\n", entry->d_name, scan.detail, scan.where);
            n_wrong++;
        }
        n_good += entry->d_name[0] == 'y';
        n_bad += entry->d_name[0] == 'n';
        mur_buf_clear(&text);
        free(path);
    }
    closedir(dir);
    free(folder);
    assert_int_equal(n_good, 95);
    assert_int_equal(n_bad, 188);
    assert_int_equal(n_wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_the_grammar_pass),
        cmocka_unit_test(surrogate_escapes_without_a_pair_pass),
        cmocka_unit_test(other_texts_fail_at_the_byte_that_is_wrong),
        cmocka_unit_test(a_broken_limit_is_told_and_the_value_still_has_an_end),
        cmocka_unit_test(a_key_with_nul_breaks_the_limit_too),
        cmocka_unit_test(nesting_has_no_limit_but_the_callers),
        cmocka_unit_test(scan_stops_behind_the_first_value),
        cmocka_unit_test(walk_gives_names_and_values_as_written),
        cmocka_unit_test(walk_of_a_text_that_was_not_scanned_ends),
        cmocka_unit_test(unquoting_resolves_every_escape),
        cmocka_unit_test(names_with_different_lone_surrogates_stay_different),
        cmocka_unit_test(a_string_comes_back_from_its_quotes),
        cmocka_unit_test(members_are_found_by_exact_name_and_the_last_wins),
        cmocka_unit_test(a_document_that_cannot_be_read_is_named_with_line_and_column),
        cmocka_unit_test(a_tree_of_a_thousand_levels_is_the_deepest),
        cmocka_unit_test(a_file_that_is_missing_is_no_input),
        cmocka_unit_test(the_test_suite_is_decided_as_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
