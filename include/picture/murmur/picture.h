/* picture.h: a table drawn by gnuplot (5.4, http://gnuplot.info/docs_5.4/loc1.html).
 *
 * A picture NAME is four files: the table NAME.tsv, the script NAME.gp, and what `gnuplot NAME.gp` makes of the table:
 * NAME.svg, and NAME.png with `gnuplot -e png=1 NAME.gp`. Scripts are fixed text: what users wrote stands in tables
 * alone, escaped (mur_picture_cell), and is never read as commands. All functions are Local and start no thread; a
 * process that has ranks beside it draws before MPI starts or on one rank that is alone.
 */
#ifndef MURMUR_PICTURE_H
#define MURMUR_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/error.h"
#include "murmur/view.h"

#define MUR_PICTURE_SCRIPTS 3

typedef struct mur_picture {
    const char *name;  /* of its files: a-z, 0-9, - and _ */
    const char *title; /* a line for who reads the script, ASCII; captions are the page's */
    int width, height; /* of the SVG, at which its text has 13 units; the PNG has twice as many pixels */
    /* gnuplot's commands, one text behind the other (src/LAYER/scripts, made strings by murmur_scripts of CMake). They
     * stand behind a preamble that sets terminal, output and the variables `data` (the table's name), `ink`, `faint`,
     * `accent`, `negative`, `neutral`, `positive`, `bronze`, `silver`, `gold` and `application` (colours), and behind
     * src/picture/scripts/common.gp. */
    const char *script[MUR_PICTURE_SCRIPTS];
} mur_picture;

/* A cell of a table: `text` on one line of UTF-8, as gnuplot's labels show it: backslashes doubled, quotes as \042,
 * controls and bytes that are no UTF-8 as \\xNN; cut, with an ellipsis, to `columns` columns of a terminal (emoji and
 * East Asian characters take two). 0: not cut. A text that is empty or has a space at an end stands in quotes. */
void mur_picture_cell(mur_buf *table, mur_view text, int columns);

#define MUR_PICTURE_NAME_COLUMNS 22 /* a Twitter name, which has 20 letters and a sign, is never cut */

/* Writes the table (a line of column names, then rows, columns separated by tabs) and the script into the folder, and
 * draws both pictures, files of these names replaced. Returns 1, nothing drawn and older files of the picture removed,
 * where the table has no rows. MUR_ECREATE, MUR_EIO; MUR_ENOINPUT without gnuplot; MUR_EINTERNAL with what gnuplot said
 * or when it took longer than a minute. */
int mur_picture_draw(const char *folder, const mur_picture *picture, mur_view table) MUR_MUST_USE;

/* Appends the drawn SVG as an element for an HTML page: ids begin with the picture's name, colours are CSS custom
 * properties (mur_picture_style) and `label` (UTF-8) is what a screen reader says. MUR_EDATA if the file has elements
 * that gnuplot does not draw with. */
int mur_picture_inline(mur_buf *html, const char *folder, const mur_picture *picture, mur_view label) MUR_MUST_USE;

/* Appends what `gnuplot --version` says, "gnuplot 5.4 patchlevel 4". MUR_ENOINPUT where there is none. */
int mur_picture_gnuplot(mur_buf *version) MUR_MUST_USE;

/* CSS: the custom properties of a light and a dark page. */
void mur_picture_style(mur_buf *css);

#endif
