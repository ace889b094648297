/* mention.h: the users a tweet mentions, and the tweet without them.
 *
 * MUR_MENTION_TWITTER is twitter-text's rule (https://github.com/twitter/twitter-text, conformance/extract.yml): a
 * sign, '@' or U+FF20, and 1 to 20 of [A-Za-z0-9_] (of a longer name the first 20), where what stands before and behind
 * allows it; a list, @user/list, is none. The cleaned text loses exactly the mentions.
 * MUR_MENTION_WORD is the notebook's: what is neither '@' nor [A-Za-z0-9_] separates tokens, a token that matches ^@\w+
 * is a mention (it may hold several @\w+), and the cleaned text loses every @\w+, also those in no mention.
 */
#ifndef MURMUR_MENTION_H
#define MURMUR_MENTION_H

#include <stdbool.h>
#include <stddef.h>

#include "murmur/buf.h"
#include "murmur/view.h"

typedef enum { MUR_MENTION_TWITTER, MUR_MENTION_WORD } mur_mention_rule;

/* "twitter" and "word"; and back (false: no such rule). */
const char *mur_mention_rule_name(mur_mention_rule rule);
bool mur_mention_rule_from_name(mur_mention_rule *rule, const char *name);

/* Reused from text to text: zero it once, clear it at the end. */
typedef struct mur_mentions {
    mur_view *found; /* verbatim with the sign, in order of appearance; borrowed from the text */
    size_t n_found;
    size_t cap_found;
    mur_buf cleaned; /* the text with the mention spans removed and nothing else changed */
} mur_mentions;

/* `text` is valid UTF-8. Replaces the former contents of `m`. */
void mur_mentions_find(mur_mentions *m, mur_mention_rule rule, mur_view text);
void mur_mentions_clear(mur_mentions *m);

#endif
