/* writer.h: who writes a store, seen from outside, and asking it to stop. All functions are Local, need no MPI, and
 * work from any host that shares the file system.
 */
#ifndef MURMUR_WRITER_H
#define MURMUR_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "murmur/error.h"

typedef enum {
    MUR_WRITER_NONE,    /* there is no lock */
    MUR_WRITER_RUNNING, /* its process is there, or it renewed its lock within the last half minute */
    MUR_WRITER_SILENT,  /* neither; it may be halted or unreachable */
    MUR_WRITER_GONE,    /* proved: the next writer breaks its lock */
} mur_writer_state;

typedef struct mur_writer {
    mur_writer_state state;
    const char *reason;        /* why it is gone, static text; NULL otherwise */
    char *host, *job, *run_id; /* empty where the lock does not say; job is empty outside SLURM */
    int64_t pid;               /* -1 likewise */
    int64_t since, renewed;    /* when the lock was taken and last renewed; MUR_NO_TIME likewise */
    double silence;            /* seconds since the renewal, by this host's clock */
    bool is_asked_to_stop;
    int64_t stop_asked; /* when */
} mur_writer;

/* "none", "running", "silent", "gone". */
const char *mur_writer_state_name(mur_writer_state state);

/* Reads the lock of a store, and changes nothing. MUR_ENOINPUT if the folder is no store, MUR_EIO where the lock cannot
 * be read. A zeroed writer may be cleared. */
int mur_writer_look(mur_writer *out, const char *store) MUR_MUST_USE;
void mur_writer_clear(mur_writer *w);

/* The same of a lock file alone, such as that of a run that still waits for the lock; nothing of requests to stop. */
int mur_writer_look_file(mur_writer *out, const char *path) MUR_MUST_USE;

/* Whether the run that was looked at writes no more: its lock is gone, another's, or a dead process's. */
int mur_writer_is_over(const mur_writer *w, const char *store, bool *is_over) MUR_MUST_USE;

/* Asks the run that holds the lock to finish its batch and end. The request is a file that names the run, so it never
 * stops a later one; asking again is fine, and nothing is left where the run ended meanwhile (`*is_over`). MUR_EDATA if
 * the lock names no run; MUR_ECREATE. */
int mur_writer_ask_to_stop(const mur_writer *w, const char *store, bool *is_over) MUR_MUST_USE;

/* What a store takes on its file system: all files in it, also of old versions and what no record names. */
typedef struct mur_disk_use {
    int64_t bytes, n_files;
    int64_t available; /* bytes that are left to this user */
} mur_disk_use;

int mur_store_disk_use(const char *store, mur_disk_use *out) MUR_MUST_USE;

#endif
