/* What jobs tell of themselves: lines as text and back, rotation, torn lines, the bar, metrics; and messages above a
 * status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/pipeline/metrics.h"
#include "../../src/pipeline/progress_file.h"
#include "../../src/pipeline/progress_text.h"
#include "murmur/file.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/usage.h"
#include "scratch.h"

#define RUN "0123456789abcdef0123456789abcdef"

SCRATCH_FOLDER("progress")

static mur_progress_line gold_line(int64_t batch)
{
    return (mur_progress_line){.run_id = RUN,
                               .stream = MUR_STREAM_GOLD,
                               .timestamp = INT64_C(1790000000123),
                               .batch = batch,
                               .n_in = 1000,
                               .n_out = 999,
                               .in_per_second = 12.5,
                               .processed_per_second = 250.25,
                               .processing_ms = 3996,
                               .listing_ms = 1,
                               .planning_ms = 2,
                               .writing_ms = 3,
                               .commit_ms = 4,
                               .trigger_ms = 4010,
                               .start_offset = -1,
                               .end_offset = 7,
                               .latest_offset = 9,
                               .n_texts = 800,
                               .n_tokens = 16000,
                               .n_ranks = 3,
                               .seconds = {1.5, 2.25, 3.996},
                               .rows = {300, 333.5, 400},
                               .bytes = {1, 2, 3}};
}

static void append_line(int64_t batch, int64_t limit)
{
    mur_buf text = {0};
    mur_progress_line line = gold_line(batch);
    mur_progress_line_format(&text, &line, folder, RUN);
    assert_done(mur_progress_append(folder, mur_buf_view(&text), limit));
    mur_buf_clear(&text);
}

static void line_reads_back_as_it_was_written(void **state)
{
    (void)state;
    append_line(5, MUR_PROGRESS_FILE_BYTES);
    mur_progress_history h;
    assert_done(mur_progress_read(&h, folder));
    assert_int_equal(h.n, 1);
    assert_int_equal(h.n_unreadable, 0);
    assert_string_equal(h.last_run.run_id, "");
    mur_progress_line wanted = gold_line(5), *got = h.lines;
    assert_string_equal(got->run_id, RUN);
    assert_int_equal(got->stream, MUR_STREAM_GOLD);
    assert_int_equal(got->timestamp, wanted.timestamp);
    assert_int_equal(got->batch, 5);
    assert_int_equal(got->n_in, 1000);
    assert_int_equal(got->n_out, 999);
    assert_true(got->in_per_second == 12.5 && got->processed_per_second == 250.25);
    assert_int_equal(got->processing_ms, 3996);
    assert_int_equal(got->listing_ms * 1000 + got->planning_ms * 100 + got->writing_ms * 10 + got->commit_ms, 1234);
    assert_int_equal(got->trigger_ms, 4010);
    assert_int_equal(got->start_offset, -1);
    assert_int_equal(got->end_offset, 7);
    assert_int_equal(got->latest_offset, 9);
    assert_int_equal(got->n_texts, 800);
    assert_int_equal(got->n_tokens, 16000);
    assert_int_equal(got->n_ranks, 3);
    assert_true(got->seconds.min == 1.5 && got->seconds.mean == 2.25 && got->seconds.max == 3.996);
    assert_true(got->rows.mean == 333.5 && got->bytes.max == 3);
    mur_progress_history_clear(&h);
}

static void store_without_progress_has_no_lines(void **state)
{
    (void)state;
    mur_progress_history h;
    mur_progress_now now;
    bool is_there = true;
    assert_done(mur_progress_read(&h, folder));
    assert_int_equal(h.n, 0);
    assert_done(mur_progress_now_read(&now, folder, &is_there));
    assert_false(is_there);
    mur_progress_history_clear(&h);
}

static void torn_line_is_passed_over_and_harms_no_other(void **state)
{
    (void)state;
    append_line(1, MUR_PROGRESS_FILE_BYTES);
    char *path = mur_progress_path(folder, 0);
    mur_buf text = {0};
    assert_done(mur_file_read(&text, path));
    for (size_t len = 1; len < text.len - 1; len += 37) { /* every way to be torn, more or less */
        unlink(path);
        append_line(1, MUR_PROGRESS_FILE_BYTES);
        assert_done(mur_file_append(path, (mur_view){text.ptr, len}));
        append_line(2, MUR_PROGRESS_FILE_BYTES);
        mur_progress_history h;
        assert_done(mur_progress_read(&h, folder));
        assert_int_equal(h.n, 2);
        assert_int_equal(h.n_unreadable, 1);
        assert_int_equal(h.lines[1].batch, 2);
        mur_progress_history_clear(&h);
    }
    mur_buf_clear(&text);
    free(path);
}

static void lines_that_are_none_of_ours_are_passed_over(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "\0\xff",
                                        "[]",
                                        "1e999",
                                        "{\"name\":\"gold_stream\"}",
                                        "{\"name\":7}",
                                        "{\"name\":\"gold_stream\",\"timestamp\":\"today\"}",
                                        "{\"name\":\"run\"}",
                                        "{\"name\":\"run\",\"counters\":{\"units\":[]}}",
                                        "{\"name\":\"run\",\"counters\":{\"units\":[1,2],\"tokens\":[1]}}",
                                        "{\"name\":\"run\",\"counters\":{\"units\":[1],\"tokens\":[1,2]}}"};
    mur_progress_line line;
    mur_run_counters run = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(mur_progress_parse(mur_view_of(wrong[i]), &line, &run), MUR_PROGRESS_UNREADABLE);
    /* What is there of the wrong type or range counts as nothing. */
    assert_int_equal(
        mur_progress_parse(mur_view_of("{\"name\":\"gold_stream\",\"timestamp\":\"2026-11-22\","
                                       "\"numInputRows\":-5,\"batchId\":1e300,\"ranks\":[],\"sources\":{}}"),
                           &line, &run),
        MUR_PROGRESS_LINE);
    assert_int_equal(line.n_in + line.batch, 0);
    assert_int_equal(line.end_offset, -1);
    assert_null(run.ranks);
}

static void files_are_rotated_and_the_oldest_go(void **state)
{
    (void)state;
    enum { LINES = MUR_PROGRESS_FILES + 5 };
    for (int64_t batch = 0; batch < LINES; batch++)
        append_line(batch, 1); /* a file for each */
    int *numbers;
    size_t n;
    assert_done(mur_progress_rotated(folder, &numbers, &n));
    assert_int_equal(n, MUR_PROGRESS_FILES);
    assert_int_equal(numbers[n - 1], LINES - 1);
    free(numbers);
    mur_progress_history h;
    assert_done(mur_progress_read(&h, folder));
    assert_int_equal(h.n, MUR_PROGRESS_FILES + 1);
    for (size_t i = 0; i < h.n; i++)
        assert_int_equal(h.lines[i].batch, LINES - h.n + i);
    mur_progress_history_clear(&h);
}

static void last_bytes_reach_back_over_rotated_files(void **state)
{
    (void)state;
    for (int64_t batch = 0; batch < 4; batch++)
        append_line(batch, 1);
    char *path = mur_progress_path(folder, 1);
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    free(path);
    for (int64_t n = 0; n <= 4; n++) { /* what is cut is passed over */
        mur_progress_history h;
        assert_done(mur_progress_read_last(&h, folder, n * about.st_size + (n < 4 ? about.st_size / 2 : 0)));
        assert_int_equal(h.n, n);
        for (size_t i = 0; i < h.n; i++)
            assert_int_equal(h.lines[i].batch, 4 - h.n + i);
        mur_progress_history_clear(&h);
    }
}

/* How many lines came, the last of them of which batch. */
static void check_tail(mur_progress_tail *tail, size_t n_lines, int64_t batch)
{
    mur_buf text = {0};
    mur_progress_line line = {.batch = -1};
    assert_done(mur_progress_tail_read(tail, folder, &text));
    size_t n = 0;
    for (size_t i = 0, begin = 0; i < text.len; i++) {
        if (text.ptr[i] != '\n')
            continue;
        assert_true(mur_progress_line_parse(&line, (mur_view){text.ptr + begin, i - begin}));
        begin = i + 1;
        n++;
    }
    assert_int_equal(n, n_lines);
    assert_int_equal(line.batch, batch);
    mur_buf_clear(&text);
}

static void tail_has_each_line_once_and_whole(void **state)
{
    (void)state;
    mur_progress_tail tail = {0}, early = {0};
    check_tail(&early, 0, -1); /* there is no file yet */
    append_line(1, MUR_PROGRESS_FILE_BYTES);
    check_tail(&early, 1, 1);
    check_tail(&tail, 0, -1); /* what was there before is not news */
    append_line(2, MUR_PROGRESS_FILE_BYTES);
    append_line(3, MUR_PROGRESS_FILE_BYTES);
    check_tail(&tail, 2, 3);
    check_tail(&tail, 0, -1);
    append_line(4, 1); /* in a new file */
    check_tail(&tail, 1, 4);
    mur_buf text = {0};
    mur_progress_line line = gold_line(5);
    mur_progress_line_format(&text, &line, folder, RUN);
    char *path = mur_progress_path(folder, 0);
    assert_done(mur_file_append(path, (mur_view){text.ptr, text.len / 2}));
    check_tail(&tail, 0, -1); /* half of a line */
    assert_done(mur_file_append(path, (mur_view){text.ptr + text.len / 2, text.len - text.len / 2}));
    check_tail(&tail, 1, 5);
    mur_buf_clear(&text);
    free(path);
}

static void failing_append_is_told_and_leaves_what_is_there(void **state)
{
    (void)state;
    char *path = mur_progress_path(folder, 0);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(mur_progress_append(folder, mur_view_of("{}\n"), 1 << 20), MUR_EIO);
    assert_message("progress.jsonl");
    free(path);
}

static void counters_of_the_last_run_read_back(void **state)
{
    (void)state;
    for (int number = 1; number <= 2; number++) {
        mur_rank_counters ranks[2] = {
            {.units = number, .tokens = 70, .score_seconds = 1.5, .peak_bytes = INT64_C(1) << 40},
            {.units = 5, .write_seconds = 0.25, .slowest_unit_seconds = 0.125}};
        mur_run_counters run = {.run_id = RUN,
                                .began = 1000,
                                .ended = 5000,
                                .seconds = 4.5,
                                .n_batches = 3,
                                .n_ranks = 2,
                                .n_nodes = 1,
                                .ranks = ranks,
                                .slowest_rank = 1,
                                .slowest_file = (char *)"/größe \"x\".json",
                                .slowest_tweets = 11,
                                .slowest_tokens = 12};
        run.run_id[0] = (char)('0' + number);
        mur_buf text = {0};
        mur_run_counters_format(&text, &run);
        assert_done(mur_progress_append(folder, mur_buf_view(&text), MUR_PROGRESS_FILE_BYTES));
        mur_buf_clear(&text);
    }
    mur_progress_history h;
    assert_done(mur_progress_read(&h, folder));
    const mur_run_counters *run = &h.last_run;
    assert_int_equal(h.n, 0);
    assert_int_equal(run->run_id[0], '2');
    assert_int_equal(run->began, 1000);
    assert_int_equal(run->ended, 5000);
    assert_int_equal(run->n_batches, 3);
    assert_int_equal(run->n_ranks, 2);
    assert_int_equal(run->ranks[0].units, 2);
    assert_int_equal(run->ranks[1].units, 5);
    assert_int_equal(run->ranks[0].peak_bytes, INT64_C(1) << 40);
    assert_true(mur_rank_busy_seconds(&run->ranks[0]) == 1.5 && run->ranks[1].slowest_unit_seconds == 0.125);
    assert_int_equal(mur_run_counters_sum(run).units, 7);
    assert_int_equal(run->slowest_rank, 1);
    assert_string_equal(run->slowest_file, "/größe \"x\".json");
    assert_int_equal(run->slowest_tweets * 100 + run->slowest_tokens, 1112);
    mur_progress_history_clear(&h);
}

static mur_progress_now half_done(void)
{
    return (mur_progress_now){.run_id = RUN,
                              .time = 1234567,
                              .phase = MUR_PHASE_SCORING,
                              .batch = 3,
                              .n_batches = 3,
                              .elapsed = 60,
                              .fraction = 0.5,
                              .seconds_left = 133,
                              .n_tweets = 1200,
                              .tweets_per_second = 20,
                              .n_rows = {1, 2, 3, 4}};
}

static void what_goes_on_reads_back_at_any_time(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) { /* the second is shorter */
        mur_progress_now is = half_done(), got;
        mur_buf text = {0};
        bool is_there;
        is.n_tweets = i == 0 ? INT64_C(1) << 50 : 1200;
        is.seconds_left = i == 0 ? 133 : -1;
        mur_progress_now_text(&text, &is);
        assert_true(text.len < MUR_PROGRESS_NOW_BYTES);
        assert_done(mur_progress_now_write(folder, mur_buf_view(&text)));
        assert_done(mur_progress_now_read(&got, folder, &is_there));
        assert_true(is_there);
        assert_string_equal(got.run_id, RUN);
        assert_int_equal(got.n_tweets, is.n_tweets);
        assert_true(got.seconds_left == is.seconds_left && got.fraction == 0.5 && got.elapsed == 60);
        assert_int_equal(got.phase, MUR_PHASE_SCORING);
        assert_int_equal(got.batch, 3);
        assert_memory_equal(got.n_rows, is.n_rows, sizeof is.n_rows);
        mur_buf_clear(&text);
    }
    mur_progress_now_remove(folder);
    bool is_there;
    mur_progress_now got;
    assert_done(mur_progress_now_read(&got, folder, &is_there));
    assert_false(is_there);
}

static void bar_has_rows_percent_rate_and_time_left_and_fits(void **state)
{
    (void)state;
    mur_progress_now now = half_done();
    mur_buf bar = {0};
    mur_progress_now_format(&bar, &now, 200);
    assert_string_equal(mur_buf_text(&bar),
                        "[##########----------]  50.0%  1200 tweets  20/s  ETA 2m 13s  batch 3: scoring");
    for (int columns = 0; columns < 80; columns++) {
        mur_buf_reset(&bar);
        mur_progress_now_format(&bar, &now, columns);
        assert_true(bar.len <= (size_t)columns);
    }
    now.fraction = 0.99999; /* 100 % is the end's alone */
    mur_buf_reset(&bar);
    mur_progress_now_format(&bar, &now, 200);
    assert_non_null(strstr(mur_buf_text(&bar), " 99.9%"));
    mur_buf_clear(&bar);
}

/* What `speak` writes to standard error. */
static void heard(mur_buf *out, void (*speak)(void))
{
    char *path = mur_path_join(folder, "stderr");
    int kept = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    speak();
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(fd);
    mur_buf_reset(out);
    assert_done(mur_file_read(out, path));
    free(path);
}

static void speak_with_a_status(void)
{
    mur_log_status_share(true);
    mur_log_status("[#-] 1");
    mur_log_status("[#-] 1"); /* nothing new */
    mur_log_info("above");
    mur_log_status("[##] 2");
    mur_log_status("");
    mur_log_info("after");
    mur_log_status("[##] 3");
    mur_log_error("the end");
    mur_log_status_share(false);
}

static void messages_are_written_above_a_status(void **state)
{
    (void)state;
    mur_buf text = {0};
    heard(&text, speak_with_a_status);
    /* The instants are taken out. */
    char *bare = mur_strdup(mur_buf_text(&text)), *to = bare;
    for (const char *at = bare; *at; at++) {
        const char *murmur = *at == '2' && at[1] == '0' ? strstr(at, "murmur: ") : NULL;
        at = murmur ? murmur : at;
        *to++ = *at;
    }
    *to = '\0';
#define CLEAR "\r\033[K"
    assert_string_equal(bare, CLEAR "[#-] 1" CLEAR "murmur: above\n[#-] 1" CLEAR "[##] 2" CLEAR CLEAR
                                    "murmur: after\n" CLEAR "[##] 3" CLEAR "murmur: error: the end\n");
    free(bare);
    mur_buf_clear(&text);
}

static void metrics_are_replaced_as_a_whole(void **state)
{
    (void)state;
    mur_metrics m = {.is_running = true};
    mur_progress_line line = gold_line(5);
    mur_progress_now now = half_done();
    char *path = mur_path_join(folder, "murmur.prom");
    mur_buf text = {0};
    mur_metrics_add(&m, &line);
    mur_metrics_add(&m, &line);
    assert_done(mur_metrics_write(&m, &now, path));
    assert_done(mur_file_read(&text, path));
    static const char *const lines[] = {
        "\nmurmur_input_rows_total{stream=\"gold_stream\"} 2000\n",
        "\nmurmur_processing_seconds_total{stream=\"gold_stream\"} 7.992\n",
        "\n# TYPE murmur_input_rows_total counter\n",
        "\nmurmur_running 1\n",
        "\nmurmur_progress_ratio 0.5\n",
        "\nmurmur_run_info{run_id=\"" RUN "\",version=\"" MURMUR_VERSION "\"} 1\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr(mur_buf_text(&text), lines[i]))
            fail_msg("no %s in %s", lines[i], mur_buf_text(&text));
    char *nowhere = mur_path_join(folder, "none/murmur.prom");
    assert_int_equal(mur_metrics_write(&m, &now, nowhere), MUR_ECREATE);
    free(nowhere);
    free(path);
    mur_buf_clear(&text);
}

static void peak_memory_grows_and_has_a_limit(void **state)
{
    (void)state;
    enum { BYTES = 64 << 20 };
    mur_usage before, after;
    mur_usage_look(&before);
    volatile char *block = malloc(BYTES);
    for (size_t i = 0; i < BYTES; i += 1024)
        block[i] = 1;
    mur_usage_look(&after);
    free((void *)block);
    assert_true(before.peak_bytes > 0);
    assert_true(after.peak_bytes >= before.peak_bytes + BYTES / 2);
    int64_t alone = mur_memory_limit(1);
    assert_true(alone > 0);
    assert_true(mur_memory_limit(4) <= alone && mur_memory_limit(4) >= alone / 4);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(line_reads_back_as_it_was_written),
        TEST(store_without_progress_has_no_lines),
        TEST(torn_line_is_passed_over_and_harms_no_other),
        TEST(lines_that_are_none_of_ours_are_passed_over),
        TEST(files_are_rotated_and_the_oldest_go),
        TEST(last_bytes_reach_back_over_rotated_files),
        TEST(tail_has_each_line_once_and_whole),
        TEST(failing_append_is_told_and_leaves_what_is_there),
        TEST(counters_of_the_last_run_read_back),
        TEST(what_goes_on_reads_back_at_any_time),
        TEST(bar_has_rows_percent_rate_and_time_left_and_fits),
        TEST(messages_are_written_above_a_status),
        TEST(metrics_are_replaced_as_a_whole),
        TEST(peak_memory_grows_and_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
