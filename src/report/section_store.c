/* section_store.c: the page's first figures, and where they come from. */
#include <inttypes.h>

#include "murmur/clock.h"
#include "murmur/quantity.h"
#include "murmur/tables.h"
#include "sections.h"

int mur_section_overview(mur_page *p, const mur_report_facts *f)
{
    const mur_mention_summary *m = &f->mentions;
    double n = (double)m->n_mentions;
    mur_page_tiles_begin(p);
    mur_page_tile_count(p, "Tweets", f->eda.n_tweets);
    mur_page_tile_count(p, "Mentions", m->n_mentions);
    mur_page_tile_count(p, "Users mentioned", m->n_users);
    if (m->n_mentions > 0) {
        mur_page_tile(p, "Positive", "%.1f %%", 100 * (double)m->by_sentiment[MUR_POS] / n);
        mur_page_tile(p, "Neutral", "%.1f %%", 100 * (double)m->by_sentiment[MUR_NEU] / n);
        mur_page_tile(p, "Negative", "%.1f %%", 100 * (double)m->by_sentiment[MUR_NEG] / n);
    }
    if (f->evaluation.n_labelled > 0)
        mur_page_tile(p, "F1 (positive)", "%.3f", f->evaluation.positive.f1);
    mur_page_tiles_end(p);
    return 0;
}

static void append_fact(mur_buf *html, const char *name, mur_view value)
{
    mur_html_row_begin(html);
    mur_html_cell(html, mur_view_of(name));
    mur_html_cell(html, value);
    mur_html_row_end(html);
}

static void append_text_fact(mur_buf *html, const char *name, const char *value)
{
    append_fact(html, name, mur_view_of(value && *value ? value : "none"));
}

static void append_tables(mur_buf *html, const mur_report_facts *f)
{
    char size[MUR_QUANTITY_TEXT], time[MUR_TIME_TEXT];
    mur_html_table_begin(html, "Tables", "Table|#Version|#Rows|#Parts|#Size|Written");
    for (size_t t = 0; t < MUR_N_TABLES; t++) {
        const char *name = mur_tables[t]->table;
        int64_t version = mur_store_version_at(f->store, name, f->record);
        const mur_change *c = version < 0 ? NULL : mur_store_change(f->store, name, version);
        if (!c)
            continue;
        mur_html_row_begin(html);
        mur_html_cell(html, mur_view_of(name));
        mur_html_cell_count(html, version);
        mur_html_cell_count(html, c->n_rows);
        mur_html_cell_count(html, c->n_parts);
        mur_html_cell_printf(html, "%s", mur_size_format(size, c->bytes));
        mur_html_cell(html, mur_view_of(mur_time_format(time, mur_store_record_of(f->store, c)->time)));
        mur_html_row_end(html);
    }
    mur_html_table_end(html);
}

int mur_section_provenance(mur_page *p, const mur_report_facts *f)
{
    mur_page_section(p, "provenance", "Provenance", "What made these figures, so that they can be made again.");
    mur_buf *html = mur_page_body(p);
    if (f->record < 0) {
        mur_buf_append_text(html, "<p class=\"none\">The store has no record yet.</p>\n");
        return 0;
    }
    append_tables(html, f);
    const mur_record *last = mur_store_record(f->store, (size_t)f->record), *maker = f->evaluation.maker;
    char time[MUR_TIME_TEXT];
    mur_buf line = {0};
    mur_html_table_begin(html, "What made the newest rows", "What|Which");
    append_text_fact(html, "Store", mur_store_folder(f->store));
    mur_buf_printf(&line, "%" PRId64 " (%s) of %s", last->number, last->operation, mur_time_format(time, last->time));
    append_fact(html, "Record of the log", mur_buf_view(&line));
    mur_buf_reset(&line);
    mur_buf_printf(&line, "%zu", mur_store_n_sources(f->store));
    append_fact(html, "Source files ingested", mur_buf_view(&line));
    append_text_fact(html, "Program", last->murmur_version);
    append_text_fact(html, "BLAS kernel", last->blas_kernel);
    if (maker) {
        append_text_fact(html, "Model of the newest rows", maker->model_name);
        append_text_fact(html, "Hash of the model", maker->model_hash);
        append_text_fact(html, "Arithmetic", maker->precision);
        append_text_fact(html, "Rule for mentions", f->evaluation.mention_rule);
        append_text_fact(html, "Text that was scored", f->evaluation.text);
        append_text_fact(html, "Options", maker->options);
        append_text_fact(html, "Run", maker->run_id);
    }
    mur_html_table_end(html);
    mur_buf_clear(&line);
    return 0;
}
