#include "csv.h"

void mur_append_csv_string(mur_buf *out, mur_view text)
{
    bool is_plain = text.len > 0;
    for (size_t i = 0; is_plain && i < text.len; i++)
        is_plain = !strchr(",\"\r\n", text.ptr[i]) || text.ptr[i] == '\0';
    if (is_plain) {
        mur_buf_append_view(out, text);
        return;
    }
    mur_buf_append_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            mur_buf_append_byte(out, '"');
        mur_buf_append_byte(out, text.ptr[i]);
    }
    mur_buf_append_byte(out, '"');
}
