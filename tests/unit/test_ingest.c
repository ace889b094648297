#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "murmur/ingest.h"
#include "murmur/mem.h"
#include "murmur/tables.h"

#define TEXT(literal) ((mur_view){literal, sizeof literal - 1})
#define MARK "\xEF\xBB\xBF"

typedef struct fixture {
    mur_frame bronze, rejects;
    mur_ingest in;
    mur_buf shown;
} fixture;

static int set_up(void **state)
{
    fixture *f = mur_alloc(1, sizeof *f);
    mur_frame_init(&f->bronze, &mur_bronze_schema);
    mur_frame_init(&f->rejects, &mur_rejects_schema);
    f->in = (mur_ingest){.bronze = &f->bronze,
                         .rejects = &f->rejects,
                         .source_file = mur_view_of("/data/tweets.jsonl"),
                         .processing_time = 1234,
                         .max_value = MUR_MAX_VALUE};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    mur_frame_clear(&f->bronze);
    mur_frame_clear(&f->rejects);
    mur_buf_clear(&f->shown);
    free(f);
    return 0;
}

/* Ingests from memory of exactly the text's size into emptied frames. */
static int ingest_as(fixture *f, mur_view text, int64_t offset, mur_document_kind kind, const char *damage)
{
    mur_frame_reset(&f->bronze);
    mur_frame_reset(&f->rejects);
    char *copy = malloc(text.len + !text.len);
    memcpy(copy, text.ptr, text.len);
    int rc = mur_ingest_text(&f->in, (mur_view){copy, text.len}, offset, kind, damage);
    free(copy);
    return rc;
}

/* Ingests a whole document as what it is. */
static void ingest(fixture *f, mur_view text)
{
    assert_int_equal(ingest_as(f, text, 0, mur_document_probe(text), NULL), 0);
}

/* All of bronze as date|user|text|sentiment|rescued_data, a line a row; ~ for null. */
static const char *rows(fixture *f)
{
    static const int columns[] = {MUR_BRONZE_DATE, MUR_BRONZE_USER, MUR_BRONZE_TEXT, MUR_BRONZE_SENTIMENT,
                                  MUR_BRONZE_RESCUED_DATA};
    mur_buf_reset(&f->shown);
    for (size_t r = 0; r < f->bronze.n_rows; r++) {
        for (size_t i = 0; i < 5; i++) {
            size_t c = (size_t)columns[i];
            mur_buf_append_text(&f->shown, i ? "|" : "");
            mur_buf_append_view(&f->shown, mur_frame_is_present(&f->bronze, r, c) ? mur_frame_string(&f->bronze, r, c)
                                                                                  : mur_view_of("~"));
        }
        mur_buf_append_byte(&f->shown, '\n');
    }
    return mur_buf_text(&f->shown);
}

/* All rejects as offset+length reason [raw], a line each. */
static const char *rejects(fixture *f)
{
    mur_buf_reset(&f->shown);
    for (size_t r = 0; r < f->rejects.n_rows; r++) {
        mur_buf_printf(&f->shown, "%lld+%lld ", (long long)mur_frame_int64(&f->rejects, r, MUR_REJECTS_BYTE_OFFSET),
                       (long long)mur_frame_int64(&f->rejects, r, MUR_REJECTS_BYTE_LENGTH));
        mur_buf_append_view(&f->shown, mur_frame_string(&f->rejects, r, MUR_REJECTS_REASON));
        mur_buf_append_text(&f->shown, " [");
        mur_buf_append_view(&f->shown, mur_frame_string(&f->rejects, r, MUR_REJECTS_RAW));
        mur_buf_append_text(&f->shown, "]\n");
    }
    return mur_buf_text(&f->shown);
}

static void kind_is_told_by_the_whole_document(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        mur_document_kind kind;
    } cases[] = {
        {"", MUR_DOCUMENT_LINES},
        {" \n", MUR_DOCUMENT_LINES},
        {"{}", MUR_DOCUMENT_OBJECT},
        {MARK " {\n\"a\":1\n}\n", MUR_DOCUMENT_OBJECT},
        {"[]", MUR_DOCUMENT_ARRAY},
        {"\n[{},\n{}]\r\n", MUR_DOCUMENT_ARRAY},
        {"[1]", MUR_DOCUMENT_ARRAY},
        {"1", MUR_DOCUMENT_LINES},
        {"\"a\"", MUR_DOCUMENT_LINES},
        {"{}\n{}\n", MUR_DOCUMENT_LINES},
        {"{}{}", MUR_DOCUMENT_LINES},
        {"[{}]\n[{}]", MUR_DOCUMENT_LINES},
        {"[{}", MUR_DOCUMENT_LINES},
        {"[{},]", MUR_DOCUMENT_LINES},
        {"{\"a\":\"\xFF\"}", MUR_DOCUMENT_LINES},
        {MARK MARK "{}", MUR_DOCUMENT_LINES},
        {"{\"a\":\"\\u0000\"}", MUR_DOCUMENT_OBJECT}, /* murmur's own limits do not decide it */
        {"[\"\\u0000\"]", MUR_DOCUMENT_ARRAY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (mur_document_probe(mur_view_of(cases[i].text)) != cases[i].kind)
            fail_msg("\"%s\" is taken for kind %d", cases[i].text, mur_document_probe(mur_view_of(cases[i].text)));
}

static void a_line_is_a_row(void **state)
{
    fixture *f = *state;
    ingest(f, TEXT("{\"date\":\"d\",\"user\":\"u\",\"text\":\"t\",\"sentiment\":\"s\"}\n"
                   " {\"text\":\"x\"}\t\r\n\n \t\r\n{}\n{\"text\":\"last\"}"));
    assert_string_equal(rows(f), "d|u|t|s|~\n~|~|x|~|~\n~|~|~|~|~\n~|~|last|~|~\n");
    assert_string_equal(rejects(f), "");
    assert_true(mur_view_equal(mur_frame_string(&f->bronze, 3, MUR_BRONZE_SOURCE_FILE), f->in.source_file));
    assert_int_equal(mur_frame_int64(&f->bronze, 3, MUR_BRONZE_PROCESSING_TIME), 1234);
}

static void declared_fields_that_are_no_strings_are_kept_as_written(void **state)
{
    fixture *f = *state;
    ingest(f, TEXT("{\"date\": 1.50e+0 ,\"user\":true,\"text\":{ \"a\" : [1, 2] },\"sentiment\":[ ]}\n"
                   "{\"date\":null,\"user\":\"\",\"text\":\"null\",\"sentiment\":12345678901234567890}\n"));
    assert_string_equal(rows(f), "1.50e+0|true|{ \"a\" : [1, 2] }|[ ]|~\n~||null|12345678901234567890|~\n");
}

static void strings_are_decoded(void **state)
{
    fixture *f = *state;
    ingest(f, TEXT("{\"text\":\"a\\\"\\\\\\/\\u00e9\\ud83d\\ude00\\n\",\"user\":\"\\ud800x\\udc00\"}\n{}"));
    assert_string_equal(rows(f), "~|\uFFFDx\uFFFD|a\"\\/é😀\n|~|~\n~|~|~|~|~\n");
}

static void names_match_exactly_after_their_escapes(void **state)
{
    fixture *f = *state;
    ingest(f, TEXT("{\"t\\u0065xt\":1,\"Text\":2,\"TEXT\":3,\"text \":4,\"source_file\":5,\"rescued_data\":6}\n{}"));
    assert_string_equal(
        rows(f), "~|~|1|~|{\"Text\":2,\"TEXT\":3,\"text \":4,\"source_file\":5,\"rescued_data\":6}\n~|~|~|~|~\n");
}

static void of_duplicates_the_last_wins(void **state)
{
    fixture *f = *state;
    ingest(f,
           TEXT("{\"text\":\"a\",\"x\":1,\"text\":\"b\",\"y\":2,\"\\u0078\" : [3 ],\"user\":\"u\",\"user\":null}\n{}"));
    assert_string_equal(rows(f), "~|~|b|~|{\"\\u0078\":[3 ],\"y\":2}\n~|~|~|~|~\n");
}

static void other_members_are_rescued_as_written(void **state)
{
    fixture *f = *state;
    ingest(f, TEXT("{ \"id\" : 1.0 , \"text\":\"t\",\"a\\tb\": \"\\u00e9\\ud800\" ,\"o\":{ \"x\":[1 ,2]} }\n"
                   "{\"\\ud800\":1,\"\\ud801\":2,\"\":null}\n"));
    assert_string_equal(rows(f), "~|~|t|~|{\"id\":1.0,\"a\\tb\":\"\\u00e9\\ud800\",\"o\":{ \"x\":[1 ,2]}}\n"
                                 "~|~|~|~|{\"\\ud800\":1,\"\\ud801\":2,\"\":null}\n");
}

static void a_record_of_many_members_keeps_them_all(void **state)
{
    fixture *f = *state;
    enum { N = 5000 };
    mur_buf text = {0}, expected = {0};
    mur_buf_append_byte(&text, '{');
    for (int i = 0; i < 2 * N; i++) /* each name twice: the first place, the last value */
        mur_buf_printf(&text, "\"k%d\":%d,", i % N, i);
    mur_buf_append_text(&text, "\"text\":\"t\"}\n{\"k1\":0}\n");
    mur_buf_append_text(&expected, "~|~|t|~|{");
    for (int i = 0; i < N; i++)
        mur_buf_printf(&expected, "%s\"k%d\":%d", i ? "," : "", i, i + N);
    mur_buf_append_text(&expected, "}\n~|~|~|~|{\"k1\":0}\n");
    ingest(f, mur_buf_view(&text));
    assert_string_equal(rows(f), mur_buf_text(&expected));
    mur_buf_clear(&text);
    mur_buf_clear(&expected);
}

/* Bronze with a column of each type behind its own. */
static const mur_column *wider_columns(void)
{
    static mur_column columns[12];
    memcpy(columns, mur_bronze_schema.columns, 7 * sizeof *columns);
    columns[7] = (mur_column){"lang", MUR_STRING, "language"};
    columns[8] = (mur_column){"n", MUR_INT64, ""};
    columns[9] = (mur_column){"x", MUR_FLOAT64, ""};
    columns[10] = (mur_column){"ok", MUR_BOOL, ""};
    columns[11] = (mur_column){"at", MUR_TIMESTAMP, ""};
    return columns;
}

/* One record through the wider schema: its values as text (- where null), then rescued_data. */
static const char *widened(fixture *f, const char *record)
{
    static mur_buf out;
    mur_schema wider = {"bronze", "wider", wider_columns(), 12};
    mur_frame bronze;
    mur_frame_init(&bronze, &wider);
    mur_frame *own = f->in.bronze;
    f->in.bronze = &bronze;
    assert_int_equal(mur_ingest_text(&f->in, mur_view_of(record), 0, MUR_DOCUMENT_OBJECT, NULL), 0);
    f->in.bronze = own;
    assert_int_equal(bronze.n_rows, 1);
    mur_buf_reset(&out);
    for (size_t c = 7; c < 12; c++) {
        mur_view text = c == 7 ? mur_frame_string(&bronze, 0, c) : (mur_view){"", 0};
        if (!mur_frame_is_present(&bronze, 0, c))
            mur_buf_append_text(&out, "-");
        else if (c == 7)
            mur_buf_append_view(&out, text);
        else if (c == 9)
            mur_buf_printf(&out, "%.17g", mur_frame_float64(&bronze, 0, c));
        else
            mur_buf_printf(&out, "%lld",
                           (long long)(c == 10 ? mur_frame_int8(&bronze, 0, c) : mur_frame_int64(&bronze, 0, c)));
        mur_buf_append_byte(&out, ' ');
    }
    mur_buf_append_view(&out, mur_frame_string(&bronze, 0, MUR_BRONZE_RESCUED_DATA));
    mur_frame_clear(&bronze);
    return mur_buf_text(&out);
}

static void a_wider_schema_takes_values_of_its_types_and_rescues_the_others(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *record, *expected;
    } cases[] = {
        {"{\"lang\":\"en\",\"n\":7,\"x\":1,\"ok\":true,\"at\":\"2009-04-07T05:19:45Z\"}", "en 7 1 1 1239081585000 "},
        {"{\"lang\":7,\"n\":-0,\"x\":-0.0,\"ok\":false,\"at\":\"Mon Apr 06 22:19:45 PDT 2009\"}",
         "7 0 -0 0 1239081585000 "},
        {"{\"lang\":null,\"n\":null,\"x\":null,\"ok\":null,\"at\":null}", "- - - - - "},
        {"{}", "- - - - - "},
        {"{\"n\":9223372036854775807}", "- 9223372036854775807 - - - "},
        {"{\"n\":-9223372036854775808}", "- -9223372036854775808 - - - "},
        {"{\"n\":9223372036854775808}", "- - - - - {\"n\":9223372036854775808}"},
        {"{\"n\":-9223372036854775809}", "- - - - - {\"n\":-9223372036854775809}"},
        {"{\"n\":99999999999999999999999999}", "- - - - - {\"n\":99999999999999999999999999}"},
        {"{\"n\":1.5}", "- - - - - {\"n\":1.5}"},
        {"{\"n\":1.0}", "- - - - - {\"n\":1.0}"},
        {"{\"n\":1e3}", "- - - - - {\"n\":1e3}"},
        {"{\"n\":\"7\"}", "- - - - - {\"n\":\"7\"}"},
        {"{\"n\":true}", "- - - - - {\"n\":true}"},
        {"{\"n\":[7]}", "- - - - - {\"n\":[7]}"},
        {"{\"x\":0.1}", "- - 0.10000000000000001 - - "},
        {"{\"x\":9007199254740993}", "- - 9007199254740992 - - "}, /* half way: to even */
        {"{\"x\":9007199254740993.0000000000000000000001}", "- - 9007199254740994 - - "},
        {"{\"x\":5e-324}", "- - 4.9406564584124654e-324 - - "},
        {"{\"x\":1e-400}", "- - 0 - - "},
        {"{\"x\":1.7976931348623157e308}", "- - 1.7976931348623157e+308 - - "},
        {"{\"x\":1e400}", "- - - - - {\"x\":1e400}"},
        {"{\"x\":-1e400}", "- - - - - {\"x\":-1e400}"},
        {"{\"x\":\"1\"}", "- - - - - {\"x\":\"1\"}"},
        {"{\"ok\":1}", "- - - - - {\"ok\":1}"},
        {"{\"ok\":\"true\"}", "- - - - - {\"ok\":\"true\"}"},
        {"{\"at\":\"soon\"}", "- - - - - {\"at\":\"soon\"}"},
        {"{\"at\":\"2009-02-30\"}", "- - - - - {\"at\":\"2009-02-30\"}"},
        {"{\"at\":1239081585}", "- - - - - {\"at\":1239081585}"},
        {"{\"a\\u0074\":\"2009-04-07\"}", "- - - - 1239062400000 "}, /* names as decoded */
        {"{\"N\":7}", "- - - - - {\"N\":7}"},                        /* and case matters */
        /* In order of first appearance, the last of duplicates, as written. */
        {"{\"b\":1,\"n\":\"x\",\"a\":{ },\"ok\":0,\"x\":\"\\u00e9\"}",
         "- - - - - {\"b\":1,\"n\":\"x\",\"a\":{ },\"ok\":0,\"x\":\"\\u00e9\"}"},
        {"{\"n\":\"x\",\"b\":1,\"n\":5}", "- 5 - - - {\"b\":1}"},
        {"{\"n\":5,\"b\":1,\"n\":\"x\"}", "- - - - - {\"n\":\"x\",\"b\":1}"},
        {"{\"n\":5,\"b\":1,\"n\":null}", "- - - - - {\"b\":1}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(widened(f, cases[i].record), cases[i].expected);
}

static void a_bad_line_is_one_reject_of_exactly_its_bytes(void **state)
{
    fixture *f = *state;
    ingest(f, TEXT("{\"text\":\"a\"}\n" /* 13 bytes */
                   "  {\"text\" \"a\"}\r\n"
                   "{\"text\":\"b\"}{\"text\":\"c\"}\n"
                   "[{\"text\":\"d\"}]\n"
                   "7\n"
                   "{\"a\":\"\xE9\"}\n"
                   "{\"text\":\"e\"} x\n"
                   "{\"a\":NaN}\n"
                   "\f\n"
                   "{\"text\":\"f\"} \xFF\n"
                   "{\"text\":\"g\"}\n"
                   "{\"text\":"));
    assert_string_equal(rows(f), "~|~|a|~|~\n~|~|g|~|~\n");
    assert_string_equal(rejects(f),
                        "13+15 not valid JSON: expected ':' after a name (byte 10) [  {\"text\" \"a\"}\r]\n"
                        "29+24 more than one value on the line [{\"text\":\"b\"}{\"text\":\"c\"}]\n"
                        "54+14 not an object [[{\"text\":\"d\"}]]\n"
                        "69+1 not an object [7]\n"
                        "71+9 not valid UTF-8 (byte 6) [{\"a\":\"\xE9\"}]\n"
                        "81+14 not valid JSON: expected nothing after the value (byte 13) [{\"text\":\"e\"} x]\n"
                        "96+9 not valid JSON: NaN and Infinity are not numbers of JSON (byte 5) [{\"a\":NaN}]\n"
                        "106+1 not valid JSON: expected a value (byte 0) [\f]\n"
                        "108+14 not valid UTF-8 (byte 13) [{\"text\":\"f\"} \xFF]\n"
                        "136+8 not valid JSON: expected a value (byte 8) [{\"text\":]\n");
    assert_true(mur_view_equal(mur_frame_string(&f->rejects, 9, MUR_REJECTS_SOURCE_FILE), f->in.source_file));
}

static void carriage_returns_and_other_separators_end_no_line(void **state)
{
    fixture *f = *state;
    ingest(f, TEXT("{}\r{}\n{}\xE2\x80\xA8{}\n"));
    assert_string_equal(rows(f), "");
    assert_string_equal(rejects(f), "0+5 more than one value on the line [{}\r{}]\n"
                                    "6+7 not valid JSON: expected nothing after the value (byte 2) [{}\u2028{}]\n");
}

static void nul_is_refused_wherever_it_stands(void **state)
{
    fixture *f = *state;
    ingest(f, TEXT("{\"text\":\"a\\u0000b\"}\n{\"t\\u0000\":1}\n{\"x\":[{\"y\":\"\\u0000\"}]}\n{\"text\":\"\0\"}\n"
                   "{\"text\":\"\\\\u0000\"}\n"));
    assert_string_equal(rows(f), "~|~|\\u0000|~|~\n");
    assert_int_equal(f->rejects.n_rows, 4);
    for (size_t r = 0; r < 3; r++)
        assert_true(mur_view_equal(mur_frame_string(&f->rejects, r, MUR_REJECTS_REASON), mur_view_of("holds U+0000")));
    assert_true(mur_view_equal(mur_frame_string(&f->rejects, 3, MUR_REJECTS_REASON),
                               mur_view_of("not valid JSON: U+0000 in a string (byte 9)")));
}

/* {"text":{…"text": innermost …}} of so many levels. */
static void append_nested(mur_buf *out, int levels)
{
    for (int i = 0; i < levels; i++)
        mur_buf_append_text(out, i ? "[" : "{\"text\":");
    for (int i = levels - 1; i >= 0; i--)
        mur_buf_append_byte(out, i ? ']' : '}');
}

static void a_record_may_be_nested_sixty_four_deep(void **state)
{
    fixture *f = *state;
    mur_buf text = {0};
    append_nested(&text, 64);
    mur_buf_append_byte(&text, '\n');
    append_nested(&text, 65);
    ingest(f, mur_buf_view(&text));
    assert_int_equal(f->bronze.n_rows, 1);
    assert_int_equal(f->rejects.n_rows, 1);
    assert_true(
        mur_view_equal(mur_frame_string(&f->rejects, 0, MUR_REJECTS_REASON), mur_view_of("nested deeper than 64")));

    mur_buf_reset(&text); /* an array of records is no level of theirs */
    mur_buf_append_byte(&text, '[');
    append_nested(&text, 64);
    mur_buf_append_byte(&text, ',');
    append_nested(&text, 65);
    mur_buf_append_byte(&text, ']');
    assert_int_equal(mur_document_probe(mur_buf_view(&text)), MUR_DOCUMENT_ARRAY);
    ingest(f, mur_buf_view(&text));
    assert_int_equal(f->bronze.n_rows, 1);
    assert_int_equal(f->rejects.n_rows, 1);
    mur_buf_clear(&text);
}

static void a_value_over_the_limit_rejects_its_record(void **state)
{
    fixture *f = *state;
    f->in.max_value = 7;
    ingest(f,
           TEXT("{\"text\":\"1234567\",\"e\":\"\\u0041\\u0041\\u0041\\u0041\\u0041é\",\"n\":1234567,\"o\":{\"a\":1}}\n"
                "{\"text\":\"12345678\"}\n"
                "{\"n\":12345678}\n"
                "{\"o\":{\"a\":11}}\n"
                "{\"text\":\"12345678\",\"text\":\"\"}\n"
                "{\"é\\n\":\"\\u0041\\u0041\\u0041\\u0041\\u0041\\u0041é\"}\n"));
    assert_string_equal(rows(f), "~|~|1234567|~|{\"e\":\"\\u0041\\u0041\\u0041\\u0041\\u0041é\",\"n\":1234567,\"o\":{"
                                 "\"a\":1}}\n");
    static const char *const reasons[] = {"value of \"text\" over 7 bytes", "value of \"n\" over 7 bytes",
                                          "value of \"o\" over 7 bytes", "value of \"text\" over 7 bytes",
                                          "value of \"é\\n\" over 7 bytes"};
    assert_int_equal(f->rejects.n_rows, 5);
    for (size_t r = 0; r < 5; r++)
        assert_true(mur_view_equal(mur_frame_string(&f->rejects, r, MUR_REJECTS_REASON), mur_view_of(reasons[r])));
}

static void a_long_name_is_shown_cut_between_code_points(void **state)
{
    fixture *f = *state;
    f->in.max_value = 0;
    ingest(f, TEXT("{\"0123456789012345678901234567890123456789012345678901234567890123éx\":1}\n"
                   "{\"012345678901234567890123456789012345678901234567890123456789012éx\":1}\n"));
    static const char *const reasons[] = {
        "value of \"0123456789012345678901234567890123456789012345678901234567890123…\" over 0 bytes",
        "value of \"012345678901234567890123456789012345678901234567890123456789012…\" over 0 bytes"};
    assert_int_equal(f->rejects.n_rows, 2);
    for (size_t r = 0; r < 2; r++)
        assert_true(mur_view_equal(mur_frame_string(&f->rejects, r, MUR_REJECTS_REASON), mur_view_of(reasons[r])));
}

static void an_array_is_its_elements(void **state)
{
    fixture *f = *state;
    ingest(f, TEXT(MARK "\n[ {\"text\":\"a\"} ,1, [{}],\n{\"text\":\"\\u0000\"},null,\"é\",{\"text\":\"b\"}\r\n]\n"));
    assert_string_equal(rows(f), "~|~|a|~|~\n~|~|b|~|~\n");
    assert_string_equal(rejects(f), "20+1 not an object [1]\n23+4 not an object [[{}]]\n"
                                    "29+17 holds U+0000 [{\"text\":\"\\u0000\"}]\n47+4 not an object [null]\n"
                                    "52+4 not an object [\"é\"]\n");
    ingest(f, TEXT(" [ ] "));
    assert_string_equal(rows(f), "");
    assert_string_equal(rejects(f), "");
}

static void an_object_over_many_lines_is_one_record(void **state)
{
    fixture *f = *state;
    ingest(f, TEXT("{\n  \"text\" : \"a\",\n  \"x\" : {\n }\n}\n"));
    assert_string_equal(rows(f), "~|~|a|~|{\"x\":{\n }}\n");
    ingest(f, TEXT("\n {\n \"x\":\"\\u0000\"}\n"));
    assert_string_equal(rows(f), "");
    assert_string_equal(rejects(f), "2+16 holds U+0000 [{\n \"x\":\"\\u0000\"}]\n");
}

static void a_byte_order_mark_counts_but_is_nothing(void **state)
{
    fixture *f = *state;
    ingest(f, TEXT(MARK "{\"text\":\"a\"}\n" MARK "{}\n"));
    assert_string_equal(rows(f), "~|~|a|~|~\n");
    assert_string_equal(rejects(f), "16+5 not valid JSON: expected a value (byte 0) [" MARK "{}]\n");
    ingest(f, TEXT(MARK "x"));
    assert_string_equal(rejects(f), "3+1 not valid JSON: expected a value (byte 0) [x]\n");
    ingest(f, TEXT(MARK));
    assert_string_equal(rows(f), "");
    assert_string_equal(rejects(f), "");
    /* In a piece that is not the file's first it is a reject like any other byte. */
    assert_int_equal(ingest_as(f, TEXT(MARK "{}\n"), 100, MUR_DOCUMENT_LINES, NULL), 0);
    assert_string_equal(rejects(f), "100+5 not valid JSON: expected a value (byte 0) [" MARK "{}]\n");
}

static void pieces_of_a_file_make_the_whole(void **state)
{
    fixture *f = *state;
    mur_view text = TEXT(MARK "{\"text\":\"a\"}\n\nbad\n{\"x\":1}\r\n{}{}\n{\"text\":\"z\"}");
    ingest(f, text);
    char *all_rows = mur_strdup(rows(f)), *all_rejects = mur_strdup(rejects(f));
    for (size_t cut = 0; cut < text.len; cut++) {
        if (cut > 0 && text.ptr[cut - 1] != '\n')
            continue;
        mur_frame_reset(&f->bronze);
        mur_frame_reset(&f->rejects);
        mur_view head = {text.ptr, cut}, tail = {text.ptr + cut, text.len - cut};
        assert_int_equal(mur_ingest_text(&f->in, head, 0, MUR_DOCUMENT_LINES, NULL), 0);
        assert_int_equal(mur_ingest_text(&f->in, tail, (int64_t)cut, MUR_DOCUMENT_LINES, NULL), 0);
        assert_string_equal(rows(f), all_rows);
        assert_string_equal(rejects(f), all_rejects);
    }
    free(all_rows);
    free(all_rejects);
}

static void of_a_reject_the_first_four_kibibytes_are_kept(void **state)
{
    fixture *f = *state;
    mur_buf text = {0};
    memset(mur_buf_reserve(&text, 5000), 'x', 5000);
    text.len = 5000;
    ingest(f, mur_buf_view(&text));
    assert_int_equal(mur_frame_int64(&f->rejects, 0, MUR_REJECTS_BYTE_LENGTH), 5000);
    assert_int_equal(mur_frame_string(&f->rejects, 0, MUR_REJECTS_RAW).len, 4096);
    mur_buf_clear(&text);
}

static void strict_makes_the_first_reject_an_error(void **state)
{
    fixture *f = *state;
    f->in.is_strict = true;
    mur_view text = TEXT("{}\nbad\nworse\n");
    assert_int_equal(ingest_as(f, text, 1000, MUR_DOCUMENT_LINES, NULL), MUR_EDATA);
    assert_non_null(
        strstr(mur_error_last()->message, "/data/tweets.jsonl: byte 1003: not valid JSON: expected a value (byte 0)"));
    assert_int_equal(ingest_as(f, TEXT("[{},1,{}]"), 0, MUR_DOCUMENT_ARRAY, NULL), MUR_EDATA);
    assert_non_null(strstr(mur_error_last()->message, "byte 4: not an object"));
    assert_int_equal(ingest_as(f, TEXT("{}\n"), 0, MUR_DOCUMENT_LINES, "gzip data cut short"), MUR_EDATA);
    assert_non_null(strstr(mur_error_last()->message, "byte 3: gzip data cut short"));
    assert_int_equal(ingest_as(f, TEXT("{}\n\n{}"), 0, MUR_DOCUMENT_LINES, NULL), 0);
}

static void a_damaged_document_keeps_its_whole_lines(void **state)
{
    fixture *f = *state;
    assert_int_equal(ingest_as(f, TEXT("{\"text\":\"a\"}\nbad\n{\"text\":\"b"), 0, MUR_DOCUMENT_LINES, "cut"), 0);
    assert_string_equal(rows(f), "~|~|a|~|~\n");
    assert_string_equal(rejects(f),
                        "13+3 not valid JSON: expected a value (byte 0) [bad]\n17+10 cut [{\"text\":\"b]\n");

    assert_int_equal(ingest_as(f, TEXT("{}\n{}"), 0, MUR_DOCUMENT_LINES, "cut"), 0); /* a whole look is no proof */
    assert_int_equal(f->bronze.n_rows, 1);
    assert_string_equal(rejects(f), "3+2 cut [{}]\n");
    assert_int_equal(ingest_as(f, TEXT("{}\n"), 0, MUR_DOCUMENT_LINES, "cut"), 0);
    assert_string_equal(rejects(f), "3+0 cut []\n");
    assert_int_equal(ingest_as(f, TEXT(""), 0, MUR_DOCUMENT_LINES, "cut"), 0);
    assert_string_equal(rejects(f), "0+0 cut []\n");
    assert_int_equal(ingest_as(f, TEXT("[{}\n,{}]"), 0, MUR_DOCUMENT_ARRAY, "cut"), 0); /* the kind does not hold */
    assert_int_equal(f->bronze.n_rows, 0);
    assert_string_equal(rejects(f),
                        "0+3 not valid JSON: expected ',' or ']' after an element (byte 3) [[{}]\n4+4 cut [,{}]]\n");
}

static void a_document_that_changed_since_its_probe_loses_nothing(void **state)
{
    fixture *f = *state;
    assert_int_equal(ingest_as(f, TEXT("[{},{\"a\" 1},{}]"), 0, MUR_DOCUMENT_ARRAY, NULL), 0);
    assert_int_equal(f->bronze.n_rows, 1);
    assert_string_equal(rejects(f), "4+11 not valid JSON: expected ':' after a name (byte 5) [{\"a\" 1},{}]]\n");
    assert_int_equal(ingest_as(f, TEXT("[{}] {}"), 0, MUR_DOCUMENT_ARRAY, NULL), 0);
    assert_string_equal(rejects(f), "5+2 not valid JSON: expected nothing here (byte 0) [{}]\n");
    assert_int_equal(ingest_as(f, TEXT("[{};{}]"), 0, MUR_DOCUMENT_ARRAY, NULL), 0);
    assert_string_equal(rejects(f), "3+4 not valid JSON: expected nothing here (byte 0) [;{}]]\n");
    assert_int_equal(ingest_as(f, TEXT("{}"), 0, MUR_DOCUMENT_ARRAY, NULL), 0);
    assert_string_equal(rejects(f), "0+2 not valid JSON: expected nothing here (byte 0) [{}]\n");
    assert_int_equal(ingest_as(f, TEXT("{}\n{}"), 0, MUR_DOCUMENT_OBJECT, NULL), 0);
    assert_int_equal(f->bronze.n_rows, 1);
    assert_string_equal(rejects(f), "3+2 not valid JSON: expected nothing here (byte 0) [{}]\n");
    assert_int_equal(ingest_as(f, TEXT("{"), 0, MUR_DOCUMENT_OBJECT, NULL), 0);
    assert_string_equal(rejects(f), "0+1 not valid JSON: expected a name in quotes (byte 1) [{]\n");
}

/* Appends a gzip member with the text. */
static void append_member(mur_buf *out, mur_view text)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&z, (uLong)text.len);
    z.next_in = (Bytef *)text.ptr;
    z.avail_in = (uInt)text.len;
    z.next_out = (Bytef *)mur_buf_reserve(out, room);
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->len += room - z.avail_out;
    deflateEnd(&z);
}

static const char *inflated(mur_buf *out, mur_view bytes)
{
    const char *damage = "not set";
    char *copy = malloc(bytes.len + !bytes.len);
    memcpy(copy, bytes.ptr, bytes.len);
    mur_buf_reset(out);
    assert_int_equal(mur_inflate(out, (mur_view){copy, bytes.len}, 1 << 24, &damage), 0);
    free(copy);
    return damage;
}

static void gzip_is_told_by_its_first_two_bytes(void **state)
{
    (void)state;
    assert_true(mur_is_gzip(TEXT("\x1F\x8B")));
    assert_false(mur_is_gzip(TEXT("\x1F")));
    assert_false(mur_is_gzip(TEXT("")));
    assert_false(mur_is_gzip(TEXT("{}")));
}

static void members_and_padding_inflate_to_one_text(void **state)
{
    (void)state;
    mur_buf gzip = {0}, out = {0};
    append_member(&gzip, TEXT("one\n"));
    append_member(&gzip, TEXT(""));
    append_member(&gzip, TEXT("two\n"));
    assert_null(inflated(&out, mur_buf_view(&gzip)));
    assert_string_equal(mur_buf_text(&out), "one\ntwo\n");
    mur_buf_append(&gzip, "\0\0\0\0\0", 5);
    assert_null(inflated(&out, mur_buf_view(&gzip)));
    assert_string_equal(mur_buf_text(&out), "one\ntwo\n");
    append_member(&gzip, TEXT("three"));
    assert_null(inflated(&out, mur_buf_view(&gzip)));
    assert_string_equal(mur_buf_text(&out), "one\ntwo\nthree");
    mur_buf_append_text(&gzip, "tail");
    assert_string_equal(inflated(&out, mur_buf_view(&gzip)), "garbage after the gzip data");
    assert_string_equal(mur_buf_text(&out), "one\ntwo\nthree");
    mur_buf_clear(&gzip);
    mur_buf_clear(&out);
}

static void a_stream_that_breaks_off_anywhere_is_cut_short(void **state)
{
    (void)state;
    mur_buf gzip = {0}, out = {0}, text = {0};
    for (int i = 0; i < 300; i++)
        mur_buf_printf(&text, "{\"text\":\"%d\"}\n", i * i);
    append_member(&gzip, mur_buf_view(&text));
    size_t most = 0;
    for (size_t len = 2; len < gzip.len; len++) {
        assert_string_equal(inflated(&out, (mur_view){gzip.ptr, len}), "gzip data cut short");
        assert_true(out.len <= text.len && memcmp(out.ptr, text.ptr, out.len) == 0);
        assert_true(out.len >= most); /* and more bytes never give less */
        most = out.len;
    }
    assert_int_equal(most, text.len);
    mur_buf_clear(&gzip);
    mur_buf_clear(&out);
    mur_buf_clear(&text);
}

static void a_flipped_bit_is_damage(void **state)
{
    (void)state;
    mur_buf gzip = {0}, out = {0};
    append_member(&gzip, TEXT("some text that is not very long"));
    gzip.ptr[gzip.len - 6] ^= 1; /* in the checksum */
    assert_string_equal(inflated(&out, mur_buf_view(&gzip)), "gzip data damaged");
    assert_string_equal(mur_buf_text(&out), "some text that is not very long");
    assert_string_equal(inflated(&out, TEXT("\x1F\x8B\x08\xFFgarbage")), "gzip data damaged");
    assert_int_equal(out.len, 0);
    mur_buf_clear(&gzip);
    mur_buf_clear(&out);
}

static void a_bomb_stops_at_the_limit(void **state)
{
    (void)state;
    enum { SIZE = 3 << 20 };
    mur_buf gzip = {0}, out = {0}, zeros = {0};
    const char *damage;
    memset(mur_buf_reserve(&zeros, SIZE), 0, SIZE);
    zeros.len = SIZE;
    append_member(&gzip, mur_buf_view(&zeros));
    mur_buf_append_text(&out, "before");
    assert_int_equal(mur_inflate(&out, mur_buf_view(&gzip), SIZE - 1, &damage), MUR_EDATA);
    assert_non_null(strstr(mur_error_last()->message, "more than 3.0 MiB when decompressed"));
    assert_true(out.len < 2 * SIZE);
    mur_buf_reset(&out);
    assert_int_equal(mur_inflate(&out, mur_buf_view(&gzip), SIZE, &damage), 0);
    assert_null(damage);
    assert_int_equal(out.len, SIZE);
    append_member(&gzip, TEXT("x")); /* the limit is of all members together */
    mur_buf_reset(&out);
    assert_int_equal(mur_inflate(&out, mur_buf_view(&gzip), SIZE, &damage), MUR_EDATA);
    mur_buf_clear(&gzip);
    mur_buf_clear(&out);
    mur_buf_clear(&zeros);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kind_is_told_by_the_whole_document),
        CASE(a_line_is_a_row),
        CASE(declared_fields_that_are_no_strings_are_kept_as_written),
        CASE(strings_are_decoded),
        CASE(names_match_exactly_after_their_escapes),
        CASE(of_duplicates_the_last_wins),
        CASE(other_members_are_rescued_as_written),
        CASE(a_record_of_many_members_keeps_them_all),
        CASE(a_wider_schema_takes_values_of_its_types_and_rescues_the_others),
        CASE(a_bad_line_is_one_reject_of_exactly_its_bytes),
        CASE(carriage_returns_and_other_separators_end_no_line),
        CASE(nul_is_refused_wherever_it_stands),
        CASE(a_record_may_be_nested_sixty_four_deep),
        CASE(a_value_over_the_limit_rejects_its_record),
        CASE(a_long_name_is_shown_cut_between_code_points),
        CASE(an_array_is_its_elements),
        CASE(an_object_over_many_lines_is_one_record),
        CASE(a_byte_order_mark_counts_but_is_nothing),
        CASE(pieces_of_a_file_make_the_whole),
        CASE(of_a_reject_the_first_four_kibibytes_are_kept),
        CASE(strict_makes_the_first_reject_an_error),
        CASE(a_damaged_document_keeps_its_whole_lines),
        CASE(a_document_that_changed_since_its_probe_loses_nothing),
        cmocka_unit_test(gzip_is_told_by_its_first_two_bytes),
        cmocka_unit_test(members_and_padding_inflate_to_one_text),
        cmocka_unit_test(a_stream_that_breaks_off_anywhere_is_cut_short),
        cmocka_unit_test(a_flipped_bit_is_damage),
        cmocka_unit_test(a_bomb_stops_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
