/* frame.h: the special tokens around the ids of a text, "<s> … </s>", and the longest that both may be together. */
#ifndef MURMUR_TOKEN_FRAME_H
#define MURMUR_TOKEN_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/tokenizer.h"

#define MUR_FRAME_MOST 8 /* tokens on a side; one is usual */

typedef struct mur_frame {
    int32_t before[MUR_FRAME_MOST], after[MUR_FRAME_MOST];
    size_t n_before, n_after;
    size_t max_length; /* of all ids; room for the frame at least */
} mur_frame;

/* MUR_EDATA when there are too many. */
int mur_frame_add_before(mur_frame *f, int32_t id) MUR_MUST_USE;
int mur_frame_add_after(mur_frame *f, int32_t id) MUR_MUST_USE;

/* Begins a text's ids behind what `ids` holds, and returns the length of `ids` from which on more would be cut off:
 * they need not be known, unless their number is asked for. */
size_t mur_frame_begin(const mur_frame *f, mur_ids *ids, const size_t *n_full);

/* Ends them: `first` is where they began. `*n_full`, where not NULL, is their number before they are cut. */
void mur_frame_end(const mur_frame *f, mur_ids *ids, size_t first, size_t *n_full);

#endif
