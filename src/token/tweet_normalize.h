/* tweet_normalize.h: BertweetTokenizer's tweet normalisation: entities decoded, long runs cut, tokens spaced out,
 * handles, links and emoji replaced by words, contractions split. */
#ifndef MURMUR_TOKEN_TWEET_NORMALIZE_H
#define MURMUR_TOKEN_TWEET_NORMALIZE_H

#include "points.h"

/* Scratch, zeroed to begin, that texts share one after the other. */
typedef struct mur_tweet_normalizer {
    mur_points text;    /* decoded */
    mur_buf classes;    /* of `text`, a byte each */
    mur_points joined;  /* the tokens, a space between two */
    mur_points swapped; /* `joined` with a contraction split */
} mur_tweet_normalizer;

/* The normalised text, words apart by white space of which there may be more than one; the words are the result.
 * Borrowed until the next call. */
const mur_points *mur_tweet_normalize(mur_tweet_normalizer *n, mur_view text);

void mur_tweet_normalizer_clear(mur_tweet_normalizer *n);

#endif
