/* The grammar is YAML 1.1's as PyYAML has it, since that is what MLflow reads and writes with. */
#include "yaml.h"

#include <stdlib.h>
#include <string.h>

#include "murmur/utf8.h"

/* Not in a single-quoted scalar: what PyYAML does not read as it stands (reader.py, NON_PRINTABLE), and line breaks,
 * which would be folded. */
static bool needs_escape(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || c == 0xFEFF || c == 0xFFFE ||
           c == 0xFFFF;
}

static bool is_word(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* Plain scalars that YAML 1.1 takes for something else begin with a digit or a sign, or are among these. */
static bool is_plain_string(mur_view text)
{
    static const char *const others[] = {"y", "n", "yes", "no", "true", "false", "on", "off", "null"};
    if (text.len == 0 || !is_word((unsigned char)text.ptr[0]) || text.ptr[0] == '-' ||
        (text.ptr[0] >= '0' && text.ptr[0] <= '9'))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_word((unsigned char)text.ptr[i]))
            return false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strlen(others[i]) == text.len && strncasecmp(others[i], text.ptr, text.len) == 0)
            return false;
    return true;
}

void mur_yaml_append_string(mur_buf *out, mur_view text)
{
    if (is_plain_string(text)) {
        mur_buf_append_view(out, text);
        return;
    }
    bool is_escaped = false;
    uint32_t c;
    for (size_t i = 0; i < text.len && !is_escaped;) {
        i += (size_t)abs(mur_utf8_decode(&c, text.ptr + i, text.len - i));
        is_escaped = needs_escape(c);
    }
    char quote = is_escaped ? '"' : '\'';
    mur_buf_append_byte(out, quote);
    for (size_t i = 0, n; i < text.len; i += n) {
        n = (size_t)abs(mur_utf8_decode(&c, text.ptr + i, text.len - i));
        if (needs_escape(c)) {
            mur_buf_printf(out, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
            continue;
        }
        if (c == '\'' && !is_escaped)
            mur_buf_append_byte(out, '\'');
        if ((c == '"' || c == '\\') && is_escaped)
            mur_buf_append_byte(out, '\\');
        mur_buf_append(out, text.ptr + i, n);
    }
    mur_buf_append_byte(out, quote);
}

/* A scalar as written, over all its lines, and how far it was read. */
typedef struct scalar {
    mur_view text;
    size_t at;
} scalar;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* At a line feed inside a scalar: one becomes a space, each further one a line feed; blanks around them go. */
static void fold(mur_buf *out, scalar *s)
{
    size_t n_feeds = 0;
    while (out->len > 0 && is_blank(out->ptr[out->len - 1]))
        out->len--;
    for (; s->at < s->text.len && (is_blank(s->text.ptr[s->at]) || s->text.ptr[s->at] == '\n'); s->at++)
        n_feeds += s->text.ptr[s->at] == '\n';
    for (size_t i = 1; i < n_feeds; i++)
        mur_buf_append_byte(out, '\n');
    if (n_feeds == 1)
        mur_buf_append_byte(out, ' ');
}

/* `n` hexadecimal digits; false if they are not there. */
static bool read_hex(uint32_t *out, scalar *s, size_t n)
{
    *out = 0;
    for (; n > 0; n--, s->at++) {
        char c = s->at < s->text.len ? s->text.ptr[s->at] : '\0';
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return false;
        *out = *out << 4 | (uint32_t)digit;
    }
    return true;
}

/* Behind the backslash of a double-quoted scalar. */
static bool unescape(mur_buf *out, scalar *s)
{
    static const char names[] = "0abt\tnvfre \"/\\N_LP";
    static const uint32_t points[] = {0,  7,   8,   9,   9,    0xA,  0xB,  0xC,    0xD,
                                      27, ' ', '"', '/', '\\', 0x85, 0xA0, 0x2028, 0x2029};
    if (s->at == s->text.len)
        return false;
    char c = s->text.ptr[s->at++];
    const char *name = c ? strchr(names, c) : NULL;
    uint32_t point;
    if (c == '\n') { /* a line that was cut: nothing stands for it */
        while (s->at < s->text.len && is_blank(s->text.ptr[s->at]))
            s->at++;
        return true;
    }
    if (name)
        point = points[name - names];
    else if (c != 'x' && c != 'u' && c != 'U')
        return false;
    else if (!read_hex(&point, s, c == 'x' ? 2 : c == 'u' ? 4 : 8))
        return false;
    mur_utf8_append(out, point);
    return true;
}

/* What stands between the quotes at s->at, which is moved behind the closing one. */
static bool unquote(mur_buf *out, scalar *s)
{
    char quote = s->text.ptr[s->at++];
    while (s->at < s->text.len) {
        char c = s->text.ptr[s->at];
        if (c == '\n') {
            fold(out, s);
            continue;
        }
        s->at++;
        if (c == quote && quote == '\'' && s->at < s->text.len && s->text.ptr[s->at] == quote)
            s->at++; /* doubled: one of its own */
        else if (c == quote)
            return true;
        else if (c == '\\' && quote == '"') {
            if (!unescape(out, s))
                return false;
            continue;
        }
        mur_buf_append_byte(out, c);
    }
    return false;
}

static bool is_comment(const scalar *s)
{
    return s->text.ptr[s->at] == '#' &&
           (s->at == 0 || is_blank(s->text.ptr[s->at - 1]) || s->text.ptr[s->at - 1] == '\n');
}

static void skip_comment(scalar *s)
{
    while (s->at < s->text.len && s->text.ptr[s->at] != '\n')
        s->at++;
}

static int read_scalar(mur_buf *out, scalar *s, const char *key, const char *what)
{
    while (s->at < s->text.len && (is_blank(s->text.ptr[s->at]) || s->text.ptr[s->at] == '\n'))
        s->at++;
    bool is_quoted = s->at < s->text.len && (s->text.ptr[s->at] == '\'' || s->text.ptr[s->at] == '"');
    bool is_good = !is_quoted || unquote(out, s);
    while (is_good && s->at < s->text.len) {
        char c = s->text.ptr[s->at];
        if (is_comment(s)) {
            skip_comment(s);
        } else if (!is_quoted && c == '\n') {
            fold(out, s);
        } else {
            is_good = !is_quoted || is_blank(c) || c == '\n';
            if (!is_quoted)
                mur_buf_append_byte(out, c);
            s->at++;
        }
    }
    while (!is_quoted && out->len > 0 && (is_blank(out->ptr[out->len - 1]) || out->ptr[out->len - 1] == '\n'))
        out->len--;
    if (!is_good)
        return mur_fail(MUR_EDATA, "%s: the value of %s is not quoted as YAML would have it", what, key);
    if (!mur_utf8_is_valid(mur_buf_view(out)))
        return mur_fail(MUR_EDATA, "%s: the value of %s is not UTF-8", what, key);
    return 0;
}

int mur_yaml_member(mur_buf *out, mur_view document, const char *key, const char *what)
{
    size_t key_len = strlen(key);
    mur_buf_reset(out);
    for (size_t line = 0, next; line < document.len; line = next) {
        const char *feed = memchr(document.ptr + line, '\n', document.len - line);
        next = feed ? (size_t)(feed - document.ptr) + 1 : document.len;
        bool is_it = next - line > key_len && memcmp(document.ptr + line, key, key_len) == 0 &&
                     document.ptr[line + key_len] == ':';
        if (!is_it)
            continue;
        size_t begin = line + key_len + 1, end = next;
        while (end < document.len && (is_blank(document.ptr[end]) || document.ptr[end] == '\n')) {
            feed = memchr(document.ptr + end, '\n', document.len - end); /* a line that goes on is indented, or empty */
            end = feed ? (size_t)(feed - document.ptr) + 1 : document.len;
        }
        return read_scalar(out, &(scalar){{document.ptr + begin, end - begin}, 0}, key, what);
    }
    return 1;
}
