/* count.c: gold → application. Each rank counts a share of the rows of the former application and of gold's new ones;
 * mention_reduce.h makes of that the table, a slice at a time, which is written as parts. */
#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "mention_reduce.h"
#include "murmur/clock.h"
#include "murmur/fault.h"
#include "murmur/mem.h"
#include "murmur/tables.h"
#include "part_rows.h"

#define SLICE_ROWS 65536 /* rows read at a time */
#define MOST_PARTS 64    /* of a large table; a small one's are of a size that suits memory */

/* Rank 0's decision, told to all. */
typedef struct task {
    bool is_due;
    int64_t version;                      /* of application, that is to be made */
    int64_t former_version, gold_version; /* of gold: what application stands for (-1: nothing), and is to */
    mur_part_rows former;                 /* application's own, where they can be added to */
    mur_part_rows gold;
} task;

static void count_application(mur_mention_counts *t, const mur_frame *rows)
{
    for (size_t r = 0; r < rows->n_rows; r++) {
        mur_counts former = mur_application_counts(rows, r);
        mur_mention_counts_add(t, mur_frame_string(rows, r, MUR_APPLICATION_MENTION), &former);
    }
}

/* Collective. Each rank counts its share of the rows, the same for all but for one row, in order. */
static int count_rows(mur_mention_reduce *m, mur_job *j, mur_part_rows *from, bool is_former, int64_t *n_counted)
{
    int64_t n_rows = mur_part_rows_total(from), n_ranks = j->c->n_ranks;
    int64_t first = n_rows * j->c->rank / n_ranks, end = n_rows * (j->c->rank + 1) / n_ranks;
    mur_frame rows;
    mur_frame_init(&rows, is_former ? &mur_application_schema : &mur_gold_counted);
    int rc = mur_part_rows_check_together(from, j->c, j->options->store);
    for (bool is_settled = false; rc == 0 && !is_settled;) {
        for (int64_t n; rc == 0 && first < end && !mur_mention_reduce_is_full(m); first += n) {
            n = end - first < SLICE_ROWS ? end - first : SLICE_ROWS;
            mur_frame_reset(&rows);
            rc = MUR_STEP("count.read", mur_part_rows_read(from, j->options->store, first, n, &rows));
            if (rc == 0 && is_former)
                count_application(&m->counted, &rows);
            else if (rc == 0)
                mur_count_gold(&m->counted, &rows, j->options->is_folding_case, 0, 1);
            if (!is_former) {
                *n_counted += n;
                mur_meter_add(&j->meter, MUR_STREAM_APPLICATION, n);
            }
        }
        rc = mur_mention_reduce_settle(m, rc, first >= end, &is_settled);
    }
    j->counters.part_bytes_read += from->bytes_checked;
    mur_frame_clear(&rows);
    return rc;
}

/* The table as it grows: its rows go to parts by how many bytes of it stand before them, so that where a part ends
 * depends on the rows alone. */
typedef struct new_table {
    int64_t part_bytes;
    int64_t n_bytes; /* of all ranks' rows so far */
    int64_t n_slices;
    struct piece {
        int64_t part, order;
        mur_frame rows;
    } * pieces; /* this rank's, of parts that are not written yet, in order */
    size_t n_pieces, cap_pieces;
    mur_part *parts; /* written */
    size_t n_parts, cap_parts;
    int64_t next_part;
    int64_t n_rows, n_held_bytes; /* this rank's share */
} new_table;

static void clear_pieces(new_table *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mur_frame_clear(&t->pieces[i].rows);
    t->n_pieces -= n;
    if (t->n_pieces > 0)
        memmove(t->pieces, t->pieces + n, t->n_pieces * sizeof *t->pieces);
}

static void clear_table(new_table *t, const mur_job *j)
{
    clear_pieces(t, t->n_pieces);
    free(t->pieces);
    mur_job_discard(j, t->parts, t->n_parts);
    free(t->parts);
}

static mur_frame *begin_piece(new_table *t, int64_t part, int64_t order)
{
    if (t->n_pieces == t->cap_pieces) {
        t->cap_pieces = mur_grown(t->cap_pieces, t->n_pieces + 1);
        t->pieces = mur_realloc(t->pieces, t->cap_pieces, sizeof *t->pieces);
    }
    struct piece *new = &t->pieces[t->n_pieces++];
    *new = (struct piece){.part = part, .order = order};
    mur_frame_init(&new->rows, &mur_application_schema);
    return &new->rows;
}

static void add_row(mur_frame *rows, const mur_mention_ref *e)
{
    mur_counts counts = mur_mention_counts_of(e);
    mur_frame_add_row(rows);
    mur_frame_set_string(rows, MUR_APPLICATION_MENTION, mur_mention_of(e));
    mur_frame_set_int64(rows, MUR_APPLICATION_MIN_TIMESTAMP, counts.oldest);
    mur_frame_set_int64(rows, MUR_APPLICATION_MAX_TIMESTAMP, counts.newest);
    mur_frame_set_int64(rows, MUR_APPLICATION_NEGATIVE, counts.by_sentiment[MUR_NEG]);
    mur_frame_set_int64(rows, MUR_APPLICATION_NEUTRAL, counts.by_sentiment[MUR_NEU]);
    mur_frame_set_int64(rows, MUR_APPLICATION_POSITIVE, counts.by_sentiment[MUR_POS]);
    mur_frame_set_int64(rows, MUR_APPLICATION_TOTAL, mur_counts_total(&counts));
}

/* Collective. */
static void add_slice(new_table *t, const mur_mention_reduce *m)
{
    int64_t mine = 0, part = -1;
    for (size_t i = 0; i < m->slice.n; i++)
        mine += mur_mention_row_bytes(&m->slice.refs[i]);
    int64_t at = t->n_bytes + mur_sum_before(m->c, mine);
    t->n_bytes += mur_sum(m->c, mine);
    mur_frame *rows = NULL;
    for (size_t i = 0; i < m->slice.n; i++) {
        if (at / t->part_bytes != part) {
            part = at / t->part_bytes;
            rows = begin_piece(t, part, t->n_slices * m->c->n_ranks + m->c->rank);
        }
        add_row(rows, &m->slice.refs[i]);
        at += mur_mention_row_bytes(&m->slice.refs[i]);
    }
    t->n_slices++;
}

/* Collective. Writes the next part, for which all rows are there; a part in which none begins is left out. */
static int write_part(new_table *t, mur_job *j, int64_t version)
{
    size_t n = 0;
    int64_t n_rows = 0, bytes = 0;
    mur_piece *pieces = mur_alloc(t->n_pieces, sizeof *pieces);
    for (; n < t->n_pieces && t->pieces[n].part == t->next_part; n++) {
        pieces[n] = (mur_piece){t->pieces[n].order, &t->pieces[n].rows};
        n_rows += (int64_t)t->pieces[n].rows.n_rows;
        t->n_held_bytes += mur_frame_bytes(&t->pieces[n].rows);
    }
    t->n_rows += n_rows;
    int rc = 0;
    if (mur_sum(j->c, n_rows) > 0) {
        mur_part part;
        mur_part_options options = mur_job_part_options(j, version);
        options.number = t->next_part;
        rc = mur_part_write(&part, j->c, &mur_application_schema, pieces, n, &options, &bytes);
        j->counters.part_bytes_written += bytes;
        if (t->n_parts == t->cap_parts) {
            t->cap_parts = mur_grown(t->cap_parts, t->n_parts + 1);
            t->parts = mur_realloc(t->parts, t->cap_parts, sizeof *t->parts);
        }
        t->parts[t->n_parts++] = part;
    }
    free(pieces);
    clear_pieces(t, n);
    t->next_part++;
    return rc;
}

/* Whether all rows of the next part are there, and some are. */
static bool is_due(const new_table *t, bool is_whole)
{
    int64_t first = t->next_part * t->part_bytes, end = first + t->part_bytes;
    return is_whole ? first < t->n_bytes : end <= t->n_bytes;
}

/* Collective. Sorts what was counted, and writes it while it is sorted. */
static int write_table(new_table *t, mur_job *j, mur_mention_reduce *m, int64_t version)
{
    double start = mur_monotonic(), writing = 0;
    int rc = mur_mention_reduce_sort(m);
    t->part_bytes = m->limits.part > m->n_bytes / MOST_PARTS ? m->limits.part : m->n_bytes / MOST_PARTS + 1;
    for (bool is_last = false; rc == 0 && !is_last;) {
        rc = mur_mention_reduce_slice(m, &is_last);
        if (rc < 0)
            break;
        add_slice(t, m);
        double begun = mur_monotonic();
        while (rc == 0 && is_due(t, is_last))
            rc = write_part(t, j, version);
        writing += mur_monotonic() - begun;
    }
    j->counting.writing = writing;
    j->counters.write_seconds += writing;
    j->counters.merge_seconds += mur_monotonic() - start - writing;
    return rc;
}

static char *options_json(const mur_run_options *o)
{
    return mur_format("{\"fold_case\":%s}", o->is_folding_case ? "true" : "false");
}

/* Whether the application table's counts can be kept and added to: same options, gold has only grown since, and what it
 * grew by is still there by itself. */
static bool can_add(const mur_job *j, const mur_change *application, int64_t gold_version)
{
    char *options = options_json(j->options);
    bool is_same = strcmp(mur_store_maker(j->store, application)->options, options) == 0;
    free(options);
    for (int64_t v = application->input_version + 1; is_same && v <= gold_version; v++) {
        const mur_change *change = mur_store_change(j->store, "gold", v);
        if (mur_store_is_rewrite(j->store, change))
            continue;
        is_same = change->n_removed == 0;
        for (size_t i = 0; is_same && i < change->n_added; i++) /* put together with others since, then vacuumed */
            is_same = !mur_store_is_vacuumed(j->store, change->added[i].path);
    }
    return is_same;
}

/* The next version of gold after `version` that has other rows than the one before; one more than the last if there is
 * none. */
static int64_t next_news(const mur_job *j, int64_t version, int64_t last)
{
    for (version++; version <= last; version++)
        if (!mur_store_is_rewrite(j->store, mur_store_change(j->store, "gold", version)))
            break;
    return version;
}

bool mur_count_is_due(const mur_job *j)
{
    const mur_change *gold = mur_store_change(j->store, "gold", -1);
    const mur_change *application = mur_store_change(j->store, "application", -1);
    return gold && (!application || !can_add(j, application, gold->version) ||
                    next_news(j, application->input_version, gold->version) <= gold->version);
}

int64_t mur_count_rows(const mur_job *j)
{
    const mur_change *gold = mur_store_change(j->store, "gold", -1);
    const mur_change *application = mur_store_change(j->store, "application", -1);
    if (!gold || !application || !can_add(j, application, gold->version))
        return gold ? gold->n_rows : 0;
    int64_t n_rows = application->n_rows;
    for (int64_t v = application->input_version; (v = next_news(j, v, gold->version)) <= gold->version;) {
        const mur_change *change = mur_store_change(j->store, "gold", v);
        for (size_t i = 0; i < change->n_added; i++)
            n_rows += change->added[i].n_rows;
    }
    return n_rows;
}

/* Rank 0. */
static int add_table(const mur_job *j, mur_part_rows *to, const char *table)
{
    const mur_part **parts;
    size_t n;
    int rc = mur_store_parts(j->store, table, -1, &parts, &n);
    if (rc == 0) {
        mur_part_rows_add(to, parts, n);
        free(parts);
    }
    return rc;
}

/* Rank 0: what there is to count. */
static int make_task(const mur_job *j, task *t)
{
    const mur_change *gold = mur_store_change(j->store, "gold", -1);
    const mur_change *application = mur_store_change(j->store, "application", -1);
    if (!mur_count_is_due(j))
        return 0;
    bool is_adding = application && can_add(j, application, gold->version);
    t->is_due = true;
    t->version = application ? application->version + 1 : 0;
    t->former_version = is_adding ? application->input_version : -1;
    t->gold_version = gold->version;
    if (!is_adding)
        return add_table(j, &t->gold, "gold");
    for (int64_t v = application->input_version; (v = next_news(j, v, gold->version)) <= gold->version;) {
        const mur_change *change = mur_store_change(j->store, "gold", v);
        for (size_t i = 0; i < change->n_added; i++)
            mur_part_rows_add(&t->gold, &(const mur_part *){&change->added[i]}, 1);
    }
    return add_table(j, &t->former, "application");
}

/* Collective. */
static int agree_task(const mur_job *j, task *t)
{
    int rc = mur_agree(j->c, j->c->rank == 0 ? MUR_STEP("count.plan", make_task(j, t)) : 0);
    if (rc < 0)
        return rc;
    t->is_due = mur_broadcast_int64(j->c, t->is_due) != 0;
    t->version = mur_broadcast_int64(j->c, t->version);
    mur_part_rows_broadcast(&t->former, j->c);
    mur_part_rows_broadcast(&t->gold, j->c);
    return 0;
}

static void clear_task(task *t)
{
    mur_part_rows_clear(&t->former);
    mur_part_rows_clear(&t->gold);
}

/* Rank 0: the record that replaces the former application by the table's parts. */
static int publish(mur_job *j, int64_t version, new_table *t)
{
    mur_record r = {0};
    mur_job_record(j, &r, "AGGREGATE", options_json(j->options));
    mur_change *change = mur_record_change(&r, "application");
    change->version = version;
    change->columns = &mur_application_schema;
    change->input = mur_strdup("gold");
    change->input_version = mur_store_change(j->store, "gold", -1)->version;
    const mur_part **former;
    int rc = mur_store_parts(j->store, "application", -1, &former, &change->n_removed);
    if (rc == 0) {
        change->removed = mur_alloc(change->n_removed, sizeof *change->removed);
        for (size_t i = 0; i < change->n_removed; i++)
            change->removed[i] = mur_strdup(former[i]->path);
        free(former);
        change->added = t->parts; /* theirs to remove that publish them: until here clear_table does */
        change->n_added = t->n_parts;
        t->parts = NULL;
        t->n_parts = 0;
        rc = mur_store_publish(j->store, &r);
    }
    mur_record_clear(&r);
    return rc;
}

int mur_count(mur_job *j)
{
    const mur_comm *c = j->c;
    double start = mur_monotonic();
    mur_meter_phase(&j->meter, MUR_PHASE_COUNTING);
    mur_trigger_begin(&j->counting);
    task t = {0};
    int rc = agree_task(j, &t);
    if (rc < 0 || !t.is_due) {
        clear_task(&t);
        return rc;
    }
    mur_meter_count(&j->meter, t.version);
    mur_mention_reduce m;
    new_table made = {0};
    char *spare = mur_format("%s/application/_tmp-%s-counts", j->options->store, j->run_id);
    mur_mention_reduce_open(&m, c, spare, NULL);
    free(spare);
    mur_stream_share mine = {0};
    rc = count_rows(&m, j, &t.former, true, &mine.n_in);
    if (rc == 0)
        rc = count_rows(&m, j, &t.gold, false, &mine.n_in);
    j->counters.merge_seconds += mur_monotonic() - start;
    if (rc == 0)
        rc = write_table(&made, j, &m, t.version);
    mine.seconds = mur_monotonic() - start - j->counting.writing;
    j->counters.packed_records += m.n_packed;
    j->counters.temporary_bytes += m.n_spilled;
    j->counters.spilled_bytes += m.n_spilled;
    double written = mur_monotonic();
    if (rc == 0)
        rc = mur_agree(c, c->rank == 0 ? MUR_STEP("count.publish", publish(j, t.version, &made)) : 0);
    j->counting.commit = mur_monotonic() - written;
    if (rc == 0) {
        mine.n_out = made.n_rows;
        mine.n_bytes = made.n_held_bytes;
        mur_progress_line line = {.stream = MUR_STREAM_APPLICATION,
                                  .batch = t.version,
                                  .start_offset = t.former_version,
                                  .end_offset = t.gold_version,
                                  .latest_offset = t.gold_version};
        mur_told_sum_up(&line, 1, &mine, c, &j->counting, j->run_id);
        mur_meter_tell(&j->meter, &line, 1);
    }
    clear_table(&made, j);
    mur_mention_reduce_clear(&m);
    clear_task(&t);
    return rc;
}
