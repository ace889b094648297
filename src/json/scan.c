/* The scanner: one pass over the bytes, no recursion, no copies.
 *
 * The open brackets are a stack of bits, so that a text of nothing but '[' costs an eighth of its size and no machine
 * stack. What JSON leaves to implementations is decided so: a surrogate escape without its pair is accepted (tweets
 * have them), numbers of any size and precision are, any nesting is (but for max_depth); bytes that are not UTF-8 are
 * not, nor is UTF-16, nor a byte order mark (whoever opens a file takes it off).
 */
#include <stdint.h>
#include <string.h>

#include "lexical.h"
#include "murmur/utf8.h"

#define NEAR_LEVELS 512

typedef struct scanner {
    mur_view text;
    size_t at;
    mur_json_scan *out;

    size_t depth;
    size_t max_depth;
    bool in_object;                /* the innermost open bracket is '{' */
    uint8_t near[NEAR_LEVELS / 8]; /* in_object of the levels around it; further ones are in `far` */
    mur_buf far;
} scanner;

/* Ends the scan at `where`. What was expected is no matter where the bytes there are not even text. */
static bool fail_at(scanner *s, size_t where, const char *detail)
{
    uint32_t point;
    bool is_text = where >= s->text.len || mur_utf8_decode(&point, s->text.ptr + where, s->text.len - where) > 0;
    s->out->verdict = is_text ? MUR_JSON_SYNTAX : MUR_JSON_ENCODING;
    s->out->where = where;
    s->out->detail = is_text ? detail : "not UTF-8";
    return false;
}

static void break_limit(scanner *s, mur_json_verdict verdict, size_t where, const char *detail)
{
    if (s->out->verdict != MUR_JSON_OK)
        return;
    s->out->verdict = verdict;
    s->out->where = where;
    s->out->detail = detail;
}

static uint8_t *level_bits(scanner *s, size_t level)
{
    if (level < NEAR_LEVELS)
        return &s->near[level / 8];
    size_t index = (level - NEAR_LEVELS) / 8;
    if (index == s->far.len)
        mur_buf_append_byte(&s->far, 0);
    return (uint8_t *)&s->far.ptr[index];
}

static void open_bracket(scanner *s, bool is_object)
{
    uint8_t *bits = level_bits(s, s->depth), bit = (uint8_t)(1u << s->depth % 8);
    *bits = (uint8_t)(s->in_object ? *bits | bit : *bits & ~bit);
    s->depth++;
    s->in_object = is_object;
    if (s->max_depth != 0 && s->depth > s->max_depth)
        break_limit(s, MUR_JSON_DEPTH, s->at, "nested too deep");
    s->at++;
}

static void close_bracket(scanner *s)
{
    s->at++;
    s->depth--;
    s->in_object = *level_bits(s, s->depth) >> s->depth % 8 & 1;
}

/* The offset of the first byte from `at` that is not a plain one of a string: a quote, a backslash, a control character
 * or the beginning of a code point above U+007F. Eight at a time: `x - 1…1 & ~x` has the high bit of each byte of x
 * that is zero, and of some behind the first such one, which does no harm here. */
static size_t skip_plain(mur_view text, size_t at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    for (uint64_t x; text.len - at >= sizeof x; at += sizeof x) {
        memcpy(&x, text.ptr + at, sizeof x);
        uint64_t quote = x ^ ones * '"', backslash = x ^ ones * '\\';
        uint64_t stops = ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((x - ones * 0x20) & ~x) | x;
        if (stops & highs)
            break;
    }
    while (at < text.len && (unsigned char)text.ptr[at] - 0x20u < 0x60 && text.ptr[at] != '"' && text.ptr[at] != '\\')
        at++;
    return at;
}

static bool is_hexadecimal(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool scan_escape(scanner *s)
{
    size_t begin = s->at;
    if (s->text.len - begin < 2)
        return fail_at(s, s->text.len, "expected more of an escape");
    switch (s->text.ptr[begin + 1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': s->at = begin + 2; return true;
    case 'u': break;
    default: return fail_at(s, begin + 1, "no such escape");
    }
    for (size_t i = begin + 2; i < begin + 6; i++)
        if (i >= s->text.len || !is_hexadecimal(s->text.ptr[i]))
            return fail_at(s, i, "expected four hexadecimal digits after \\u");
    if (memcmp(s->text.ptr + begin + 2, "0000", 4) == 0)
        break_limit(s, MUR_JSON_NUL, begin, "U+0000 in a string");
    s->at = begin + 6;
    return true;
}

static bool scan_string(scanner *s)
{
    size_t begin = s->at++;
    for (;;) {
        s->at = skip_plain(s->text, s->at);
        if (s->at >= s->text.len)
            return fail_at(s, begin, "string without an end");
        unsigned char c = (unsigned char)s->text.ptr[s->at];
        if (c == '"') {
            s->at++;
            return true;
        }
        if (c == '\\') {
            if (!scan_escape(s))
                return false;
        } else if (c < 0x20) {
            return fail_at(s, s->at, c ? "control character in a string" : "U+0000 in a string");
        } else {
            uint32_t point;
            int length = mur_utf8_decode(&point, s->text.ptr + s->at, s->text.len - s->at);
            if (length < 0)
                return fail_at(s, s->at, "not UTF-8");
            s->at += (size_t)length;
        }
    }
}

/* Whether a number or literal could go on with this byte: then it is not one, rather than two values side by side. */
static bool continues_word(const scanner *s)
{
    char c = s->at < s->text.len ? s->text.ptr[s->at] : ' ';
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '+' ||
           c == '-';
}

static bool scan_digits(scanner *s)
{
    size_t begin = s->at;
    while (s->at < s->text.len && s->text.ptr[s->at] >= '0' && s->text.ptr[s->at] <= '9')
        s->at++;
    return s->at > begin || fail_at(s, s->at, "expected a digit");
}

static bool next_is(const scanner *s, char c)
{
    return s->at < s->text.len && s->text.ptr[s->at] == c;
}

static bool scan_number(scanner *s)
{
    if (next_is(s, '-'))
        s->at++;
    if (next_is(s, 'I') || next_is(s, 'N'))
        return fail_at(s, s->at, "NaN and Infinity are not numbers of JSON");
    if (next_is(s, '0'))
        s->at++;
    else if (!scan_digits(s))
        return false;
    if (next_is(s, '.')) {
        s->at++;
        if (!scan_digits(s))
            return false;
    }
    if (next_is(s, 'e') || next_is(s, 'E')) {
        s->at++;
        if (next_is(s, '+') || next_is(s, '-'))
            s->at++;
        if (!scan_digits(s))
            return false;
    }
    return !continues_word(s) || fail_at(s, s->at, "expected the end of a number");
}

static bool scan_literal(scanner *s, const char *word)
{
    size_t len = strlen(word);
    if (s->text.len - s->at < len || memcmp(s->text.ptr + s->at, word, len) != 0)
        return fail_at(s, s->at, "expected a value");
    s->at += len;
    return !continues_word(s) || fail_at(s, s->at, "expected the end of a literal");
}

/* From the first byte of a value: all of a scalar, the opening bracket of anything else. */
static bool scan_value_begin(scanner *s)
{
    char c = s->at < s->text.len ? s->text.ptr[s->at] : '\0';
    switch (c) {
    case '"': return scan_string(s);
    case '{':
    case '[': open_bracket(s, c == '{'); return true;
    case 't': return scan_literal(s, "true");
    case 'f': return scan_literal(s, "false");
    case 'n': return scan_literal(s, "null");
    case 'N':
    case 'I': return fail_at(s, s->at, "NaN and Infinity are not numbers of JSON");
    default: break;
    }
    if (c == '-' || (c >= '0' && c <= '9'))
        return scan_number(s);
    return fail_at(s, s->at, "expected a value");
}

/* A member's name and colon, up to its value. */
static bool scan_name(scanner *s)
{
    s->at = skip_space(s->text, s->at);
    if (!next_is(s, '"'))
        return fail_at(s, s->at, "expected a name in quotes");
    if (!scan_string(s))
        return false;
    s->at = skip_space(s->text, s->at);
    if (!next_is(s, ':'))
        return fail_at(s, s->at, "expected ':' after a name");
    s->at = skip_space(s->text, s->at + 1);
    return true;
}

/* Behind a value: closes what ends here, until the outermost value is done or another value begins. */
static bool scan_value_end(scanner *s)
{
    while (s->depth > 0) {
        s->at = skip_space(s->text, s->at);
        if (next_is(s, s->in_object ? '}' : ']')) {
            close_bracket(s);
            continue;
        }
        if (!next_is(s, ','))
            return fail_at(
                s, s->at, s->in_object ? "expected ',' or '}' after a member" : "expected ',' or ']' after an element");
        s->at = skip_space(s->text, s->at + 1);
        return !s->in_object || scan_name(s);
    }
    return true;
}

void mur_json_scan_value(mur_json_scan *out, mur_view text, size_t from, size_t max_depth)
{
    scanner s = {.text = text, .out = out, .max_depth = max_depth};
    s.at = skip_space(text, from);
    *out = (mur_json_scan){.begin = s.at, .end = s.at, .where = s.at, .detail = ""};
    if (s.at < text.len)
        out->kind = kind_of(text.ptr[s.at]);

    for (;;) {
        size_t depth = s.depth;
        if (!scan_value_begin(&s))
            break;
        if (s.depth > depth) { /* a bracket: what follows is its end or its first value */
            s.at = skip_space(text, s.at);
            if (!next_is(&s, s.in_object ? '}' : ']')) {
                if (s.in_object && !scan_name(&s))
                    break;
                continue;
            }
        }
        if (!scan_value_end(&s))
            break;
        if (s.depth == 0) {
            out->end = s.at;
            break;
        }
    }
    mur_buf_clear(&s.far);
}

void mur_json_check(mur_json_scan *out, mur_view text, size_t max_depth)
{
    mur_json_scan_value(out, text, 0, max_depth);
    if (out->verdict == MUR_JSON_SYNTAX || out->verdict == MUR_JSON_ENCODING)
        return;
    scanner s = {.text = text, .out = out};
    size_t rest = skip_space(text, out->end);
    if (rest < text.len)
        fail_at(&s, rest, "expected nothing after the value");
}
