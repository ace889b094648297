/* text_class.h: the classes of code points that byte-level BPE and WordPiece cut words by. Letters, numbers and white
 * space are those of the reference's regular expressions (Unicode 15.0); the rest is BERT's (Unicode 14.0). The tables
 * are made by scripts/make_unicode_tables.py. */
#ifndef MURMUR_TOKEN_TEXT_CLASS_H
#define MURMUR_TOKEN_TEXT_CLASS_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/utf8.h"

enum {
    MUR_TEXT_LETTER = 1,       /* \p{L} */
    MUR_TEXT_NUMBER = 2,       /* \p{N} */
    MUR_TEXT_SPACE = 4,        /* \s: Unicode's White_Space */
    MUR_TEXT_BLANK = 8,        /* what BERT makes a space: Zs, tab, newline, carriage return */
    MUR_TEXT_CONTROL = 16,     /* what BERT drops: Cc, Cf and Co but for those three, U+0000, U+FFFD */
    MUR_TEXT_PUNCTUATION = 32, /* what BERT splits off: P, and ASCII's symbols */
    MUR_TEXT_CJK = 64,         /* what BERT puts spaces around */
    MUR_TEXT_MARK = 128,       /* Mn, what is dropped with the accents */
};

/* The classes of the code points below 0x20000, for a look-up without a search; the rest is searched. */
#define MUR_TEXT_CLASSES 0x20000

/* MUR_TEXT_CLASSES bytes, for the caller to free. */
uint8_t *mur_text_classes_make(void);

/* For code points from MUR_TEXT_CLASSES up. */
uint8_t mur_text_class_beyond(uint32_t point);

static inline uint8_t mur_text_class(const uint8_t *classes, uint32_t point)
{
    return point < MUR_TEXT_CLASSES ? classes[point] : mur_text_class_beyond(point);
}

/* The class of the code point at `at` of valid UTF-8, and where the next one begins. */
static inline uint8_t mur_text_class_at(const uint8_t *classes, mur_view text, size_t at, size_t *next)
{
    unsigned char byte = (unsigned char)text.ptr[at];
    if (byte < 0x80) {
        *next = at + 1;
        return classes[byte];
    }
    uint32_t point;
    *next = at + (size_t)mur_utf8_decode(&point, text.ptr + at, text.len - at);
    return mur_text_class(classes, point);
}

#endif
