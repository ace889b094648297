#include "../../src/pipeline/mention_reduce.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "all_ranks.h"
#include "murmur/clock.h"
#include "murmur/file.h"

/* Limits of a few kilobytes: a few thousand mentions take many rounds, runs and slices. */
static const mur_reduce_limits tiny = {
    .counted = 3000, .owned = 9000, .sorted = 4000, .least_window = 512, .part = 16384};
static const mur_reduce_limits roomy = {
    .counted = 1 << 20, .owned = 1 << 20, .sorted = 1 << 20, .least_window = 65536, .part = 1 << 20};

static char *folder; /* of the files that memory's limits ask for; the same for all ranks */

/* The mention that row `i` of all rows is of, and what the row counts. Some mentions are in many rows, most in one; one
 * of them is long, one a prefix of another, one has bytes above 127. */
static mur_view mention_of(size_t i, char text[512])
{
    size_t k = i % 7 == 0 ? i % 35 : i;
    if (k == 1) {
        memset(text, 'x', 500);
        return (mur_view){text, 500};
    }
    int len = k == 2 ? snprintf(text, 512, "\xef\xbc\xa0wide") : snprintf(text, 512, "@u%zu", k * 7919 % 1000003);
    return (mur_view){text, (size_t)len};
}

static mur_counts counts_of(size_t i)
{
    int64_t at = i % 11 == 0 ? MUR_NO_TIME : (int64_t)(i * 31 % 1009);
    mur_counts c = {.oldest = at, .newest = at};
    c.by_sentiment[i % MUR_N_SENTIMENTS] = 1;
    return c;
}

/* Application's order, by what it says and not as the program computes it. */
static int by_application(const void *a, const void *b)
{
    mur_counts x = mur_mention_counts_of(a), y = mur_mention_counts_of(b);
    int64_t x_total = mur_counts_total(&x), y_total = mur_counts_total(&y);
    if (x_total != y_total)
        return x_total > y_total ? -1 : 1;
    return mur_view_compare(mur_mention_of(a), mur_mention_of(b));
}

/* What must come out: all counted in one map and sorted at once, packed. */
static void expect(mur_buf *out, size_t n_rows)
{
    mur_mention_counts t = {0};
    char text[512];
    for (size_t i = 0; i < n_rows; i++) {
        mur_counts c = counts_of(i);
        mur_mention_counts_add(&t, mention_of(i, text), &c);
    }
    mur_buf packed = {0};
    for (size_t k = 0; k < t.mentions.n_keys; k++)
        mur_mention_pack(&packed, mur_map_key(&t.mentions, k), &t.counts[k]);
    size_t n;
    mur_mention_ref *refs = mur_mention_refs(MUR_BY_TOTAL, mur_buf_view(&packed), &n);
    qsort(refs, n, sizeof *refs, by_application);
    for (size_t i = 0; i < n; i++)
        mur_buf_append(out, refs[i].packed, mur_mention_packed_bytes(&refs[i]));
    free(refs);
    mur_buf_clear(&packed);
    mur_mention_counts_clear(&t);
}

typedef struct outcome {
    mur_buf table; /* on rank 0: all slices, one behind the other */
    int64_t n_rounds, n_slices, n_spilled;
    int64_t most, sum; /* mentions of a slice on the rank that had most; on all */
} outcome;

/* Collective. Rows are the ranks' in turns, so every rank has every frequent mention. */
static void reduce(outcome *out, size_t n_rows, const mur_reduce_limits *limits)
{
    mur_mention_reduce m;
    char *path = mur_path_join(folder, "new/_tmp-counts"), text[512];
    mur_mention_reduce_open(&m, &all, path, limits);
    free(path);
    *out = (outcome){0};
    int rc = 0;
    size_t i = (size_t)all.rank;
    for (bool is_settled = false; rc == 0 && !is_settled;) {
        for (; i < n_rows && !mur_mention_reduce_is_full(&m); i += (size_t)all.n_ranks) {
            mur_counts c = counts_of(i);
            mur_mention_counts_add(&m.counted, mention_of(i, text), &c);
        }
        rc = mur_mention_reduce_settle(&m, 0, i >= n_rows, &is_settled);
    }
    assert_all(rc == 0);
    assert_all(mur_mention_reduce_sort(&m) == 0);
    for (bool is_last = false; !is_last; out->n_slices++) {
        assert_all(mur_mention_reduce_slice(&m, &is_last) == 0);
        mur_buf mine = {0};
        for (size_t k = 0; k < m.slice.n; k++)
            mur_buf_append(&mine, m.slice.refs[k].packed, mur_mention_packed_bytes(&m.slice.refs[k]));
        mur_gather(&all, mur_buf_view(&mine), &out->table, NULL);
        mur_buf_clear(&mine);
        int64_t most = mur_max(&all, (int64_t)m.slice.n);
        out->most = most > out->most ? most : out->most;
        out->sum += mur_sum(&all, (int64_t)m.slice.n);
    }
    out->n_rounds = m.n_rounds;
    out->n_spilled = mur_sum(&all, m.n_spilled);
    mur_mention_reduce_clear(&m);
}

static void check(size_t n_rows, const mur_reduce_limits *limits, outcome *got)
{
    mur_buf want = {0};
    expect(&want, n_rows);
    reduce(got, n_rows, limits);
    assert_all(all.rank > 0 || mur_view_equal(mur_buf_view(&got->table), mur_buf_view(&want)));
    mur_buf_clear(&got->table);
    mur_buf_clear(&want);
}

static void nothing_gives_nothing(void **state)
{
    (void)state;
    outcome got;
    check(0, &tiny, &got);
    assert_all(got.sum == 0 && got.n_spilled == 0);
    check(1, &tiny, &got);
    assert_all(got.sum == 1);
}

static void what_fits_stays_in_memory(void **state)
{
    (void)state;
    outcome got;
    check(2000, &roomy, &got);
    assert_all(got.n_rounds == 1 && got.n_spilled == 0);
}

static void what_does_not_fit_is_the_same(void **state)
{
    (void)state;
    outcome got;
    check(20000, &tiny, &got);
    assert_all(got.n_rounds > 20);
    assert_all(got.n_slices > 10);
    assert_all(got.n_spilled > 500000);
    /* A slice is about a part of 16 KiB, some 200 mentions, whatever the number of all; a rank's share of it is even.
     */
    assert_all(got.most * all.n_ranks < 1000);
}

static void files_leave_no_names(void **state)
{
    (void)state;
    char *inner = mur_path_join(folder, "new");
    assert_all(mur_path_is_folder(inner));
    mur_barrier(&all);
    if (all.rank == 0)
        assert_int_equal(rmdir(inner), 0); /* only an empty one can be removed */
    mur_barrier(&all);
    free(inner);
}

/* The error of one rank's file ends it for all. */
static void a_file_that_cannot_be_made_is_everyones_failure(void **state)
{
    (void)state;
    mur_mention_reduce m;
    char text[512];
    mur_mention_reduce_open(&m, &all, all.rank == all.n_ranks - 1 ? "/proc/no/such/counts" : folder, &tiny);
    int rc = 0;
    size_t i = (size_t)all.rank;
    for (bool is_settled = false; rc == 0 && !is_settled;) {
        for (; i < 5000 && !mur_mention_reduce_is_full(&m); i += (size_t)all.n_ranks) {
            mur_counts c = counts_of(i);
            mur_mention_counts_add(&m.counted, mention_of(i, text), &c);
        }
        rc = mur_mention_reduce_settle(&m, 0, i >= 5000, &is_settled);
    }
    if (rc == 0)
        rc = mur_mention_reduce_sort(&m);
    assert_all(rc == MUR_ECREATE);
    assert_all(strstr(mur_error_last()->message, "/proc/no"));
    mur_mention_reduce_clear(&m);
}

int main(void)
{
    if (mur_comm_open(&all) < 0)
        return 1;
    mur_log_rank_set(all.rank);
    folder = shared_scratch_make("reduce");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_gives_nothing),
        cmocka_unit_test(what_fits_stays_in_memory),
        cmocka_unit_test(what_does_not_fit_is_the_same),
        cmocka_unit_test(files_leave_no_names),
        cmocka_unit_test(a_file_that_cannot_be_made_is_everyones_failure),
    };
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    shared_scratch_remove(folder);
    return finish(n_failed);
}
