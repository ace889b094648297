#include "murmur/ingest.h"

#include <inttypes.h>

#include "murmur/json.h"
#include "murmur/tables.h"
#include "tweet.h"

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"
#define BYTE_ORDER_MARK_LEN 3

typedef struct ingest {
    mur_ingest *to;
    mur_view text;
    int64_t offset; /* of `text` in its document */
    mur_tweet tweet;
} ingest;

static bool is_broken(const mur_json_scan *scan)
{
    return scan->verdict == MUR_JSON_SYNTAX || scan->verdict == MUR_JSON_ENCODING;
}

static size_t skip_space(mur_view text, size_t at)
{
    while (at < text.len &&
           (text.ptr[at] == ' ' || text.ptr[at] == '\t' || text.ptr[at] == '\r' || text.ptr[at] == '\n'))
        at++;
    return at;
}

static size_t skip_byte_order_mark(mur_view text)
{
    bool has_mark = text.len >= BYTE_ORDER_MARK_LEN && memcmp(text.ptr, BYTE_ORDER_MARK, BYTE_ORDER_MARK_LEN) == 0;
    return has_mark ? BYTE_ORDER_MARK_LEN : 0;
}

mur_document_kind mur_document_probe(mur_view text)
{
    mur_json_scan scan;
    mur_json_scan_value(&scan, text, skip_byte_order_mark(text), 0);
    if (is_broken(&scan) || skip_space(text, scan.end) < text.len)
        return MUR_DOCUMENT_LINES;
    return scan.kind == MUR_JSON_OBJECT  ? MUR_DOCUMENT_OBJECT
           : scan.kind == MUR_JSON_ARRAY ? MUR_DOCUMENT_ARRAY
                                         : MUR_DOCUMENT_LINES;
}

/* Rejects the bytes [first, end) of the text for t->reason. */
static int reject(ingest *s, size_t first, size_t end)
{
    mur_view bytes = {s->text.ptr + first, end - first};
    int64_t offset = s->offset + (int64_t)first;
    mur_view reason = mur_buf_view(&s->tweet.reason);
    if (s->to->is_strict)
        return mur_fail(MUR_EDATA,
                        "%.*s: byte %" PRId64 ": %.*s; repair the file, or leave --strict out to have it in the table "
                        "of rejects",
                        (int)s->to->source_file.len, s->to->source_file.ptr, offset, (int)reason.len, reason.ptr);
    mur_frame *f = s->to->rejects;
    mur_frame_add_row(f);
    mur_frame_set_string(f, MUR_REJECTS_SOURCE_FILE, s->to->source_file);
    mur_frame_set_int64(f, MUR_REJECTS_BYTE_OFFSET, offset);
    mur_frame_set_int64(f, MUR_REJECTS_BYTE_LENGTH, (int64_t)bytes.len);
    mur_frame_set_string(f, MUR_REJECTS_REASON, reason);
    mur_frame_set_string(f, MUR_REJECTS_RAW,
                         (mur_view){bytes.ptr, bytes.len < MUR_RAW_LIMIT ? bytes.len : MUR_RAW_LIMIT});
    return 0;
}

static int reject_for(ingest *s, size_t first, size_t end, const char *reason)
{
    mur_buf_reset(&s->tweet.reason);
    mur_buf_append_text(&s->tweet.reason, reason);
    return reject(s, first, end);
}

/* For what a scan in the text found broken; bytes in the reason count from `first`. */
static int reject_broken(ingest *s, size_t first, size_t end, const mur_json_scan *scan)
{
    mur_buf *reason = &s->tweet.reason;
    mur_buf_reset(reason);
    if (scan->verdict == MUR_JSON_ENCODING)
        mur_buf_printf(reason, "not valid UTF-8 (byte %zu)", scan->where - first);
    else
        mur_buf_printf(reason, "not valid JSON: %s (byte %zu)", scan->detail, scan->where - first);
    return reject(s, first, end);
}

/* A value that the scan has found whole: a row, or a reject of [first, end). */
static int take_value(ingest *s, size_t first, size_t end, const mur_json_scan *scan)
{
    if (scan->kind != MUR_JSON_OBJECT)
        return reject_for(s, first, end, "not an object");
    if (scan->verdict == MUR_JSON_NUL)
        return reject_for(s, first, end, "holds U+0000");
    if (scan->verdict == MUR_JSON_DEPTH) {
        mur_buf_reset(&s->tweet.reason);
        mur_buf_printf(&s->tweet.reason, "nested deeper than %d", MUR_MAX_DEPTH);
        return reject(s, first, end);
    }
    mur_view object = {s->text.ptr + scan->begin, scan->end - scan->begin};
    if (!mur_tweet_read(&s->tweet, object, s->to->max_value))
        return reject(s, first, end);

    mur_frame *f = s->to->bronze;
    mur_frame_add_row(f);
    mur_tweet_store(&s->tweet, f);
    mur_frame_set_string(f, MUR_BRONZE_SOURCE_FILE, s->to->source_file);
    mur_frame_set_int64(f, MUR_BRONZE_PROCESSING_TIME, s->to->processing_time);
    return 0;
}

/* A line [first, end), without its line feed. Offsets of scans are the text's, so that none is added twice. */
static int take_line(ingest *s, size_t first, size_t end)
{
    mur_view up_to_end = {s->text.ptr, end};
    if (skip_space(up_to_end, first) == end)
        return 0;
    mur_json_scan scan, another;
    mur_json_scan_value(&scan, up_to_end, first, MUR_MAX_DEPTH);
    if (is_broken(&scan))
        return reject_broken(s, first, end, &scan);
    if (skip_space(up_to_end, scan.end) == end)
        return take_value(s, first, end, &scan);

    mur_json_scan_value(&another, up_to_end, scan.end, 0);
    if (!is_broken(&another))
        return reject_for(s, first, end, "more than one value on the line");
    if (another.verdict == MUR_JSON_SYNTAX) {
        another.where = another.begin;
        another.detail = "expected nothing after the value";
    }
    return reject_broken(s, first, end, &another);
}

static int take_lines(ingest *s, size_t at, const char *damage)
{
    int rc = 0;
    while (rc == 0) {
        const char *feed = at < s->text.len ? memchr(s->text.ptr + at, '\n', s->text.len - at) : NULL;
        if (!feed)
            break;
        size_t end = (size_t)(feed - s->text.ptr);
        rc = take_line(s, at, end);
        at = end + 1;
    }
    if (rc < 0)
        return rc;
    return damage ? reject_for(s, at, s->text.len, damage) : take_line(s, at, s->text.len);
}

/* Behind a whole document's value there is nothing, or the text is no longer the one that was probed: then what is
 * there is one reject, so that nothing is lost. */
static int take_rest(ingest *s, size_t at)
{
    at = skip_space(s->text, at);
    return at < s->text.len ? reject_for(s, at, s->text.len, "not valid JSON: expected nothing here (byte 0)") : 0;
}

static int take_object(ingest *s, size_t at)
{
    mur_json_scan scan;
    mur_json_scan_value(&scan, s->text, at, MUR_MAX_DEPTH);
    if (is_broken(&scan))
        return reject_broken(s, scan.begin, s->text.len, &scan);
    int rc = take_value(s, scan.begin, scan.end, &scan);
    return rc < 0 ? rc : take_rest(s, scan.end);
}

static int take_elements(ingest *s, size_t at)
{
    at = skip_space(s->text, at);
    if (at == s->text.len || s->text.ptr[at] != '[')
        return take_rest(s, at);
    bool is_first = true;
    for (at++;; at++) {
        at = skip_space(s->text, at);
        if (is_first && at < s->text.len && s->text.ptr[at] == ']')
            return take_rest(s, at + 1);
        is_first = false;
        mur_json_scan scan;
        mur_json_scan_value(&scan, s->text, at, MUR_MAX_DEPTH);
        if (is_broken(&scan))
            return reject_broken(s, scan.begin, s->text.len, &scan);
        int rc = take_value(s, scan.begin, scan.end, &scan);
        if (rc < 0)
            return rc;
        at = skip_space(s->text, scan.end);
        if (at == s->text.len || s->text.ptr[at] != ',')
            return take_rest(s, at < s->text.len && s->text.ptr[at] == ']' ? at + 1 : at);
    }
}

int mur_ingest_text(mur_ingest *in, mur_view text, int64_t offset, mur_document_kind kind, const char *damage)
{
    ingest s = {.to = in, .text = text, .offset = offset};
    size_t at = offset == 0 ? skip_byte_order_mark(text) : 0;
    int rc;
    mur_tweet_init(&s.tweet, in->bronze->schema);
    if (kind == MUR_DOCUMENT_LINES || damage)
        rc = take_lines(&s, at, damage);
    else if (kind == MUR_DOCUMENT_ARRAY)
        rc = take_elements(&s, at);
    else
        rc = take_object(&s, at);
    mur_tweet_clear(&s.tweet);
    return rc;
}
