/* json.h: strict JSON (RFC 8259) over cJSON, which alone accepts wrong texts and cuts strings at U+0000.
 *
 * Nothing is given to cJSON that mur_json_check has not passed. All offsets are bytes from the start of the text.
 * Records of source files never become trees: they are scanned, then walked, so that values are kept as written.
 */
#ifndef MURMUR_JSON_H
#define MURMUR_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "murmur/buf.h"
#include "murmur/error.h"
#include "murmur/view.h"

/* What is wrong with a text. The last two are limits: texts that RFC 8259 allows and murmur does not take. */
typedef enum {
    MUR_JSON_OK,
    MUR_JSON_SYNTAX,   /* not the grammar: `detail` says what was expected */
    MUR_JSON_ENCODING, /* not UTF-8 */
    MUR_JSON_NUL,      /* U+0000, escaped (raw it is a syntax error) */
    MUR_JSON_DEPTH,    /* nested deeper than max_depth */
} mur_json_verdict;

typedef enum { MUR_JSON_OBJECT, MUR_JSON_ARRAY, MUR_JSON_STRING, MUR_JSON_NUMBER, MUR_JSON_LITERAL } mur_json_kind;

typedef struct mur_json_scan {
    mur_json_verdict verdict; /* SYNTAX and ENCODING end the scan; of the limits the first broken one is kept */
    mur_json_kind kind;       /* of the value, valid when the scan got past its first byte */
    size_t begin, end;        /* the value, without the white space around it; end is valid unless SYNTAX/ENCODING */
    size_t where;             /* the offset that `verdict` and `detail` speak of */
    const char *detail;       /* static text, for messages */
} mur_json_scan;

/* Scans the one value that starts at or after `from` (white space skipped) and stops behind it. `max_depth` 0 is no
 * limit; an object of scalars has depth 1. A broken limit is reported but the scan goes on to the value's end, so that
 * the caller knows its extent. Not recursive: any depth. */
void mur_json_scan_value(mur_json_scan *out, mur_view text, size_t from, size_t max_depth);

/* The same, and nothing but white space may follow the value. */
void mur_json_check(mur_json_scan *out, mur_view text, size_t max_depth);

/* A text that passed mur_json_check, parsed; NULL with MUR_EDATA otherwise, the message naming `what`, line and column.
 * For murmur's own documents and model files: numbers are doubles; U+0000, a \u surrogate without its pair and more
 * than 1000 levels are refused. Free with cJSON_Delete. mur_json_parse_file's NULL may also be mur_file_read's failure;
 * the code is in mur_error_last. */
cJSON *mur_json_parse(mur_view text, const char *what) MUR_MUST_USE;
cJSON *mur_json_parse_file(const char *path) MUR_MUST_USE;

/* Sets the message "WHAT: line L, column C: …" for the byte at `where` of `text`, lines and columns counted from 1,
 * columns in bytes. MUR_EDATA. */
int mur_json_fail_at(mur_view text, size_t where, const char *what, const char *format, ...) MUR_PRINTF(4, 5);

/* Members of an object by exact name; the last of duplicates. Missing or of another type: the given default. */
const cJSON *mur_json_member(const cJSON *object, const char *name);
const char *mur_json_string(const cJSON *object, const char *name, const char *otherwise);
double mur_json_number(const cJSON *object, const char *name, double otherwise);
bool mur_json_bool(const cJSON *object, const char *name, bool otherwise);

/* Decodes a string's text, quotes included, that the scan passed: escapes resolved, a lone surrogate becomes U+FFFD. */
void mur_json_unquote(mur_buf *out, mur_view quoted);

/* The same for names that are to be compared: lone surrogates stay three bytes each, as CESU-8 would have them, so that
 * different names never become one. Not UTF-8 then. */
void mur_json_unquote_name(mur_buf *out, mur_view quoted);

/* Appends `text` (valid UTF-8) as a JSON string with its quotes: ", \ and controls escaped, all else as it is. */
void mur_json_append_string(mur_buf *out, mur_view text);

/* Walks the members of an object, or the elements of an array (`name` stays empty), that passed the scan: the texts
 * of name and value as written.
 *     mur_json_walk w; mur_json_walk_begin(&w, text_of_object); while (mur_json_walk_next(&w)) … w.name … w.value …
 */
typedef struct mur_json_walk {
    mur_view text;
    size_t at;
    mur_view name;      /* with its quotes */
    mur_view value;     /* as written */
    mur_json_kind kind; /* of the value */
} mur_json_walk;
void mur_json_walk_begin(mur_json_walk *w, mur_view object);
bool mur_json_walk_next(mur_json_walk *w);

#endif
