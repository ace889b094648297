#include "html_entity.h"

#include <stdbool.h>
#include <string.h>

#include "unicode_class.h"

#define LONGEST_NAME 8 /* thetasym */
/* Python's int() refuses longer decimal numbers since 3.10.7 (sys.int_info.default_max_str_digits). */
#define MOST_DECIMAL_DIGITS 4300

static const struct {
    char name[LONGEST_NAME + 1];
    uint32_t point;
} names[] = {
#include "html_entity.inc"
};

/* Windows-1252 from 0x80: what browsers take numeric entities 128 to 159 for. 0 = undefined there. */
static const uint16_t windows_1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

static uint32_t point_of_name(const uint32_t *body, size_t len)
{
    char name[LONGEST_NAME + 1] = {0};
    if (len > LONGEST_NAME)
        return MUR_ENTITY_NONE;
    for (size_t i = 0; i < len; i++) {
        if (body[i] >= 0x80)
            return MUR_ENTITY_NONE;
        name[i] = (char)body[i];
    }

    size_t first = 0, end = sizeof names / sizeof *names;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        int order = memcmp(name, names[middle].name, sizeof name);
        if (order == 0)
            return names[middle].point;
        if (order > 0)
            first = middle + 1;
        else
            end = middle;
    }
    return MUR_ENTITY_NONE;
}

static int digit_value(uint32_t point, int base)
{
    if (base == 16 && point < 0x80 && (point | 0x20) >= 'a' && (point | 0x20) <= 'f')
        return (int)(point | 0x20) - 'a' + 10;
    return mur_unicode_decimal(point);
}

/* Python's int(body, base) and then chr(): a sign, "0x" in base 16, decimal digits of any script, single underscores
 * between digits. There is no white space to strip: an entity has none but U+001C to U+001F, which int() refuses. */
static uint32_t point_of_number(const uint32_t *body, size_t len, int base)
{
    size_t at = 0;
    bool is_negative = len > 0 && body[0] == '-';
    if (is_negative || (len > 0 && body[0] == '+'))
        at++;
    bool after_digit = false;
    if (base == 16 && len - at >= 2 && mur_unicode_decimal(body[at]) == 0 && (body[at + 1] | 0x20) == 'x') {
        at += 2;
        after_digit = true; /* as far as an underscore is concerned */
    }

    uint32_t value = 0;
    size_t n_digits = 0;
    for (; at < len; at++) {
        if (body[at] == '_' && after_digit) {
            after_digit = false;
            continue;
        }
        int digit = digit_value(body[at], base);
        if (digit < 0)
            return MUR_ENTITY_NONE;
        value = value > 0x10FFFF ? value : value * (uint32_t)base + (uint32_t)digit;
        after_digit = true;
        n_digits++;
    }
    if (n_digits == 0 || !after_digit || (base == 10 && n_digits > MOST_DECIMAL_DIGITS))
        return MUR_ENTITY_NONE;
    if (value > 0x10FFFF || (is_negative && value != 0))
        return MUR_ENTITY_NONE;
    if (value >= 0x80 && value <= 0x9F)
        return windows_1252[value - 0x80] ? windows_1252[value - 0x80] : MUR_ENTITY_NONE;
    return value;
}

size_t mur_html_entity(uint32_t *point, const uint32_t *text, size_t len)
{
    size_t end = 1;
    while (end < len && text[end] != '&' && text[end] != ';' && !(mur_unicode_class(text[end]) & MUR_SPACE))
        end++;
    if (end == len || text[end] != ';' || end == 1)
        return 0;

    /* The # of a number is optional, so "&x41;" is one; but # and x are the body when nothing else would be left. */
    const uint32_t *body = text + 1;
    size_t body_len = end - 1;
    bool has_hash = body_len > 1 && body[0] == '#';
    body += has_hash;
    body_len -= has_hash;
    bool has_x = body_len > 1 && body[0] == 'x';
    body += has_x;
    body_len -= has_x;
    *point = has_hash || has_x ? point_of_number(body, body_len, has_x ? 16 : 10) : point_of_name(body, body_len);
    return end + 1;
}
