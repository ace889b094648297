#include "plan.h"

#include <assert.h>
#include <stdlib.h>

#include "murmur/fault.h"
#include "murmur/ingest.h"
#include "murmur/json.h"
#include "murmur/mem.h"

/* A plan in the making. */
typedef struct planner {
    mur_plan *plan;
    bool *is_gzip;   /* by file of the plan */
    int64_t before;  /* bytes of JSON, gzip's estimated, of the files that are cut */
    int64_t regular; /* so many of the batch's come in units of the usual size */
    size_t cap;      /* of pieces */
} planner;

static int64_t json_bytes(const planner *r, size_t file, int64_t len)
{
    return len * (r->is_gzip[file] ? MUR_GZIP_RATIO : 1);
}

/* The most bytes of a unit that begins at an offset of the file in hand. */
static int64_t most_at(const planner *r, int64_t offset)
{
    return r->before + offset < r->regular ? MUR_UNIT_BYTES : MUR_LAST_UNIT_BYTES;
}

static void add_piece(planner *r, mur_piece_of_file piece)
{
    mur_plan *p = r->plan;
    if (p->n_pieces == r->cap) {
        r->cap = mur_grown(r->cap, p->n_pieces + 1);
        p->pieces = mur_realloc(p->pieces, r->cap, sizeof *p->pieces);
    }
    p->pieces[p->n_pieces++] = piece;
}

/* The offset behind the first line feed at or after `from`; the file's size if there is none. Tweets are shorter than
 * the first look. */
static int line_end(int64_t *end, const mur_source *file, int64_t from)
{
    enum { FIRST_STEP = 8 << 10, STEP = 64 << 10 };
    mur_buf window = {0};
    int rc = 0;
    *end = file->size;
    for (int64_t step = FIRST_STEP; from < file->size; from += step, step = STEP) {
        int64_t len = file->size - from < step ? file->size - from : step;
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

/* Enough for any first line whose record is not rejected for its length, by default. */
#define PROBE_BYTES ((int64_t)2 * MUR_MAX_VALUE)

/* Whether a file of more than one unit is JSON Lines, and so can be cut. Where its beginning does not tell (a document
 * over several lines, a bad first line) it is read whole. */
static int probe(bool *is_lines, const mur_source *file)
{
    mur_buf text = {0};
    bool is_all = file->size <= PROBE_BYTES;
    int rc = mur_source_read(&text, file, 0, is_all ? file->size : PROBE_BYTES);
    *is_lines = rc == 0 && begins_as_lines(mur_buf_view(&text));
    if (rc == 0 && !*is_lines) {
        mur_buf_reset(&text);
        rc = mur_source_read(&text, file, 0, file->size);
        *is_lines = rc == 0 && mur_document_probe(mur_buf_view(&text)) == MUR_DOCUMENT_LINES;
    }
    mur_buf_clear(&text);
    return rc;
}

static int cut(planner *r, size_t file)
{
    const mur_source *source = &r->plan->files[file];
    bool is_lines = false;
    int rc = source->size > most_at(r, 0) && !r->is_gzip[file] ? probe(&is_lines, source) : 0;
    if (rc < 0)
        return rc;
    if (!is_lines) {
        add_piece(r, (mur_piece_of_file){file, 0, source->size, most_at(r, 0), true});
        return 0;
    }
    for (int64_t offset = 0, end; offset < source->size; offset = end) {
        int64_t most = most_at(r, offset);
        rc = line_end(&end, source, offset + most);
        if (rc < 0)
            return rc;
        add_piece(r, (mur_piece_of_file){file, offset, end - offset, most, false});
    }
    return 0;
}

/* Neighbouring pieces share a unit until it is full. */
static void group(planner *r)
{
    mur_plan *p = r->plan;
    p->units = mur_alloc(p->n_pieces, sizeof *p->units);
    for (size_t i = 0; i < p->n_pieces; i++) {
        const mur_piece_of_file *piece = &p->pieces[i];
        int64_t size = json_bytes(r, piece->file, piece->len);
        mur_unit *last = p->n_units ? &p->units[p->n_units - 1] : NULL;
        if (!last || last->size + size > piece->most)
            p->units[p->n_units++] = (mur_unit){.first_piece = i, .n_pieces = 1, .size = size};
        else {
            last->n_pieces++;
            last->size += size;
        }
    }
}

/* Takes files and looks what they are; `*indices` are theirs in `pending`. */
static void choose(planner *r, size_t *indices, const mur_source *pending, size_t n_pending, size_t most,
                   int64_t max_bytes, void (*refuse)(void *context, size_t index), void *context)
{
    mur_plan *p = r->plan;
    int64_t bytes = 0;
    for (size_t i = 0; i < n_pending && p->n_files < most; i++) {
        if (p->n_files > 0 && bytes + pending[i].size > max_bytes)
            break;
        mur_buf magic = {0};
        int rc = MUR_STEP("source.probe",
                          mur_source_read(&magic, &pending[i], 0, pending[i].size < 2 ? pending[i].size : 2));
        bool is_gzip = rc == 0 && mur_is_gzip(mur_buf_view(&magic));
        mur_buf_clear(&magic);
        if (rc < 0) {
            refuse(context, i);
            continue;
        }
        size_t file = p->n_files++;
        p->files[file] = pending[i];
        p->files[file].path = mur_strdup(pending[i].path);
        r->is_gzip[file] = is_gzip;
        indices[file] = i;
        bytes += pending[i].size;
    }
}

void mur_plan_make(mur_plan *p, const mur_source *pending, size_t n_pending, int64_t max_files, int64_t max_bytes,
                   void (*refuse)(void *context, size_t index), void *context)
{
    *p = (mur_plan){0};
    size_t most = n_pending < (size_t)max_files ? n_pending : (size_t)max_files;
    planner r = {.plan = p, .is_gzip = mur_alloc(most, sizeof *r.is_gzip)};
    size_t *indices = mur_alloc(most, sizeof *indices);
    p->files = mur_alloc(most, sizeof *p->files);
    choose(&r, indices, pending, n_pending, most, max_bytes, refuse, context);

    size_t n_chosen = p->n_files;
    for (size_t i = 0; i < n_chosen; i++)
        r.regular += json_bytes(&r, i, p->files[i].size);
    r.regular -= r.regular / MUR_LAST_PART;
    p->n_files = 0;
    for (size_t i = 0; i < n_chosen; i++) { /* those that cannot be cut are left out, and the others move up */
        size_t file = p->n_files++, n_pieces = p->n_pieces;
        p->files[file] = p->files[i];
        r.is_gzip[file] = r.is_gzip[i];
        if (cut(&r, file) < 0) {
            free(p->files[file].path);
            p->n_files--;
            p->n_pieces = n_pieces;
            refuse(context, indices[i]);
            continue;
        }
        r.before += json_bytes(&r, file, p->files[file].size);
    }
    group(&r);
    free(r.is_gzip);
    free(indices);
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
