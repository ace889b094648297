#include "murmur/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "murmur/mem.h"

char *mur_buf_reserve(mur_buf *b, size_t more)
{
    if (b->cap - b->len < more || !b->ptr) {
        b->cap = mur_grown(b->cap, b->len + more);
        b->ptr = mur_realloc(b->ptr, b->cap, 1);
    }
    return b->ptr + b->len;
}

void mur_buf_append(mur_buf *b, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    memcpy(mur_buf_reserve(b, len), bytes, len);
    b->len += len;
}

void mur_buf_append_view(mur_buf *b, mur_view text)
{
    mur_buf_append(b, text.ptr, text.len);
}

void mur_buf_append_text(mur_buf *b, const char *text)
{
    mur_buf_append(b, text, strlen(text));
}

void mur_buf_append_byte(mur_buf *b, char byte)
{
    *mur_buf_reserve(b, 1) = byte;
    b->len++;
}

void mur_buf_append_int(mur_buf *b, int64_t value)
{
    char digits[20], *at = digits + sizeof digits; /* -2^63 has 20 characters */
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do
        *--at = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (value < 0)
        *--at = '-';
    mur_buf_append(b, at, (size_t)(digits + sizeof digits - at));
}

void mur_buf_printf(mur_buf *b, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, arguments);
    vsnprintf(mur_buf_reserve(b, (size_t)len + 1), (size_t)len + 1, format, again);
    b->len += (size_t)len;
    va_end(again);
    va_end(arguments);
}

const char *mur_buf_text(mur_buf *b)
{
    *mur_buf_reserve(b, 1) = '\0';
    return b->ptr;
}

mur_view mur_buf_view(const mur_buf *b)
{
    return (mur_view){b->ptr, b->len};
}

void mur_buf_reset(mur_buf *b)
{
    b->len = 0;
}

void mur_buf_clear(mur_buf *b)
{
    free(b->ptr);
    *b = (mur_buf){0};
}
