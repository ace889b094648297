#include "bpe_codes.h"

#include <stdbool.h>
#include <stdlib.h>

#include "lines.h"
#include "murmur/mem.h"
#include "points.h"

#define END_OF_WORD "</w>"

static void add_merge(mur_bpe_codes *c, mur_view left, mur_view right, uint32_t rank)
{
    uint32_t left_symbol = (uint32_t)mur_map_add(&c->symbols, left, NULL);
    uint32_t right_symbol = (uint32_t)mur_map_add(&c->symbols, right, NULL);
    mur_buf_reset(&c->key);
    mur_buf_append_view(&c->key, left);
    mur_buf_append_view(&c->key, right);
    uint32_t merged = (uint32_t)mur_map_add(&c->symbols, mur_buf_view(&c->key), NULL);
    /* Of a pair learned twice the later rank counts. */
    mur_bpe_set(&c->bpe, left_symbol, right_symbol, merged, rank);
}

/* Three fields, the last of which is dropped. */
static bool is_merge(mur_view line, mur_view *left, mur_view *right)
{
    mur_view count, more;
    return mur_view_next_field(left, &line) && mur_view_next_field(right, &line) &&
           mur_view_next_field(&count, &line) && !mur_view_next_field(&more, &line);
}

/* The symbol of one code point, or MUR_BPE_NO_SYMBOL. */
static uint32_t find_symbol(mur_bpe_codes *c, uint32_t point, bool is_last)
{
    mur_buf_reset(&c->key);
    mur_points_to_key(&c->key, &point, 1);
    if (is_last)
        mur_buf_append_text(&c->key, END_OF_WORD);
    size_t number = mur_map_find(&c->symbols, mur_buf_view(&c->key));
    return number == MUR_MAP_NONE ? MUR_BPE_NO_SYMBOL : (uint32_t)number;
}

int mur_bpe_codes_open(mur_bpe_codes *c, const char *path)
{
    mur_buf text = {0};
    int rc = mur_text_file_read(&text, path);
    if (rc < 0)
        goto done;

    size_t n_lines = 0;
    for (mur_lines lines = mur_lines_of(mur_buf_view(&text)); mur_lines_next(&lines) && lines.is_ended;)
        n_lines++;
    if (n_lines > MUR_BPE_MOST_MERGES) {
        rc = mur_fail(MUR_EDATA, "%s: %zu merges are too many", path, n_lines);
        goto done;
    }
    mur_bpe_init(&c->bpe, n_lines);
    for (mur_lines lines = mur_lines_of(mur_buf_view(&text)); mur_lines_next(&lines) && lines.is_ended;) {
        mur_view left, right;
        if (is_merge(lines.line, &left, &right))
            add_merge(c, left, right, (uint32_t)(lines.number - 1));
    }
    for (uint32_t point = 0; point < 0x80; point++)
        for (int is_last = 0; is_last < 2; is_last++)
            c->ascii[is_last][point] = find_symbol(c, point, is_last);
done:
    mur_buf_clear(&text);
    return rc;
}

void mur_bpe_codes_clear(mur_bpe_codes *c)
{
    mur_bpe_clear(&c->bpe);
    mur_map_clear(&c->symbols);
    mur_buf_clear(&c->key);
    free(c->word);
    *c = (mur_bpe_codes){0};
}

size_t mur_bpe_codes_split(mur_bpe_codes *c, mur_bpe_piece *pieces, const uint32_t *word, size_t len)
{
    if (len > c->cap_word) {
        c->cap_word = mur_grown(c->cap_word, len);
        c->word = mur_realloc(c->word, c->cap_word, sizeof *c->word);
    }
    for (size_t i = 0; i < len; i++) {
        bool is_last = i + 1 == len;
        c->word[i] = word[i] < 0x80 ? c->ascii[is_last][word[i]] : find_symbol(c, word[i], is_last);
    }
    return mur_bpe_split(&c->bpe, pieces, c->word, len);
}
