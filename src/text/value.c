#include "value.h"

#include <math.h>
#include <stdlib.h>

bool mur_value_int64(int64_t *out, mur_json_kind kind, mur_view value)
{
    if (kind != MUR_JSON_NUMBER)
        return false;
    bool is_negative = value.ptr[0] == '-';
    *out = 0;
    for (size_t i = is_negative; i < value.len; i++) { /* downwards: the least int64 has no positive */
        int digit = value.ptr[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(*out, 10, out) || __builtin_sub_overflow(*out, digit, out))
            return false;
    }
    return is_negative || !__builtin_sub_overflow(0, *out, out);
}

bool mur_value_float64(double *out, mur_json_kind kind, mur_view value, mur_buf *scratch)
{
    if (kind != MUR_JSON_NUMBER)
        return false;
    mur_buf_reset(scratch);
    mur_buf_append_view(scratch, value);
    *out = strtod(mur_buf_text(scratch), NULL); /* glibc's rounds correctly, whatever the number of digits */
    return isfinite(*out);
}

bool mur_value_bool(int8_t *out, mur_json_kind kind, mur_view value)
{
    if (kind != MUR_JSON_LITERAL)
        return false;
    *out = value.ptr[0] == 't';
    return value.ptr[0] != 'n';
}
