#include "byte_merges.h"

#include <stdio.h>
#include <stdlib.h>

#include "lines.h"
#include "murmur/buf.h"
#include "murmur/json.h"
#include "murmur/mem.h"

#define WHY_LENGTH 256

/* Merges on their way from a file: how many there will be is known at the end. */
typedef struct merge_list {
    uint32_t (*merges)[3]; /* left, right, merged */
    size_t n, cap;
    mur_buf key;
    char why[WHY_LENGTH]; /* what is wrong with the last one */
} merge_list;

static bool is_itself(unsigned byte)
{
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

uint32_t mur_byte_letter(uint8_t byte)
{
    if (is_itself(byte))
        return byte;
    uint32_t letter = 0x100;
    for (unsigned before = 0; before < byte; before++)
        letter += !is_itself(before);
    return letter;
}

/* False, with `why`, for a symbol that has no id: nothing could come of it. */
static bool find(merge_list *l, uint32_t *symbol, const mur_vocab *v, mur_view string)
{
    int32_t id = mur_vocab_id(v, string);
    *symbol = (uint32_t)id;
    if (id != MUR_VOCAB_NONE)
        return true;
    snprintf(l->why, sizeof l->why, "\"%.*s\" is not in the vocabulary", (int)(string.len < 100 ? string.len : 100),
             string.ptr);
    return false;
}

static bool add(merge_list *l, const mur_vocab *v, mur_view left, mur_view right)
{
    if (l->n == MUR_BPE_MOST_MERGES) {
        snprintf(l->why, sizeof l->why, "more merges than there can be");
        return false;
    }
    if (l->n == l->cap) {
        l->cap = mur_grown(l->cap, l->n + 1);
        l->merges = mur_realloc(l->merges, l->cap, sizeof *l->merges);
    }
    mur_buf_reset(&l->key);
    mur_buf_append_view(&l->key, left);
    mur_buf_append_view(&l->key, right);
    uint32_t *merge = l->merges[l->n];
    if (!find(l, &merge[0], v, left) || !find(l, &merge[1], v, right) || !find(l, &merge[2], v, mur_buf_view(&l->key)))
        return false;
    l->n++;
    return true;
}

/* "LEFT RIGHT", one space between them. */
static bool add_line(merge_list *l, const mur_vocab *v, mur_view line)
{
    const char *space = line.len ? memchr(line.ptr, ' ', line.len) : NULL;
    mur_view left = {line.ptr, space ? (size_t)(space - line.ptr) : 0};
    mur_view right = {space ? space + 1 : line.ptr, space ? line.len - left.len - 1 : 0};
    if (left.len == 0 || right.len == 0 || memchr(right.ptr, ' ', right.len)) {
        snprintf(l->why, sizeof l->why, "a merge is not \"LEFT RIGHT\"; get the file again");
        return false;
    }
    return add(l, v, left, right);
}

/* Of a pair learned twice the later rank counts. */
static void finish(merge_list *l, mur_bpe *b, bool is_good)
{
    if (is_good) {
        mur_bpe_init(b, l->n);
        for (size_t i = 0; i < l->n; i++)
            mur_bpe_set(b, l->merges[i][0], l->merges[i][1], l->merges[i][2], (uint32_t)i);
    }
    free(l->merges);
    mur_buf_clear(&l->key);
}

int mur_byte_merges_read(mur_bpe *b, const mur_vocab *v, const char *path)
{
    static const char version[] = "#version";
    merge_list l = {0};
    mur_buf text = {0};
    int rc = mur_text_file_read(&text, path);
    for (mur_lines lines = mur_lines_of(mur_buf_view(&text)); rc == 0 && mur_lines_next(&lines);) {
        bool is_version = lines.number == 1 && lines.line.len >= sizeof version - 1 &&
                          memcmp(lines.line.ptr, version, sizeof version - 1) == 0;
        if (!is_version && lines.line.len > 0 && !add_line(&l, v, lines.line))
            rc = mur_fail(MUR_EDATA, "%s: line %zu: %s", path, lines.number, l.why);
    }
    finish(&l, b, rc == 0);
    mur_buf_clear(&text);
    return rc;
}

static bool add_element(merge_list *l, const mur_vocab *v, const mur_json_walk *element, mur_buf *left, mur_buf *right)
{
    mur_buf_reset(left);
    mur_buf_reset(right);
    if (element->kind == MUR_JSON_STRING) {
        mur_json_unquote_name(left, element->value);
        return add_line(l, v, mur_buf_view(left));
    }
    mur_json_walk pair;
    size_t n = 0;
    if (element->kind == MUR_JSON_ARRAY)
        for (mur_json_walk_begin(&pair, element->value); mur_json_walk_next(&pair); n++) {
            if (pair.kind != MUR_JSON_STRING || n == 2) {
                n = 3;
                break;
            }
            mur_json_unquote_name(n == 0 ? left : right, pair.value);
        }
    if (n != 2) {
        snprintf(l->why, sizeof l->why, "a merge is neither \"LEFT RIGHT\" nor [\"LEFT\", \"RIGHT\"]");
        return false;
    }
    return add(l, v, mur_buf_view(left), mur_buf_view(right));
}

int mur_byte_merges_read_json(mur_bpe *b, const mur_vocab *v, mur_view text, mur_view array, const char *path)
{
    if (!array.ptr || array.ptr[0] != '[')
        return mur_json_fail_at(text, array.ptr ? (size_t)(array.ptr - text.ptr) : 0, path,
                                "the merges are not an array");
    merge_list l = {0};
    mur_buf left = {0}, right = {0};
    mur_json_walk walk;
    int rc = 0;
    for (mur_json_walk_begin(&walk, array); rc == 0 && mur_json_walk_next(&walk);)
        if (!add_element(&l, v, &walk, &left, &right))
            rc = mur_json_fail_at(text, (size_t)(walk.value.ptr - text.ptr), path, "%s", l.why);
    finish(&l, b, rc == 0);
    mur_buf_clear(&left);
    mur_buf_clear(&right);
    return rc;
}
