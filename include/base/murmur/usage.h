/* usage.h: the memory that this process takes, and may take. Local; bytes; 0 where the system does not tell. */
#ifndef MURMUR_USAGE_H
#define MURMUR_USAGE_H

#include <stdint.h>

typedef struct mur_usage {
    int64_t peak_bytes;    /* the most that was resident, memory shared with other processes included */
    int64_t swapped_bytes; /* in swap now */
    int64_t major_faults;  /* pages that had to be read from disk when they were touched */
} mur_usage;

void mur_usage_look(mur_usage *out);

/* What this process may take when `n_processes` like it share its machine: the least of its limits (RLIMIT_AS,
 * RLIMIT_DATA, and RLIMIT_RSS, which batch systems set and watch themselves), and of a share of the control group's
 * (cgroup v2 or v1) and the machine's memory. */
int64_t mur_memory_limit(int n_processes);

#endif
