/* A store that all ranks wrote, damaged in every way: verify names what is damaged, and only that. */
#include "all_ranks.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "murmur/file.h"
#include "murmur/hash.h"
#include "murmur/mem.h"
#include "murmur/store.h"

static const mur_column columns[] = {{"mention", MUR_STRING, "who"}, {"n", MUR_INT64, "how many"}};
static const mur_schema gold = {"gold", "", columns, 2};

static char *store;
static char *paths[2]; /* of the parts of versions 0 and 1, in full */

static void write_version(mur_store *s, int64_t version)
{
    mur_frame f;
    mur_frame_init(&f, &gold);
    for (int i = 0; i < 3000; i++) {
        char name[64];
        int len = snprintf(name, sizeof name, "@user%d", i * 7919 % 100003 + (int)version);
        mur_frame_add_row(&f);
        mur_frame_set_string(&f, 0, (mur_view){name, (size_t)len});
        mur_frame_set_int64(&f, 1, i * INT64_C(0x9E3779B97F4A7C15));
    }
    mur_piece piece = {all.rank, &f};
    mur_part_options options = {
        .store = store, .run_id = "run", .version = version, .compress = 1, .io_timeout_ms = 300000};
    mur_part part;
    int64_t bytes;
    int rc = mur_part_write(&part, &all, &gold, &piece, 1, &options, &bytes);
    assert_all(rc == 0);
    paths[version] = mur_path_join(store, part.path);
    if (s) {
        mur_record r = {.operation = mur_strdup("INGEST"),
                        .run_id = mur_strdup("run"),
                        .murmur_version = mur_strdup("0"),
                        .blas_kernel = mur_strdup("none"),
                        .options = mur_strdup("{}"),
                        .ranks = all.n_ranks};
        mur_change *change = mur_record_change(&r, "gold");
        change->version = version;
        change->columns = &gold;
        change->added = mur_alloc(1, sizeof *change->added);
        change->added[0] = part;
        change->n_added = 1;
        part.path = NULL;
        rc = mur_store_publish(s, &r);
        mur_record_clear(&r);
    }
    mur_part_clear(&part);
    mur_frame_clear(&f);
    assert_all(rc == 0);
}

/* What verify finds: rank 0 only. */
typedef struct findings {
    mur_buf damage, litter;
    size_t n_damage, n_litter;
    int64_t n_parts, n_rows;
    int rc;
} findings;

static void note(void *context, bool is_damage, const char *text)
{
    findings *f = context;
    mur_buf_append_text(is_damage ? &f->damage : &f->litter, text);
    mur_buf_append_byte(is_damage ? &f->damage : &f->litter, '\n');
    *(is_damage ? &f->n_damage : &f->n_litter) += 1;
}

static findings verify(const char *folder)
{
    findings f = {0};
    f.rc = mur_store_verify(folder, note, &f, &f.n_parts, &f.n_rows);
    return f;
}

/* Nothing but this damage, named by this text (NULL: no damage), and this litter, and frees the findings. */
static bool found(const char *damage, const char *litter)
{
    findings f = verify(store);
    bool is_right = f.rc == (damage ? MUR_EDATA : 0) && f.n_damage == (damage != NULL) &&
                    f.n_litter == (litter != NULL) && (!damage || strstr(mur_buf_text(&f.damage), damage)) &&
                    (!litter || strstr(mur_buf_text(&f.litter), litter));
    if (!is_right)
        print_error("expected %s and %s, found %d:\n%s%s", damage ? damage : "nothing", litter ? litter : "nothing",
                    f.rc, mur_buf_text(&f.damage), mur_buf_text(&f.litter));
    mur_buf_clear(&f.damage);
    mur_buf_clear(&f.litter);
    return is_right;
}

static const char *name_of(int version)
{
    return strrchr(paths[version], '/') + 1;
}

static bool sound_store_has_no_findings(void)
{
    findings f = verify(store);
    bool is_right = f.rc == 0 && f.n_damage == 0 && f.n_litter == 0 && f.n_parts == 2 &&
                    f.n_rows == 2 * 3000 * (int64_t)all.n_ranks;
    return is_right;
}

/* One bit of the part at `at`. */
static bool flipped_bit_is_found(mur_buf *bytes, size_t at)
{
    bytes->ptr[at] ^= 1 << at % 8;
    bool is_found = mur_file_write(paths[0], mur_buf_view(bytes)) == 0 && found(name_of(0), NULL);
    bytes->ptr[at] ^= 1 << at % 8;
    return is_found;
}

/* In every byte of what HDF5 reads first (it crashes on some of them), and at offsets from the first to the last. */
static bool flipped_bit_is_found_wherever_it_is(void)
{
    mur_buf bytes = {0};
    bool is_right = mur_file_read(&bytes, paths[0]) == 0;
    for (size_t i = 0; i < 96 && is_right; i++)
        is_right = flipped_bit_is_found(&bytes, i);
    for (size_t i = 0; i <= 200 && is_right; i++)
        is_right = flipped_bit_is_found(&bytes, (bytes.len - 1) * i / 200);
    is_right = mur_file_write(paths[0], mur_buf_view(&bytes)) == 0 && is_right;
    mur_buf_clear(&bytes);
    return is_right && found(NULL, NULL);
}

static bool truncated_or_longer_part_is_found(void)
{
    mur_buf bytes = {0};
    bool is_right = mur_file_read(&bytes, paths[1]) == 0;
    mur_view whole = mur_buf_view(&bytes);
    is_right = is_right && mur_file_write(paths[1], (mur_view){whole.ptr, whole.len - 1}) == 0 &&
               found(name_of(1), NULL) && mur_file_write(paths[1], (mur_view){"", 0}) == 0 && found(name_of(1), NULL);
    mur_buf_append_byte(&bytes, 0);
    is_right = is_right && mur_file_write(paths[1], mur_buf_view(&bytes)) == 0 &&
               found("bytes and its record in the log says", NULL);
    bytes.len--;
    is_right = mur_file_write(paths[1], mur_buf_view(&bytes)) == 0 && is_right;
    mur_buf_clear(&bytes);
    return is_right;
}

static bool missing_part_is_found_and_a_strange_one_is_litter(void)
{
    char *aside = mur_format("%s.aside", paths[0]);
    bool is_right = rename(paths[0], aside) == 0 && found("it is missing", ".h5.aside is left over") &&
                    rename(aside, paths[0]) == 0;
    free(aside);
    return is_right;
}

static bool parts_that_changed_places_are_found(void)
{
    char *aside = mur_format("%s/aside", store);
    bool is_right = rename(paths[0], aside) == 0 && rename(paths[1], paths[0]) == 0 && rename(aside, paths[1]) == 0;
    findings f = verify(store);
    is_right = is_right && f.rc == MUR_EDATA && f.n_damage == 2;
    mur_buf_clear(&f.damage);
    is_right =
        rename(paths[0], aside) == 0 && rename(paths[1], paths[0]) == 0 && rename(aside, paths[1]) == 0 && is_right;
    free(aside);
    return is_right;
}

static bool damaged_records_are_named(void)
{
    char *first = mur_format("%s/_log/%020d.json", store, 0), *second = mur_format("%s/_log/%020d.json", store, 1);
    char *third = mur_format("%s/_log/%020d.json", store, 2), *aside = mur_format("%s/aside", store);
    mur_buf text = {0};
    bool is_right = mur_file_read(&text, second) == 0;
    mur_view whole = mur_buf_view(&text);

    is_right =
        is_right && rename(first, aside) == 0 && found("record 0 is missing", name_of(0)) && rename(aside, first) == 0;
    is_right = is_right && mur_file_write(second, (mur_view){whole.ptr, whole.len / 2}) == 0 &&
               found("00000000000000000001.json is damaged", name_of(1)) && mur_file_write(second, whole) == 0;
    is_right = is_right && mur_file_write(third, whole) == 0 &&
               found("00000000000000000002.json is damaged: it says that it is record 1", NULL) && unlink(third) == 0;
    mur_buf_clear(&text);
    free(first);
    free(second);
    free(third);
    free(aside);
    return is_right && found(NULL, NULL);
}

/* Record 1 says that its part has other columns, with a checksum that is right again. */
static bool part_of_another_schema_is_found(void)
{
    char *path = mur_format("%s/_log/%020d.json", store, 1), hash[MUR_HASH_HEX];
    mur_buf text = {0};
    bool is_right = mur_file_read(&text, path) == 0;
    mur_view whole = mur_buf_view(&text);
    const char *at = strstr(mur_buf_text(&text), "\"type\":\"int64\""), *end = strstr(text.ptr, ",\"checksum\":\"");
    mur_buf other = {0};
    mur_buf_append(&other, text.ptr, (size_t)(at - text.ptr));
    mur_buf_append_text(&other, "\"type\":\"float64\"");
    at += strlen("\"type\":\"int64\"");
    mur_buf_append(&other, at, (size_t)(end - at));
    mur_hash_hex(hash, mur_hash(other.ptr, other.len));
    mur_buf_printf(&other, ",\"checksum\":\"%s\"}\n", hash);
    is_right = is_right && mur_file_write(path, mur_buf_view(&other)) == 0 &&
               found("its column 1 is n (int64) instead of n (float64)", NULL);
    is_right = mur_file_write(path, whole) == 0 && is_right;
    mur_buf_clear(&other);
    mur_buf_clear(&text);
    free(path);
    return is_right && found(NULL, NULL);
}

static bool what_no_record_names_is_litter(void)
{
    static const char *const names[] = {"gold/_tmp-x.h5",   "gold/part-9.h5", "silver/part-0.h5",
                                        "_log/_tmp-7.json", "_log/12.json",   "_lock-host-1-run"};
    bool is_right = true;
    char *silver = mur_path_join(store, "silver");
    is_right = mur_folder_make(silver) == 0;
    for (size_t i = 0; i < sizeof names / sizeof *names && is_right; i++) {
        char *path = mur_path_join(store, names[i]);
        is_right = mur_file_write(path, mur_view_of("x")) == 0 && found(NULL, names[i]) && unlink(path) == 0;
        free(path);
    }
    free(silver);
    return is_right;
}

static bool store_that_was_just_begun_is_sound(void)
{
    char *begun = mur_path_join(store, "begun");
    findings missing = verify(begun);
    bool is_right = missing.rc == MUR_ENOINPUT && mur_folder_make(begun) == 0;
    findings empty = verify(begun);
    is_right = is_right && empty.rc == 0 && mur_store_create(begun) == 0;
    findings created = verify(begun);
    is_right = is_right && created.rc == 0 && created.n_parts == 0 && created.n_damage == 0 && created.n_litter == 0;
    char *path = mur_path_join(begun, "_log");
    is_right = is_right && rmdir(path) == 0;
    free(path);
    path = mur_path_join(begun, "thesis.tex");
    is_right = is_right && mur_file_write(path, mur_view_of("x")) == 0;
    findings other = verify(begun);
    is_right = is_right && other.rc == MUR_ENOINPUT && unlink(path) == 0 && rmdir(begun) == 0;
    free(path);
    free(begun);
    return is_right;
}

/* Verifying is one process's work. */
#define CHECK_ON_RANK_0(name)                                                                                          \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        assert_all(all.rank != 0 || name());                                                                           \
    }
CHECK_ON_RANK_0(sound_store_has_no_findings)
CHECK_ON_RANK_0(flipped_bit_is_found_wherever_it_is)
CHECK_ON_RANK_0(truncated_or_longer_part_is_found)
CHECK_ON_RANK_0(missing_part_is_found_and_a_strange_one_is_litter)
CHECK_ON_RANK_0(parts_that_changed_places_are_found)
CHECK_ON_RANK_0(damaged_records_are_named)
CHECK_ON_RANK_0(part_of_another_schema_is_found)
CHECK_ON_RANK_0(what_no_record_names_is_litter)
CHECK_ON_RANK_0(store_that_was_just_begun_is_sound)

static int write_store(void **state)
{
    (void)state;
    mur_store *s = NULL;
    store = shared_scratch_make("verify");
    int rc = all.rank == 0 ? mur_store_create(store) : 0;
    if (all.rank == 0 && rc == 0)
        rc = mur_store_open(&s, store);
    if (all.rank == 0 && rc == 0)
        rc = mur_store_lock(s, "run", false);
    if (mur_agree(&all, rc) < 0)
        return -1;
    write_version(s, 0);
    write_version(s, 1);
    mur_store_close(&s);
    return 0;
}

static int remove_store(void **state)
{
    (void)state;
    shared_scratch_remove(store);
    free(paths[0]);
    free(paths[1]);
    return 0;
}

int main(void)
{
    if (mur_comm_open(&all) < 0)
        return 1;
    mur_log_rank_set(all.rank);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_store_has_no_findings),
        cmocka_unit_test(test_flipped_bit_is_found_wherever_it_is),
        cmocka_unit_test(test_truncated_or_longer_part_is_found),
        cmocka_unit_test(test_missing_part_is_found_and_a_strange_one_is_litter),
        cmocka_unit_test(test_parts_that_changed_places_are_found),
        cmocka_unit_test(test_damaged_records_are_named),
        cmocka_unit_test(test_part_of_another_schema_is_found),
        cmocka_unit_test(test_what_no_record_names_is_litter),
        cmocka_unit_test(test_store_that_was_just_begun_is_sound),
    };
    return finish(cmocka_run_group_tests(tests, write_store, remove_store));
}
