#include "plan.h"

#include <assert.h>
#include <stdlib.h>

#include "murmur/fault.h"
#include "murmur/ingest.h"
#include "murmur/json.h"
#include "murmur/mem.h"

/* What gzip makes of tweets in JSON, about: only balance depends on it. */
#define GZIP_RATIO 5

static mur_piece_of_file *add_piece(mur_plan *p, size_t *cap)
{
    if (p->n_pieces == *cap) {
        *cap = mur_grown(*cap, p->n_pieces + 1);
        p->pieces = mur_realloc(p->pieces, *cap, sizeof *p->pieces);
    }
    return &p->pieces[p->n_pieces++];
}

/* The offset behind the first line feed at or after `from`; the file's size if there is none. */
static int line_end(int64_t *end, const mur_source *file, int64_t from)
{
    enum { STEP = 64 << 10 };
    mur_buf window = {0};
    int rc = 0;
    for (*end = file->size; from < file->size; from += STEP) {
        int64_t len = file->size - from < STEP ? file->size - from : STEP;
        mur_buf_reset(&window);
        rc = mur_source_read(&window, file, from, len);
        if (rc < 0)
            break;
        const char *feed = memchr(window.ptr, '\n', window.len);
        if (feed) {
            *end = from + (feed - window.ptr) + 1;
            break;
        }
    }
    mur_buf_clear(&window);
    return rc;
}

/* Whether `window`, the beginning of a longer file, is enough to tell that the file is JSON Lines: its first line that
 * is not blank is a whole value, and more than white space follows. */
static bool begins_as_lines(mur_view window)
{
    static const char blanks[] = " \t\r\n";
    size_t begin = window.len >= 3 && memcmp(window.ptr, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (begin < window.len && memchr(blanks, window.ptr[begin], 4))
        begin++;
    const char *feed = memchr(window.ptr + begin, '\n', window.len - begin);
    if (!feed)
        return false;
    mur_json_scan scan;
    mur_json_check(&scan, (mur_view){window.ptr + begin, (size_t)(feed - window.ptr) - begin}, 0);
    if (scan.verdict == MUR_JSON_SYNTAX || scan.verdict == MUR_JSON_ENCODING)
        return false;
    for (const char *at = feed; at < window.ptr + window.len; at++)
        if (!memchr(blanks, *at, 4))
            return true;
    return false;
}

/* Whether a file of more than one unit is JSON Lines, and so can be cut. Where its beginning does not tell (a document
 * over several lines, a bad first line) it is read whole. */
static int probe(bool *is_lines, const mur_source *file)
{
    mur_buf text = {0};
    int rc = mur_source_read(&text, file, 0, MUR_UNIT_BYTES);
    *is_lines = rc == 0 && begins_as_lines(mur_buf_view(&text));
    if (rc == 0 && !*is_lines) {
        mur_buf_reset(&text);
        rc = mur_source_read(&text, file, 0, file->size);
        *is_lines = rc == 0 && mur_document_probe(mur_buf_view(&text)) == MUR_DOCUMENT_LINES;
    }
    mur_buf_clear(&text);
    return rc;
}

static int cut(mur_plan *p, size_t file, bool is_gzip, size_t *cap)
{
    const mur_source *source = &p->files[file];
    bool is_lines = false;
    int rc = source->size > MUR_UNIT_BYTES && !is_gzip ? probe(&is_lines, source) : 0;
    if (rc < 0)
        return rc;
    if (!is_lines) {
        *add_piece(p, cap) = (mur_piece_of_file){file, 0, source->size, true};
        return 0;
    }
    for (int64_t offset = 0, end; offset < source->size; offset = end) {
        rc = line_end(&end, source, offset + MUR_UNIT_BYTES);
        if (rc < 0)
            return rc;
        *add_piece(p, cap) = (mur_piece_of_file){file, offset, end - offset, false};
    }
    return 0;
}

/* Neighbouring pieces share a unit until it is full. */
static void group(mur_plan *p, const bool *is_gzip)
{
    p->units = mur_alloc(p->n_pieces, sizeof *p->units);
    for (size_t i = 0; i < p->n_pieces; i++) {
        const mur_piece_of_file *piece = &p->pieces[i];
        int64_t size = piece->len * (is_gzip[piece->file] ? GZIP_RATIO : 1);
        mur_unit *last = p->n_units ? &p->units[p->n_units - 1] : NULL;
        if (!last || last->size + size > MUR_UNIT_BYTES)
            p->units[p->n_units++] = (mur_unit){.first_piece = i, .n_pieces = 1, .size = size};
        else {
            last->n_pieces++;
            last->size += size;
        }
    }
}

void mur_plan_make(mur_plan *p, const mur_source *pending, size_t n_pending, int64_t max_files, int64_t max_bytes,
                   void (*refuse)(void *context, size_t index), void *context)
{
    *p = (mur_plan){0};
    size_t most = n_pending < (size_t)max_files ? n_pending : (size_t)max_files, cap = 0;
    bool *is_gzip = mur_alloc(most, sizeof *is_gzip);
    p->files = mur_alloc(most, sizeof *p->files);
    int64_t bytes = 0;
    for (size_t i = 0; i < n_pending && p->n_files < most; i++) {
        if (p->n_files > 0 && bytes + pending[i].size > max_bytes)
            break;
        size_t file = p->n_files++, n_pieces = p->n_pieces;
        p->files[file] = pending[i];
        p->files[file].path = mur_strdup(pending[i].path);

        mur_buf magic = {0};
        int rc = MUR_STEP("source.probe",
                          mur_source_read(&magic, &pending[i], 0, pending[i].size < 2 ? pending[i].size : 2));
        is_gzip[file] = rc == 0 && mur_is_gzip(mur_buf_view(&magic));
        mur_buf_clear(&magic);
        if (rc == 0)
            rc = cut(p, file, is_gzip[file], &cap);
        if (rc < 0) {
            free(p->files[file].path);
            p->n_files--;
            p->n_pieces = n_pieces;
            refuse(context, i);
            continue;
        }
        bytes += pending[i].size;
    }
    group(p, is_gzip);
    free(is_gzip);
}

void mur_plan_pack(const mur_plan *p, mur_buf *out)
{
    size_t counts[] = {p->n_files, p->n_pieces, p->n_units};
    mur_buf_append(out, counts, sizeof counts);
    mur_buf_append(out, p->files, p->n_files * sizeof *p->files); /* the paths follow; these pointers mean nothing */
    mur_buf_append(out, p->pieces, p->n_pieces * sizeof *p->pieces);
    mur_buf_append(out, p->units, p->n_units * sizeof *p->units);
    for (size_t i = 0; i < p->n_files; i++)
        mur_buf_append(out, p->files[i].path, strlen(p->files[i].path) + 1);
}

/* Copies the next `len` bytes out; the packer wrote them, so they are there. */
static void take(mur_view *bytes, void *into, size_t len)
{
    assert(bytes->len >= len);
    if (len)
        memcpy(into, bytes->ptr, len);
    *bytes = (mur_view){bytes->ptr + len, bytes->len - len};
}

void mur_plan_unpack(mur_plan *p, mur_view bytes)
{
    size_t counts[3];
    take(&bytes, counts, sizeof counts);
    *p = (mur_plan){.n_files = counts[0], .n_pieces = counts[1], .n_units = counts[2]};
    p->files = mur_alloc(p->n_files, sizeof *p->files);
    p->pieces = mur_alloc(p->n_pieces, sizeof *p->pieces);
    p->units = mur_alloc(p->n_units, sizeof *p->units);
    take(&bytes, p->files, p->n_files * sizeof *p->files);
    take(&bytes, p->pieces, p->n_pieces * sizeof *p->pieces);
    take(&bytes, p->units, p->n_units * sizeof *p->units);
    for (size_t i = 0; i < p->n_files; i++) {
        p->files[i].path = mur_strdup(bytes.ptr);
        size_t len = strlen(bytes.ptr) + 1;
        bytes = (mur_view){bytes.ptr + len, bytes.len - len};
    }
}

void mur_plan_clear(mur_plan *p)
{
    for (size_t i = 0; i < p->n_files; i++)
        free(p->files[i].path);
    free(p->files);
    free(p->pieces);
    free(p->units);
    *p = (mur_plan){0};
}
