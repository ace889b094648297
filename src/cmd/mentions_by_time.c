#include "mentions_by_time.h"

#include <inttypes.h>

#include "chart.h"
#include "murmur/clock.h"

#define BAR_COLUMNS 15 /* so that a line has 80 columns */

static const char *bin_name(const mur_sentiment_time *t)
{
    return t->bin_ms == MUR_HOUR_MS ? "hour" : "day";
}

void mur_append_time_text(mur_buf *out, const mur_sentiment_time *t)
{
    char begin[MUR_TIME_TEXT];
    int64_t most = 0;
    for (size_t i = 0; i < t->n_bins; i++)
        most = mur_time_bin_rows(&t->bins[i]) > most ? mur_time_bin_rows(&t->bins[i]) : most;
    mur_buf_printf(out, "%" PRId64 " mentions, %" PRId64 " of them without a timestamp\n\n%-20s %10s %10s %10s %10s\n",
                   t->n_rows, t->n_without_time, bin_name(t), "negative", "neutral", "positive", "total");
    for (size_t i = 0; i < t->n_bins; i++) {
        const mur_time_bin *b = &t->bins[i];
        mur_buf_printf(out, "%-20s %10" PRId64 " %10" PRId64 " %10" PRId64 " %10" PRId64 " ",
                       mur_time_format(begin, b->begin), b->by_sentiment[MUR_NEG], b->by_sentiment[MUR_NEU],
                       b->by_sentiment[MUR_POS], mur_time_bin_rows(b));
        mur_append_bar(out, mur_time_bin_rows(b), most, BAR_COLUMNS);
        mur_buf_append_byte(out, '\n');
    }
}

void mur_append_time_json(mur_buf *out, const mur_sentiment_time *t)
{
    char begin[MUR_TIME_TEXT];
    if (t->version < 0)
        mur_buf_append_text(out, "{\"gold_version\":null");
    else
        mur_buf_printf(out, "{\"gold_version\":%" PRId64, t->version);
    mur_buf_printf(out, ",\"mentions\":%" PRId64 ",\"without_timestamp\":%" PRId64 ",\"by\":\"%s\",\"bins\":[",
                   t->n_rows, t->n_without_time, bin_name(t));
    for (size_t i = 0; i < t->n_bins; i++) {
        const mur_time_bin *b = &t->bins[i];
        mur_buf_printf(out,
                       "%s{\"begin\":\"%s\",\"negative\":%" PRId64 ",\"neutral\":%" PRId64 ",\"positive\":%" PRId64
                       ",\"total\":%" PRId64 "}",
                       i > 0 ? "," : "", mur_time_format(begin, b->begin), b->by_sentiment[MUR_NEG],
                       b->by_sentiment[MUR_NEU], b->by_sentiment[MUR_POS], mur_time_bin_rows(b));
    }
    mur_buf_append_text(out, "]}\n");
}

void mur_append_time_csv(mur_buf *out, const mur_sentiment_time *t)
{
    char begin[MUR_TIME_TEXT];
    mur_buf_append_text(out, "begin,negative,neutral,positive,total\n");
    for (size_t i = 0; i < t->n_bins; i++) {
        const mur_time_bin *b = &t->bins[i];
        mur_buf_printf(out, "%s,%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 "\n", mur_time_format(begin, b->begin),
                       b->by_sentiment[MUR_NEG], b->by_sentiment[MUR_NEU], b->by_sentiment[MUR_POS],
                       mur_time_bin_rows(b));
    }
}
