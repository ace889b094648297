#include "tensor.h"

#include <stdlib.h>

void mur_tensors_clear(mur_tensors *t)
{
    mur_map_clear(&t->names);
    free(t->tensors);
    *t = (mur_tensors){0};
}

const mur_tensor *mur_tensors_find(const mur_tensors *t, const char *name)
{
    size_t number = mur_map_find(&t->names, mur_view_of(name));
    return number == MUR_MAP_NONE ? NULL : &t->tensors[number];
}
