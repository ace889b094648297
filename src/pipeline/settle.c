#include "settle.h"

#include <stdlib.h>

#include "murmur/clock.h"
#include "murmur/mem.h"

struct sight {
    int64_t size, mtime_ns;
    double moved; /* when a look first saw it so, seconds; 0 for the first look of all, which proves no move */
};

bool mur_settle_is_over(mur_settle *s, const mur_source *file, int64_t settle_ms, int64_t now_ns)
{
    if (settle_ms == 0)
        return true;
    bool is_new;
    size_t number = mur_map_add(&s->paths, mur_view_of(file->path), &is_new);
    if (number >= s->cap) {
        s->cap = mur_grown(s->cap, number + 1);
        s->sights = mur_realloc(s->sights, s->cap, sizeof *s->sights);
    }
    struct sight *seen = &s->sights[number];
    double now = mur_monotonic();
    if (is_new)
        *seen = (struct sight){file->size, file->mtime_ns, 0};
    else if (seen->size != file->size || seen->mtime_ns != file->mtime_ns)
        *seen = (struct sight){file->size, file->mtime_ns, now};
    if (seen->moved > 0 && now - seen->moved < 1e-3 * (double)settle_ms)
        return false;
    double age_ms = 1e-6 * (double)(now_ns - file->mtime_ns);
    return age_ms >= (double)settle_ms || age_ms <= -(double)settle_ms;
}

void mur_settle_clear(mur_settle *s)
{
    mur_map_clear(&s->paths);
    free(s->sights);
    *s = (mur_settle){0};
}
