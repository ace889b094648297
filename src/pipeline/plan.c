#include "murmur/plan.h"

#include <assert.h>
#include <stdlib.h>

#include "murmur/fault.h"
#include "murmur/ingest.h"
#include "murmur/json.h"
#include "murmur/mem.h"

/* What a file is. Those that are not larger than the smallest unit are not looked at as closely: never cut. */
enum { WHOLE, GZIP, LINES };

/* A plan in the making. */
typedef struct planner {
    mur_plan *plan;
    int64_t *kinds;                      /* by file of the plan: what it is, or the code of why it cannot be read */
    int64_t before;                      /* bytes of JSON, gzip's estimated, of the files that are cut */
    int64_t regular;                     /* so many of the batch's come in units of the usual size */
    int64_t unit_bytes, last_unit_bytes; /* that a unit has at most, of those and of the last ones */
    size_t cap;                          /* of pieces */
} planner;

static int64_t json_bytes(const planner *r, size_t file, int64_t len)
{
    return len * (r->kinds[file] == GZIP ? MUR_GZIP_RATIO : 1);
}

/* The most bytes of a unit that begins at an offset of the file in hand. */
static int64_t most_at(const planner *r, int64_t offset)
{
    return r->before + offset < r->regular ? r->unit_bytes : r->last_unit_bytes;
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

/* What a file is; a failure's code. */
static int kind_of(const mur_source *file)
{
    mur_buf magic = {0};
    bool is_lines = false;
    int rc = MUR_STEP("source.probe", mur_source_read(&magic, file, 0, file->size < 2 ? file->size : 2));
    bool is_gzip = rc == 0 && mur_is_gzip(mur_buf_view(&magic));
    mur_buf_clear(&magic);
    if (rc == 0 && !is_gzip && file->size > MUR_LEAST_UNIT_BYTES)
        rc = probe(&is_lines, file);
    return rc < 0 ? rc : is_gzip ? GZIP : is_lines ? LINES : WHOLE;
}

/* A rest that is shorter than half a unit goes with what is before it. */
static void cut(planner *r, size_t file)
{
    const int64_t size = r->plan->files[file].size;
    if (r->kinds[file] != LINES || size <= most_at(r, 0)) {
        add_piece(r, (mur_piece_of_file){file, 0, size, most_at(r, 0), true});
        return;
    }
    for (int64_t offset = 0, end; offset < size; offset = end) {
        int64_t most = most_at(r, offset);
        end = size - offset - most < most / 2 ? size : offset + most;
        add_piece(r, (mur_piece_of_file){file, offset, end - offset, most, false});
    }
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

/* Collective. Rank 0's choice of files, by sizes alone. */
static void choose(mur_plan *p, const mur_comm *c, const mur_source *pending, size_t n_pending, int64_t max_files,
                   int64_t max_bytes)
{
    mur_buf packed = {0};
    int64_t bytes = 0;
    if (c->rank == 0) {
        for (; p->n_files < n_pending && (int64_t)p->n_files < max_files; p->n_files++) {
            bytes += pending[p->n_files].size;
            if (p->n_files > 0 && bytes > max_bytes)
                break;
        }
        mur_buf_append(&packed, &p->n_files, sizeof p->n_files);
        mur_buf_append(&packed, pending,
                       p->n_files * sizeof *pending); /* the paths follow; these pointers mean nothing */
        for (size_t i = 0; i < p->n_files; i++)
            mur_buf_append(&packed, pending[i].path, strlen(pending[i].path) + 1);
    }
    mur_broadcast(c, &packed);
    memcpy(&p->n_files, packed.ptr, sizeof p->n_files);
    p->files = mur_alloc(p->n_files, sizeof *p->files);
    const char *files = packed.ptr + sizeof p->n_files, *path = files + p->n_files * sizeof *p->files;
    if (p->n_files > 0)
        memcpy(p->files, files, p->n_files * sizeof *p->files);
    for (size_t i = 0; i < p->n_files; i++, path += strlen(path) + 1)
        p->files[i].path = mur_strdup(path);
    mur_buf_clear(&packed);
}

/* Why a rank could not read a file. */
typedef struct failure {
    size_t file;
    mur_error error;
} failure;

static int by_file(const void *a, const void *b)
{
    const failure *x = a, *y = b;
    return (x->file > y->file) - (x->file < y->file);
}

/* Collective. Each rank looks what some of the files are. Returns how many could not be read; rank 0 tells of them. */
static size_t look(const planner *r, const mur_comm *c, void (*refuse)(void *context, size_t index), void *context)
{
    const mur_plan *p = r->plan;
    mur_buf mine = {0}, all = {0};
    size_t n_failed = 0;
    for (size_t i = (size_t)c->rank; i < p->n_files; i += (size_t)c->n_ranks) {
        r->kinds[i] = kind_of(&p->files[i]);
        if (r->kinds[i] >= 0)
            continue;
        failure own = {i, *mur_error_last()};
        mur_buf_append(&mine, &own, sizeof own);
    }
    mur_sum_all(c, r->kinds, p->n_files); /* 0 of files that others looked at */
    for (size_t i = 0; i < p->n_files; i++)
        n_failed += r->kinds[i] < 0;
    if (n_failed > 0) {
        mur_gather(c, mur_buf_view(&mine), &all, NULL);
        failure *failures = (failure *)(void *)all.ptr;
        if (c->rank == 0)
            qsort(failures, n_failed, sizeof *failures, by_file);
        for (size_t i = 0; i < all.len / sizeof *failures; i++) {
            *mur_error_last() = failures[i].error;
            refuse(context, failures[i].file);
        }
    }
    mur_buf_clear(&mine);
    mur_buf_clear(&all);
    return n_failed;
}

/* By the bytes of the batch, and not by the ranks: their number must not decide where a unit ends. */
static void size_units(planner *r, int64_t batch_bytes)
{
    r->unit_bytes = batch_bytes / MUR_FEWEST_UNITS;
    r->unit_bytes = r->unit_bytes < MUR_UNIT_BYTES ? r->unit_bytes : MUR_UNIT_BYTES;
    r->unit_bytes = r->unit_bytes > MUR_LEAST_UNIT_BYTES ? r->unit_bytes : MUR_LEAST_UNIT_BYTES;
    r->last_unit_bytes = r->unit_bytes / MUR_LAST_UNITS;
    r->last_unit_bytes = r->last_unit_bytes > MUR_LEAST_UNIT_BYTES ? r->last_unit_bytes : MUR_LEAST_UNIT_BYTES;
}

/* Takes files that cannot be read out of the plan. */
static void leave_out_failed(planner *r)
{
    mur_plan *p = r->plan;
    size_t n = 0;
    for (size_t i = 0; i < p->n_files; i++) {
        if (r->kinds[i] < 0) {
            free(p->files[i].path);
            continue;
        }
        r->kinds[n] = r->kinds[i];
        p->files[n++] = p->files[i];
    }
    p->n_files = n;
}

size_t mur_plan_make(mur_plan *p, const mur_comm *c, const mur_source *pending, size_t n_pending, int64_t max_files,
                     int64_t max_bytes, void (*refuse)(void *context, size_t index), void *context)
{
    *p = (mur_plan){0};
    choose(p, c, pending, n_pending, max_files, max_bytes);
    planner r = {.plan = p, .kinds = mur_alloc(p->n_files, sizeof *r.kinds)};
    size_t n_failed = look(&r, c, refuse, context);
    leave_out_failed(&r);
    for (size_t i = 0; i < p->n_files; i++)
        r.regular += json_bytes(&r, i, p->files[i].size);
    size_units(&r, r.regular);
    r.regular -= r.regular / MUR_LAST_PART;
    for (size_t i = 0; i < p->n_files; i++) {
        cut(&r, i);
        r.before += json_bytes(&r, i, p->files[i].size);
    }
    group(&r);
    free(r.kinds);
    return n_failed;
}

/* Tweets are shorter than the first look beyond a piece. */
int mur_plan_read(mur_buf *text, int64_t *offset, const mur_plan *p, const mur_piece_of_file *piece)
{
    enum { FIRST_STEP = 8 << 10, STEP = 64 << 10 };
    const mur_source *file = &p->files[piece->file];
    *offset = piece->offset;
    if (piece->is_whole)
        return mur_source_read(text, file, 0, piece->len);

    int64_t end = piece->offset + piece->len, read_to = file->size - end < FIRST_STEP ? file->size : end + FIRST_STEP;
    int rc = mur_source_read(text, file, piece->offset, read_to - piece->offset);
    if (rc < 0)
        return rc;
    size_t begin = 0, at = (size_t)piece->len;
    if (piece->offset > 0) {
        const char *feed = memchr(text->ptr, '\n', at);
        if (!feed) { /* inside a line of the piece before */
            mur_buf_reset(text);
            return 0;
        }
        begin = (size_t)(feed - text->ptr) + 1;
    }
    for (const char *feed = NULL; end < file->size && !feed;) {
        feed = memchr(text->ptr + at, '\n', text->len - at);
        at = feed ? (size_t)(feed - text->ptr) + 1 : text->len;
        if (feed || read_to == file->size)
            break;
        int64_t step = file->size - read_to < STEP ? file->size - read_to : STEP;
        rc = mur_source_read(text, file, read_to, step);
        if (rc < 0)
            return rc;
        read_to += step;
    }
    text->len = at - begin;
    memmove(text->ptr, text->ptr + begin, text->len);
    *offset += (int64_t)begin;
    return 0;
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
