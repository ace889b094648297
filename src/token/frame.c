#include "frame.h"

static int add(int32_t *side, size_t *n, int32_t id)
{
    if (*n == MUR_FRAME_MOST)
        return mur_fail(MUR_EDATA, "more than %d special tokens on a side of a text", MUR_FRAME_MOST);
    side[(*n)++] = id;
    return 0;
}

int mur_frame_add_before(mur_frame *f, int32_t id)
{
    return add(f->before, &f->n_before, id);
}

int mur_frame_add_after(mur_frame *f, int32_t id)
{
    return add(f->after, &f->n_after, id);
}

size_t mur_frame_begin(const mur_frame *f, mur_ids *ids, const size_t *n_full)
{
    size_t first = ids->len;
    for (size_t i = 0; i < f->n_before; i++)
        mur_ids_append(ids, f->before[i]);
    return n_full ? SIZE_MAX : first + f->max_length - f->n_after;
}

void mur_frame_end(const mur_frame *f, mur_ids *ids, size_t first, size_t *n_full)
{
    size_t most = f->max_length - f->n_after;
    if (n_full)
        *n_full = ids->len - first + f->n_after;
    if (ids->len - first > most)
        ids->len = first + most;
    for (size_t i = 0; i < f->n_after; i++)
        mur_ids_append(ids, f->after[i]);
}
