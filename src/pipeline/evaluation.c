#include "murmur/evaluation.h"

#include <math.h>
#include <stdlib.h>

#include "cursor.h"
#include "murmur/json.h"
#include "murmur/mem.h"
#include "murmur/tables.h"

#define SLICE_ROWS 16384

enum { GIVEN, SCORE, PREDICTED, GIVEN_ID, PREDICTED_ID, N_COLUMNS };

/* The columns of gold that are read, by the numbers above. */
static const size_t wanted[N_COLUMNS] = {MUR_GOLD_SENTIMENT, MUR_GOLD_PREDICTED_SCORE, MUR_GOLD_PREDICTED_SENTIMENT,
                                         MUR_GOLD_SENTIMENT_ID, MUR_GOLD_PREDICTED_SENTIMENT_ID};

const char *mur_class_name(mur_sentiment class)
{
    return class == MUR_NEG ? "negative" : class == MUR_NEU ? "neutral" : "positive";
}

static bool find_class(mur_sentiment *out, mur_view text, const char *(*name)(mur_sentiment))
{
    for (int s = 0; s < MUR_N_CLASSES; s++) {
        *out = (mur_sentiment)s;
        if (mur_view_equal(text, mur_view_of(name(*out))))
            return true;
    }
    return false;
}

static void add_score(mur_evaluation *e, double score, bool is_correct)
{
    if (!(score >= 0 && score <= 100))
        return;
    int bin = (int)(score / (100.0 / MUR_N_BINS));
    mur_score_bin *b = &e->bins[bin < MUR_N_BINS ? bin : MUR_N_BINS - 1];
    b->n_rows++;
    b->n_correct += is_correct;
    b->score_sum += score;
    e->n_binned++;
}

static int add_row(mur_evaluation *e, const mur_frame *f, size_t row)
{
    e->binary[mur_frame_int8(f, row, GIVEN_ID) == 1][mur_frame_int8(f, row, PREDICTED_ID) == 1]++;
    mur_sentiment given, predicted;
    if (!find_class(&predicted, mur_frame_string(f, row, PREDICTED), mur_sentiment_name))
        return mur_fail(MUR_EDATA, "gold has a predicted_sentiment that is none of NEG, NEU and POS");
    if (!mur_frame_is_present(f, row, GIVEN)) {
        e->n_unlabelled++;
    } else if (!find_class(&given, mur_frame_string(f, row, GIVEN), mur_class_name)) {
        e->n_other_labels++;
    } else {
        e->n_labelled++;
        e->confusion[given][predicted]++;
        add_score(e, mur_frame_float32(f, row, SCORE), given == predicted);
    }
    return 0;
}

static double divide(double a, double b)
{
    return b > 0 ? a / b : 0;
}

static mur_rates rates_of(int64_t n_hits, int64_t n_given, int64_t n_predicted)
{
    return (mur_rates){.precision = divide((double)n_hits, (double)n_predicted),
                       .recall = divide((double)n_hits, (double)n_given),
                       .f1 = divide(2 * (double)n_hits, (double)(n_given + n_predicted)),
                       .support = n_given,
                       .predicted = n_predicted};
}

/* Adds a class's rates to a mean. */
static void weigh(mur_rates *mean, const mur_rates *r, double weight)
{
    mean->precision += weight * r->precision;
    mean->recall += weight * r->recall;
    mean->f1 += weight * r->f1;
    mean->support += r->support;
    mean->predicted += r->predicted;
}

static void finish(mur_evaluation *e)
{
    e->positive = rates_of(e->binary[1][1], e->binary[1][0] + e->binary[1][1], e->binary[0][1] + e->binary[1][1]);
    e->accuracy = divide((double)(e->binary[0][0] + e->binary[1][1]), (double)e->n_rows);

    int64_t n_right = 0;
    e->has_three_classes = true;
    for (int s = 0; s < MUR_N_CLASSES; s++) {
        int64_t n_given = 0, n_predicted = 0;
        for (int t = 0; t < MUR_N_CLASSES; t++) {
            n_given += e->confusion[s][t];
            n_predicted += e->confusion[t][s];
        }
        n_right += e->confusion[s][s];
        e->classes[s] = rates_of(e->confusion[s][s], n_given, n_predicted);
        e->has_three_classes = e->has_three_classes && n_given > 0;
    }
    for (int s = 0; s < MUR_N_CLASSES; s++) {
        weigh(&e->macro, &e->classes[s], 1.0 / MUR_N_CLASSES);
        weigh(&e->weighted, &e->classes[s], divide((double)e->classes[s].support, (double)e->n_labelled));
    }
    e->class_accuracy = divide((double)n_right, (double)e->n_labelled);

    for (const mur_score_bin *b = e->bins; b < e->bins + MUR_N_BINS; b++)
        e->calibration_error += divide(fabs((double)b->n_correct - b->score_sum / 100), (double)e->n_binned);
}

/* What the record that made the rows says of how they were made. */
static int read_options(mur_evaluation *e)
{
    cJSON *options = mur_json_parse(mur_view_of(e->maker->options), "the options of a record");
    if (!options)
        return MUR_EDATA;
    e->mention_rule = mur_strdup(mur_json_string(options, "mention_rule", ""));
    e->text = mur_strdup(mur_json_string(options, "text", ""));
    cJSON_Delete(options);
    return 0;
}

static int read_rows(mur_evaluation *e, const mur_store *store)
{
    mur_column columns[N_COLUMNS];
    for (size_t c = 0; c < N_COLUMNS; c++)
        columns[c] = mur_gold_schema.columns[wanted[c]];
    mur_schema schema = {mur_gold_schema.table, mur_gold_schema.description, columns, N_COLUMNS};
    mur_cursor gold;
    int rc = mur_cursor_open(&gold, store, schema.table, e->gold_version, e->n_rows, &schema);
    while (rc == 0 && gold.next < gold.end) {
        rc = mur_cursor_read(&gold, SLICE_ROWS);
        for (size_t row = 0; rc == 0 && row < gold.rows.n_rows; row++)
            rc = add_row(e, &gold.rows, row);
    }
    mur_cursor_clear(&gold);
    return rc;
}

int mur_evaluate(mur_evaluation *out, const mur_store *store, int64_t record)
{
    int rc = 0;
    *out = (mur_evaluation){.gold_version = mur_store_version_at(store, "gold", record), .silver_version = -1};
    if (out->gold_version >= 0) {
        const mur_change *gold = mur_store_change(store, "gold", out->gold_version);
        out->silver_version = gold->input_version;
        out->n_rows = gold->n_rows;
        out->maker = mur_store_maker(store, gold);
        rc = read_options(out);
        if (rc == 0)
            rc = read_rows(out, store);
    }
    if (!out->mention_rule)
        out->mention_rule = mur_strdup("");
    if (!out->text)
        out->text = mur_strdup("");
    finish(out);
    return rc;
}

void mur_evaluation_clear(mur_evaluation *e)
{
    free(e->mention_rule);
    free(e->text);
    *e = (mur_evaluation){0};
}
