/* lines.h: text files of tokenizers as Python's text mode reads them: strict UTF-8, and "\n", "\r\n" and "\r" all end a
 * line, but no other character that Unicode calls a line break. */
#ifndef MURMUR_TOKEN_LINES_H
#define MURMUR_TOKEN_LINES_H

#include <stdbool.h>

#include "murmur/buf.h"
#include "murmur/error.h"
#include "murmur/view.h"

typedef struct mur_lines {
    mur_view text;
    size_t next;   /* where the next line begins */
    size_t number; /* of `line`, from 1 */
    mur_view line; /* without its end */
    bool is_ended; /* false for a last line that nothing ends */
} mur_lines;

/* Appends the whole file, which must be UTF-8: MUR_EDATA with the line where it is not. */
int mur_text_file_read(mur_buf *out, const char *path) MUR_MUST_USE;

mur_lines mur_lines_of(mur_view text);
bool mur_lines_next(mur_lines *l);

/* Without the white space (Python's) at both ends, or at the end. */
mur_view mur_view_strip(mur_view text);
mur_view mur_view_strip_end(mur_view text);

/* The length of the white space that the text begins with. */
size_t mur_view_blank_at_start(mur_view text);

/* The next run of non-space, cut off the front of `*rest`; false when there is none. */
bool mur_view_next_field(mur_view *field, mur_view *rest);

#endif
