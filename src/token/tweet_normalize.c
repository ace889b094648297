#include "tweet_normalize.h"

#include <stdbool.h>

#include "html_entity.h"
#include "tweet_scan.h"
#include "unicode_class.h"

#define RIGHT_QUOTE 0x2019
#define ELLIPSIS 0x2026
#define LONGEST_RUN 3

/* What a text must hold for a contraction to be in it. No replacement brings one of these about. */
enum { CLUE_NN = 1, CLUE_QUOTE = 2, CLUE_DOT_M = 4 };

static const struct {
    uint32_t point;
    const char *name;
} emoji[] = {
#include "emoji_table.inc"
};

/* Applied to the whole text one after the other. The spaces at their ends keep what ends a text whole. */
static const struct {
    const char *from, *to;
    uint8_t clue;
} contractions[] = {
    {"cannot ", "can not ", CLUE_NN}, {"n't ", " n't ", CLUE_QUOTE},     {"n 't ", " n't ", CLUE_QUOTE},
    {"ca n't", "can't", CLUE_QUOTE},  {"ai n't", "ain't", CLUE_QUOTE},   {"'m ", " 'm ", CLUE_QUOTE},
    {"'re ", " 're ", CLUE_QUOTE},    {"'s ", " 's ", CLUE_QUOTE},       {"'ll ", " 'll ", CLUE_QUOTE},
    {"'d ", " 'd ", CLUE_QUOTE},      {"'ve ", " 've ", CLUE_QUOTE},     {" p . m .", "  p.m.", CLUE_DOT_M},
    {" p . m ", " p.m ", CLUE_DOT_M}, {" a . m .", " a.m.", CLUE_DOT_M}, {" a . m ", " a.m ", CLUE_DOT_M},
};

static void decode(mur_points *text, mur_view bytes)
{
    text->len = 0;
    mur_points_append_utf8(text, bytes);

    size_t n_ellipses = 0;
    for (size_t i = 0; i < text->len; i++) {
        if (text->ptr[i] == RIGHT_QUOTE)
            text->ptr[i] = '\'';
        n_ellipses += text->ptr[i] == ELLIPSIS;
    }
    if (n_ellipses == 0)
        return;

    /* Spread from the end, so that each ellipsis finds room for its three dots. */
    mur_points_reserve(text, 2 * n_ellipses);
    size_t to = text->len + 2 * n_ellipses;
    text->len = to;
    for (size_t from = to - 2 * n_ellipses; from-- > 0;) {
        int copies = text->ptr[from] == ELLIPSIS ? 3 : 1;
        uint32_t point = copies == 3 ? '.' : text->ptr[from];
        while (copies-- > 0)
            text->ptr[--to] = point;
    }
}

static void decode_entities(mur_points *text)
{
    size_t to = 0;
    for (size_t at = 0; at < text->len;) {
        uint32_t point = text->ptr[at];
        size_t length = point == '&' ? mur_html_entity(&point, text->ptr + at, text->len - at) : 0;
        if (point != MUR_ENTITY_NONE)
            text->ptr[to++] = point;
        at += length ? length : 1;
    }
    text->len = to;
}

static void shorten_runs(mur_points *text)
{
    size_t to = 0, run = 0;
    for (size_t at = 0; at < text->len; at++) {
        uint32_t point = text->ptr[at];
        run = at > 0 && point == text->ptr[at - 1] ? run + 1 : 1;
        bool is_kept_long = point < 0x80 && (mur_ascii_class[point] & MUR_AZ09);
        if (run <= LONGEST_RUN || is_kept_long)
            text->ptr[to++] = point;
    }
    text->len = to;
}

static const char *emoji_name(uint32_t point)
{
    size_t first = 0, end = sizeof emoji / sizeof *emoji;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (emoji[middle].point == point)
            return emoji[middle].name;
        if (emoji[middle].point < point)
            first = middle + 1;
        else
            end = middle;
    }
    return NULL;
}

/* `prefix` in lower case letters. */
static bool begins_with(const uint32_t *token, size_t len, const char *prefix)
{
    for (; *prefix; prefix++, token++, len--)
        if (len == 0 || *token > 'z' || (*token | 0x20) != (uint32_t)*prefix)
            return false;
    return true;
}

static void append_token(mur_points *out, const uint32_t *token, size_t len)
{
    if (token[0] == '@') {
        mur_points_append_ascii(out, "@USER");
        return;
    }
    if (begins_with(token, len, "http") || begins_with(token, len, "www")) {
        mur_points_append_ascii(out, "HTTPURL");
        return;
    }
    if (len > 1 || token[0] < 0x80) {
        mur_points_append_run(out, token, len);
        return;
    }

    const char *name = emoji_name(token[0]);
    if (token[0] == RIGHT_QUOTE) /* entities may have brought it back */
        mur_points_append(out, '\'');
    else if (token[0] == ELLIPSIS)
        mur_points_append_ascii(out, "...");
    else if (name)
        mur_points_append_utf8(out, mur_view_of(name));
    else
        mur_points_append(out, token[0]);
}

static void join_tokens(mur_tweet_normalizer *n)
{
    mur_points *text = &n->text;
    mur_points_reserve(text, 1); /* the scan's end mark */
    mur_buf_reset(&n->classes);
    uint8_t *classes = (uint8_t *)mur_buf_reserve(&n->classes, text->len + 1);
    for (size_t i = 0; i < text->len; i++)
        classes[i] = mur_unicode_class(text->ptr[i]);

    n->joined.len = 0;
    tweet_scan scan = {.points = text->ptr, .classes = classes, .len = text->len};
    tweet_scan_begin(&scan);
    for (bool is_first = true; tweet_scan_next(&scan); is_first = false) {
        if (!is_first) /* even behind an emoji whose name is empty */
            mur_points_append(&n->joined, ' ');
        append_token(&n->joined, text->ptr + scan.first, scan.end - scan.first);
    }
}

static bool matches(const mur_points *text, size_t at, const char *pattern)
{
    for (; *pattern; pattern++, at++)
        if (at == text->len || text->ptr[at] != (unsigned char)*pattern)
            return false;
    return true;
}

static void replace_all(mur_tweet_normalizer *n, const char *from, const char *to)
{
    mur_points *text = &n->joined, *out = &n->swapped;
    size_t from_len = strlen(from), done = 0;
    out->len = 0;
    for (size_t at = 0; at + from_len <= text->len;) {
        if (text->ptr[at] != (unsigned char)*from || !matches(text, at, from)) {
            at++;
            continue;
        }
        mur_points_append_run(out, text->ptr + done, at - done);
        mur_points_append_ascii(out, to);
        at += from_len;
        done = at;
    }
    if (done == 0)
        return;
    mur_points_append_run(out, text->ptr + done, text->len - done);
    mur_points swap = *text;
    *text = *out;
    *out = swap;
}

static void split_contractions(mur_tweet_normalizer *n)
{
    unsigned clues = 0;
    uint32_t before = 0, before_that = 0;
    for (size_t i = 0; i < n->joined.len; i++) {
        uint32_t point = n->joined.ptr[i];
        clues |= point == '\'' ? CLUE_QUOTE : 0;
        clues |= point == 'n' && before == 'n' ? CLUE_NN : 0;
        clues |= point == 'm' && before == ' ' && before_that == '.' ? CLUE_DOT_M : 0;
        before_that = before;
        before = point;
    }
    for (size_t i = 0; clues && i < sizeof contractions / sizeof *contractions; i++)
        if (clues & contractions[i].clue)
            replace_all(n, contractions[i].from, contractions[i].to);
}

const mur_points *mur_tweet_normalize(mur_tweet_normalizer *n, mur_view text)
{
    decode(&n->text, text);
    decode_entities(&n->text);
    shorten_runs(&n->text);
    join_tokens(n);
    split_contractions(n);
    return &n->joined;
}

void mur_tweet_normalizer_clear(mur_tweet_normalizer *n)
{
    mur_points_clear(&n->text);
    mur_buf_clear(&n->classes);
    mur_points_clear(&n->joined);
    mur_points_clear(&n->swapped);
}
