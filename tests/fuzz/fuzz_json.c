/* The scanner against itself, the walk, the string functions and cJSON. */
#include "fuzz.h"

#include "murmur/json.h"
#include "murmur/utf8.h"

const char *const mur_fuzz_seeds[] = {
    "{\"date\": \"Mon Apr 06 22:19:45 PDT 2009\", \"user\": \"al\", \"text\": \"@bob h\xC3\xA9 \\u00e9\\n\", "
    "\"n\":null}",
    "[1, -0.5e+10, true, false, null, \"\\ud83d\\ude00\\ud800\", {\"a\":{\"b\":[[],{}]}}, [[[[[[]]]]]]]",
    " \"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u0000\" ",
    "{\"k\":[{\"k\":[{\"k\":[{\"k\":[0]}]}]}],\"\":\"\xF0\x9F\x98\x80 \xE3\x81\xAE\"}",
    "\"\\u00e9\\u306E\\ud83d\\ude00 \\ud834\\uDD1E\"",
    "12345678901234567890.123E-45",
    "{}[]\n{\"a\":1}{\"a\":2}",
    NULL,
};

static mur_view slice(mur_view text, size_t begin, size_t end)
{
    return (mur_view){text.ptr + begin, end - begin};
}

static bool is_broken(const mur_json_scan *scan)
{
    return scan->verdict == MUR_JSON_SYNTAX || scan->verdict == MUR_JSON_ENCODING;
}

static void check_string(mur_view quoted, bool has_nul)
{
    mur_buf text = {0}, again = {0}, back = {0};
    mur_json_scan scan;
    mur_json_unquote(&text, quoted);
    CHECK(text.len <= quoted.len - 2);
    CHECK(mur_utf8_is_valid(mur_buf_view(&text)));
    CHECK(has_nul || text.len == 0 || !memchr(text.ptr, '\0', text.len));
    mur_json_append_string(&again, mur_buf_view(&text));
    mur_json_check(&scan, mur_buf_view(&again), 0);
    CHECK(!is_broken(&scan) && scan.kind == MUR_JSON_STRING);
    mur_json_unquote(&back, mur_buf_view(&again));
    CHECK(mur_view_equal(mur_buf_view(&back), mur_buf_view(&text)));
    mur_buf_clear(&text);
    mur_buf_clear(&again);
    mur_buf_clear(&back);
}

/* A value that the scan passed, whose parts must pass too, on their own; of so many levels, each scanned again. */
#define MAX_LEVELS 200

static void check_value(mur_view value, mur_json_kind kind, size_t level)
{
    mur_json_scan scan;
    mur_json_check(&scan, value, 0);
    CHECK(!is_broken(&scan));
    CHECK(scan.kind == kind && scan.begin == 0 && scan.end == value.len);
    if (kind == MUR_JSON_STRING)
        check_string(value, scan.verdict == MUR_JSON_NUL);
    if ((kind != MUR_JSON_OBJECT && kind != MUR_JSON_ARRAY) || level == MAX_LEVELS)
        return;

    mur_json_walk w;
    mur_json_walk_begin(&w, value);
    const char *last = value.ptr;
    while (mur_json_walk_next(&w)) {
        CHECK(w.value.ptr > last && w.value.ptr + w.value.len < value.ptr + value.len);
        if (kind == MUR_JSON_OBJECT)
            check_value(w.name, MUR_JSON_STRING, level + 1);
        else
            CHECK(w.name.len == 0);
        check_value(w.value, w.kind, level + 1);
        last = w.value.ptr;
    }
}

static void check_decoded(mur_view quoted, const char *expected)
{
    mur_buf text = {0};
    mur_json_unquote(&text, quoted);
    CHECK(mur_view_equal(mur_buf_view(&text), mur_view_of(expected)));
    mur_buf_clear(&text);
}

static void check_parse(mur_view text, const mur_json_scan *scan)
{
    cJSON *root = mur_json_parse(text, "input");
    CHECK(!root || scan->verdict == MUR_JSON_OK);
    if (!root)
        CHECK(mur_error_last()->code == MUR_EDATA);
    else
        CHECK(cJSON_IsObject(root) == (scan->kind == MUR_JSON_OBJECT) &&
              cJSON_IsArray(root) == (scan->kind == MUR_JSON_ARRAY) &&
              cJSON_IsString(root) == (scan->kind == MUR_JSON_STRING) &&
              cJSON_IsNumber(root) == (scan->kind == MUR_JSON_NUMBER));
    if (root && cJSON_IsString(root))
        check_decoded(slice(text, scan->begin, scan->end), root->valuestring);
    cJSON_Delete(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    mur_view text = {(const char *)bytes, len};
    mur_json_scan scan, value, limited;
    mur_json_check(&scan, text, 0);
    CHECK(scan.where <= len && scan.detail);
    mur_json_scan_value(&value, text, 0, 0);
    if (!is_broken(&scan)) {
        CHECK(scan.verdict == value.verdict && scan.begin == value.begin && scan.end == value.end);
        CHECK(mur_utf8_is_valid(text));
    }
    if (!is_broken(&value)) {
        CHECK(value.begin < value.end && value.end <= len);
        check_value(slice(text, value.begin, value.end), value.kind, 1);
    }
    mur_json_scan_value(&limited, text, 0, 3); /* a limit changes no verdict but OK, and no extent */
    CHECK(is_broken(&limited) == is_broken(&value));
    CHECK(limited.begin == value.begin && limited.end == value.end);
    check_parse(text, &scan);

    mur_json_walk w; /* not scanned: nonsense, but it ends, inside */
    size_t n_steps = 0;
    mur_json_walk_begin(&w, text);
    while (mur_json_walk_next(&w))
        CHECK(++n_steps <= len && w.value.ptr >= text.ptr && w.value.ptr + w.value.len <= text.ptr + len);
    return 0;
}
