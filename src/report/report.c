#include "murmur/report.h"

#include <stdlib.h>
#include <string.h>

#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/mem.h"
#include "sections.h"

/* All figures are of one record: a writer beside us adds rows to none of them. */
static int gather(mur_report_facts *f)
{
    f->record = (int64_t)mur_store_n_records(f->store) - 1;
    int rc = mur_eda_compute(&f->eda, f->store, f->record, MUR_REPORT_TOP);
    if (rc == 0)
        rc = mur_evaluate(&f->evaluation, f->store, f->record);
    if (rc == 0)
        rc = mur_mention_summary_compute(&f->mentions, f->store, f->record, MUR_REPORT_TOP);
    if (rc == 0)
        rc = mur_sentiment_time_compute(&f->time, f->store, f->record, MUR_BY_ITSELF);
    if (rc == 0)
        rc = mur_progress_read(&f->progress, mur_store_folder(f->store));
    if (rc == 0)
        rc = mur_five_s_compute(&f->five_s, f->store, f->record, &f->progress.last_run);
    return rc;
}

static void clear(mur_report_facts *f)
{
    mur_eda_clear(&f->eda);
    mur_evaluation_clear(&f->evaluation);
    mur_mention_summary_clear(&f->mentions);
    mur_sentiment_time_clear(&f->time);
    mur_progress_history_clear(&f->progress);
}

static int append_sections(mur_page *p, const mur_report_facts *f)
{
    static int (*const sections[])(mur_page *, const mur_report_facts *) = {
        mur_section_overview, mur_section_mentions, mur_section_time,   mur_section_evaluation,
        mur_section_tweets,   mur_section_streams,  mur_section_five_s, mur_section_provenance,
    };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof sections / sizeof *sections; i++)
        rc = sections[i](p, f);
    mur_page_end(p);
    return rc;
}

static int write_page(char **path, const mur_page *p, const mur_report_facts *f)
{
    mur_buf html = {0}, subtitle = {0};
    char time[MUR_TIME_TEXT];
    mur_buf_append_text(&subtitle, "<p>The sentiment of tweets, per mentioned user. Store <code>");
    mur_html_text(&subtitle, mur_view_of(mur_store_folder(f->store)));
    mur_buf_append_text(&subtitle, "</code>");
    if (f->record >= 0)
        mur_buf_printf(&subtitle, " as of <time>%s</time>",
                       mur_time_format(time, mur_store_record(f->store, (size_t)f->record)->time / 1000 * 1000));
    mur_buf_append_text(&subtitle, ".</p>\n");
    mur_page_format(&html, p, "Tweet sentiment", mur_buf_view(&subtitle));
    *path = mur_path_join(p->folder, "index.html");
    int rc = mur_file_write(*path, mur_buf_view(&html));
    mur_buf_clear(&html);
    mur_buf_clear(&subtitle);
    return rc;
}

int mur_report(mur_report_made *out, const char *store, const char *folder)
{
    *out = (mur_report_made){0};
    mur_store *s;
    int rc = mur_store_open(&s, store);
    if (rc < 0)
        return rc;
    mur_report_facts f = {.store = s};
    mur_page p = {.folder = folder};
    rc = gather(&f);
    if (rc == 0)
        rc = mur_folder_make(folder);
    if (rc == 0)
        rc = append_sections(&p, &f);
    if (rc == 0)
        rc = write_page(&out->page, &p, &f);
    out->n_pictures = p.n_pictures;
    mur_page_clear(&p);
    clear(&f);
    mur_store_close(&s);
    return rc;
}
