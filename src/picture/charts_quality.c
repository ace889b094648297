/* charts_quality.c: how good the predictions are. */
#include <inttypes.h>

#include "murmur/charts.h"

/* A square's strength is its share of the given class, so that a rare class shows its errors as a common one does. */
#define CONFUSION                                                                                                      \
    "stats data using \"x\" name \"X\" nooutput\n"                                                                     \
    "n = X_max + 1\n"                                                                                                  \
    "unset grid\n"                                                                                                     \
    "unset key\n"                                                                                                      \
    "set size ratio 1\n"                                                                                               \
    "set xrange [-0.5 : n - 0.5]\n"                                                                                    \
    "set yrange [n - 0.5 : -0.5]\n"                                                                                    \
    "set xlabel \"predicted\" textcolor rgb ink\n"                                                                     \
    "set ylabel \"given\" textcolor rgb ink\n"                                                                         \
    "strength(share) = (int(255 * (0.94 - 0.64 * share)) << 24) + accent\n"                                            \
    "percent(share) = sprintf(\"%.1f%%\", 100 * share)\n"                                                              \
    "plot data using \"x\":\"y\":(column(\"x\") - 0.48):(column(\"x\") + 0.48):(column(\"y\") - 0.48)"                 \
    ":(column(\"y\") + 0.48):(strength(column(\"share\"))):xtic(strcol(\"predicted\")):ytic(strcol(\"given\"))"        \
    " with boxxyerror linecolor rgb variable, \\\n"                                                                    \
    "     \"\" using \"x\":(column(\"y\") - 0.1):(sprintf(\"%.0f\", column(\"count\"))) with labels font \",17\""      \
    " textcolor rgb ink, \\\n"                                                                                         \
    "     \"\" using \"x\":(column(\"y\") + 0.18):(percent(column(\"share\"))) with labels font \",12\""               \
    " textcolor rgb ink\n"

const mur_picture mur_picture_confusion = {
    .name = "confusion",
    .title = "Rows of gold by given and predicted sentiment",
    .width = 480,
    .height = 400,
    .script = CONFUSION,
};

const mur_picture mur_picture_confusion_binary = {
    .name = "confusion-binary",
    .title = "Rows of gold by given and predicted sentiment, positive or not",
    .width = 480,
    .height = 400,
    .script = CONFUSION,
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

/* Bars: how often the model was right; the line: as often as it was sure. Numbers of rows stand above the axis. */
const mur_picture mur_picture_reliability = {
    .name = "reliability",
    .title = "How often predictions of a score are right",
    .width = 480,
    .height = 400,
    .script =
        "unset key\n"
        "set size ratio 0.75\n"
        "set xrange [0 : 1]\n"
        "set yrange [0 : 1]\n"
        "set format xy \"%.1f\"\n"
        "set xtics 0.2\n"
        "set ytics 0.2\n"
        "set xlabel \"predicted score / 100\" textcolor rgb ink\n"
        "set ylabel \"share that is right\" textcolor rgb ink\n"
        "right = (96 << 24) + accent\n"
        "set label \"as sure as right\" at graph 0.03, 0.075 rotate by 37 left textcolor rgb neutral\n"
        "plot data using ((column(\"low\") + column(\"high\")) / 2):(column(\"accuracy\") / 2)"
        ":(column(\"low\") + 0.004):(column(\"high\") - 0.004):(0):\"accuracy\" with boxxyerror"
        " linecolor rgb right, \\\n"
        "     x with lines linecolor rgb neutral dashtype (6, 4), \\\n"
        "     data using \"confidence\":\"accuracy\" with linespoints linecolor rgb accent linewidth 2 pointtype 7"
        " pointsize 0.7\n",
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
