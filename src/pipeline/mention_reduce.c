#include "mention_reduce.h"

#include <stdlib.h>
#include <string.h>

#include "murmur/fault.h"
#include "murmur/hash.h"
#include "murmur/mem.h"

#define SAMPLES 32 /* of a rank's share of a slice */

#ifdef MURMUR_FAULTS /* so that ten mentions pass all points */
const mur_reduce_limits mur_reduce_limits_default = {200, 200, 100, 100, 16384};
#else
const mur_reduce_limits mur_reduce_limits_default = {24 << 20, 48 << 20, 32 << 20, 256 << 10, 32 << 20};
#endif

int64_t mur_mention_row_bytes(const mur_mention_ref *e)
{
    return (int64_t)(8 * sizeof(int64_t) + mur_mention_of(e).len);
}

void mur_mention_reduce_open(mur_mention_reduce *m, const mur_comm *c, const char *path,
                             const mur_reduce_limits *limits)
{
    *m = (mur_mention_reduce){.c = c, .limits = limits ? *limits : mur_reduce_limits_default};
    char *by_hash = mur_format("%s-by-hash-%d", path, c->rank), *by_total = mur_format("%s-by-total-%d", path, c->rank);
    mur_mention_runs_init(&m->by_hash, MUR_BY_HASH, by_hash, m->limits.sorted);
    mur_mention_runs_init(&m->by_total, MUR_BY_TOTAL, by_total, m->limits.sorted);
    free(by_hash);
    free(by_total);
}

void mur_mention_reduce_clear(mur_mention_reduce *m)
{
    mur_mention_counts_clear(&m->counted);
    mur_mention_counts_clear(&m->owned);
    mur_mention_runs_clear(&m->by_hash);
    mur_mention_runs_clear(&m->by_total);
    mur_buf_clear(&m->window);
    mur_buf_clear(&m->slice.bytes);
    free(m->slice.refs);
    *m = (mur_mention_reduce){0};
}

static bool is_alone(const mur_mention_reduce *m)
{
    return m->c->n_ranks == 1;
}

static mur_mention_counts *owned(mur_mention_reduce *m)
{
    return is_alone(m) ? &m->counted : &m->owned;
}

bool mur_mention_reduce_is_full(const mur_mention_reduce *m)
{
    return mur_mention_counts_bytes(&m->counted) >= (is_alone(m) ? m->limits.owned : m->limits.counted);
}

/* Collective. What was counted meets at its owners. */
static void send_to_owners(mur_mention_reduce *m)
{
    mur_buf *outgoing = mur_alloc((size_t)m->c->n_ranks, sizeof *outgoing), incoming = {0};
    mur_mention_counts *t = &m->counted;
    for (size_t k = 0; k < t->mentions.n_keys; k++) {
        mur_view mention = mur_map_key(&t->mentions, k);
        /* By the upper half: the owner's own table takes its places by the lower bits. */
        uint64_t owner = (mur_hash(mention.ptr, mention.len) >> 32) % (uint64_t)m->c->n_ranks;
        mur_mention_pack(&outgoing[owner], mention, &t->counts[k]);
    }
    m->n_packed += (int64_t)t->mentions.n_keys;
    mur_mention_counts_reset(t);
    mur_exchange(m->c, outgoing, &incoming, NULL);
    for (int r = 0; r < m->c->n_ranks; r++)
        mur_buf_clear(&outgoing[r]);
    free(outgoing);

    mur_mention_ref e;
    for (size_t at = 0; at < incoming.len; at += mur_mention_packed_bytes(&e)) {
        e.packed = incoming.ptr + at;
        mur_counts counts = mur_mention_counts_of(&e);
        mur_mention_counts_add(&m->owned, mur_mention_of(&e), &counts);
    }
    mur_buf_clear(&incoming);
}

/* Counts go to sorted runs in the file. */
static int spill(mur_mention_reduce *m)
{
    mur_mention_counts *t = owned(m);
    int rc = 0;
    for (size_t k = 0; rc == 0 && k < t->mentions.n_keys; k++)
        rc = mur_mention_runs_add(&m->by_hash, mur_map_key(&t->mentions, k), &t->counts[k]);
    if (rc == 0)
        rc = mur_mention_runs_cut(&m->by_hash);
    mur_mention_counts_reset(t);
    return rc;
}

int mur_mention_reduce_settle(mur_mention_reduce *m, int rc, bool is_done, bool *is_settled)
{
    rc = mur_agree(m->c, rc);
    if (rc < 0)
        return rc;
    mur_fault_pass("count.merge");
    if (!is_alone(m))
        send_to_owners(m);
    m->n_rounds++;
    if (mur_mention_counts_bytes(owned(m)) >= m->limits.owned)
        rc = spill(m);
    *is_settled = mur_min(m->c, is_done) > 0;
    return mur_agree(m->c, rc);
}

static int add_to_sort(mur_mention_reduce *m, mur_view mention, const mur_counts *counts, int64_t *n_bytes)
{
    *n_bytes += (int64_t)(8 * sizeof(int64_t) + mention.len);
    return mur_mention_runs_add(&m->by_total, mention, counts);
}

/* From runs by hash, where a mention's counts may be in several, one behind the other when they are merged. */
static int sort_spilled(mur_mention_reduce *m, int64_t *n_bytes)
{
    int rc = spill(m), more = 0;
    mur_mention_counts_clear(owned(m));
    if (rc == 0)
        rc = mur_mention_runs_sort(&m->by_hash);
    bool is_first = true;
    mur_buf mention = {0};
    mur_counts sum = {0};
    for (mur_mention_ref e; rc == 0 && (more = mur_mention_runs_next(&m->by_hash, &e)) > 0; is_first = false) {
        mur_counts counts = mur_mention_counts_of(&e);
        if (!is_first && mur_view_equal(mur_buf_view(&mention), mur_mention_of(&e))) {
            mur_counts_add(&sum, &counts);
            continue;
        }
        if (!is_first)
            rc = add_to_sort(m, mur_buf_view(&mention), &sum, n_bytes);
        mur_buf_reset(&mention);
        mur_buf_append_view(&mention, mur_mention_of(&e));
        sum = counts;
    }
    if (rc == 0)
        rc = more;
    if (rc == 0 && !is_first)
        rc = add_to_sort(m, mur_buf_view(&mention), &sum, n_bytes);
    mur_buf_clear(&mention);
    return rc;
}

static int sort_held(mur_mention_reduce *m, int64_t *n_bytes)
{
    const mur_mention_counts *t = owned(m);
    int rc = 0;
    for (size_t k = 0; rc == 0 && k < t->mentions.n_keys; k++)
        rc = add_to_sort(m, mur_map_key(&t->mentions, k), &t->counts[k], n_bytes);
    return rc;
}

int mur_mention_reduce_sort(mur_mention_reduce *m)
{
    int64_t n_bytes = 0;
    if (!is_alone(m))
        mur_mention_counts_clear(&m->counted);
    int rc = m->by_hash.n_runs > 0 ? sort_spilled(m, &n_bytes) : sort_held(m, &n_bytes);
    mur_mention_counts_clear(owned(m));
    m->n_spilled += m->by_hash.file_bytes;
    mur_mention_runs_clear(&m->by_hash);
    if (rc == 0)
        rc = mur_mention_runs_sort(&m->by_total);
    m->n_spilled += m->by_total.file_bytes;
    rc = mur_agree(m->c, rc);
    m->n_bytes = rc == 0 ? mur_sum(m->c, n_bytes) : 0;
    return rc;
}

/* What this rank may add to a slice: its next mentions, as many as its share or a few more. */
static int fill_window(mur_mention_reduce *m)
{
    size_t share = (size_t)(m->limits.part / m->c->n_ranks);
    size_t want = share > m->limits.least_window ? share : m->limits.least_window;
    while (!m->is_at_end && m->window.len < want) {
        mur_mention_ref e;
        int rc = mur_mention_runs_next(&m->by_total, &e);
        if (rc < 0)
            return rc;
        m->is_at_end = rc == 0;
        if (rc > 0)
            mur_buf_append(&m->window, e.packed, mur_mention_packed_bytes(&e));
    }
    return 0;
}

static void forget_window(mur_mention_reduce *m, size_t n_bytes)
{
    m->window.len -= n_bytes;
    if (m->window.len > 0)
        memmove(m->window.ptr, m->window.ptr + n_bytes, m->window.len);
}

/* How many of the sorted mentions do not come behind `last`. */
static size_t count_up_to(const mur_mention_ref *refs, size_t n, const mur_mention_ref *last)
{
    size_t low = 0, high = n; /* refs[low - 1] <= last < refs[high] */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mur_mention_compare(&refs[middle], last) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Collective. Some mentions of each rank, in order; `*refs` borrow from `bytes`. */
static void gather_mentions(const mur_comm *c, const mur_buf *mine, mur_buf *bytes, mur_mention_ref **refs, size_t *n)
{
    mur_all_gather(c, mur_buf_view(mine), bytes, NULL);
    *refs = mur_mention_refs(MUR_BY_TOTAL, mur_buf_view(bytes), n);
    mur_mention_sort(*refs, *n);
}

static void append(mur_buf *out, const mur_mention_ref *e)
{
    mur_buf_append(out, e->packed, mur_mention_packed_bytes(e));
}

/* Collective. How many of the window's mentions are in the slice: those up to the first of the mentions that are last
 * in the window of a rank that has more. What that rank has behind it is not known yet. */
static size_t cut_slice(const mur_mention_reduce *m, const mur_mention_ref *window, size_t n, bool *is_last)
{
    mur_buf own = {0}, lasts = {0};
    mur_mention_ref *refs;
    size_t n_lasts;
    if (!m->is_at_end)
        append(&own, &window[n - 1]);
    gather_mentions(m->c, &own, &lasts, &refs, &n_lasts);
    *is_last = n_lasts == 0;
    size_t n_in = *is_last ? n : count_up_to(window, n, &refs[0]);
    free(refs);
    mur_buf_clear(&lasts);
    mur_buf_clear(&own);
    return n_in;
}

/* Collective. Cuts the slice's mentions of this rank into runs for each rank, about equal over all: outgoing[r] borrows
 * from the window. Samples are a number of mentions apart that is the same for all ranks, and begin elsewhere on each:
 * what ranks own is alike, and samples of the same places would be a few bundles of nearly the same mentions. */
static void cut_runs(const mur_comm *c, const mur_mention_ref *mine, size_t n, mur_buf *outgoing)
{
    size_t n_ranks = (size_t)c->n_ranks, rank = (size_t)c->rank, n_samples, from = 0;
    size_t stride = (size_t)mur_max(c, (int64_t)n) / SAMPLES + 1;
    mur_buf own = {0}, bytes = {0};
    mur_mention_ref *samples;
    for (size_t i = stride * rank / n_ranks; i < n; i += stride)
        append(&own, &mine[i]);
    gather_mentions(c, &own, &bytes, &samples, &n_samples);
    for (size_t r = 0; r < n_ranks; r++) {
        size_t cut = (r + 1) * n_samples / n_ranks, end = n;
        if (r + 1 < n_ranks)
            end = cut > 0 ? count_up_to(mine, n, &samples[cut - 1]) : 0;
        const char *first = from < end ? mine[from].packed : NULL;
        size_t len = from < end ? (size_t)(mine[end - 1].packed - first) + mur_mention_packed_bytes(&mine[end - 1]) : 0;
        outgoing[r] = (mur_buf){(char *)first, len, len}; /* borrowed, only read */
        from = end;
    }
    free(samples);
    mur_buf_clear(&bytes);
    mur_buf_clear(&own);
}

int mur_mention_reduce_slice(mur_mention_reduce *m, bool *is_last)
{
    free(m->slice.refs);
    m->slice.refs = NULL;
    m->slice.n = 0;
    mur_buf_reset(&m->slice.bytes);
    mur_fault_pass("count.sort");
    int rc = mur_agree(m->c, fill_window(m));
    if (rc < 0)
        return rc;
    if (is_alone(m)) {
        mur_buf whole = m->window;
        m->window = m->slice.bytes;
        m->slice.bytes = whole;
        *is_last = m->is_at_end;
    } else {
        size_t n;
        mur_mention_ref *window = mur_mention_refs(MUR_BY_TOTAL, mur_buf_view(&m->window), &n);
        size_t n_in = cut_slice(m, window, n, is_last);
        mur_buf *outgoing = mur_alloc((size_t)m->c->n_ranks, sizeof *outgoing);
        cut_runs(m->c, window, n_in, outgoing);
        mur_exchange(m->c, outgoing, &m->slice.bytes, NULL);
        m->n_packed += (int64_t)n_in;
        forget_window(m, n_in < n ? (size_t)(window[n_in].packed - m->window.ptr) : m->window.len);
        free(outgoing);
        free(window);
    }
    m->slice.refs = mur_mention_refs(MUR_BY_TOTAL, mur_buf_view(&m->slice.bytes), &m->slice.n);
    mur_mention_sort(m->slice.refs, m->slice.n);
    return 0;
}
