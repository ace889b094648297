#include "html.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "murmur/utf8.h"

#define NAME_CHARACTERS 60

/* Returns how many bytes of the text were taken: one character, or the bytes that are none. */
static size_t append_character(mur_buf *out, mur_view text)
{
    uint32_t point;
    int len = mur_utf8_decode(&point, text.ptr, text.len);
    if (len < 0) {
        for (int i = 0; i < -len; i++)
            mur_buf_printf(out, "\\x%02x", (unsigned char)text.ptr[i]);
        return (size_t)-len;
    }
    if (point < 0x20 || (point >= 0x7F && point < 0xA0))
        mur_buf_printf(out, "\\x%02x", (unsigned)point);
    else if (point == '<')
        mur_buf_append_text(out, "&lt;");
    else if (point == '>')
        mur_buf_append_text(out, "&gt;");
    else if (point == '&')
        mur_buf_append_text(out, "&amp;");
    else if (point == '"')
        mur_buf_append_text(out, "&quot;");
    else
        mur_buf_append(out, text.ptr, (size_t)len);
    return (size_t)len;
}

void mur_html_text(mur_buf *out, mur_view text)
{
    for (size_t at = 0; at < text.len;)
        at += append_character(out, (mur_view){text.ptr + at, text.len - at});
}

void mur_html_name(mur_buf *out, mur_view name)
{
    mur_buf_append_text(out, "<bdi>");
    size_t at = 0;
    for (int n = 0; at < name.len && n < NAME_CHARACTERS; n++)
        at += append_character(out, (mur_view){name.ptr + at, name.len - at});
    mur_buf_append_text(out, at < name.len ? "…</bdi>" : "</bdi>");
}

void mur_html_count(mur_buf *out, int64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRId64, n);
    for (int i = 0; i < len; i++) {
        if (i > 0 && digits[i - 1] != '-' && (len - i) % 3 == 0)
            mur_buf_append_byte(out, ',');
        mur_buf_append_byte(out, digits[i]);
    }
}

void mur_html_table_begin(mur_buf *out, const char *caption, const char *head)
{
    /* It can be scrolled with the keyboard, too. */
    mur_buf_printf(out,
                   "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\"><table>\n<caption>%s"
                   "</caption>\n<thead><tr>",
                   caption, caption);
    while (*head) {
        size_t len = strcspn(head, "|");
        bool is_number = *head == '#';
        mur_buf_printf(out, "<th scope=\"col\"%s>%.*s</th>", is_number ? " class=\"n\"" : "", (int)len - is_number,
                       head + is_number);
        head += len + (head[len] == '|');
    }
    mur_buf_append_text(out, "</tr></thead>\n<tbody>\n");
}

void mur_html_row_begin(mur_buf *out)
{
    mur_buf_append_text(out, "<tr>");
}

void mur_html_cell(mur_buf *out, mur_view text)
{
    mur_buf_append_text(out, "<td>");
    mur_html_text(out, text);
    mur_buf_append_text(out, "</td>");
}

void mur_html_cell_name(mur_buf *out, mur_view name)
{
    mur_buf_append_text(out, "<td>");
    mur_html_name(out, name);
    mur_buf_append_text(out, "</td>");
}

void mur_html_cell_count(mur_buf *out, int64_t n)
{
    mur_buf_append_text(out, "<td class=\"n\">");
    mur_html_count(out, n);
    mur_buf_append_text(out, "</td>");
}

void mur_html_cell_printf(mur_buf *out, const char *format, ...)
{
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    mur_buf_append_text(out, "<td class=\"n\">");
    mur_html_text(out, mur_view_of(text));
    mur_buf_append_text(out, "</td>");
}

void mur_html_row_end(mur_buf *out)
{
    mur_buf_append_text(out, "</tr>\n");
}

void mur_html_table_end(mur_buf *out)
{
    mur_buf_append_text(out, "</tbody></table></div>\n");
}
