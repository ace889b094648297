/* Source discovery and the cutting of batches into work units. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/pipeline/estimate.h"
#include "../../src/pipeline/settle.h"
#include "../../src/pipeline/work.h"
#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/log.h"
#include "murmur/plan.h"
#include "murmur/tables.h"
#include "scratch.h"

SCRATCH_FOLDER("plan")

static mur_comm no_others;

static char *put(const char *name, mur_view bytes)
{
    char *path = mur_path_join(folder, name), *parent = strdup(path);
    *strrchr(parent, '/') = '\0';
    assert_int_equal(mur_folder_make(parent), 0);
    assert_int_equal(mur_file_write(path, bytes), 0);
    free(parent);
    return path;
}

static void files_come_in_byte_order_of_their_paths(void **state)
{
    (void)state;
    static const char *const names[] = {"b.json",    "a/z.jsonl.gz", "a.json",       "a/_hidden.json", ".b.json",
                                        "_c/d.json", "a/x.txt",      "a/B c.ndjson", "x.json.gz.bak",  ".json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        free(put(names[i], mur_view_of("{}")));
    mur_sources s;
    char *paths[] = {folder, folder};
    assert_int_equal(mur_sources_list(&s, paths, 2, NULL), 0);
    static const char *const expected[] = {"a.json", "a/B c.ndjson", "a/z.jsonl.gz", "b.json"};
    assert_int_equal(s.n, 4);
    for (size_t i = 0; i < s.n; i++) {
        assert_string_equal(s.items[i].path + strlen(folder) + 1, expected[i]);
        assert_int_equal(s.items[i].size, 2);
    }
    assert_int_equal(s.n_refused, 0);
    mur_sources_clear(&s);

    char *missing = mur_path_join(folder, "nowhere");
    assert_int_equal(mur_sources_list(&s, &missing, 1, NULL), MUR_ENOINPUT);
    free(missing);
}

static void odd_files_are_refused_by_name(void **state)
{
    (void)state;
    char *pipe_path = mur_path_join(folder, "pipe.json");
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    free(put("bad\xFFname.json", mur_view_of("{}")));
    char *paths[] = {folder};
    mur_sources s;
    assert_int_equal(mur_sources_list(&s, paths, 1, NULL), 0);
    assert_int_equal(s.n, 0);
    assert_int_equal(s.n_refused, 2);
    mur_sources_clear(&s);
    free(pipe_path);
}

/* The file as a listing has it. */
static mur_source listed(const char *name, mur_view bytes)
{
    mur_source source = {put(name, bytes), (int64_t)bytes.len, 0};
    struct stat about;
    assert_int_equal(stat(source.path, &about), 0);
    source.mtime_ns = (int64_t)about.st_mtim.tv_sec * 1000000000 + about.st_mtim.tv_nsec;
    return source;
}

static void a_link_is_known_by_its_own_name_and_folders_are_not_followed(void **state)
{
    (void)state;
    static const char *const names[] = {"in/blob", "in/a.json"};
    for (size_t i = 0; i < 2; i++)
        free(put(names[i], mur_view_of("{}")));
    char *links[] = {mur_path_join(folder, "in/link.json"), mur_path_join(folder, "in/loop"),
                     mur_path_join(folder, "in/self.json"), mur_path_join(folder, "in/none.json")};
    assert_int_equal(symlink("blob", links[0]), 0);
    assert_int_equal(symlink("..", links[1]), 0);
    assert_int_equal(symlink("self.json", links[2]), 0);
    assert_int_equal(symlink("nowhere", links[3]), 0);
    char *root = mur_path_join(folder, "in");
    mur_sources s, alone;
    assert_int_equal(mur_sources_list(&s, &root, 1, NULL), 0);
    assert_int_equal(s.n, 2);
    assert_string_equal(s.items[1].path, links[0]);
    assert_int_equal(s.n_refused, 2); /* itself, and nothing */
    assert_int_equal(mur_sources_list(&alone, links, 1, NULL), 0);
    assert_int_equal(alone.n, 1);
    assert_string_equal(alone.items[0].path, links[0]);
    mur_sources_clear(&s);
    mur_sources_clear(&alone);
    free(root);
    for (size_t i = 0; i < 4; i++)
        free(links[i]);
}

static void a_file_that_is_no_longer_as_listed_is_not_read(void **state)
{
    (void)state;
    mur_buf text = {0};
    mur_source file = listed("a.json", mur_view_of("{} {}"));
    assert_int_equal(mur_source_read(&text, &file, 0, 5), 0);
    assert_int_equal(text.len, 5);
    assert_int_equal(mur_file_append(file.path, mur_view_of("{}")), 0); /* longer */
    assert_int_equal(mur_source_read(&text, &file, 0, 5), MUR_EAGAIN);
    assert_int_equal(mur_file_write(file.path, mur_view_of("{}")), 0); /* shorter */
    assert_int_equal(mur_source_read(&text, &file, 0, 5), MUR_EAGAIN);
    file.size = 2; /* of another time */
    file.mtime_ns -= 1000000000;
    assert_int_equal(mur_source_read(&text, &file, 0, 2), MUR_EAGAIN);
    assert_int_equal(unlink(file.path), 0);
    assert_int_equal(mur_source_read(&text, &file, 0, 2), MUR_ENOINPUT);
    assert_int_equal(mkfifo(file.path, 0600), 0); /* nobody writes: this must not wait */
    assert_int_equal(mur_source_read(&text, &file, 0, 2), MUR_EAGAIN);
    assert_int_equal(mur_file_read(&text, file.path), MUR_EIO);
    assert_non_null(strstr(mur_error_last()->message, "a FIFO"));
    mur_buf_clear(&text);
    free(file.path);
}

static void no_refusal(void *context, size_t index)
{
    (void)context;
    fail_msg("file %zu refused", index);
}

/* The piece that a rank reads last is the one that finds the change; none of the file may be kept. */
static void a_unit_leaves_a_file_that_moved_and_keeps_the_others(void **state)
{
    (void)state;
    mur_source files[3] = {listed("1.json", mur_view_of("{\"text\":\"x\"}")),
                           listed("2.json", mur_view_of("{\"text\":\"y\"}")),
                           listed("3.json", mur_view_of("{\"text\":\"z\"}"))};
    mur_plan plan;
    mur_plan_make(&plan, &no_others, files, 3, 1000, INT64_MAX, no_refusal, NULL);
    assert_int_equal(mur_file_append(files[1].path, mur_view_of("\n{\"text\":\"more\"}")), 0);
    assert_int_equal(unlink(files[2].path), 0);

    mur_run_options options;
    mur_run_options_init(&options);
    mur_scorer scorer = {0}; /* no text has a mention: it is never asked */
    mur_file_counts counts[3] = {0};
    mur_rank_counters counters = {0};
    mur_slowest slowest = {0};
    mur_meter meter = {0};
    mur_worker worker = {&scorer, &meter, &counters, &slowest};
    mur_unit_tables tables;
    mur_unit_tables_init(&tables, 0, &mur_bronze_schema);
    assert_int_equal(mur_work_unit(&tables, &plan, &options, &worker, counts), 0);
    assert_int_equal(tables.bronze.n_rows, 1);
    assert_int_equal(counts[0].n_rows, 1);
    assert_int_equal(counts[0].n_moved, 0);
    assert_int_equal(counters.units, 1);
    assert_int_equal(counters.tweets, 1);
    assert_int_equal(slowest.n_tweets, 1);
    assert_string_equal(slowest.file, files[0].path);
    assert_int_equal(counts[1].n_moved, 1);
    assert_int_equal(counts[2].n_moved, 1);
    assert_int_equal(counts[1].n_failed + counts[2].n_failed + counts[1].n_rows + counts[2].n_rows, 0);
    mur_unit_tables_clear(&tables);
    mur_plan_clear(&plan);
    free(slowest.file);
    for (int i = 0; i < 3; i++)
        free(files[i].path);
}

static void a_file_settles_by_its_time_and_by_being_seen_unchanged(void **state)
{
    (void)state;
    const int64_t second = 1000000000, now = 1000 * second;
    mur_settle s = {0};
    mur_source a = {(char *)"a", 5, now}, b = {(char *)"b", 5, now - 9 * second},
               c = {(char *)"c", 5, now + 5 * second}, d = {(char *)"d", 5, now + 3600 * second};
    assert_true(mur_settle_is_over(&s, &a, 0, now));
    assert_false(mur_settle_is_over(&s, &a, 10000, now));
    assert_false(mur_settle_is_over(&s, &a, 10000, now + 9 * second));
    assert_true(mur_settle_is_over(&s, &a, 10000, now + 10 * second));
    assert_false(mur_settle_is_over(&s, &b, 10000, now));
    assert_true(mur_settle_is_over(&s, &b, 9000, now));
    assert_false(mur_settle_is_over(&s, &c, 10000, now)); /* a clock that is a little ahead */
    assert_true(mur_settle_is_over(&s, &d, 10000, now));  /* a time that was set by hand */
    d.size++;                                             /* but it grows */
    assert_false(mur_settle_is_over(&s, &d, 10000, now));
    assert_false(mur_settle_is_over(&s, &d, 10000, now));
    mur_sleep(0.02);
    assert_true(mur_settle_is_over(&s, &d, 20, now));
    mur_settle_clear(&s);
}

static void count_refusal(void *context, size_t index)
{
    *(size_t *)context = index + 1;
}

static void big_json_lines_are_cut_at_line_ends(void **state)
{
    (void)state;
    mur_buf lines = {0}, array = {0};
    while (lines.len < 5 * MUR_UNIT_BYTES / 2)
        mur_buf_printf(&lines, "{\"text\": \"line %zu\"}\n", lines.len);
    mur_buf_append_byte(&array, '[');
    while (array.len < 2 * MUR_UNIT_BYTES)
        mur_buf_append_text(&array, "{\"text\":\n\"element\"},\n");
    mur_buf_append_text(&array, "{}]");
    mur_source files[3] = {listed("1.jsonl", mur_buf_view(&lines)), listed("2.json", mur_buf_view(&array)),
                           listed("3.json", mur_view_of("{}"))};
    mur_plan p;
    mur_plan_make(&p, &no_others, files, 3, 1000, INT64_MAX, no_refusal, NULL);
    assert_int_equal(p.n_files, 3);
    int64_t at = 0;
    size_t n_lines_pieces = 0;
    for (size_t i = 0; i < p.n_pieces && p.pieces[i].file == 0; i++, n_lines_pieces++) {
        assert_int_equal(p.pieces[i].offset, at);
        assert_false(p.pieces[i].is_whole);
        at += p.pieces[i].len;
    }
    assert_int_equal(at, lines.len);
    assert_in_range(n_lines_pieces, 2, MUR_FEWEST_UNITS);
    assert_int_equal(p.n_pieces, n_lines_pieces + 2);
    assert_true(p.pieces[p.n_pieces - 1].is_whole && p.pieces[p.n_pieces - 2].is_whole);
    size_t n = 0;
    for (size_t u = 0; u < p.n_units; u++) {
        assert_int_equal(p.units[u].first_piece, n);
        n += p.units[u].n_pieces;
    }
    assert_int_equal(n, p.n_pieces);

    mur_plan_clear(&p);

    mur_plan_make(&p, &no_others, files, 3, 2, INT64_MAX, no_refusal, NULL); /* --max-files 2 */
    assert_int_equal(p.n_files, 2);
    mur_plan_clear(&p);
    mur_plan_make(&p, &no_others, files, 3, 1000, 1, no_refusal, NULL); /* --max-bytes 1: one file at least */
    assert_int_equal(p.n_files, 1);
    mur_plan_clear(&p);
    unlink(files[0].path);
    size_t refused = 0;
    mur_plan_make(&p, &no_others, files, 3, 1000, INT64_MAX, count_refusal, &refused);
    assert_int_equal(refused, 1);
    assert_int_equal(p.n_files, 2);
    assert_string_equal(p.files[0].path, files[1].path);
    assert_int_equal(p.pieces[0].file, 0);
    mur_plan_clear(&p);

    for (int i = 0; i < 3; i++)
        free(files[i].path);
    mur_buf_clear(&lines);
    mur_buf_clear(&array);
}

/* Read one after the other, pieces are the file, each of whole lines: short ones, ones longer than pieces, one that
 * ends where a piece does, and a last one without an end. */
static void pieces_are_read_as_whole_lines(void **state)
{
    (void)state;
    mur_buf lines = {0}, text = {0}, all = {0};
    const size_t lengths[] = {100, 100, 700000, 1, 64, 3 * (size_t)MUR_UNIT_BYTES, 20000};
    size_t n_empty = 0, n_pieces = 0;
    for (size_t i = 0; lines.len < 40 * (size_t)MUR_UNIT_BYTES; i++) {
        size_t len = lengths[i % 7], left = MUR_UNIT_BYTES - lines.len % MUR_UNIT_BYTES;
        if (len == 64 && left > 20) /* up to the end of a piece */
            len = left - sizeof "{'x':''}" - 1;
        mur_buf_append_text(&lines, "{\"x\":\"");
        memset(mur_buf_reserve(&lines, len), 'x', len);
        lines.len += len;
        mur_buf_append_text(&lines, "\"}\n");
    }
    mur_buf_append_text(&lines, "{\"x\":\"last\"}");
    mur_source file = listed("1.jsonl", mur_buf_view(&lines));
    mur_plan p;
    mur_plan_make(&p, &no_others, &file, 1, 1000, INT64_MAX, no_refusal, NULL);
    n_pieces = p.n_pieces;
    for (size_t i = 0; i < n_pieces; i++) {
        int64_t offset;
        mur_buf_reset(&text);
        assert_int_equal(mur_plan_read(&text, &offset, &p, &p.pieces[i]), 0);
        n_empty += text.len == 0;
        if (text.len > 0) {
            assert_int_equal(offset, all.len);
            assert_true(i + 1 == n_pieces || text.ptr[text.len - 1] == '\n');
        }
        mur_buf_append(&all, text.ptr, text.len);
    }
    assert_true(mur_view_equal(mur_buf_view(&all), mur_buf_view(&lines)));
    assert_in_range(n_empty, 1, n_pieces - 8);
    mur_plan_clear(&p);
    free(file.path);
    mur_buf_clear(&lines);
    mur_buf_clear(&text);
    mur_buf_clear(&all);
}

static void the_last_units_of_a_batch_are_small(void **state)
{
    (void)state;
    mur_buf lines = {0};
    const size_t n = MUR_FEWEST_UNITS / 2;
    while (lines.len < n * MUR_UNIT_BYTES)
        mur_buf_printf(&lines, "{\"text\": \"line %zu\"}\n", lines.len);
    lines.len = n * MUR_UNIT_BYTES;
    mur_source files[2] = {listed("1.jsonl", mur_buf_view(&lines)), listed("2.jsonl", mur_buf_view(&lines))};
    mur_plan p;
    mur_plan_make(&p, &no_others, files, 2, 1000, INT64_MAX, no_refusal, NULL);
    size_t n_last = 2 * n / MUR_LAST_PART;
    assert_int_equal(p.n_units, 2 * n - n_last + n_last * MUR_LAST_UNITS);
    for (size_t i = 0; i < p.n_units; i++)
        assert_int_equal(p.units[i].size, i < 2 * n - n_last ? MUR_UNIT_BYTES : MUR_UNIT_BYTES / MUR_LAST_UNITS);
    mur_plan_clear(&p);
    free(files[0].path);
    free(files[1].path);
    mur_buf_clear(&lines);
}

static void a_small_batch_is_cut_too(void **state)
{
    (void)state;
    mur_buf lines = {0};
    while (lines.len < 71000)
        mur_buf_printf(&lines, "{\"text\": \"line %zu\"}\n", lines.len);
    mur_source file = listed("1.jsonl", mur_buf_view(&lines));
    mur_plan p;
    mur_plan_make(&p, &no_others, &file, 1, 1000, INT64_MAX, no_refusal, NULL);
    assert_int_equal(p.n_units, 71000 / MUR_LEAST_UNIT_BYTES); /* what is left is less than half a unit */
    mur_plan_clear(&p);
    free(file.path);

    lines.len = MUR_LEAST_UNIT_BYTES;
    file = listed("1.jsonl", mur_buf_view(&lines));
    mur_plan_make(&p, &no_others, &file, 1, 1000, INT64_MAX, no_refusal, NULL);
    assert_int_equal(p.n_units, 1);
    assert_true(p.pieces[0].is_whole);
    mur_plan_clear(&p);
    free(file.path);
    mur_buf_clear(&lines);
}

static void small_files_share_a_unit(void **state)
{
    (void)state;
    enum { N = 200 };
    mur_source files[N];
    for (int i = 0; i < N; i++) {
        char name[32];
        snprintf(name, sizeof name, "%03d.json", i);
        files[i] = listed(name, mur_view_of("{\"text\": \"x\"}\n"));
    }
    mur_plan p;
    mur_plan_make(&p, &no_others, files, N, 1000, INT64_MAX, no_refusal, NULL);
    assert_int_equal(p.n_pieces, N);
    assert_int_equal(p.n_units, 1);
    mur_plan_clear(&p);
    mur_plan_make(&p, &no_others, files, 0, 1000, INT64_MAX, no_refusal, NULL);
    assert_int_equal(p.n_units, 0);
    mur_plan_clear(&p);
    for (int i = 0; i < N; i++)
        free(files[i].path);
}

static void tokens_are_reckoned_from_texts_with_a_mention(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        double n_bytes; /* of texts that count */
        int n_texts;
    } cases[] = {
        {"", 0, 0},
        {"{\"text\":\"0123456789 @someone 0123456789\"}", 30, 1},
        {"{\"text\":\"0123456789 someone 0123456789\"}", 0, 0}, /* nobody is mentioned */
        {"wn @x\"}\n{\"text\" : \"@0123456789\"}\n{\"text\":\"@not whole", 11, 1},
        {"{\"text\":null,\"other\":\"@someone else\"}", 0, 0},
        {"{\"text\":\"@a \\\" \\u20ac \\\\\"},{\"text\":\"@b\"}", 12, 2},
        {"{\"text\":\"@a \\u", 0, 0},
        {"\"text\"", 0, 0},
        {"\"text\":", 0, 0},
        {"\"text\":\"", 0, 0},
        {"\"text\":\"@\\", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mur_view json = mur_view_of(cases[i].json);
        char *exact = malloc(json.len + 1); /* no byte behind its end may be read */
        memcpy(exact, json.ptr, json.len);
        exact = realloc(exact, json.len > 0 ? json.len : 1);
        double n = mur_estimate_tokens((mur_view){exact, json.len}),
               want = cases[i].n_bytes / 3.9 + 2 * cases[i].n_texts;
        if (n < want - 0.01 || n > want + 0.01)
            fail_msg("case %zu: %g tokens, not %g", i, n, want);
        free(exact);
    }
}

/* Files as large as each other, of which the first is texts with mentions, the second has a tenth as many, the third is
 * the first as an array, the last is none that could be read. */
static void units_are_estimated_by_their_texts(void **state)
{
    (void)state;
    mur_buf dense = {0}, sparse = {0}, array = {0};
    for (int i = 0; dense.len < MUR_UNIT_BYTES - 200; i++) {
        const char *text = "0123456789 0123456789 0123456789";
        mur_buf_printf(&dense, "{\"text\":\"@someone %s\"}\n", text);
        mur_buf_printf(&sparse, "{\"text\":\"%ssomeone %s\"}\n", i % 10 == 0 ? "@" : "_", text);
    }
    mur_buf_append_byte(&array, '[');
    mur_buf_append(&array, dense.ptr, dense.len);
    mur_source files[4] = {listed("1.jsonl", mur_buf_view(&dense)), listed("2.jsonl", mur_buf_view(&sparse)),
                           listed("3.json", mur_buf_view(&array)), listed("4.jsonl", mur_buf_view(&dense))};
    mur_plan p;
    mur_plan_make(&p, &no_others, files, 4, 1000, INT64_MAX, no_refusal, NULL);
    assert_int_equal(unlink(files[3].path), 0);
    mur_plan_estimate(&p, &no_others);
    int64_t n_tokens[4] = {0};
    for (size_t i = 0; i < p.n_units; i++)
        n_tokens[p.pieces[p.units[i].first_piece].file] += p.units[i].n_tokens;
    double wanted = mur_estimate_tokens(mur_buf_view(&dense));
    assert_in_range(n_tokens[0], (int64_t)(0.9 * wanted), (int64_t)(1.1 * wanted));
    assert_in_range(n_tokens[1], (int64_t)(0.07 * wanted), (int64_t)(0.13 * wanted));
    assert_in_range(n_tokens[2], (int64_t)(0.9 * wanted), (int64_t)(1.1 * wanted));
    assert_true(n_tokens[3] > 0);
    mur_plan_clear(&p);
    for (int i = 0; i < 4; i++)
        free(files[i].path);
    mur_buf_clear(&dense);
    mur_buf_clear(&sparse);
    mur_buf_clear(&array);
}

int main(void)
{
    mur_log_level_set(MUR_LOG_ERROR); /* refusals are expected here */
    no_others = mur_comm_alone();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_come_in_byte_order_of_their_paths, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(odd_files_are_refused_by_name, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_link_is_known_by_its_own_name_and_folders_are_not_followed, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_longer_as_listed_is_not_read, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_unit_leaves_a_file_that_moved_and_keeps_the_others, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(big_json_lines_are_cut_at_line_ends, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(pieces_are_read_as_whole_lines, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_last_units_of_a_batch_are_small, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_small_batch_is_cut_too, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(small_files_share_a_unit, make_folder, remove_folder),
        cmocka_unit_test(tokens_are_reckoned_from_texts_with_a_mention),
        cmocka_unit_test_setup_teardown(units_are_estimated_by_their_texts, make_folder, remove_folder),
        cmocka_unit_test(a_file_settles_by_its_time_and_by_being_seen_unchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
