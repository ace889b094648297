/* eda.h: what bronze holds, and what silver makes of its gaps. Local; one pass over bronze and one over two columns of
 * silver, in memory that grows with the distinct users alone.
 *
 *     mur_eda e;
 *     rc = mur_eda_compute(&e, store, record, 20);
 *     mur_eda_clear(&e);
 */
#ifndef MURMUR_EDA_H
#define MURMUR_EDA_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/frame.h"
#include "murmur/mention.h"
#include "murmur/store.h"

#define MUR_N_MENTION_RULES 2

/* How often a value occurs. */
typedef struct mur_value_count {
    char *value; /* any UTF-8 text, owned */
    int64_t n;
} mur_value_count;

/* Values by how often they occur, those that are alike in it in byte order. Nulls are no values. */
typedef struct mur_value_counts {
    mur_value_count *first; /* the most frequent ones */
    size_t n_first;
    int64_t n_distinct, n_rows; /* of all, also those that are not listed */
} mur_value_counts;

typedef struct mur_eda_column {
    char *name; /* owned */
    mur_type type;
    int64_t n_nulls;
    const char *consequence; /* what silver does about a null here; static text */
} mur_eda_column;

#define MUR_EDA_CLASSES 63

typedef struct mur_eda {
    int64_t version; /* of bronze; -1: it has none yet, and all else is 0 */
    int64_t n_tweets;
    mur_eda_column *columns; /* bronze's, in order */
    size_t n_columns;
    int64_t n_bad_dates; /* dates that are there and cannot be read */
    int64_t
        n_with_mention[MUR_N_MENTION_RULES];  /* tweets with at least one, by mur_mention_rule, whatever silver has */
    mur_value_counts users;                   /* tweets by user */
    int64_t users_by_tweets[MUR_EDA_CLASSES]; /* [k]: users with 2^k to 2^(k+1) - 1 tweets */
    int64_t median_tweets;                    /* of a user; of an even number the lower one */
    mur_value_counts labels;                  /* `sentiment` as given */
    int64_t n_rejects;                        /* records that were none, as of the same instant */

    int64_t silver_version; /* -1: none yet */
    int64_t n_silver_rows, n_null_timestamps, n_null_sentiments;
} mur_eda;

/* Of the tables as of a record (cmd/when.h, or the last one: n_records - 1). Lists the `top` most frequent users and
 * labels; SIZE_MAX: all. Clear it even after a failure. MUR_EIO, MUR_EDATA. */
int mur_eda_compute(mur_eda *out, const mur_store *store, int64_t record, size_t top) MUR_MUST_USE;
void mur_eda_clear(mur_eda *e);

#endif
