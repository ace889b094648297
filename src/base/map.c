#include "murmur/map.h"

#include <stdlib.h>

#include "murmur/hash.h"
#include "murmur/mem.h"

mur_view mur_map_key(const mur_map *m, size_t number)
{
    size_t first = number ? m->ends[number - 1] : 0;
    return (mur_view){m->bytes.ptr + first, m->ends[number] - first};
}

/* The slot that holds the key, or the free one where it belongs. The table is never more than half full. */
static size_t slot_of(const mur_map *m, mur_view key, uint64_t hash)
{
    size_t slot = hash & (m->n_slots - 1);
    while (m->slots[slot] != 0) {
        size_t number = m->slots[slot] - 1;
        if (m->hashes[number] == hash && mur_view_equal(mur_map_key(m, number), key))
            break;
        slot = (slot + 1) & (m->n_slots - 1);
    }
    return slot;
}

static void grow(mur_map *m)
{
    m->n_slots = m->n_slots ? 2 * m->n_slots : 64;
    free(m->slots);
    m->slots = mur_alloc(m->n_slots, sizeof *m->slots);
    for (size_t k = 0; k < m->n_keys; k++) {
        size_t slot = m->hashes[k] & (m->n_slots - 1);
        while (m->slots[slot] != 0)
            slot = (slot + 1) & (m->n_slots - 1);
        m->slots[slot] = k + 1;
    }
}

size_t mur_map_add(mur_map *m, mur_view key, bool *is_new)
{
    if (2 * (m->n_keys + 1) > m->n_slots)
        grow(m);
    uint64_t hash = mur_hash(key.ptr, key.len);
    size_t slot = slot_of(m, key, hash);
    if (is_new)
        *is_new = m->slots[slot] == 0;
    if (m->slots[slot] != 0)
        return m->slots[slot] - 1;

    if (m->n_keys == m->cap_keys) {
        m->cap_keys = mur_grown(m->cap_keys, m->n_keys + 1);
        m->ends = mur_realloc(m->ends, m->cap_keys, sizeof *m->ends);
        m->hashes = mur_realloc(m->hashes, m->cap_keys, sizeof *m->hashes);
    }
    mur_buf_append_view(&m->bytes, key);
    m->ends[m->n_keys] = m->bytes.len;
    m->hashes[m->n_keys] = hash;
    m->slots[slot] = ++m->n_keys;
    return m->n_keys - 1;
}

size_t mur_map_find(const mur_map *m, mur_view key)
{
    if (m->n_slots == 0)
        return MUR_MAP_NONE;
    size_t slot = slot_of(m, key, mur_hash(key.ptr, key.len));
    return m->slots[slot] ? m->slots[slot] - 1 : MUR_MAP_NONE;
}

void mur_map_reset(mur_map *m)
{
    m->n_keys = 0;
    mur_buf_reset(&m->bytes);
    if (m->n_slots)
        memset(m->slots, 0, m->n_slots * sizeof *m->slots);
}

void mur_map_clear(mur_map *m)
{
    mur_buf_clear(&m->bytes);
    free(m->ends);
    free(m->hashes);
    free(m->slots);
    *m = (mur_map){0};
}
