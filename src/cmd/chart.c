#include "chart.h"

#include <locale.h>
#include <stdio.h>
#include <wchar.h>

#include "murmur/utf8.h"

/* Ranges of code points, ascending. */
typedef struct range {
    uint32_t first, last;
} range;

static bool is_in(uint32_t point, const range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return false;
}

/* Controls (Cc), and of the format characters (Cf) those that are invisible and change lines or directions; the joiners
 * U+200C and U+200D stay, since scripts and emoji need them. */
static bool is_hidden(uint32_t point)
{
    static const range hidden[] = {{0, 0x1F},        {0x7F, 0x9F},     {0x61C, 0x61C},
                                   {0x200B, 0x200B}, {0x200E, 0x200F}, {0x2028, 0x202E},
                                   {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}};
    return is_in(point, hidden, sizeof hidden / sizeof *hidden);
}

/* Blocks whose letters run from right to left (Unicode's Bidi_Class R and AL). */
static bool is_right_to_left(uint32_t point)
{
    static const range blocks[] = {
        {0x590, 0x8FF}, {0xFB1D, 0xFDFF}, {0xFE70, 0xFEFE}, {0x10800, 0x10FFF}, {0x1E800, 0x1EFFF}};
    return is_in(point, blocks, sizeof blocks / sizeof *blocks);
}

/* Columns that a terminal gives the character, by the C library's tables; the program's own locale is "C". */
static size_t columns_of(uint32_t point)
{
    static locale_t unicode;
    if (point < 0x7F)
        return 1;
    if (!unicode)
        unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (!unicode)
        return 1;
    locale_t own = uselocale(unicode);
    int columns = wcwidth((wchar_t)point);
    uselocale(own);
    return columns < 0 ? 1 : (size_t)columns;
}

/* A character as it is shown, or the whole of an escape: never cut. */
typedef struct glyph {
    char bytes[17];
    size_t len, columns;
    bool is_right_to_left;
} glyph;

/* The first character of `text`, which is not empty; `*used` is how many bytes it has. */
static glyph next_glyph(mur_view text, size_t *used)
{
    glyph g = {0};
    uint32_t point;
    int len = mur_utf8_decode(&point, text.ptr, text.len);
    *used = (size_t)(len < 0 ? -len : len);
    if (len > 0 && !is_hidden(point)) {
        memcpy(g.bytes, text.ptr, *used);
        g.len = *used;
        g.columns = columns_of(point);
        g.is_right_to_left = is_right_to_left(point);
        return g;
    }
    for (size_t i = 0; i < *used; i++)
        g.len += (size_t)snprintf(g.bytes + g.len, sizeof g.bytes - g.len, "\\x%02x", (unsigned char)text.ptr[i]);
    g.columns = g.len;
    return g;
}

/* Columns that all of it would take; stops counting behind `enough`. */
static size_t measure(mur_view text, size_t enough)
{
    size_t columns = 0;
    for (size_t used; text.len > 0 && columns <= enough; text.ptr += used, text.len -= used)
        columns += next_glyph(text, &used).columns;
    return columns;
}

void mur_append_cell(mur_buf *out, mur_view text, size_t width)
{
    bool is_cut = measure(text, width) > width, is_isolated = false;
    size_t room = is_cut ? width - 1 : width, columns = 0, n_marks = 0, begin = out->len;
    for (size_t used; text.len > 0; text.ptr += used, text.len -= used) {
        glyph g = next_glyph(text, &used);
        if (columns + g.columns > room)
            break;
        if (g.columns == 0 && ++n_marks > 2 * width) /* a heap of accents on one letter */
            continue;
        mur_buf_append(out, g.bytes, g.len);
        columns += g.columns;
        is_isolated = is_isolated || g.is_right_to_left;
    }
    if (is_isolated) {
        mur_buf cell = {0};
        mur_buf_append(&cell, out->ptr + begin, out->len - begin);
        out->len = begin;
        mur_utf8_append(out, 0x2068);
        mur_buf_append_view(out, mur_buf_view(&cell));
        mur_utf8_append(out, 0x2069);
        mur_buf_clear(&cell);
    }
    if (is_cut) {
        mur_utf8_append(out, 0x2026);
        columns++;
    }
    for (; columns < width; columns++)
        mur_buf_append_byte(out, ' ');
}

void mur_append_bar(mur_buf *out, int64_t value, int64_t most, size_t width)
{
    if (value <= 0 || most <= 0)
        return;
    double part = value < most ? (double)value / (double)most : 1;
    size_t eighths = (size_t)(8 * (double)width * part + 0.5);
    eighths = eighths > 0 ? eighths : 1;
    for (; eighths >= 8; eighths -= 8)
        mur_utf8_append(out, 0x2588); /* a full block; seven eighths to one eighth of it follow in Unicode */
    if (eighths > 0)
        mur_utf8_append(out, 0x2588 + 8 - (uint32_t)eighths);
}

double mur_percent(int64_t part, int64_t whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}
