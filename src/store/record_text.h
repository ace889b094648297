/* record_text.h: what writing and reading of records share. */
#ifndef MURMUR_RECORD_TEXT_H
#define MURMUR_RECORD_TEXT_H

/* Every integer up to this is a double of its own (2^53). */
#define MUR_EXACT_INT (INT64_C(1) << 53)

/* The end of a document is fixed to the byte: the checksum covers all that stands before it. */
#define MUR_CHECKSUM_BEFORE ",\"checksum\":\""
#define MUR_CHECKSUM_AFTER "\"}\n"

#endif
