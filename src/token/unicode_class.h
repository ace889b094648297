/* unicode_class.h: the character classes of the reference tokenizer, Unicode 15.0, as its regular expressions see them.
 *
 * They are wider than the general categories: \w of the reference's regex module holds combining marks, joiners and
 * circled letters; [a-z] without case holds U+0130, U+017F and U+212A. The tables are made by
 * scripts/make_unicode_tables.py.
 */
#ifndef MURMUR_TOKEN_UNICODE_CLASS_H
#define MURMUR_TOKEN_UNICODE_CLASS_H

#include <stdint.h>

enum {
    MUR_WORD = 1,      /* \w */
    MUR_DIGIT = 2,     /* \d */
    MUR_LETTER = 4,    /* \w, but neither \d nor _ */
    MUR_SPACE = 8,     /* \s of the regex module, which the token scan uses */
    MUR_BLANK = 16,    /* str.isspace and \s of the re module: MUR_SPACE and U+001C to U+001F */
    MUR_AZ = 32,       /* [a-z], ignoring case */
    MUR_AZ09 = 64,     /* [a-z0-9], ignoring case */
    MUR_DECIMAL = 128, /* a digit for int(): Unicode 14.0 */
};

extern const uint8_t mur_ascii_class[0x80];

/* For code points from U+0080 up; surrogates and anything above U+10FFFF are in no class. */
uint8_t mur_unicode_class_beyond_ascii(uint32_t point);

static inline uint8_t mur_unicode_class(uint32_t point)
{
    return point < 0x80 ? mur_ascii_class[point] : mur_unicode_class_beyond_ascii(point);
}

/* 0 to 9 for a MUR_DECIMAL code point, -1 for any other. */
int mur_unicode_decimal(uint32_t point);

#endif
