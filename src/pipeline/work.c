#include "work.h"

#include <inttypes.h>
#include <stdlib.h>

#include "murmur/clock.h"
#include "murmur/fault.h"
#include "murmur/file.h"
#include "murmur/ingest.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/tables.h"
#include "refine.h"
#include "score.h"

/* A gzip file that unfolds to more is refused: it would take the node's memory. */
#define MAX_INFLATED ((size_t)2 << 30)

void mur_unit_tables_init(mur_unit_tables *t, size_t unit, const mur_schema *bronze)
{
    t->unit = unit;
    mur_frame_init(&t->bronze, bronze);
    mur_frame_init(&t->rejects, &mur_rejects_schema);
    mur_frame_init(&t->silver, &mur_silver_schema);
    mur_frame_init(&t->gold, &mur_gold_schema);
}

void mur_unit_tables_clear(mur_unit_tables *t)
{
    mur_frame_clear(&t->bronze);
    mur_frame_clear(&t->rejects);
    mur_frame_clear(&t->silver);
    mur_frame_clear(&t->gold);
}

/* Of smaller pieces a unit has many, and to open a file twice is more than to read it: what a file system with servers
 * takes time for is the opening. */
#define PREFETCHED_BYTES (16 << 10)

void mur_work_prefetch(const mur_plan *plan, size_t unit)
{
    const mur_piece_of_file *piece = &plan->pieces[plan->units[unit].first_piece];
    for (size_t i = 0; i < plan->units[unit].n_pieces; i++, piece++)
        if (piece->len >= PREFETCHED_BYTES)
            mur_file_prefetch(plan->files[piece->file].path, piece->offset, piece->len);
}

/* The text of a piece and where it begins: read, and inflated where it is gzip. */
static int read_piece(mur_buf *text, int64_t *offset, const mur_plan *plan, const mur_piece_of_file *piece,
                      const char **damage)
{
    *damage = NULL;
    int rc = MUR_STEP("source.read", mur_plan_read(text, offset, plan, piece));
    if (rc < 0 || !piece->is_whole || !mur_is_gzip(mur_buf_view(text)))
        return rc;
    mur_buf inflated = {0};
    rc = MUR_STEP("source.inflate", mur_inflate(&inflated, mur_buf_view(text), MAX_INFLATED, damage));
    if (rc < 0)
        mur_error_add("%s", plan->files[piece->file].path);
    mur_buf_clear(text);
    *text = inflated;
    return rc;
}

static int ingest(mur_unit_tables *t, const mur_plan *plan, const mur_run_options *options, mur_file_counts *counts,
                  mur_rank_counters *own)
{
    const mur_unit *unit = &plan->units[t->unit];
    mur_buf text = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < unit->n_pieces; i++) {
        const mur_piece_of_file *piece = &plan->pieces[unit->first_piece + i];
        const mur_source *file = &plan->files[piece->file];
        const char *damage;
        int64_t offset;
        mur_buf_reset(&text);
        int read = read_piece(&text, &offset, plan, piece, &damage);
        if (read == MUR_EAGAIN || read == MUR_ENOINPUT) { /* rank 0 tells, once for all its pieces */
            counts[piece->file].n_moved++;
            continue;
        }
        if (read < 0) {
            mur_log_warn("%s; it will be tried again next run", mur_error_last()->message);
            counts[piece->file].n_failed++;
            continue;
        }
        own->source_bytes += piece->len;

        mur_ingest in = {.bronze = &t->bronze,
                         .rejects = &t->rejects,
                         .source_file = mur_view_of(file->path),
                         .processing_time = mur_now_ms(),
                         .max_value = (size_t)options->max_value,
                         .is_strict = options->is_strict};
        size_t n_rows = t->bronze.n_rows, n_rejects = t->rejects.n_rows;
        mur_document_kind kind = MUR_DOCUMENT_LINES;
        if (piece->is_whole && !damage)
            kind = mur_document_probe(mur_buf_view(&text));
        rc = MUR_STEP("source.ingest", mur_ingest_text(&in, mur_buf_view(&text), offset, kind, damage));
        counts[piece->file].n_rows += (int64_t)(t->bronze.n_rows - n_rows);
        counts[piece->file].n_rejects += (int64_t)(t->rejects.n_rows - n_rejects);
    }
    mur_buf_clear(&text);
    return rc;
}

/* What the model reads: the cleaned text, or the tweet as it is. */
static void score(mur_unit_tables *t, mur_text_choice choice, const size_t *tweets, mur_scorer *scorer)
{
    mur_view *texts = mur_alloc(t->silver.n_rows, sizeof *texts);
    for (size_t row = 0; row < t->silver.n_rows; row++)
        texts[row] = choice == MUR_TEXT_RAW ? mur_frame_string(&t->bronze, tweets[row], MUR_BRONZE_TEXT)
                                            : mur_frame_string(&t->silver, row, MUR_SILVER_CLEANED_TEXT);
    mur_score(&t->gold, &t->silver, texts, scorer);
    free(texts);
}

/* Remembers the unit if none took longer. */
static void compare(const mur_unit_tables *t, const mur_plan *plan, const mur_worker *w, double seconds,
                    int64_t tokens_before)
{
    const mur_unit *unit = &plan->units[t->unit];
    if (seconds <= w->counters->slowest_unit_seconds || unit->n_pieces == 0)
        return;
    w->counters->slowest_unit_seconds = seconds;
    free(w->slowest->file);
    *w->slowest = (mur_slowest){.file = mur_strdup(plan->files[plan->pieces[unit->first_piece].file].path),
                                .n_tweets = (int64_t)t->bronze.n_rows,
                                .n_tokens = w->scorer->n_tokens - tokens_before};
}

int mur_work_unit(mur_unit_tables *t, const mur_plan *plan, const mur_run_options *options, const mur_worker *worker,
                  mur_file_counts *counts)
{
    mur_rank_counters *own = worker->counters;
    int64_t tokens = worker->scorer->n_tokens;
    double start = mur_monotonic();
    int rc = ingest(t, plan, options, counts, own);
    double ingested = mur_monotonic();
    own->ingest_seconds += ingested - start;
    if (rc < 0)
        return rc;
    int64_t n_tweets = (int64_t)t->bronze.n_rows;
    mur_meter_add(worker->meter, MUR_STREAM_BRONZE, n_tweets);

    mur_fault_pass("silver.refine");
    size_t *tweets = mur_refine(&t->silver, &t->bronze, options->mention_rule, &own->bad_dates);
    double refined = mur_monotonic();
    own->refine_seconds += refined - ingested;
    mur_meter_add(worker->meter, MUR_STREAM_SILVER, n_tweets);

    mur_fault_pass("gold.score");
    mur_meter_unit(worker->meter, plan->units[t->unit].n_tokens, n_tweets, (int64_t)t->silver.n_rows);
    score(t, options->text, tweets, worker->scorer);
    mur_meter_unit_done(worker->meter);
    free(tweets);
    double scored = mur_monotonic();
    own->score_seconds += scored - refined;

    own->units++;
    own->tweets += n_tweets;
    own->rejects += (int64_t)t->rejects.n_rows;
    own->mentions += (int64_t)t->silver.n_rows;
    compare(t, plan, worker, scored - start, tokens);
    mur_log_debug("unit %zu: %" PRId64 " tokens were expected and %" PRId64 " scored, in %.3f s", t->unit,
                  plan->units[t->unit].n_tokens, worker->scorer->n_tokens - tokens, scored - start);
    return 0;
}
