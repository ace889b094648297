/* Parts written together at any number of ranks and read alone. */
#include "all_ranks.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/hash.h"
#include "murmur/mem.h"
#include "murmur/part.h"

/* Of HDF5, whose header tests do not see: the number of handles that are open anywhere. */
extern ssize_t H5Fget_obj_count(int64_t file, unsigned types);
#define ALL_OBJECTS 0x1f

static char *store; /* the same folder on all ranks */

/* rc is success; says what went wrong where it is not. */
static bool is_done(int rc)
{
    if (rc < 0 && all.rank == 0)
        print_error("%s\n", mur_error_last()->message);
    return rc == 0;
}

static const mur_column every_type[] = {
    {"text", MUR_STRING, "some text"},         {"number", MUR_INT64, "an int64"},
    {"never", MUR_STRING, "null in all rows"}, {"small", MUR_INT8, "an int8"},
    {"score", MUR_FLOAT32, "a float32"},       {"wide", MUR_FLOAT64, "a float64"},
    {"is_true", MUR_BOOL, "a boolean"},        {"when", MUR_TIMESTAMP, "an instant"},
    {"valid", MUR_STRING, "an awkward name"},  {"a/b.c%", MUR_INT64, "another one"},
};
static const mur_schema schema = {"mixed", "a column of every type", every_type,
                                  sizeof every_type / sizeof *every_type};

/* xorshift64*: the same rows for the same seed on every rank. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static void random_text(mur_frame *f, size_t column, uint64_t *state, size_t most)
{
    static const char *const words[] = {"@", "user", " ", "größe", "😀", "xyz", "", "0"};
    char text[4096];
    size_t len = 0, n = next(state) % (most + 1);
    for (size_t i = 0; i < n && len < sizeof text - 16; i++)
        len += (size_t)sprintf(text + len, "%s", words[next(state) % 8]);
    mur_frame_set_string(f, column, (mur_view){text, len});
}

static void random_rows(mur_frame *f, uint64_t seed, size_t n)
{
    uint64_t state = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15);
    for (size_t i = 0; i < n; i++) {
        mur_frame_add_row(f);
        uint64_t has = next(&state);
        if (has & 7)
            random_text(f, 0, &state, 40);
        if (has >> 3 & 7)
            mur_frame_set_int64(f, 1, (int64_t)next(&state));
        if (has >> 6 & 1)
            mur_frame_set_int8(f, 3, (int8_t)next(&state));
        if (has >> 7 & 1)
            mur_frame_set_float32(f, 4, (float)(int32_t)next(&state) / 3);
        if (has >> 8 & 1)
            mur_frame_set_float64(f, 5, (double)(int64_t)next(&state) / 7);
        if (has >> 9 & 1)
            mur_frame_set_int8(f, 6, (int8_t)(next(&state) & 1));
        if (has >> 10 & 1)
            mur_frame_set_int64(f, 7, (int64_t)(next(&state) >> 20));
        if (has >> 11 & 1)
            random_text(f, 8, &state, 2);
        mur_frame_set_int64(f, 9, (int64_t)seed);
    }
}

static size_t rows_of(uint64_t seed, size_t most)
{
    uint64_t state = seed * 77 + 1;
    next(&state);
    return next(&state) % 5 == 0 ? 0 : next(&state) % (most + 1);
}

/* All pieces of a table, which every rank can make, and this rank's part of them. */
typedef struct input {
    mur_frame whole;
    mur_frame *frames;
    mur_piece *mine;
    size_t n_frames, n_mine;
} input;

/* `deal` gives the rank of a piece. Pieces are offered in descending order, and orders have gaps. */
static void make_input(input *in, size_t n_pieces, size_t most_rows, int (*deal)(size_t piece))
{
    *in = (input){.n_frames = n_pieces};
    in->frames = mur_alloc(n_pieces, sizeof *in->frames);
    in->mine = mur_alloc(n_pieces, sizeof *in->mine);
    mur_frame_init(&in->whole, &schema);
    for (size_t i = 0; i < n_pieces; i++) {
        mur_frame_init(&in->frames[i], &schema);
        random_rows(&in->frames[i], i, rows_of(i, most_rows));
        mur_frame_append(&in->whole, &in->frames[i]);
    }
    for (size_t i = n_pieces; i-- > 0;)
        if (deal(i) == all.rank)
            in->mine[in->n_mine++] = (mur_piece){(int64_t)i * 3 - 5, &in->frames[i]};
}

static void clear_input(input *in)
{
    for (size_t i = 0; i < in->n_frames; i++)
        mur_frame_clear(&in->frames[i]);
    mur_frame_clear(&in->whole);
    free(in->frames);
    free(in->mine);
}

static int deal_at_random(size_t piece)
{
    uint64_t state = piece * 1234567 + 89;
    next(&state);
    return (int)(next(&state) % (uint64_t)all.n_ranks);
}

static int deal_to_first(size_t piece)
{
    (void)piece;
    return 0;
}

static int deal_to_last(size_t piece)
{
    (void)piece;
    return all.n_ranks - 1;
}

/* The hash as docs/FORMAT.md defines it, computed from rows and not from datasets. */
static uint64_t hash_of_set(const char *name, size_t size, uint64_t n, size_t block, const char *elements)
{
    mur_buf text = {0};
    uint64_t sizes[2] = {size, n};
    mur_buf_append(&text, name, strlen(name) + 1);
    mur_buf_append(&text, sizes, sizeof sizes);
    for (uint64_t first = 0; first < n; first += block) {
        uint64_t len = n - first < block ? n - first : block, hash = mur_hash(elements + first * size, len * size);
        mur_buf_append(&text, &hash, sizeof hash);
    }
    uint64_t hash = mur_hash(text.ptr, text.len);
    mur_buf_clear(&text);
    return hash;
}

static uint64_t expected_hash(const mur_frame *f)
{
    static const char *const names[] = {"text", "number",  "never", "small",   "score",
                                        "wide", "is_true", "when",  "%76alid", "a%2fb.c%25"};
    uint64_t sets[32];
    size_t n = 0;
    sets[n++] = hash_of_set("valid", 8, f->n_rows, 4096, (const char *)f->valid);
    for (size_t c = 0; c < schema.n_columns; c++) {
        const mur_values *v = &f->columns[c];
        if (v->offsets) {
            char name[64];
            snprintf(name, sizeof name, "%s/offsets", names[c]);
            sets[n++] = hash_of_set(name, 8, f->n_rows + 1, 4096, (const char *)v->offsets);
            snprintf(name, sizeof name, "%s/bytes", names[c]);
            sets[n++] = hash_of_set(name, 1, v->bytes.len, 65536, v->bytes.ptr);
        } else {
            size_t size = mur_type_size(schema.columns[c].type);
            sets[n++] = hash_of_set(names[c], size, f->n_rows, 4096, v->bytes.ptr);
        }
    }
    return mur_hash(sets, n * sizeof *sets);
}

static bool same_rows(const mur_frame *a, const mur_frame *b)
{
    if (a->n_rows != b->n_rows || (a->n_rows && memcmp(a->valid, b->valid, a->n_rows * sizeof *a->valid) != 0))
        return false;
    for (size_t c = 0; c < a->schema->n_columns; c++) {
        const mur_values *x = &a->columns[c], *y = &b->columns[c];
        if (!mur_view_equal(mur_buf_view(&x->bytes), mur_buf_view(&y->bytes)))
            return false;
        if (x->offsets && memcmp(x->offsets, y->offsets, (a->n_rows + 1) * sizeof *x->offsets) != 0)
            return false;
    }
    return true;
}

static int64_t version; /* names every part of this test */

static int write_part_by(mur_part *part, const mur_piece *pieces, size_t n, const char *folder, int compress,
                         int64_t small_bytes)
{
    mur_part_options options = {.store = folder,
                                .run_id = "test",
                                .version = version++,
                                .compress = compress,
                                .small_bytes = small_bytes,
                                .io_timeout_ms = 300000};
    int64_t bytes_written;
    int rc = mur_part_write(part, &all, &schema, pieces, n, &options, &bytes_written);
    if (rc == 0) { /* what the ranks wrote adds up to all there is */
        int64_t total = mur_sum(&all, bytes_written);
        assert_all(total >= part->n_rows * 8);
        assert_all(small_bytes == 0 || (bytes_written > 0) == (all.rank == 0 && total > 0));
    }
    return rc;
}

static int write_part(mur_part *part, const mur_piece *pieces, size_t n, const char *folder, int compress)
{
    return write_part_by(part, pieces, n, folder, compress, 0);
}

/* Writes the input, reads it back in slices of `slice` rows on every rank, and checks everything there is to check. */
static void check_part_by(const input *in, int compress, int64_t slice, int64_t small_bytes)
{
    mur_part part;
    mur_part_reader *r;
    int rc = write_part_by(&part, in->mine, in->n_mine, store, compress, small_bytes);
    assert_all(is_done(rc));
    assert_all(part.n_rows == (int64_t)in->whole.n_rows);
    assert_all(part.hash == expected_hash(&in->whole));

    rc = mur_part_open(&r, store, &part);
    assert_all(is_done(rc));
    assert_all(mur_part_n_rows(r) == part.n_rows);
    mur_frame back;
    mur_frame_init(&back, &schema);
    for (int64_t first = 0; first < part.n_rows && rc == 0; first += slice)
        rc = mur_part_read(r, first, slice < part.n_rows - first ? slice : part.n_rows - first, &back);
    assert_all(is_done(rc));
    assert_all(same_rows(&back, &in->whole));
    uint64_t hash = 0;
    rc = mur_part_hash(r, &hash);
    assert_all(rc == 0 && hash == part.hash);
    mur_part_close(&r);
    mur_frame_clear(&back);
    assert_all(H5Fget_obj_count(ALL_OBJECTS, ALL_OBJECTS) == 0);
    mur_part_clear(&part);
}

/* Written by all ranks, and by the first alone. */
static void check_part(const input *in, int compress, int64_t slice)
{
    check_part_by(in, compress, slice, 0);
    check_part_by(in, compress, slice, INT64_MAX);
}

static void rows_and_hash_do_not_depend_on_who_holds_what(void **state)
{
    (void)state;
    int (*const deals[])(size_t piece) = {deal_at_random, deal_to_first, deal_to_last};
    for (size_t i = 0; i < sizeof deals / sizeof *deals; i++) {
        input in;
        make_input(&in, 23, 700, deals[i]);
        check_part(&in, 1, 1000);
        clear_input(&in);
    }
}

static void empty_rank_still_joins_the_write(void **state)
{
    (void)state;
    input in; /* three rows in one piece: most datasets are one chunk, so most ranks write nothing either */
    make_input(&in, 0, 0, deal_to_first);
    mur_frame f;
    mur_frame_init(&f, &schema);
    random_rows(&f, 5, 3);
    mur_frame_append(&in.whole, &f);
    mur_piece piece = {7, &f};
    free(in.mine);
    in.mine = &piece;
    in.n_mine = all.rank == all.n_ranks - 1;
    check_part(&in, 1, 2);
    in.mine = NULL;
    mur_frame_clear(&f);
    clear_input(&in);
}

static void table_without_rows_is_a_part(void **state)
{
    (void)state;
    input in;
    make_input(&in, 0, 0, deal_to_first);
    check_part(&in, 1, 1);
    clear_input(&in);
    make_input(&in, 4, 0, deal_at_random); /* pieces, but none has rows */
    check_part(&in, 0, 1);
    clear_input(&in);
}

static void rows_of_nulls_are_kept(void **state)
{
    (void)state;
    input in;
    make_input(&in, 0, 0, deal_to_first);
    mur_frame f;
    mur_frame_init(&f, &schema);
    for (int i = 0; i < 5000; i++)
        mur_frame_add_row(&f);
    for (int rank = 0; rank < all.n_ranks; rank++)
        mur_frame_append(&in.whole, &f);
    mur_piece piece = {all.rank, &f};
    free(in.mine);
    in.mine = &piece;
    in.n_mine = 1;
    check_part(&in, 1, 999);
    in.mine = NULL;
    mur_frame_clear(&f);
    clear_input(&in);
}

static void many_chunks_with_and_without_compression(void **state)
{
    (void)state;
    input in;
    make_input(&in, 22, 6000, deal_at_random);
    assert_all(in.whole.n_rows > 10 * 4096 && in.whole.columns[0].bytes.len > 10 * 65536);
    check_part(&in, 0, 65536);
    check_part(&in, 9, 30001);
    clear_input(&in);
}

static void every_rank_alone_writes_the_same_part(void **state)
{
    (void)state;
    input in;
    make_input(&in, 20, 300, deal_to_first);
    mur_comm alone = mur_comm_alone();
    mur_piece piece = {0, &in.whole};
    char *run_id = mur_format("rank%d", all.rank);
    mur_part_options options = {.store = store, .run_id = run_id, .version = version++, .compress = 1};
    mur_part part;
    int64_t bytes_written;
    int rc = mur_part_write(&part, &alone, &schema, &piece, 1, &options, &bytes_written);
    assert_all(is_done(rc));
    assert_all(part.hash == expected_hash(&in.whole));
    mur_part_clear(&part);
    free(run_id);
    clear_input(&in);
}

static void columns_are_chosen_by_name_and_missing_ones_are_null(void **state)
{
    (void)state;
    static const mur_column columns[] = {{"when", MUR_TIMESTAMP, ""},
                                         {"later", MUR_STRING, ""},
                                         {"text", MUR_STRING, ""},
                                         {"moment", MUR_TIMESTAMP, ""},
                                         {"amount", MUR_FLOAT32, ""}};
    static const mur_schema wanted = {"mixed", "", columns, 5};
    static const mur_column others[] = {{"text", MUR_INT64, ""}};
    static const mur_schema wrong = {"mixed", "", others, 1};
    input in;
    make_input(&in, 5, 50, deal_at_random);
    mur_part part;
    mur_part_reader *r;
    int rc = write_part(&part, in.mine, in.n_mine, store, 1);
    assert_all(is_done(rc));
    rc = mur_part_open(&r, store, &part);
    assert_all(is_done(rc));
    assert_all(mur_part_schema(r)->n_columns == schema.n_columns);
    for (size_t c = 0; c < schema.n_columns; c++) {
        const mur_column *have = &mur_part_schema(r)->columns[c];
        assert_all(strcmp(have->name, every_type[c].name) == 0 && have->type == every_type[c].type &&
                   strcmp(have->description, every_type[c].description) == 0);
    }
    mur_frame back;
    mur_frame_init(&back, &wanted);
    rc = mur_part_read(r, 0, part.n_rows, &back);
    assert_all(rc == 0 && back.n_rows == in.whole.n_rows && back.n_rows > 0);
    bool is_same = true;
    for (size_t i = 0; i < back.n_rows; i++)
        is_same = is_same && mur_frame_int64(&back, i, 0) == mur_frame_int64(&in.whole, i, 7) &&
                  mur_frame_is_present(&back, i, 0) == mur_frame_is_present(&in.whole, i, 7) &&
                  mur_view_equal(mur_frame_string(&back, i, 2), mur_frame_string(&in.whole, i, 0)) &&
                  !mur_frame_is_present(&back, i, 1) && mur_frame_string(&back, i, 1).len == 0 &&
                  !mur_frame_is_present(&back, i, 3) && mur_frame_int64(&back, i, 3) == MUR_NO_TIME &&
                  !mur_frame_is_present(&back, i, 4) && mur_frame_float32(&back, i, 4) == 0;
    assert_all(is_same);
    mur_frame_clear(&back);
    mur_frame_init(&back, &wrong);
    assert_all(mur_part_read(r, 0, part.n_rows, &back) == MUR_EDATA);
    assert_all(mur_part_read(r, 0, part.n_rows + 1, &back) == MUR_EINTERNAL);
    mur_frame_clear(&back);
    mur_part_close(&r);
    mur_part_clear(&part);
    clear_input(&in);
}

static void two_pieces_of_one_order_are_refused_everywhere(void **state)
{
    (void)state;
    input in;
    make_input(&in, 1, 10, deal_to_first);
    mur_piece twice[2] = {{4, &in.frames[0]}, {4, &in.frames[0]}};
    mur_part part;
    int rc = write_part(&part, twice, all.rank == 0 ? 2 : 0, store, 1);
    assert_all(rc == MUR_EINTERNAL && !part.path);
    clear_input(&in);
}

static void name_that_is_taken_is_left_alone(void **state)
{
    (void)state;
    input in;
    make_input(&in, 3, 10, deal_at_random);
    mur_part first, second;
    int rc = write_part(&first, in.mine, in.n_mine, store, 1);
    assert_all(is_done(rc));
    version--;
    rc = write_part(&second, in.mine, in.n_mine, store, 1);
    assert_all(rc == MUR_ECREATE && strstr(mur_error_last()->message, "part-"));
    mur_part_reader *r;
    rc = mur_part_open(&r, store, &first);
    assert_all(is_done(rc));
    mur_part_close(&r);
    mur_part_clear(&first);
    clear_input(&in);
}

/* Each rank reads its share, and all find the same. */
static void parts_are_checked_together(void **state)
{
    (void)state;
    mur_part parts[3];
    for (size_t i = 0; i < 3; i++) {
        input in;
        make_input(&in, 3, i == 1 ? 90000 : 10, deal_at_random); /* the second is of several blocks */
        int rc = write_part(&parts[i], in.mine, in.n_mine, store, 0);
        assert_all(is_done(rc));
        clear_input(&in);
    }
    int64_t read = 0, bytes = parts[0].bytes + parts[1].bytes + parts[2].bytes;
    assert_all(parts[1].bytes > 1 << 20);
    assert_all(is_done(mur_parts_check(&all, store, parts, 3, &read)));
    assert_all(mur_sum(&all, read) == bytes);
    assert_all(all.n_ranks == 1 || mur_max(&all, read) < bytes);
    mur_part_reader *r;
    assert_all(is_done(mur_part_open_checked(&r, store, &parts[1])));
    mur_part_close(&r);

    for (size_t i = 0; i < 3; i++) {
        char *path = mur_path_join(store, parts[i].path), byte = 0;
        int fd = open(path, O_RDWR);
        off_t at = (off_t)parts[i].bytes - 1 - (off_t)i;
        mur_barrier(&all); /* all have opened it */
        if (all.rank == 0)
            assert_true(pread(fd, &byte, 1, at) == 1 && (byte ^= 4, pwrite(fd, &byte, 1, at) == 1));
        mur_barrier(&all);
        int rc = mur_parts_check(&all, store, parts, 3, &read);
        assert_all(rc == MUR_EDATA && strstr(mur_error_last()->message, parts[i].path));
        if (all.rank == 0)
            assert_true((byte ^= 4, pwrite(fd, &byte, 1, at) == 1));
        close(fd);
        free(path);
        mur_barrier(&all);
    }
    mur_part gone = parts[0];
    gone.path = "mixed/none.h5";
    assert_all(mur_parts_check(&all, store, &gone, 1, &read) == MUR_EDATA);
    /* Sizes that a record only says are not taken for how much memory it needs. */
    mur_part huge = parts[1];
    huge.bytes = INT64_C(1) << 60;
    assert_all(mur_parts_check(&all, store, &huge, 1, &read) == MUR_EDATA &&
               strstr(mur_error_last()->message, huge.path) &&
               strstr(mur_error_last()->message, "its record in the log says 1152921504606846976"));
    mur_part several[] = {parts[0], huge, huge};
    assert_all(mur_parts_check(&all, store, several, 3, &read) == MUR_EDATA);
    assert_all(mur_parts_check(&all, store, NULL, 0, &read) == 0);
    for (size_t i = 0; i < 3; i++)
        mur_part_clear(&parts[i]);
}

static int n_files;
static int count_files(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)path, (void)about, (void)where;
    n_files += kind == FTW_F;
    return 0;
}

/* A write that must fail with MUR_EIO, leave no file in `folder` and no open handle behind. */
static void check_failure(const input *in, const char *folder)
{
    mur_part part;
    int rc = write_part(&part, in->mine, in->n_mine, folder, 0);
    assert_all(rc == MUR_EIO);
    assert_all(!part.path);
    assert_all(strstr(mur_error_last()->message, "mixed"));
    n_files = 0;
    nftw(folder, count_files, 8, FTW_PHYS);
    assert_all(n_files == 0);
    assert_all(H5Fget_obj_count(ALL_OBJECTS, ALL_OBJECTS) == 0);
}

/* Mounts a file system of `kib` KiB on the folder, or says why not. Collective. */
static bool mount_small(const char *folder, int kib)
{
    char options[32];
    snprintf(options, sizeof options, "size=%dk", kib);
    int error = all.rank == 0 && mount("tmpfs", folder, "tmpfs", 0, options) < 0 ? errno : 0;
    error = (int)mur_broadcast_int64(&all, error);
    if (error != 0 && all.rank == 0)
        print_message("cannot mount a small file system: %s\n", strerror(error));
    return error == 0;
}

/* `in` does not fit into `kib` KiB. Collective; false if this cannot be tried here. */
static bool check_small(const char *folder, int kib, const input *in)
{
    if (!mount_small(folder, kib))
        return false;
    check_failure(in, folder);
    mur_barrier(&all);
    if (all.rank == 0)
        umount2(folder, MNT_DETACH);
    mur_barrier(&all);
    return true;
}

static void full_disk_is_found_and_the_file_removed(void **state)
{
    (void)state;
    char *folder = mur_path_join(store, "full");
    int made = all.rank == 0 ? mur_folder_make(folder) : 0;
    assert_all(is_done(made));
    input in, row;
    make_input(&in, 20, 340, deal_at_random);
    make_input(&row, 1, 3, deal_to_first);
    int raw_kib = (int)(mur_frame_bytes(&in.whole) / 1024);
    assert_all(raw_kib > 250 && raw_kib < 350);
    assert_all(row.whole.n_rows > 0);

    bool could_try = check_small(folder, raw_kib, &in); /* no room for 1.5 times the data */
    if (could_try) {
        assert_all(strstr(mur_error_last()->message, "free some space") != NULL);
        could_try = check_small(folder, 24, &row); /* the data fits, what the file needs besides does not */
    }
    if (could_try) /* passes the check and fills up while rows are written, since room is held back for the end */
        could_try = check_small(folder, raw_kib * 3 / 2 + 16, &in);
    free(folder);
    clear_input(&in);
    clear_input(&row);
    if (!could_try)
        skip();
}

int main(void)
{
    if (mur_comm_open(&all) < 0)
        return 1;
    mur_log_rank_set(all.rank);
    store = shared_scratch_make("part");

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_hash_do_not_depend_on_who_holds_what),
        cmocka_unit_test(empty_rank_still_joins_the_write),
        cmocka_unit_test(table_without_rows_is_a_part),
        cmocka_unit_test(rows_of_nulls_are_kept),
        cmocka_unit_test(many_chunks_with_and_without_compression),
        cmocka_unit_test(every_rank_alone_writes_the_same_part),
        cmocka_unit_test(columns_are_chosen_by_name_and_missing_ones_are_null),
        cmocka_unit_test(two_pieces_of_one_order_are_refused_everywhere),
        cmocka_unit_test(name_that_is_taken_is_left_alone),
        cmocka_unit_test(parts_are_checked_together),
        cmocka_unit_test(full_disk_is_found_and_the_file_removed),
    };
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    shared_scratch_remove(store);
    return finish(n_failed);
}
