/* mention_counts.h: what the application table counts: per mention, oldest and newest timestamp and gold rows by
 * sentiment. Local. */
#ifndef MURMUR_MENTION_COUNTS_H
#define MURMUR_MENTION_COUNTS_H

#include "murmur/frame.h"
#include "murmur/map.h"
#include "murmur/model.h"

typedef struct mur_counts {
    int64_t oldest, newest; /* MUR_NO_TIME where no row has a timestamp */
    int64_t by_sentiment[MUR_N_SENTIMENTS];
} mur_counts;

int64_t mur_counts_total(const mur_counts *a);
void mur_counts_add(mur_counts *a, const mur_counts *more);

/* Those of row `row` of the application table. */
mur_counts mur_application_counts(const mur_frame *application, size_t row);

/* Counts by mention; zeroed is empty. */
typedef struct mur_mention_counts {
    mur_map mentions;
    mur_counts *counts; /* by number in `mentions` */
    size_t cap;
} mur_mention_counts;

void mur_mention_counts_add(mur_mention_counts *t, mur_view mention, const mur_counts *more);

/* Of memory that is used; the tables grow by doubling, and so take up to twice as many. */
size_t mur_mention_counts_bytes(const mur_mention_counts *t);

/* Forgets the counts and keeps the memory; gives the memory back. */
void mur_mention_counts_reset(mur_mention_counts *t);
void mur_mention_counts_clear(mur_mention_counts *t);

/* POS, NEU or NEG, as gold's predicted_sentiment has it. */
mur_sentiment mur_sentiment_of(mur_view name);

/* The columns of gold that are counted. */
extern const mur_schema mur_gold_counted;

/* Counts rows of that schema whose mention (folded where asked for) has a hash that is `share` modulo `n_shares`. */
void mur_count_gold(mur_mention_counts *t, const mur_frame *rows, bool is_folding, uint64_t share, uint64_t n_shares);

#endif
