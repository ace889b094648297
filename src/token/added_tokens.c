#include "added_tokens.h"

#include <stdlib.h>

#include "lines.h"
#include "murmur/mem.h"
#include "murmur/utf8.h"
#include "unicode_class.h"

#define MOST_TOKENS 4096 /* there are a handful */

void mur_added_tokens_clear(mur_added_tokens *a)
{
    mur_map_clear(&a->strings);
    free(a->tokens);
    *a = (mur_added_tokens){0};
}

int mur_added_tokens_add(mur_added_tokens *a, mur_view string, mur_added_token token)
{
    if (string.len == 0)
        return mur_fail(MUR_EDATA, "an empty token");
    if (a->strings.n_keys == MOST_TOKENS && mur_map_find(&a->strings, string) == MUR_MAP_NONE)
        return mur_fail(MUR_EDATA, "more than %d added tokens", MOST_TOKENS);
    bool is_new;
    size_t number = mur_map_add(&a->strings, string, &is_new);
    if (!is_new)
        return 0;
    if (number == a->cap_tokens) {
        a->cap_tokens = mur_grown(a->cap_tokens, number + 1);
        a->tokens = mur_realloc(a->tokens, a->cap_tokens, sizeof *a->tokens);
    }
    a->tokens[number] = token;
    a->begins[(unsigned char)string.ptr[0]] = true;
    return 0;
}

/* The number of the longest token at the start of `text`; MUR_MAP_NONE when there is none. */
static size_t longest_at_start(const mur_added_tokens *a, mur_view text)
{
    size_t longest = 0, found = MUR_MAP_NONE;
    for (size_t i = 0; i < a->strings.n_keys; i++) {
        mur_view string = mur_map_key(&a->strings, i);
        if (string.len > longest && string.len <= text.len && memcmp(string.ptr, text.ptr, string.len) == 0) {
            longest = string.len;
            found = i;
        }
    }
    return found;
}

static bool is_word_at_start(mur_view text)
{
    uint32_t point;
    return text.len > 0 && mur_utf8_decode(&point, text.ptr, text.len) > 0 && (mur_unicode_class(point) & MUR_WORD);
}

static bool is_word_at_end(mur_view text)
{
    size_t length = text.len > 0;
    while (length < text.len && length < 4 && ((unsigned char)text.ptr[text.len - length] & 0xC0) == 0x80)
        length++;
    return is_word_at_start((mur_view){text.ptr + text.len - length, length});
}

static mur_view before(mur_view text, size_t at)
{
    return (mur_view){text.ptr, at};
}

static mur_view from(mur_view text, size_t at)
{
    return (mur_view){text.ptr + at, text.len - at};
}

/* The number of the first token from `*at` on, or MUR_MAP_NONE; `*at` is where it stands, or the text's end. */
static size_t find_token(const mur_added_tokens *a, mur_view text, size_t *at)
{
    while (*at < text.len) {
        size_t number = MUR_MAP_NONE;
        if (a->begins[(unsigned char)text.ptr[*at]])
            number = longest_at_start(a, from(text, *at));
        if (number == MUR_MAP_NONE) {
            ++*at;
            continue;
        }
        size_t end = *at + mur_map_key(&a->strings, number).len;
        if (!a->tokens[number].is_whole_word ||
            (!is_word_at_end(before(text, *at)) && !is_word_at_start(from(text, end))))
            return number;
        *at = end;
    }
    return MUR_MAP_NONE;
}

static void take_pending(mur_added_scan *s)
{
    size_t number = s->pending - 1, len = mur_map_key(&s->added->strings, number).len;
    s->pending = 0;
    s->token = &s->added->tokens[number];
    s->piece = (mur_view){s->text.ptr + s->at, len};
    s->at += len;
    if (s->token->takes_right_space)
        s->at += mur_view_blank_at_start(from(s->text, s->at));
}

bool mur_added_scan_next(mur_added_scan *s)
{
    if (!s->pending && s->at < s->text.len) {
        size_t first = s->at;
        size_t number = find_token(s->added, s->text, &s->at);
        s->pending = number == MUR_MAP_NONE ? 0 : number + 1;
        s->token = NULL;
        s->piece = (mur_view){s->text.ptr + first, s->at - first};
        if (s->pending && s->added->tokens[number].takes_left_space)
            s->piece = mur_view_strip_end(s->piece);
        if (s->piece.len > 0)
            return true;
    }
    if (!s->pending)
        return false;
    take_pending(s);
    return true;
}
