#include "refine.h"

#include "murmur/date.h"
#include "murmur/mem.h"
#include "murmur/tables.h"

size_t *mur_refine(mur_frame *silver, const mur_frame *bronze, mur_mention_rule rule, int64_t *n_bad_dates)
{
    size_t *tweets = NULL, cap = 0, before = silver->n_rows;
    mur_mentions mentions = {0};
    for (size_t row = 0; row < bronze->n_rows; row++) {
        if (!mur_frame_is_present(bronze, row, MUR_BRONZE_TEXT))
            continue;
        mur_mentions_find(&mentions, rule, mur_frame_string(bronze, row, MUR_BRONZE_TEXT));
        if (mentions.n_found == 0)
            continue;
        int64_t timestamp = MUR_NO_TIME;
        if (mur_frame_is_present(bronze, row, MUR_BRONZE_DATE)) {
            timestamp = mur_date_parse(mur_frame_string(bronze, row, MUR_BRONZE_DATE));
            *n_bad_dates += timestamp == MUR_NO_TIME;
        }
        for (size_t i = 0; i < mentions.n_found; i++) {
            size_t n = silver->n_rows - before;
            if (n == cap) {
                cap = mur_grown(cap, n + 1);
                tweets = mur_realloc(tweets, cap, sizeof *tweets);
            }
            tweets[n] = row;
            mur_frame_add_row(silver);
            mur_frame_set_int64(silver, MUR_SILVER_TIMESTAMP, timestamp);
            mur_frame_set_string(silver, MUR_SILVER_MENTION, mentions.found[i]);
            mur_frame_set_string(silver, MUR_SILVER_CLEANED_TEXT, mur_buf_view(&mentions.cleaned));
            if (mur_frame_is_present(bronze, row, MUR_BRONZE_SENTIMENT))
                mur_frame_set_string(silver, MUR_SILVER_SENTIMENT, mur_frame_string(bronze, row, MUR_BRONZE_SENTIMENT));
        }
    }
    mur_mentions_clear(&mentions);
    return tweets;
}
