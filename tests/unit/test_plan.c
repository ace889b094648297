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

#include "../../src/pipeline/plan.h"
#include "murmur/file.h"
#include "murmur/log.h"
#include "scratch.h"

static char *folder;

static int make_folder(void **state)
{
    (void)state;
    folder = scratch_make("plan");
    mur_log_level_set(MUR_LOG_ERROR); /* refusals are expected here */
    return folder ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    scratch_remove(folder);
    free(folder);
    return 0;
}

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
    assert_int_equal(mur_sources_list(&s, paths, 2, false), 0);
    static const char *const expected[] = {"a.json", "a/B c.ndjson", "a/z.jsonl.gz", "b.json"};
    assert_int_equal(s.n, 4);
    for (size_t i = 0; i < s.n; i++) {
        assert_string_equal(s.items[i].path + strlen(folder) + 1, expected[i]);
        assert_int_equal(s.items[i].size, 2);
    }
    assert_int_equal(s.n_refused, 0);
    mur_sources_clear(&s);

    char *missing = mur_path_join(folder, "nowhere");
    assert_int_equal(mur_sources_list(&s, &missing, 1, false), MUR_ENOINPUT);
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
    assert_int_equal(mur_sources_list(&s, paths, 1, false), 0);
    assert_int_equal(s.n, 0);
    assert_int_equal(s.n_refused, 2);
    mur_sources_clear(&s);
    free(pipe_path);
}

static void no_refusal(void *context, size_t index)
{
    (void)context;
    fail_msg("file %zu refused", index);
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
    mur_source files[3] = {{put("1.jsonl", mur_buf_view(&lines)), (int64_t)lines.len, 0},
                           {put("2.json", mur_buf_view(&array)), (int64_t)array.len, 0},
                           {put("3.json", mur_view_of("{}")), 2, 0}};
    mur_plan p, copy;
    mur_plan_make(&p, files, 3, 1000, INT64_MAX, no_refusal, NULL);
    assert_int_equal(p.n_files, 3);
    int64_t at = 0;
    size_t n_lines_pieces = 0;
    for (size_t i = 0; i < p.n_pieces && p.pieces[i].file == 0; i++, n_lines_pieces++) {
        assert_int_equal(p.pieces[i].offset, at);
        assert_false(p.pieces[i].is_whole);
        at += p.pieces[i].len;
        assert_int_equal(lines.ptr[at - 1], '\n');
    }
    assert_int_equal(at, lines.len);
    assert_in_range(n_lines_pieces, 2, 3);
    assert_int_equal(p.n_pieces, n_lines_pieces + 2);
    assert_true(p.pieces[p.n_pieces - 1].is_whole && p.pieces[p.n_pieces - 2].is_whole);
    size_t n = 0;
    for (size_t u = 0; u < p.n_units; u++) {
        assert_int_equal(p.units[u].first_piece, n);
        n += p.units[u].n_pieces;
    }
    assert_int_equal(n, p.n_pieces);

    mur_buf packed = {0};
    mur_plan_pack(&p, &packed);
    mur_plan_unpack(&copy, mur_buf_view(&packed));
    assert_int_equal(copy.n_units, p.n_units);
    assert_string_equal(copy.files[1].path, p.files[1].path);
    assert_memory_equal(copy.pieces, p.pieces, p.n_pieces * sizeof *p.pieces);
    mur_plan_clear(&copy);
    mur_plan_clear(&p);

    mur_plan_make(&p, files, 3, 2, INT64_MAX, no_refusal, NULL); /* --max-files 2 */
    assert_int_equal(p.n_files, 2);
    mur_plan_clear(&p);
    mur_plan_make(&p, files, 3, 1000, 1, no_refusal, NULL); /* --max-bytes 1: one file at least */
    assert_int_equal(p.n_files, 1);
    mur_plan_clear(&p);
    unlink(files[0].path);
    size_t refused = 0;
    mur_plan_make(&p, files, 3, 1000, INT64_MAX, count_refusal, &refused);
    assert_int_equal(refused, 1);
    assert_int_equal(p.n_files, 2);
    assert_string_equal(p.files[0].path, files[1].path);
    assert_int_equal(p.pieces[0].file, 0);
    mur_plan_clear(&p);

    for (int i = 0; i < 3; i++)
        free(files[i].path);
    mur_buf_clear(&packed);
    mur_buf_clear(&lines);
    mur_buf_clear(&array);
}

static void small_files_share_a_unit(void **state)
{
    (void)state;
    enum { N = 200 };
    mur_source files[N];
    for (int i = 0; i < N; i++) {
        char name[32];
        snprintf(name, sizeof name, "%03d.json", i);
        files[i] = (mur_source){put(name, mur_view_of("{\"text\": \"x\"}\n")), 14, 0};
    }
    mur_plan p;
    mur_plan_make(&p, files, N, 1000, INT64_MAX, no_refusal, NULL);
    assert_int_equal(p.n_pieces, N);
    assert_int_equal(p.n_units, 1);
    mur_plan_clear(&p);
    mur_plan_make(&p, files, 0, 1000, INT64_MAX, no_refusal, NULL);
    assert_int_equal(p.n_units, 0);
    mur_plan_clear(&p);
    for (int i = 0; i < N; i++)
        free(files[i].path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_come_in_byte_order_of_their_paths, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(odd_files_are_refused_by_name, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(big_json_lines_are_cut_at_line_ends, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(small_files_share_a_unit, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
