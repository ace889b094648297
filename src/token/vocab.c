#include "vocab.h"

#include <stdlib.h>

#include "lines.h"
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
