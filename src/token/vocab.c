#include "vocab.h"

#include <stdlib.h>

#include "lines.h"
#include "murmur/file.h"
#include "murmur/json.h"
#include "murmur/mem.h"

void mur_vocab_init(mur_vocab *v)
{
    *v = (mur_vocab){.largest = -1};
}

void mur_vocab_clear(mur_vocab *v)
{
    mur_map_clear(&v->strings);
    free(v->ids);
    mur_vocab_init(v);
}

void mur_vocab_set(mur_vocab *v, mur_view string, int32_t id)
{
    size_t number = mur_map_add(&v->strings, string, NULL);
    if (number >= v->cap_ids) {
        v->cap_ids = mur_grown(v->cap_ids, number + 1);
        v->ids = mur_realloc(v->ids, v->cap_ids, sizeof *v->ids);
    }
    v->ids[number] = id;
    if (id > v->largest)
        v->largest = id;
}

int32_t mur_vocab_id(const mur_vocab *v, mur_view string)
{
    size_t number = mur_map_find(&v->strings, string);
    return number == MUR_MAP_NONE ? MUR_VOCAB_NONE : v->ids[number];
}

int mur_vocab_read_counted(mur_vocab *v, const char *path, int32_t first_id)
{
    mur_buf text = {0};
    int rc = mur_text_file_read(&text, path);
    mur_lines lines = mur_lines_of(mur_buf_view(&text));
    while (rc == 0 && mur_lines_next(&lines)) {
        mur_view line = mur_view_strip(lines.line);
        const char *space = line.len ? memrchr(line.ptr, ' ', line.len) : NULL;
        if (!space)
            rc = mur_fail(MUR_EDATA, "%s: line %zu is not \"TOKEN COUNT\"; get the file again", path, lines.number);
        else if (lines.number > (size_t)(INT32_MAX - first_id))
            rc = mur_fail(MUR_EDATA, "%s: more lines than there are ids", path);
        else
            mur_vocab_set(v, (mur_view){line.ptr, (size_t)(space - line.ptr)}, first_id + (int32_t)(lines.number - 1));
    }
    if (rc == 0 && lines.number == 0)
        rc = mur_fail(MUR_EDATA, "%s is empty; get the file again", path);
    mur_buf_clear(&text);
    return rc;
}

int mur_vocab_read_lines(mur_vocab *v, const char *path)
{
    mur_buf text = {0};
    int rc = mur_text_file_read(&text, path);
    mur_lines lines = mur_lines_of(mur_buf_view(&text));
    while (rc == 0 && mur_lines_next(&lines)) {
        if (lines.number > INT32_MAX)
            rc = mur_fail(MUR_EDATA, "%s: more lines than there are ids", path);
        else
            mur_vocab_set(v, lines.line, (int32_t)(lines.number - 1));
    }
    if (rc == 0 && lines.number == 0)
        rc = mur_fail(MUR_EDATA, "%s is empty; get the file again", path);
    mur_buf_clear(&text);
    return rc;
}

/* Digits alone, as an id is written; MUR_VOCAB_NONE for anything else. */
static int32_t id_as_written(mur_view text)
{
    int64_t id = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return MUR_VOCAB_NONE;
        id = 10 * id + (text.ptr[i] - '0');
        if (id >= INT32_MAX)
            return MUR_VOCAB_NONE;
    }
    return text.len > 0 ? (int32_t)id : MUR_VOCAB_NONE;
}

int mur_vocab_read_json(mur_vocab *v, mur_view text, mur_view object, const char *path)
{
    if (!object.ptr || object.ptr[0] != '{')
        return mur_json_fail_at(text, object.ptr ? (size_t)(object.ptr - text.ptr) : 0, path,
                                "the vocabulary is not an object {\"STRING\": id, ...}");
    mur_buf string = {0};
    mur_json_walk walk;
    int rc = 0;
    for (mur_json_walk_begin(&walk, object); rc == 0 && mur_json_walk_next(&walk);) {
        int32_t id = id_as_written(walk.value);
        mur_buf_reset(&string);
        mur_json_unquote_name(&string, walk.name);
        if (id == MUR_VOCAB_NONE)
            rc = mur_json_fail_at(text, (size_t)(walk.value.ptr - text.ptr), path,
                                  "the id of \"%.100s\" is not a whole number from 0 up", mur_buf_text(&string));
        else
            mur_vocab_set(v, mur_buf_view(&string), id);
    }
    if (rc == 0 && v->strings.n_keys == 0)
        rc = mur_fail(MUR_EDATA, "%s: the vocabulary is empty; get the file again", path);
    mur_buf_clear(&string);
    return rc;
}

int mur_vocab_read_json_file(mur_vocab *v, const char *path)
{
    mur_buf text = {0};
    int rc = mur_file_read(&text, path);
    mur_json_scan scan;
    if (rc == 0) {
        mur_json_check(&scan, mur_buf_view(&text), 0);
        if (scan.verdict != MUR_JSON_OK)
            rc = mur_json_fail_at(mur_buf_view(&text), scan.where, path, "%s", scan.detail);
    }
    if (rc == 0)
        rc =
            mur_vocab_read_json(v, mur_buf_view(&text), (mur_view){text.ptr + scan.begin, scan.end - scan.begin}, path);
    mur_buf_clear(&text);
    return rc;
}
