/* section_streams.c: the last run, stream by stream over time. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "murmur/clock.h"
#include "murmur/quantity.h"
#include "report_scripts.h"
#include "sections.h"

#define POINTS_AT_MOST 200 /* of a stream: more triggers than that are put together */

static const mur_picture rows_over_time = {
    .name = "rows-over-time",
    .title = "Rows processed by each stream over time",
    .width = 480,
    .height = 480,
    .script = {mur_script_rows_over_time, mur_script_panels},
};

static const mur_picture seconds_over_time = {
    .name = "processing-time",
    .title = "Processing time of each stream over time",
    .width = 480,
    .height = 480,
    .script = {mur_script_processing_time, mur_script_panels},
};

/* What a point stands for. */
typedef struct point {
    int64_t n_triggers, n_rows, processing_ms, end;
} point;

static void append_point(mur_buf *table, mur_stream stream, const point *t, int64_t rows_so_far, int64_t began)
{
    mur_buf_printf(table, "%s\t%.3f\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%.3f\n", mur_stream_name(stream),
                   (double)(t->end - began) / 1000, t->n_triggers, t->n_rows, rows_so_far,
                   t->n_triggers > 0 ? (double)t->processing_ms / 1000 / (double)t->n_triggers : 0);
}

/* The lines of the last run that told any, as points of each stream; the first of each is where the run began. */
static void fill(mur_buf *table, const mur_progress_history *h)
{
    mur_buf_append_text(table, "stream\tseconds\ttriggers\trows\trows_so_far\tprocessing_seconds\n");
    if (h->n == 0)
        return;
    const char *run = h->lines[h->n - 1].run_id;
    int64_t began = INT64_MAX;
    size_t n[MUR_N_STREAMS] = {0};
    for (size_t i = 0; i < h->n; i++)
        if (strcmp(h->lines[i].run_id, run) == 0) {
            n[h->lines[i].stream]++;
            began = h->lines[i].timestamp < began ? h->lines[i].timestamp : began;
        }
    for (mur_stream s = 0; s < MUR_N_STREAMS; s++) {
        size_t together = (n[s] + POINTS_AT_MOST - 1) / POINTS_AT_MOST;
        int64_t rows_so_far = 0;
        point sum = {.end = began};
        append_point(table, s, &sum, 0, began);
        for (size_t i = 0; i < h->n; i++) {
            const mur_progress_line *l = &h->lines[i];
            if (l->stream != s || strcmp(l->run_id, run) != 0)
                continue;
            sum.n_triggers++;
            sum.n_rows += l->n_in;
            sum.processing_ms += l->processing_ms;
            sum.end = l->timestamp + l->trigger_ms;
            rows_so_far += l->n_in;
            if (--n[s] % together == 0) {
                append_point(table, s, &sum, rows_so_far, began);
                sum = (point){0};
            }
        }
    }
}

static int draw_streams(mur_page *p, const mur_progress_history *h)
{
    mur_buf table = {0}, again = {0};
    fill(&table, h);
    mur_buf_append_view(&again, mur_buf_view(&table));
    int rc = mur_page_draw(p, &rows_over_time, &table,
                           "Rows taken in since the run began; a point is the end of a trigger. Application catches up "
                           "with gold at the end of a run and at most once a minute in it.");
    if (rc == 0)
        rc = mur_page_draw(p, &seconds_over_time, &again,
                           "Seconds that a trigger takes in each stream, on the rank that needs most.");
    mur_buf_clear(&table);
    mur_buf_clear(&again);
    return rc;
}

static void append_tiles(mur_page *p, const mur_run_counters *r)
{
    mur_rank_counters sum = mur_run_counters_sum(r);
    char size[MUR_QUANTITY_TEXT], began[MUR_TIME_TEXT], ended[MUR_TIME_TEXT];
    double seconds = r->seconds > 0 ? r->seconds : NAN;
    mur_page_tiles_begin(p);
    mur_page_tile(p, "Elapsed", r->seconds < 600 ? "%.1f s" : "%.0f s", r->seconds);
    mur_page_tile_count(p, "Tweets read", sum.tweets);
    mur_page_tile(p, "Tweets per second", "%.0f", (double)sum.tweets / seconds);
    mur_page_tile_count(p, "Texts scored", sum.texts);
    mur_page_tile(p, "Texts per second", "%.0f", (double)sum.texts / seconds);
    mur_page_tile_count(p, "Batches", r->n_batches);
    mur_page_tile_count(p, "Ranks", r->n_ranks);
    mur_page_tiles_end(p);
    mur_buf_printf(mur_page_body(p),
                   "<p class=\"lead\">Run <code>%.12s</code> on %d node%s, from <time>%s</time> to <time>%s</time>; %s "
                   "of source files were read.</p>\n",
                   r->run_id, r->n_nodes, r->n_nodes == 1 ? "" : "s", mur_time_format(began, r->began / 1000 * 1000),
                   mur_time_format(ended, r->ended / 1000 * 1000), mur_size_format(size, sum.source_bytes));
}

int mur_section_streams(mur_page *p, const mur_report_facts *f)
{
    const mur_progress_history *h = &f->progress;
    const mur_run_counters *r = &h->last_run;
    mur_page_section(p, "run", "Run",
                     "How the last run went, as it told itself in the store. Nothing in the tables depends on it.");
    if (h->n == 0 && !*r->run_id)
        mur_buf_append_text(mur_page_body(p), "<p class=\"none\">The store has no record of a run's progress.</p>\n");
    if (*r->run_id)
        append_tiles(p, r);
    return draw_streams(p, h);
}
