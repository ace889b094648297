/* utf8.h: UTF-8 as RFC 3629 has it: no overlong form, no surrogate, nothing above U+10FFFF. */
#ifndef MURMUR_UTF8_H
#define MURMUR_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/view.h"

#define MUR_UTF8_REPLACEMENT 0xFFFDu

/* Decodes one code point of `len` > 0 bytes into `*point` and returns its length, 1 to 4. Where the bytes are not
 * valid: U+FFFD and the negated length (1 to 3) of the maximal invalid subsequence, as Python's errors="replace". */
int mur_utf8_decode(uint32_t *point, const char *bytes, size_t len);

/* Encodes into `out` (4 bytes of room) and returns the length; surrogates and what is above U+10FFFF become U+FFFD. */
int mur_utf8_encode(char *out, uint32_t point);

void mur_utf8_append(mur_buf *b, uint32_t point);

/* `text` for a message or a list of names: on one line and printable whatever it holds. Control characters and bytes
 * that are not UTF-8 stand as \xNN. Writes at most `room` - 1 bytes and a NUL, cut between two characters; returns how
 * many. Does not allocate, since the log has to speak when memory is gone. */
size_t mur_utf8_show(char *out, size_t room, mur_view text);

/* Appends `text` with the bytes that are not valid UTF-8 (`is_nul_escaped`: also NUL) as \xNN. */
void mur_utf8_append_escaped(mur_buf *b, mur_view text, bool is_nul_escaped);

/* Appends any bytes as UTF-8: each maximal invalid subsequence becomes U+FFFD. */
void mur_utf8_append_mended(mur_buf *b, mur_view text);

/* The offset of the first byte that is not valid UTF-8; `text.len` when all of it is. */
size_t mur_utf8_valid_prefix(mur_view text);

static inline bool mur_utf8_is_valid(mur_view text)
{
    return mur_utf8_valid_prefix(text) == text.len;
}

#endif
