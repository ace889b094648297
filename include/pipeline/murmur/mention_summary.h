/* mention_summary.h: who is mentioned most, who is spoken well of and who ill: the application table's totals and three
 * rankings. Local; one pass over the table, in memory that grows with the length of the rankings alone.
 *
 *     mur_mention_summary m;
 *     rc = mur_mention_summary_compute(&m, store, record, 20);
 *     mur_mention_summary_clear(&m);
 */
#ifndef MURMUR_MENTION_SUMMARY_H
#define MURMUR_MENTION_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/error.h"
#include "murmur/model.h"
#include "murmur/store.h"

/* One user's row of the application table. */
typedef struct mur_mention_total {
    char *mention;                          /* with its sign; owned */
    int64_t oldest, newest;                 /* MUR_NO_TIME: no row has a timestamp */
    int64_t by_sentiment[MUR_N_SENTIMENTS]; /* rows of gold, as predicted */
    int64_t total;
} mur_mention_total;

/* What users are ranked by; those that are alike in it as in the application table: total descending, then bytes. */
typedef enum {
    MUR_RANK_TOTAL,
    MUR_RANK_POSITIVE, /* in favour; only users with a positive row */
    MUR_RANK_NEGATIVE, /* villains; only users with a negative row */
    MUR_N_RANKINGS
} mur_ranking;

/* What a user is ranked by. */
int64_t mur_mention_rank_key(const mur_mention_total *m, mur_ranking ranking);

typedef struct mur_mention_summary {
    int64_t version;      /* of application; -1: it has none yet, and all else is 0 */
    int64_t gold_version; /* that it stands for */
    bool is_behind;       /* gold has got other rows since, which are not counted here */
    int64_t n_users;      /* mentioned ones */
    int64_t n_mentions;   /* rows of gold: one for each mention of a user in a tweet */
    int64_t by_sentiment[MUR_N_SENTIMENTS];
    struct {
        mur_mention_total *rows;
        size_t n;
    } rankings[MUR_N_RANKINGS];
} mur_mention_summary;

/* Of the tables as of a record; `top` users in each ranking at most. Clear it even after a failure. MUR_EIO, MUR_EDATA.
 */
int mur_mention_summary_compute(mur_mention_summary *out, const mur_store *store, int64_t record,
                                size_t top) MUR_MUST_USE;
void mur_mention_summary_clear(mur_mention_summary *m);

#endif
