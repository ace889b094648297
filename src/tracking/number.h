/* number.h: numbers as Python reads and writes them, in files of metrics. */
#ifndef MURMUR_NUMBER_H
#define MURMUR_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "murmur/buf.h"

/* Appends the fewest digits, of 15 at least, that read back as the same; nan, inf and -inf. */
void mur_number_append(mur_buf *out, double value);

/* The whole of `text`; false if it is no such number. */
bool mur_number_read(double *out, mur_view text);
bool mur_number_read_int64(int64_t *out, mur_view text);

#endif
