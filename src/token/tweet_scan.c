/* The alternatives of the token scan in their order; regular expressions stand above the functions that replace them.
 * Each function returns where its match from `at` ends, or 0. */
#include "tweet_scan.h"

#include "unicode_class.h"

/* \d{count}, from `at`; 0 where they are fewer. */
static size_t digits(const tweet_scan *s, size_t at, int count)
{
    for (; count > 0; count--, at++)
        if (!(s->classes[at] & MUR_DIGIT))
            return 0;
    return at;
}

static size_t phone_separators(const tweet_scan *s, size_t at)
{
    while (tweet_is_one_of(s->points[at], " *-.)"))
        at++;
    return at;
}

/* \d{3} [ *\-.)]* \d{4}   The separators are no digits, so there is one way to match, here and below. */
static size_t local_phone(const tweet_scan *s, size_t at)
{
    size_t end = digits(s, at, 3);
    return end ? digits(s, phone_separators(s, end), 4) : 0;
}

/* (?: \(? \d{3} [ *\-.)]* )? and the local number */
static size_t national_phone(const tweet_scan *s, size_t at)
{
    size_t end = digits(s, at + (s->points[at] == '('), 3);
    end = end ? local_phone(s, phone_separators(s, end)) : 0;
    return end ? end : local_phone(s, at);
}

/* (?: \+? [01] [ *\-.)]* )? and the national number */
static size_t phone(tweet_scan *s, size_t at)
{
    size_t end = at + (s->points[at] == '+');
    if (s->points[end] == '0' || s->points[end] == '1') {
        end = national_phone(s, phone_separators(s, end + 1));
        if (end)
            return end;
    }
    return national_phone(s, at);
}

static bool is_eyes(uint32_t point)
{
    return tweet_is_one_of(point, ":;=8");
}

static bool is_nose(uint32_t point)
{
    return tweet_is_one_of(point, "-oO*'");
}

static bool is_mouth(uint32_t point)
{
    return tweet_is_one_of(point, ")]([dDpP/:}{@|\\");
}

static bool is_angle(uint32_t point)
{
    return point == '<' || point == '>';
}

/* [<>]? eyes nose? mouth  |  mouth nose? eyes [<>]?  |  <3   Nothing is both nose and what may follow one. */
static size_t emoticon(tweet_scan *s, size_t at)
{
    const uint32_t *p = s->points;
    size_t eyes = at + is_angle(p[at]);
    if (is_eyes(p[eyes])) {
        size_t mouth = eyes + 1 + is_nose(p[eyes + 1]);
        if (is_mouth(p[mouth]))
            return mouth + 1;
    }
    if (is_mouth(p[at])) {
        eyes = at + 1 + is_nose(p[at + 1]);
        if (is_eyes(p[eyes]))
            return eyes + 1 + is_angle(p[eyes + 1]);
    }
    return p[at] == '<' && p[at + 1] == '3' ? at + 2 : 0;
}

/* < [^>\s]+ > */
static size_t tag(tweet_scan *s, size_t at)
{
    if (s->points[at] != '<')
        return 0;
    if (at >= s->tag_end) {
        s->tag_end = at + 1;
        while (s->points[s->tag_end] != '>' && !(s->classes[s->tag_end] & MUR_SPACE))
            s->tag_end++;
    }
    return s->points[s->tag_end] == '>' && s->tag_end > at + 1 ? s->tag_end + 1 : 0;
}

/* -+> | <-+ */
static size_t arrow(tweet_scan *s, size_t at)
{
    bool points_left = s->points[at] == '<';
    size_t end = at + points_left;
    while (s->points[end] == '-')
        end++;
    if (points_left)
        return end > at + 1 ? end : 0;
    return end > at && s->points[end] == '>' ? end + 1 : 0;
}

/* \w+ */
static size_t word(tweet_scan *s, size_t at)
{
    size_t end = at;
    while (s->classes[end] & MUR_WORD)
        end++;
    return end > at ? end : 0;
}

/* @ \w+ */
static size_t handle(tweet_scan *s, size_t at)
{
    return s->points[at] == '@' ? word(s, at + 1) : 0;
}

/* #+ \w+ [\w'\-]* \w+   Ends with the last \w, and has two. */
static size_t hashtag(tweet_scan *s, size_t at)
{
    size_t name = at;
    while (s->points[name] == '#')
        name++;
    if (name == at || !(s->classes[name] & MUR_WORD))
        return 0;
    size_t end = name;
    for (size_t i = name; (s->classes[i] & MUR_WORD) || s->points[i] == '\'' || s->points[i] == '-'; i++)
        if (s->classes[i] & MUR_WORD)
            end = i + 1;
    return end >= name + 2 ? end : 0;
}

/* [^\W\d_] (?: [^\W\d_] | ['\-_] )+ [^\W\d_]   Ends with the last letter, three characters on or more. */
static size_t spelled_word(tweet_scan *s, size_t at)
{
    if (!(s->classes[at] & MUR_LETTER))
        return 0;
    size_t end = at;
    for (size_t i = at; (s->classes[i] & MUR_LETTER) || tweet_is_one_of(s->points[i], "'-_"); i++)
        if (s->classes[i] & MUR_LETTER)
            end = i + 1;
    return end >= at + 3 ? end : 0;
}

/* [+\-]? \d+ [,/.:\-] \d+ [+\-]? */
static size_t number(tweet_scan *s, size_t at)
{
    size_t end = at + tweet_is_one_of(s->points[at], "+-");
    for (int part = 0; part < 2; part++) {
        if (!digits(s, end, 1))
            return 0;
        while (s->classes[end] & MUR_DIGIT)
            end++;
        if (part == 0 && !tweet_is_one_of(s->points[end++], ",/.:-"))
            return 0;
    }
    return end + tweet_is_one_of(s->points[end], "+-");
}

/* \. (?: \s* \. )+ */
static size_t dots(tweet_scan *s, size_t at)
{
    if (s->points[at] != '.')
        return 0;
    size_t end = at + 1;
    for (size_t i = end; i < s->len && (s->points[i] == '.' || (s->classes[i] & MUR_SPACE)); i++)
        if (s->points[i] == '.')
            end = i + 1;
    return end > at + 1 ? end : 0;
}

/* ASCII letters and then a character that no alternative carries on with: they are the token, by \w+ if not before.
 * Most tokens are found here, and the alternatives need not be tried. */
static size_t plain_word(const tweet_scan *s, size_t at)
{
    size_t end = at;
    while (s->points[end] < 0x80 && (s->classes[end] & MUR_AZ))
        end++;
    return end > at && ((s->classes[end] & MUR_SPACE) || tweet_is_one_of(s->points[end], ",!?")) ? end : 0;
}

static size_t (*const alternatives[])(tweet_scan *s, size_t at) = {
    tweet_scan_link, tweet_scan_naked_domain, phone,        emoticon, tag,  arrow, handle,
    hashtag,         tweet_scan_email,        spelled_word, number,   word, dots,
};

static size_t end_of_token(tweet_scan *s, size_t at)
{
    size_t plain_end = plain_word(s, at);
    if (plain_end)
        return plain_end;
    for (size_t i = 0; i < sizeof alternatives / sizeof *alternatives; i++) {
        size_t end = alternatives[i](s, at);
        if (end)
            return end;
    }
    return at + 1;
}

void tweet_scan_begin(tweet_scan *s)
{
    s->points[s->len] = TWEET_SCAN_END;
    s->classes[s->len] = MUR_SPACE | MUR_BLANK;
    s->first = s->end = 0;
}

bool tweet_scan_next(tweet_scan *s)
{
    s->first = s->end;
    while (s->first < s->len && (s->classes[s->first] & MUR_SPACE))
        s->first++;
    if (s->first == s->len)
        return false;
    s->end = end_of_token(s, s->first);
    return true;
}
