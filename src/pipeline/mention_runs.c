#include "mention_runs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "murmur/fault.h"
#include "murmur/file.h"
#include "murmur/hash.h"
#include "murmur/mem.h"

#define WINDOW_BYTES 65536 /* of a run, in memory while runs are merged */
#define WRITE_BYTES (1 << 20)

typedef uint32_t length; /* of a mention, in front of it */

struct mur_mention_run {
    int64_t offset, end; /* what of it is still in the file alone */
    mur_buf window;      /* what was read last, of which */
    size_t at;           /* these bytes are done with */
    mur_mention_ref head;
};

void mur_mention_pack(mur_buf *out, mur_view mention, const mur_counts *counts)
{
    length len = (length)mention.len;
    mur_buf_append(out, &len, sizeof len);
    mur_buf_append_view(out, mention);
    mur_buf_append(out, counts, sizeof *counts);
}

mur_view mur_mention_of(const mur_mention_ref *e)
{
    length len;
    memcpy(&len, e->packed, sizeof len);
    return (mur_view){e->packed + sizeof len, len};
}

mur_counts mur_mention_counts_of(const mur_mention_ref *e)
{
    mur_view mention = mur_mention_of(e);
    mur_counts counts;
    memcpy(&counts, mention.ptr + mention.len, sizeof counts);
    return counts;
}

size_t mur_mention_packed_bytes(const mur_mention_ref *e)
{
    return sizeof(length) + mur_mention_of(e).len + sizeof(mur_counts);
}

/* The mention's first bytes as a number that compares as they do. */
static uint64_t prefix_of(mur_view mention)
{
    uint64_t prefix = 0;
    for (size_t i = 0; i < sizeof prefix; i++)
        prefix = prefix << 8 | (i < mention.len ? (unsigned char)mention.ptr[i] : 0);
    return prefix;
}

static mur_mention_ref ref_of(mur_mention_order order, const char *packed)
{
    mur_mention_ref e = {.packed = packed};
    mur_view mention = mur_mention_of(&e);
    e.prefix = prefix_of(mention);
    if (order == MUR_BY_HASH) {
        e.key = mur_hash(mention.ptr, mention.len);
    } else {
        mur_counts counts = mur_mention_counts_of(&e);
        e.key = ~(uint64_t)mur_counts_total(&counts); /* the larger total first */
    }
    return e;
}

int mur_mention_compare(const mur_mention_ref *a, const mur_mention_ref *b)
{
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    return mur_view_compare(mur_mention_of(a), mur_mention_of(b));
}

static int compare(const void *a, const void *b)
{
    return mur_mention_compare(a, b);
}

void mur_mention_sort(mur_mention_ref *refs, size_t n)
{
    if (n > 1)
        qsort(refs, n, sizeof *refs, compare);
}

mur_mention_ref *mur_mention_refs(mur_mention_order order, mur_view bytes, size_t *n)
{
    size_t count = 0;
    mur_mention_ref e = {0};
    for (size_t at = 0; at < bytes.len; at += mur_mention_packed_bytes(&e), count++)
        e.packed = bytes.ptr + at;
    mur_mention_ref *refs = mur_alloc(count, sizeof *refs);
    *n = 0;
    for (size_t at = 0; at < bytes.len; at += mur_mention_packed_bytes(&refs[(*n)++]))
        refs[*n] = ref_of(order, bytes.ptr + at);
    return refs;
}

void mur_mention_runs_init(mur_mention_runs *r, mur_mention_order order, const char *path, size_t limit)
{
    *r = (mur_mention_runs){.order = order, .path = mur_strdup(path), .limit = limit, .fd = -1};
}

int mur_mention_runs_add(mur_mention_runs *r, mur_view mention, const mur_counts *counts)
{
    mur_mention_pack(&r->pending, mention, counts);
    return r->pending.len < r->limit ? 0 : mur_mention_runs_cut(r);
}

static int open_file(mur_mention_runs *r)
{
    char *folder = mur_strdup(r->path), *slash = strrchr(folder, '/');
    int rc = 0;
    if (slash)
        *slash = '\0';
    if (slash && !mur_path_is_folder(folder))
        rc = mur_folder_make(folder);
    free(folder);
    if (rc < 0)
        return rc;
    r->fd = open(r->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (r->fd < 0 || unlink(r->path) < 0)
        return mur_fail_errno(MUR_ECREATE, "cannot create %s, for counts that memory does not hold", r->path);
    return 0;
}

int mur_mention_runs_cut(mur_mention_runs *r)
{
    int rc = r->fd < 0 && r->pending.len > 0 ? open_file(r) : 0;
    if (rc < 0 || r->pending.len == 0)
        return rc;
    size_t n;
    mur_mention_ref *refs = mur_mention_refs(r->order, mur_buf_view(&r->pending), &n);
    mur_mention_sort(refs, n);
    mur_mention_run run = {.offset = r->file_bytes};
    mur_buf out = {0};
    for (size_t i = 0; rc == 0 && i < n; i++) {
        mur_buf_append(&out, refs[i].packed, mur_mention_packed_bytes(&refs[i]));
        if (out.len >= WRITE_BYTES || i + 1 == n) {
            rc = MUR_STEP("count.spill", mur_fd_write(r->fd, mur_buf_view(&out), r->path));
            r->file_bytes += (int64_t)out.len;
            mur_buf_reset(&out);
        }
    }
    mur_buf_clear(&out);
    free(refs);
    mur_buf_reset(&r->pending);
    run.end = r->file_bytes;
    if (r->n_runs == r->cap_runs) {
        r->cap_runs = mur_grown(r->cap_runs, r->n_runs + 1);
        r->runs = mur_realloc(r->runs, r->cap_runs, sizeof *r->runs);
    }
    r->runs[r->n_runs++] = run;
    return rc;
}

/* Reads on until `need` bytes of the run that were not looked at are in its window; fewer are left only if the file is
 * not what was written. */
static int fill_window(mur_mention_runs *r, mur_mention_run *run, size_t need)
{
    mur_buf *w = &run->window;
    if (w->len - run->at >= need)
        return 0;
    w->len -= run->at;
    if (w->len > 0)
        memmove(w->ptr, w->ptr + run->at, w->len);
    run->at = 0;
    while (w->len < need) {
        size_t want = need > WINDOW_BYTES ? need - w->len : WINDOW_BYTES - w->len;
        want = want < (size_t)(run->end - run->offset) ? want : (size_t)(run->end - run->offset);
        mur_buf_reserve(w, want);
        ssize_t n = want > 0 ? pread(r->fd, w->ptr + w->len, want, (off_t)run->offset) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? mur_fail_errno(MUR_EIO, "cannot read %s back", r->path)
                         : mur_fail(MUR_EIO, "%s is shorter than was written", r->path);
        w->len += (size_t)n;
        run->offset += n;
    }
    return 0;
}

/* 1: the run's next mention is its head; 0: there is none. */
static int load_head(mur_mention_runs *r, mur_mention_run *run)
{
    if (run->at == run->window.len && run->offset == run->end)
        return 0;
    length len;
    int rc = fill_window(r, run, sizeof len);
    if (rc < 0)
        return rc;
    memcpy(&len, run->window.ptr + run->at, sizeof len);
    rc = fill_window(r, run, sizeof len + len + sizeof(mur_counts));
    if (rc < 0)
        return rc;
    run->head = ref_of(r->order, run->window.ptr + run->at);
    return 1;
}

static bool comes_before(const mur_mention_runs *r, size_t a, size_t b)
{
    return mur_mention_compare(&r->runs[a].head, &r->runs[b].head) < 0;
}

/* Puts the entry at `i` where it belongs among those below it. */
static void sift_down(mur_mention_runs *r, size_t i)
{
    for (size_t child; (child = 2 * i + 1) < r->n_heap; i = child) {
        if (child + 1 < r->n_heap && comes_before(r, r->heap[child + 1], r->heap[child]))
            child++;
        if (!comes_before(r, r->heap[child], r->heap[i]))
            return;
        size_t other = r->heap[i];
        r->heap[i] = r->heap[child];
        r->heap[child] = other;
    }
}

int mur_mention_runs_sort(mur_mention_runs *r)
{
    if (r->fd < 0) {
        r->sorted = mur_mention_refs(r->order, mur_buf_view(&r->pending), &r->n_sorted);
        mur_mention_sort(r->sorted, r->n_sorted);
        return 0;
    }
    int rc = mur_mention_runs_cut(r);
    mur_buf_clear(&r->pending);
    r->heap = mur_alloc(r->n_runs, sizeof *r->heap);
    for (size_t i = 0; rc >= 0 && i < r->n_runs; i++) {
        rc = load_head(r, &r->runs[i]);
        if (rc > 0)
            r->heap[r->n_heap++] = i;
    }
    for (size_t i = r->n_heap / 2; i-- > 0;)
        sift_down(r, i);
    return rc < 0 ? rc : 0;
}

/* The mention at the top of the heap was given out by the last call, and is still in its run's window. */
static int advance(mur_mention_runs *r)
{
    mur_mention_run *run = &r->runs[r->heap[0]];
    run->at += mur_mention_packed_bytes(&run->head);
    int rc = load_head(r, run);
    if (rc < 0)
        return rc;
    if (rc == 0) {
        mur_buf_clear(&run->window);
        r->heap[0] = r->heap[--r->n_heap];
    }
    sift_down(r, 0);
    return rc;
}

int mur_mention_runs_next(mur_mention_runs *r, mur_mention_ref *e)
{
    if (r->fd < 0) {
        if (r->at == r->n_sorted)
            return 0;
        *e = r->sorted[r->at++];
        return 1;
    }
    int rc = r->at > 0 ? advance(r) : 0;
    if (rc < 0 || r->n_heap == 0)
        return rc < 0 ? rc : 0;
    r->at = 1;
    *e = r->runs[r->heap[0]].head;
    return 1;
}

void mur_mention_runs_clear(mur_mention_runs *r)
{
    if (r->fd >= 0)
        close(r->fd);
    for (size_t i = 0; i < r->n_runs; i++)
        mur_buf_clear(&r->runs[i].window);
    free(r->runs);
    free(r->heap);
    free(r->sorted);
    mur_buf_clear(&r->pending);
    free(r->path);
    *r = (mur_mention_runs){.fd = -1};
}
