#include "murmur/picture.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gnuplot.h"
#include "murmur/file.h"
#include "murmur/mem.h"
#include "murmur/utf8.h"
#include "palette.h"
#include "picture_scripts.h"

#define LIMIT_SECONDS 60.0 /* a picture takes 0.1 s */

/* East Asian and emoji blocks: an estimate that only decides where a label is cut. */
static int columns_of(uint32_t point)
{
    return (point >= 0x1100 && point <= 0x115F) || (point >= 0x2E80 && point <= 0xA4CF) ||
                   (point >= 0xAC00 && point <= 0xD7A3) || (point >= 0xF900 && point <= 0xFAFF) ||
                   (point >= 0xFE30 && point <= 0xFE6F) || (point >= 0xFF00 && point <= 0xFF60) ||
                   (point >= 0xFFE0 && point <= 0xFFE6) || (point >= 0x1F300 && point <= 0x1FAFF) || point >= 0x20000
               ? 2
               : 1;
}

/* One character, or `-len` bytes that are none, as a label of gnuplot's shows it, which takes \ for the begin of an
 * escape and " for that of a quoted field, also where fields are separated by tabs. Returns the columns it takes. */
static int append_character(mur_buf *out, uint32_t point, const char *bytes, int len)
{
    if (len < 0) {
        for (int i = 0; i < -len; i++)
            mur_buf_printf(out, "\\\\x%02x", (unsigned char)bytes[i]);
        return -len * 4;
    }
    if (point < 0x20 || (point >= 0x7F && point < 0xA0)) {
        mur_buf_printf(out, "\\\\x%02x", (unsigned)point);
        return 4;
    }
    if (point == '\\')
        mur_buf_append_text(out, "\\\\");
    else if (point == '"')
        mur_buf_append_text(out, "\\042");
    else
        mur_buf_append(out, bytes, (size_t)len);
    return columns_of(point);
}

static void append_name(mur_buf *table, mur_view text, int columns)
{
    size_t fits = table->len; /* the end of what leaves room for an ellipsis */
    int taken = 0;
    for (size_t at = 0; at < text.len;) {
        uint32_t point;
        int len = mur_utf8_decode(&point, text.ptr + at, text.len - at);
        taken += append_character(table, point, text.ptr + at, len);
        at += (size_t)(len > 0 ? len : -len);
        if (columns > 0 && taken > columns) {
            table->len = fits;
            mur_buf_append_text(table, "…");
            return;
        }
        if (taken < columns)
            fits = table->len;
    }
}

void mur_picture_cell(mur_buf *table, mur_view text, int columns)
{
    bool is_seen = text.len > 0 && text.ptr[0] != ' ' && text.ptr[text.len - 1] != ' ';
    if (!is_seen)
        mur_buf_append_text(table, "\\042");
    append_name(table, text, columns > 2 && !is_seen ? columns - 2 : columns);
    if (!is_seen)
        mur_buf_append_text(table, "\\042");
}

static size_t count_rows(mur_view table)
{
    size_t n = 0;
    for (size_t i = 0; i < table.len; i++)
        n += table.ptr[i] == '\n';
    return n > 0 ? n - 1 : 0; /* without the line of names */
}

/* What all scripts begin with: each of them can be run alone. */
static void append_preamble(mur_buf *out, const mur_picture *p)
{
    mur_buf_printf(out,
                   "# %s\n"
                   "#\n"
                   "#     gnuplot %s.gp             %s.svg from %s.tsv\n"
                   "#     gnuplot -e png=1 %s.gp    %s.png\n"
                   "\n"
                   "data = \"%s.tsv\"\n"
                   "if (exists(\"png\")) {\n"
                   "    set terminal pngcairo noenhanced size %d,%d font \"sans,13\" fontscale 1.5 linewidth 2"
                   " background \"white\"\n"
                   "    set output \"%s.png\"\n"
                   "} else {\n"
                   "    set terminal svg noenhanced size %d,%d dynamic font \"sans-serif,13\"\n"
                   "    set output \"%s.svg\"\n"
                   "}\n",
                   p->title, p->name, p->name, p->name, p->name, p->name, p->name, 2 * p->width, 2 * p->height, p->name,
                   p->width, p->height, p->name);
    /* The PNG has a background: it can have the colours of a light page. */
#define X(colour, value, light, dark)                                                                                  \
    mur_buf_printf(out, #colour " = exists(\"png\") ? 0x%06x : 0x%06x\n", light, value);
    MUR_PALETTE(X)
#undef X
    mur_buf_append_text(out, mur_script_common);
}

typedef enum { TABLE, SCRIPT, SVG, PNG, N_FILES } picture_file;

static char *path_of(const char *folder, const mur_picture *p, picture_file file)
{
    static const char *const endings[N_FILES] = {"tsv", "gp", "svg", "png"};
    return mur_format("%s/%s.%s", folder, p->name, endings[file]);
}

/* A picture that is left from before must not be taken for one of this table. */
static int remove_files(const char *folder, const mur_picture *p)
{
    int rc = 0;
    for (picture_file file = TABLE; file < N_FILES; file++) {
        char *path = path_of(folder, p, file);
        if (unlink(path) < 0 && errno != ENOENT && rc == 0)
            rc = mur_fail_errno(MUR_EIO, "cannot remove %s", path);
        free(path);
    }
    return rc;
}

static int write_text(const char *folder, const mur_picture *p, picture_file file, mur_view text)
{
    char *path = path_of(folder, p, file);
    int rc = mur_file_write(path, text);
    free(path);
    return rc;
}

/* gnuplot's status is 0 after some failures to write. */
static int check_drawn(const char *folder, const mur_picture *p, picture_file file)
{
    char *path = path_of(folder, p, file);
    struct stat s;
    int rc = 0;
    if (stat(path, &s) < 0 || s.st_size == 0)
        rc = mur_fail(MUR_EIO, "%s: gnuplot left nothing there; is the disk full?", path);
    free(path);
    return rc;
}

int mur_picture_draw(const char *folder, const mur_picture *picture, mur_view table)
{
    assert(picture->name[strspn(picture->name, "abcdefghijklmnopqrstuvwxyz0123456789-_")] == '\0');
    int rc = remove_files(folder, picture);
    if (rc < 0)
        return rc;
    if (count_rows(table) == 0)
        return 1;

    mur_buf script = {0};
    append_preamble(&script, picture);
    for (size_t i = 0; i < MUR_PICTURE_SCRIPTS && picture->script[i]; i++)
        mur_buf_printf(&script, "%s%s", i > 0 ? "\n" : "", picture->script[i]);
    char *script_name = mur_format("%s.gp", picture->name);
    rc = write_text(folder, picture, TABLE, table);
    if (rc == 0)
        rc = write_text(folder, picture, SCRIPT, mur_buf_view(&script));
    for (picture_file file = SVG; rc == 0 && file <= PNG; file++) {
        rc = mur_gnuplot_run(folder, script_name, file == PNG, LIMIT_SECONDS);
        if (rc == 0)
            rc = check_drawn(folder, picture, file);
    }
    free(script_name);
    mur_buf_clear(&script);
    return rc;
}
