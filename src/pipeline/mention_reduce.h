/* mention_reduce.h: counts by mention from all ranks → all of them in application's order, in memory that does not grow
 * with their number.
 *
 * A rank counts rows until `counted` is full; then all ranks settle: counts go to the rank that owns a mention by its
 * hash. An owner that has too many sorts them into a file and begins anew. In the end each rank has its mentions in
 * application's order, and the ranks take them slice by slice: the next mentions of the whole job, cut into as many
 * runs as there are ranks by samples. No rank ever has more than a slice's share, rank 0 neither.
 *
 *     mur_mention_reduce_open(&m, c, "store/application/_tmp-run", NULL);
 *     do {
 *         … mur_mention_counts_add(&m.counted, …) until there are no more or mur_mention_reduce_is_full(&m) …
 *         rc = mur_mention_reduce_settle(&m, rc, no_more, &is_settled);
 *     } while (rc == 0 && !is_settled);
 *     rc = mur_mention_reduce_sort(&m);
 *     for (bool is_last = false; rc == 0 && !is_last;)
 *         rc = mur_mention_reduce_slice(&m, &is_last);       → m.slice
 *     mur_mention_reduce_clear(&m);
 */
#ifndef MURMUR_MENTION_REDUCE_H
#define MURMUR_MENTION_REDUCE_H

#include "mention_runs.h"
#include "murmur/par.h"

/* Bytes. Those of counts are of what is used; tables that grow by doubling take up to twice as many. */
typedef struct mur_reduce_limits {
    size_t counted;      /* counts that wait for their owners */
    size_t owned;        /* counts at their owner */
    size_t sorted;       /* mentions that are sorted at once, packed */
    size_t least_window; /* a rank's share of a slice: this, or part / ranks where that is more */
    int64_t part;        /* of application, uncompressed: what is written at once, by all ranks together */
} mur_reduce_limits;

extern const mur_reduce_limits mur_reduce_limits_default;

typedef struct mur_mention_reduce {
    const mur_comm *c;
    mur_reduce_limits limits;
    mur_mention_counts counted; /* by the caller, of any mentions */
    mur_mention_counts owned;   /* of mentions that are this rank's; a rank that is alone has them in `counted` */
    mur_mention_runs by_hash, by_total;
    bool is_at_end; /* of by_total: */
    mur_buf window; /* what comes next, packed */
    struct {
        mur_buf bytes;
        mur_mention_ref *refs; /* in application's order, behind those of lower ranks; borrow from `bytes` */
        size_t n;
    } slice;
    int64_t n_packed;  /* mentions that this rank packed for others */
    int64_t n_rounds;  /* exchanges of counts */
    int64_t n_spilled; /* bytes that went to files */
    int64_t n_bytes;   /* of application, all ranks': the sum of mur_mention_row_bytes. Known once sorted */
} mur_mention_reduce;

/* What a row of application takes uncompressed: numbers, validity, the offset, the mention. */
int64_t mur_mention_row_bytes(const mur_mention_ref *e);

/* Local. Files that memory's limits ask for begin with `path`. NULL: the default limits. */
void mur_mention_reduce_open(mur_mention_reduce *m, const mur_comm *c, const char *path,
                             const mur_reduce_limits *limits);

/* Local. */
bool mur_mention_reduce_is_full(const mur_mention_reduce *m);

/* Collective. `rc` is how this rank's counting went; `is_done`: it has no more. All are done: `*is_settled`. */
int mur_mention_reduce_settle(mur_mention_reduce *m, int rc, bool is_done, bool *is_settled) MUR_MUST_USE;

/* Collective. */
int mur_mention_reduce_sort(mur_mention_reduce *m) MUR_MUST_USE;

/* Collective. Replaces `slice` by this rank's share of the job's next mentions. */
int mur_mention_reduce_slice(mur_mention_reduce *m, bool *is_last) MUR_MUST_USE;

/* Local. */
void mur_mention_reduce_clear(mur_mention_reduce *m);

#endif
