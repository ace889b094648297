#include "number.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT 64 /* longer ones are no number that anyone wrote */

void mur_number_append(mur_buf *out, double value)
{
    char text[32];
    if (isnan(value)) {
        mur_buf_append_text(out, "nan");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) { /* 17 always do for binary64 */
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    mur_buf_append_text(out, text);
}

static bool to_text(char out[MAX_TEXT], mur_view text)
{
    if (text.len == 0 || text.len >= MAX_TEXT || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return out[0] != ' ' && out[0] != '\t';
}

bool mur_number_read(double *out, mur_view text)
{
    char copy[MAX_TEXT], *end;
    if (!to_text(copy, text))
        return false;
    *out = strtod(copy, &end);
    return *end == '\0';
}

bool mur_number_read_int64(int64_t *out, mur_view text)
{
    char copy[MAX_TEXT], *end;
    if (!to_text(copy, text))
        return false;
    errno = 0;
    *out = strtoll(copy, &end, 10);
    return *end == '\0' && errno == 0;
}
