#include "checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint_rows.h"
#include "file_hash.h"
#include "murmur/fault.h"
#include "murmur/file.h"
#include "murmur/hash.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "part_read.h"

/* A checkpoint is written when so much has come since the last: then opening reads at most that from records. */
#ifdef MURMUR_FAULTS
#define DUE_RECORDS 3 /* so that tests, whose stores are small, come there */
#else
#define DUE_RECORDS 256
#endif
#define DUE_SOURCES 100000

/* What a row costs, roughly: a record's document is as long as sixteen source files. Checkpoints are merged up to the
 * limit, which bounds the memory and the pause that writing one takes (100 MB, a second). */
#define RECORD_WEIGHT 16
#define MOST_WEIGHT (1 << 18)

/* Rows that are held at once while a checkpoint is read. */
#define SLAB_ROWS 16384

/* MUR_EDATA if a record below `end` is not there; `why` tells that it was. One that the listing lacks may have come
 * while it was made. */
static int check_gapless(const mur_log_listing *l, const char *log_folder, int64_t end, const char *why)
{
    int64_t number = 0;
    for (size_t i = 0; number < end; number++) {
        if (i < l->n_records && l->records[i] == number) {
            i++;
            continue;
        }
        char *path = mur_state_record_path(log_folder, number);
        bool is_there = mur_path_exists(path);
        free(path);
        if (!is_there)
            return mur_fail(MUR_EDATA, "%s: record %" PRId64 " is missing and %s: the log is damaged", log_folder,
                            number, why);
    }
    return 0;
}

/* Opens a checkpoint's file whose bytes are those that its name tells: HDF5 is not given damaged ones. MUR_ENOINPUT if
 * it is not there any more. */
static int open_segment(mur_part_reader **r, const char *folder, const char *path, const mur_segment *segment)
{
    *r = NULL;
    struct stat about;
    uint64_t hash = 0;
    char *full = mur_path_join(folder, path);
    int rc = 0;
    if (stat(full, &about) < 0)
        rc = mur_fail_errno(errno == ENOENT ? MUR_ENOINPUT : MUR_EIO, "cannot stat it");
    else
        rc = mur_file_hash(full, (int64_t)about.st_size, &hash);
    if (rc == 0 && hash != segment->hash)
        rc = mur_fail(MUR_EDATA, "its bytes are not those that were written");
    if (rc == 0)
        rc = mur_part_open_file(r, folder, path);
    if (rc == 0 &&
        (strcmp(mur_part_table(*r), mur_checkpoint_schema.table) != 0 || mur_part_version(*r) != segment->to)) {
        rc = mur_fail(MUR_EDATA, "it is another table's");
        mur_part_close(r);
    }
    free(full);
    return rc;
}

/* Slab by slab, so that memory does not grow with the checkpoint. */
static int fold_segment(mur_store *s, mur_part_reader *r, const char *path, const mur_segment *segment)
{
    int rc = 0;
    mur_frame rows;
    mur_frame_init(&rows, &mur_checkpoint_schema);
    for (int64_t first = 0, n_rows = mur_part_n_rows(r); first < n_rows && rc == 0; first += SLAB_ROWS) {
        mur_frame_reset(&rows);
        rc = mur_part_read(r, first, n_rows - first < SLAB_ROWS ? n_rows - first : SLAB_ROWS, &rows);
        if (rc == 0)
            rc = mur_checkpoint_rows_fold(s, &rows, path);
    }
    mur_frame_clear(&rows);
    if (rc == 0 && (int64_t)s->n_records != segment->to)
        rc = mur_fail(MUR_EDATA, "it ends before record %" PRId64, segment->to);
    return rc;
}

static void keep_segment(mur_store *s, const mur_segment *segment)
{
    if (s->n_segments == s->cap_segments) {
        s->cap_segments = mur_grown(s->cap_segments, s->n_segments + 1);
        s->segments = mur_realloc(s->segments, s->cap_segments, sizeof *s->segments);
    }
    s->segments[s->n_segments++] = *segment;
}

/* The first record that the checkpoints in hand do not cover. */
static int64_t covered(const mur_store *s)
{
    return s->n_segments > 0 ? s->segments[s->n_segments - 1].to : 0;
}

enum { LOADED, LEFT_OUT, VANISHED, WRONG };

/* Folds a checkpoint that begins where the state ends. LEFT_OUT: it is damaged, and the state is as it was; WRONG: it
 * is whole and wrong, and the state is half a record's. */
static int load_segment(mur_store *s, const mur_segment *segment)
{
    char *name = mur_segment_name(segment), *path = mur_path_join("_log", name);
    mur_part_reader *r;
    int verdict = LOADED, rc = open_segment(&r, s->folder, path, segment);
    if (rc < 0)
        verdict = rc == MUR_ENOINPUT ? VANISHED : LEFT_OUT;
    else if (fold_segment(s, r, path, segment) < 0)
        verdict = WRONG;
    else if (covered(s) == segment->from)
        keep_segment(s, segment);
    mur_part_close(&r);
    if (verdict == LEFT_OUT || verdict == WRONG)
        mur_log_warn("%s/%s is damaged (%s): the records are read instead", s->folder, path, mur_error_last()->message);
    free(path);
    free(name);
    return verdict;
}

/* The longest checkpoint that begins where the state ends, or NULL; `*next` is where the next one begins. */
static mur_segment *find_segment(const mur_store *s, mur_log_listing *l, int64_t *next)
{
    mur_segment *best = NULL;
    int64_t here = (int64_t)s->n_records;
    *next = INT64_MAX;
    for (size_t i = 0; i < l->n_segments; i++) {
        mur_segment *segment = &l->segments[i];
        if (segment->from == here && (!best || segment->to > best->to))
            best = segment;
        if (segment->from > here && segment->from < *next)
            *next = segment->from;
    }
    return best;
}

/* Goes on from the state's end with what was listed; VANISHED where a checkpoint was there and is gone. */
static int load_listed(mur_store *s, mur_log_listing *l)
{
    for (;;) {
        int64_t next;
        mur_segment *segment = find_segment(s, l, &next);
        if (segment) {
            int verdict = load_segment(s, segment);
            if (verdict == VANISHED || verdict == WRONG)
                return verdict;
            int rc = verdict == LOADED ? check_gapless(l, s->log_folder, segment->to, "a checkpoint has it") : 0;
            if (rc < 0)
                return rc;
            segment->from = -1; /* not again */
        } else if (next < INT64_MAX) {
            int rc = mur_state_next(s);
            if (rc < 0)
                return rc == MUR_ENOINPUT ? 0 : rc;
        } else {
            return 0;
        }
    }
}

/* A writer merges checkpoints, and removes those that it merged, while readers open. */
#define MAX_LISTINGS 10

int mur_checkpoint_load(mur_store *s)
{
    int rc = VANISHED;
    for (int i = 0; rc == VANISHED && i < MAX_LISTINGS; i++) {
        mur_log_listing l;
        rc = mur_log_list(&l, s->log_folder);
        if (rc == 0)
            rc = check_gapless(&l, s->log_folder, l.n_records > 0 ? l.records[l.n_records - 1] + 1 : 0,
                               "later ones are there");
        if (rc == 0)
            rc = load_listed(s, &l);
        mur_log_listing_clear(&l);
    }
    if (rc == WRONG)
        mur_state_clear(s);
    return rc < 0 ? rc : mur_state_catch_up(s);
}

static int64_t weight_of(const mur_store *s, int64_t from, int64_t to)
{
    int64_t weight = 0;
    for (int64_t i = from; i < to; i++)
        weight += RECORD_WEIGHT + (int64_t)s->records[i].n_sources;
    return weight;
}

static bool is_due(const mur_store *s)
{
    int64_t end = (int64_t)s->n_records, from = covered(s);
    from = from > s->checkpoint_tried ? from : s->checkpoint_tried;
    return end - from >= DUE_RECORDS || weight_of(s, from, end) - RECORD_WEIGHT * (end - from) >= DUE_SOURCES;
}

/* Writes records [from, to) as a part of the log's folder, which then gets a checkpoint's name. */
static int write_segment(mur_segment *out, const mur_store *s, int64_t from, int64_t to, const char *run_id)
{
    *out = (mur_segment){.from = from, .to = to};
    size_t first_source = 0;
    for (int64_t i = 0; i < from; i++)
        first_source += s->records[i].n_sources;
    mur_frame rows;
    mur_frame_init(&rows, &mur_checkpoint_schema);
    mur_checkpoint_rows_add(&rows, s, from, to, first_source);

    mur_comm alone = mur_comm_alone();
    mur_piece piece = {.frame = &rows};
    mur_part_options options = {.store = s->folder, .run_id = run_id, .version = to, .compress = 1};
    mur_part part;
    int64_t bytes_written;
    int rc = MUR_STEP("checkpoint.write",
                      mur_part_write(&part, &alone, &mur_checkpoint_schema, &piece, 1, &options, &bytes_written));
    mur_frame_clear(&rows);
    if (rc < 0)
        return rc;
    out->hash = part.file_hash;
    char *name = mur_segment_name(out), *final = mur_path_join(s->log_folder, name);
    char *written = mur_path_join(s->folder, part.path);
    /* There already: a writer ended after this step, or was halted in it. The name says that it is the same. */
    if (mur_fault("checkpoint.link") < 0 || (link(written, final) < 0 && errno != EEXIST))
        rc = mur_fail_errno(MUR_EIO, "cannot name the checkpoint %s", final);
    unlink(written);
    if (rc == 0)
        rc = MUR_STEP("checkpoint.folder", mur_file_sync(s->log_folder));
    free(name);
    free(final);
    free(written);
    mur_part_clear(&part);
    return rc;
}

/* Removes checkpoints of [from, to) and of ranges within, but for those in hand. */
static void remove_merged(const mur_store *s, int64_t from, int64_t to)
{
    mur_log_listing l;
    if (mur_log_list(&l, s->log_folder) < 0)
        return; /* they stay, and do no harm */
    for (size_t i = 0; i < l.n_segments; i++) {
        const mur_segment *old = &l.segments[i];
        bool is_kept = old->from < from || old->to > to;
        for (size_t k = 0; k < s->n_segments && !is_kept; k++)
            is_kept =
                old->from == s->segments[k].from && old->to == s->segments[k].to && old->hash == s->segments[k].hash;
        if (is_kept)
            continue;
        char *name = mur_segment_name(old), *path = mur_path_join(s->log_folder, name);
        unlink(path);
        free(name);
        free(path);
    }
    mur_log_listing_clear(&l);
}

void mur_checkpoint_keep_up(mur_store *s, const char *run_id)
{
    if (!is_due(s))
        return;
    int64_t end = (int64_t)s->n_records, from = covered(s), weight = weight_of(s, from, end);
    s->checkpoint_tried = end;
    /* Each swallows those before it that are no heavier than itself: so their number grows with the logarithm of the
     * log's, and each record is written again as often. */
    size_t n_kept = s->n_segments;
    while (n_kept > 0) {
        const mur_segment *last = &s->segments[n_kept - 1];
        int64_t more = weight_of(s, last->from, last->to);
        if (more > weight || more + weight > MOST_WEIGHT)
            break;
        weight += more;
        from = last->from;
        n_kept--;
    }
    s->n_segments = n_kept;
    for (int64_t first = from, to; first < end; first = to) {
        mur_segment segment;
        int64_t sum = 0;
        for (to = first; to < end && (to == first || sum + weight_of(s, to, to + 1) <= MOST_WEIGHT); to++)
            sum += weight_of(s, to, to + 1);
        if (write_segment(&segment, s, first, to, run_id) < 0) {
            mur_log_warn("no checkpoint of the log is written, and opening %s stays slow: %s", s->folder,
                         mur_error_last()->message);
            return;
        }
        keep_segment(s, &segment);
    }
    remove_merged(s, from, end);
}

int mur_checkpoint_verify(const mur_store *s, const char *folder, const mur_segment *segment)
{
    char *name = mur_segment_name(segment), *path = mur_path_join("_log", name);
    mur_part_reader *r;
    uint64_t is = 0, should = 0;
    int rc = open_segment(&r, folder, path, segment);
    if (rc == 0)
        rc = mur_part_hash(r, &is);
    if (rc == 0 && s && segment->to > (int64_t)s->n_records)
        rc = mur_fail(MUR_EDATA, "it has records up to %" PRId64 " and the log has not", segment->to - 1);
    if (rc == 0 && s) {
        size_t first_source = 0;
        for (int64_t i = 0; i < segment->from; i++)
            first_source += s->records[i].n_sources;
        mur_frame rows;
        mur_frame_init(&rows, &mur_checkpoint_schema);
        mur_checkpoint_rows_add(&rows, s, segment->from, segment->to, first_source);
        should = mur_checkpoint_rows_hash(&rows);
        mur_frame_clear(&rows);
        if (is != should)
            rc = mur_fail(MUR_EDATA, "it says other than the records do");
    }
    mur_part_close(&r);
    free(path);
    free(name);
    return rc;
}
