/* points.h: text as code points, one element each: what the tokenizers' rules are written in. A zeroed mur_points is
 * empty and valid. Elements may be surrogates: numeric entities can spell them, and Python's strings hold them. */
#ifndef MURMUR_TOKEN_POINTS_H
#define MURMUR_TOKEN_POINTS_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/view.h"

typedef struct mur_points {
    uint32_t *ptr;
    size_t len;
    size_t cap;
} mur_points;

/* Makes room for `more` elements after `len` and returns where they go; `len` stays. */
uint32_t *mur_points_reserve(mur_points *p, size_t more);

void mur_points_append(mur_points *p, uint32_t point);
void mur_points_append_ascii(mur_points *p, const char *text);
void mur_points_append_run(mur_points *p, const uint32_t *run, size_t len);

/* Any bytes: invalid UTF-8 reads as U+FFFD, one for each maximal invalid subsequence. */
void mur_points_append_utf8(mur_points *p, mur_view text);

void mur_points_clear(mur_points *p);

/* UTF-8 for a lookup among strings that are known to be valid. A surrogate gets the three bytes that UTF-8 forbids, so
 * that it equals nothing there; mur_utf8_append would make it U+FFFD, which has an id of its own. */
void mur_points_to_key(mur_buf *key, const uint32_t *run, size_t len);

#endif
