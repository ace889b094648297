/* html.h: pieces of HTML. Text goes through here; markup is written as it is with mur_buf_printf. */
#ifndef MURMUR_HTML_H
#define MURMUR_HTML_H

#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/view.h"

/* Any bytes as text of an element or a quoted attribute: markup is escaped, control characters and bytes that are not
 * UTF-8 are shown as \xNN. */
void mur_html_text(mur_buf *out, mur_view text);

/* The same for what users are called: kept from turning the direction of the text around it, and cut after 60
 * characters. */
void mur_html_name(mur_buf *out, mur_view name);

/* 1,234,567 */
void mur_html_count(mur_buf *out, int64_t n);

/* A table in a box of its own, in which it scrolls where the page is narrow. `head` is "left|right|…": the columns'
 * names; those that begin with # hold numbers. A row's cells are given one by one. */
void mur_html_table_begin(mur_buf *out, const char *caption, const char *head);
void mur_html_row_begin(mur_buf *out);
void mur_html_cell(mur_buf *out, mur_view text);
void mur_html_cell_name(mur_buf *out, mur_view name);
void mur_html_cell_count(mur_buf *out, int64_t n);
void mur_html_cell_printf(mur_buf *out, const char *format, ...) MUR_PRINTF(2, 3); /* a number with its unit */
void mur_html_row_end(mur_buf *out);
void mur_html_table_end(mur_buf *out);

#endif
