#include "json_lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"
#include "murmur/json.h"
#include "murmur/utf8.h"

int mur_each_line(int (*take)(void *context, mur_view line), void *context)
{
    enum { STEP = 1 << 16 };
    mur_buf held = {0};
    int rc = 0;
    for (bool is_over = false; rc == 0 && !is_over;) {
        ssize_t n = read(STDIN_FILENO, mur_buf_reserve(&held, STEP), STEP);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = mur_fail_errno(MUR_EIO, "cannot read standard input");
        is_over = n <= 0;
        held.len += n > 0 ? (size_t)n : 0;

        size_t begin = 0;
        for (const char *feed; rc == 0 && begin < held.len; begin = (size_t)(feed - held.ptr) + 1) {
            feed = memchr(held.ptr + begin, '\n', held.len - begin);
            if (!feed)
                break;
            rc = take(context, (mur_view){held.ptr + begin, (size_t)(feed - held.ptr) - begin});
        }
        if (rc == 0 && is_over && begin < held.len)
            rc = take(context, (mur_view){held.ptr + begin, held.len - begin});
        if (begin > 0) {
            memmove(held.ptr, held.ptr + begin, held.len - begin);
            held.len -= begin;
        }
    }
    mur_buf_clear(&held);
    return rc;
}

void mur_append_ids(mur_buf *out, const mur_ids *ids)
{
    mur_buf_append_byte(out, '[');
    for (size_t i = 0; i < ids->len; i++) {
        if (i > 0)
            mur_buf_append_byte(out, ',');
        mur_buf_append_int(out, (uint32_t)ids->ptr[i]);
    }
    mur_buf_append_byte(out, ']');
}

void mur_append_json_string(mur_buf *out, mur_view text)
{
    if (mur_utf8_is_valid(text)) {
        mur_json_append_string(out, text);
        return;
    }
    mur_buf mended = {0};
    mur_utf8_append_mended(&mended, text);
    mur_json_append_string(out, mur_buf_view(&mended));
    mur_buf_clear(&mended);
}

void mur_append_float(mur_buf *out, float value)
{
    char text[32];
    for (int digits = 1; digits <= 9; digits++) { /* 9 digits always do for binary32 */
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value)
            break;
    }
    mur_buf_append_text(out, text);
}

void mur_append_double(mur_buf *out, double value)
{
    char text[32];
    for (int digits = 15; digits <= 17; digits++) { /* %g drops zeros at the end; 17 always do for binary64 */
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    mur_buf_append_text(out, text);
}

typedef struct line_context {
    void (*answer)(void *context, mur_view text, mur_buf *out);
    void *context;
    mur_buf text, out;
    size_t n_bad;
} line_context;

/* The string member "text" of the line's object, the last of duplicates; or why there is none. */
static const char *find_text(mur_buf *text, mur_view line)
{
    mur_json_scan scan;
    mur_json_check(&scan, line, 0);
    if (scan.verdict == MUR_JSON_SYNTAX || scan.verdict == MUR_JSON_ENCODING)
        return scan.detail;
    if (scan.kind != MUR_JSON_OBJECT)
        return "not an object";
    bool is_found = false;
    mur_buf name = {0};
    mur_json_walk walk;
    for (mur_json_walk_begin(&walk, (mur_view){line.ptr + scan.begin, scan.end - scan.begin});
         mur_json_walk_next(&walk);) {
        mur_buf_reset(&name);
        mur_json_unquote(&name, walk.name);
        if (!mur_view_equal(mur_buf_view(&name), mur_view_of("text")))
            continue;
        is_found = walk.kind == MUR_JSON_STRING;
        mur_buf_reset(text);
        if (is_found)
            mur_json_unquote(text, walk.value);
    }
    mur_buf_clear(&name);
    return is_found ? NULL : "no string member \"text\"";
}

static int take_line(void *context, mur_view line)
{
    line_context *c = context;
    mur_buf_reset(&c->text);
    mur_buf_reset(&c->out);
    const char *why = find_text(&c->text, line);
    if (why) {
        c->n_bad++;
        mur_buf_append_text(&c->out, "{\"error\":");
        mur_append_json_string(&c->out, mur_view_of(why));
        mur_buf_append_text(&c->out, "}");
    } else {
        c->answer(c->context, mur_buf_view(&c->text), &c->out);
    }
    mur_buf_append_byte(&c->out, '\n');
    return mur_output(mur_buf_view(&c->out));
}

int mur_answer_json_lines(void (*answer)(void *context, mur_view text, mur_buf *out), void *context)
{
    line_context c = {.answer = answer, .context = context};
    int rc = mur_each_line(take_line, &c);
    if (rc == 0 && c.n_bad > 0)
        rc = mur_fail(MUR_EDATA, "%zu lines were no {\"text\": \"...\"}; each was answered with an error", c.n_bad);
    mur_buf_clear(&c.text);
    mur_buf_clear(&c.out);
    return rc;
}
