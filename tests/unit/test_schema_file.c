/* Schema files, as users have them from murmur and from Spark, and as nobody should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/pipeline/schema_file.h"
#include "murmur/buf.h"
#include "murmur/mem.h"
#include "murmur/tables.h"

/* "likes int64 how many|lang string " */
static const char *parsed(const char *text)
{
    static char out[4096];
    mur_schema *s;
    size_t used = 0;
    if (mur_schema_file_parse(&s, mur_view_of(text), "my.json") < 0) {
        assert_null(s);
        return mur_error_last()->message;
    }
    assert_string_equal(s->table, "bronze");
    out[0] = '\0';
    for (size_t c = 0; c < s->n_columns; c++)
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%s %s %s", c ? "|" : "", s->columns[c].name,
                                 mur_type_name(s->columns[c].type), s->columns[c].description);
    mur_schema_free(&s);
    return out;
}

static void both_forms_declare_columns_in_their_order(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"{\"columns\":[{\"name\":\"likes\",\"type\":\"int64\",\"description\":\"how many\"},{\"name\":\"b\",\"type\":"
         "\"float64\"},{\"type\":\"bool\",\"name\":\"a/b \\u00e9\"},{\"name\":\"at\",\"type\":\"timestamp\"}]}",
         "likes int64 how many|b float64 |a/b \u00e9 bool |at timestamp "},
        {"\xEF\xBB\xBF {\"table\":\"bronze\",\"columns\":[{\"name\":\"date\",\"type\":\"string\"},{\"name\":"
         "\"source_file\",\"type\":\"string\"},{\"name\":\"processing_time\",\"type\":\"timestamp\"},{\"name\":"
         "\"rescued_data\",\"type\":\"string\"},{\"name\":\"lang\",\"type\":\"string\"}]}\n",
         "lang string "},
        {"{\"type\":\"struct\",\"fields\":[{\"name\":\"text\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}},"
         "{\"name\":\"a\",\"type\":\"long\",\"nullable\":false,\"metadata\":{\"comment\":\"c\"}},"
         "{\"name\":\"b\",\"type\":\"integer\"},{\"name\":\"c\",\"type\":\"short\"},{\"name\":\"d\",\"type\":\"byte\"},"
         "{\"name\":\"e\",\"type\":\"double\"},{\"name\":\"f\",\"type\":\"float\"},{\"name\":\"g\",\"type\":"
         "\"boolean\"},{\"name\":\"h\",\"type\":\"timestamp\"},{\"name\":\"i\",\"type\":\"date\"},{\"name\":\"j\","
         "\"type\":\"string\"}]}",
         "a int64 c|b int64 |c int64 |d int64 |e float64 |f float64 |g bool |h timestamp |i timestamp |j string "},
        {"{\"columns\":[]}", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(parsed(cases[i].text), cases[i].expected);
}

static void what_cannot_be_is_refused_with_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", "my.json is empty"},
        {" \n", "my.json is empty"},
        {"{\n \"columns\": [,]}", "my.json: line 2, column 14: expected a value"},
        {"{\"columns\":[]} x", "my.json: line 1, column 16: expected nothing"},
        {"{\"columns\":[{\"name\":\"a\\u0000\",\"type\":\"string\"}]}", "U+0000"},
        {"{\"columns\":[{\"name\":\"\xFF\",\"type\":\"string\"}]}", "not UTF-8"},
        {"[]", "line 1, column 1: expected murmur's"},
        {"7", "expected murmur's"},
        {"{}", "expected murmur's"},
        {"{\"columns\":[],\"fields\":[]}", "expected murmur's"},
        {"{\"columns\":{}}", "line 1, column 12: expected an array of columns"},
        {"{\"fields\":[]}", "expected \"type\":\"struct\""},
        {"{\"type\":\"array\",\"fields\":[]}", "line 1, column 9: expected \"type\":\"struct\""},
        {"{\"table\":\"gold\",\"columns\":[]}", "line 1, column 10: this is the schema of another table"},
        {"{\"columns\":[7]}", "line 1, column 13: expected a column"},
        {"{\"columns\":[{\"type\":\"string\"}]}", "the column has no name"},
        {"{\"columns\":[{\"name\":\"\",\"type\":\"string\"}]}", "the column has no name"},
        {"{\"columns\":[{\"name\":7,\"type\":\"string\"}]}", "the column has no name"},
        {"{\"columns\":[{\"name\":\"a\"}]}", "column a has no type"},
        {"{\"columns\":[\n{\"name\":\"a\",\n\"type\":\"long\"}]}",
         "line 3, column 8: column a: type \"long\" cannot be a column: string, int64"},
        {"{\"columns\":[{\"name\":\"a\",\"type\":\"int8\"}]}", "type \"int8\" cannot"},
        {"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"int64\"}]}", "string, long, integer"},
        {"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"decimal(10,2)\"}]}", "decimal(10,2)"},
        {"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"array\",\"elementType\":\"long\"}}]}",
         "type {\"type\":\"array\""},
        {"{\"columns\":[{\"name\":\"a\",\"type\":\"bool\"},{\"name\":\"\\u0061\",\"type\":\"bool\"}]}",
         "line 1, column 48: column a is there twice"},
        {"{\"columns\":[{\"name\":\"date\",\"type\":\"timestamp\"}]}", "column date is string in bronze"},
        {"{\"columns\":[{\"name\":\"date\",\"type\":\"string\"},{\"name\":\"date\",\"type\":\"string\"}]}", "twice"},
        {"{\"columns\":[{\"name\":\"rescued_data\",\"type\":\"string\"}]}", "murmur adds to bronze itself"},
        {"{\"columns\":[{\"name\":\"source_file\",\"type\":\"string\"}]}", "murmur adds to bronze itself"},
        {"{\"type\":\"struct\",\"fields\":[{\"name\":\"processing_time\",\"type\":\"timestamp\"}]}", "murmur adds"},
        {"{\"table\":\"bronze\",\"columns\":[{\"name\":\"processing_time\",\"type\":\"int64\"}]}",
         "processing_time is timestamp in bronze"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *message = parsed(cases[i].text);
        if (!strstr(message, cases[i].expected) || strncmp(message, "my.json", 7) != 0)
            fail_msg("%s\nis answered with: %s", cases[i].text, message);
    }

    mur_buf text = {0};
    mur_buf_append_text(&text, "{\"columns\":[{\"type\":\"bool\",\"name\":\"");
    for (int i = 0; i < 256; i++)
        mur_buf_append_byte(&text, 'n');
    mur_buf_append_text(&text, "\"}]}");
    assert_non_null(strstr(parsed(mur_buf_text(&text)), "a name of more than 255 bytes"));
    mur_buf_reset(&text);
    mur_buf_append_text(&text, "{\"columns\":[");
    for (int i = 0; i < 65; i++)
        mur_buf_printf(&text, "%s{\"type\":\"bool\",\"name\":\"n%d\"}", i ? "," : "", i);
    mur_buf_append_text(&text, "]}");
    assert_non_null(strstr(parsed(mur_buf_text(&text)), "more than 64 columns"));
    mur_buf_clear(&text);
}

static mur_schema *declare(const char *columns)
{
    mur_schema *s;
    char *text = mur_format("{\"columns\":[%s]}", columns);
    assert_int_equal(mur_schema_file_parse(&s, mur_view_of(text), "my.json"), 0);
    free(text);
    return s;
}

static void columns_are_merged_behind_those_that_are_there(void **state)
{
    (void)state;
    mur_schema *first = declare("{\"name\":\"b\",\"type\":\"bool\"},{\"name\":\"a\",\"type\":\"string\"}");
    mur_schema *second = declare("{\"name\":\"c\",\"type\":\"int64\"},{\"name\":\"a\",\"type\":\"string\"}");
    mur_schema *other = declare("{\"name\":\"a\",\"type\":\"int64\"}"), *wide, *wider, *same;

    assert_int_equal(mur_schema_file_merge(&wide, &mur_bronze_schema, first, false, "my.json"), MUR_EDATA);
    assert_null(wide);
    assert_non_null(strstr(mur_error_last()->message, "b (bool), a (string); add --merge-schema"));
    assert_int_equal(mur_schema_file_merge(&wide, &mur_bronze_schema, first, true, "my.json"), 0);
    assert_int_equal(wide->n_columns, 9);
    assert_string_equal(wide->columns[MUR_BRONZE_RESCUED_DATA].name, "rescued_data");
    assert_string_equal(wide->columns[7].name, "b");
    assert_string_equal(wide->columns[8].name, "a");

    assert_int_equal(mur_schema_file_merge(&wider, wide, second, false, "my.json"), MUR_EDATA);
    assert_non_null(strstr(mur_error_last()->message, ": c (int64); add"));
    assert_int_equal(mur_schema_file_merge(&wider, wide, second, true, "my.json"), 0);
    assert_int_equal(wider->n_columns, 10);
    assert_string_equal(wider->columns[9].name, "c");
    assert_int_equal(mur_schema_file_merge(&same, wider, first, false, "my.json"), 0); /* narrower, nothing new */
    assert_int_equal(same->n_columns, 10);
    mur_schema_free(&same);
    assert_int_equal(mur_schema_file_merge(&same, wide, other, true, "my.json"), MUR_EDATA);
    assert_non_null(strstr(mur_error_last()->message, "column a is int64 there and string in bronze"));

    mur_buf many = {0};
    for (int i = 0; i < 58; i++)
        mur_buf_printf(&many, "%s{\"type\":\"bool\",\"name\":\"n%d\"}", i ? "," : "", i);
    mur_schema *full = declare(mur_buf_text(&many));
    assert_int_equal(mur_schema_file_merge(&same, &mur_bronze_schema, full, true, "my.json"), MUR_EDATA);
    assert_non_null(strstr(mur_error_last()->message, "64 is the most"));
    assert_int_equal(mur_schema_file_merge(&same, &mur_bronze_schema, full, false, "my.json"), MUR_EDATA);
    assert_non_null(strstr(mur_error_last()->message, "n7 (bool) and 50 more"));
    mur_buf_clear(&many);
    mur_schema *all[] = {first, second, other, wide, wider, full};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        mur_schema_free(&all[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_declare_columns_in_their_order),
        cmocka_unit_test(what_cannot_be_is_refused_with_line_and_column),
        cmocka_unit_test(columns_are_merged_behind_those_that_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
