/* refine.h: bronze → silver: a row per mention. Local. */
#ifndef MURMUR_REFINE_H
#define MURMUR_REFINE_H

#include "murmur/frame.h"
#include "murmur/mention.h"

/* Appends to `silver` (of its table's schema) the rows of all of `bronze`, whose schema begins with the columns of
 * bronze up to sentiment. Returns, for each row that was appended, the number of its bronze row: a fresh array, NULL
 * for none. Dates that are there and cannot be read are added to `*n_bad_dates`, each once a tweet. */
size_t *mur_refine(mur_frame *silver, const mur_frame *bronze, mur_mention_rule rule, int64_t *n_bad_dates);

#endif
