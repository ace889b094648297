#include "murmur/utf8.h"

int mur_utf8_decode(uint32_t *point, const char *bytes, size_t len)
{
    const unsigned char *s = (const unsigned char *)bytes;
    unsigned char lead = s[0];
    if (lead < 0x80) {
        *point = lead;
        return 1;
    }

    int length = lead >= 0xC2 && lead <= 0xDF ? 2 : (lead & 0xF0) == 0xE0 ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
    *point = MUR_UTF8_REPLACEMENT;
    if (length == 0)
        return -1;

    /* The second byte's range depends on the first: this is what excludes overlong forms, surrogates and values above
     * U+10FFFF (Unicode 15, table 3-7). */
    unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    uint32_t value = lead & (0xFFu >> (length + 1));
    for (int i = 1; i < length; i++) {
        if ((size_t)i >= len || s[i] < low || s[i] > high)
            return -i;
        value = value << 6 | (s[i] & 0x3F);
        low = 0x80;
        high = 0xBF;
    }
    *point = value;
    return length;
}

int mur_utf8_encode(char *out, uint32_t point)
{
    if (point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        point = MUR_UTF8_REPLACEMENT;
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xC0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xE0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3F));
        out[2] = (char)(0x80 | (point & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3F));
    out[2] = (char)(0x80 | (point >> 6 & 0x3F));
    out[3] = (char)(0x80 | (point & 0x3F));
    return 4;
}

void mur_utf8_append(mur_buf *b, uint32_t point)
{
    b->len += (size_t)mur_utf8_encode(mur_buf_reserve(b, 4), point);
}

/* Four characters a byte. */
static void escape(char *out, const char *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        memcpy(out + 4 * i, (char[]){'\\', 'x', digits[byte >> 4], digits[byte & 15]}, 4);
    }
}

void mur_utf8_append_escaped(mur_buf *b, mur_view text, bool is_nul_escaped)
{
    for (size_t i = 0; i < text.len;) {
        uint32_t point;
        int len = mur_utf8_decode(&point, text.ptr + i, text.len - i);
        size_t n = (size_t)(len > 0 ? len : -len);
        if (len > 0 && !(is_nul_escaped && point == 0)) {
            mur_buf_append(b, text.ptr + i, n);
        } else {
            escape(mur_buf_reserve(b, 4 * n), text.ptr + i, n);
            b->len += 4 * n;
        }
        i += n;
    }
}

void mur_utf8_append_mended(mur_buf *b, mur_view text)
{
    while (text.len > 0) {
        size_t valid = mur_utf8_valid_prefix(text);
        mur_buf_append(b, text.ptr, valid);
        text.ptr += valid;
        text.len -= valid;
        if (text.len == 0)
            break;
        uint32_t point;
        size_t bad = (size_t)-mur_utf8_decode(&point, text.ptr, text.len);
        mur_utf8_append(b, point);
        text.ptr += bad;
        text.len -= bad;
    }
}

size_t mur_utf8_valid_prefix(mur_view text)
{
    size_t i = 0;
    while (i < text.len) {
        if ((unsigned char)text.ptr[i] < 0x80) {
            i++;
            continue;
        }
        uint32_t point;
        int length = mur_utf8_decode(&point, text.ptr + i, text.len - i);
        if (length < 0)
            return i;
        i += (size_t)length;
    }
    return text.len;
}

size_t mur_utf8_show(char *out, size_t room, mur_view text)
{
    size_t used = 0;
    for (size_t i = 0; i < text.len;) {
        uint32_t point;
        int decoded = mur_utf8_decode(&point, text.ptr + i, text.len - i);
        bool is_plain = decoded > 0 && point >= 0x20 && (point < 0x7F || point > 0x9F);
        size_t len = (size_t)(decoded < 0 ? -decoded : decoded), needed = is_plain ? len : 4 * len;
        if (room - used <= needed)
            break;
        if (is_plain)
            memcpy(out + used, text.ptr + i, len);
        else
            escape(out + used, text.ptr + i, len);
        used += needed;
        i += len;
    }
    out[used] = '\0';
    return used;
}
