/* section_tweets.c: what bronze holds. */
#include <inttypes.h>

#include "report_scripts.h"
#include "sections.h"

static const mur_picture top_users = {
    .name = "top-users",
    .title = "The 20 users with most tweets",
    .width = 480,
    .height = 520,
    .script = {mur_script_top_users, mur_script_rows, mur_script_user_bars},
};

static const mur_picture users_by_tweets = {
    .name = "users-by-tweets",
    .title = "Users by number of tweets",
    .width = 480,
    .height = 520,
    .script = {mur_script_users_by_tweets},
};

static int draw_users(mur_page *p, const mur_eda *e)
{
    mur_buf table = {0};
    mur_buf_append_text(&table, "user\ttweets\n");
    for (size_t i = 0; i < e->users.n_first; i++) {
        mur_picture_cell(&table, mur_view_of(e->users.first[i].value), MUR_PICTURE_NAME_COLUMNS);
        mur_buf_printf(&table, "\t%" PRId64 "\n", e->users.first[i].n);
    }
    int rc = mur_page_draw(p, &top_users, &table, "Names as the source files have them.");

    int last = MUR_EDA_CLASSES - 1;
    while (last >= 0 && e->users_by_tweets[last] == 0)
        last--;
    mur_buf_append_text(&table, "tweets\tusers\n");
    for (int k = 0; k <= last; k++) {
        int64_t from = INT64_C(1) << k, to = 2 * from - 1;
        if (from == to)
            mur_buf_printf(&table, "%" PRId64, from);
        else
            mur_buf_printf(&table, "%" PRId64 "–%" PRId64, from, to);
        mur_buf_printf(&table, "\t%" PRId64 "\n", e->users_by_tweets[k]);
    }
    if (rc == 0)
        rc = mur_page_draw(p, &users_by_tweets, &table,
                           "How many users have how many tweets; each step of the axis is ten times the one below.");
    mur_buf_clear(&table);
    return rc;
}

static void append_columns(mur_buf *html, const mur_eda *e)
{
    mur_html_table_begin(html, "Nulls in bronze, and what silver does about them", "Column|#Nulls|#Share|In silver");
    for (size_t c = 0; c < e->n_columns; c++) {
        mur_html_row_begin(html);
        mur_html_cell_name(html, mur_view_of(e->columns[c].name));
        mur_html_cell_count(html, e->columns[c].n_nulls);
        mur_html_cell_printf(html, "%.1f %%", 100.0 * (double)e->columns[c].n_nulls / (double)e->n_tweets);
        mur_html_cell(html, mur_view_of(e->columns[c].consequence));
        mur_html_row_end(html);
    }
    mur_html_table_end(html);
}

static void append_mentions(mur_buf *html, const mur_eda *e)
{
    mur_html_table_begin(html, "Tweets with and without a mention, by rule", "Rule|#With|#Without|#Share with");
    for (mur_mention_rule rule = 0; rule < MUR_N_MENTION_RULES; rule++) {
        mur_html_row_begin(html);
        mur_html_cell(html, mur_view_of(mur_mention_rule_name(rule)));
        mur_html_cell_count(html, e->n_with_mention[rule]);
        mur_html_cell_count(html, e->n_tweets - e->n_with_mention[rule]);
        mur_html_cell_printf(html, "%.1f %%", 100.0 * (double)e->n_with_mention[rule] / (double)e->n_tweets);
        mur_html_row_end(html);
    }
    mur_html_table_end(html);
}

static void append_labels(mur_buf *html, const mur_eda *e)
{
    mur_html_table_begin(html, "Labels that the tweets came with", "Label|#Tweets|#Share");
    for (size_t i = 0; i < e->labels.n_first; i++) {
        mur_html_row_begin(html);
        mur_html_cell_name(html, mur_view_of(e->labels.first[i].value));
        mur_html_cell_count(html, e->labels.first[i].n);
        mur_html_cell_printf(html, "%.1f %%", 100.0 * (double)e->labels.first[i].n / (double)e->n_tweets);
        mur_html_row_end(html);
    }
    mur_html_table_end(html);
}

static void append_totals(mur_page *p, const mur_eda *e)
{
    mur_page_tiles_begin(p);
    mur_page_tile_count(p, "Tweets", e->n_tweets);
    mur_page_tile_count(p, "Users", e->users.n_distinct);
    mur_page_tile_count(p, "Median per user", e->median_tweets);
    mur_page_tile_count(p, "Unreadable dates", e->n_bad_dates);
    mur_page_tile_count(p, "Rejected records", e->n_rejects);
    mur_page_tiles_end(p);
}

int mur_section_tweets(mur_page *p, const mur_report_facts *f)
{
    const mur_eda *e = &f->eda;
    mur_page_section(p, "tweets", "Tweets", "What was read, before anything was made of it: the bronze table.");
    if (e->n_tweets > 0)
        append_totals(p, e);
    else
        mur_buf_append_text(mur_page_body(p), "<p class=\"none\">No tweet was read yet.</p>\n");
    int rc = draw_users(p, e);
    if (rc < 0 || e->n_tweets == 0)
        return rc;
    mur_buf *html = mur_page_body(p);
    append_columns(html, e);
    mur_buf_append_text(html, "<div class=\"pair\">\n");
    append_mentions(html, e);
    append_labels(html, e);
    mur_buf_append_text(html, "</div>\n");
    return 0;
}
