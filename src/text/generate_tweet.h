/* generate_tweet.h: the records of generated files, one at a time. Private to the text layer. */
#ifndef MURMUR_GENERATE_TWEET_H
#define MURMUR_GENERATE_TWEET_H

#include <stdbool.h>
#include <stdint.h>

#include "murmur/buf.h"

typedef struct mur_tweet_maker {
    uint64_t seed;
    uint64_t *reach; /* by handle: sum of the weights of this and all more popular ones */
} mur_tweet_maker;

void mur_tweet_maker_init(mur_tweet_maker *m, uint64_t seed);
void mur_tweet_maker_clear(mur_tweet_maker *m);

/* Appends tweet `index` as one JSON object without a raw line feed, or over several lines. */
void mur_tweet_make(const mur_tweet_maker *m, uint64_t index, bool is_pretty, mur_buf *out);

/* Appends one of the texts that ingest rejects, without a line feed: as a line, or as an element of an array whose
 * document stays valid. `number` 0, 1, 2 … takes the kinds in turn. */
void mur_reject_make(const mur_tweet_maker *m, uint64_t number, bool is_element, mur_buf *out);

#endif
