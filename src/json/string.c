#include <string.h>

#include "murmur/json.h"
#include "murmur/utf8.h"

static unsigned hexadecimal(const char *digits)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) {
        char c = digits[i];
        value = value << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static bool is_high_surrogate(uint32_t point)
{
    return point >= 0xD800 && point <= 0xDBFF;
}

static bool is_low_surrogate(uint32_t point)
{
    return point >= 0xDC00 && point <= 0xDFFF;
}

/* Decodes the \u escape at `at`, with its second half where it has one, and returns what comes behind it. A surrogate
 * that stays alone is left as it is. */
static const char *decode_unicode_escape(uint32_t *point, const char *at, const char *end)
{
    *point = hexadecimal(at + 2);
    at += 6;
    if (is_high_surrogate(*point) && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        uint32_t low = hexadecimal(at + 2);
        if (is_low_surrogate(low)) {
            *point = 0x10000 + ((*point - 0xD800) << 10) + (low - 0xDC00);
            at += 6;
        }
    }
    return at;
}

static char unescaped(char letter)
{
    switch (letter) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return letter; /* quote, backslash, slash */
    }
}

static void unquote(mur_buf *out, mur_view quoted, bool keeps_surrogates)
{
    const char *at = quoted.ptr + 1, *end = quoted.ptr + quoted.len - 1;
    while (at < end) {
        const char *backslash = memchr(at, '\\', (size_t)(end - at));
        const char *plain_end = backslash ? backslash : end;
        mur_buf_append(out, at, (size_t)(plain_end - at));
        at = plain_end;
        if (at == end)
            break;
        if (at[1] != 'u') {
            mur_buf_append_byte(out, unescaped(at[1]));
            at += 2;
            continue;
        }
        uint32_t point;
        at = decode_unicode_escape(&point, at, end);
        if (keeps_surrogates && (is_high_surrogate(point) || is_low_surrogate(point))) {
            mur_buf_append_byte(out, (char)(0xE0 | point >> 12));
            mur_buf_append_byte(out, (char)(0x80 | (point >> 6 & 0x3F)));
            mur_buf_append_byte(out, (char)(0x80 | (point & 0x3F)));
        } else {
            mur_utf8_append(out, point); /* a surrogate becomes U+FFFD there */
        }
    }
}

void mur_json_unquote(mur_buf *out, mur_view quoted)
{
    unquote(out, quoted, false);
}

void mur_json_unquote_name(mur_buf *out, mur_view quoted)
{
    unquote(out, quoted, true);
}

/* Whether eight bytes need no escape, nor one of them be looked at: a byte's high bit comes out set if it is below
 * 0x20, a quote or a backslash (now and then also beside one, which costs time only). Bytes of other letters have
 * theirs set already and do not count. */
static bool are_plain(const char *bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = 0x80 * ones;
    uint64_t x;
    memcpy(&x, bytes, sizeof x);
    uint64_t quotes = x ^ '"' * ones, backslashes = x ^ '\\' * ones;
    return !(((x - 0x20 * ones) | (quotes - ones) | (backslashes - ones)) & ~x & high);
}

void mur_json_append_string(mur_buf *out, mur_view text)
{
    mur_buf_append_byte(out, '"');
    size_t begin = 0; /* of the bytes that go as they are */
    for (size_t i = 0; i < text.len; i++) {
        if (i + 8 <= text.len && are_plain(text.ptr + i)) {
            i += 7;
            continue;
        }
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        mur_buf_append(out, text.ptr + begin, i - begin);
        begin = i + 1;
        switch (c) {
        case '"': mur_buf_append_text(out, "\\\""); break;
        case '\\': mur_buf_append_text(out, "\\\\"); break;
        case '\n': mur_buf_append_text(out, "\\n"); break;
        case '\r': mur_buf_append_text(out, "\\r"); break;
        case '\t': mur_buf_append_text(out, "\\t"); break;
        default: mur_buf_printf(out, "\\u%04x", c); break;
        }
    }
    mur_buf_append(out, text.ptr + begin, text.len - begin);
    mur_buf_append_byte(out, '"');
}
