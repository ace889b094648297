#include "lines.h"

#include "murmur/file.h"
#include "murmur/utf8.h"
#include "unicode_class.h"

mur_lines mur_lines_of(mur_view text)
{
    return (mur_lines){.text = text};
}

bool mur_lines_next(mur_lines *l)
{
    if (l->next == l->text.len)
        return false;
    const char *begin = l->text.ptr + l->next;
    size_t left = l->text.len - l->next, len = 0;
    while (len < left && begin[len] != '\n' && begin[len] != '\r')
        len++;
    l->line = (mur_view){begin, len};
    l->is_ended = len < left;
    l->next += len + l->is_ended;
    if (l->is_ended && begin[len] == '\r' && len + 1 < left && begin[len + 1] == '\n')
        l->next++;
    l->number++;
    return true;
}

int mur_text_file_read(mur_buf *out, const char *path)
{
    size_t before = out->len;
    int rc = mur_file_read(out, path);
    if (rc < 0)
        return rc;
    mur_view text = {out->ptr + before, out->len - before};
    size_t valid = mur_utf8_valid_prefix(text);
    if (valid == text.len)
        return 0;

    mur_lines lines = mur_lines_of(text);
    while (lines.next <= valid && mur_lines_next(&lines))
        ;
    return mur_fail(MUR_EDATA, "%s: line %zu is not UTF-8; get the file again", path, lines.number);
}

/* The length of the white-space character at the start or the end of `text`, which is UTF-8; 0 if it is none. */
static size_t blank_at_start(mur_view text)
{
    uint32_t point;
    int length = text.len ? mur_utf8_decode(&point, text.ptr, text.len) : 0;
    return length > 0 && (mur_unicode_class(point) & MUR_BLANK) ? (size_t)length : 0;
}

static size_t blank_at_end(mur_view text)
{
    size_t length = 1;
    while (length < text.len && length < 4 && ((unsigned char)text.ptr[text.len - length] & 0xC0) == 0x80)
        length++;
    return length <= text.len ? blank_at_start((mur_view){text.ptr + text.len - length, length}) : 0;
}

size_t mur_view_blank_at_start(mur_view text)
{
    size_t total = 0, blank;
    while ((blank = blank_at_start((mur_view){text.ptr + total, text.len - total})))
        total += blank;
    return total;
}

mur_view mur_view_strip_end(mur_view text)
{
    size_t blank;
    while ((blank = blank_at_end(text)))
        text.len -= blank;
    return text;
}

mur_view mur_view_strip(mur_view text)
{
    size_t blank = mur_view_blank_at_start(text);
    return mur_view_strip_end((mur_view){text.ptr + blank, text.len - blank});
}

bool mur_view_next_field(mur_view *field, mur_view *rest)
{
    size_t blank = mur_view_blank_at_start(*rest);
    rest->ptr += blank;
    rest->len -= blank;
    *field = (mur_view){rest->ptr, 0};
    while (rest->len && !blank_at_start(*rest)) {
        uint32_t point;
        int length = mur_utf8_decode(&point, rest->ptr, rest->len);
        size_t step = length > 0 ? (size_t)length : 1;
        rest->ptr += step;
        rest->len -= step;
        field->len += step;
    }
    return field->len > 0;
}
