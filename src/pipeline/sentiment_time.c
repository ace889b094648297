#include "murmur/sentiment_time.h"

#include <stdlib.h>

#include "mention_counts.h"
#include "murmur/clock.h"
#include "murmur/mem.h"
#include "murmur/table_rows.h"

#define HOURS_AT_MOST (3 * 24) /* of the bulk, for bins of an hour */
#define TAIL 200               /* one row of so many may be before the bulk, and one after */

int64_t mur_time_bin_rows(const mur_time_bin *b)
{
    int64_t sum = 0;
    for (int s = 0; s < MUR_N_SENTIMENTS; s++)
        sum += b->by_sentiment[s];
    return sum;
}

typedef struct collected {
    mur_sentiment_time *out;
    mur_map hours; /* beginnings of hours, eight bytes each; their numbers are places in out->bins */
    size_t cap;
} collected;

/* Where the bin of an instant begins: times before 1970 are negative, and bins do not end there. Instants that no bin
 * could begin before stand in the first one that there is. */
static int64_t bin_of(int64_t time, int64_t bin_ms)
{
    int64_t into = time % bin_ms, before = into < 0 ? into + bin_ms : into;
    return time >= MUR_NO_TIME + 1 + before ? time - before : time - into;
}

static int take(void *context, const mur_frame *rows)
{
    collected *c = context;
    mur_sentiment_time *t = c->out;
    for (size_t r = 0; r < rows->n_rows; r++) {
        int64_t time = mur_frame_int64(rows, r, 0);
        t->n_rows++;
        if (time == MUR_NO_TIME) {
            t->n_without_time++;
            continue;
        }
        int64_t begin = bin_of(time, MUR_HOUR_MS);
        bool is_new;
        size_t k = mur_map_add(&c->hours, (mur_view){(const char *)&begin, sizeof begin}, &is_new);
        if (is_new) {
            if (k >= c->cap) {
                c->cap = mur_grown(c->cap, k + 1);
                t->bins = mur_realloc(t->bins, c->cap, sizeof *t->bins);
            }
            t->bins[t->n_bins++] = (mur_time_bin){.begin = begin};
        }
        t->bins[k].by_sentiment[mur_sentiment_of(mur_frame_string(rows, r, 1))]++;
    }
    return 0;
}

static int by_time(const void *a, const void *b)
{
    const mur_time_bin *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

static void find_bulk(mur_sentiment_time *t)
{
    int64_t tail = (t->n_rows - t->n_without_time) / TAIL;
    t->bulk_first = 0;
    t->bulk_end = t->n_bins;
    for (int64_t left = tail; t->bulk_first < t->n_bins; t->bulk_first++)
        if ((left -= mur_time_bin_rows(&t->bins[t->bulk_first])) < 0)
            break;
    for (int64_t left = tail; t->bulk_end > t->bulk_first; t->bulk_end--)
        if ((left -= mur_time_bin_rows(&t->bins[t->bulk_end - 1])) < 0)
            break;
}

/* Bins of hours become bins of days, in place. */
static void fold_days(mur_sentiment_time *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n_bins; i++) {
        mur_time_bin hour = t->bins[i];
        int64_t day = bin_of(hour.begin, MUR_DAY_MS);
        if (n == 0 || t->bins[n - 1].begin != day)
            t->bins[n++] = (mur_time_bin){.begin = day};
        for (int s = 0; s < MUR_N_SENTIMENTS; s++)
            t->bins[n - 1].by_sentiment[s] += hour.by_sentiment[s];
    }
    t->n_bins = n;
}

int mur_sentiment_time_compute(mur_sentiment_time *out, const mur_store *store, int64_t record, int64_t bin_ms)
{
    static const mur_column columns[] = {{"timestamp", MUR_TIMESTAMP, ""}, {"predicted_sentiment", MUR_STRING, ""}};
    static const mur_schema read = {"gold", "", columns, 2};
    *out = (mur_sentiment_time){.version = mur_store_version_at(store, "gold", record), .bin_ms = bin_ms};
    collected c = {.out = out};
    mur_selection gold = {"gold", record, -1};
    int rc = mur_each_frame(store, &gold, &read, take, &c);
    mur_map_clear(&c.hours);
    if (rc < 0)
        return rc;
    if (out->n_bins > 1)
        qsort(out->bins, out->n_bins, sizeof *out->bins, by_time);
    find_bulk(out);
    if (bin_ms == MUR_BY_ITSELF) {
        uint64_t span = 0; /* without a sign: that of all instants is more than int64_t holds */
        if (out->n_bins > 0)
            span = (uint64_t)out->bins[out->bulk_end - 1].begin - (uint64_t)out->bins[out->bulk_first].begin;
        out->bin_ms = span < HOURS_AT_MOST * (uint64_t)MUR_HOUR_MS ? MUR_HOUR_MS : MUR_DAY_MS;
    }
    if (out->bin_ms == MUR_DAY_MS) {
        fold_days(out);
        find_bulk(out);
    }
    return 0;
}

void mur_sentiment_time_clear(mur_sentiment_time *t)
{
    free(t->bins);
    *t = (mur_sentiment_time){0};
}
