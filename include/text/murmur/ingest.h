/* ingest.h: bytes of a source file to bronze rows and rejects.
 *
 *     inflate where the bytes are gzip → probe the document's kind → ingest it whole, or piece by piece at line ends.
 *
 * A file that parses whole as one object or one array (grammar and UTF-8; murmur's own limits do not count) is that;
 * any other is JSON Lines. Lines end at byte 0x0A alone; a line of white space is nothing; any other is one row or one
 * reject, whose range is the line without its line feed. The range of a rejected object or array element is exactly its
 * text. Offsets in rejects are those of the document, decompressed; a byte order mark at its start is skipped and
 * counts. Rows and rejects are in order of offset.
 *
 * A record is an object of depth at most MUR_MAX_DEPTH (itself 1), without U+0000, no value of a member over max_value.
 * Members named as bronze's columns (the four, and those a wider schema has behind rescued_data) are its fields: names
 * compared after escapes are decoded, the last of duplicates wins; null is null. A string column takes a string
 * decoded, anything else as its text as written; int64 an integer without fraction or exponent, float64 any number that
 * is finite in it, bool true and false, timestamp a string that mur_date_parse reads. A value that is not of its
 * column's type leaves the column null. Such members and all undeclared ones make up rescued_data, {name:value,…} as
 * written; of duplicates the last stands in the first one's place.
 */
#ifndef MURMUR_INGEST_H
#define MURMUR_INGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/error.h"
#include "murmur/frame.h"

#define MUR_RAW_LIMIT 4096       /* bytes of a reject that are kept */
#define MUR_MAX_DEPTH 64         /* of a record */
#define MUR_MAX_VALUE (64 << 10) /* default of --max-value */

typedef enum { MUR_DOCUMENT_LINES, MUR_DOCUMENT_OBJECT, MUR_DOCUMENT_ARRAY } mur_document_kind;

bool mur_is_gzip(mur_view bytes);

/* Appends the decompressed bytes of all members; zeros behind a member are padding. Where the stream is cut short,
 * damaged or followed by garbage: what could be read, and `*damage` says what is wrong (static text); else it is NULL.
 * Decompressed bytes over `limit` are an error (MUR_EDATA; the message does not know the file), so that a bomb does not
 * take the job down. */
int mur_inflate(mur_buf *out, mur_view bytes, size_t limit, const char **damage) MUR_MUST_USE;

/* The kind of a whole, undamaged document. Reads no further than its first value, which for JSON Lines is a line. */
mur_document_kind mur_document_probe(mur_view text);

typedef struct mur_ingest {
    mur_frame *bronze;       /* rows are appended: MUR_BRONZE_* */
    mur_frame *rejects;      /* MUR_REJECTS_* */
    mur_view source_file;    /* absolute path */
    int64_t processing_time; /* milliseconds */
    size_t max_value; /* bytes: a string as decoded, any other value as written; over it the record is rejected */
    bool is_strict;   /* a reject is an error */
} mur_ingest;

/* Ingests `text`, which begins at `offset` of its document: a whole document of `kind`, or for JSON Lines a piece that
 * begins at a line's start and ends at a line's end or the file's. `damage`, where not NULL, tells that the document
 * breaks off at the end of `text`: it is JSON Lines then, whatever `kind` says, and the bytes behind the last line feed
 * are one reject for that reason (even if there are none, and even if they look whole). MUR_EDATA only when strict, at
 * the first reject; the message names file, offset and reason. */
int mur_ingest_text(mur_ingest *in, mur_view text, int64_t offset, mur_document_kind kind,
                    const char *damage) MUR_MUST_USE;

#endif
