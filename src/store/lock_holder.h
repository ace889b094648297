/* lock_holder.h: what a lock file says of the process that made it, and whether that process can still be there. */
#ifndef MURMUR_LOCK_HOLDER_H
#define MURMUR_LOCK_HOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/view.h"

typedef struct mur_holder {
    char *host;
    char *boot_id;       /* of the running system: another one means that the host was started anew */
    char *pid_namespace; /* process ids mean nothing outside it: containers share hosts */
    int64_t pid;
    int64_t pid_start; /* in clock ticks since boot: ids are used again */
    char *job;         /* SLURM's, with the cluster's name; empty outside SLURM */
    int64_t restarts;  /* of the job */
    char *run_id;
    int64_t time; /* when the lock was taken */
} mur_holder;

/* This process. */
void mur_holder_self(mur_holder *h, const char *run_id);
void mur_holder_clear(mur_holder *h);

void mur_holder_format(mur_buf *out, const mur_holder *h);

/* What a text that may hold anything says; what is missing is empty or -1, and then proves nothing. */
void mur_holder_parse(mur_holder *out, mur_view text);

/* Why a holder that was silent for `silence` seconds is gone, as seen by `self`; NULL if it may be there. */
const char *mur_holder_is_gone(const mur_holder *h, const mur_holder *self, double silence);

/* Whether its process is there, as seen by `self`; false also where that cannot be seen from here. */
bool mur_holder_is_running_here(const mur_holder *h, const mur_holder *self);

#endif
