/* rescore.c: rank 0 finds the work units in the log; the ranks take them, read their rows of silver (and of bronze, for
 * the text as it was), score them, and write a part for each group of units. One record then replaces gold. */
#include "murmur/rescore.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "murmur/clock.h"
#include "murmur/fault.h"
#include "murmur/json.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/plan.h"
#include "murmur/tables.h"
#include "refine.h"
#include "score.h"
#include "table_parts.h"

/* Where a unit's rows are in the tables. */
typedef struct unit {
    int64_t first_bronze, n_bronze, first_silver, n_silver;
    int64_t rule; /* mur_mention_rule of its run */
} unit;

typedef struct rescore {
    mur_job job;
    mur_run_options options; /* of the job */
    unit *units;             /* the same on all ranks */
    size_t n_units;
    mur_buf told;
    mur_table_parts bronze, silver; /* bronze is loaded for MUR_TEXT_RAW alone */
    int64_t gold_version;           /* that is made */
    mur_stream_share all;           /* what this rank did */
    mur_part *parts;
    size_t n_parts, cap_parts;
} rescore;

void mur_rescore_options_init(mur_rescore_options *o)
{
    mur_run_options run;
    mur_run_options_init(&run);
    *o = (mur_rescore_options){.max_bytes = run.max_bytes, .writing = run.writing};
}

/* Rank 0. A member of a record's options. */
static int read_option(mur_buf *out, const mur_record *r, const char *name, const char *otherwise)
{
    cJSON *document = mur_json_parse(mur_view_of(r->options), "the options of a record");
    if (!document)
        return MUR_EDATA;
    mur_buf_reset(out);
    mur_buf_append_text(out,
                        mur_json_bool(document, name, false) ? "true" : mur_json_string(document, name, otherwise));
    cJSON_Delete(document);
    return 0;
}

/* Rank 0. The units of one record, which made rows of silver, behind those before. */
static int add_units(rescore *s, const mur_record *r, unit *end)
{
    mur_unit_rows *rows = NULL;
    size_t n;
    mur_buf name = {0};
    mur_mention_rule rule = MUR_MENTION_TWITTER;
    int rc = mur_store_units(s->job.store, (size_t)r->number, &rows, &n);
    if (rc == 0)
        rc = read_option(&name, r, "mention_rule", mur_mention_rule_name(rule));
    if (rc == 0 && !mur_mention_rule_from_name(&rule, mur_buf_text(&name)))
        rc =
            mur_fail(MUR_EDATA, "record %" PRId64 " has the unknown mention rule '%s'", r->number, mur_buf_text(&name));
    for (size_t i = 0; rc == 0 && i < n; i++) {
        unit u = {end->first_bronze, rows[i].bronze, end->first_silver, rows[i].silver, rule};
        end->first_bronze += u.n_bronze;
        end->first_silver += u.n_silver;
        if (u.n_silver > 0)
            mur_buf_append(&s->told, &u, sizeof u);
    }
    mur_buf_clear(&name);
    free(rows);
    return rc;
}

/* Rank 0. All units with rows of silver, in order. */
static int find_units(rescore *s)
{
    const mur_store *store = s->job.store;
    unit end = {0};
    for (size_t i = 0; i < mur_store_n_records(store); i++) {
        const mur_record *r = mur_store_record(store, i);
        for (size_t k = 0; k < r->n_changes; k++) {
            if (strcmp(r->changes[k].table, "silver") != 0 || mur_store_is_rewrite(store, &r->changes[k]))
                continue;
            int rc = add_units(s, r, &end);
            if (rc < 0)
                return rc;
        }
    }
    const mur_change *bronze = mur_store_change(store, "bronze", -1), *silver = mur_store_change(store, "silver", -1);
    int64_t n_bronze = bronze ? bronze->n_rows : 0, n_silver = silver ? silver->n_rows : 0;
    if (end.first_bronze == n_bronze && end.first_silver == n_silver)
        return 0;
    return mur_fail(MUR_EDATA,
                    "%s: the log's work units have %" PRId64 " rows of bronze and %" PRId64 " of silver, the tables "
                    "%" PRId64 " and %" PRId64
                    ": they were not made by murmur run alone, and gold cannot be made again",
                    mur_store_folder(store), end.first_bronze, end.first_silver, n_bronze, n_silver);
}

/* Rank 0. What the command does not say is as it was. */
static int find_options(rescore *s, const mur_rescore_options *o)
{
    const mur_change *application = mur_store_change(s->job.store, "application", -1);
    const mur_record *gold = mur_job_gold_record(&s->job);
    mur_buf value = {0};
    int rc = 0;
    if (application) {
        rc = read_option(&value, mur_store_maker(s->job.store, application), "fold_case", "");
        s->options.is_folding_case = rc == 0 && strcmp(mur_buf_text(&value), "true") == 0;
    }
    s->options.text = o->text;
    if (rc == 0 && gold && !o->has_text) {
        rc = read_option(&value, gold, "text", "cleaned");
        s->options.text = rc == 0 && strcmp(mur_buf_text(&value), "raw") == 0 ? MUR_TEXT_RAW : MUR_TEXT_CLEANED;
    }
    mur_buf_clear(&value);
    return rc;
}

/* Collective. */
static int prepare(rescore *s, const mur_rescore_options *o)
{
    const mur_comm *c = s->job.c;
    int rc = 0;
    if (c->rank == 0) {
        const mur_change *gold = mur_store_change(s->job.store, "gold", -1);
        s->gold_version = gold ? gold->version + 1 : 0;
        rc = MUR_STEP("rescore.plan", find_options(s, o));
        if (rc == 0)
            rc = find_units(s);
    }
    rc = mur_agree(c, rc);
    if (rc < 0)
        return rc;
    mur_part_start();
    mur_broadcast(c, &s->told);
    s->units = (unit *)(void *)s->told.ptr;
    s->n_units = s->told.len / sizeof *s->units;
    s->gold_version = mur_broadcast_int64(c, s->gold_version);
    s->options.is_folding_case = mur_broadcast_int64(c, s->options.is_folding_case) != 0;
    s->options.text = mur_broadcast_int64(c, s->options.text) == MUR_TEXT_RAW ? MUR_TEXT_RAW : MUR_TEXT_CLEANED;
    rc = mur_table_parts_load(&s->silver, &s->job, "silver");
    if (rc == 0 && s->options.text == MUR_TEXT_RAW)
        rc = mur_table_parts_load(&s->bronze, &s->job, "bronze");
    if (rc == 0)
        rc = mur_agree(c, MUR_STEP("rescore.check", mur_part_rows_check(&s->silver.rows, c, o->store)));
    if (rc == 0)
        rc = mur_agree(c, mur_part_rows_check(&s->bronze.rows, c, o->store));
    return rc;
}

/* The tweet of each row of silver: bronze's rows are refined again, which must give silver as it is. `texts` are
 * borrowed from `bronze`. */
static int find_tweets(rescore *s, const unit *u, const mur_frame *silver, mur_frame *bronze, mur_view *texts)
{
    mur_frame again;
    int64_t n_bad_dates = 0;
    size_t *tweets = NULL;
    mur_frame_init(&again, &mur_silver_schema);
    int rc = mur_part_rows_read(&s->bronze.rows, s->options.store, u->first_bronze, u->n_bronze, bronze);
    if (rc == 0)
        tweets = mur_refine(&again, bronze, (mur_mention_rule)u->rule, &n_bad_dates);
    bool is_same = again.n_rows == silver->n_rows;
    for (size_t row = 0; rc == 0 && is_same && row < silver->n_rows; row++) {
        for (size_t k = MUR_SILVER_MENTION; k <= MUR_SILVER_CLEANED_TEXT; k++)
            is_same = is_same && mur_view_equal(mur_frame_string(silver, row, k), mur_frame_string(&again, row, k));
        texts[row] = mur_frame_string(bronze, tweets[row], MUR_BRONZE_TEXT);
    }
    if (rc == 0 && !is_same)
        rc = mur_fail(MUR_EDATA,
                      "rows %" PRId64 " to %" PRId64 " of silver are not what bronze gives, so their tweets are not "
                      "known: rescore with --text cleaned",
                      u->first_silver, u->first_silver + u->n_silver - 1);
    free(tweets);
    mur_frame_clear(&again);
    return rc;
}

static int score_unit(rescore *s, const unit *u, mur_frame *gold)
{
    const mur_schema tweet = {"bronze", "", mur_bronze_schema.columns, MUR_BRONZE_SENTIMENT + 1};
    mur_frame silver, bronze;
    mur_frame_init(&silver, &mur_silver_schema);
    mur_frame_init(&bronze, &tweet);
    mur_view *texts = mur_alloc((size_t)u->n_silver, sizeof *texts);
    int rc = MUR_STEP("rescore.read",
                      mur_part_rows_read(&s->silver.rows, s->options.store, u->first_silver, u->n_silver, &silver));
    if (rc == 0 && s->options.text == MUR_TEXT_RAW)
        rc = find_tweets(s, u, &silver, &bronze, texts);
    for (size_t row = 0; s->options.text != MUR_TEXT_RAW && row < silver.n_rows; row++)
        texts[row] = mur_frame_string(&silver, row, MUR_SILVER_CLEANED_TEXT);
    mur_fault_pass("rescore.score");
    if (rc == 0) {
        mur_meter_unit(&s->job.meter, u->n_silver, u->n_bronze, u->n_silver);
        mur_score(gold, &silver, texts, &s->job.scorer);
        mur_meter_unit_done(&s->job.meter);
    }
    free(texts);
    mur_frame_clear(&silver);
    mur_frame_clear(&bronze);
    return rc;
}

/* Collective. A line for a group of units; what all of them came to is what the store is told. */
static void tell(rescore *s, const mur_stream_share *group, int64_t n_tweets)
{
    mur_job *j = &s->job;
    mur_progress_line line = {.stream = MUR_STREAM_GOLD, .batch = s->gold_version};
    s->all.seconds += group->seconds;
    s->all.n_in += group->n_in;
    s->all.n_out += group->n_out;
    s->all.n_bytes += group->n_bytes;
    s->all.n_texts += group->n_texts;
    s->all.n_tokens += group->n_tokens;
    mur_told_sum_up(&line, 1, group, j->c, &j->times, j->run_id);
    mur_meter_batch_done(&j->meter, true, n_tweets);
    mur_meter_say(&j->meter, &line);
}

/* Collective. Scores units [first, first + n) and writes their rows as one part. */
static int score_group(rescore *s, size_t first, size_t n)
{
    mur_job *j = &s->job;
    mur_stream_share mine = {.n_texts = -j->scorer.n_scored, .n_tokens = -j->scorer.n_tokens};
    int64_t *sizes = mur_alloc(n, sizeof *sizes), n_rows = 0, n_tweets = 0, written;
    mur_piece *pieces = mur_alloc(n, sizeof *pieces);
    mur_frame *frames = mur_alloc(n, sizeof *frames);
    size_t n_done = 0;
    for (size_t i = 0; i < n; i++) {
        n_rows += sizes[i] = s->units[first + i].n_silver;
        n_tweets += s->units[first + i].n_bronze;
    }
    mur_trigger_begin(&j->times);
    mur_meter_batch(&j->meter, s->gold_version, n_rows);
    mur_deal deal;
    int rc = mur_deal_open(&deal, j->c, sizes, n);
    if (rc == 0) {
        mur_meter_dealt(&j->meter, deal.expected, n_rows);
        double start = mur_monotonic();
        rc = mur_fault("unit.take");
        for (size_t i; rc == 0 && mur_deal_next(&deal, &i);) {
            mur_frame *gold = &frames[n_done];
            mur_frame_init(gold, &mur_gold_schema);
            pieces[n_done++] = (mur_piece){(int64_t)i, gold};
            rc = score_unit(s, &s->units[first + i], gold);
            mine.n_in += (int64_t)gold->n_rows;
            mine.n_bytes += mur_frame_bytes(gold);
        }
        mine.seconds = mur_monotonic() - start;
        if (rc < 0)
            mur_deal_abandon(&deal);
        mur_deal_close(&deal, j->c);
        rc = mur_agree(j->c, rc);
    }
    if (rc == 0) {
        mur_meter_phase(&j->meter, MUR_PHASE_WRITING);
        mur_part_options options = mur_job_part_options(j, s->gold_version);
        options.number = (int64_t)s->n_parts;
        if (s->n_parts == s->cap_parts) {
            s->cap_parts = mur_grown(s->cap_parts, s->n_parts + 1);
            s->parts = mur_realloc(s->parts, s->cap_parts, sizeof *s->parts);
        }
        rc = mur_part_write(&s->parts[s->n_parts], j->c, &mur_gold_schema, pieces, n_done, &options, &written);
        s->n_parts += rc == 0;
    }
    if (rc == 0) {
        mine.n_out = mine.n_in;
        mine.n_texts += j->scorer.n_scored;
        mine.n_tokens += j->scorer.n_tokens;
        tell(s, &mine, n_tweets);
    }
    for (size_t i = 0; i < n_done; i++)
        mur_frame_clear(&frames[i]);
    free(frames);
    free(pieces);
    free(sizes);
    return rc;
}

/* Rank 0: the record that puts the new parts in gold's place. */
static int publish(rescore *s)
{
    mur_job *j = &s->job;
    const char *label_map = mur_model_label_map(j->scorer.model);
    mur_record r;
    mur_job_record(j, &r, "RESCORE",
                   mur_format("{\"text\":\"%s\",\"batch_tokens\":%zu%s%s}",
                              s->options.text == MUR_TEXT_RAW ? "raw" : "cleaned", j->scorer.batch_tokens,
                              label_map ? ",\"label_map\":" : "", label_map ? label_map : ""));
    mur_job_record_model(j, &r);
    mur_change *change = mur_record_change(&r, "gold");
    change->version = s->gold_version;
    change->columns = &mur_gold_schema;
    change->input = mur_strdup("silver");
    change->input_version = s->silver.version;
    const mur_part **former;
    int rc = mur_store_parts(j->store, "gold", -1, &former, &change->n_removed);
    if (rc == 0) {
        change->removed = mur_alloc(change->n_removed, sizeof *change->removed);
        for (size_t i = 0; i < change->n_removed; i++)
            change->removed[i] = mur_strdup(former[i]->path);
        free(former);
        change->added = s->parts;
        change->n_added = s->n_parts;
        s->parts = NULL;
        s->n_parts = 0;
        rc = mur_store_publish(j->store, &r);
    }
    mur_record_clear(&r);
    return rc;
}

/* Collective. */
static int score_all(rescore *s, const mur_rescore_options *o)
{
    mur_job *j = &s->job;
    double start = mur_monotonic();
    size_t at_once = (size_t)(o->max_bytes / MUR_UNIT_BYTES);
    at_once = at_once > 0 ? at_once : 1;
    if (s->n_units == 0) {
        mur_log_info("%s: silver has no rows, so there is nothing to score", o->store);
        return 0;
    }
    int rc = 0;
    mur_trigger_times times = {0};
    mur_trigger_begin(&times);
    mur_meter_found(&j->meter, mur_part_rows_total(&s->silver.rows));
    for (size_t first = 0; rc == 0 && first < s->n_units; first += at_once) {
        if (mur_job_is_stopping(j))
            return mur_fail(MUR_EAGAIN, "stopped before all of silver was scored: gold is as it was; run again");
        rc = score_group(s, first, s->n_units - first < at_once ? s->n_units - first : at_once);
    }
    if (rc == 0)
        rc = mur_agree(j->c, j->c->rank == 0 ? MUR_STEP("rescore.publish", publish(s)) : 0);
    if (rc == 0) {
        mur_progress_line line = {.stream = MUR_STREAM_GOLD,
                                  .batch = s->gold_version,
                                  .start_offset = -1,
                                  .end_offset = s->silver.version,
                                  .latest_offset = s->silver.version};
        mur_told_sum_up(&line, 1, &s->all, j->c, &times, j->run_id);
        mur_meter_tell(&j->meter, &line, 1);
        rc = mur_count(j);
    }
    if (rc == 0)
        mur_log_info("gold of %s is scored again in %.1f s: version %" PRId64 ", %" PRId64 " rows, model %s", o->store,
                     mur_monotonic() - start, s->gold_version, mur_part_rows_total(&s->silver.rows),
                     mur_model_name(j->scorer.model));
    return rc;
}

int mur_rescore(mur_comm *c, const mur_rescore_options *o)
{
    rescore s = {0};
    mur_run_options_init(&s.options);
    s.options.store = o->store;
    s.options.model = o->model;
    s.options.label_map = o->label_map;
    s.options.writing = o->writing;
    mur_job *j = &s.job;
    *j = (mur_job){.c = c, .options = &s.options};
    mur_job_name(j);
    int rc = mur_scorer_open(&j->scorer, c, o->model, o->label_map, o->precision);
    if (rc == 0)
        rc = mur_agree(c, c->rank == 0 ? mur_job_open_store(j) : 0);
    if (rc == 0)
        rc = mur_job_open_meter(j);
    if (rc == 0) {
        mur_meter_phase(&j->meter, MUR_PHASE_CHECKING);
        rc = prepare(&s, o);
        if (rc == 0)
            rc = score_all(&s, o);
        mur_meter_close(&j->meter, c);
    }
    mur_job_discard(j, s.parts, s.n_parts);
    free(s.parts);
    mur_job_close_store(j);
    mur_scorer_close(&j->scorer, c);
    mur_table_parts_clear(&s.bronze);
    mur_table_parts_clear(&s.silver);
    mur_buf_clear(&s.told);
    return rc;
}
