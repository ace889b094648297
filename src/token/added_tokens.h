/* added_tokens.h: strings that are taken literally wherever they stand in a text, before anything else is done to it:
 * "</s>", "[MASK]", and what a model's makers added. */
#ifndef MURMUR_TOKEN_ADDED_TOKENS_H
#define MURMUR_TOKEN_ADDED_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/error.h"
#include "murmur/map.h"
#include "murmur/view.h"

/* Flags as transformers' AddedToken has them. */
typedef struct mur_added_token {
    int32_t id;
    bool takes_left_space;  /* lstrip: white space before it belongs to it */
    bool takes_right_space; /* rstrip */
    bool is_whole_word;     /* single_word: it counts only where no word character is beside it */
} mur_added_token;

typedef struct mur_added_tokens {
    mur_map strings;
    mur_added_token *tokens; /* by number of the string */
    size_t cap_tokens;
    bool begins[256]; /* by first byte */
} mur_added_tokens;

void mur_added_tokens_clear(mur_added_tokens *a);

/* A string that is there already stays as it is. MUR_EDATA for an empty string, and for more than there can sensibly
 * be: they are searched one by one. */
int mur_added_tokens_add(mur_added_tokens *a, mur_view string, mur_added_token token) MUR_MUST_USE;

/* A text cut at the added tokens in it: of those that begin at one place the longest, from left to right.
 *
 *     mur_added_scan s = {.added = a, .text = text};
 *     while (mur_added_scan_next(&s))  … s.token, or the text s.piece where that is NULL; s.piece is never empty
 */
typedef struct mur_added_scan {
    const mur_added_tokens *added;
    mur_view text;
    size_t at;
    size_t pending; /* number + 1 of the token that stands at `at` and comes next */
    const mur_added_token *token;
    mur_view piece;
} mur_added_scan;

bool mur_added_scan_next(mur_added_scan *s);

#endif
