/* Links and e-mail addresses. Regular expressions stand above the functions that replace them; \s \w [a-z] are
 * MUR_SPACE, MUR_WORD, MUR_AZ. */
#include "tweet_scan.h"
#include "unicode_class.h"

/* [^\s()<>{}\[\]]: what a link is made of beside parentheses. */
static bool is_body(const tweet_scan *s, size_t at)
{
    return !(s->classes[at] & MUR_SPACE) && !tweet_is_one_of(s->points[at], "()<>{}[]");
}

/* [^\s`!()\[\]{};:'".,<>?«»“”‘’]: what a link may end with. */
static bool is_tail(const tweet_scan *s, size_t at)
{
    switch (s->points[at]) {
    case 0xAB:
    case 0xBB:
    case 0x2018:
    case 0x2019:
    case 0x201C:
    case 0x201D: return false;
    default: return is_body(s, at) && !tweet_is_one_of(s->points[at], "`!;:'\".,?");
    }
}

static size_t run_of_body(const tweet_scan *s, size_t at)
{
    while (is_body(s, at))
        at++;
    return at;
}

/* The end of [^\s()]*, from `at`. */
static size_t run_inside_parentheses(const tweet_scan *s, size_t at)
{
    while (!(s->classes[at] & MUR_SPACE) && s->points[at] != '(' && s->points[at] != ')')
        at++;
    return at;
}

/* \( [^\s()]*? \( [^\s()]+ \) [^\s()]*? \)   The runs stop at parentheses, so there is one way to match. */
static size_t nested_parentheses(const tweet_scan *s, size_t at)
{
    size_t inner = run_inside_parentheses(s, at + 1);
    if (s->points[inner] != '(')
        return 0;
    size_t close = run_inside_parentheses(s, inner + 1);
    if (s->points[close] != ')' || close == inner + 1)
        return 0;
    size_t outer = run_inside_parentheses(s, close + 1);
    return s->points[outer] == ')' ? outer + 1 : 0;
}

/* \( [^\s]+? \)   Lazy: ends behind each ) of the stretch in turn, from the second character after the ( on. Returns
 * the next end after `end` (0 to begin), or 0. */
static size_t plain_parentheses(const tweet_scan *s, size_t at, size_t end)
{
    size_t close = end ? end : at + 2;
    if (s->classes[at + 1] & MUR_SPACE)
        return 0;
    while (!(s->classes[close] & MUR_SPACE) && s->points[close] != ')')
        close++;
    return s->points[close] == ')' ? close + 1 : 0;
}

/* Whether some pair of parentheses matches from the ( at `at`: whenever a nested one does, a plain one does. What is
 * kept of a stretch was learned at its first ( that a link came to, so all later questions are about what follows. */
static bool has_parentheses(tweet_scan *s, size_t at)
{
    if (at >= s->stretch.end) {
        s->stretch.last_close = 0;
        for (s->stretch.end = at; !(s->classes[s->stretch.end] & MUR_SPACE); s->stretch.end++)
            if (s->points[s->stretch.end] == ')')
                s->stretch.last_close = s->stretch.end;
    }
    return s->stretch.last_close >= at + 2;
}

/* The position behind the last possible tail in [first, end), or 0. */
static size_t last_tail(const tweet_scan *s, size_t first, size_t end)
{
    while (end > first && !is_tail(s, end - 1))
        end--;
    return end > first ? end : 0;
}

/* Whether a link whose body has got to `at`, one item at least, can be finished. */
static bool can_finish(tweet_scan *s, size_t at)
{
    size_t end = run_of_body(s, at);
    return (s->points[end] == '(' && has_parentheses(s, end)) || last_tail(s, at, end);
}

/* The ( at `at` as an item of the body: the first of its ends from which the link can be finished; 0: none. */
static size_t parentheses_in_body(tweet_scan *s, size_t at)
{
    size_t end = nested_parentheses(s, at);
    if (end && can_finish(s, end))
        return end;
    for (end = plain_parentheses(s, at, 0); end; end = plain_parentheses(s, at, end))
        if (can_finish(s, end))
            return end;
    return 0;
}

/* The rest of a link behind its head, with P for the two kinds of parentheses:
 *     (?: [^\s()<>{}\[\]]+ | P )+ (?: P | tail )
 * The body is greedy and gives back until a tail fits. A run of body characters gives back single ones; a ( that
 * matches at all can always be the tail. So no way is walked twice: it is enough to know which steps can be finished.
 */
static size_t body_and_tail(tweet_scan *s, size_t first)
{
    size_t at = first;
    for (;;) {
        bool has_item = at > first;
        if (s->points[at] == '(' && has_parentheses(s, at)) {
            size_t end = parentheses_in_body(s, at);
            if (end) {
                at = end;
                continue;
            }
            if (!has_item)
                return 0;
            end = nested_parentheses(s, at);
            return end ? end : plain_parentheses(s, at, 0);
        }
        size_t end = run_of_body(s, at);
        if (end == at)
            return 0;
        if (s->points[end] == '(' && has_parentheses(s, end)) {
            at = end;
            continue;
        }
        return last_tail(s, has_item ? at : at + 1, end);
    }
}

/* https? : (?: /{1,3} | [a-z0-9%] ) and the rest. s without case is also U+017F. */
static size_t link_with_scheme(tweet_scan *s, size_t at)
{
    static const char scheme[] = "http";
    for (int i = 0; i < 4; i++, at++)
        if (s->points[at] > 'z' || (s->points[at] | 0x20) != (uint32_t)scheme[i])
            return 0;
    if (s->points[at] == 's' || s->points[at] == 'S' || s->points[at] == 0x17F)
        at++;
    if (s->points[at++] != ':')
        return 0;
    if (s->points[at] != '/')
        return s->points[at] == '%' || (s->classes[at] & MUR_AZ09) ? body_and_tail(s, at + 1) : 0;

    size_t end = at + 1;
    while (end < at + 3 && s->points[end] == '/')
        end++;
    for (; end > at; end--) {
        size_t match_end = body_and_tail(s, end);
        if (match_end)
            return match_end;
    }
    return 0;
}

/* [a-z0-9.\-]+ [.] [a-z]{2,13} / and the rest. All but the slash is in the first class, so the slash ends the run, and
 * the letters before it and their dot are the only way to match. */
static size_t link_with_domain(tweet_scan *s, size_t at)
{
    if (at >= s->domain.end) {
        size_t end = at;
        while ((s->classes[end] & MUR_AZ09) || s->points[end] == '.' || s->points[end] == '-')
            end++;
        size_t letters = end;
        while (letters > at && (s->classes[letters - 1] & MUR_AZ))
            letters--;
        s->domain.end = end;
        s->domain.is_link = s->points[end] == '/' && letters > at && s->points[letters - 1] == '.' &&
                            end - letters >= 2 && end - letters <= 13;
        s->domain.dot = letters > at ? letters - 1 : 0;
    }
    return s->domain.is_link && at < s->domain.dot ? body_and_tail(s, s->domain.end + 1) : 0;
}

size_t tweet_scan_link(tweet_scan *s, size_t at)
{
    size_t end = link_with_scheme(s, at);
    if (!end && ((s->classes[at] & MUR_AZ09) || s->points[at] == '.' || s->points[at] == '-'))
        end = link_with_domain(s, at);
    return end;
}

/* Finds the last place in a run of labels where a link can end: [.] [a-z]{2,13} \b /? (?!@), the letters being a whole
 * label, or \b would not hold. */
static void scan_labels(tweet_scan *s, size_t at)
{
    size_t dot = SIZE_MAX; /* before the label in hand, where its separator is a dot */
    s->labels.dot = SIZE_MAX;
    for (;;) {
        size_t end = at;
        bool is_alphabetic = true;
        for (; s->classes[end] & MUR_AZ09; end++)
            is_alphabetic = is_alphabetic && (s->classes[end] & MUR_AZ);
        if (dot != SIZE_MAX && is_alphabetic && end - at >= 2 && end - at <= 13 && !(s->classes[end] & MUR_WORD)) {
            bool with_slash = s->points[end] == '/' && s->points[end + 1] != '@';
            if (with_slash || s->points[end] != '@') {
                s->labels.dot = dot;
                s->labels.match_end = end + with_slash;
            }
        }
        s->labels.end = end;
        if ((s->points[end] != '.' && s->points[end] != '-') || !(s->classes[end + 1] & MUR_AZ09))
            break;
        dot = s->points[end] == '.' ? end : SIZE_MAX;
        at = end + 1;
    }
}

/* (?<!@) [a-z0-9]+ (?: [.\-] [a-z0-9]+ )* [.] [a-z]{2,13} \b /? (?!@) */
size_t tweet_scan_naked_domain(tweet_scan *s, size_t at)
{
    if (!(s->classes[at] & MUR_AZ09) || (at > 0 && s->points[at - 1] == '@'))
        return 0;
    if (at >= s->labels.end)
        scan_labels(s, at);
    return s->labels.dot != SIZE_MAX && at < s->labels.dot ? s->labels.match_end : 0;
}

static bool is_name(const tweet_scan *s, size_t at)
{
    return (s->classes[at] & MUR_WORD) || s->points[at] == '-';
}

/* @ [\w\-]+ \. (?: [\w\-] \.? )+ [\w\-]   from the @: ends with the last name character that single dots lead to. */
static size_t email_host(const tweet_scan *s, size_t at)
{
    size_t host = at + 1;
    for (at = host; is_name(s, at);)
        at++;
    if (at == host || s->points[at] != '.')
        return 0;

    size_t n_names = 0, end = 0;
    for (at++; is_name(s, at); n_names++) {
        end = ++at;
        if (s->points[at] == '.')
            at++;
    }
    return n_names >= 2 ? end : 0;
}

/* [\w.+\-]+ @ and the rest: the @ is not in the first class, so it ends the run. */
size_t tweet_scan_email(tweet_scan *s, size_t at)
{
    if (at >= s->email.end) {
        size_t end = at;
        while (is_name(s, end) || s->points[end] == '.' || s->points[end] == '+')
            end++;
        if (end == at)
            return 0;
        s->email.end = end;
        s->email.match_end = s->points[end] == '@' ? email_host(s, end) : 0;
    }
    return s->email.match_end;
}
