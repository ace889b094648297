#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../src/model/safetensors.h"
#include "murmur/file.h"
#include "murmur/mem.h"
#include "scratch.h"

/* A header, in a file whose data is `data_len` bytes long. */
static int parse(mur_tensors *s, const char *header, int64_t data_len)
{
    mur_view text = mur_view_of(header);
    return mur_safetensors_parse(s, text, MUR_SAFETENSORS_PREFIX + (int64_t)text.len + data_len, "m.safetensors");
}

static void refuse(const char *header, int64_t data_len, const char *message)
{
    mur_tensors s;
    assert_int_equal(parse(&s, header, data_len), MUR_EDATA);
    assert_string_equal(mur_error_last()->message, message);
    assert_int_equal(s.names.n_keys, 0);
    assert_null(s.tensors);
}

#define TENSOR(name, dtype, shape, begin, end)                                                                         \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" #begin "," #end "]}"

static void tensors_are_found_with_shape_type_and_place(void **state)
{
    (void)state;
    const char *header = "{" TENSOR("b", "F16", "[3]", 24, 30) ",\"__metadata__\":{\"format\":\"pt\"}," TENSOR(
        "a", "F32", "[2,3]", 0, 24) "," TENSOR("ids", "I64", "[1,1,1,1,2]", 30,
                                               46) "," TENSOR("none", "BF16", "[4,0]", 46,
                                                              46) "," TENSOR("one", "F32", "[]", 46, 50) "}  ";
    mur_tensors s;
    assert_int_equal(parse(&s, header, 50), 0);
    int64_t data = MUR_SAFETENSORS_PREFIX + (int64_t)strlen(header);
    const mur_tensor *a = mur_tensors_find(&s, "a"), *b = mur_tensors_find(&s, "b");
    const mur_tensor *ids = mur_tensors_find(&s, "ids"), *one = mur_tensors_find(&s, "one");
    assert_non_null(a);
    assert_int_equal(a->dtype, MUR_DTYPE_F32);
    assert_int_equal(a->n_dims, 2);
    assert_int_equal(a->shape[0], 2);
    assert_int_equal(a->shape[1], 3);
    assert_int_equal(a->begin, data);
    assert_int_equal(a->end, data + 24);
    assert_int_equal(b->dtype, MUR_DTYPE_F16);
    assert_int_equal(b->begin, data + 24);
    assert_int_equal(ids->dtype, MUR_DTYPE_OTHER);
    assert_string_equal(ids->dtype_name, "I64");
    assert_int_equal(ids->n_dims, 5);
    assert_int_equal(one->n_dims, 0);
    assert_int_equal(mur_tensors_find(&s, "none")->shape[1], 0);
    assert_null(mur_tensors_find(&s, "__metadata__"));
    assert_null(mur_tensors_find(&s, "c"));
    mur_tensors_clear(&s);
}

static void unknown_dtype_is_only_checked_for_its_place(void **state)
{
    (void)state;
    mur_tensors s;
    assert_int_equal(parse(&s, "{" TENSOR("x", "F4_FANCY_NEW_FORMAT", "[9]", 0, 5) "}", 5), 0);
    assert_int_equal(mur_tensors_find(&s, "x")->dtype, MUR_DTYPE_OTHER);
    mur_tensors_clear(&s);
    refuse("{" TENSOR("x", "F4_FANCY_NEW_FORMAT", "[9]", 0, 6) "}", 5,
           "m.safetensors: tensor x: its bytes end at 6, the file's data at 5");
}

static void empty_header_holds_no_tensors(void **state)
{
    (void)state;
    mur_tensors s;
    assert_int_equal(parse(&s, "{}", 0), 0);
    assert_null(mur_tensors_find(&s, "x"));
    mur_tensors_clear(&s);
}

static void headers_that_are_no_objects_are_refused(void **state)
{
    (void)state;
    const char *message = "m.safetensors: its header is no JSON object: not a safetensors file";
    refuse("", 0, message);
    refuse("[]", 0, message);
    refuse(" {}", 0, message);
    mur_tensors s;
    assert_int_equal(parse(&s, "{\"a\":}", 0), MUR_EDATA);
    assert_non_null(strstr(mur_error_last()->message, "m.safetensors"));
}

static void places_outside_the_data_are_refused(void **state)
{
    (void)state;
    refuse("{" TENSOR("a", "F32", "[4]", 4, 20) "}", 19,
           "m.safetensors: tensor a: its bytes end at 20, the file's data at 19");
    refuse("{" TENSOR("a", "F32", "[4]", 16, 0) "}", 16,
           "m.safetensors: tensor a: its bytes end at 0, before they begin at 16");
    refuse("{" TENSOR("a", "F32", "[4]", 0, 9007199254740991) "}", 16,
           "m.safetensors: tensor a: its bytes end at 9007199254740991, the file's data at 16");
    const char *message = "m.safetensors: tensor a: its data_offsets are not two whole numbers below 2^53";
    refuse("{" TENSOR("a", "F32", "[4]", 0, 9007199254740992) "}", 16, message);
    refuse("{" TENSOR("a", "F32", "[4]", -16, 0) "}", 16, message);
    refuse("{" TENSOR("a", "F32", "[4]", 0, 15.5) "}", 16, message);
    refuse("{" TENSOR("a", "F32", "[4]", 0, 1e400) "}", 16, message);
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[4]}}", 16, message);
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0]}}", 16, message);
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16,16]}}", 16, message);
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[\"0\",16]}}", 16, message);
}

static void lengths_that_do_not_fit_the_shape_are_refused(void **state)
{
    (void)state;
    refuse("{" TENSOR("a", "F32", "[4]", 0, 12) "}", 12,
           "m.safetensors: tensor a: it has 12 bytes, its dtype and shape make 16");
    refuse("{" TENSOR("a", "F16", "[2,0,3]", 0, 12) "}", 12,
           "m.safetensors: tensor a: it has 12 bytes, its dtype and shape make 0");
    refuse("{" TENSOR("a", "F32", "[4294967296,4294967296]", 0, 0) "}", 0,
           "m.safetensors: tensor a: its shape is larger than any file");
    refuse("{" TENSOR("a", "F32", "[2251799813685248,0,2251799813685248]", 0, 0) "}", 0,
           "m.safetensors: tensor a: its shape is larger than any file");
    const char *message = "m.safetensors: tensor a: its shape holds something that is no whole number below 2^53";
    refuse("{" TENSOR("a", "F32", "[-4]", 0, 16) "}", 16, message);
    refuse("{" TENSOR("a", "F32", "[\"4\"]", 0, 16) "}", 16, message);
    refuse("{" TENSOR("a", "F32", "[2.5]", 0, 10) "}", 10, message);
    refuse("{" TENSOR("a", "F32", "4", 0, 16) "}", 16, "m.safetensors: tensor a: it has no shape");
    refuse("{\"a\":{\"shape\":[4],\"data_offsets\":[0,16]}}", 16, "m.safetensors: tensor a: it has no dtype");
    refuse("{\"a\":[]}", 0, "m.safetensors: tensor a: it is described by something that is no object");
}

static void overlaps_holes_and_leftovers_are_refused(void **state)
{
    (void)state;
    refuse("{" TENSOR("a", "U8", "[8]", 0, 8) "," TENSOR("b", "U8", "[8]", 7, 15) "}", 15,
           "m.safetensors: tensor b: its bytes begin at 7, inside those of the tensor before it, which end at 8");
    refuse("{" TENSOR("a", "U8", "[8]", 0, 8) "," TENSOR("b", "U8", "[8]", 0, 8) "}", 8,
           "m.safetensors: tensor b: its bytes begin at 0, inside those of the tensor before it, which end at 8");
    refuse("{" TENSOR("b", "U8", "[8]", 9, 17) "," TENSOR("a", "U8", "[8]", 0, 8) "}", 17,
           "m.safetensors: tensor b: its bytes begin at 9, behind a hole: those of the tensor before it end at 8");
    refuse("{" TENSOR("a", "U8", "[8]", 1, 9) "}", 9,
           "m.safetensors: tensor a: its bytes begin at 1, behind a hole: those of the tensor before it end at 0");
    refuse("{}", 1, "m.safetensors: the tensors end at byte 10, the file at 11");
    refuse("{" TENSOR("a", "U8", "[1]", 0, 1) "," TENSOR("a", "U8", "[1]", 1, 2) "}", 2,
           "m.safetensors: tensor a: the header has it twice");
}

static void header_lengths_are_checked_against_file_and_limit(void **state)
{
    (void)state;
    int64_t len = -1;
    const unsigned char two[8] = {2}, over[8] = {0x01, 0xE1, 0xF5, 0x05},
                        all[8] = {255, 255, 255, 255, 255, 255, 255, 255};
    assert_int_equal(mur_safetensors_header_len(&len, two, 10, "f"), 0);
    assert_int_equal(len, 2);
    assert_int_equal(mur_safetensors_header_len(&len, two, 9, "f"), MUR_EDATA);
    assert_string_equal(mur_error_last()->message, "f: its header ends at byte 10, the file at 9: it was cut");
    assert_int_equal(mur_safetensors_header_len(&len, over, INT64_MAX, "f"), MUR_EDATA);
    assert_string_equal(mur_error_last()->message,
                        "f: a header of 100000001 bytes (at most 100000000): not a safetensors file");
    assert_int_equal(mur_safetensors_header_len(&len, all, INT64_MAX, "f"), MUR_EDATA);
}

static void files_are_read_or_refused_by_name(void **state)
{
    (void)state;
    char *folder = scratch_make("tensors");
    assert_non_null(folder);
    char *path = mur_path_join(folder, "m.safetensors");
    mur_tensors s;
    assert_int_equal(mur_safetensors_read(&s, path), MUR_ENOINPUT);
    assert_int_equal(mur_safetensors_read(&s, folder), MUR_EDATA);

    const char *header = "{" TENSOR("a", "F32", "[1]", 0, 4) "}";
    mur_buf file = {0};
    uint64_t header_len = strlen(header);
    mur_buf_append(&file, &header_len, sizeof header_len);
    mur_buf_append_text(&file, header);
    mur_buf_append(&file, "\0\0\x80\x3f", 4);
    assert_int_equal(mur_file_write(path, mur_buf_view(&file)), 0);
    assert_int_equal(mur_safetensors_read(&s, path), 0);
    assert_int_equal(s.file_len, (int64_t)file.len);
    assert_int_equal(mur_tensors_find(&s, "a")->end, (int64_t)file.len);
    mur_tensors_clear(&s);
    for (size_t len = 0; len < file.len; len++) { /* cut anywhere, it is refused, and the message names the file */
        assert_int_equal(mur_file_write(path, (mur_view){file.ptr, len}), 0);
        assert_int_equal(mur_safetensors_read(&s, path), MUR_EDATA);
        assert_non_null(strstr(mur_error_last()->message, path));
    }
    mur_buf_clear(&file);
    scratch_remove(folder);
    free(path);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_are_found_with_shape_type_and_place),
        cmocka_unit_test(unknown_dtype_is_only_checked_for_its_place),
        cmocka_unit_test(empty_header_holds_no_tensors),
        cmocka_unit_test(headers_that_are_no_objects_are_refused),
        cmocka_unit_test(places_outside_the_data_are_refused),
        cmocka_unit_test(lengths_that_do_not_fit_the_shape_are_refused),
        cmocka_unit_test(overlaps_holes_and_leftovers_are_refused),
        cmocka_unit_test(header_lengths_are_checked_against_file_and_limit),
        cmocka_unit_test(files_are_read_or_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
