#include "evaluation_print.h"

#include <inttypes.h>
#include <string.h>

#include "json_lines.h"
#include "murmur/json.h"

static void text_rates(mur_buf *out, const char *name, const mur_rates *r)
{
    mur_buf_printf(out, "  %-12s  %9.4f  %9.4f  %9.4f  %10" PRId64 "\n", name, r->precision, r->recall, r->f1,
                   r->support);
}

static void text_binary(mur_buf *out, const mur_evaluation *e)
{
    mur_buf_append_text(out, "\nBinary: positive, or not. Neutral, negative and no label at all are not positive.\n");
    mur_buf_printf(out, "  precision %.4f   recall %.4f   F1 %.4f   accuracy %.4f\n\n", e->positive.precision,
                   e->positive.recall, e->positive.f1, e->accuracy);
    mur_buf_printf(out, "  %-18s  %13s  %13s\n", "rows given as", "predicted not", "predicted pos");
    for (int given = 0; given < 2; given++)
        mur_buf_printf(out, "  %-18s  %13" PRId64 "  %13" PRId64 "\n", given ? "positive" : "not positive",
                       e->binary[given][0], e->binary[given][1]);
    if (e->positive.predicted == 0)
        mur_buf_append_text(out, "  No row was predicted positive: its precision stands as 0.\n");
    if (e->positive.support == 0)
        mur_buf_append_text(out, "  No row was given as positive: its recall stands as 0.\n");
}

static void text_classes(mur_buf *out, const mur_evaluation *e)
{
    mur_buf_printf(out,
                   "\nBy class: the %" PRId64 " rows given as negative, neutral or positive; neutral is a class of its "
                   "own.\n",
                   e->n_labelled);
    if (e->n_unlabelled > 0 || e->n_other_labels > 0)
        mur_buf_printf(out, "  Left out: %" PRId64 " rows without a label, %" PRId64 " with another one.\n",
                       e->n_unlabelled, e->n_other_labels);
    if (e->has_three_classes) {
        mur_buf_printf(out, "  %-12s  %9s  %9s  %9s  %10s\n", "", "precision", "recall", "F1", "rows");
        for (int s = 0; s < MUR_N_CLASSES; s++)
            text_rates(out, mur_class_name((mur_sentiment)s), &e->classes[s]);
        text_rates(out, "macro mean", &e->macro);
        text_rates(out, "weighted", &e->weighted);
        mur_buf_printf(out, "  accuracy %.4f\n\n", e->class_accuracy);
    } else {
        mur_buf_append_text(out, "  Not all three classes were given, so there are no rates by class.\n\n");
    }
    mur_buf_printf(out, "  %-18s", "rows given as");
    for (int s = 0; s < MUR_N_CLASSES; s++)
        mur_buf_printf(out, "  predicted %s", mur_sentiment_name((mur_sentiment)s));
    mur_buf_append_byte(out, '\n');
    for (int given = 0; given < MUR_N_CLASSES; given++) {
        mur_buf_printf(out, "  %-18s", mur_class_name((mur_sentiment)given));
        for (int s = 0; s < MUR_N_CLASSES; s++)
            mur_buf_printf(out, "  %13" PRId64, e->confusion[given][s]);
        mur_buf_append_byte(out, '\n');
    }
}

static void text_reliability(mur_buf *out, const mur_evaluation *e)
{
    mur_buf_printf(out, "\nReliability: the score against how often it is right; expected calibration error %.4f\n",
                   e->calibration_error);
    mur_buf_printf(out, "  %-10s  %10s  %10s  %9s\n", "score", "rows", "mean score", "right");
    for (int i = 0; i < MUR_N_BINS; i++) {
        const mur_score_bin *b = &e->bins[i];
        if (b->n_rows > 0)
            mur_buf_printf(out, "  %3d - %-4d  %10" PRId64 "  %9.2f%%  %8.2f%%\n", i * 100 / MUR_N_BINS,
                           (i + 1) * 100 / MUR_N_BINS, b->n_rows, b->score_sum / (double)b->n_rows,
                           100 * (double)b->n_correct / (double)b->n_rows);
    }
}

void mur_evaluation_text(mur_buf *out, const mur_evaluation *e)
{
    if (e->n_rows == 0) {
        mur_buf_append_text(out, "gold has no rows\n");
        return;
    }
    mur_buf_printf(out, "gold version %" PRId64 ", made from silver version %" PRId64 ": %" PRId64 " rows\n",
                   e->gold_version, e->silver_version, e->n_rows);
    if (e->maker->model_name)
        mur_buf_printf(out, "model %s (%s, %s), mention rule %s\n", e->maker->model_name, e->maker->model_hash,
                       e->maker->precision, e->mention_rule);
    text_binary(out, e);
    text_classes(out, e);
    if (e->n_binned > 0)
        text_reliability(out, e);
}

/* `before` ends with the member's colon. */
static void json_rate(mur_buf *out, const char *before, double value)
{
    mur_buf number = {0};
    mur_append_double(&number, value);
    const char *text = mur_buf_text(&number);
    size_t whole = strcspn(text, ".e"); /* "1" and "1e-05" are written 1.0 and 1.0e-05 */
    mur_buf_append_text(out, before);
    mur_buf_append(out, text, whole);
    if (text[whole] != '.')
        mur_buf_append_text(out, ".0");
    mur_buf_append_text(out, text + whole);
    mur_buf_clear(&number);
}

static void json_text(mur_buf *out, const char *before, const char *text)
{
    mur_buf_append_text(out, before);
    if (text)
        mur_json_append_string(out, mur_view_of(text));
    else
        mur_buf_append_text(out, "null");
}

static void json_rates(mur_buf *out, const char *name, const mur_rates *r)
{
    json_text(out, "", name);
    json_rate(out, ":{\"precision\":", r->precision);
    json_rate(out, ",\"recall\":", r->recall);
    json_rate(out, ",\"f1_score\":", r->f1);
    mur_buf_printf(out, ",\"support\":%" PRId64 "},", r->support);
}

static void json_matrix(mur_buf *out, const int64_t *cells, int n)
{
    mur_buf_append_text(out, "\"confusion_matrix\":[");
    for (int row = 0; row < n; row++)
        for (int column = 0; column < n; column++)
            mur_buf_printf(out, "%s%" PRId64 "%s",
                           column > 0 ? ","
                           : row > 0  ? ",["
                                      : "[",
                           cells[row * n + column], column == n - 1 ? "]" : "");
    mur_buf_append_byte(out, ']');
}

static void json_origin(mur_buf *out, const mur_evaluation *e)
{
    const mur_record *r = e->maker;
    mur_buf_printf(out, "{\"gold_version\":%" PRId64 ",\"silver_version\":%" PRId64 ",\"rows\":%" PRId64,
                   e->gold_version, e->silver_version, e->n_rows);
    json_text(out, ",\"model_name\":", r ? r->model_name : NULL);
    json_text(out, ",\"model_hash\":", r ? r->model_hash : NULL);
    json_text(out, ",\"model_precision\":", r ? r->precision : NULL);
    json_text(out, ",\"mention_rule\":", r ? e->mention_rule : NULL);
    json_text(out, ",\"text\":", r ? e->text : NULL);
    mur_buf_printf(out, ",\"ranks\":%d", r ? r->ranks : 0);
}

static void json_classes(mur_buf *out, const mur_evaluation *e)
{
    mur_buf_printf(out,
                   ",\"classes\":{\"rows\":%" PRId64 ",\"unlabelled\":%" PRId64 ",\"other_labels\":%" PRId64
                   ",\"labels\":[\"negative\",\"neutral\",\"positive\"],",
                   e->n_labelled, e->n_unlabelled, e->n_other_labels);
    json_matrix(out, &e->confusion[0][0], MUR_N_CLASSES);
    mur_buf_append_text(out, ",\"report\":");
    if (e->has_three_classes) {
        mur_buf_append_byte(out, '{');
        for (int s = 0; s < MUR_N_CLASSES; s++)
            json_rates(out, mur_class_name((mur_sentiment)s), &e->classes[s]);
        json_rates(out, "macro", &e->macro);
        json_rates(out, "weighted", &e->weighted);
        json_rate(out, "\"accuracy\":", e->class_accuracy);
        mur_buf_append_text(out, "}}");
    } else {
        mur_buf_append_text(out, "null}");
    }
}

static void json_reliability(mur_buf *out, const mur_evaluation *e)
{
    mur_buf_printf(out, ",\"calibration\":{\"rows\":%" PRId64, e->n_binned);
    if (e->n_binned > 0)
        json_rate(out, ",\"expected_calibration_error\":", e->calibration_error);
    else
        mur_buf_append_text(out, ",\"expected_calibration_error\":null");
    mur_buf_append_text(out, ",\"bins\":[");
    for (int i = 0; i < MUR_N_BINS; i++) {
        const mur_score_bin *b = &e->bins[i];
        json_rate(out, i > 0 ? ",{\"from\":" : "{\"from\":", i * 100.0 / MUR_N_BINS);
        json_rate(out, ",\"to\":", (i + 1) * 100.0 / MUR_N_BINS);
        mur_buf_printf(out, ",\"rows\":%" PRId64 ",\"correct\":%" PRId64, b->n_rows, b->n_correct);
        if (b->n_rows > 0)
            json_rate(out, ",\"mean_score\":", b->score_sum / (double)b->n_rows);
        else
            mur_buf_append_text(out, ",\"mean_score\":null");
        mur_buf_append_byte(out, '}');
    }
    mur_buf_append_text(out, "]}");
}

void mur_evaluation_json(mur_buf *out, const mur_evaluation *e)
{
    json_origin(out, e);
    json_rate(out, ",\"precision\":", e->positive.precision);
    json_rate(out, ",\"recall\":", e->positive.recall);
    json_rate(out, ",\"f1_score\":", e->positive.f1);
    json_rate(out, ",\"accuracy\":", e->accuracy);
    mur_buf_append_byte(out, ',');
    json_matrix(out, &e->binary[0][0], 2);
    json_classes(out, e);
    json_reliability(out, e);
}
