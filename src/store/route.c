#include "route.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "murmur/mem.h"

enum { ORDER, ROWS, BYTES }; /* a span's numbers; those of columns begin at BYTES */

static int check_pieces(const mur_schema *schema, const mur_piece *pieces, size_t n_pieces)
{
    for (size_t i = 0; i < n_pieces; i++) {
        const mur_schema *have = pieces[i].frame->schema;
        bool is_same = have->n_columns == schema->n_columns;
        for (size_t c = 0; is_same && c < schema->n_columns; c++)
            is_same = have->columns[c].type == schema->columns[c].type;
        if (!is_same)
            return mur_fail(MUR_EINTERNAL, "piece %" PRId64 " of table %s has other columns", pieces[i].order,
                            schema->table);
    }
    return 0;
}

static int by_order(const void *a, const void *b)
{
    int64_t x = ((const mur_span *)a)->numbers[ORDER], y = ((const mur_span *)b)->numbers[ORDER];
    return (x > y) - (x < y);
}

int mur_route_open(mur_route *r, const mur_comm *c, const mur_schema *schema, const mur_piece *pieces, size_t n_pieces)
{
    *r = (mur_route){.comm = c, .pieces = pieces};
    int rc = mur_agree(c, check_pieces(schema, pieces, n_pieces));
    if (rc < 0)
        return rc;

    mur_buf mine = {0};
    for (size_t i = 0; i < n_pieces; i++) {
        const mur_frame *f = pieces[i].frame;
        int64_t numbers[BYTES] = {pieces[i].order, (int64_t)f->n_rows};
        mur_buf_append(&mine, numbers, sizeof numbers);
        for (size_t k = 0; k < schema->n_columns; k++) {
            int64_t n = f->columns[k].offsets ? f->columns[k].offsets[f->n_rows] : 0;
            mur_buf_append(&mine, &n, sizeof n);
        }
    }
    size_t *ends = mur_alloc((size_t)c->n_ranks, sizeof *ends);
    mur_all_gather(c, mur_buf_view(&mine), &r->gathered, ends);
    mur_buf_clear(&mine);

    size_t width = BYTES + schema->n_columns, n_columns = schema->n_columns;
    const int64_t *numbers = (const int64_t *)(const void *)r->gathered.ptr;
    r->n_spans = r->gathered.len / (width * sizeof *numbers);
    r->spans = mur_alloc(r->n_spans, sizeof *r->spans);
    size_t at = 0;
    for (int rank = 0; rank < c->n_ranks; rank++)
        for (size_t piece = 0; at < ends[rank] / (width * sizeof *numbers); piece++, at++)
            r->spans[at] = (mur_span){.rank = rank, .piece = piece, .numbers = numbers + at * width};
    free(ends);
    qsort(r->spans, r->n_spans, sizeof *r->spans, by_order);

    r->n_bytes = mur_alloc(n_columns, sizeof *r->n_bytes);
    r->first_bytes = mur_alloc(r->n_spans * n_columns, sizeof *r->first_bytes);
    for (size_t i = 0; i < r->n_spans; i++) {
        mur_span *span = &r->spans[i];
        if (i > 0 && span[-1].numbers[ORDER] == span->numbers[ORDER])
            return mur_fail(MUR_EINTERNAL, "two pieces of table %s have order %" PRId64, schema->table,
                            span->numbers[ORDER]);
        int64_t *first_byte = r->first_bytes + i * n_columns;
        for (size_t k = 0; k < n_columns; k++) {
            first_byte[k] = r->n_bytes[k];
            r->n_bytes[k] += span->numbers[BYTES + k];
        }
        span->first_byte = first_byte;
        span->first_row = r->n_rows;
        r->n_rows += span->numbers[ROWS];
    }
    return 0;
}

void mur_route_close(mur_route *r)
{
    free(r->spans);
    free(r->n_bytes);
    free(r->first_bytes);
    mur_buf_clear(&r->gathered);
    *r = (mur_route){0};
}

/* The span's elements of a dataset. Offset 0 of a part belongs to no piece: each brings the ends of its rows. */
static void extent(const mur_span *span, const mur_dataset *d, int64_t *first, int64_t *end)
{
    if (d->kind == MUR_DATASET_BYTES) {
        *first = span->first_byte[d->column];
        *end = *first + span->numbers[BYTES + d->column];
    } else {
        *first = span->first_row + (d->kind == MUR_DATASET_OFFSETS ? 1 : 0);
        *end = *first + span->numbers[ROWS];
    }
}

/* Appends elements [from, from + n) of a piece, counted from the piece's first. */
static void append_elements(mur_buf *out, const mur_span *span, const mur_frame *f, const mur_dataset *d, int64_t from,
                            int64_t n)
{
    switch (d->kind) {
    case MUR_DATASET_VALID: mur_buf_append(out, f->valid + from, (size_t)n * sizeof *f->valid); break;
    case MUR_DATASET_NUMBER:
    case MUR_DATASET_BYTES:
        mur_buf_append(out, f->columns[d->column].bytes.ptr + (size_t)from * d->size, (size_t)n * d->size);
        break;
    case MUR_DATASET_OFFSETS: {
        const int64_t *row_ends = f->columns[d->column].offsets + 1 + from;
        for (int64_t i = 0; i < n; i++) { /* behind what may have any length: not aligned */
            int64_t end = span->first_byte[d->column] + row_ends[i];
            mur_buf_append(out, &end, sizeof end);
        }
    }
    }
}

/* This rank's elements of a dataset, to the ranks that hold them in the part. */
static void pack(const mur_route *r, const mur_dataset *d, const mur_cut *cut, mur_buf *outgoing)
{
    for (size_t i = 0; i < r->n_spans; i++) {
        const mur_span *span = &r->spans[i];
        int64_t first, end;
        extent(span, d, &first, &end);
        for (int rank = 0; span->rank == r->comm->rank && first < end && rank < cut->n_ranks; rank++) {
            int64_t low, high;
            mur_cut_range(cut, rank, &low, &high);
            low = low > first ? low : first;
            high = high < end ? high : end;
            if (low < high)
                append_elements(&outgoing[rank], span, r->pieces[span->piece].frame, d, low - first, high - low);
        }
    }
}

/* Each rank sent its elements in the part's order, so merging them is taking the spans in that order. `at`: where each
 * rank's next element is. */
static void merge(const mur_route *r, const mur_dataset *d, const mur_cut *cut, const mur_buf *incoming, size_t *at,
                  mur_buf *out)
{
    int64_t mine, my_end;
    mur_cut_range(cut, r->comm->rank, &mine, &my_end);
    size_t want = (size_t)(my_end - mine) * d->size, before = out->len;
    mur_buf_reserve(out, want);
    if (d->kind == MUR_DATASET_OFFSETS && mine == 0 && my_end > 0) {
        static const int64_t zero = 0;
        mur_buf_append(out, &zero, sizeof zero);
    }
    for (size_t i = 0; i < r->n_spans; i++) {
        int64_t low, high;
        extent(&r->spans[i], d, &low, &high);
        low = low > mine ? low : mine;
        high = high < my_end ? high : my_end;
        if (low >= high)
            continue;
        size_t len = (size_t)(high - low) * d->size;
        mur_buf_append(out, incoming->ptr + at[r->spans[i].rank], len);
        at[r->spans[i].rank] += len;
    }
    assert(out->len - before == want);
    (void)before;
}

void mur_route_datasets(const mur_route *r, const mur_dataset *sets, const mur_cut *cuts, size_t n, mur_buf *outs)
{
    int n_ranks = r->comm->n_ranks;
    mur_buf *outgoing = mur_alloc((size_t)n_ranks, sizeof *outgoing), incoming = {0};
    size_t *ends = mur_alloc(2 * (size_t)n_ranks, sizeof *ends), *at = ends + n_ranks;
    for (size_t i = 0; i < n; i++)
        pack(r, &sets[i], &cuts[i], outgoing);
    mur_exchange(r->comm, outgoing, &incoming, ends);
    for (int rank = 0; rank < n_ranks; rank++) {
        at[rank] = rank > 0 ? ends[rank - 1] : 0;
        mur_buf_clear(&outgoing[rank]);
    }
    for (size_t i = 0; i < n; i++)
        merge(r, &sets[i], &cuts[i], &incoming, at, &outs[i]);
    mur_buf_clear(&incoming);
    free(ends);
    free(outgoing);
}
