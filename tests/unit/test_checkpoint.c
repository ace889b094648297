/* Checkpoints of the log: with and without them a store is the same, whatever happens to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/hash.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/store.h"
#include "scratch.h"

#define N_RECORDS 1000
#define N_FEW 300 /* enough for a checkpoint */
#define DUE 256   /* records after which a checkpoint is written */

static char *folder; /* of the test in hand */

static int make_folder(void **state)
{
    (void)state;
    mur_log_level_set(MUR_LOG_ERROR); /* damage is warned of, and made on purpose here */
    folder = scratch_make("checkpoint");
    return folder && mur_store_create(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    scratch_remove(folder);
    free(folder);
    return 0;
}

/* A log of every kind of record, written as files: parts that come and go, schemas that change and change back, records
 * without sources and with many. */
static const char *const schemas[] = {
    "{\"table\":\"gold\",\"columns\":[{\"name\":\"n\",\"type\":\"int64\",\"description\":\"größe\"}]}",
    "{\"table\":\"gold\",\"columns\":[{\"name\":\"n\",\"type\":\"int64\",\"description\":\"größe\"},"
    "{\"name\":\"m\",\"type\":\"string\",\"description\":\"\"}]}",
};

static mur_change *add_change(mur_record *r, const char *table, int64_t version, const char *schema)
{
    mur_change *c = mur_record_change(r, table);
    c->version = version;
    c->schema = mur_strdup(schema);
    return c;
}

static void add_part(mur_change *c, int64_t number)
{
    c->added = mur_alloc(1, sizeof *c->added);
    c->added[c->n_added++] = (mur_part){mur_format("%s/part-%" PRId64, c->table, number), number % 7, 1000 + number,
                                        (uint64_t)number * UINT64_C(0x9E3779B97F4A7C15), 7};
    c->n_parts++;
    c->n_rows += number % 7;
    c->bytes += 1000 + number;
}

static size_t n_sources_of(int64_t number)
{
    return number % 10 == 3 || number == 700 ? 0 : (size_t)(number % 5 * 9);
}

static char *source_path(int64_t number, size_t i)
{
    return mur_format("/data/tweets/%" PRId64 "/größe \"%zu\".json", number, i);
}

/* `last` has the totals of gold and application so far. */
static mur_record make_record(int64_t number, mur_change last[2])
{
    mur_record r = {.number = number,
                    .time = 1700000000000 + number / 3 * 1000,
                    .operation = mur_strdup(number % 10 == 3 ? "AGGREGATE" : "INGEST"),
                    .run_id = mur_format("run-%" PRId64, number / 100),
                    .murmur_version = mur_strdup("0.1.0"),
                    .blas_kernel = mur_strdup("Haswell"),
                    .options = mur_strdup("{\"text\":\"cleaned\",\"max_value\":65536}"),
                    .ranks = 1 + (int)(number % 4)};
    if (number % 10 == 3) {
        mur_change *c = add_change(&r, "application", ++last[1].version, schemas[0]);
        if (c->version > 0) {
            c->removed = mur_alloc(1, sizeof *c->removed);
            c->removed[c->n_removed++] = mur_format("application/part-%" PRId64, c->version - 1);
        }
        c->input = mur_strdup("gold");
        c->input_version = last[0].version;
        add_part(c, c->version);
        return r;
    }
    if (number == 700) { /* what the compaction replaced goes */
        free(r.operation);
        r.operation = mur_strdup("VACUUM");
        r.vacuumed = mur_alloc(100, sizeof *r.vacuumed);
        for (; r.n_vacuumed < 100; r.n_vacuumed++)
            r.vacuumed[r.n_vacuumed] = mur_format("gold/part-%zu", 100 + r.n_vacuumed);
        return r;
    }
    r.model_name = mur_strdup("mini");
    r.model_hash = mur_strdup("0123456789abcdef");
    r.precision = mur_strdup("fp32");
    mur_change *c = add_change(&r, "gold", ++last[0].version, schemas[number >= 600 && number < 800]);
    c->n_rows = last[0].n_rows;
    c->n_parts = last[0].n_parts;
    c->bytes = last[0].bytes;
    for (int64_t old = 100; number == 500 && old < 200; old++) { /* a compaction */
        c->removed = mur_realloc(c->removed, c->n_removed + 1, sizeof *c->removed);
        c->removed[c->n_removed++] = mur_format("gold/part-%" PRId64, old);
        c->n_parts--;
        c->n_rows -= old % 7;
        c->bytes -= 1000 + old;
    }
    add_part(c, c->version);
    last[0] = (mur_change){.version = c->version, .n_rows = c->n_rows, .n_parts = c->n_parts, .bytes = c->bytes};
    r.n_sources = n_sources_of(number);
    r.sources = mur_alloc(r.n_sources, sizeof *r.sources);
    for (size_t i = 0; i < r.n_sources; i++)
        r.sources[i] = (mur_source_file){source_path(number, i), number, INT64_C(1790000000123456789) + (int64_t)i,
                                         (int64_t)i, number % 3};
    r.n_units = 2;
    r.units = mur_alloc(2, sizeof *r.units);
    r.units[1] = (mur_unit_rows){number, 2, 3};
    return r;
}

static char *record_path(int64_t number)
{
    return mur_format("%s/_log/%020" PRId64 ".json", folder, number);
}

static void write_log(int64_t n)
{
    mur_change last[2] = {{.version = -1}, {.version = -1}};
    mur_buf text = {0};
    for (int64_t number = 0; number < n; number++) {
        mur_record r = make_record(number, last);
        char *path = record_path(number);
        mur_buf_reset(&text);
        mur_record_format(&text, &r);
        assert_done(mur_file_write(path, mur_buf_view(&text)));
        free(path);
        mur_record_clear(&r);
    }
    mur_buf_clear(&text);
}

static mur_store *open_store(void)
{
    mur_store *s;
    assert_done(mur_store_open(&s, folder));
    return s;
}

/* A record that changes nothing. */
static mur_record plain_record(int64_t number)
{
    return (mur_record){.number = number,
                        .time = 1800000000000,
                        .operation = mur_strdup("VACUUM"),
                        .run_id = mur_format("run-%d", (int)getpid()), /* each process is a run */
                        .murmur_version = mur_strdup("0.1.0"),
                        .blas_kernel = mur_strdup("none"),
                        .options = mur_strdup("{}"),
                        .ranks = 1};
}

static void publish(mur_store *s)
{
    mur_record r = plain_record(0);
    assert_done(mur_store_publish(s, &r));
    mur_record_clear(&r);
}

/* Lengthens the log by `n` records, of which the last is published and the others are written as files, which is
 * faster; with them a checkpoint is due. */
static int lengthen(int64_t n)
{
    mur_store *s;
    mur_buf text = {0};
    int rc = mur_store_open(&s, folder);
    for (int64_t number = rc == 0 ? (int64_t)mur_store_n_records(s) : 0; rc == 0 && n > 1; n--, number++) {
        mur_record r = plain_record(number);
        char *path = record_path(number), *aside = mur_format("%s.aside", path);
        mur_buf_reset(&text);
        mur_record_format(&text, &r);
        rc = mur_file_write(aside, mur_buf_view(&text));
        if (rc == 0)
            rc = rename(aside, path);
        free(aside);
        free(path);
        mur_record_clear(&r);
    }
    if (rc == 0)
        rc = mur_store_lock(s, "run", true);
    if (rc == 0)
        publish(s);
    mur_store_close(&s);
    mur_buf_clear(&text);
    return rc;
}

/* Lets a writer publish once, which writes the checkpoints that are due. */
static void write_checkpoints(void)
{
    mur_store *s = open_store();
    assert_done(mur_store_lock(s, "run", false));
    publish(s);
    mur_store_close(&s);
}

/* The names in _log that begin with `prefix`, sorted; the last is followed by NULL. */
static char **list(const char *prefix, size_t *n)
{
    struct dirent **entries;
    char *log_folder = mur_path_join(folder, "_log");
    int n_entries = scandir(log_folder, &entries, NULL, alphasort);
    char **names = mur_alloc((size_t)n_entries + 1, sizeof *names);
    *n = 0;
    for (int i = 0; i < n_entries; i++) {
        if (strncmp(entries[i]->d_name, prefix, strlen(prefix)) == 0)
            names[(*n)++] = mur_path_join(log_folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    free(log_folder);
    return names;
}

static void free_list(char **names)
{
    for (size_t i = 0; names[i]; i++)
        free(names[i]);
    free(names);
}

static size_t count(const char *prefix)
{
    size_t n;
    free_list(list(prefix, &n));
    return n;
}

static void same_text(const char *a, const char *b)
{
    if (a && b)
        assert_string_equal(a, b);
    else
        assert_ptr_equal(a, b);
}

static void same_record(const mur_record *a, const mur_record *b)
{
    mur_buf x = {0}, y = {0}; /* all but the number of sources is in the document */
    mur_record p = *a, q = *b;
    p.n_sources = q.n_sources = 0;
    mur_record_format(&x, &p);
    mur_record_format(&y, &q);
    assert_string_equal(mur_buf_text(&x), mur_buf_text(&y));
    assert_int_equal(a->n_sources, b->n_sources);
    mur_buf_clear(&x);
    mur_buf_clear(&y);
}

static void same_parts(const mur_store *a, const mur_store *b, const char *table, int64_t version)
{
    const mur_part **x, **y;
    size_t n, m;
    assert_int_equal(mur_store_parts(a, table, version, &x, &n), mur_store_parts(b, table, version, &y, &m));
    assert_int_equal(n, m);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(x[i]->path, y[i]->path);
        assert_int_equal(mur_store_is_vacuumed(a, x[i]->path), mur_store_is_vacuumed(b, x[i]->path));
        assert_true(x[i]->hash == y[i]->hash && x[i]->n_rows == y[i]->n_rows && x[i]->bytes == y[i]->bytes);
    }
    free(x);
    free(y);
}

static void same_table(const mur_store *a, const mur_store *b, const char *table)
{
    const mur_change *last = mur_store_change(a, table, -1);
    for (int64_t version = -1; version <= last->version; version++) {
        const mur_change *x = mur_store_change(a, table, version), *y = mur_store_change(b, table, version);
        same_text(x->schema, y->schema);
        assert_int_equal(mur_store_record_of(a, x)->number, mur_store_record_of(b, y)->number);
        if (version % 50 == 0 || version == last->version)
            same_parts(a, b, table, version);
    }
    assert_null(mur_store_change(b, table, last->version + 1));
    for (int64_t record = -1; record <= N_RECORDS; record += 13)
        assert_int_equal(mur_store_version_at(a, table, record), mur_store_version_at(b, table, record));
    for (int64_t time = 1700000000000 - 500; time < 1700000000000 + N_RECORDS * 400; time += 9500)
        assert_int_equal(mur_store_record_as_of(a, time), mur_store_record_as_of(b, time));
}

/* All that store.h tells of two stores. */
static void same_stores(const mur_store *a, const mur_store *b)
{
    size_t n = mur_store_n_records(a);
    assert_int_equal(n, mur_store_n_records(b));
    assert_string_equal(mur_store_folder(a), mur_store_folder(b));
    assert_int_equal(mur_store_n_sources(a), mur_store_n_sources(b));
    for (size_t i = 0; i < n; i++) {
        same_record(mur_store_record(a, i), mur_store_record(b, i));
        for (size_t k = 0; k < n_sources_of((int64_t)i) && i < N_RECORDS; k++) {
            char *path = source_path((int64_t)i, k);
            const mur_source_file *x = mur_store_source(a, mur_view_of(path));
            const mur_source_file *y = mur_store_source(b, mur_view_of(path));
            if (x || y) {
                assert_true(x && y && x->size == y->size && x->mtime_ns == y->mtime_ns);
                assert_true(x->n_rows == y->n_rows && x->n_rejects == y->n_rejects && !x->path && !y->path);
            }
            free(path);
        }
        if (i % 100 == 1) {
            mur_unit_rows *x, *y;
            size_t n_x, n_y;
            assert_done(mur_store_units(a, i, &x, &n_x));
            assert_done(mur_store_units(b, i, &y, &n_y));
            assert_true(n_x == n_y && (n_x == 0 || memcmp(x, y, n_x * sizeof *x) == 0));
            free(x);
            free(y);
        }
    }
    assert_null(mur_store_record(b, n));
    assert_int_equal(mur_store_is_vacuumed(a, "gold/part-150"), mur_store_is_vacuumed(b, "gold/part-150"));
    same_table(a, b, "gold");
    same_table(a, b, "application");
    assert_null(mur_store_change(b, "bronze", -1));
}

/* Opens the store with what is there and, all checkpoints out of the way, from its records; compares; puts them back.
 */
static void check_same_without(void)
{
    mur_store *with = open_store(), *without;
    size_t n;
    char **names = list("checkpoint-", &n);
    for (size_t i = 0; i < n; i++) {
        char *away = mur_format("%s.away", names[i]);
        assert_int_equal(rename(names[i], away), 0);
        free(away);
    }
    without = open_store();
    for (size_t i = 0; i < n; i++) {
        char *away = mur_format("%s.away", names[i]);
        assert_int_equal(rename(away, names[i]), 0);
        free(away);
    }
    same_stores(without, with);
    mur_store_close(&with);
    mur_store_close(&without);
    free_list(names);
}

typedef struct findings {
    mur_buf damage, litter;
    int rc;
} findings;

static void note(void *context, bool is_damage, const char *text)
{
    findings *f = context;
    /* The parts of this log were never written. */
    if (!is_damage || strncmp(text, "part ", 5) != 0)
        mur_buf_printf(is_damage ? &f->damage : &f->litter, "%s\n", text);
}

/* Verifies; both texts must hold their `part`, or be empty where that is NULL. */
static void check_verify(const char *damage, const char *litter)
{
    findings f = {0};
    int64_t n_parts, n_rows;
    f.rc = mur_store_verify(folder, note, &f, &n_parts, &n_rows);
    const char *found = mur_buf_text(&f.damage), *left = mur_buf_text(&f.litter);
    if (damage ? !strstr(found, damage) : *found != '\0')
        fail_msg("damage \"%s\" instead of \"%s\"", found, damage ? damage : "");
    if (litter ? !strstr(left, litter) : *left != '\0')
        fail_msg("litter \"%s\" instead of \"%s\"", left, litter ? litter : "");
    mur_buf_clear(&f.damage);
    mur_buf_clear(&f.litter);
}

static void overwrite_record(int64_t number, const char *text)
{
    char *path = record_path(number);
    assert_done(mur_file_write(path, mur_view_of(text)));
    free(path);
}

static void opening_with_and_without_checkpoints_gives_the_same_state(void **state)
{
    (void)state;
    write_log(N_RECORDS);
    assert_int_equal(count("checkpoint-"), 0);
    write_checkpoints();
    assert_int_equal(count("checkpoint-"), 1);
    assert_int_equal(count("_tmp-"), 0);
    assert_int_equal(count("part-"), 0);
    check_same_without();
    check_verify(NULL, NULL);
    /* And records that came since. */
    mur_store *s = open_store();
    assert_done(mur_store_lock(s, "run", false));
    for (int i = 0; i < 10; i++)
        publish(s);
    mur_store_close(&s);
    assert_int_equal(count("checkpoint-"), 1);
    check_same_without();
}

static void records_that_a_checkpoint_holds_are_not_read(void **state)
{
    (void)state;
    write_log(N_FEW);
    write_checkpoints();
    overwrite_record(7, "torn");
    mur_store *s = open_store();
    assert_int_equal(mur_store_n_records(s), N_FEW + 1);
    mur_store_close(&s);
    check_verify("00000000000000000007.json is damaged", NULL); /* but verify reads everything */
}

static void small_checkpoints_are_merged(void **state)
{
    (void)state;
    write_log(10);
    size_t most = 0;
    for (int i = 0; i < 6; i++) {
        assert_done(lengthen(DUE));
        size_t n = count("checkpoint-");
        most = n > most ? n : most;
    }
    assert_in_range(most, 2, 4);
    check_same_without();
    check_verify(NULL, NULL);
}

static void damage_file(const char *path, double where)
{
    mur_buf bytes = {0};
    assert_done(mur_file_read(&bytes, path));
    bytes.ptr[(size_t)(where * (double)bytes.len)] ^= 4;
    assert_done(mur_file_write(path, mur_buf_view(&bytes)));
    mur_buf_clear(&bytes);
}

static void damaged_checkpoint_is_named_and_the_records_are_read(void **state)
{
    (void)state;
    write_log(N_FEW);
    write_checkpoints();
    size_t n;
    char **names = list("checkpoint-", &n);
    assert_int_equal(n, 1);
    mur_buf whole = {0};
    assert_done(mur_file_read(&whole, names[0]));
    static const double places[] = {0, 0.001, 0.3, 0.7, 0.9999};
    for (size_t i = 0; i < 2 * sizeof places / sizeof *places; i++) {
        if (i % 2)
            damage_file(names[0], places[i / 2]);
        else
            assert_int_equal(truncate(names[0], (off_t)(places[i / 2] * (double)whole.len)), 0);
        check_same_without();
        check_verify("its bytes are not those that were written", NULL);
        assert_done(mur_file_write(names[0], mur_buf_view(&whole)));
    }
    check_verify(NULL, NULL);

    damage_file(names[0], 0.5);
    write_checkpoints(); /* what it covered is due again, and it is replaced */
    assert_int_equal(count("checkpoint-"), 1);
    assert_false(mur_path_exists(names[0]));
    check_same_without();
    check_verify(NULL, NULL);
    mur_buf_clear(&whole);
    free_list(names);
}

/* A checkpoint that is whole by its name and says other things than the records. */
static void lie(int64_t from, int64_t to, int64_t record, const char *document)
{
    static const mur_column columns[] = {
        {"record", MUR_INT64, ""},   {"document", MUR_STRING, ""}, {"path", MUR_STRING, ""},  {"size", MUR_INT64, ""},
        {"mtime_ns", MUR_INT64, ""}, {"rows", MUR_INT64, ""},      {"rejects", MUR_INT64, ""}};
    static const mur_schema schema = {"_log", "", columns, sizeof columns / sizeof *columns};
    mur_frame f;
    mur_frame_init(&f, &schema);
    mur_frame_add_row(&f);
    mur_frame_set_int64(&f, 0, record);
    if (document)
        mur_frame_set_string(&f, 1, mur_view_of(document));
    else
        mur_frame_set_string(&f, 2, mur_view_of("/data/x.json"));
    mur_comm alone = mur_comm_alone();
    mur_piece piece = {0, &f};
    mur_part_options options = {.store = folder, .run_id = "liar", .version = to};
    mur_part part;
    int64_t bytes;
    assert_done(mur_part_write(&part, &alone, &schema, &piece, 1, &options, &bytes));
    char hash[MUR_HASH_HEX], *written = mur_path_join(folder, part.path);
    char *name = mur_format("%s/_log/checkpoint-%020" PRId64 "-%020" PRId64 "-%s.h5", folder, from, to,
                            mur_hash_hex(hash, part.file_hash));
    assert_int_equal(rename(written, name), 0);
    free(name);
    free(written);
    mur_part_clear(&part);
    mur_frame_clear(&f);
}

static void checkpoint_that_says_other_things_is_found(void **state)
{
    (void)state;
    mur_buf first = {0};
    char *path = record_path(0);
    write_log(20);
    assert_done(mur_file_read(&first, path));
    static const struct {
        int64_t to, record;
        const char *document; /* "": record 0's own */
    } lies[] = {{20, 0, NULL}, {20, 0, "{}"}, {20, 0, ""}, {2, 1, ""}};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        lie(0, lies[i].to, lies[i].record,
            lies[i].document && !*lies[i].document ? mur_buf_text(&first) : lies[i].document);
        check_same_without();
        check_verify("it says other than the records do", NULL);
        size_t n;
        char **names = list("checkpoint-", &n);
        assert_int_equal(n, 1);
        unlink(names[0]);
        free_list(names);
    }
    mur_buf_clear(&first);
    free(path);
}

static void missing_record_is_named_in_spite_of_a_checkpoint(void **state)
{
    (void)state;
    write_log(N_FEW);
    write_checkpoints();
    static const int64_t numbers[] = {N_FEW, 40, 0}; /* the last one: only the checkpoint knows that it was there */
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char *path = record_path(numbers[i]), *what = mur_format("record %" PRId64 " is missing", numbers[i]);
        mur_store *s;
        unlink(path);
        assert_int_equal(mur_store_open(&s, folder), MUR_EDATA);
        assert_message(what);
        if (i > 0)
            check_verify(what, NULL);
        else
            check_verify("it has records up to 300 and the log has not", NULL);
        free(path);
        free(what);
    }
}

static void leftovers_of_an_interrupted_writer_are_litter(void **state)
{
    (void)state;
    write_log(N_FEW);
    static const char *const names[] = {"_tmp-00000000000000000300-run.h5", "_tmp-00000000000000000300-run.h5.spare",
                                        "part-00000000000000000300-run.h5",
                                        "checkpoint-00000000000000000000-00000000000000000300.h5"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = mur_format("%s/_log/%s", folder, names[i]);
        assert_done(mur_file_write(path, mur_view_of("half")));
        check_same_without();
        check_verify(NULL, names[i]);
        free(path);
    }
}

/* A writer that was killed at any moment of writing one leaves a store that is whole. */
static void writer_killed_while_it_writes_checkpoints_does_no_harm(void **state)
{
    (void)state;
    write_log(N_FEW);
    for (int round = 0; round < 20; round++) {
        int pipe_ends[2];
        char byte;
        assert_int_equal(pipe(pipe_ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            mur_store *s;
            if (mur_store_open(&s, folder) < 0 || mur_store_lock(s, "run", true) < 0 || write(pipe_ends[1], "", 1) != 1)
                _exit(1);
            for (;;) /* the first writes a checkpoint */
                publish(s);
        }
        close(pipe_ends[1]);
        assert_int_equal(read(pipe_ends[0], &byte, 1), 1);
        close(pipe_ends[0]);
        mur_sleep(0.002 * round);
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        if (round % 4 == 3)
            check_same_without();
        size_t n;
        char **names = list("checkpoint-", &n);
        for (size_t i = 0; i < n; i++)
            unlink(names[i]); /* so that one is due again */
        free_list(names);
    }
    write_checkpoints();
    assert_true(count("checkpoint-") > 0);
    check_same_without();
}

/* Checkpoints are merged and removed while readers list and open them. */
static void readers_open_while_checkpoints_are_merged(void **state)
{
    (void)state;
    write_log(10);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int rc = 0;
        for (int i = 0; i < 6 && rc == 0; i++)
            rc = lengthen(DUE);
        _exit(rc == 0 ? 0 : 1);
    }
    size_t before = 0;
    int status = 0;
    while (waitpid(child, &status, WNOHANG) == 0) {
        mur_store *s = open_store();
        size_t n = mur_store_n_records(s);
        assert_true(n >= before);
        before = n;
        mur_store_close(&s);
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    check_same_without();
}

#define CHECKPOINT_TEST(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHECKPOINT_TEST(opening_with_and_without_checkpoints_gives_the_same_state),
        CHECKPOINT_TEST(records_that_a_checkpoint_holds_are_not_read),
        CHECKPOINT_TEST(small_checkpoints_are_merged),
        CHECKPOINT_TEST(damaged_checkpoint_is_named_and_the_records_are_read),
        CHECKPOINT_TEST(checkpoint_that_says_other_things_is_found),
        CHECKPOINT_TEST(missing_record_is_named_in_spite_of_a_checkpoint),
        CHECKPOINT_TEST(leftovers_of_an_interrupted_writer_are_litter),
        CHECKPOINT_TEST(writer_killed_while_it_writes_checkpoints_does_no_harm),
        CHECKPOINT_TEST(readers_open_while_checkpoints_are_merged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
