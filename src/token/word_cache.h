/* word_cache.h: the ids of words seen before, as most words of a tweet have been. Of bounded size, and nothing but
 * speed depends on it. A word is found with two reads of memory that is not in the processor's cache: slot and entry.
 */
#ifndef MURMUR_TOKEN_WORD_CACHE_H
#define MURMUR_TOKEN_WORD_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/tokenizer.h"

typedef struct mur_word_cache_slot mur_word_cache_slot;

typedef struct mur_word_cache {
    mur_word_cache_slot *slots;
    size_t n_words;
    uint32_t *entries; /* one after the other: length and number of ids, the word's code points, its ids */
    size_t n_entries, cap_entries;
} mur_word_cache;

/* Appends the ids of a word and returns true, or returns false. */
bool mur_word_cache_find(const mur_word_cache *c, const uint32_t *word, size_t len, mur_ids *ids);

/* Keeps a word that was not found. Forgets all others when the cache is full; very long words are not kept. */
void mur_word_cache_keep(mur_word_cache *c, const uint32_t *word, size_t len, const int32_t *ids, size_t n_ids);

void mur_word_cache_clear(mur_word_cache *c);

#endif
