/* What a reader sees that keeps to one record. Found by bisection: records and versions only ever follow each other. */
#include "murmur/store.h"

int64_t mur_store_record_as_of(const mur_store *s, int64_t time)
{
    size_t low = 0, high = mur_store_n_records(s); /* records below `low` are not later; those from `high` on are */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mur_store_record(s, middle)->time <= time)
            low = middle + 1;
        else
            high = middle;
    }
    return (int64_t)low - 1;
}

int64_t mur_store_version_at(const mur_store *s, const char *table, int64_t record)
{
    const mur_change *last = mur_store_change(s, table, -1);
    int64_t low = 0, high = last ? last->version + 1 : 0;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (mur_store_record_of(s, mur_store_change(s, table, middle))->number <= record)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}
