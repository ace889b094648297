/* Mentions by a slow second reading of the rules: twitter-text's expression tried at every byte, as a matcher would. */
#include "fuzz.h"

#include "murmur/mention.h"
#include "murmur/utf8.h"

const char *const mur_fuzz_seeds[] = {
    "@bob hi @Al_1, RT@cy: rt:@dy x@no !@no @@no",
    "\xEF\xBC\xA0"
    "bob \xE3\x81\xAE@al\xE3\x81\xAB \xF0\x9F\x98\x80@cy\xC3\xAC @d\xCC\x81 @e\xEF\xBC\xA0",
    "@bob/list @al/7 @cy/li-@dy @abcdefghij0123456789xyz @http://x.co a@b.com",
    "(RT@a) ~RT@b @_@ .@c /@d -@e\n@f _RT:@g #@h &@i $@j",
    "@bob/abcdefghijklmnopqrstuvwxyz-@al xRT@RT@RT@x",
    NULL,
};

typedef struct points {
    uint32_t *point;
    size_t *offset; /* in bytes; one more than points */
    size_t n;
} points;

static bool is_in(uint32_t point, const char *set)
{
    for (; *set; set++)
        if (point == (unsigned char)*set)
            return true;
    return false;
}

static bool is_alphanumeric(uint32_t p)
{
    return (p >= 'a' && p <= 'z') || (p >= 'A' && p <= 'Z') || (p >= '0' && p <= '9');
}

static bool is_sign(uint32_t p)
{
    return p == '@' || p == 0xFF20;
}

static bool is_accent(uint32_t p)
{
    static const uint32_t ranges[][2] = {
        {0xC0, 0xD6},   {0xD8, 0xF6},   {0xF8, 0xFF},   {0x100, 0x24F}, {0x253, 0x254},   {0x256, 0x257},
        {0x259, 0x259}, {0x25B, 0x25B}, {0x263, 0x263}, {0x268, 0x268}, {0x26F, 0x26F},   {0x272, 0x272},
        {0x289, 0x289}, {0x28B, 0x28B}, {0x2BB, 0x2BB}, {0x300, 0x36F}, {0x1E00, 0x1EFF},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (p >= ranges[i][0] && p <= ranges[i][1])
            return true;
    return false;
}

/* The point at `i`; something that no set has where the text has ended. */
static uint32_t at(const points *t, size_t i)
{
    return i < t->n ? t->point[i] : 0xFFFFFFFF;
}

static size_t skip_rt(const points *t, size_t i)
{
    if (!is_in(at(t, i), "rR") || !is_in(at(t, i + 1), "tT"))
        return 0;
    return i + 2;
}

/* Where the sign is if what may stand before a mention matches from `i`; n + 1 if it does not. */
static size_t match_before(const points *t, size_t i)
{
    if (i == 0 && is_sign(at(t, 0)))
        return 0;
    uint32_t p = at(t, i);
    if (i < t->n && !is_alphanumeric(p) && !is_in(p, "_!#$%&*@") && p != 0xFF20 && is_sign(at(t, i + 1)))
        return i + 1;
    for (int at_start = 1; at_start >= 0; at_start--) {
        bool fits = at_start ? i == 0 : i < t->n && !is_alphanumeric(p) && !is_in(p, "_+~.-");
        size_t end = fits ? skip_rt(t, at_start ? i : i + 1) : 0;
        if (end && is_sign(at(t, end)))
            return end;
        if (end && at(t, end) == ':' && is_sign(at(t, end + 1)))
            return end + 1;
    }
    return t->n + 1;
}

/* The mentions as pairs of byte offsets; returns how many. */
static size_t find_slowly(const points *t, size_t (*spans)[2])
{
    size_t n = 0;
    for (size_t i = 0; i < t->n;) {
        size_t sign = match_before(t, i), end = sign + 1;
        while (sign <= t->n && end < sign + 21 && (is_alphanumeric(at(t, end)) || at(t, end) == '_'))
            end++;
        if (sign > t->n || end == sign + 1) {
            i++;
            continue;
        }
        size_t list = end;
        if (at(t, end) == '/' && is_alphanumeric(at(t, end + 1)) && !is_in(at(t, end + 1), "0123456789"))
            for (list = end + 2; list < end + 26 && (is_alphanumeric(at(t, list)) || is_in(at(t, list), "_-")); list++)
                continue;
        bool is_url = at(t, list) == ':' && at(t, list + 1) == '/' && at(t, list + 2) == '/';
        if (list == end && !is_sign(at(t, end)) && !is_accent(at(t, end)) && !is_url) {
            spans[n][0] = t->offset[sign];
            spans[n++][1] = t->offset[end];
        }
        i = list;
    }
    return n;
}

/* Any bytes as valid UTF-8: what is not becomes U+FFFD. */
static void make_points(points *t, mur_buf *text, const uint8_t *bytes, size_t len)
{
    t->point = malloc((len + 1) * sizeof *t->point);
    t->offset = malloc((len + 1) * sizeof *t->offset);
    CHECK(t->point && t->offset);
    t->n = 0;
    for (size_t i = 0; i < len;) {
        int step = mur_utf8_decode(&t->point[t->n], (const char *)bytes + i, len - i);
        i += (size_t)(step < 0 ? -step : step);
        t->offset[t->n] = text->len;
        mur_utf8_append(text, t->point[t->n++]);
    }
    t->offset[t->n] = text->len;
}

static void check_twitter(const points *t, mur_view text)
{
    mur_mentions m = {0};
    mur_buf cleaned = {0};
    size_t(*spans)[2] = malloc((t->n + 1) * sizeof *spans), kept = 0;
    CHECK(spans);
    size_t n = find_slowly(t, spans);
    mur_mentions_find(&m, MUR_MENTION_TWITTER, text);
    CHECK(m.n_found == n);
    for (size_t i = 0; i < n; i++) {
        CHECK(m.found[i].ptr == text.ptr + spans[i][0] && m.found[i].len == spans[i][1] - spans[i][0]);
        mur_buf_append(&cleaned, text.ptr + kept, spans[i][0] - kept);
        kept = spans[i][1];
    }
    mur_buf_append(&cleaned, text.ptr + kept, text.len - kept);
    CHECK(mur_view_equal(mur_buf_view(&cleaned), mur_buf_view(&m.cleaned)));
    mur_buf_clear(&cleaned);
    mur_mentions_clear(&m);
    free(spans);
}

static bool is_word_at(mur_view text, size_t i)
{
    return i < text.len && (is_alphanumeric((unsigned char)text.ptr[i]) || text.ptr[i] == '_');
}

static void check_word(mur_view text)
{
    mur_mentions m = {0};
    mur_buf cleaned = {0};
    for (size_t i = 0; i < text.len;) {
        if (text.ptr[i] != '@' || !is_word_at(text, i + 1))
            mur_buf_append_byte(&cleaned, text.ptr[i++]);
        else
            for (i++; is_word_at(text, i); i++)
                continue;
    }
    mur_mentions_find(&m, MUR_MENTION_WORD, text);
    CHECK(mur_view_equal(mur_buf_view(&cleaned), mur_buf_view(&m.cleaned)));
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool begins = i == 0 || !(is_word_at(text, i - 1) || text.ptr[i - 1] == '@');
        if (!begins || text.ptr[i] != '@' || !is_word_at(text, i + 1))
            continue;
        CHECK(n < m.n_found && m.found[n].ptr == text.ptr + i);
        size_t end = i + m.found[n++].len;
        for (size_t k = i; k < end; k++)
            CHECK(is_word_at(text, k) || text.ptr[k] == '@');
        CHECK(end == text.len || !(is_word_at(text, end) || text.ptr[end] == '@'));
    }
    CHECK(n == m.n_found);
    mur_buf_clear(&cleaned);
    mur_mentions_clear(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    points t;
    mur_buf text = {0};
    mur_buf_reserve(&text, 1);
    make_points(&t, &text, bytes, len);
    check_twitter(&t, mur_buf_view(&text));
    check_word(mur_buf_view(&text));
    free(t.point);
    free(t.offset);
    mur_buf_clear(&text);
    return 0;
}
