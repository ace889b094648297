/* csv.h: a value of a CSV file (RFC 4180). */
#ifndef MURMUR_CSV_H
#define MURMUR_CSV_H

#include "murmur/buf.h"

/* Quoted where it must be; an empty string is quoted too, so that it differs from null, which is nothing. */
void mur_append_csv_string(mur_buf *out, mur_view text);

#endif
