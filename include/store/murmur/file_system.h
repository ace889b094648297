/* file_system.h: whether a folder's file system does what a store needs. A store commits by link(2), keeps other
 * writers out by O_EXCL, and believes fsync; readers such as h5py lock files, which some parallel file systems refuse.
 */
#ifndef MURMUR_FILE_SYSTEM_H
#define MURMUR_FILE_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "murmur/error.h"
#include "murmur/par.h"

#define MUR_FILE_SYSTEM_TEXT 64

typedef struct mur_file_system {
    char type[MUR_FILE_SYSTEM_TEXT]; /* "ext4", "lustre" …, as in /proc/mounts */
    int64_t available;               /* bytes */
    bool has_links, has_exclusive, has_sync, has_locks;
    double clock_skew; /* seconds that a new file's time is ahead of this host's clock */
    int first_blind;   /* the lowest rank whose node does not see rank 0's files; -1: all do */
} mur_file_system;

/* Collective. Tries it all with small files in the folder, which are gone afterwards; the folder itself is not made:
 * where it is not there yet its nearest parent is tried. All ranks get rank 0's findings. MUR_ECREATE or MUR_EIO where
 * nothing can be made there. */
int mur_file_system_try(mur_file_system *out, const mur_comm *c, const char *folder) MUR_MUST_USE;

/* The version of the HDF5 library that runs, "1.10.8". Static text. */
const char *mur_hdf5_version(void);

#endif
