/* charts_quality.c: how good the predictions are. */
#include <inttypes.h>

#include "murmur/charts.h"
#include "picture_scripts.h"

const mur_picture mur_picture_confusion = {
    .name = "confusion",
    .title = "Rows of gold by given and predicted sentiment",
    .width = 480,
    .height = 400,
    .script = {mur_script_confusion},
};

const mur_picture mur_picture_confusion_binary = {
    .name = "confusion-binary",
    .title = "Rows of gold by given and predicted sentiment, positive or not",
    .width = 480,
    .height = 400,
    .script = {mur_script_confusion},
};

int mur_chart_confusion(const char *folder, const mur_picture *picture, const char *const *labels,
                        const int64_t *counts, size_t n)
{
    mur_buf table = {0};
    int64_t all = 0;
    mur_buf_append_text(&table, "given\tpredicted\tx\ty\tcount\tshare\n");
    for (size_t given = 0; given < n; given++) {
        int64_t of_given = 0;
        for (size_t predicted = 0; predicted < n; predicted++)
            of_given += counts[given * n + predicted];
        all += of_given;
        for (size_t predicted = 0; predicted < n; predicted++) {
            int64_t count = counts[given * n + predicted];
            mur_buf_printf(&table, "%s\t%s\t%zu\t%zu\t%" PRId64 "\t%.6f\n", labels[given], labels[predicted], predicted,
                           given, count, of_given > 0 ? (double)count / (double)of_given : 0.0);
        }
    }
    if (all == 0) /* nothing to show: only the line of names */
        table.len = 0;
    int rc = mur_picture_draw(folder, picture, mur_buf_view(&table));
    mur_buf_clear(&table);
    return rc;
}

const mur_picture mur_picture_reliability = {
    .name = "reliability",
    .title = "How often predictions of a score are right",
    .width = 480,
    .height = 400,
    .script = {mur_script_reliability},
};

int mur_chart_reliability(const char *folder, const mur_reliability_bin *bins, size_t n)
{
    mur_buf table = {0};
    mur_buf_append_text(&table, "low\thigh\trows\tconfidence\taccuracy\n");
    for (size_t i = 0; i < n; i++)
        if (bins[i].n_rows > 0)
            mur_buf_printf(&table, "%.6f\t%.6f\t%" PRId64 "\t%.6f\t%.6f\n", bins[i].low, bins[i].high, bins[i].n_rows,
                           bins[i].confidence, bins[i].accuracy);
    int rc = mur_picture_draw(folder, &mur_picture_reliability, mur_buf_view(&table));
    mur_buf_clear(&table);
    return rc;
}
