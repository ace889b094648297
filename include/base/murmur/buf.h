/* buf.h: growable bytes. A zeroed mur_buf is empty and valid; `ptr` may be NULL while `len` is 0. */
#ifndef MURMUR_BUF_H
#define MURMUR_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/error.h"
#include "murmur/view.h"

typedef struct mur_buf {
    char *ptr;
    size_t len;
    size_t cap;
} mur_buf;

/* Makes room for `more` bytes after `len` and returns where they go; `len` stays. */
char *mur_buf_reserve(mur_buf *b, size_t more);

void mur_buf_append(mur_buf *b, const void *bytes, size_t len);
void mur_buf_append_view(mur_buf *b, mur_view text);
void mur_buf_append_text(mur_buf *b, const char *text);
void mur_buf_append_byte(mur_buf *b, char byte);
void mur_buf_append_int(mur_buf *b, int64_t value); /* in decimal: a tenth of mur_buf_printf's time */
void mur_buf_printf(mur_buf *b, const char *format, ...) MUR_PRINTF(2, 3);

/* The contents as a C string: a NUL stands after them, not counted in `len`. */
const char *mur_buf_text(mur_buf *b);

mur_view mur_buf_view(const mur_buf *b);

/* Empties and keeps the memory; empties and gives it back. */
void mur_buf_reset(mur_buf *b);
void mur_buf_clear(mur_buf *b);

#endif
