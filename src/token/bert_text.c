#include "bert_text.h"

#include <stdlib.h>

#include "text_class.h"

#define DOTTED_CAPITAL_I 0x0130u /* the one letter whose lower case is two code points */
#define DOT_ABOVE 0x0307u
#define LONGEST_DECOMPOSITION 3

/* Hangul syllables by arithmetic (Unicode 15, section 3.12). */
#define SYLLABLES 0xAC00u
#define N_SYLLABLES 11172u
#define LEADING 0x1100u
#define VOWELS 0x1161u
#define N_VOWELS 21u
#define TRAILING 0x11A7u
#define N_TRAILING 28u

typedef struct lower_range {
    uint32_t first, last, step;
    int32_t difference;
} lower_range;

static const lower_range lower_ranges[] = {
#include "lower_case.inc"
};

typedef struct unaccented_row {
    uint32_t point;
    uint32_t n;
    uint32_t to[LONGEST_DECOMPOSITION];
} unaccented_row;

static const unaccented_row unaccented_rows[] = {
#include "unaccented.inc"
};

static uint32_t lower_case(uint32_t point)
{
    size_t first = 0, end = sizeof lower_ranges / sizeof *lower_ranges;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        const lower_range *range = &lower_ranges[middle];
        if (point > range->last)
            first = middle + 1;
        else if (point < range->first)
            end = middle;
        else
            return (point - range->first) % range->step ? point : (uint32_t)((int32_t)point + range->difference);
    }
    return point;
}

static const unaccented_row *find_unaccented(uint32_t point)
{
    size_t first = 0, end = sizeof unaccented_rows / sizeof *unaccented_rows;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (point > unaccented_rows[middle].point)
            first = middle + 1;
        else if (point < unaccented_rows[middle].point)
            end = middle;
        else
            return &unaccented_rows[middle];
    }
    return NULL;
}

void mur_bert_text_init(mur_bert_text *b, mur_bert_rules rules)
{
    *b = (mur_bert_text){.rules = rules, .classes = mur_text_classes_make()};
    for (uint32_t point = 0; point < 0x80; point++) {
        uint8_t class = b->classes[point];
        bool is_capital = point >= 'A' && point <= 'Z';
        b->is_dropped[point] = rules.is_cleaned && (class & MUR_TEXT_CONTROL);
        b->ascii[point] = (uint8_t)(rules.is_lower_case && is_capital              ? point + ('a' - 'A')
                                    : rules.is_cleaned && (class & MUR_TEXT_BLANK) ? ' '
                                                                                   : point);
    }
}

void mur_bert_text_clear(mur_bert_text *b)
{
    free(b->classes);
    *b = (mur_bert_text){0};
}

static void append_unaccented(const mur_bert_text *b, mur_buf *out, uint32_t point)
{
    if (mur_text_class(b->classes, point) & MUR_TEXT_MARK)
        return;
    uint32_t syllable = point - SYLLABLES;
    if (syllable < N_SYLLABLES) { /* also false for what is below SYLLABLES */
        mur_utf8_append(out, LEADING + syllable / (N_VOWELS * N_TRAILING));
        mur_utf8_append(out, VOWELS + syllable / N_TRAILING % N_VOWELS);
        if (syllable % N_TRAILING)
            mur_utf8_append(out, TRAILING + syllable % N_TRAILING);
        return;
    }
    const unaccented_row *row = find_unaccented(point);
    if (!row)
        mur_utf8_append(out, point);
    for (uint32_t i = 0; row && i < row->n; i++)
        mur_utf8_append(out, row->to[i]);
}

static void append_folded(const mur_bert_text *b, mur_buf *out, uint32_t point)
{
    bool has_dot = b->rules.is_lower_case && point == DOTTED_CAPITAL_I;
    if (has_dot)
        point = 'i';
    else if (b->rules.is_lower_case)
        point = lower_case(point);
    if (b->rules.is_unaccented) {
        append_unaccented(b, out, point);
        return;
    }
    mur_utf8_append(out, point);
    if (has_dot)
        mur_utf8_append(out, DOT_ABOVE);
}

/* A code point outside ASCII. */
static void append_other(const mur_bert_text *b, mur_buf *out, uint32_t point)
{
    uint8_t class = mur_text_class(b->classes, point);
    if (b->rules.is_cleaned && (class & MUR_TEXT_CONTROL))
        return;
    bool is_spaced = b->rules.is_cjk_spaced && (class & MUR_TEXT_CJK);
    if (is_spaced)
        mur_buf_append_byte(out, ' ');
    append_folded(b, out, b->rules.is_cleaned && (class & MUR_TEXT_BLANK) ? ' ' : point);
    if (is_spaced)
        mur_buf_append_byte(out, ' ');
}

void mur_bert_normalize(const mur_bert_text *b, mur_buf *out, mur_view text)
{
    size_t at = 0;
    while (at < text.len) {
        /* A run of ASCII, written whether it is kept or not. */
        char *begin = mur_buf_reserve(out, text.len - at), *to = begin;
        for (unsigned char byte; at < text.len && (byte = (unsigned char)text.ptr[at]) < 0x80; at++) {
            *to = (char)b->ascii[byte];
            to += !b->is_dropped[byte];
        }
        out->len += (size_t)(to - begin);
        while (at < text.len && (unsigned char)text.ptr[at] >= 0x80) {
            uint32_t point;
            at += (size_t)abs(mur_utf8_decode(&point, text.ptr + at, text.len - at));
            append_other(b, out, point);
        }
    }
}

bool mur_bert_next_word(const mur_bert_text *b, mur_view text, size_t *first, size_t *end)
{
    size_t at = *end, next = at;
    uint8_t class = MUR_TEXT_SPACE;
    while (at < text.len && ((class = mur_text_class_at(b->classes, text, at, &next)) & MUR_TEXT_SPACE))
        at = next;
    *first = at;
    *end = next;
    if (at == text.len)
        return false;
    if (class & MUR_TEXT_PUNCTUATION)
        return true;
    for (at = next; at < text.len; at = next) {
        if (mur_text_class_at(b->classes, text, at, &next) & (MUR_TEXT_SPACE | MUR_TEXT_PUNCTUATION))
            break;
    }
    *end = at;
    return true;
}
