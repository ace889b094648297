/* mention_runs.h: counts by mention in an order, more of them than memory should hold: they are sorted run by run, runs
 * go to a file, and are merged as they are read back. Local.
 *
 *     mur_mention_runs_init(&r, MUR_BY_TOTAL, "store/application/_tmp-x", 32 << 20);
 *     rc = mur_mention_runs_add(&r, mention, &counts);            for each
 *     rc = mur_mention_runs_sort(&r);                              no more are added
 *     for (mur_mention_ref e; (rc = mur_mention_runs_next(&r, &e)) > 0;)
 *     mur_mention_runs_clear(&r);
 */
#ifndef MURMUR_MENTION_RUNS_H
#define MURMUR_MENTION_RUNS_H

#include "mention_counts.h"

typedef enum {
    MUR_BY_HASH,  /* of the mention, then its bytes: the same mention's counts come one after the other */
    MUR_BY_TOTAL, /* application's order: total descending, then mention in byte order */
} mur_mention_order;

/* A mention and its counts as packed bytes have them: uint32_t length, mention, mur_counts; of this process's kind of
 * machine. Appended to `out`. */
void mur_mention_pack(mur_buf *out, mur_view mention, const mur_counts *counts);

/* A packed mention, with what its place in an order is mostly found by. */
typedef struct mur_mention_ref {
    uint64_t key, prefix; /* of the order, and the mention's first bytes */
    const char *packed;   /* borrowed */
} mur_mention_ref;

mur_view mur_mention_of(const mur_mention_ref *e);
mur_counts mur_mention_counts_of(const mur_mention_ref *e);
size_t mur_mention_packed_bytes(const mur_mention_ref *e);

/* The packed mentions of `bytes` in the order in which they stand: a fresh array, which borrows from them. */
mur_mention_ref *mur_mention_refs(mur_mention_order order, mur_view bytes, size_t *n);

/* Below, above or 0, which only equal mentions are. Both of one order. */
int mur_mention_compare(const mur_mention_ref *a, const mur_mention_ref *b);
void mur_mention_sort(mur_mention_ref *refs, size_t n);

typedef struct mur_mention_run mur_mention_run;

typedef struct mur_mention_runs {
    mur_mention_order order;
    char *path; /* of the file, which loses its name as soon as it is there: nothing is left of it, whatever happens */
    size_t limit; /* bytes that are sorted at once */
    int fd;       /* -1: all is in memory */
    int64_t file_bytes;
    mur_buf pending;         /* not sorted yet; */
    mur_mention_ref *sorted; /* without a file: sorted */
    size_t n_sorted, at;
    mur_mention_run *runs; /* in the file */
    size_t n_runs, cap_runs;
    size_t *heap; /* runs that have more, that with the first mention at the top */
    size_t n_heap;
} mur_mention_runs;

/* `path` is of a new file in a folder that is there or can be made. */
void mur_mention_runs_init(mur_mention_runs *r, mur_mention_order order, const char *path, size_t limit);

/* MUR_ECREATE or MUR_EIO: the file could not be written. */
int mur_mention_runs_add(mur_mention_runs *r, mur_view mention, const mur_counts *counts) MUR_MUST_USE;

/* Ends a run: what was added since the last one goes to the file. */
int mur_mention_runs_cut(mur_mention_runs *r) MUR_MUST_USE;

/* No more are added; the first is next. */
int mur_mention_runs_sort(mur_mention_runs *r) MUR_MUST_USE;

/* 1: `*e` is the next, borrowed until the next call; 0: there is none; MUR_EIO. */
int mur_mention_runs_next(mur_mention_runs *r, mur_mention_ref *e) MUR_MUST_USE;

void mur_mention_runs_clear(mur_mention_runs *r);

#endif
