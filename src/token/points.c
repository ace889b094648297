#include "points.h"

#include <stdlib.h>

#include "murmur/mem.h"
#include "murmur/utf8.h"

uint32_t *mur_points_reserve(mur_points *p, size_t more)
{
    if (p->cap - p->len < more || !p->ptr) {
        p->cap = mur_grown(p->cap, p->len + more);
        p->ptr = mur_realloc(p->ptr, p->cap, sizeof *p->ptr);
    }
    return p->ptr + p->len;
}

void mur_points_append(mur_points *p, uint32_t point)
{
    *mur_points_reserve(p, 1) = point;
    p->len++;
}

void mur_points_append_ascii(mur_points *p, const char *text)
{
    for (; *text; text++)
        mur_points_append(p, (unsigned char)*text);
}

void mur_points_append_run(mur_points *p, const uint32_t *run, size_t len)
{
    if (len == 0)
        return;
    memcpy(mur_points_reserve(p, len), run, len * sizeof *run);
    p->len += len;
}

void mur_points_append_utf8(mur_points *p, mur_view text)
{
    /* A code point takes a byte at least. */
    uint32_t *to = mur_points_reserve(p, text.len);
    size_t at = 0;
    while (at < text.len) {
        unsigned char byte = (unsigned char)text.ptr[at];
        if (byte < 0x80) {
            *to++ = byte;
            at++;
        } else {
            int length = mur_utf8_decode(to++, text.ptr + at, text.len - at);
            at += (size_t)abs(length);
        }
    }
    p->len = (size_t)(to - p->ptr);
}

void mur_points_clear(mur_points *p)
{
    free(p->ptr);
    *p = (mur_points){0};
}

void mur_points_to_key(mur_buf *key, const uint32_t *run, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (run[i] < 0x80) {
            mur_buf_append_byte(key, (char)run[i]);
        } else if (run[i] >= 0xD800 && run[i] <= 0xDFFF) {
            mur_buf_append_byte(key, (char)0xED);
            mur_buf_append_byte(key, (char)(0x80 | (run[i] >> 6 & 0x3F)));
            mur_buf_append_byte(key, (char)(0x80 | (run[i] & 0x3F)));
        } else {
            mur_utf8_append(key, run[i]);
        }
    }
}
