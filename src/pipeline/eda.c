#include "murmur/eda.h"

#include <stdlib.h>

#include "murmur/date.h"
#include "murmur/map.h"
#include "murmur/mem.h"
#include "murmur/table_rows.h"
#include "murmur/tables.h"

/* What silver does about a null, by bronze's own columns; all others stay in bronze. */
static const char *const consequences[] = {
    [MUR_BRONZE_DATE] = "timestamp is null, as for a date that cannot be read; the row stays",
    [MUR_BRONZE_USER] = "none: silver does not need it",
    [MUR_BRONZE_TEXT] = "no mentions, so no rows",
    [MUR_BRONZE_SENTIMENT] = "sentiment is null, and sentiment_id in gold 0; the row stays",
    [MUR_BRONZE_SOURCE_FILE] = "none: it is never null",
    [MUR_BRONZE_PROCESSING_TIME] = "none: it is never null",
    [MUR_BRONZE_RESCUED_DATA] = "none: null means that there was nothing to rescue",
};

/* Counts by value, in order of first appearance; zeroed is empty. */
typedef struct tally {
    mur_map values;
    int64_t *counts;
    size_t cap;
    int64_t n_rows;
} tally;

static void tally_add(tally *t, mur_view value)
{
    bool is_new;
    size_t k = mur_map_add(&t->values, value, &is_new);
    if (k >= t->cap) {
        t->cap = mur_grown(t->cap, k + 1);
        t->counts = mur_realloc(t->counts, t->cap, sizeof *t->counts);
    }
    t->counts[k] = (is_new ? 0 : t->counts[k]) + 1;
    t->n_rows++;
}

static void tally_clear(tally *t)
{
    mur_map_clear(&t->values);
    free(t->counts);
    *t = (tally){0};
}

typedef struct ranked {
    mur_view value;
    int64_t n;
} ranked;

static int by_count(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n ? 1 : -1) : mur_view_compare(x->value, y->value);
}

/* The values, most frequent first; borrowed from the tally. */
static ranked *tally_rank(const tally *t)
{
    size_t n = t->values.n_keys;
    ranked *all = mur_alloc(n, sizeof *all);
    for (size_t k = 0; k < n; k++)
        all[k] = (ranked){mur_map_key(&t->values, k), t->counts[k]};
    if (n > 1)
        qsort(all, n, sizeof *all, by_count);
    return all;
}

static void take_first(mur_value_counts *out, const tally *t, const ranked *all, size_t top)
{
    out->n_distinct = (int64_t)t->values.n_keys;
    out->n_rows = t->n_rows;
    out->n_first = top < t->values.n_keys ? top : t->values.n_keys;
    out->first = mur_alloc(out->n_first, sizeof *out->first);
    for (size_t i = 0; i < out->n_first; i++)
        out->first[i] = (mur_value_count){mur_strndup(all[i].value.ptr, all[i].value.len), all[i].n};
}

typedef struct collected {
    mur_eda *out;
    tally users, labels;
    mur_mentions mentions;
} collected;

static int take_bronze(void *context, const mur_frame *rows)
{
    collected *c = context;
    mur_eda *e = c->out;
    e->n_tweets += (int64_t)rows->n_rows;
    for (size_t r = 0; r < rows->n_rows; r++) {
        for (size_t k = 0; k < e->n_columns; k++)
            e->columns[k].n_nulls += !mur_frame_is_present(rows, r, k);
        if (mur_frame_is_present(rows, r, MUR_BRONZE_DATE))
            e->n_bad_dates += mur_date_parse(mur_frame_string(rows, r, MUR_BRONZE_DATE)) == MUR_NO_TIME;
        if (mur_frame_is_present(rows, r, MUR_BRONZE_USER))
            tally_add(&c->users, mur_frame_string(rows, r, MUR_BRONZE_USER));
        if (mur_frame_is_present(rows, r, MUR_BRONZE_SENTIMENT))
            tally_add(&c->labels, mur_frame_string(rows, r, MUR_BRONZE_SENTIMENT));
        for (mur_mention_rule rule = 0; rule < MUR_N_MENTION_RULES; rule++) {
            mur_mentions_find(&c->mentions, rule, mur_frame_string(rows, r, MUR_BRONZE_TEXT));
            e->n_with_mention[rule] += c->mentions.n_found > 0;
        }
    }
    return 0;
}

/* The columns of silver that are null where bronze's were. */
static const mur_column silver_columns[] = {{"timestamp", MUR_TIMESTAMP, ""}, {"sentiment", MUR_STRING, ""}};
static const mur_schema silver_read = {"silver", "", silver_columns, 2};

static int take_silver(void *context, const mur_frame *rows)
{
    mur_eda *e = context;
    e->n_silver_rows += (int64_t)rows->n_rows;
    for (size_t r = 0; r < rows->n_rows; r++) {
        e->n_null_timestamps += !mur_frame_is_present(rows, r, 0);
        e->n_null_sentiments += !mur_frame_is_present(rows, r, 1);
    }
    return 0;
}

/* Bronze's columns as of the version, which merged ones stand behind. */
static void name_columns(mur_eda *e, const mur_schema *bronze)
{
    e->n_columns = bronze->n_columns;
    e->columns = mur_alloc(e->n_columns, sizeof *e->columns);
    for (size_t k = 0; k < e->n_columns; k++)
        e->columns[k] = (mur_eda_column){.name = mur_strdup(bronze->columns[k].name),
                                         .type = bronze->columns[k].type,
                                         .consequence = k < sizeof consequences / sizeof *consequences
                                                            ? consequences[k]
                                                            : "none: the column stays in bronze"};
}

/* `all` is ranked, so in descending order. */
static void describe_users(mur_eda *e, const ranked *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int power = 0;
        while (all[i].n >> (power + 1) > 0)
            power++;
        e->users_by_tweets[power]++;
    }
    e->median_tweets = n > 0 ? all[n / 2].n : 0;
}

static int compute_bronze(mur_eda *e, const mur_store *store, int64_t record, size_t top)
{
    mur_schema *schema = NULL;
    int rc = mur_store_schema(&schema, store, "bronze", e->version);
    if (rc < 0)
        return rc;
    collected c = {.out = e};
    mur_selection bronze = {"bronze", record, -1};
    name_columns(e, schema);
    rc = mur_each_frame(store, &bronze, schema, take_bronze, &c);
    if (rc == 0) {
        ranked *users = tally_rank(&c.users), *labels = tally_rank(&c.labels);
        take_first(&e->users, &c.users, users, top);
        take_first(&e->labels, &c.labels, labels, top);
        describe_users(e, users, c.users.values.n_keys);
        free(users);
        free(labels);
    }
    tally_clear(&c.users);
    tally_clear(&c.labels);
    mur_mentions_clear(&c.mentions);
    mur_schema_free(&schema);
    return rc;
}

int mur_eda_compute(mur_eda *out, const mur_store *store, int64_t record, size_t top)
{
    *out = (mur_eda){.version = mur_store_version_at(store, "bronze", record),
                     .silver_version = mur_store_version_at(store, "silver", record)};
    if (out->version < 0)
        return 0;
    int rc = compute_bronze(out, store, record, top);
    mur_selection silver = {"silver", record, -1};
    if (rc == 0)
        rc = mur_each_frame(store, &silver, &silver_read, take_silver, out);
    int64_t rejects = mur_store_version_at(store, "rejects", record);
    if (rejects >= 0)
        out->n_rejects = mur_store_change(store, "rejects", rejects)->n_rows;
    return rc;
}

static void counts_clear(mur_value_counts *v)
{
    for (size_t i = 0; i < v->n_first; i++)
        free(v->first[i].value);
    free(v->first);
}

void mur_eda_clear(mur_eda *e)
{
    for (size_t k = 0; k < e->n_columns; k++)
        free(e->columns[k].name);
    free(e->columns);
    counts_clear(&e->users);
    counts_clear(&e->labels);
    *e = (mur_eda){0};
}
