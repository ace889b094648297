/* lexical.h: what the scanner and the walk share. Nothing here reads behind the text's end. */
#ifndef MURMUR_JSON_LEXICAL_H
#define MURMUR_JSON_LEXICAL_H

#include "murmur/json.h"

/* RFC 8259 section 2: white space is these four and no others (no form feed, no U+00A0, no byte order mark). */
static inline bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline size_t skip_space(mur_view text, size_t at)
{
    while (at < text.len && is_space(text.ptr[at]))
        at++;
    return at;
}

static inline mur_json_kind kind_of(char first_byte)
{
    switch (first_byte) {
    case '{': return MUR_JSON_OBJECT;
    case '[': return MUR_JSON_ARRAY;
    case '"': return MUR_JSON_STRING;
    case 't':
    case 'f':
    case 'n': return MUR_JSON_LITERAL;
    default: return MUR_JSON_NUMBER;
    }
}

#endif
