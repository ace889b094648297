/* tweet_scan.h: cuts a tweet into tokens, as NLTK's TweetTokenizer does with one big regular expression.
 *
 * At one position the first alternative that matches wins, not the longest, and matches as a backtracking engine would.
 * The alternatives are written out by hand here, each as a scan that reaches the same end; what a failed attempt
 * learned about a run of characters is kept, so that the time is linear in the text, whatever the text.
 *
 *     tweet_scan s = {.points = p, .classes = c, .len = n};    p[n] and c[n] belong to the scan
 *     tweet_scan_begin(&s);
 *     while (tweet_scan_next(&s))  … s.first, s.end …
 */
#ifndef MURMUR_TOKEN_TWEET_SCAN_H
#define MURMUR_TOKEN_TWEET_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Above every code point, and white space: most loops stop at it without looking at `len`. */
#define TWEET_SCAN_END UINT32_MAX

typedef struct tweet_scan {
    uint32_t *points;
    uint8_t *classes; /* mur_unicode_class of each */
    size_t len;
    size_t first, end; /* the token found */

    /* What is known of a run of characters holds for all positions in it. `end` 0: nothing known. */
    struct {
        size_t end;   /* of the run of [a-z0-9.-] */
        bool is_link; /* a domain and a slash, given one character more in front */
        size_t dot;   /* the dot of that domain */
    } domain;
    struct {
        size_t end;       /* of the run of labels: [a-z0-9]+([.-][a-z0-9]+)* */
        size_t dot;       /* the dot before the last label that can end a link; SIZE_MAX: none */
        size_t match_end; /* where the link ends then */
    } labels;
    struct {
        size_t end;       /* of the run of [\w.+-] */
        size_t match_end; /* of the e-mail address whose name this run is; 0: none */
    } email;
    struct {
        size_t end;        /* of the run of non-space */
        size_t last_close; /* its last ), 0 when there is none */
    } stretch;
    size_t tag_end; /* the next > or white space */
} tweet_scan;

/* `set` is ASCII. */
static inline bool tweet_is_one_of(uint32_t point, const char *set)
{
    for (; *set; set++)
        if (point == (unsigned char)*set)
            return true;
    return false;
}

void tweet_scan_begin(tweet_scan *s);
bool tweet_scan_next(tweet_scan *s);

/* tweet_link.c: the alternatives that know about the Web. Each returns where its match from `at` ends, or 0. */
size_t tweet_scan_link(tweet_scan *s, size_t at);
size_t tweet_scan_naked_domain(tweet_scan *s, size_t at);
size_t tweet_scan_email(tweet_scan *s, size_t at);

#endif
