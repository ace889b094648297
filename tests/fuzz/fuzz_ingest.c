/* Ingest loses nothing: every line of a JSON Lines text is blank, a row or a reject of exactly its bytes; every element
 * of an array is a row or a reject; cutting at line ends changes nothing. */
#include "fuzz.h"

#include <string.h>

#include "murmur/date.h"
#include "murmur/ingest.h"
#include "murmur/json.h"
#include "murmur/tables.h"
#include "murmur/utf8.h"

const char *const mur_fuzz_seeds[] = {
    "{\"date\":\"Mon Apr 06 22:19:45 PDT 2009\",\"user\":\"al\",\"text\":\"@bob \\u00e9\",\"sentiment\":\"positive\"}\n"
    "\r\n{\"text\":1.5,\"x\":[1, 2],\"x\":{}}\r\nbad\n{}{}\n[1]\n{\"text\":\"\\u0000\"}\n{\"text\":null",
    "[{\"date\":\"2009-04-07T05:19:45Z\"}, 1, {\"t\\u0065xt\":\"\\ud800\"},\n[], {\"a\":{\"b\":[]}}]",
    "\xEF\xBB\xBF{\n \"text\" : \"a\",\n \"other\" : \"\xF0\x9F\x98\x80\"\n}\n",
    "{\"text\":\"0123456789012345678901234567890123456789\",\"user\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}\n{}\n",
    "{\"n\":-12,\"f\":1.5e3,\"b\":true,\"t\":\"2009-04-07\",\"s\":7}\n{\"n\":1.5,\"f\":1e999,\"b\":0,\"x\":1,"
    "\"t\":\"x\"}\n{\"n\":9223372036854775808}\n",
    "\x1F\x8B\x08", /* a gzip header's beginning, for mur_inflate */
    NULL,
};

#define MAX_VALUE 48 /* within reach of the mutations */

typedef struct tables {
    mur_frame bronze, rejects;
    mur_ingest in;
} tables;

/* Bronze with a column of each type that can be merged. */
static const mur_schema *wider_schema(void)
{
    static mur_column columns[12];
    static const mur_schema wider = {"bronze", "", columns, 12};
    memcpy(columns, mur_bronze_schema.columns, 7 * sizeof *columns);
    columns[7] = (mur_column){"s", MUR_STRING, ""};
    columns[8] = (mur_column){"n", MUR_INT64, ""};
    columns[9] = (mur_column){"f", MUR_FLOAT64, ""};
    columns[10] = (mur_column){"b", MUR_BOOL, ""};
    columns[11] = (mur_column){"t", MUR_TIMESTAMP, ""};
    return &wider;
}

static void open_tables(tables *t)
{
    mur_frame_init(&t->bronze, wider_schema());
    mur_frame_init(&t->rejects, &mur_rejects_schema);
    t->in = (mur_ingest){.bronze = &t->bronze,
                         .rejects = &t->rejects,
                         .source_file = mur_view_of("/data/fuzz.json"),
                         .max_value = MAX_VALUE};
}

static void close_tables(tables *t)
{
    mur_frame_clear(&t->bronze);
    mur_frame_clear(&t->rejects);
}

static void check_equal(const mur_frame *a, const mur_frame *b)
{
    CHECK(a->n_rows == b->n_rows);
    for (size_t r = 0; r < a->n_rows; r++) {
        CHECK(a->valid[r] == b->valid[r]);
        for (size_t c = 0; c < a->schema->n_columns; c++) {
            size_t size = mur_type_size(a->schema->columns[c].type);
            if (a->schema->columns[c].type == MUR_STRING)
                CHECK(mur_view_equal(mur_frame_string(a, r, c), mur_frame_string(b, r, c)));
            else
                CHECK(memcmp(a->columns[c].bytes.ptr + r * size, b->columns[c].bytes.ptr + r * size, size) == 0);
        }
    }
}

static void check_row(const mur_frame *bronze, size_t row)
{
    for (size_t c = 0; c < bronze->schema->n_columns; c++)
        if (bronze->schema->columns[c].type == MUR_STRING)
            CHECK(mur_utf8_is_valid(mur_frame_string(bronze, row, c)));
    if (mur_frame_is_present(bronze, row, MUR_BRONZE_RESCUED_DATA)) {
        mur_json_scan scan;
        mur_json_check(&scan, mur_frame_string(bronze, row, MUR_BRONZE_RESCUED_DATA), MUR_MAX_DEPTH);
        CHECK(scan.verdict == MUR_JSON_OK && scan.kind == MUR_JSON_OBJECT);
    }
    (void)mur_date_parse(mur_frame_string(bronze, row, MUR_BRONZE_DATE));
}

/* Where reject `r` begins in the text and ends; its raw bytes must be there, and its reason text. */
static void reject_range(const tables *t, mur_view text, size_t r, size_t *begin, size_t *end)
{
    int64_t offset = mur_frame_int64(&t->rejects, r, MUR_REJECTS_BYTE_OFFSET);
    int64_t length = mur_frame_int64(&t->rejects, r, MUR_REJECTS_BYTE_LENGTH);
    CHECK(offset >= 0 && length >= 0 && (size_t)(offset + length) <= text.len);
    *begin = (size_t)offset;
    *end = (size_t)(offset + length);
    mur_view raw = mur_frame_string(&t->rejects, r, MUR_REJECTS_RAW);
    CHECK(raw.len == (length < MUR_RAW_LIMIT ? (size_t)length : MUR_RAW_LIMIT));
    CHECK(raw.len == 0 || memcmp(raw.ptr, text.ptr + offset, raw.len) == 0);
    mur_view reason = mur_frame_string(&t->rejects, r, MUR_REJECTS_REASON);
    CHECK(reason.len > 0 && mur_utf8_is_valid(reason));
}

static bool is_blank(mur_view text, size_t begin, size_t end)
{
    for (; begin < end; begin++)
        if (!memchr(" \t\r", text.ptr[begin], 3))
            return false;
    return true;
}

static size_t after_mark(mur_view text)
{
    return text.len >= 3 && memcmp(text.ptr, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

static void check_lines(mur_view text, const char *damage)
{
    tables whole, pieces;
    open_tables(&whole);
    open_tables(&pieces);
    CHECK(mur_ingest_text(&whole.in, text, 0, MUR_DOCUMENT_LINES, damage) == 0);
    size_t n_rows = 0, n_rejects = 0;
    for (size_t at = after_mark(text), end, next; at <= text.len; at = next) {
        const char *feed = at < text.len ? memchr(text.ptr + at, '\n', text.len - at) : NULL;
        end = feed ? (size_t)(feed - text.ptr) : text.len;
        next = end + 1;
        bool is_tail = damage && !feed;
        size_t begin = SIZE_MAX, reject_end = SIZE_MAX;
        if (n_rejects < whole.rejects.n_rows)
            reject_range(&whole, text, n_rejects, &begin, &reject_end);
        if (begin == at && (is_tail || !is_blank(text, at, end))) {
            CHECK(reject_end == end);
            n_rejects++;
        } else if (!is_blank(text, at, end)) {
            CHECK(!is_tail && n_rows < whole.bronze.n_rows);
            check_row(&whole.bronze, n_rows++);
        }
        size_t first = at == after_mark(text) ? 0 : at, piece_end = feed ? next : end;
        CHECK(mur_ingest_text(&pieces.in, (mur_view){text.ptr + first, piece_end - first}, (int64_t)first,
                              MUR_DOCUMENT_LINES, feed ? NULL : damage) == 0);
    }
    CHECK(n_rows == whole.bronze.n_rows && n_rejects == whole.rejects.n_rows);
    check_equal(&whole.bronze, &pieces.bronze);
    check_equal(&whole.rejects, &pieces.rejects);
    close_tables(&whole);
    close_tables(&pieces);
}

/* A text that was probed to be an object or an array. */
static void check_document(mur_view text, mur_document_kind kind)
{
    tables t;
    open_tables(&t);
    CHECK(mur_ingest_text(&t.in, text, 0, kind, NULL) == 0);
    size_t n = 1, n_rejects = 0;
    if (kind == MUR_DOCUMENT_ARRAY) {
        mur_json_walk w;
        n = 0;
        mur_json_walk_begin(&w, (mur_view){text.ptr + after_mark(text), text.len - after_mark(text)});
        for (; mur_json_walk_next(&w); n++) {
            size_t begin, end;
            if (n_rejects == t.rejects.n_rows)
                continue;
            reject_range(&t, text, n_rejects, &begin, &end);
            n_rejects += text.ptr + begin == w.value.ptr && end - begin == w.value.len;
        }
        CHECK(n_rejects == t.rejects.n_rows);
    }
    CHECK(t.bronze.n_rows + t.rejects.n_rows == n);
    for (size_t r = 0; r < t.bronze.n_rows; r++)
        check_row(&t.bronze, r);
    close_tables(&t);
}

/* As a kind that it may not be: rejects stay inside, in order, and nothing breaks. */
static void check_wrong_kind(mur_view text, mur_document_kind kind)
{
    tables t;
    open_tables(&t);
    CHECK(mur_ingest_text(&t.in, text, 0, kind, NULL) == 0);
    size_t last = 0, begin, end;
    for (size_t r = 0; r < t.rejects.n_rows; r++) {
        reject_range(&t, text, r, &begin, &end);
        CHECK(begin >= last);
        last = end;
    }
    close_tables(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    mur_view text = {(const char *)bytes, len};
    mur_document_kind kind = mur_document_probe(text);
    check_lines(text, NULL);
    check_lines(text, "cut short");
    if (kind != MUR_DOCUMENT_LINES)
        check_document(text, kind);
    check_wrong_kind(text, MUR_DOCUMENT_ARRAY);
    check_wrong_kind(text, MUR_DOCUMENT_OBJECT);

    mur_buf out = {0};
    const char *damage;
    if (mur_inflate(&out, text, 1 << 16, &damage) == 0)
        CHECK(out.len <= 1 << 16 && (damage || mur_is_gzip(text)));
    mur_buf_clear(&out);
    return 0;
}
