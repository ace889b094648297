#include "page.h"

#include <stdarg.h>
#include <stdio.h>

#include "style.h"

/* The policy forbids what the page does not do anyway: whatever a name held, nothing is run, fetched or sent. */
static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:\">\n"
    "<meta name=\"generator\" content=\"murmur " MURMUR_VERSION "\">\n<link rel=\"icon\" href=\"data:,\">\n";

void mur_page_format(mur_buf *out, const mur_page *p, const char *title, mur_view subtitle)
{
    mur_buf_append_text(out, head);
    mur_buf_printf(out, "<title>%s</title>\n<style>\n", title);
    mur_picture_style(out);
    mur_style(out);
    mur_buf_printf(out, "</style>\n</head>\n<body>\n<header>\n<h1>%s</h1>\n", title);
    mur_buf_append_view(out, subtitle);
    mur_buf_append_text(out, "</header>\n<nav aria-label=\"Sections\"><ul>\n");
    mur_buf_append_view(out, mur_buf_view(&p->nav));
    mur_buf_append_text(out, "</ul></nav>\n<main>\n");
    mur_buf_append_view(out, mur_buf_view(&p->body));
    mur_buf_append_text(out, "</main>\n<footer><p>Made by murmur " MURMUR_VERSION
                             ". Each picture has a table (.tsv) and a script (.gp) of its name beside this page: "
                             "<code>gnuplot NAME.gp</code> draws the SVG again, <code>gnuplot -e png=1 NAME.gp</code> "
                             "the PNG.</p></footer>\n</body>\n</html>\n");
}

void mur_page_clear(mur_page *p)
{
    mur_buf_clear(&p->nav);
    mur_buf_clear(&p->body);
}

mur_buf *mur_page_body(mur_page *p)
{
    if (p->is_in_figures)
        mur_buf_append_text(&p->body, "</div>\n");
    p->is_in_figures = false;
    return &p->body;
}

mur_buf *mur_page_beside(mur_page *p)
{
    if (!p->is_in_figures)
        mur_buf_append_text(&p->body, "<div class=\"figures\">\n");
    p->is_in_figures = true;
    return &p->body;
}

void mur_page_end(mur_page *p)
{
    if (p->is_in_section)
        mur_buf_append_text(mur_page_body(p), "</section>\n");
    p->is_in_section = false;
}

void mur_page_section(mur_page *p, const char *id, const char *title, const char *lead)
{
    mur_page_end(p);
    p->is_in_section = true;
    mur_buf_printf(&p->nav, "<li><a href=\"#%s\">%s</a></li>\n", id, title);
    mur_buf_printf(&p->body, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n<p class=\"lead\">%s</p>\n", id,
                   id, title, lead);
}

int mur_page_picture(mur_page *p, const mur_picture *picture, int drawn, const char *caption)
{
    if (drawn != 0)
        return drawn < 0 ? drawn : 0;
    mur_buf_printf(mur_page_beside(p), "<figure id=\"figure-%s\">\n", picture->name);
    int rc = mur_picture_inline(&p->body, p->folder, picture, mur_view_of(picture->title));
    if (rc < 0)
        return rc;
    mur_buf_printf(&p->body,
                   "<figcaption><p><b>%s.</b> %s</p><p class=\"how\"><code>gnuplot %s.gp</code></p>"
                   "</figcaption>\n</figure>\n",
                   picture->title, caption, picture->name);
    p->n_pictures++;
    return 0;
}

int mur_page_draw(mur_page *p, const mur_picture *picture, mur_buf *table, const char *caption)
{
    int drawn = mur_picture_draw(p->folder, picture, mur_buf_view(table));
    mur_buf_reset(table);
    return mur_page_picture(p, picture, drawn, caption);
}

void mur_page_tiles_begin(mur_page *p)
{
    mur_buf_append_text(mur_page_body(p), "<dl class=\"tiles\">\n");
}

void mur_page_tile(mur_page *p, const char *name, const char *format, ...)
{
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    mur_buf_printf(&p->body, "<div><dt>%s</dt><dd>", name);
    mur_html_text(&p->body, mur_view_of(text));
    mur_buf_append_text(&p->body, "</dd></div>\n");
}

void mur_page_tile_count(mur_page *p, const char *name, int64_t n)
{
    mur_buf_printf(&p->body, "<div><dt>%s</dt><dd>", name);
    mur_html_count(&p->body, n);
    mur_buf_append_text(&p->body, "</dd></div>\n");
}

void mur_page_tiles_end(mur_page *p)
{
    mur_buf_append_text(&p->body, "</dl>\n");
}
