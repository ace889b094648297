/* word_cache.h: the ids of words seen before, as most words of a tweet have been. Of bounded size, and nothing but
 * speed depends on it. A word is any run of bytes: UTF-8, or an array of code points. It is found with two reads of
 * memory that is not in the processor's cache: slot and entry.
 */
#ifndef MURMUR_TOKEN_WORD_CACHE_H
#define MURMUR_TOKEN_WORD_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/tokenizer.h"
#include "murmur/view.h"

typedef struct mur_word_cache_slot mur_word_cache_slot;

typedef struct mur_word_cache {
    mur_word_cache_slot *slots;
    size_t n_words;
    uint32_t *entries; /* one after the other: length and number of ids, the word's bytes, its ids */
    size_t n_entries, cap_entries;
} mur_word_cache;

/* Appends the ids of a word and returns true, or returns false. */
bool mur_word_cache_find(const mur_word_cache *c, mur_view word, mur_ids *ids);

/* Keeps a word that was not found. Forgets all others when the cache is full; very long words, and words of very many
 * ids, are not kept. */
void mur_word_cache_keep(mur_word_cache *c, mur_view word, const int32_t *ids, size_t n_ids);

void mur_word_cache_clear(mur_word_cache *c);

#endif
