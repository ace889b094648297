/* writing.h: what the user of a job chooses about how its store is written, whatever the job does. */
#ifndef MURMUR_WRITING_H
#define MURMUR_WRITING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct mur_writing {
    int compress;          /* deflate level of parts, 0..9 */
    int64_t io_timeout_ms; /* writing without progress for so long ends the job */
    bool is_breaking_lock; /* another writer's */
} mur_writing;

/* The defaults of murmur(1), as an initializer. */
#define MUR_WRITING_DEFAULT                                                                                            \
    {                                                                                                                  \
        .compress = 1, .io_timeout_ms = 300000                                                                         \
    }

#endif
