/* evaluation.h: how well the model's word agrees with the given labels, over the gold rows of one version.
 *
 * A row is a mention, as in the notebook that murmur replaces: a tweet counts once for each user that it mentions.
 */
#ifndef MURMUR_EVALUATION_H
#define MURMUR_EVALUATION_H

#include <stdbool.h>
#include <stdint.h>

#include "murmur/model.h"
#include "murmur/store.h"

#define MUR_N_CLASSES 3 /* by mur_sentiment */
#define MUR_N_BINS 10   /* of the score, each 10 wide; the last one has both its ends */

/* A quotient whose divisor is 0 (nothing was predicted, or nothing given) is 0, as scikit-learn has it. */
typedef struct mur_rates {
    double precision, recall, f1;
    int64_t support;   /* rows given as the class */
    int64_t predicted; /* rows predicted as it */
} mur_rates;

typedef struct mur_score_bin {
    int64_t n_rows, n_correct;
    double score_sum; /* of predicted_score, 0..100 */
} mur_score_bin;

typedef struct mur_evaluation {
    int64_t gold_version;   /* -1: there is none, and no rows */
    int64_t silver_version; /* that gold was made from; -1: none */
    int64_t n_rows;

    /* Borrowed from the store: the record that made the newest rows (with the model's name and hash, the precision and
     * the ranks), NULL without a version. From its options, owned and never NULL: */
    const mur_record *maker;
    char *mention_rule, *text;

    /* Binary, over all rows: sentiment_id against predicted_sentiment_id. What is not positive, or has no label,
     * counts as 0. [given][predicted] */
    int64_t binary[2][2];
    mur_rates positive; /* the notebook's precision, recall and F1 */
    double accuracy;

    /* By class, over the n_labelled rows whose given label is exactly negative, neutral or positive.
     * [given][predicted], by mur_sentiment */
    int64_t n_labelled, n_unlabelled, n_other_labels;
    int64_t confusion[MUR_N_CLASSES][MUR_N_CLASSES];
    bool has_three_classes; /* all three were given: else the rates below say little, and are not shown */
    mur_rates classes[MUR_N_CLASSES], macro, weighted;
    double class_accuracy;

    /* Reliability, over the same rows: predicted_score against how often the prediction is right. A score that is no
     * number is in no bin. */
    mur_score_bin bins[MUR_N_BINS];
    int64_t n_binned;
    double calibration_error; /* expected: the bins' mean of |share right - mean score / 100|, weighted by rows */
} mur_evaluation;

/* Local. Gold as of a record of the log (-1: before the first). MUR_EDATA, MUR_EIO, MUR_EUSAGE (vacuumed). Clear it
 * even after a failure. */
int mur_evaluate(mur_evaluation *out, const mur_store *store, int64_t record) MUR_MUST_USE;
void mur_evaluation_clear(mur_evaluation *e);

/* "negative", "neutral", "positive": given labels as gold has them. */
const char *mur_class_name(mur_sentiment class);

#endif
