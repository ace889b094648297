#include "mention_counts.h"

#include <stdlib.h>

#include "murmur/clock.h"
#include "murmur/hash.h"
#include "murmur/mem.h"
#include "murmur/tables.h"

int64_t mur_counts_total(const mur_counts *a)
{
    int64_t sum = 0;
    for (int s = 0; s < MUR_N_SENTIMENTS; s++)
        sum += a->by_sentiment[s];
    return sum;
}

mur_counts mur_application_counts(const mur_frame *application, size_t row)
{
    mur_counts c = {.oldest = mur_frame_int64(application, row, MUR_APPLICATION_MIN_TIMESTAMP),
                    .newest = mur_frame_int64(application, row, MUR_APPLICATION_MAX_TIMESTAMP)};
    c.by_sentiment[MUR_NEG] = mur_frame_int64(application, row, MUR_APPLICATION_NEGATIVE);
    c.by_sentiment[MUR_NEU] = mur_frame_int64(application, row, MUR_APPLICATION_NEUTRAL);
    c.by_sentiment[MUR_POS] = mur_frame_int64(application, row, MUR_APPLICATION_POSITIVE);
    return c;
}

void mur_counts_add(mur_counts *a, const mur_counts *more)
{
    if (more->oldest != MUR_NO_TIME && (a->oldest == MUR_NO_TIME || more->oldest < a->oldest))
        a->oldest = more->oldest;
    if (more->newest > a->newest) /* MUR_NO_TIME is below every instant */
        a->newest = more->newest;
    for (int s = 0; s < MUR_N_SENTIMENTS; s++)
        a->by_sentiment[s] += more->by_sentiment[s];
}

void mur_mention_counts_add(mur_mention_counts *t, mur_view mention, const mur_counts *more)
{
    bool is_new;
    size_t k = mur_map_add(&t->mentions, mention, &is_new);
    if (k >= t->cap) {
        t->cap = mur_grown(t->cap, k + 1);
        t->counts = mur_realloc(t->counts, t->cap, sizeof *t->counts);
    }
    if (is_new)
        t->counts[k] = *more;
    else
        mur_counts_add(&t->counts[k], more);
}

size_t mur_mention_counts_bytes(const mur_mention_counts *t)
{
    const mur_map *m = &t->mentions;
    return m->bytes.len + m->n_keys * (sizeof *t->counts + sizeof *m->ends + sizeof *m->hashes + 2 * sizeof *m->slots);
}

void mur_mention_counts_reset(mur_mention_counts *t)
{
    mur_map_reset(&t->mentions);
}

void mur_mention_counts_clear(mur_mention_counts *t)
{
    mur_map_clear(&t->mentions);
    free(t->counts);
    *t = (mur_mention_counts){0};
}

/* Mentions are ASCII letters, digits and '_' behind their sign: folding is ASCII's. */
static mur_view fold(mur_buf *folded, mur_view mention)
{
    mur_buf_reset(folded);
    for (size_t i = 0; i < mention.len; i++) {
        char ch = mention.ptr[i];
        mur_buf_append_byte(folded, ch >= 'A' && ch <= 'Z' ? (char)(ch + 'a' - 'A') : ch);
    }
    return mur_buf_view(folded);
}

mur_sentiment mur_sentiment_of(mur_view name)
{
    mur_sentiment s = MUR_NEG;
    while (s < MUR_POS && !mur_view_equal(name, mur_view_of(mur_sentiment_name(s))))
        s++;
    return s;
}

/* The columns read, in this order. */
static const mur_column gold_columns[] = {
    {"mention", MUR_STRING, ""}, {"timestamp", MUR_TIMESTAMP, ""}, {"predicted_sentiment", MUR_STRING, ""}};
const mur_schema mur_gold_counted = {"gold", "", gold_columns, 3};

void mur_count_gold(mur_mention_counts *t, const mur_frame *rows, bool is_folding, uint64_t share, uint64_t n_shares)
{
    mur_buf folded = {0};
    for (size_t r = 0; r < rows->n_rows; r++) {
        mur_view mention = mur_frame_string(rows, r, 0);
        if (is_folding)
            mention = fold(&folded, mention);
        if (n_shares > 1 && mur_hash(mention.ptr, mention.len) % n_shares != share)
            continue;
        int64_t timestamp = mur_frame_int64(rows, r, 1);
        mur_counts one = {.oldest = timestamp, .newest = timestamp};
        one.by_sentiment[mur_sentiment_of(mur_frame_string(rows, r, 2))] = 1;
        mur_mention_counts_add(t, mention, &one);
    }
    mur_buf_clear(&folded);
}
