/* machine.h: the machine that this process runs on. Local; nothing is changed. */
#ifndef MURMUR_MACHINE_H
#define MURMUR_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "murmur/buf.h"

#define MUR_MOST_CORES 1024 /* glibc's cpu_set_t */
#define MUR_HOST_TEXT 65    /* HOST_NAME_MAX + 1 */

/* The cores that this process may use: bit i of word i / 64. Hardware threads count as cores, as in the kernel. */
typedef struct mur_cores {
    uint64_t bits[MUR_MOST_CORES / 64];
} mur_cores;

mur_cores mur_machine_cores(void);
int mur_cores_count(const mur_cores *c);
void mur_cores_add(mur_cores *to, const mur_cores *other);

/* The host's name up to the first dot. */
void mur_machine_host(char out[MUR_HOST_TEXT]);

/* Whether /proc/cpuinfo has the flag, such as "avx512f"; false where there is no such file. */
bool mur_machine_has_flag(const char *flag);

/* What is in /dev/shm, where Open MPI keeps the memory that ranks of a node share. */
typedef struct mur_shared_memory {
    bool is_there;
    int64_t size, available;      /* bytes */
    int64_t n_stale, stale_bytes; /* Open MPI's files that no process which can be seen has mapped */
    char example[300];            /* the path of one of them */
} mur_shared_memory;

/* Files younger than a minute are nobody's leftovers yet. */
void mur_shared_memory_look(mur_shared_memory *out);

#endif
