/* value.h: a JSON value, as written, as columns of other types than string take it. False where it does not fit: then
 * the field is rescued as it is. Nothing is guessed: a number in quotes is a string. */
#ifndef MURMUR_TEXT_VALUE_H
#define MURMUR_TEXT_VALUE_H

#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/json.h"

/* An integer without fraction and exponent, within int64. */
bool mur_value_int64(int64_t *out, mur_json_kind kind, mur_view value);

/* Any number, rounded to the nearest double; not one that is beyond the largest. `scratch` is overwritten. */
bool mur_value_float64(double *out, mur_json_kind kind, mur_view value, mur_buf *scratch);

/* true and false. */
bool mur_value_bool(int8_t *out, mur_json_kind kind, mur_view value);

#endif
