#include "byte_scan.h"

#include "text_class.h"

enum { KINDS = MUR_TEXT_LETTER | MUR_TEXT_NUMBER | MUR_TEXT_SPACE };

/* The length of 's, 't, 're, 've, 'm, 'll or 'd at the start; `text` begins with the apostrophe. 0: none of them. */
static size_t contraction(mur_view text)
{
    char first = text.len > 1 ? text.ptr[1] : ' ', second = text.len > 2 ? text.ptr[2] : ' ';
    switch (first) {
    case 's':
    case 't':
    case 'm':
    case 'd': return 2;
    case 'r':
    case 'v': return second == 'e' ? 3 : 0;
    case 'l': return second == 'l' ? 3 : 0;
    default: return 0;
    }
}

/* White space up to its end; but its last character where something else follows and it is not alone. */
static size_t space_end(const uint8_t *classes, mur_view text, size_t at)
{
    size_t end = at, last = at;
    while (end < text.len) {
        size_t next;
        if (!(mur_text_class_at(classes, text, end, &next) & MUR_TEXT_SPACE))
            return last > at ? last : end;
        last = end;
        end = next;
    }
    return end;
}

size_t mur_byte_scan(const uint8_t *classes, mur_view text, size_t at)
{
    if (text.ptr[at] == '\'') {
        size_t length = contraction((mur_view){text.ptr + at, text.len - at});
        if (length > 0)
            return at + length;
    }
    size_t first = at, end;
    if (text.ptr[at] == ' ' && at + 1 < text.len)
        first++;
    uint8_t kind = mur_text_class_at(classes, text, first, &end) & KINDS;
    if (kind == MUR_TEXT_SPACE)
        return space_end(classes, text, at);
    for (size_t next; end < text.len; end = next)
        if ((mur_text_class_at(classes, text, end, &next) & KINDS) != kind)
            break;
    return end;
}
