/* token_folder.h: tokenizer folders made of strings, their ids as text, and the reference's answers. */
#ifndef MURMUR_TESTS_TOKEN_FOLDER_H
#define MURMUR_TESTS_TOKEN_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "murmur/file.h"
#include "murmur/json.h"
#include "murmur/mem.h"
#include "murmur/tokenizer.h"
#include "scratch.h"
#include "shared_data.h"

/* A list that ends with a NULL name. `len` 0: as long as the string. */
typedef struct test_file {
    const char *name, *text;
    size_t len;
} test_file;

/* Opens the tokenizer of a folder of these files, which is gone afterwards. */
static inline int open_test_files(mur_tokenizer **out, const test_file *files)
{
    char *folder = scratch_make("token");
    assert_non_null(folder);
    for (const test_file *file = files; file->name; file++) {
        char *path = mur_path_join(folder, file->name);
        assert_int_equal(mur_file_write(path, (mur_view){file->text, file->len ? file->len : strlen(file->text)}), 0);
        free(path);
    }
    int rc = mur_tokenizer_open(out, folder);
    scratch_remove(folder);
    free(folder);
    return rc;
}

static inline mur_tokenizer *opened_test_files(const test_file *files)
{
    mur_tokenizer *t;
    if (open_test_files(&t, files) < 0)
        fail_msg("%s", mur_error_last()->message);
    return t;
}

static inline void expect_refusal(const test_file *files, const char *in_message)
{
    mur_tokenizer *t;
    int rc = open_test_files(&t, files);
    assert_null(t);
    if (rc != MUR_EDATA || !strstr(mur_error_last()->message, in_message))
        fail_msg("code %d, \"%s\", without \"%s\"", rc, rc ? mur_error_last()->message : "", in_message);
}

/* The ids of a text that has no byte behind it, as "0 5 2". */
static inline const char *shown_ids(mur_tokenizer *t, const char *text, size_t len)
{
    static mur_buf shown;
    char *copy = malloc(len + !len);
    mur_ids ids = {0}, again = {0};
    size_t n_full;
    memcpy(copy, text, len);
    mur_buf_reset(&shown);
    mur_tokenizer_encode(t, (mur_view){copy, len}, &ids, &n_full);
    mur_tokenizer_encode(t, (mur_view){copy, len}, &again, NULL);
    assert_int_equal(ids.len, again.len);
    assert_memory_equal(ids.ptr, again.ptr, ids.len * sizeof *ids.ptr);
    assert_int_equal(ids.len, n_full < mur_tokenizer_max_length(t) ? n_full : mur_tokenizer_max_length(t));
    for (size_t i = 0; i < ids.len; i++)
        mur_buf_printf(&shown, "%s%d", i ? " " : "", (int)ids.ptr[i]);
    mur_ids_clear(&ids);
    mur_ids_clear(&again);
    free(copy);
    return mur_buf_text(&shown);
}

#define IDS(t, text) shown_ids(t, text, sizeof(text) - 1)

/* One record {"text", "normalized", IDS_NAME, "n_full"}. Python's lone surrogates, as JSON escapes in the file, come
 * out as U+FFFD, here and there. */
static inline void expect_golden(mur_tokenizer *t, const cJSON *record, const char *ids_name,
                                 bool is_normalized_compared)
{
    const char *text = mur_json_string(record, "text", NULL), *normalized = mur_json_string(record, "normalized", NULL);
    mur_ids ids = {0};
    mur_buf out = {0};
    size_t n_full, n = 0;
    assert_non_null(text);
    mur_tokenizer_encode(t, mur_view_of(text), &ids, &n_full);
    mur_tokenizer_normalize(t, mur_view_of(text), &out);
    const cJSON *id;
    bool is_equal = true, is_reference = strcmp(ids_name, "ids") == 0;
    cJSON_ArrayForEach(id, mur_json_member(record, ids_name))
    {
        is_equal = is_equal && n < ids.len && ids.ptr[n] == (int32_t)id->valuedouble;
        n++;
    }
    /* The other members of a record belong to its "ids". */
    if (is_reference)
        is_equal = is_equal && n_full == (size_t)mur_json_number(record, "n_full", 0);
    if (is_reference && is_normalized_compared)
        is_equal = is_equal && strcmp(mur_buf_text(&out), normalized) == 0;
    if (!is_equal || n != ids.len)
        fail_msg("\"%s\" gives \"%s\", not \"%s\"", text, mur_buf_text(&out), normalized);
    mur_ids_clear(&ids);
    mur_buf_clear(&out);
}

/* The number of records checked; 0, having said so, where the file or `folder` is absent. */
static inline size_t check_golden_file(const char *name, const char *folder_name, const char *ids_name,
                                       bool is_normalized_compared)
{
    size_t n_checked = 0;
    char *folder = shared_data(folder_name), *path = shared_data(name);
    mur_buf golden = {0};
    if (folder && path) {
        mur_tokenizer *t;
        if (mur_tokenizer_open(&t, folder) < 0)
            fail_msg("%s", mur_error_last()->message);
        assert_int_equal(mur_file_read(&golden, path), 0);
        for (size_t at = 0; at < golden.len; n_checked++) {
            const char *feed = memchr(golden.ptr + at, '\n', golden.len - at);
            size_t end = feed ? (size_t)(feed - golden.ptr) : golden.len;
            cJSON *record = mur_json_parse((mur_view){golden.ptr + at, end - at}, name);
            assert_non_null(record);
            expect_golden(t, record, ids_name, is_normalized_compared);
            cJSON_Delete(record);
            at = end + 1;
        }
        assert_true(n_checked > 0);
        mur_tokenizer_close(&t);
    }
    mur_buf_clear(&golden);
    free(folder);
    free(path);
    return n_checked;
}

#endif
