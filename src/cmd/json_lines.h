/* json_lines.h: commands that answer each line {"text": …} of standard input with one line of their own. */
#ifndef MURMUR_JSON_LINES_H
#define MURMUR_JSON_LINES_H

#include "murmur/buf.h"
#include "murmur/tokenizer.h"

/* `answer` appends one JSON object for the text. A line that is no object with a string "text" is answered with
 * {"error": …}, and the result is then MUR_EDATA at the end. Reads to the end of standard input. */
int mur_answer_json_lines(void (*answer)(void *context, mur_view text, mur_buf *out), void *context) MUR_MUST_USE;

/* Calls `take` for each line of standard input, without its line feed; the last one may lack it. */
int mur_each_line(int (*take)(void *context, mur_view line), void *context) MUR_MUST_USE;

/* "[0,5,2]" */
void mur_append_ids(mur_buf *out, const mur_ids *ids);

/* A JSON string; bytes that are not UTF-8 become U+FFFD. */
void mur_append_json_string(mur_buf *out, mur_view text);

/* The shortest decimal that reads back as the same number. */
void mur_append_float(mur_buf *out, float value);
void mur_append_double(mur_buf *out, double value);

#endif
