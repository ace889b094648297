#include "word_cache.h"

#include <stdlib.h>
#include <string.h>

#include "murmur/hash.h"
#include "murmur/mem.h"

/* 1 MiB of slots, half of them used, and at most 17 MiB of entries (3 in practice). */
#define N_SLOTS (1u << 17)
#define MOST_WORDS (N_SLOTS / 2)
#define LONGEST_WORD 128 /* bytes: 32 code points */
#define MOST_IDS 128
#define MOST_PROBES 16 /* a word whose place is that crowded is not kept */

/* An entry's first element: the length below, the number of ids above. */
#define HEAD(len, n_ids) ((uint32_t)(len) | (uint32_t)(n_ids) << 16)
#define HEAD_LEN(head) ((head)&0xFFFF)
#define HEAD_IDS(head) ((head) >> 16)

struct mur_word_cache_slot {
    uint32_t hash;  /* the part that does not choose the slot */
    uint32_t where; /* of the entry, + 1; 0 = free */
};

/* The elements that a word takes in its entry. */
static size_t elements_of(size_t len)
{
    return (len + sizeof(uint32_t) - 1) / sizeof(uint32_t);
}

/* The slot that holds the word or where it would go; NULL when there is neither near enough. */
static mur_word_cache_slot *slot_of(const mur_word_cache *c, mur_view word, uint64_t hash)
{
    for (uint32_t probe = 0; probe < MOST_PROBES; probe++) {
        mur_word_cache_slot *slot = &c->slots[((hash >> 32) + probe) % N_SLOTS];
        if (slot->where == 0)
            return slot;
        const uint32_t *entry = c->entries + slot->where - 1;
        if (slot->hash == (uint32_t)hash && HEAD_LEN(entry[0]) == word.len &&
            memcmp(entry + 1, word.ptr, word.len) == 0)
            return slot;
    }
    return NULL;
}

bool mur_word_cache_find(const mur_word_cache *c, mur_view word, mur_ids *ids)
{
    if (word.len > LONGEST_WORD || !c->slots)
        return false;
    const mur_word_cache_slot *slot = slot_of(c, word, mur_hash(word.ptr, word.len));
    if (!slot || slot->where == 0)
        return false;
    const uint32_t *entry = c->entries + slot->where - 1;
    const uint32_t *found = entry + 1 + elements_of(word.len);
    for (uint32_t i = 0; i < HEAD_IDS(entry[0]); i++)
        mur_ids_append(ids, (int32_t)found[i]);
    return true;
}

void mur_word_cache_keep(mur_word_cache *c, mur_view word, const int32_t *ids, size_t n_ids)
{
    if (word.len == 0 || word.len > LONGEST_WORD || n_ids > MOST_IDS)
        return;
    if (!c->slots)
        c->slots = mur_alloc(N_SLOTS, sizeof *c->slots);
    if (c->n_words == MOST_WORDS) {
        memset(c->slots, 0, N_SLOTS * sizeof *c->slots);
        c->n_words = c->n_entries = 0;
    }
    uint64_t hash = mur_hash(word.ptr, word.len);
    mur_word_cache_slot *slot = slot_of(c, word, hash);
    if (!slot)
        return;
    size_t n_elements = elements_of(word.len), need = 1 + n_elements + n_ids;
    if (c->cap_entries - c->n_entries < need) {
        c->cap_entries = mur_grown(c->cap_entries, c->n_entries + need);
        c->entries = mur_realloc(c->entries, c->cap_entries, sizeof *c->entries);
    }
    uint32_t *entry = c->entries + c->n_entries;
    entry[0] = HEAD(word.len, n_ids);
    memcpy(entry + 1, word.ptr, word.len);
    if (n_ids > 0)
        memcpy(entry + 1 + n_elements, ids, n_ids * sizeof *ids);
    *slot = (mur_word_cache_slot){(uint32_t)hash, (uint32_t)c->n_entries + 1};
    c->n_entries += need;
    c->n_words++;
}

void mur_word_cache_clear(mur_word_cache *c)
{
    free(c->slots);
    free(c->entries);
    *c = (mur_word_cache){0};
}
