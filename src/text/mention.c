#include "murmur/mention.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "murmur/mem.h"
#include "murmur/utf8.h"

#define FULLWIDTH_SIGN "\xEF\xBC\xA0" /* U+FF20 */
#define FULLWIDTH_SIGN_LEN 3
#define MAX_NAME 20
#define MAX_LIST 25 /* a list's name, its first letter included */

const char *mur_mention_rule_name(mur_mention_rule rule)
{
    return rule == MUR_MENTION_TWITTER ? "twitter" : "word";
}

bool mur_mention_rule_from_name(mur_mention_rule *rule, const char *name)
{
    for (int r = MUR_MENTION_TWITTER; r <= MUR_MENTION_WORD; r++) {
        if (strcmp(name, mur_mention_rule_name((mur_mention_rule)r)) == 0) {
            *rule = (mur_mention_rule)r;
            return true;
        }
    }
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c);
}

/* The length of the sign at `at`, 0 where there is none. */
static size_t sign_len(mur_view text, size_t at)
{
    if (text.ptr[at] == '@')
        return 1;
    bool is_fullwidth =
        text.len - at >= FULLWIDTH_SIGN_LEN && memcmp(text.ptr + at, FULLWIDTH_SIGN, FULLWIDTH_SIGN_LEN) == 0;
    return is_fullwidth ? FULLWIDTH_SIGN_LEN : 0;
}

/* Whether the sign at `at` may begin a mention, as far as what stands before it goes. twitter-text matches that with
 * the mention, and matches do not overlap: it must lie behind `consumed`, the end of the last match. It is the start of
 * the text, or a code point that is none of [A-Za-z0-9_!#$%&*@＠], or RT in any case, at the start or behind a code
 * point that is none of [A-Za-z0-9_+~.-]. (RT: is the case before: ':'.) */
static bool may_begin(mur_view text, size_t at, size_t consumed)
{
    if (at == 0)
        return true;
    if (at == consumed)
        return false;
    const char *before = text.ptr + at - 1;
    if (at >= consumed + 2 && (before[0] | 0x20) == 't' && (before[-1] | 0x20) == 'r') {
        size_t retweet = at - 2;
        if (retweet == 0)
            return true;
        char leading = text.ptr[retweet - 1];
        return retweet > consumed && !is_word(leading) && !is_one_of(leading, "+~.-");
    }
    if (at >= FULLWIDTH_SIGN_LEN && memcmp(text.ptr + at - FULLWIDTH_SIGN_LEN, FULLWIDTH_SIGN, FULLWIDTH_SIGN_LEN) == 0)
        return false;
    return !is_word(*before) && !is_one_of(*before, "!#$%&*@");
}

/* twitter-text's latinAccentChars (regexp/latinAccentChars.js): letters that would belong to the name if names had
 * them. */
static bool is_latin_accent(uint32_t point)
{
    static const uint32_t singles[] = {0x253, 0x254, 0x256, 0x257, 0x259, 0x25B, 0x263,
                                       0x268, 0x26F, 0x272, 0x289, 0x28B, 0x2BB};
    if ((point >= 0xC0 && point <= 0x24F && point != 0xD7 && point != 0xF7) || (point >= 0x300 && point <= 0x36F) ||
        (point >= 0x1E00 && point <= 0x1EFF))
        return true;
    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++)
        if (point == singles[i])
            return true;
    return false;
}

/* Whether a mention may end where `at` comes next. */
static bool may_end(mur_view text, size_t at)
{
    if (at >= text.len)
        return true;
    if ((unsigned char)text.ptr[at] < 0x80)
        return text.ptr[at] != '@' && !(text.len - at >= 3 && memcmp(text.ptr + at, "://", 3) == 0);
    uint32_t point;
    mur_utf8_decode(&point, text.ptr + at, text.len - at);
    return point != 0xFF20 && !is_latin_accent(point);
}

/* The length of the list part, "/name", at `at`; 0 where there is none. */
static size_t list_len(mur_view text, size_t at)
{
    if (text.len - at < 2 || text.ptr[at] != '/' || !is_letter(text.ptr[at + 1]))
        return 0;
    size_t len = 2;
    while (len < 1 + MAX_LIST && at + len < text.len && (is_word(text.ptr[at + len]) || text.ptr[at + len] == '-'))
        len++;
    return len;
}

static void add_found(mur_mentions *m, mur_view mention)
{
    if (m->n_found == m->cap_found) {
        m->cap_found = mur_grown(m->cap_found, m->n_found + 1);
        m->found = mur_realloc(m->found, m->cap_found, sizeof *m->found);
    }
    m->found[m->n_found++] = mention;
}

static void find_twitter(mur_mentions *m, mur_view text)
{
    size_t consumed = 0, kept = 0; /* the end of the last match; of the last mention, which is copied up to here */
    size_t at = 0;
    while (at < text.len) {
        size_t sign = sign_len(text, at), name = 0;
        if (sign != 0 && may_begin(text, at, consumed))
            while (name < MAX_NAME && at + sign + name < text.len && is_word(text.ptr[at + sign + name]))
                name++;
        if (name == 0) {
            at += sign ? sign : 1;
            continue;
        }
        size_t name_end = at + sign + name;
        consumed = name_end + list_len(text, name_end);
        if (consumed == name_end && may_end(text, name_end)) {
            add_found(m, (mur_view){text.ptr + at, name_end - at});
            mur_buf_append(&m->cleaned, text.ptr + kept, at - kept);
            kept = name_end;
        }
        at = consumed;
    }
    mur_buf_append(&m->cleaned, text.ptr + kept, text.len - kept);
}

static void find_word(mur_mentions *m, mur_view text)
{
    size_t kept = 0, at = 0;
    while (at < text.len) {
        size_t begin = at;
        bool is_mention = false;
        /* A token: between separators, all of [@\w]; each @\w+ in it is cut out, and it is a mention if it begins so.
         */
        while (at < text.len && (text.ptr[at] == '@' || is_word(text.ptr[at]))) {
            size_t sign = at++;
            if (text.ptr[sign] != '@' || at == text.len || !is_word(text.ptr[at]))
                continue;
            is_mention = is_mention || sign == begin;
            mur_buf_append(&m->cleaned, text.ptr + kept, sign - kept);
            while (at < text.len && is_word(text.ptr[at]))
                at++;
            kept = at;
        }
        if (is_mention)
            add_found(m, (mur_view){text.ptr + begin, at - begin});
        at += at == begin;
    }
    mur_buf_append(&m->cleaned, text.ptr + kept, text.len - kept);
}

void mur_mentions_find(mur_mentions *m, mur_mention_rule rule, mur_view text)
{
    m->n_found = 0;
    mur_buf_reset(&m->cleaned);
    mur_buf_reserve(&m->cleaned, text.len);
    if (rule == MUR_MENTION_TWITTER)
        find_twitter(m, text);
    else
        find_word(m, text);
}

void mur_mentions_clear(mur_mentions *m)
{
    free(m->found);
    mur_buf_clear(&m->cleaned);
    *m = (mur_mentions){0};
}
