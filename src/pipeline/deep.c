/* Row order makes this possible in bounded memory: bronze, silver and gold only ever grow at their end or are rewritten
 * in order, so the rows of an old version are the first rows of the latest, and the rows that a record made follow each
 * other. */
#include "murmur/deep.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cursor.h"
#include "mention_counts.h"
#include "murmur/clock.h"
#include "murmur/hash.h"
#include "murmur/json.h"
#include "murmur/mem.h"
#include "murmur/tables.h"
#include "murmur/utf8.h"
#include "refine.h"

/* Rows read at a time. Fewer of bronze: a tweet of 64 KiB may have thousands of mentions, each with the text. */
#define SLICE_ROWS 16384
#define BRONZE_SLICE_ROWS 1024

typedef struct checker {
    const mur_store *store;
    const mur_deep_options *options;
    void (*say)(void *context, const char *text);
    void *context;
    size_t n_differences;
    int64_t n_rows;
} checker;

/* Tells a difference. Returns 1: the table is done with. */
MUR_PRINTF(2, 3)
static int differ(checker *k, const char *format, ...)
{
    char text[sizeof mur_error_last()->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    k->n_differences++;
    k->say(k->context, text);
    return 1;
}

/* A value for a message. */
typedef struct shown {
    char text[120];
} shown;

static shown show(const mur_frame *f, size_t row, size_t column)
{
    shown s = {"null"};
    if (!mur_frame_is_present(f, row, column))
        return s;
    switch (f->schema->columns[column].type) {
    case MUR_STRING:
        s.text[0] = '"';
        strcpy(s.text + 1 + mur_utf8_show(s.text + 1, sizeof s.text - 2, mur_frame_string(f, row, column)), "\"");
        break;
    case MUR_TIMESTAMP: mur_time_format(s.text, mur_frame_int64(f, row, column)); break;
    case MUR_INT8: snprintf(s.text, sizeof s.text, "%d", mur_frame_int8(f, row, column)); break;
    default: snprintf(s.text, sizeof s.text, "%" PRId64, mur_frame_int64(f, row, column));
    }
    return s;
}

static bool is_equal(const mur_frame *a, size_t row_a, const mur_frame *b, size_t row_b, size_t column)
{
    if (mur_frame_is_present(a, row_a, column) != mur_frame_is_present(b, row_b, column))
        return false;
    if (a->schema->columns[column].type == MUR_STRING)
        return mur_view_equal(mur_frame_string(a, row_a, column), mur_frame_string(b, row_b, column));
    return mur_frame_int64(a, row_a, column) == mur_frame_int64(b, row_b, column);
}

/* Silver's columns of the rows in `is` against those in `should`, which are as many. */
static int compare(checker *k, const char *table, const mur_cursor *is, const mur_frame *should, const char *source)
{
    for (size_t row = 0; row < should->n_rows; row++)
        for (size_t c = 0; c < mur_silver_schema.n_columns; c++)
            if (!is_equal(&is->rows, row, should, row, c))
                return differ(k, "%s row %" PRId64 ": %s is %s where %s gives %s", table, is->first + (int64_t)row,
                              mur_silver_schema.columns[c].name, show(&is->rows, row, c).text, source,
                              show(should, row, c).text);
    k->n_rows += (int64_t)should->n_rows;
    return 0;
}

static int64_t rows_at(const mur_store *s, const char *table, int64_t version)
{
    const mur_change *change = version < 0 ? NULL : mur_store_change(s, table, version);
    return change ? change->n_rows : 0;
}

/* The newest version of which `version`'s rows are the first: what lies between only added rows or put them into other
 * parts. Parts of the newer one are there even where vacuum took the older one's. */
static int64_t newest_alike(const mur_store *s, const char *table, int64_t version)
{
    for (const mur_change *next; (next = mur_store_change(s, table, version + 1)); version++)
        if (next->n_removed > 0 && !mur_store_is_rewrite(s, next))
            break;
    return version;
}

static int mention_rule_of(const mur_record *r, mur_mention_rule *rule)
{
    cJSON *options = mur_json_parse(mur_view_of(r->options), "options");
    if (!options)
        return MUR_EDATA;
    const char *name = mur_json_string(options, "mention_rule", "");
    int rc = mur_mention_rule_from_name(rule, name)
                 ? 0
                 : mur_fail(MUR_EDATA, "record %" PRId64 ": this murmur has no mention rule '%s'", r->number, name);
    cJSON_Delete(options);
    return rc;
}

/* What one record made: the next `n_bronze` rows of bronze are the next `n_silver` of silver. */
static int check_segment(checker *k, mur_cursor *bronze, mur_cursor *silver, const mur_record *r, int64_t n_bronze,
                         int64_t n_silver)
{
    mur_mention_rule rule;
    int64_t bronze_end = bronze->next + n_bronze, silver_end = silver->next + n_silver, n_bad_dates = 0;
    mur_frame should;
    mur_frame_init(&should, &mur_silver_schema);
    int rc = mention_rule_of(r, &rule);
    while (rc == 0 && bronze->next < bronze_end) {
        int64_t left = bronze_end - bronze->next, n_left = silver_end - silver->next;
        rc = mur_cursor_read(bronze, left < BRONZE_SLICE_ROWS ? left : BRONZE_SLICE_ROWS);
        if (rc < 0)
            break;
        mur_frame_reset(&should);
        free(mur_refine(&should, &bronze->rows, rule, &n_bad_dates));
        if ((int64_t)should.n_rows > n_left)
            rc = differ(k, "silver: record %" PRId64 " added %" PRId64 " rows where bronze gives more", r->number,
                        n_silver);
        if (rc == 0)
            rc = mur_cursor_read(silver, (int64_t)should.n_rows);
        if (rc == 0)
            rc = compare(k, "silver", silver, &should, "bronze");
    }
    if (rc == 0 && silver->next < silver_end)
        rc = differ(k, "silver row %" PRId64 ": record %" PRId64 " added it, and bronze gives no such row",
                    silver->next, r->number);
    mur_frame_clear(&should);
    return rc;
}

static int check_silver(checker *k)
{
    /* Of bronze only what silver is made from. */
    const mur_schema needed = {"bronze", "", mur_bronze_schema.columns, MUR_BRONZE_SENTIMENT + 1};
    const mur_change *last = mur_store_change(k->store, "silver", -1);
    if (!last)
        return 0;
    int64_t n_bronze = rows_at(k->store, "bronze", last->input_version), done_bronze = 0, done_silver = 0;
    int64_t version = newest_alike(k->store, "bronze", last->input_version);
    mur_cursor bronze, silver = {0};
    int rc = mur_cursor_open(&bronze, k->store, "bronze", version, n_bronze, &needed);
    if (rc == 0)
        rc = mur_cursor_open(&silver, k->store, "silver", last->version, last->n_rows, &mur_silver_schema);
    for (int64_t v = 0; rc == 0 && v <= last->version; v++) {
        const mur_change *change = mur_store_change(k->store, "silver", v);
        if (mur_store_is_rewrite(k->store, change))
            continue;
        int64_t to_bronze = rows_at(k->store, "bronze", change->input_version), to_silver = change->n_rows;
        rc = check_segment(k, &bronze, &silver, mur_store_record_of(k->store, change), to_bronze - done_bronze,
                           to_silver - done_silver);
        done_bronze = to_bronze;
        done_silver = to_silver;
    }
    mur_cursor_clear(&bronze);
    mur_cursor_clear(&silver);
    return rc < 0 ? rc : 0;
}

/* Gold's columns that need no model: silver's, and those that follow from others. */
enum { GOLD_SENTIMENT = MUR_SILVER_SENTIMENT, GOLD_PREDICTED, GOLD_ID, GOLD_PREDICTED_ID, N_GOLD };

static int check_ids(checker *k, const mur_cursor *gold)
{
    const mur_frame *f = &gold->rows;
    for (size_t row = 0; row < f->n_rows; row++) {
        mur_view sentiment = mur_frame_string(f, row, GOLD_SENTIMENT);
        mur_view predicted = mur_frame_string(f, row, GOLD_PREDICTED);
        const int8_t should[N_GOLD] = {[GOLD_ID] = mur_view_equal(sentiment, mur_view_of("positive")),
                                       [GOLD_PREDICTED_ID] = mur_view_equal(predicted, mur_view_of("POS"))};
        for (size_t c = GOLD_ID; c <= GOLD_PREDICTED_ID; c++)
            if (!mur_frame_is_present(f, row, c) || mur_frame_int8(f, row, c) != should[c])
                return differ(k, "gold row %" PRId64 ": %s is %s where its other columns give %d",
                              gold->first + (int64_t)row, f->schema->columns[c].name, show(f, row, c).text, should[c]);
    }
    return 0;
}

static int check_gold(checker *k)
{
    mur_column columns[N_GOLD];
    memcpy(columns, mur_gold_schema.columns, mur_silver_schema.n_columns * sizeof *columns);
    columns[GOLD_PREDICTED] = mur_gold_schema.columns[MUR_GOLD_PREDICTED_SENTIMENT];
    columns[GOLD_ID] = mur_gold_schema.columns[MUR_GOLD_SENTIMENT_ID];
    columns[GOLD_PREDICTED_ID] = mur_gold_schema.columns[MUR_GOLD_PREDICTED_SENTIMENT_ID];
    const mur_schema needed = {"gold", "", columns, N_GOLD};
    const mur_change *last = mur_store_change(k->store, "gold", -1);
    if (!last)
        return 0;
    int64_t n_silver = rows_at(k->store, "silver", last->input_version);
    if (n_silver != last->n_rows) {
        differ(k, "gold: version %" PRId64 " has %" PRId64 " rows where version %" PRId64 " of silver has %" PRId64,
               last->version, last->n_rows, last->input_version, n_silver);
        return 0;
    }
    int64_t version = newest_alike(k->store, "silver", last->input_version);
    mur_cursor gold, silver = {0};
    int rc = mur_cursor_open(&gold, k->store, "gold", last->version, last->n_rows, &needed);
    if (rc == 0)
        rc = mur_cursor_open(&silver, k->store, "silver", version, n_silver, &mur_silver_schema);
    while (rc == 0 && gold.next < gold.end) {
        rc = mur_cursor_read(&gold, SLICE_ROWS);
        if (rc == 0)
            rc = mur_cursor_read(&silver, SLICE_ROWS);
        if (rc == 0)
            rc = compare(k, "gold", &gold, &silver.rows, "silver");
        if (rc == 0)
            rc = check_ids(k, &gold);
    }
    mur_cursor_clear(&gold);
    mur_cursor_clear(&silver);
    return rc < 0 ? rc : 0;
}

/* Application and the gold that it stands for. */
typedef struct aggregate {
    int64_t version, n_rows;
    int64_t gold_version, gold_rows; /* the latter's rows are the first of the former's */
    bool is_folding;
    uint64_t share, n_shares;
    int64_t first_wrong; /* row; INT64_MAX: none so far */
    char wrong[400];     /* what is wrong with it */
} aggregate;

static int count_share(const checker *k, const aggregate *a, mur_mention_counts *counts)
{
    mur_cursor gold;
    int rc = mur_cursor_open(&gold, k->store, "gold", a->gold_version, a->gold_rows, &mur_gold_counted);
    while (rc == 0 && gold.next < gold.end) {
        rc = mur_cursor_read(&gold, SLICE_ROWS);
        if (rc == 0)
            mur_count_gold(counts, &gold.rows, a->is_folding, a->share, a->n_shares);
    }
    mur_cursor_clear(&gold);
    return rc;
}

MUR_PRINTF(3, 4)
static void note_wrong(aggregate *a, int64_t row, const char *format, ...)
{
    if (row >= a->first_wrong)
        return;
    a->first_wrong = row;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(a->wrong, sizeof a->wrong, format, arguments);
    va_end(arguments);
}

static shown show_count(size_t column, int64_t value)
{
    shown s = {"null"};
    if (mur_application_schema.columns[column].type != MUR_TIMESTAMP)
        snprintf(s.text, sizeof s.text, "%" PRId64, value);
    else if (value != MUR_NO_TIME)
        mur_time_format(s.text, value);
    return s;
}

static void check_counts(aggregate *a, const mur_frame *rows, size_t row, int64_t number,
                         const mur_mention_counts *counts, bool *seen)
{
    mur_view mention = mur_frame_string(rows, row, MUR_APPLICATION_MENTION);
    shown name = show(rows, row, MUR_APPLICATION_MENTION);
    size_t key = mur_map_find(&counts->mentions, mention);
    if (key == MUR_MAP_NONE || seen[key]) {
        note_wrong(a, number, key == MUR_MAP_NONE ? "gold has no row of %s" : "%s has a row already", name.text);
        return;
    }
    seen[key] = true;
    mur_counts is = mur_application_counts(rows, row), should = counts->counts[key];
    const struct {
        size_t column;
        int64_t is, should;
    } values[] = {
        {MUR_APPLICATION_MIN_TIMESTAMP, is.oldest, should.oldest},
        {MUR_APPLICATION_MAX_TIMESTAMP, is.newest, should.newest},
        {MUR_APPLICATION_NEGATIVE, is.by_sentiment[MUR_NEG], should.by_sentiment[MUR_NEG]},
        {MUR_APPLICATION_NEUTRAL, is.by_sentiment[MUR_NEU], should.by_sentiment[MUR_NEU]},
        {MUR_APPLICATION_POSITIVE, is.by_sentiment[MUR_POS], should.by_sentiment[MUR_POS]},
        {MUR_APPLICATION_TOTAL, mur_frame_int64(rows, row, MUR_APPLICATION_TOTAL), mur_counts_total(&should)},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (values[i].is != values[i].should)
            note_wrong(a, number, "%s of %s is %s where gold gives %s",
                       mur_application_schema.columns[values[i].column].name, name.text,
                       show_count(values[i].column, values[i].is).text,
                       show_count(values[i].column, values[i].should).text);
}

/* Largest total first, then mentions in byte order. `before` is the last row of the slice before, if any. */
static void check_order(aggregate *a, const mur_cursor *c, mur_frame *before)
{
    const mur_frame *rows = &c->rows, *last = before;
    size_t last_row = 0;
    for (size_t row = 0; row < rows->n_rows; row++) {
        if (last->n_rows > 0) {
            int64_t above = mur_frame_int64(last, last_row, MUR_APPLICATION_TOTAL);
            int64_t total = mur_frame_int64(rows, row, MUR_APPLICATION_TOTAL);
            int order = mur_view_compare(mur_frame_string(last, last_row, MUR_APPLICATION_MENTION),
                                         mur_frame_string(rows, row, MUR_APPLICATION_MENTION));
            if (above < total || (above == total && order >= 0))
                note_wrong(a, c->first + (int64_t)row, "%s is not where the table's order has it",
                           show(rows, row, MUR_APPLICATION_MENTION).text);
        }
        last = rows;
        last_row = row;
    }
    if (rows->n_rows > 0) {
        mur_frame_reset(before);
        mur_frame_append_row(before, rows, rows->n_rows - 1);
    }
}

/* The rows of application whose mentions are in this share of all, against gold. */
static int check_share(checker *k, aggregate *a)
{
    mur_mention_counts counts = {0};
    mur_cursor rows;
    mur_frame before;
    mur_frame_init(&before, &mur_application_schema);
    int rc = mur_cursor_open(&rows, k->store, "application", a->version, a->n_rows, &mur_application_schema);
    if (rc == 0)
        rc = count_share(k, a, &counts);
    bool *seen = mur_alloc(counts.mentions.n_keys, sizeof *seen);
    while (rc == 0 && rows.next < rows.end) {
        rc = mur_cursor_read(&rows, SLICE_ROWS);
        for (size_t row = 0; rc == 0 && row < rows.rows.n_rows; row++) {
            mur_view mention = mur_frame_string(&rows.rows, row, MUR_APPLICATION_MENTION);
            if (mur_hash(mention.ptr, mention.len) % a->n_shares == a->share)
                check_counts(a, &rows.rows, row, rows.first + (int64_t)row, &counts, seen);
        }
        if (rc == 0 && a->share == 0)
            check_order(a, &rows, &before);
    }
    for (size_t key = 0; rc == 0 && key < counts.mentions.n_keys; key++) {
        char name[sizeof(shown)];
        mur_utf8_show(name, sizeof name, mur_map_key(&counts.mentions, key));
        if (!seen[key]) /* behind all rows: only told where no row is wrong */
            note_wrong(a, a->n_rows, "\"%s\" has %" PRId64 " rows in gold and none here", name,
                       mur_counts_total(&counts.counts[key]));
    }
    free(seen);
    mur_mention_counts_clear(&counts);
    mur_frame_clear(&before);
    mur_cursor_clear(&rows);
    return rc;
}

static int check_application(checker *k)
{
    const mur_change *last = mur_store_change(k->store, "application", -1);
    if (!last)
        return 0;
    aggregate a = {.version = last->version,
                   .n_rows = last->n_rows,
                   .gold_version = newest_alike(k->store, "gold", last->input_version),
                   .gold_rows = rows_at(k->store, "gold", last->input_version),
                   .first_wrong = INT64_MAX};
    const mur_record *maker = mur_store_maker(k->store, last);
    cJSON *options = mur_json_parse(mur_view_of(maker->options), "options");
    if (!options)
        return MUR_EDATA;
    a.is_folding = mur_json_bool(options, "fold_case", false);
    cJSON_Delete(options);

    int64_t at_once = k->options->mentions_at_once;
    a.n_shares = 1 + (uint64_t)(a.n_rows / at_once);
    int rc = 0;
    for (a.share = 0; rc == 0 && a.share < a.n_shares; a.share++)
        rc = check_share(k, &a);
    if (rc == 0 && a.first_wrong < INT64_MAX)
        differ(k, "application row %" PRId64 ": %s", a.first_wrong, a.wrong);
    else if (rc == 0)
        k->n_rows += a.n_rows;
    return rc;
}

int mur_verify_deep(const char *folder, const mur_deep_options *options, void (*say)(void *context, const char *text),
                    void *context, int64_t *n_rows)
{
    mur_store *store;
    int rc = mur_store_open(&store, folder);
    if (rc < 0)
        return rc;
    checker k = {.store = store, .options = options, .say = say, .context = context};
    rc = check_silver(&k);
    if (rc == 0)
        rc = check_gold(&k);
    if (rc == 0)
        rc = check_application(&k);
    if (rc == 0 && k.n_differences > 0)
        rc = mur_fail(MUR_EDATA, "%s: %zu table%s not what the table before gives", folder, k.n_differences,
                      k.n_differences == 1 ? " is" : "s are");
    *n_rows = k.n_rows;
    mur_store_close(&store);
    return rc;
}
