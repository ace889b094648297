/* progress.h: what has been done so far, counted by all ranks of a node, told by rank 0 on standard error: a line per
 * stream at least every 10 s and at the end of each batch. */
#ifndef MURMUR_PROGRESS_H
#define MURMUR_PROGRESS_H

#include <stdint.h>

#include "murmur/par.h"

typedef enum { MUR_STREAM_BRONZE, MUR_STREAM_SILVER, MUR_STREAM_GOLD, MUR_STREAM_APPLICATION } mur_stream;
#define MUR_N_STREAMS 4

typedef struct mur_progress {
    bool is_speaking; /* rank 0 */
    mur_share share;  /* atomic counters of this node */
    int64_t batch;
    double begun, told; /* seconds */
} mur_progress;

/* Collective. */
int mur_progress_open(mur_progress *p, const mur_comm *c) MUR_MUST_USE;
void mur_progress_close(mur_progress *p, const mur_comm *c);

/* Local; a barrier lies between it and the first mur_progress_add of other ranks. */
void mur_progress_begin(mur_progress *p, int64_t batch);

/* Local: rows that a stream has taken in. */
void mur_progress_add(mur_progress *p, mur_stream stream, int64_t n_rows);

/* Local: tells, if 10 s have passed since it last did. Cheap; called from waits and between model batches. */
void mur_progress_tick(void *progress);

/* Local: tells one stream's whole batch; `n_rows` over all ranks and nodes, `seconds` its processing time, the most of
 * any rank. */
void mur_progress_tell(mur_progress *p, mur_stream stream, int64_t n_rows, double seconds);

#endif
