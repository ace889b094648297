/* section_time.c: sentiment over time, by the tweets' own dates. */
#include <inttypes.h>
#include <stdlib.h>

#include "murmur/clock.h"
#include "murmur/mem.h"
#include "report_scripts.h"
#include "sections.h"

#define BARS_AT_MOST 160 /* more would be thinner than a pixel of a phone */

static const mur_picture over_time = {
    .name = "sentiment-over-time",
    .title = "Mentions over time",
    .width = 480,
    .height = 320,
    .script = {mur_script_sentiment_over_time, mur_script_time_bars},
};

static const mur_picture shares_over_time = {
    .name = "shares-over-time",
    .title = "Shares of the sentiments over time",
    .width = 480,
    .height = 320,
    .script = {mur_script_shares_over_time, mur_script_time_bars},
};

static void append_row(mur_buf *table, const mur_time_bin *b, int64_t bin_ms)
{
    char time[MUR_TIME_TEXT];
    mur_buf_printf(table, "%s\t%" PRId64 "\t%" PRId64, mur_time_format(time, b->begin), b->begin / 1000,
                   (b->begin + bin_ms) / 1000);
    for (int s = 0; s < MUR_N_SENTIMENTS; s++)
        mur_buf_printf(table, "\t%" PRId64, b->by_sentiment[s]);
    mur_buf_printf(table, "\t%" PRId64 "\n", mur_time_bin_rows(b));
}

/* The bulk of the bins, as many put together as it takes; returns the length of one. */
static int64_t fill(mur_buf *table, const mur_sentiment_time *t)
{
    mur_buf_append_text(table, "time\tbegin\tend\tnegative\tneutral\tpositive\ttotal\n");
    if (t->bulk_end <= t->bulk_first)
        return t->bin_ms;
    int64_t first = t->bins[t->bulk_first].begin, n = (t->bins[t->bulk_end - 1].begin - first) / t->bin_ms + 1;
    int64_t bin_ms = t->bin_ms * ((n + BARS_AT_MOST - 1) / BARS_AT_MOST);
    mur_time_bin sum = {.begin = first};
    for (size_t i = t->bulk_first; i < t->bulk_end; i++) {
        if (t->bins[i].begin >= sum.begin + bin_ms) {
            append_row(table, &sum, bin_ms);
            sum = (mur_time_bin){.begin = first + (t->bins[i].begin - first) / bin_ms * bin_ms};
        }
        for (int s = 0; s < MUR_N_SENTIMENTS; s++)
            sum.by_sentiment[s] += t->bins[i].by_sentiment[s];
    }
    append_row(table, &sum, bin_ms);
    return bin_ms;
}

int mur_section_time(mur_page *p, const mur_report_facts *f)
{
    const mur_sentiment_time *t = &f->time;
    mur_page_section(p, "time", "Sentiment over time",
                     "By the dates of the tweets, in UTC. A tweet counts once for each user that it mentions.");
    mur_buf table = {0};
    int64_t bin_ms = fill(&table, t);
    if (t->bulk_end == t->bulk_first)
        mur_buf_append_text(mur_page_body(p), "<p class=\"none\">No mention has a date that could be read.</p>\n");
    mur_buf again = {0};
    mur_buf_append_view(&again, mur_buf_view(&table));
    int64_t unit = bin_ms % MUR_DAY_MS == 0 ? MUR_DAY_MS : MUR_HOUR_MS;
    char *caption = mur_format("Rows of gold by predicted sentiment; a bar is %" PRId64 " %s%s.", bin_ms / unit,
                               unit == MUR_DAY_MS ? "day" : "hour", bin_ms == unit ? "" : "s");
    int rc = mur_page_draw(p, &over_time, &table, caption);
    if (rc == 0)
        rc = mur_page_draw(p, &shares_over_time, &again,
                           "The same bars in parts of a hundred: positive from below, negative from above. Short times "
                           "of few mentions swing widely.");
    free(caption);
    mur_buf_clear(&again);
    int64_t n_drawn = 0;
    for (size_t i = t->bulk_first; i < t->bulk_end; i++)
        n_drawn += mur_time_bin_rows(&t->bins[i]);
    if (rc == 0 && n_drawn < t->n_rows) {
        mur_buf *html = mur_page_body(p);
        mur_buf_append_text(html, "<p class=\"lead\">");
        mur_html_count(html, n_drawn);
        mur_buf_append_text(html, " mentions are drawn; ");
        mur_html_count(html, t->n_rows - t->n_without_time - n_drawn);
        mur_buf_append_text(html, " are further away in time than the rest and left out, ");
        mur_html_count(html, t->n_without_time);
        mur_buf_append_text(html, " have no date that could be read.</p>\n");
    }
    mur_buf_clear(&table);
    return rc;
}
