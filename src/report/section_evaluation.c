/* section_evaluation.c: the model's word against the given labels. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "murmur/charts.h"
#include "murmur/mem.h"
#include "murmur/table_rows.h"
#include "murmur/tables.h"
#include "report_scripts.h"
#include "sections.h"

static const mur_picture rates_by_class = {
    .name = "rates-by-class",
    .title = "Precision, recall and F1 by class",
    .width = 480,
    .height = 400,
    .script = {mur_script_rates_by_class},
};

static const mur_picture balance = {
    .name = "balance",
    .title = "Sentiment as given and as predicted",
    .width = 480,
    .height = 400,
    .script = {mur_script_balance},
};

static const mur_picture scores = {
    .name = "scores",
    .title = "Predicted scores",
    .width = 480,
    .height = 400,
    .script = {mur_script_scores},
};

#define SCORE_WIDTH 2 /* of a bin of scores, which are 0 to 100 */
#define N_SCORES (100 / SCORE_WIDTH)

typedef struct score_bins {
    int64_t n[N_SCORES][MUR_N_SENTIMENTS];
    int64_t by_sentiment[MUR_N_SENTIMENTS];
} score_bins;

static int take_scores(void *context, const mur_frame *rows)
{
    score_bins *b = context;
    for (size_t r = 0; r < rows->n_rows; r++) {
        float score = mur_frame_float32(rows, r, 0);
        int bin = isfinite(score) && score > 0 ? (int)(score / SCORE_WIDTH) : 0;
        bin = bin < N_SCORES ? bin : N_SCORES - 1;
        for (int s = 0; s < MUR_N_SENTIMENTS; s++)
            if (mur_view_equal(mur_frame_string(rows, r, 1), mur_view_of(mur_sentiment_name((mur_sentiment)s)))) {
                b->n[bin][s]++;
                b->by_sentiment[s]++;
            }
    }
    return 0;
}

static int read_scores(score_bins *b, const mur_report_facts *f)
{
    const mur_schema columns = {
        .table = "gold", .columns = &mur_gold_schema.columns[MUR_GOLD_PREDICTED_SCORE], .n_columns = 2};
    const mur_selection all = {.table = "gold", .record = f->record, .limit = -1};
    return mur_each_frame(f->store, &all, &columns, take_scores, b);
}

static int draw_scores(mur_page *p, const score_bins *b)
{
    mur_buf table = {0};
    mur_buf_append_text(&table, "low\thigh\tnegative\tneutral\tpositive\n");
    for (int bin = 0; bin < N_SCORES; bin++) {
        int64_t sum = 0;
        for (int s = 0; s < MUR_N_SENTIMENTS; s++)
            sum += b->n[bin][s];
        if (sum > 0)
            mur_buf_printf(&table, "%d\t%d\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\n", bin * SCORE_WIDTH,
                           (bin + 1) * SCORE_WIDTH, b->n[bin][MUR_NEG], b->n[bin][MUR_NEU], b->n[bin][MUR_POS]);
    }
    int rc = mur_page_draw(p, &scores, &table,
                           "How sure the model is, over all rows of gold, by the class that it predicts.");
    mur_buf_clear(&table);
    return rc;
}

/* The same rows in both bars where any has a label, else what was predicted alone. */
static int draw_balance(mur_page *p, const mur_evaluation *e, const score_bins *b)
{
    mur_buf table = {0};
    mur_buf_append_text(&table, "labels\tnegative\tneutral\tpositive\n");
    if (e->n_labelled > 0) {
        int64_t given[MUR_N_CLASSES] = {0}, predicted[MUR_N_CLASSES] = {0};
        for (int g = 0; g < MUR_N_CLASSES; g++)
            for (int c = 0; c < MUR_N_CLASSES; c++) {
                given[g] += e->confusion[g][c];
                predicted[c] += e->confusion[g][c];
            }
        mur_buf_printf(&table, "given\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\n", given[MUR_NEG], given[MUR_NEU],
                       given[MUR_POS]);
        mur_buf_printf(&table, "predicted\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\n", predicted[MUR_NEG],
                       predicted[MUR_NEU], predicted[MUR_POS]);
    } else if (b->by_sentiment[MUR_NEG] + b->by_sentiment[MUR_NEU] + b->by_sentiment[MUR_POS] > 0) {
        mur_buf_printf(&table, "predicted\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\n", b->by_sentiment[MUR_NEG],
                       b->by_sentiment[MUR_NEU], b->by_sentiment[MUR_POS]);
    }
    int rc = mur_page_draw(p, &balance, &table,
                           e->n_labelled > 0 ? "Shares of the classes among the rows that have a label."
                                             : "Shares of the classes; no row has a label to compare with.");
    mur_buf_clear(&table);
    return rc;
}

static int draw_rates(mur_page *p, const mur_evaluation *e)
{
    static const char *const names[] = {"precision", "recall", "F1"};
    mur_buf table = {0};
    mur_buf_append_text(&table, "rate\tnegative\tneutral\tpositive\n");
    for (int i = 0; e->has_three_classes && i < 3; i++) {
        mur_buf_append_text(&table, names[i]);
        for (int c = 0; c < MUR_N_CLASSES; c++) {
            const mur_rates *r = &e->classes[c];
            mur_buf_printf(&table, "\t%.6f", i == 0 ? r->precision : i == 1 ? r->recall : r->f1);
        }
        mur_buf_append_text(&table, "\n");
    }
    int rc = mur_page_draw(p, &rates_by_class, &table,
                           "Precision: of the rows predicted as a class, those given as it. Recall: of those given as "
                           "it, the ones predicted so.");
    mur_buf_clear(&table);
    return rc;
}

static int draw_confusions(mur_page *p, const mur_evaluation *e)
{
    static const char *const two[] = {"not positive", "positive"};
    const char *three[MUR_N_CLASSES];
    for (int c = 0; c < MUR_N_CLASSES; c++)
        three[c] = mur_class_name((mur_sentiment)c);
    /* Of no classes there is nothing to draw. */
    int rc = mur_page_picture(p, &mur_picture_confusion,
                              mur_chart_confusion(p->folder, &mur_picture_confusion, three, &e->confusion[0][0],
                                                  e->has_three_classes ? MUR_N_CLASSES : 0),
                              "Rows that have one of the three labels, and the share of each given class.");
    if (rc == 0)
        rc = mur_page_picture(p, &mur_picture_confusion_binary,
                              mur_chart_confusion(p->folder, &mur_picture_confusion_binary, two, &e->binary[0][0], 2),
                              "All rows; a neutral one, and one without a label, counts as not positive.");
    return rc;
}

static int draw_reliability(mur_page *p, const mur_evaluation *e)
{
    mur_reliability_bin bins[MUR_N_BINS];
    for (int i = 0; i < MUR_N_BINS; i++) {
        double n = (double)e->bins[i].n_rows;
        bins[i] = (mur_reliability_bin){.low = (double)i / MUR_N_BINS,
                                        .high = (double)(i + 1) / MUR_N_BINS,
                                        .n_rows = e->bins[i].n_rows,
                                        .confidence = n > 0 ? e->bins[i].score_sum / n / 100 : 0,
                                        .accuracy = n > 0 ? (double)e->bins[i].n_correct / n : 0};
    }
    char *caption = mur_format("A model that is as sure as it is right is on the dashed line; expected calibration "
                               "error %.4f.",
                               e->calibration_error);
    int rc = mur_page_picture(p, &mur_picture_reliability, mur_chart_reliability(p->folder, bins, MUR_N_BINS), caption);
    free(caption);
    return rc;
}

static void append_rates(mur_buf *html, const char *name, const mur_rates *r, int64_t support)
{
    mur_html_row_begin(html);
    mur_html_cell(html, mur_view_of(name));
    mur_html_cell_printf(html, "%.4f", r->precision);
    mur_html_cell_printf(html, "%.4f", r->recall);
    mur_html_cell_printf(html, "%.4f", r->f1);
    mur_html_cell_count(html, support);
    mur_html_row_end(html);
}

static void append_table(mur_buf *html, const mur_evaluation *e)
{
    mur_html_table_begin(html, "Rates by class", "Class|#Precision|#Recall|#F1|#Given rows");
    for (int c = 0; c < MUR_N_CLASSES; c++)
        append_rates(html, mur_class_name((mur_sentiment)c), &e->classes[c], e->classes[c].support);
    append_rates(html, "mean of the classes (macro)", &e->macro, e->n_labelled);
    append_rates(html, "mean weighted by given rows", &e->weighted, e->n_labelled);
    mur_html_table_end(html);
}

static int draw_all(mur_page *p, const mur_evaluation *e, const score_bins *b)
{
    int rc = draw_confusions(p, e);
    if (rc == 0)
        rc = draw_reliability(p, e);
    if (rc == 0)
        rc = draw_scores(p, b);
    if (rc == 0)
        rc = draw_rates(p, e);
    return rc == 0 ? draw_balance(p, e, b) : rc;
}

static void append_totals(mur_page *p, const mur_evaluation *e)
{
    mur_page_tiles_begin(p);
    mur_page_tile(p, "Precision", "%.4f", e->positive.precision);
    mur_page_tile(p, "Recall", "%.4f", e->positive.recall);
    mur_page_tile(p, "F1 score", "%.4f", e->positive.f1);
    mur_page_tile(p, "Accuracy", "%.4f", e->accuracy);
    if (e->has_three_classes) {
        mur_page_tile(p, "3-class accuracy", "%.4f", e->class_accuracy);
        mur_page_tile(p, "3-class macro F1", "%.4f", e->macro.f1);
    }
    if (e->n_binned > 0)
        mur_page_tile(p, "Calibration error", "%.4f", e->calibration_error);
    mur_page_tiles_end(p);
}

int mur_section_evaluation(mur_page *p, const mur_report_facts *f)
{
    const mur_evaluation *e = &f->evaluation;
    mur_page_section(
        p, "evaluation", "Evaluation",
        "The model's word against the labels that the tweets came with. A row is a mention: a tweet "
        "counts once for each user that it mentions. Precision, recall and F1 score are those of positive against "
        "all else.");
    if (e->n_rows > 0)
        append_totals(p, e);
    else
        mur_buf_append_text(mur_page_body(p), "<p class=\"none\">No mention was scored yet.</p>\n");
    score_bins b = {0};
    int rc = read_scores(&b, f);
    if (rc == 0)
        rc = draw_all(p, e, &b);
    if (rc == 0 && e->has_three_classes)
        append_table(mur_page_body(p), e);
    return rc;
}
