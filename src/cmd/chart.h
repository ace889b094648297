/* chart.h: tables and bars for a terminal. Names of users are anybody's text: what is shown of one is on one line, has
 * the width that it is given, and moves nothing that stands beside it. */
#ifndef MURMUR_CHART_H
#define MURMUR_CHART_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/buf.h"

/* Appends `text` in exactly `width` columns, cut with … or filled with spaces. Control characters, invisible ones that
 * change the direction or the line, and bytes that are not UTF-8 stand as \xNN; wide characters take two columns;
 * text from right to left is isolated (U+2068, U+2069), so that it leaves the numbers behind it where they are. */
void mur_append_cell(mur_buf *out, mur_view text, size_t width);

/* Appends a bar of up to `width` columns, in eighths of one: all of them for `most`. What is more than nothing shows.
 */
void mur_append_bar(mur_buf *out, int64_t value, int64_t most, size_t width);

/* 100 * part / whole; 0 of nothing. */
double mur_percent(int64_t part, int64_t whole);

#endif
