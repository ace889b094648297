/* shared_data.h: where the team's larger test data is: $MURMUR_SHARED, else the folder `shared` beside the source. */
#ifndef MURMUR_TESTS_SHARED_DATA_H
#define MURMUR_TESTS_SHARED_DATA_H

#include <stdio.h>
#include <stdlib.h>

#include "murmur/file.h"
#include "murmur/mem.h"

/* The path of `name` there, the caller's to free; NULL where it is absent, having said so: the case is skipped. */
static inline char *shared_data(const char *name)
{
    const char *folder = getenv("MURMUR_SHARED"), *source = getenv("MURMUR_SOURCE");
    char *path =
        folder ? mur_format("%s/%s", folder, name) : mur_format("%s/../shared/%s", source ? source : ".", name);
    if (!mur_path_exists(path)) {
        printf("skipped: no %s\n", path);
        free(path);
        path = NULL;
    }
    return path;
}

#endif
