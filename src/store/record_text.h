/* record_text.h: what writing and reading of records share, and the reading of their two long lists. */
#ifndef MURMUR_RECORD_TEXT_H
#define MURMUR_RECORD_TEXT_H

#include "murmur/record.h"

/* Every integer up to this is a double of its own (2^53). */
#define MUR_EXACT_INT (INT64_C(1) << 53)

/* The end of a document is fixed to the byte: the checksum covers all that stands before it. */
#define MUR_CHECKSUM_BEFORE ",\"checksum\":\""
#define MUR_CHECKSUM_AFTER "\"}\n"

/* The texts of `sources` and `units`; empty where the document has no such member. */
typedef struct mur_record_lists {
    mur_view sources, units;
} mur_record_lists;

/* A document without its two lists, for cJSON, appended to `rest`; and the lists, borrowed from `text`. A batch of many
 * small files makes them nearly all of a record, and as a tree they would take thirty times their size. MUR_EDATA if
 * `text` is not a JSON object. */
int mur_record_split(mur_record_lists *lists, mur_buf *rest, mur_view text, const char *what) MUR_MUST_USE;

/* Fill the record's arrays from texts that passed mur_record_split. MUR_EDATA; what was taken so far is the record's.
 */
int mur_record_take_sources(mur_record *r, mur_view list, const char *what) MUR_MUST_USE;
int mur_record_take_units(mur_record *r, mur_view list, const char *what) MUR_MUST_USE;

/* Digits with an optional sign, nothing else, within int64. */
bool mur_record_digits(mur_view text, int64_t *value);

#endif
