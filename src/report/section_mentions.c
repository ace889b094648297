/* section_mentions.c: who is spoken of, well and ill. */
#include <inttypes.h>
#include <stdlib.h>

#include "murmur/table_rows.h"
#include "murmur/tables.h"
#include "report_scripts.h"
#include "sections.h"

static const mur_picture in_favour = {
    .name = "in-favour",
    .title = "The 20 users with most positive mentions",
    .width = 480,
    .height = 520,
    .script = {mur_script_in_favour, mur_script_rows, mur_script_ranking},
};

static const mur_picture villains = {
    .name = "villains",
    .title = "The 20 users with most negative mentions",
    .width = 480,
    .height = 520,
    .script = {mur_script_villains, mur_script_rows, mur_script_ranking},
};

static const mur_picture most_mentioned = {
    .name = "most-mentioned",
    .title = "The 20 users with most mentions",
    .width = 480,
    .height = 520,
    .script = {mur_script_most_mentioned, mur_script_rows, mur_script_ranking},
};

static const mur_picture mention_rank = {
    .name = "mention-rank",
    .title = "Mentions of a user by rank",
    .width = 480,
    .height = 520,
    .script = {mur_script_mention_rank},
};

static int draw_ranking(mur_page *p, const mur_picture *picture, const mur_report_facts *f, mur_ranking ranking,
                        const char *caption)
{
    mur_buf table = {0};
    mur_buf_append_text(&table, "mention\tnegative\tneutral\tpositive\ttotal\n");
    for (size_t i = 0; i < f->mentions.rankings[ranking].n; i++) {
        const mur_mention_total *m = &f->mentions.rankings[ranking].rows[i];
        mur_picture_cell(&table, mur_view_of(m->mention), MUR_PICTURE_NAME_COLUMNS);
        for (int s = 0; s < MUR_N_SENTIMENTS; s++)
            mur_buf_printf(&table, "\t%" PRId64, m->by_sentiment[s]);
        mur_buf_printf(&table, "\t%" PRId64 "\n", m->total);
    }
    int rc = mur_page_draw(p, picture, &table, caption);
    mur_buf_clear(&table);
    return rc;
}

/* The curve of a million ranks has few steps: where the number of mentions changes, both ends of the step are kept.
 * Application is sorted by it. */
typedef struct steps {
    mur_buf table;
    int64_t rank, mentions, written;
} steps;

static void write_step(steps *s)
{
    if (s->rank > s->written)
        mur_buf_printf(&s->table, "%" PRId64 "\t%" PRId64 "\n", s->rank, s->mentions);
    s->written = s->rank;
}

static int take_total(void *context, const mur_frame *rows)
{
    steps *s = context;
    for (size_t r = 0; r < rows->n_rows; r++) {
        int64_t total = mur_frame_int64(rows, r, 0);
        bool is_new = total != s->mentions;
        if (is_new)
            write_step(s);
        s->rank++;
        s->mentions = total;
        if (is_new)
            write_step(s);
    }
    return 0;
}

static int draw_ranks(mur_page *p, const mur_report_facts *f)
{
    const mur_schema total = {
        .table = "application", .columns = &mur_application_schema.columns[MUR_APPLICATION_TOTAL], .n_columns = 1};
    const mur_selection all = {.table = "application", .record = f->record, .limit = -1};
    steps s = {.mentions = -1};
    mur_buf_append_text(&s.table, "rank\tmentions\n");
    int rc = mur_each_frame(f->store, &all, &total, take_total, &s);
    if (rc == 0) {
        write_step(&s);
        rc =
            mur_page_draw(p, &mention_rank, &s.table,
                          "Users from the most to the least mentioned; of more than 20 both axes are by powers of ten, "
                          "where a straight line would be Zipf's law.");
    }
    mur_buf_clear(&s.table);
    return rc;
}

static void append_table(mur_page *p, const mur_report_facts *f)
{
    mur_buf *html = mur_page_body(p);
    mur_html_table_begin(html, "The most mentioned users", "User|#Mentions|#Negative|#Neutral|#Positive|#In favour");
    for (size_t i = 0; i < f->mentions.rankings[MUR_RANK_TOTAL].n; i++) {
        const mur_mention_total *m = &f->mentions.rankings[MUR_RANK_TOTAL].rows[i];
        mur_html_row_begin(html);
        mur_html_cell_name(html, mur_view_of(m->mention));
        mur_html_cell_count(html, m->total);
        for (int s = 0; s < MUR_N_SENTIMENTS; s++)
            mur_html_cell_count(html, m->by_sentiment[s]);
        mur_html_cell_printf(html, "%.0f %%", 100.0 * (double)m->by_sentiment[MUR_POS] / (double)m->total);
        mur_html_row_end(html);
    }
    mur_html_table_end(html);
}

static void append_totals(mur_page *p, const mur_mention_summary *m)
{
    mur_page_tiles_begin(p);
    mur_page_tile_count(p, "Mentions", m->n_mentions);
    mur_page_tile_count(p, "Users mentioned", m->n_users);
    mur_page_tile_count(p, "Positive", m->by_sentiment[MUR_POS]);
    mur_page_tile_count(p, "Neutral", m->by_sentiment[MUR_NEU]);
    mur_page_tile_count(p, "Negative", m->by_sentiment[MUR_NEG]);
    mur_page_tiles_end(p);
    if (m->is_behind)
        mur_buf_printf(mur_page_body(p),
                       "<p>Gold has rows that are not counted here yet: these are the mentions of its version %" PRId64
                       ".</p>\n",
                       m->gold_version);
}

int mur_section_mentions(mur_page *p, const mur_report_facts *f)
{
    mur_page_section(p, "mentions", "Mentions", "Who is spoken of, and how, as the model has it.");
    if (f->mentions.n_mentions > 0)
        append_totals(p, &f->mentions);
    else
        mur_buf_append_text(mur_page_body(p), "<p class=\"none\">No user is mentioned yet.</p>\n");
    int rc = draw_ranking(p, &in_favour, f, MUR_RANK_POSITIVE,
                          "Sorted by positive mentions, the number at the end of a bar; the bar is all mentions.");
    if (rc == 0)
        rc = draw_ranking(p, &villains, f, MUR_RANK_NEGATIVE,
                          "Sorted by negative mentions, the number at the end of a bar; the bar is all mentions.");
    if (rc == 0)
        rc = draw_ranking(p, &most_mentioned, f, MUR_RANK_TOTAL, "Sorted by all mentions, whose number is at the end.");
    if (rc == 0)
        rc = draw_ranks(p, f);
    if (rc == 0 && f->mentions.n_mentions > 0)
        append_table(p, f);
    return rc;
}
