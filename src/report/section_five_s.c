/* section_five_s.c: spill, skew, shuffle, storage and serialization. */
#include <ctype.h>
#include <string.h>

#include "report_scripts.h"
#include "sections.h"

static const mur_picture rank_seconds = {
    .name = "rank-seconds",
    .title = "Busy seconds of each rank",
    .width = 480,
    .height = 320,
    .script = {mur_script_rank_seconds},
};

static int draw_ranks(mur_page *p, const mur_run_counters *r)
{
    mur_buf table = {0};
    mur_buf_append_text(&table, "rank\tingest\trefine\tscore\twrite\tmerge\tbusy\n");
    for (int i = 0; i < r->n_ranks; i++) {
        const mur_rank_counters *c = &r->ranks[i];
        mur_buf_printf(&table, "%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\n", i, c->ingest_seconds, c->refine_seconds,
                       c->score_seconds, c->write_seconds, c->merge_seconds, mur_rank_busy_seconds(c));
    }
    int rc = mur_page_draw(p, &rank_seconds, &table, "What each process of the run spent its working time on.");
    mur_buf_clear(&table);
    return rc;
}

/* Options, "--max-bytes", are words: a browser would break them after each hyphen. */
static void append_sentence(mur_buf *html, const char *text)
{
    for (const char *option; (option = strstr(text, "--"));) {
        size_t len = 2 + strspn(option + 2, "abcdefghijklmnopqrstuvwxyz0123456789-");
        mur_html_text(html, (mur_view){text, (size_t)(option - text)});
        mur_buf_append_text(html, "<code class=\"option\">");
        mur_html_text(html, (mur_view){option, len});
        mur_buf_append_text(html, "</code>");
        text = option + len;
    }
    mur_html_text(html, mur_view_of(text));
}

static void append_finding(mur_buf *html, const mur_finding *g)
{
    const char *grade = mur_grade_name(g->grade);
    mur_buf_printf(html, "<article class=\"finding\">\n<h3>%c%s <span class=\"grade %s\">%s</span></h3>\n",
                   toupper((unsigned char)g->name[0]), g->name + 1, grade, grade);
    mur_buf_printf(html, "<p class=\"lead\">%s</p>\n<p>", g->meaning);
    append_sentence(html, g->verdict);
    mur_buf_append_text(html, "</p>\n");
    if (*g->cure) {
        mur_buf_append_text(html, "<p><b>What would change it:</b> ");
        append_sentence(html, g->cure);
        mur_buf_append_text(html, "</p>\n");
    }
    mur_buf_append_text(html, "<dl>\n");
    for (size_t i = 0; i < g->n_figures; i++) {
        char text[MUR_QUANTITY_TEXT];
        mur_buf_printf(html, "<div><dt>%s</dt><dd>%s</dd></div>\n", g->figures[i].meaning,
                       mur_five_s_figure_format(text, &g->figures[i]));
    }
    mur_buf_append_text(html, "</dl>\n</article>\n");
}

int mur_section_five_s(mur_page *p, const mur_report_facts *f)
{
    mur_page_section(p, "five-s", "Five S",
                     "Spill, skew, shuffle, storage and serialization: where a job loses memory, time and room, judged "
                     "from what the last run counted and from the store's log.");
    for (size_t i = 0; i < MUR_N_FIVE_S; i++)
        append_finding(mur_page_beside(p), &f->five_s.findings[i]);
    return draw_ranks(p, &f->progress.last_run);
}
