#include "score.h"

#include <stdlib.h>

#include "murmur/mem.h"
#include "murmur/tables.h"

void mur_score(mur_frame *gold, const mur_frame *silver, const mur_view *texts, mur_scorer *scorer)
{
    mur_verdict *verdicts = mur_alloc(silver->n_rows, sizeof *verdicts);
    mur_scorer_run(scorer, texts, silver->n_rows, verdicts);
    for (size_t row = 0; row < silver->n_rows; row++) {
        mur_frame_add_row(gold);
        mur_frame_set_int64(gold, MUR_GOLD_TIMESTAMP, mur_frame_int64(silver, row, MUR_SILVER_TIMESTAMP));
        mur_frame_set_string(gold, MUR_GOLD_MENTION, mur_frame_string(silver, row, MUR_SILVER_MENTION));
        mur_frame_set_string(gold, MUR_GOLD_CLEANED_TEXT, mur_frame_string(silver, row, MUR_SILVER_CLEANED_TEXT));
        mur_view given = mur_frame_string(silver, row, MUR_SILVER_SENTIMENT);
        if (mur_frame_is_present(silver, row, MUR_SILVER_SENTIMENT))
            mur_frame_set_string(gold, MUR_GOLD_SENTIMENT, given);
        mur_sentiment predicted = verdicts[row].sentiment;
        mur_frame_set_float32(gold, MUR_GOLD_PREDICTED_SCORE, 100.0f * verdicts[row].probability);
        mur_frame_set_string(gold, MUR_GOLD_PREDICTED_SENTIMENT, mur_view_of(mur_sentiment_name(predicted)));
        mur_frame_set_int8(gold, MUR_GOLD_SENTIMENT_ID, mur_view_equal(given, mur_view_of("positive")));
        mur_frame_set_int8(gold, MUR_GOLD_PREDICTED_SENTIMENT_ID, predicted == MUR_POS);
    }
    free(verdicts);
}
