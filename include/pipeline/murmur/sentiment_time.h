/* sentiment_time.h: gold's rows by time and predicted sentiment. Local; one pass over two columns, in memory that grows
 * with the hours that have rows.
 *
 *     mur_sentiment_time t;
 *     rc = mur_sentiment_time_compute(&t, store, record, MUR_BY_ITSELF);
 *     mur_sentiment_time_clear(&t);
 */
#ifndef MURMUR_SENTIMENT_TIME_H
#define MURMUR_SENTIMENT_TIME_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/error.h"
#include "murmur/model.h"
#include "murmur/store.h"

#define MUR_HOUR_MS INT64_C(3600000)
#define MUR_DAY_MS (24 * MUR_HOUR_MS)
#define MUR_BY_ITSELF 0 /* hours where the bulk of the rows is of three days at most, else days */

typedef struct mur_time_bin {
    int64_t begin; /* milliseconds since 1970, UTC; it lasts bin_ms */
    int64_t by_sentiment[MUR_N_SENTIMENTS];
} mur_time_bin;

typedef struct mur_sentiment_time {
    int64_t version;    /* of gold; -1: none yet */
    int64_t bin_ms;     /* MUR_HOUR_MS or MUR_DAY_MS */
    mur_time_bin *bins; /* ascending; those without rows are left out */
    size_t n_bins;
    /* The bulk: bins [bulk_first, bulk_end), which leave out at most 1 row of 200 at either end. Dates of tweets are
     * what users' clocks and other programs made of them: a few from another century would leave no room for the rest.
     */
    size_t bulk_first, bulk_end;
    int64_t n_rows, n_without_time;
} mur_sentiment_time;

/* Of gold as of a record. Clear it even after a failure. MUR_EIO, MUR_EDATA. */
int mur_sentiment_time_compute(mur_sentiment_time *out, const mur_store *store, int64_t record,
                               int64_t bin_ms) MUR_MUST_USE;
void mur_sentiment_time_clear(mur_sentiment_time *t);

/* Rows of a bin. */
int64_t mur_time_bin_rows(const mur_time_bin *b);

#endif
