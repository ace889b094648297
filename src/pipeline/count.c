/* count.c: gold → application. Each rank counts a share of the new rows, the counts go to the rank that owns the
 * mention by its hash, are merged there with the former application table, and are then sorted over all ranks by
 * sampling. */
#include <assert.h>
#include <stdlib.h>

#include "job.h"
#include "mention_counts.h"
#include "murmur/clock.h"
#include "murmur/fault.h"
#include "murmur/hash.h"
#include "murmur/mem.h"
#include "murmur/tables.h"
#include "part_rows.h"

#define SLICE_ROWS 65536 /* rows read at a time */
#define SAMPLES_PER_RANK 64

typedef struct entry {
    mur_view mention;
    mur_counts counts;
} entry;

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

/* Counts this rank's share of the rows, the same for all ranks but for one row, in order. */
static int count_share(mur_mention_counts *t, mur_job *j, mur_part_rows *from, bool is_former, int64_t *n_counted)
{
    int64_t n_rows = mur_part_rows_total(from), n_ranks = j->c->n_ranks;
    int64_t first = n_rows * j->c->rank / n_ranks, end = n_rows * (j->c->rank + 1) / n_ranks;
    mur_frame rows;
    mur_frame_init(&rows, is_former ? &mur_application_schema : &mur_gold_counted);
    int rc = 0;
    for (int64_t n; rc == 0 && first < end; first += n) {
        n = end - first < SLICE_ROWS ? end - first : SLICE_ROWS;
        mur_frame_reset(&rows);
        rc = MUR_STEP("count.read", mur_part_rows_read(from, j->options->store, first, n, &rows));
        if (rc == 0 && is_former)
            count_application(t, &rows);
        else if (rc == 0)
            mur_count_gold(t, &rows, j->options->is_folding_case, 0, 1);
        if (!is_former) {
            *n_counted += n;
            mur_meter_add(&j->meter, MUR_STREAM_APPLICATION, n);
        }
    }
    j->counters.part_bytes_read += from->bytes_opened;
    mur_frame_clear(&rows);
    return rc;
}

static void pack(mur_buf *out, mur_view mention, const mur_counts *c)
{
    uint32_t len = (uint32_t)mention.len;
    mur_buf_append(out, &len, sizeof len);
    mur_buf_append_view(out, mention);
    mur_buf_append(out, c, sizeof *c);
}

/* The next entry of packed bytes; its mention is borrowed from them. */
static bool unpack(entry *e, mur_view *bytes)
{
    if (bytes->len == 0)
        return false;
    uint32_t len;
    memcpy(&len, bytes->ptr, sizeof len);
    assert(bytes->len >= sizeof len + len + sizeof e->counts);
    e->mention = (mur_view){bytes->ptr + sizeof len, len};
    memcpy(&e->counts, e->mention.ptr + len, sizeof e->counts);
    size_t used = sizeof len + len + sizeof e->counts;
    *bytes = (mur_view){bytes->ptr + used, bytes->len - used};
    return true;
}

static entry *unpack_all(mur_view bytes, size_t *n)
{
    entry *entries = NULL, e;
    size_t cap = 0;
    for (*n = 0; unpack(&e, &bytes); ++*n) {
        if (*n == cap) {
            cap = mur_grown(cap, *n + 1);
            entries = mur_realloc(entries, cap, sizeof *entries);
        }
        entries[*n] = e;
    }
    return entries;
}

static mur_buf *buffers_new(const mur_comm *c)
{
    return mur_alloc((size_t)c->n_ranks, sizeof(mur_buf));
}

static void buffers_free(const mur_comm *c, mur_buf *buffers)
{
    for (int r = 0; r < c->n_ranks; r++)
        mur_buf_clear(&buffers[r]);
    free(buffers);
}

/* Collective. Every mention's counts meet on the rank that its hash names; `t` becomes that rank's mentions. */
static void send_to_owners(mur_mention_counts *t, const mur_comm *c)
{
    mur_buf *outgoing = buffers_new(c), incoming = {0};
    for (size_t k = 0; k < t->mentions.n_keys; k++) {
        mur_view mention = mur_map_key(&t->mentions, k);
        uint64_t owner = mur_hash(mention.ptr, mention.len) % (uint64_t)c->n_ranks;
        pack(&outgoing[owner], mention, &t->counts[k]);
    }
    mur_exchange(c, outgoing, &incoming, NULL);
    buffers_free(c, outgoing);

    mur_mention_counts_clear(t);
    mur_view left = mur_buf_view(&incoming);
    for (entry e; unpack(&e, &left);)
        mur_mention_counts_add(t, e.mention, &e.counts);
    mur_buf_clear(&incoming);
}

/* Application's order: total descending, then mention in byte order. No two entries are equal. */
static int by_total(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    int64_t tx = mur_counts_total(&x->counts), ty = mur_counts_total(&y->counts);
    return tx != ty ? (tx < ty ? 1 : -1) : mur_view_compare(x->mention, y->mention);
}

static void sort(entry *entries, size_t n)
{
    if (n > 1)
        qsort(entries, n, sizeof *entries, by_total);
}

/* Collective. The n_ranks - 1 entries that part the job's entries into about equal runs, from evenly spaced samples of
 * each rank's sorted ones. Borrowed from `samples`. */
static entry *find_splitters(const mur_comm *c, const entry *mine, size_t n, mur_buf *samples, size_t *n_splitters)
{
    mur_buf own = {0};
    for (size_t i = 0; i < SAMPLES_PER_RANK && n > 0; i++)
        pack(&own, mine[i * n / SAMPLES_PER_RANK].mention, &mine[i * n / SAMPLES_PER_RANK].counts);
    mur_all_gather(c, mur_buf_view(&own), samples, NULL);
    mur_buf_clear(&own);

    size_t n_samples;
    entry *splitters = unpack_all(mur_buf_view(samples), &n_samples);
    sort(splitters, n_samples);
    *n_splitters = n_samples ? (size_t)c->n_ranks - 1 : 0;
    for (size_t i = 0; i < *n_splitters; i++) /* in place: never reads behind what it wrote */
        splitters[i] = splitters[(i + 1) * n_samples / (size_t)c->n_ranks];
    return splitters;
}

/* Collective. Sorts the job's mentions over the ranks, rank 0 first, into `rows` of the application's schema. */
static void sort_globally(const mur_comm *c, const mur_mention_counts *t, mur_frame *rows)
{
    size_t n = t->mentions.n_keys, n_splitters, to = 0;
    entry *mine = mur_alloc(n, sizeof *mine);
    for (size_t k = 0; k < n; k++)
        mine[k] = (entry){mur_map_key(&t->mentions, k), t->counts[k]};
    sort(mine, n);

    mur_buf samples = {0}, incoming = {0};
    entry *splitters = find_splitters(c, mine, n, &samples, &n_splitters);
    mur_buf *outgoing = buffers_new(c);
    for (size_t k = 0; k < n; k++) {
        while (to < n_splitters && by_total(&mine[k], &splitters[to]) >= 0)
            to++;
        pack(&outgoing[to], mine[k].mention, &mine[k].counts);
    }
    mur_exchange(c, outgoing, &incoming, NULL);
    buffers_free(c, outgoing);
    free(splitters);
    mur_buf_clear(&samples);
    free(mine);

    entry *run = unpack_all(mur_buf_view(&incoming), &n);
    sort(run, n);
    for (size_t k = 0; k < n; k++) {
        mur_frame_add_row(rows);
        mur_frame_set_string(rows, MUR_APPLICATION_MENTION, run[k].mention);
        mur_frame_set_int64(rows, MUR_APPLICATION_MIN_TIMESTAMP, run[k].counts.oldest);
        mur_frame_set_int64(rows, MUR_APPLICATION_MAX_TIMESTAMP, run[k].counts.newest);
        mur_frame_set_int64(rows, MUR_APPLICATION_NEGATIVE, run[k].counts.by_sentiment[MUR_NEG]);
        mur_frame_set_int64(rows, MUR_APPLICATION_NEUTRAL, run[k].counts.by_sentiment[MUR_NEU]);
        mur_frame_set_int64(rows, MUR_APPLICATION_POSITIVE, run[k].counts.by_sentiment[MUR_POS]);
        mur_frame_set_int64(rows, MUR_APPLICATION_TOTAL, mur_counts_total(&run[k].counts));
    }
    free(run);
    mur_buf_clear(&incoming);
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
    bool is_same = strcmp(mur_store_record_of(j->store, application)->options, options) == 0;
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
    if (!gold)
        return 0;
    bool is_adding = application && can_add(j, application, gold->version);
    if (is_adding && next_news(j, application->input_version, gold->version) > gold->version)
        return 0;
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

/* Rank 0: the record that replaces the former application by `part`. */
static int publish(mur_job *j, int64_t version, mur_part *part)
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
        if (part->path) {
            change->added = mur_alloc(1, sizeof *change->added);
            change->added[0] = *part;
            change->n_added = 1;
            *part = (mur_part){0};
        }
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
    mur_mention_counts counted = {0};
    mur_frame rows;
    mur_part part = {0};
    mur_frame_init(&rows, &mur_application_schema);
    mur_stream_share mine = {0};
    rc = count_share(&counted, j, &t.former, true, &mine.n_in);
    if (rc == 0)
        rc = count_share(&counted, j, &t.gold, false, &mine.n_in);
    rc = mur_agree(c, rc);
    if (rc == 0) {
        mur_fault_pass("count.merge");
        j->counters.packed_records += (int64_t)counted.mentions.n_keys;
        send_to_owners(&counted, c);
        mur_fault_pass("count.sort");
        j->counters.packed_records += (int64_t)counted.mentions.n_keys;
        sort_globally(c, &counted, &rows);
        mine.seconds = mur_monotonic() - start;
        j->counters.merge_seconds += mine.seconds;
    }
    int64_t n_rows = rc == 0 ? mur_sum(c, (int64_t)rows.n_rows) : 0;
    if (n_rows > 0) {
        double begun = mur_monotonic();
        mur_part_options options = mur_job_part_options(j, t.version);
        int64_t written = 0;
        rc = mur_part_write(&part, c, &mur_application_schema, &(mur_piece){c->rank, &rows}, 1, &options, &written);
        j->counters.part_bytes_written += written;
        j->counting.writing = mur_monotonic() - begun;
        j->counters.write_seconds += j->counting.writing;
    }
    double written = mur_monotonic();
    if (rc == 0)
        rc = mur_agree(c, c->rank == 0 ? MUR_STEP("count.publish", publish(j, t.version, &part)) : 0);
    j->counting.commit = mur_monotonic() - written;
    if (rc == 0) {
        mine.n_out = (int64_t)rows.n_rows;
        mine.n_bytes = mur_frame_bytes(&rows);
        mur_progress_line line = {.stream = MUR_STREAM_APPLICATION,
                                  .batch = t.version,
                                  .start_offset = t.former_version,
                                  .end_offset = t.gold_version,
                                  .latest_offset = t.gold_version};
        mur_told_sum_up(&line, 1, &mine, c, &j->counting, j->run_id);
        mur_meter_tell(&j->meter, &line, 1);
    }

    mur_part_clear(&part);
    mur_frame_clear(&rows);
    mur_mention_counts_clear(&counted);
    clear_task(&t);
    return rc;
}
