/* Summaries of stores whose parts and log are sound and whose values are what no run would write: any instant, counts
 * below zero. The usual ones are held against Python in tests/cli. */
#include "scratch.h"

#include "murmur/clock.h"
#include "murmur/eda.h"
#include "murmur/mention_summary.h"
#include "murmur/sentiment_time.h"
#include "murmur/store.h"
#include "murmur/tables.h"

static char *folder;

/* Makes a store of one record with one table. */
static mur_store *make_store(const mur_frame *rows, const char *input)
{
    mur_comm alone = mur_comm_alone();
    folder = scratch_make("summaries");
    assert_non_null(folder);
    mur_part_options options = {.store = folder, .run_id = "run", .compress = 1, .io_timeout_ms = 300000};
    mur_store *s;
    assert_done(mur_store_create(folder));
    assert_done(mur_store_open(&s, folder));
    assert_done(mur_store_lock(s, "run", false));
    mur_record r = {.operation = mur_strdup("INGEST"),
                    .run_id = mur_strdup("run"),
                    .murmur_version = mur_strdup("0"),
                    .blas_kernel = mur_strdup("none"),
                    .options = mur_strdup("{}"),
                    .ranks = 1};
    mur_change *change = mur_record_change(&r, rows->schema->table);
    change->columns = rows->schema;
    change->input = input ? mur_strdup(input) : NULL;
    change->input_version = -1;
    change->added = mur_alloc(1, sizeof *change->added);
    int64_t bytes;
    assert_done(mur_part_write(change->added, &alone, rows->schema, &(mur_piece){0, rows}, 1, &options, &bytes));
    change->n_added = 1;
    assert_done(mur_store_publish(s, &r));
    mur_record_clear(&r);
    return s;
}

static void remove_store(mur_store *s)
{
    mur_store_close(&s);
    scratch_remove(folder);
    free(folder);
}

static void any_instant_has_its_bin(void **state)
{
    (void)state;
    const int64_t times[] = {INT64_MAX, INT64_MIN + 1, -1, 0, INT64_MIN + 1 + MUR_DAY_MS, INT64_MAX - MUR_DAY_MS};
    enum { N = sizeof times / sizeof *times };
    mur_frame rows;
    mur_frame_init(&rows, &mur_gold_schema);
    for (size_t i = 0; i < N; i++) {
        mur_frame_add_row(&rows);
        mur_frame_set_int64(&rows, MUR_GOLD_TIMESTAMP, times[i]);
        mur_frame_set_string(&rows, MUR_GOLD_PREDICTED_SENTIMENT, mur_view_of("NEU"));
    }
    mur_store *s = make_store(&rows, NULL);
    mur_frame_clear(&rows);
    const int64_t units[] = {MUR_HOUR_MS, MUR_DAY_MS, MUR_BY_ITSELF};
    for (size_t u = 0; u < 3; u++) {
        mur_sentiment_time t;
        assert_done(mur_sentiment_time_compute(&t, s, 0, units[u]));
        assert_int_equal(t.bin_ms, units[u] == MUR_HOUR_MS ? MUR_HOUR_MS : MUR_DAY_MS);
        assert_int_equal(t.n_rows, N);
        int64_t n = 0;
        for (size_t i = 0; i < t.n_bins; i++) {
            n += mur_time_bin_rows(&t.bins[i]);
            assert_int_equal(t.bins[i].begin % t.bin_ms, 0);
            assert_true(i == 0 || t.bins[i - 1].begin < t.bins[i].begin);
        }
        assert_int_equal(n, N);
        assert_true(t.bulk_first == 0 && t.bulk_end == t.n_bins); /* one row of six is no stray one */
        mur_sentiment_time_clear(&t);
    }
    remove_store(s);
}

static void rankings_keep_the_best_whatever_the_order_and_the_counts(void **state)
{
    (void)state;
    enum { N = 1000, TOP = 7 };
    mur_frame rows;
    mur_frame_init(&rows, &mur_application_schema);
    for (int i = 0; i < N; i++) {
        char name[16];
        int count = i * 7919 % N; /* each from 0 to N - 1 once */
        snprintf(name, sizeof name, "@u%d", count);
        mur_frame_add_row(&rows);
        mur_frame_set_string(&rows, MUR_APPLICATION_MENTION, mur_view_of(name));
        mur_frame_set_int64(&rows, MUR_APPLICATION_POSITIVE, count);
        mur_frame_set_int64(&rows, MUR_APPLICATION_NEGATIVE, -count);
        mur_frame_set_int64(&rows, MUR_APPLICATION_TOTAL, 1); /* all alike: as in the table */
    }
    mur_store *s = make_store(&rows, NULL);
    mur_mention_summary m;
    assert_done(mur_mention_summary_compute(&m, s, 0, TOP));
    assert_int_equal(m.n_users, N);
    assert_int_equal(m.rankings[MUR_RANK_POSITIVE].n, TOP);
    assert_int_equal(m.rankings[MUR_RANK_TOTAL].n, TOP);
    assert_int_equal(m.rankings[MUR_RANK_NEGATIVE].n, 0);
    for (int i = 0; i < TOP; i++) {
        assert_int_equal(m.rankings[MUR_RANK_POSITIVE].rows[i].by_sentiment[MUR_POS], N - 1 - i);
        mur_view name = mur_frame_string(&rows, (size_t)i, MUR_APPLICATION_MENTION);
        assert_int_equal(strlen(m.rankings[MUR_RANK_TOTAL].rows[i].mention), name.len);
        assert_memory_equal(m.rankings[MUR_RANK_TOTAL].rows[i].mention, name.ptr, name.len);
    }
    mur_mention_summary_clear(&m);
    assert_done(mur_mention_summary_compute(&m, s, 0, 0));
    for (mur_ranking k = 0; k < MUR_N_RANKINGS; k++)
        assert_int_equal(m.rankings[k].n, 0);
    mur_mention_summary_clear(&m);
    mur_frame_clear(&rows);
    remove_store(s);
}

static void tweets_of_nulls_are_tweets(void **state)
{
    (void)state;
    mur_frame rows;
    mur_frame_init(&rows, &mur_bronze_schema);
    for (int i = 0; i < 3; i++)
        mur_frame_add_row(&rows);
    mur_store *s = make_store(&rows, NULL);
    mur_frame_clear(&rows);
    mur_eda e;
    assert_done(mur_eda_compute(&e, s, 0, 20));
    assert_int_equal(e.n_tweets, 3);
    assert_int_equal(e.n_columns, mur_bronze_schema.n_columns);
    for (size_t k = 0; k < e.n_columns; k++)
        assert_int_equal(e.columns[k].n_nulls, 3);
    assert_int_equal(e.users.n_distinct + e.labels.n_distinct + e.median_tweets + e.n_bad_dates, 0);
    assert_int_equal(e.silver_version, -1);
    mur_eda_clear(&e);
    assert_done(mur_eda_compute(&e, s, -1, 20)); /* before the first record */
    assert_int_equal(e.version, -1);
    assert_int_equal(e.n_tweets, 0);
    mur_eda_clear(&e);
    remove_store(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_instant_has_its_bin),
        cmocka_unit_test(rankings_keep_the_best_whatever_the_order_and_the_counts),
        cmocka_unit_test(tweets_of_nulls_are_tweets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
