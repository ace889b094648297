/* The log: records as text and back, versions and parts, the index of sources, damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "murmur/file.h"
#include "murmur/hash.h"
#include "murmur/mem.h"
#include "murmur/schema.h"
#include "murmur/store.h"
#include "scratch.h"

static const mur_column columns[] = {{"mention", MUR_STRING, "who, \"quoted\""}, {"n", MUR_INT64, "größe"}};
static const mur_schema gold = {"gold", "", columns, 2}, bronze = {"bronze", "", columns, 1};

SCRATCH_FOLDER("log")

static mur_store *open_store(void)
{
    mur_store *s;
    assert_done(mur_store_create(folder));
    assert_done(mur_store_open(&s, folder));
    return s;
}

/* A record without changes or sources. */
static mur_record plain_record(const char *operation)
{
    return (mur_record){.operation = mur_strdup(operation),
                        .run_id = mur_strdup("run-1"),
                        .murmur_version = mur_strdup("0.1.0"),
                        .blas_kernel = mur_strdup("Haswell"),
                        .options = mur_strdup("{\"text\":\"cleaned\",\"max_value\":65536}"),
                        .ranks = 3};
}

static void add_part(mur_change *c, const char *path, int64_t n_rows)
{
    c->added = mur_realloc(c->added, c->n_added + 1, sizeof *c->added);
    c->added[c->n_added++] = (mur_part){mur_strdup(path), n_rows, n_rows * 10, UINT64_C(0xfedcba9876543210), 7};
}

static void remove_part(mur_change *c, const char *path)
{
    c->removed = mur_realloc(c->removed, c->n_removed + 1, sizeof *c->removed);
    c->removed[c->n_removed++] = mur_strdup(path);
}

static void add_source(mur_record *r, const char *path, int64_t mtime_ns)
{
    r->sources = mur_realloc(r->sources, r->n_sources + 1, sizeof *r->sources);
    r->sources[r->n_sources++] = (mur_source_file){mur_strdup(path), INT64_MAX, mtime_ns, 12, 3};
}

/* Publishes version `version` of gold with parts added and removed, each a NULL-terminated list. */
static int publish_gold(mur_store *s, int64_t version, const char *const *added, const char *const *removed)
{
    mur_record r = plain_record("INGEST");
    mur_change *c = mur_record_change(&r, "gold");
    c->version = version;
    c->columns = &gold;
    for (; *added; added++)
        add_part(c, *added, 100 + version);
    for (; *removed; removed++)
        remove_part(c, *removed);
    int rc = mur_store_publish(s, &r);
    mur_record_clear(&r);
    return rc;
}

static const char *const nothing[] = {NULL};
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static mur_record full_record(void)
{
    mur_record r = plain_record("INGEST");
    r.model_name = mur_strdup("weights/\"mini\"\n");
    r.model_hash = mur_strdup("0123456789abcdef");
    r.precision = mur_strdup("fp32");
    mur_change *c = mur_record_change(&r, "bronze");
    c->columns = &bronze;
    add_part(c, "bronze/part-0.h5", 5);
    c = mur_record_change(&r, "gold");
    c->columns = &gold;
    c->input = mur_strdup("bronze");
    c->input_version = 0;
    add_part(c, "gold/part-0.h5", 7);
    add_part(c, "gold/part-1.h5", INT64_C(1) << 58);
    add_source(&r, "/data/größe \"x\"\t😀.json", INT64_C(1790000000123456789));
    add_source(&r, "/data/b.json", -1);
    r.n_units = 2;
    r.units = mur_alloc(2, sizeof *r.units);
    r.units[0] = (mur_unit_rows){1, 2, 3};
    r.units[1] = (mur_unit_rows){INT64_MAX, 0, 0};
    return r;
}

static void check_full_store(const mur_store *s)
{
    assert_int_equal(mur_store_n_records(s), 1);
    const mur_record *r = mur_store_record(s, 0);
    assert_int_equal(r->number, 0);
    assert_string_equal(r->operation, "INGEST");
    assert_string_equal(r->run_id, "run-1");
    assert_string_equal(r->murmur_version, "0.1.0");
    assert_string_equal(r->blas_kernel, "Haswell");
    assert_string_equal(r->options, "{\"text\":\"cleaned\",\"max_value\":65536}");
    assert_int_equal(r->ranks, 3);
    assert_string_equal(r->model_name, "weights/\"mini\"\n");
    assert_string_equal(r->model_hash, "0123456789abcdef");
    assert_string_equal(r->precision, "fp32");
    assert_int_equal(r->n_sources, 2);
    assert_null(r->sources);
    assert_null(r->units);
    mur_unit_rows *units;
    size_t n_units;
    assert_done(mur_store_units(s, 0, &units, &n_units));
    assert_int_equal(n_units, 2);
    assert_int_equal(units[0].silver, 3);
    assert_int_equal(units[1].bronze, INT64_MAX);
    free(units);
    assert_int_equal(mur_store_units(s, 1, &units, &n_units), MUR_EUSAGE);

    const mur_change *c = mur_store_change(s, "gold", -1);
    assert_int_equal(c->version, 0);
    assert_string_equal(c->input, "bronze");
    assert_int_equal(c->input_version, 0);
    assert_int_equal(c->n_rows, 7 + (INT64_C(1) << 58));
    assert_int_equal(c->n_parts, 2);
    assert_int_equal(c->bytes, 70 + (INT64_C(10) << 58));
    assert_int_equal(c->added[1].n_rows, INT64_C(1) << 58);
    assert_true(c->added[1].hash == UINT64_C(0xfedcba9876543210) && c->added[1].file_hash == 7);
    assert_ptr_equal(mur_store_record_of(s, c), r);
    assert_null(mur_store_change(s, "bronze", 0)->input);
    assert_null(mur_store_change(s, "silver", -1));

    mur_schema *schema;
    assert_done(mur_schema_parse(&schema, mur_view_of(c->schema), "schema"));
    assert_int_equal(schema->n_columns, 2);
    assert_string_equal(schema->table, "gold");
    assert_string_equal(schema->columns[0].description, "who, \"quoted\"");
    assert_string_equal(schema->columns[1].description, "größe");
    assert_int_equal(schema->columns[1].type, MUR_INT64);
    mur_schema_free(&schema);

    assert_int_equal(mur_store_n_sources(s), 2);
    const mur_source_file *f = mur_store_source(s, mur_view_of("/data/größe \"x\"\t😀.json"));
    assert_non_null(f);
    assert_int_equal(f->size, INT64_MAX);
    assert_int_equal(f->mtime_ns, INT64_C(1790000000123456789));
    assert_int_equal(f->n_rows, 12);
    assert_int_equal(f->n_rejects, 3);
    assert_int_equal(mur_store_source(s, mur_view_of("/data/b.json"))->mtime_ns, -1);
    assert_null(mur_store_source(s, mur_view_of("/data/c.json")));
}

static void record_reads_back_as_it_was_published(void **state)
{
    (void)state;
    mur_store *s = open_store();
    mur_record r = full_record();
    assert_done(mur_store_lock(s, "run-1", false));
    assert_done(mur_store_publish(s, &r));
    assert_int_equal(r.n_changes, 0); /* it is the store's now */
    check_full_store(s);
    mur_store_close(&s);
    assert_done(mur_store_open(&s, folder));
    check_full_store(s);
    mur_store_close(&s);
}

static void check_parts(const mur_store *s, int64_t version, const char *const *paths)
{
    const mur_part **parts;
    size_t n;
    assert_done(mur_store_parts(s, "gold", version, &parts, &n));
    for (size_t i = 0; i < n; i++) {
        assert_non_null(paths[i]);
        assert_string_equal(parts[i]->path, paths[i]);
    }
    assert_null(paths[n]);
    free(parts);
}

static void check_versions(const mur_store *s)
{
    check_parts(s, 0, LIST("gold/a", "gold/b"));
    check_parts(s, 1, LIST("gold/a", "gold/b", "gold/c"));
    check_parts(s, 2, LIST("gold/a", "gold/bc"));
    check_parts(s, 3, LIST("gold/a", "gold/bc", "gold/d", "gold/e"));
    check_parts(s, 4, LIST("gold/x", "gold/y", "gold/e"));
    check_parts(s, 5, nothing);
    check_parts(s, -1, nothing);
    assert_int_equal(mur_store_change(s, "gold", 4)->n_parts, 3);
    assert_int_equal(mur_store_change(s, "gold", 4)->n_rows, 104 + 104 + 103);
    const mur_part **parts;
    size_t n;
    assert_int_equal(mur_store_parts(s, "gold", 6, &parts, &n), MUR_EUSAGE);
    assert_message("0 to 5");
    assert_int_equal(mur_store_parts(s, "silver", 0, &parts, &n), MUR_EUSAGE);
    assert_done(mur_store_parts(s, "silver", -1, &parts, &n));
    assert_int_equal(n, 0);
    free(parts);
    assert_int_equal(mur_store_record_as_of(s, mur_store_record(s, 0)->time - 1), -1);
    assert_int_equal(mur_store_record_as_of(s, mur_store_record(s, 5)->time), 5);
    assert_int_equal(mur_store_version_at(s, "gold", -1), -1);
    assert_int_equal(mur_store_version_at(s, "gold", 5), 5);
    assert_int_equal(mur_store_version_at(s, "silver", INT64_MAX), -1);
}

static void every_version_keeps_its_parts_in_row_order(void **state)
{
    (void)state;
    mur_store *s = open_store();
    assert_done(mur_store_lock(s, "run", false));
    assert_done(publish_gold(s, 0, LIST("gold/a", "gold/b"), nothing));
    assert_done(publish_gold(s, 1, LIST("gold/c"), nothing));
    assert_done(publish_gold(s, 2, LIST("gold/bc"), LIST("gold/c", "gold/b"))); /* takes the place of the two */
    assert_done(publish_gold(s, 3, LIST("gold/d", "gold/e"), nothing));
    assert_done(publish_gold(s, 4, LIST("gold/x", "gold/y"), LIST("gold/a", "gold/bc", "gold/d")));
    assert_done(publish_gold(s, 5, nothing, LIST("gold/x", "gold/y", "gold/e")));
    check_versions(s);
    mur_store_close(&s);
    assert_done(mur_store_open(&s, folder));
    check_versions(s);
    mur_store_close(&s);
}

static void record_that_would_be_wrong_is_not_published(void **state)
{
    (void)state;
    mur_store *s = open_store();
    assert_int_equal(publish_gold(s, 0, LIST("gold/a"), nothing), MUR_EINTERNAL);
    assert_message("without the lock");
    assert_done(mur_store_lock(s, "run", false));
    assert_done(publish_gold(s, 0, LIST("gold/a"), nothing));
    assert_int_equal(publish_gold(s, 2, LIST("gold/b"), nothing), MUR_EINTERNAL);
    assert_message("where 1 must follow");
    assert_int_equal(publish_gold(s, 1, LIST("gold/a"), nothing), MUR_EINTERNAL);
    assert_message("gold/a is added a second time");
    assert_int_equal(publish_gold(s, 1, LIST("silver/a"), nothing), MUR_EINTERNAL);
    assert_int_equal(publish_gold(s, 1, nothing, LIST("gold/b")), MUR_EINTERNAL);
    assert_int_equal(publish_gold(s, 1, nothing, LIST("gold/a", "gold/a")), MUR_EINTERNAL);
    for (int i = 0; i < 2; i++) {
        mur_record r = plain_record("INGEST");
        add_source(&r, "/data/a.json", 1);
        assert_int_equal(mur_store_publish(s, &r), i == 0 ? 0 : MUR_EINTERNAL);
        mur_record_clear(&r);
    }
    assert_message("/data/a.json is ingested a second time");
    mur_record r = plain_record("INGEST");
    add_source(&r, "/data/b.json", 1);
    add_source(&r, "/data/b.json", 1); /* nor twice in one record */
    assert_int_equal(mur_store_publish(s, &r), MUR_EINTERNAL);
    mur_record_clear(&r);
    assert_message("/data/b.json is ingested a second time");
    assert_int_equal(mur_store_n_records(s), 2);
    mur_store_close(&s);
}

static char *record_path(int number)
{
    return mur_format("%s/_log/%020d.json", folder, number);
}

/* Three records of gold. */
static void make_log(void)
{
    mur_store *s = open_store();
    assert_done(mur_store_lock(s, "run", false));
    assert_done(publish_gold(s, 0, LIST("gold/a"), nothing));
    assert_done(publish_gold(s, 1, LIST("gold/b"), nothing));
    assert_done(publish_gold(s, 2, LIST("gold/c"), nothing));
    mur_store_close(&s);
}

static void check_damage(const char *message)
{
    mur_store *s;
    assert_int_equal(mur_store_open(&s, folder), MUR_EDATA);
    assert_null(s);
    assert_message(message);
}

static void missing_record_is_named(void **state)
{
    (void)state;
    make_log();
    char *path = record_path(1);
    unlink(path);
    check_damage("record 1 is missing");
    free(path);
}

static void doubled_record_is_named(void **state)
{
    (void)state;
    make_log();
    char *first = record_path(1), *last = record_path(3);
    mur_buf text = {0};
    assert_done(mur_file_read(&text, first));
    assert_done(mur_file_write(last, mur_buf_view(&text)));
    check_damage("00000000000000000003.json is damaged: it says that it is record 1");
    mur_buf_clear(&text);
    free(first);
    free(last);
}

static void torn_or_flipped_record_is_named(void **state)
{
    (void)state;
    make_log();
    char *path = record_path(2);
    mur_buf text = {0};
    assert_done(mur_file_read(&text, path));
    for (size_t len = 0; len < text.len; len++) { /* every way to be torn, in memory; a few as files */
        mur_record r;
        assert_int_equal(mur_record_parse(&r, (mur_view){text.ptr, len}, "x"), MUR_EDATA);
        text.ptr[len] ^= 1;
        assert_int_equal(mur_record_parse(&r, mur_buf_view(&text), "x"), MUR_EDATA);
        text.ptr[len] ^= 1;
        if (len % 100 == 0) {
            assert_done(mur_file_write(path, (mur_view){text.ptr, len}));
            check_damage("00000000000000000002.json");
        }
    }
    mur_buf_clear(&text);
    free(path);
}

static void what_is_no_record_is_no_part_of_the_log(void **state)
{
    (void)state;
    make_log();
    static const char *const names[] = {"_tmp-00000000000000000003-run.json", "7.json", "00000000000000000009.json~",
                                        "notes.txt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = mur_format("%s/_log/%s", folder, names[i]);
        assert_done(mur_file_write(path, mur_view_of("{")));
        free(path);
    }
    mur_store *s;
    assert_done(mur_store_open(&s, folder));
    assert_int_equal(mur_store_n_records(s), 3);
    mur_store_close(&s);
}

static int publish_made_from(mur_store *s, const char *table, int64_t version, const char *input, int64_t input_version)
{
    mur_record r = plain_record("INGEST");
    mur_change *c = mur_record_change(&r, table);
    c->version = version;
    c->columns = &gold;
    c->input = input ? mur_strdup(input) : NULL;
    c->input_version = input_version;
    int rc = mur_store_publish(s, &r);
    mur_record_clear(&r);
    return rc;
}

static void table_is_made_from_a_version_that_is_there(void **state)
{
    (void)state;
    mur_store *s = open_store();
    assert_done(mur_store_lock(s, "run", false));
    assert_int_equal(publish_made_from(s, "gold", 0, "silver", 0), MUR_EINTERNAL);
    assert_message("made from version 0 of silver, whose last is -1");
    for (int64_t version = 0; version < 3; version++)
        assert_done(publish_made_from(s, "silver", version, NULL, -1));
    assert_int_equal(publish_made_from(s, "gold", 0, "silver", 3), MUR_EINTERNAL);
    assert_message("whose last is 2");
    assert_int_equal(publish_made_from(s, "gold", 0, "silver", -1), MUR_EINTERNAL);
    assert_done(publish_made_from(s, "gold", 0, "silver", 1));
    assert_done(publish_made_from(s, "gold", 1, "silver", 1)); /* once more from the same */
    assert_int_equal(publish_made_from(s, "gold", 2, "silver", 0), MUR_EINTERNAL);
    assert_message("gold goes back from version 1 of silver to version 0");
    mur_store_close(&s);
}

static void name_that_another_writer_took_is_left_to_it(void **state)
{
    (void)state;
    mur_store *s = open_store();
    assert_done(mur_store_lock(s, "run", false));
    char *path = record_path(0);
    assert_done(mur_file_write(path, mur_view_of("theirs")));
    assert_int_equal(publish_gold(s, 0, LIST("gold/a"), nothing), MUR_ECREATE);
    assert_message("another writer published record 0");
    mur_buf text = {0};
    assert_done(mur_file_read(&text, path));
    assert_string_equal(mur_buf_text(&text), "theirs");
    mur_store_close(&s);
    mur_buf_clear(&text);
    free(path);
}

/* The document of a full record with `from` replaced by `to` and a right checksum again. */
static void replaced(mur_buf *out, const char *from, const char *to)
{
    mur_record r = full_record();
    mur_buf text = {0};
    for (size_t i = 0; i < r.n_changes; i++) {
        mur_buf_reset(&text);
        mur_schema_format(&text, r.changes[i].columns);
        r.changes[i].schema = mur_strdup(mur_buf_text(&text));
    }
    mur_buf_reset(&text);
    mur_record_format(&text, &r);
    mur_record_clear(&r);
    char *document = mur_strdup(mur_buf_text(&text)), checksum[MUR_HASH_HEX];
    *strstr(document, ",\"checksum\"") = '\0';
    char *at = strstr(document, from);
    if (!at)
        fail_msg("%s is not in %s", from, document);
    mur_buf_reset(out);
    mur_buf_append(out, document, (size_t)(at - document));
    mur_buf_append_text(out, to);
    mur_buf_append_text(out, at + strlen(from));
    mur_hash_hex(checksum, mur_hash(out->ptr, out->len));
    mur_buf_printf(out, ",\"checksum\":\"%s\"}\n", checksum);
    free(document);
    mur_buf_clear(&text);
}

static void members_are_checked_by_type_and_range(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"\"record\":0", "\"record\":-1"},
        {"\"record\":0", "\"record\":0.5"},
        {"\"record\":0", "\"record\":1e300"},
        {"\"record\":0", "\"record\":null"},
        {"\"record\":0", "\"record\":\"\""},
        {"\"record\":0", "\"record\":\"12x\""},
        {"\"record\":0", "\"record\":\"9223372036854775808\""},
        {"\"record\":0,", ""},
        {"\"time\":\"1970-01-01T00:00:00Z\"", "\"time\":\"yesterday\""},
        {"\"operation\":\"INGEST\"", "\"operation\":1"},
        {"\"ranks\":3", "\"ranks\":0"},
        {"\"ranks\":3", "\"ranks\":4294967297"},
        {"\"options\":{", "\"options\":[],\"o\":{"},
        {"\"model\":{", "\"model\":\"x\",\"m\":{"},
        {"\"tables\":{", "\"tables\":[],\"t\":{"},
        {"\"gold\":{", "\"bronze\":{"},
        {"\"gold\":{", "\"..\":{"},
        {"\"gold\":{", "\"a/b\":{"},
        {"\"schema\":{", "\"schema\":1,\"s\":{"},
        {"\"input\":null", "\"input\":0"},
        {"\"path\":\"gold/part-0.h5\"", "\"path\":\"../gold/part-0.h5\""},
        {"\"path\":\"gold/part-0.h5\"", "\"path\":\"gold/..\""},
        {"\"path\":\"gold/part-0.h5\"", "\"path\":\"/etc/passwd\""},
        {"\"path\":\"gold/part-0.h5\"", "\"path\":\"gold/a/b\""},
        {"\"rows\":7", "\"rows\":-7"},
        {"\"hash\":\"fedc", "\"hash\":\"FEDC"},
        {"\"hash\":\"fedc", "\"hash\":\"0fedc"},
        {"\"removed\":[]", "\"removed\":[1]"},
        {"\"removed\":[]", "\"removed\":{}"},
        {"\"sources\":[{", "\"sources\":[1,{"},
        {"\"sources\":[{", "\"sources\":[{},{"},
        {"[1,2,3]", "[1,2]"},
        {"[1,2,3]", "[1,2,3,4]"},
        {"[1,2,3]", "[1,2,-3]"},
        {"[1,2,3]", "{}"},
        {"{\"record\"", "[{\"record\""},
    };
    mur_buf text = {0};
    mur_record r;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        replaced(&text, wrong[i][0], wrong[i][1]);
        if (mur_record_parse(&r, mur_buf_view(&text), "it") != MUR_EDATA)
            fail_msg("%s was accepted", wrong[i][1]);
        assert_message("it");
        assert_int_equal(r.n_changes, 0);
    }
    mur_buf_clear(&text);
}

static void members_of_later_formats_are_left_out(void **state)
{
    (void)state;
    mur_buf text = {0};
    mur_record r;
    replaced(&text, "{\"record\":0", "{\"later\":[{}],\"record\":0");
    assert_done(mur_record_parse(&r, mur_buf_view(&text), "it"));
    assert_int_equal(r.n_changes, 2);
    mur_record_clear(&r);
    replaced(&text, "\"rows\":7", "\"later\":null,\"rows\":\"7\""); /* and any integer may be a string */
    assert_done(mur_record_parse(&r, mur_buf_view(&text), "it"));
    assert_int_equal(r.changes[1].added[0].n_rows, 7);
    mur_record_clear(&r);
    mur_buf_clear(&text);
}

static void folder_with_other_things_is_not_made_a_store(void **state)
{
    (void)state;
    char *path = mur_path_join(folder, "thesis.tex");
    mur_store *s;
    assert_int_equal(mur_store_open(&s, folder), MUR_ENOINPUT);
    assert_message(folder);
    assert_done(mur_file_write(path, mur_view_of("x")));
    assert_int_equal(mur_store_create(folder), MUR_ECREATE);
    assert_message(folder);
    unlink(path);
    free(path);
    assert_done(mur_store_create(folder));
    assert_done(mur_store_create(folder)); /* again is fine */
    path = mur_path_join(folder, "a/b/c");
    assert_done(mur_store_create(path)); /* and so are missing parents */
    assert_done(mur_store_open(&s, path));
    assert_int_equal(mur_store_n_records(s), 0);
    assert_null(mur_store_record(s, 0));
    mur_store_close(&s);
    free(path);
}

static void writer_sees_what_was_published_while_it_waited(void **state)
{
    (void)state;
    mur_store *early = open_store(), *late;
    assert_done(mur_store_open(&late, folder));
    assert_done(mur_store_lock(early, "early", false));
    assert_done(publish_gold(early, 0, LIST("gold/a"), nothing));
    mur_store_close(&early);
    assert_int_equal(mur_store_n_records(late), 0);
    assert_done(mur_store_lock(late, "late", false));
    assert_int_equal(mur_store_n_records(late), 1);
    assert_done(publish_gold(late, 1, LIST("gold/b"), nothing));
    mur_store_close(&late);
}

static void clock_that_was_set_back_does_not_reorder_records(void **state)
{
    (void)state;
    mur_store *s = open_store();
    mur_record r = plain_record("INGEST");
    mur_buf text = {0};
    r.time = INT64_C(32503680000123); /* in the year 3000 */
    mur_record_format(&text, &r);
    mur_record_clear(&r);
    char *path = record_path(0);
    assert_done(mur_file_write(path, mur_buf_view(&text)));
    assert_done(mur_store_lock(s, "run", false));
    assert_done(publish_gold(s, 0, nothing, nothing));
    assert_int_equal(mur_store_record(s, 0)->time, INT64_C(32503680000123));
    assert_int_equal(mur_store_record(s, 1)->time, INT64_C(32503680000123));
    mur_store_close(&s);
    mur_buf_clear(&text);
    free(path);
}

#define LOG_TEST(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(record_reads_back_as_it_was_published),
        LOG_TEST(every_version_keeps_its_parts_in_row_order),
        LOG_TEST(record_that_would_be_wrong_is_not_published),
        LOG_TEST(missing_record_is_named),
        LOG_TEST(doubled_record_is_named),
        LOG_TEST(torn_or_flipped_record_is_named),
        LOG_TEST(what_is_no_record_is_no_part_of_the_log),
        LOG_TEST(table_is_made_from_a_version_that_is_there),
        LOG_TEST(name_that_another_writer_took_is_left_to_it),
        LOG_TEST(members_are_checked_by_type_and_range),
        LOG_TEST(members_of_later_formats_are_left_out),
        LOG_TEST(folder_with_other_things_is_not_made_a_store),
        LOG_TEST(writer_sees_what_was_published_while_it_waited),
        LOG_TEST(clock_that_was_set_back_does_not_reorder_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
