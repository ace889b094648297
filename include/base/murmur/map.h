/* map.h: a set of distinct byte strings, numbered 0, 1, 2 … in order of first insertion. Open addressing over XXH3.
 *
 *     mur_map words = {0};
 *     size_t id = mur_map_add(&words, text, NULL);     the number of `text`, new or old
 *     mur_map_clear(&words);
 */
#ifndef MURMUR_MAP_H
#define MURMUR_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/view.h"

#define MUR_MAP_NONE SIZE_MAX

typedef struct mur_map {
    mur_buf bytes;    /* all keys, one after the other; the map owns them */
    size_t *ends;     /* key k is bytes[ends[k-1], ends[k]) */
    uint64_t *hashes; /* by key */
    size_t n_keys;
    size_t cap_keys;
    size_t *slots; /* key number + 1, 0 = free */
    size_t n_slots;
} mur_map;

/* `*is_new`, where not NULL, tells whether the key was added by this call. */
size_t mur_map_add(mur_map *m, mur_view key, bool *is_new);

/* The key's number, or MUR_MAP_NONE. */
size_t mur_map_find(const mur_map *m, mur_view key);

/* Key `number`, borrowed until the next mur_map_add. */
mur_view mur_map_key(const mur_map *m, size_t number);

/* Forgets the keys and keeps the memory; gives the memory back. */
void mur_map_reset(mur_map *m);
void mur_map_clear(mur_map *m);

#endif
