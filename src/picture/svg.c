/* svg.c: gnuplot's SVG as an element of a page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "murmur/file.h"
#include "murmur/mem.h"
#include "murmur/picture.h"
#include "palette.h"

static const struct {
    const char *name;
    unsigned value, light, dark;
} palette[] = {
#define X(colour, in_picture, on_light, on_dark) {#colour, in_picture, on_light, on_dark},
    MUR_PALETTE(X)
#undef X
};
#define N_COLOURS (sizeof palette / sizeof *palette)

static void append_properties(mur_buf *css, bool is_dark)
{
    mur_buf_append_text(css, ":root{");
    for (size_t i = 0; i < N_COLOURS; i++)
        mur_buf_printf(css, "--%s:#%06x;", palette[i].name, is_dark ? palette[i].dark : palette[i].light);
    mur_buf_append_text(css, "}");
}

void mur_picture_style(mur_buf *css)
{
    append_properties(css, false);
    mur_buf_append_text(css, "\n@media screen and (prefers-color-scheme:dark){");
    append_properties(css, true);
    mur_buf_append_text(css, "}\n");
}

/* "rgb(111,121,133)", with or without spaces, of the palette → the property; 0 bytes taken if it is no such thing. */
static size_t take_colour(mur_buf *out, mur_view text)
{
    unsigned red, green, blue;
    int len = 0;
    char head[32];
    snprintf(head, sizeof head, "%.*s", (int)(text.len < 24 ? text.len : 24), text.ptr);
    if (sscanf(head, "rgb( %u , %u , %u )%n", &red, &green, &blue, &len) < 3 || len == 0)
        return 0;
    for (size_t i = 0; i < N_COLOURS; i++)
        if (palette[i].value == (red << 16 | green << 8 | blue)) {
            mur_buf_printf(out, "var(--%s)", palette[i].name);
            return (size_t)len;
        }
    return 0;
}

static bool begins(mur_view text, const char *with)
{
    return text.len >= strlen(with) && memcmp(text.ptr, with, strlen(with)) == 0;
}

/* The tag at the begin of `text`: ids and references to them with the picture's name in front, since a page has several
 * pictures; colours by property. */
static void append_tag(mur_buf *out, mur_view tag, const char *name)
{
    static const char *const ids[] = {" id='", " id=\"", "href='#", "href=\"#", "url(#"};
    for (size_t at = 0; at < tag.len;) {
        mur_view rest = {tag.ptr + at, tag.len - at};
        size_t taken = take_colour(out, rest);
        for (size_t i = 0; taken == 0 && i < sizeof ids / sizeof *ids; i++)
            if (begins(rest, ids[i])) {
                taken = strlen(ids[i]);
                mur_buf_printf(out, "%s%s-", ids[i], name);
            }
        if (taken == 0)
            mur_buf_append_byte(out, rest.ptr[taken++]);
        at += taken;
    }
}

/* The elements that gnuplot draws with. Names of users stand between them, with < and & escaped; should that ever fail,
 * nothing of theirs comes into a page. */
static bool is_drawing(mur_view tag)
{
    static const char *const elements[] = {"g",    "path", "text", "tspan",   "rect",   "circle",  "ellipse",
                                           "line", "use",  "defs", "polygon", "filter", "feFlood", "feComposite"};
    size_t begin = tag.len > 1 && tag.ptr[1] == '/' ? 2 : 1;
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        size_t len = strlen(elements[i]);
        if (begin + len < tag.len && memcmp(tag.ptr + begin, elements[i], len) == 0 &&
            strchr(" \t\n/>", tag.ptr[begin + len]))
            return true;
    }
    return false;
}

static int append_body(mur_buf *html, mur_view body, const char *name)
{
    for (size_t at = 0; at < body.len;) {
        const char *begin = body.ptr + at;
        const char *title_end = begins((mur_view){begin, body.len - at}, "<title>") ? strstr(begin, "</title>") : NULL;
        if (title_end) { /* a browser would show "gnuplot_plot_1" to who points at it */
            at = (size_t)(title_end - body.ptr) + strlen("</title>");
            continue;
        }
        const char *bound = memchr(begin, *begin == '<' ? '>' : '<', body.len - at);
        mur_view piece = {begin, bound ? (size_t)(bound - begin) + (*begin == '<') : body.len - at};
        if (*begin != '<')
            mur_buf_append_view(html, piece);
        else if (bound && is_drawing(piece))
            append_tag(html, piece, name);
        else
            return mur_fail(MUR_EDATA, "an element that gnuplot does not draw with: %.*s",
                            (int)(piece.len < 80 ? piece.len : 80), piece.ptr);
        at += piece.len;
    }
    return 0;
}

static void append_attribute(mur_buf *html, mur_view text)
{
    for (size_t i = 0; i < text.len; i++)
        switch (text.ptr[i]) {
        case '<': mur_buf_append_text(html, "&lt;"); break;
        case '&': mur_buf_append_text(html, "&amp;"); break;
        case '"': mur_buf_append_text(html, "&quot;"); break;
        default: mur_buf_append_byte(html, text.ptr[i]);
        }
}

int mur_picture_inline(mur_buf *html, const char *folder, const mur_picture *picture, mur_view label)
{
    char *path = mur_format("%s/%s.svg", folder, picture->name);
    mur_buf file = {0};
    int rc = mur_file_read(&file, path);
    if (rc < 0)
        goto done;
    /* The drawing is one group; in front of it are the prologue, a title "Gnuplot" and a description. */
    const char *text = mur_buf_text(&file), *begin = strstr(text, "<g id=\"gnuplot_canvas\">");
    const char *end = begin ? strstr(begin, "</svg>") : NULL;
    if (!end) {
        rc = mur_fail(MUR_EDATA, "%s is no picture of gnuplot's", path);
        goto done;
    }
    mur_buf_printf(html, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", picture->width, picture->height);
    append_attribute(html, label);
    mur_buf_append_text(html, "\">");
    rc = append_body(html, (mur_view){begin, (size_t)(end - begin)}, picture->name);
    if (rc < 0)
        mur_error_add("%s", path);
    mur_buf_append_text(html, "</svg>\n");
done:
    mur_buf_clear(&file);
    free(path);
    return rc;
}
