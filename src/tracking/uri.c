#include "uri.h"

#include <string.h>

#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

static void append(mur_buf *out, mur_view text, const char *plain)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c && strchr(plain, c))
            mur_buf_append_byte(out, c);
        else
            mur_buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

void mur_uri_append_path(mur_buf *out, mur_view path)
{
    append(out, path, UNRESERVED "/");
}

void mur_uri_append_word(mur_buf *out, mur_view word)
{
    append(out, word, UNRESERVED);
}
