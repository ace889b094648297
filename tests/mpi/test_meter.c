/* What rank 0 tells while all ranks work: shares of units, estimates for other nodes, lines summed over ranks. */
#include <stdbool.h>
#include <stdio.h>

#include "../../src/pipeline/meter.h"
#include "../../src/pipeline/told.h"
#include "all_ranks.h"
#include "murmur/clock.h"
#include "murmur/file.h"

#define RUN "0123456789abcdef0123456789abcdef"

static char *store;

/* Of what the job told last, the first that has so many tweets, by a clock's patience; on rank 0. */
static mur_progress_now wait_for_tweets(int64_t n_tweets)
{
    mur_progress_now now = {.n_tweets = -1};
    bool is_there = false;
    for (double start = mur_monotonic(); mur_monotonic() - start < 20; mur_sleep(0.05))
        if (mur_progress_now_read(&now, store, &is_there) == 0 && is_there && now.n_tweets == n_tweets)
            break;
    return now;
}

static bool is_about(double value, double wanted)
{
    return value > wanted - 1e-5 && value < wanted + 1e-5;
}

static void units_in_hand_count_by_what_is_scored_of_them(void **state)
{
    (void)state;
    mur_scorer scorer = {.n_scored = 1000}; /* of earlier units */
    mur_meter m;
    mur_meter_options options = {.store = store, .run_id = RUN, .store_id = RUN, .scorer = &scorer};
    int n = all.n_ranks;
    assert_all(mur_meter_open(&m, &all, &options) == 0);
    mur_meter_found(&m, 2000);
    mur_meter_batch(&m, 3, 1000);
    mur_meter_dealt(&m, 400, 800); /* half of the batch is another node's */
    mur_barrier(&all);

    mur_meter_add(&m, MUR_STREAM_BRONZE, 10);
    mur_meter_unit(&m, 50, 10, 20);
    scorer.distinct.n_keys = 4;
    for (int i = 0; i < 2; i++) { /* half of its texts */
        scorer.n_scored++;
        mur_meter_tick(&m);
    }
    mur_barrier(&all);
    mur_progress_now now = {0};
    if (all.rank == 0)
        now = wait_for_tweets(2 * 5 * n);
    assert_all(all.rank != 0 || (now.n_tweets == 10 * n && now.batch == 3 && now.phase == MUR_PHASE_SCORING));
    assert_all(all.rank != 0 || is_about(now.fraction, 0.5 * 25 * n / 400));
    assert_all(all.rank != 0 || (now.n_rows[MUR_STREAM_BRONZE] == 20 * n && now.n_rows[MUR_STREAM_GOLD] == 20 * n));

    mur_meter_unit_done(&m);
    mur_meter_tick(&m); /* between two units there is nothing to count */
    mur_barrier(&all);
    if (all.rank == 0)
        now = wait_for_tweets(2 * 10 * n);
    assert_all(all.rank != 0 || (now.n_tweets == 20 * n && is_about(now.fraction, 0.5 * 50 * n / 400)));

    /* This node does more than its half: what the others have done is what is left of the batch at most. */
    mur_meter_unit(&m, (600 + n - 1) / n, 90, 0);
    mur_meter_unit_done(&m);
    mur_barrier(&all);
    int64_t done = n * (50 + (600 + n - 1) / n), tweets = (int64_t)((double)(100 * n) * 800 / (double)done);
    if (all.rank == 0)
        now = wait_for_tweets(tweets);
    assert_all(all.rank != 0 || (now.n_tweets == tweets && is_about(now.fraction, 0.5)));

    mur_meter_batch_done(&m, true, 77);
    if (all.rank == 0)
        now = wait_for_tweets(77);
    assert_all(all.rank != 0 || (now.n_tweets == 77 && now.n_batches == 1 && is_about(now.fraction, 0.5)));
    mur_meter_batch(&m, 4, 1000);
    mur_meter_batch_done(&m, false, 0); /* given up: it comes again */
    mur_meter_phase(&m, MUR_PHASE_WAITING);
    mur_meter_close(&m, &all);
    bool is_there = true;
    assert_all(all.rank != 0 || (mur_progress_now_read(&now, store, &is_there) == 0 && !is_there));
}

static void lines_have_sums_and_spreads_over_ranks(void **state)
{
    (void)state;
    mur_meter m;
    mur_meter_options options = {.store = store, .run_id = RUN, .store_id = RUN};
    mur_trigger_times times = {0};
    int64_t n = all.n_ranks;
    mur_trigger_begin(&times);
    mur_stream_share mine[2] = {
        {.seconds = 0.5 + all.rank, .n_in = 10 + all.rank, .n_out = 1, .n_bytes = 100, .n_rejects = 2},
        {.seconds = 1, .n_in = 7, .n_out = 7, .n_texts = 3, .n_tokens = 30}};
    mur_progress_line lines[2] = {{.stream = MUR_STREAM_BRONZE, .batch = 5, .end_offset = 9},
                                  {.stream = MUR_STREAM_GOLD, .batch = 6, .end_offset = 5}};
    assert_all(mur_meter_open(&m, &all, &options) == 0);
    mur_told_sum_up(lines, 2, mine, &all, &times, RUN);
    mur_meter_tell(&m, lines, 2);
    mur_meter_close(&m, &all);

    mur_progress_history h = {0};
    bool is_read = all.rank != 0 || mur_progress_read(&h, store) == 0;
    assert_all(is_read && (all.rank != 0 || h.n == 2));
    if (all.rank == 0) {
        const mur_progress_line *bronze = &h.lines[0], *gold = &h.lines[1];
        int64_t n_in = 10 * n + n * (n - 1) / 2;
        is_read = bronze->n_in == n_in && bronze->n_out == n && bronze->n_rejects == 2 * n && bronze->n_ranks == n &&
                  is_about(bronze->seconds.min, 0.5) && is_about(bronze->seconds.max, (double)n - 0.5) &&
                  is_about(bronze->seconds.mean, 0.5 + (double)(n - 1) / 2) &&
                  is_about(bronze->rows.max, 10.0 + (double)n - 1) && is_about(bronze->bytes.mean, 100) &&
                  is_about(bronze->processed_per_second, (double)n_in / ((double)n - 0.5)) && gold->n_in == 7 * n &&
                  gold->n_texts == 3 * n && gold->n_tokens == 30 * n && gold->processing_ms == 1000;
    }
    assert_all(is_read);
    mur_progress_history_clear(&h);
}

int main(void)
{
    if (mur_comm_open(&all) < 0)
        return 1;
    mur_log_rank_set(all.rank);
    store = shared_scratch_make("meter");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_in_hand_count_by_what_is_scored_of_them),
        cmocka_unit_test(lines_have_sums_and_spreads_over_ranks),
    };
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    shared_scratch_remove(store);
    return finish(n_failed);
}
