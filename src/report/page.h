/* page.h: index.html while it is written: sections in order, and pictures drawn beside it and put into it. */
#ifndef MURMUR_PAGE_H
#define MURMUR_PAGE_H

#include "html.h"
#include "murmur/picture.h"

typedef struct mur_page {
    const char *folder; /* borrowed */
    mur_buf nav, body;
    size_t n_pictures;
    bool is_in_figures, is_in_section;
} mur_page;

/* Markup of the page's head and its closing; `title` and `subtitle` are markup already. */
void mur_page_format(mur_buf *out, const mur_page *p, const char *title, mur_view subtitle);
void mur_page_clear(mur_page *p);

/* Ends the section before and begins one; `lead` is a sentence or two of markup. */
void mur_page_section(mur_page *p, const char *id, const char *title, const char *lead);
void mur_page_end(mur_page *p);

/* A picture that was drawn, with its caption (markup), beside the figures next to it; `drawn` is what mur_picture_draw
 * returned: nothing is shown after 1, and a failure is handed on. */
int mur_page_picture(mur_page *p, const mur_picture *picture, int drawn, const char *caption) MUR_MUST_USE;

/* Draws the table, which it empties, and shows it. */
int mur_page_draw(mur_page *p, const mur_picture *picture, mur_buf *table, const char *caption) MUR_MUST_USE;

/* Where other markup may be appended: below the figures, or beside them, as an element that is one of theirs. */
mur_buf *mur_page_body(mur_page *p);
mur_buf *mur_page_beside(mur_page *p);

/* A figure with its name, in a row of such: begin, tiles, end. */
void mur_page_tiles_begin(mur_page *p);
void mur_page_tile(mur_page *p, const char *name, const char *format, ...) MUR_PRINTF(3, 4);
void mur_page_tile_count(mur_page *p, const char *name, int64_t n);
void mur_page_tiles_end(mur_page *p);

#endif
