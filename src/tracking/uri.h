/* uri.h: text in URIs. */
#ifndef MURMUR_URI_H
#define MURMUR_URI_H

#include "murmur/buf.h"

/* Appends text with all that RFC 3986 does not call unreserved as %XX; the '/' of a path is kept, that of one word is
 * not. */
void mur_uri_append_path(mur_buf *out, mur_view path);
void mur_uri_append_word(mur_buf *out, mur_view word);

#endif
