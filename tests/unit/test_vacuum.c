/* Which files vacuum takes: a log whose times are chosen, with files that stand for parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/vacuum.h"
#include "scratch.h"

#define DAY INT64_C(86400000)

static char *folder;
static int64_t n_written;

static void write_file(const char *name)
{
    char *path = mur_path_join(folder, name);
    assert_done(mur_file_write(path, mur_view_of("contents")));
    free(path);
}

/* Last written so long ago. */
static void set_age(const char *name, int64_t age_ms)
{
    char *path = mur_path_join(folder, name);
    int64_t time = mur_now_ms() - age_ms;
    struct timespec both[2] = {{.tv_sec = time / 1000}, {.tv_sec = time / 1000}};
    assert_int_equal(utimensat(AT_FDCWD, path, both, 0), 0);
    free(path);
}

static bool is_there(const char *name)
{
    char *path = mur_path_join(folder, name);
    bool is = mur_path_exists(path);
    free(path);
    return is;
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
static const char *const nothing[] = {NULL};

/* The next record, as if it had been published so long ago; its parts are files. */
static void write_record(int64_t age_ms, const char *operation, const char *const *added, const char *const *removed,
                         const char *const *vacuumed)
{
    static int64_t n_parts;
    n_parts = n_written == 0 ? 0 : n_parts;
    mur_record r = {.number = n_written,
                    .time = mur_now_ms() - age_ms,
                    .operation = mur_strdup(operation),
                    .run_id = mur_strdup("run"),
                    .murmur_version = mur_strdup("0"),
                    .blas_kernel = mur_strdup("none"),
                    .options = mur_strdup("{}"),
                    .ranks = 1};
    if (*added || *removed) {
        mur_change *c = mur_record_change(&r, "gold");
        c->version = n_written;
        c->schema = mur_strdup("{\"table\":\"gold\",\"columns\":[]}");
        c->added = mur_alloc(8, sizeof *c->added);
        c->removed = mur_alloc(8, sizeof *c->removed);
        for (; *added; added++, n_parts++) {
            c->added[c->n_added++] = (mur_part){.path = mur_strdup(*added)};
            write_file(*added);
        }
        for (; *removed; removed++, n_parts--)
            c->removed[c->n_removed++] = mur_strdup(*removed);
        c->n_parts = n_parts;
    }
    r.vacuumed = mur_alloc(8, sizeof *r.vacuumed);
    for (; *vacuumed; vacuumed++)
        r.vacuumed[r.n_vacuumed++] = mur_strdup(*vacuumed);
    mur_buf text = {0};
    mur_record_format(&text, &r);
    char *path = mur_format("%s/_log/%020lld.json", folder, (long long)n_written++);
    assert_done(mur_file_write(path, mur_buf_view(&text)));
    free(path);
    mur_buf_clear(&text);
    mur_record_clear(&r);
}

#define P0 "gold/part-00000000000000000000-run.h5"
#define P1 "gold/part-00000000000000000001-run.h5"
#define P2 "gold/part-00000000000000000002-run.h5"
#define P3 "gold/part-00000000000000000003-run.h5"

/* Version 2, of 8 days ago, put 0 and 1 together; version 3, of 3 days ago, took its part's place. */
static int make_store(void **state)
{
    (void)state;
    mur_log_level_set(MUR_LOG_ERROR);
    folder = scratch_make("vacuum");
    n_written = 0;
    char *gold = mur_path_join(folder, "gold");
    assert_done(mur_store_create(folder));
    assert_done(mur_folder_make(gold));
    free(gold);
    write_record(10 * DAY, "INGEST", LIST(P0), nothing, nothing);
    write_record(9 * DAY, "INGEST", LIST(P1), nothing, nothing);
    write_record(8 * DAY, "OPTIMIZE", LIST(P2), LIST(P0, P1), nothing);
    write_record(3 * DAY, "RESCORE", LIST(P3), LIST(P2), nothing);
    return 0;
}

static int remove_store(void **state)
{
    (void)state;
    scratch_remove(folder);
    free(folder);
    return 0;
}

typedef struct told {
    size_t n_parts, n_left_over;
    int64_t bytes;
} told;

static void tell(void *context, const mur_vacuumed_file *file)
{
    told *t = context;
    t->n_parts += !file->is_left_over;
    t->n_left_over += file->is_left_over;
    t->bytes += file->bytes;
}

static mur_store *open_store(void)
{
    mur_store *s;
    assert_done(mur_store_open(&s, folder));
    return s;
}

static told vacuum(int64_t older_than_ms, bool is_dry)
{
    told t = {0};
    mur_store *s = open_store();
    if (!is_dry)
        assert_done(mur_store_lock(s, "vacuumer", false));
    mur_vacuum_options options = {older_than_ms, is_dry, "vacuumer", "0", "none"};
    assert_done(mur_store_vacuum(s, &options, tell, &t));
    mur_store_close(&s);
    return t;
}

static size_t n_records(void)
{
    mur_store *s = open_store();
    size_t n = mur_store_n_records(s);
    mur_store_close(&s);
    return n;
}

static void part_stays_while_a_version_within_the_period_had_it(void **state)
{
    (void)state;
    told t = vacuum(7 * DAY, false);
    assert_int_equal(t.n_parts, 2);
    assert_int_equal(t.bytes, 2 * 8);
    assert_false(is_there(P0) || is_there(P1));
    assert_true(is_there(P2)); /* was current until 3 days ago, though it is 8 days old */
    assert_true(is_there(P3));
    assert_int_equal(vacuum(7 * DAY, false).n_parts, 0);
    assert_int_equal(vacuum(2 * DAY, false).n_parts, 1);
    assert_false(is_there(P2));
    assert_true(is_there(P3));
}

static void longer_period_keeps_all(void **state)
{
    (void)state;
    assert_int_equal(vacuum(8 * DAY + DAY / 2, false).n_parts, 0);
    assert_int_equal(n_records(), 4);
    assert_true(is_there(P0) && is_there(P1) && is_there(P2) && is_there(P3));
}

static void latest_version_stays_whatever_its_age(void **state)
{
    (void)state;
    told t = vacuum(0, false);
    assert_int_equal(t.n_parts, 3);
    assert_true(is_there(P3));
    assert_int_equal(vacuum(0, false).n_parts, 0);
}

static void dry_run_tells_and_takes_nothing(void **state)
{
    (void)state;
    write_file("gold/_tmp-00000000000000000009-dead.h5");
    set_age("gold/_tmp-00000000000000000009-dead.h5", 9 * DAY);
    told t = vacuum(7 * DAY, true);
    assert_int_equal(t.n_parts, 2);
    assert_int_equal(t.n_left_over, 1);
    assert_int_equal(n_records(), 4);
    assert_true(is_there(P0) && is_there(P1) && is_there("gold/_tmp-00000000000000000009-dead.h5"));
}

static void old_version_is_refused_by_what_can_be_read(void **state)
{
    (void)state;
    vacuum(7 * DAY, false);
    mur_store *s = open_store();
    const mur_part **parts;
    size_t n;
    for (int64_t version = 0; version < 2; version++) {
        assert_int_equal(mur_store_parts(s, "gold", version, &parts, &n), MUR_EUSAGE);
        assert_message("was vacuumed at 2");
        assert_message("versions 2 to 3 can be read");
    }
    for (int64_t version = 2; version < 4; version++) {
        assert_done(mur_store_parts(s, "gold", version, &parts, &n));
        assert_int_equal(n, 1);
        free(parts);
    }
    assert_true(mur_store_is_vacuumed(s, P0));
    assert_false(mur_store_is_vacuumed(s, P2));
    mur_store_close(&s);
}

static void record_stands_before_a_file_goes_and_an_interrupted_one_is_finished(void **state)
{
    (void)state;
    write_record(0, "VACUUM", nothing, nothing, LIST(P0, P1)); /* and then it was killed */
    told t = vacuum(100 * DAY, false);
    assert_int_equal(t.n_parts, 0);
    assert_int_equal(t.n_left_over, 2);
    assert_false(is_there(P0) || is_there(P1));
    assert_true(is_there(P2));
    assert_int_equal(n_records(), 5);
}

static void nothing_goes_without_a_record(void **state)
{
    (void)state;
    told t = {0};
    mur_store *s = open_store(); /* not locked: the record cannot be published */
    mur_vacuum_options options = {0, false, "vacuumer", "0", "none"};
    assert_int_equal(mur_store_vacuum(s, &options, tell, &t), MUR_EINTERNAL);
    mur_store_close(&s);
    assert_true(is_there(P0) && is_there(P1) && is_there(P2));
    assert_int_equal(t.n_parts, 0);
}

static void litter_goes_when_it_is_old_and_murmurs(void **state)
{
    (void)state;
    static const char *const old[] = {"gold/part-00000000000000000007-dead.h5",
                                      "gold/_tmp-00000000000000000007-dead.h5",
                                      "gold/_tmp-00000000000000000007-dead.h5.spare",
                                      "_log/_tmp-00000000000000000007-dead.json", "_lock-host-1-dead"};
    static const char *const kept[] = {
        "gold/notes.txt",    "gold/part-7.h5", "readme", "progress.jsonl", "gold/part-00000000000000000008-young.h5",
        "_lock-host-2-young"};
    for (size_t i = 0; i < sizeof old / sizeof *old; i++) {
        write_file(old[i]);
        set_age(old[i], 8 * DAY);
    }
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        write_file(kept[i]);
        set_age(kept[i], i < 4 ? 8 * DAY : DAY / 48);
    }
    assert_int_equal(vacuum(7 * DAY, false).n_left_over, 5);
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        assert_false(is_there(old[i]));
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        assert_true(is_there(kept[i]));
    /* The lock's file of half an hour ago may be of a start that waits. */
    assert_int_equal(vacuum(0, false).n_left_over, 1);
    assert_false(is_there(kept[4]));
    assert_true(is_there(kept[5]));
}

static void log_that_vacuums_what_a_table_has_is_damaged(void **state)
{
    (void)state;
    static const struct {
        const char *path, *message;
    } cases[] = {{P3, "while a table has it"}, {"gold/part-x", "was never added"}};
    for (size_t i = 0; i < 2; i++) {
        mur_store *s;
        write_record(0, "VACUUM", nothing, nothing, LIST(cases[i].path));
        assert_int_equal(mur_store_open(&s, folder), MUR_EDATA);
        assert_message(cases[i].message);
        n_written--;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(part_stays_while_a_version_within_the_period_had_it, make_store, remove_store),
        cmocka_unit_test_setup_teardown(longer_period_keeps_all, make_store, remove_store),
        cmocka_unit_test_setup_teardown(latest_version_stays_whatever_its_age, make_store, remove_store),
        cmocka_unit_test_setup_teardown(dry_run_tells_and_takes_nothing, make_store, remove_store),
        cmocka_unit_test_setup_teardown(old_version_is_refused_by_what_can_be_read, make_store, remove_store),
        cmocka_unit_test_setup_teardown(record_stands_before_a_file_goes_and_an_interrupted_one_is_finished, make_store,
                                        remove_store),
        cmocka_unit_test_setup_teardown(nothing_goes_without_a_record, make_store, remove_store),
        cmocka_unit_test_setup_teardown(litter_goes_when_it_is_old_and_murmurs, make_store, remove_store),
        cmocka_unit_test_setup_teardown(log_that_vacuums_what_a_table_has_is_damaged, make_store, remove_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
