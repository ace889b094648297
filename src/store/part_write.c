/* Writing a part: steps 1 to 5 of a commit. Each step is prepared locally, agreed, done together, agreed. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cut.h"
#include "file_hash.h"
#include "h5.h"
#include "murmur/fault.h"
#include "murmur/file.h"
#include "murmur/hash.h"
#include "murmur/mem.h"
#include "murmur/quantity.h"
#include "murmur/schema.h"
#include "part_read.h"
#include "route.h"
#include "watchdog.h"

/* Of one H5Dwrite on one rank: MPI-IO counts in ints, and Open MPI had faults above 2 GB. */
#ifndef MUR_WRITE_BYTES
#define MUR_WRITE_BYTES (512 << 20)
#endif

typedef struct writer {
    const mur_comm *comm;
    const mur_schema *schema;
    const mur_part_options *options;
    mur_comm writers; /* that open the file: the whole job, or on rank 0 that one alone */
    bool is_small;    /* written by rank 0 alone, all datasets exchanged at once */
    int n_writers;
    mur_route route;
    mur_layout layout;
    uint64_t *blocks; /* hashes of all blocks: this rank's while writing, everyone's after gather_hashes */
    uint64_t hash;
    int64_t bytes_written;
    int64_t file_bytes;
    uint64_t file_hash;
    char *folder;                      /* STORE/TABLE */
    char *spare;                       /* full path of the file that holds room for the last write */
    char *temporary, *final;           /* full paths */
    char *temporary_path, *final_path; /* relative to the store */
    bool is_reserved;                  /* rank 0: the temporary file is ours */
    mur_watchdog watchdog;
} writer;

static mur_cut cut_of(const writer *w, size_t set)
{
    return mur_cut_of(&w->layout, set, w->n_writers);
}

static bool is_writer(const writer *w)
{
    return w->comm->rank < w->n_writers;
}

/* The blocks [*first, *end) of a dataset that a rank hashes and writes. */
static void block_range(const writer *w, size_t set, int rank, int64_t *first, int64_t *end)
{
    mur_cut cut = cut_of(w, set);
    int64_t block = w->layout.sets[set].block;
    mur_cut_range(&cut, rank, first, end);
    *first = (*first + block - 1) / block; /* a multiple already, but for the end of the dataset */
    *end = (*end + block - 1) / block;
}

static int name_files(writer *w)
{
    const mur_part_options *o = w->options;
    if (!*o->run_id || strchr(o->run_id, '/'))
        return mur_fail(MUR_EINTERNAL, "run id \"%s\" cannot be part of a file name", o->run_id);
    char *name = o->number > 0 ? mur_format("%020" PRId64 "-%s-%06" PRId64 ".h5", o->version, o->run_id, o->number)
                               : mur_format("%020" PRId64 "-%s.h5", o->version, o->run_id);
    w->folder = mur_path_join(o->store, w->schema->table);
    w->temporary_path = mur_format("%s/_tmp-%s", w->schema->table, name);
    w->final_path = mur_format("%s/part-%s", w->schema->table, name);
    w->spare = mur_format("%s/%s/_tmp-%s.spare", o->store, w->schema->table, name);
    w->temporary = mur_path_join(o->store, w->temporary_path);
    w->final = mur_path_join(o->store, w->final_path);
    free(name);
    return 0;
}

/* The writers together write the file's own structures when it is closed. HDF5 1.10 does not survive a failure there:
 * the ranks it happens to leave the others waiting, and the handle stays. Other failures it reports, or the read-back
 * finds them. So some room is held in a file of its own and given free just before: a disk or a quota that fills up
 * while the rows are written is not full then. Generous, from measurements: 2 to 6 KiB per dataset, 33 bytes per chunk.
 */
#define SPARE_BYTES 65536
#define SPARE_BYTES_PER_SET 8192
#define SPARE_BYTES_PER_CHUNK 64

/* Rank 0. */
static int hold_spare(writer *w)
{
    size_t len = SPARE_BYTES + w->layout.n_sets * SPARE_BYTES_PER_SET;
    for (size_t set = 0; set < w->layout.n_sets; set++)
        len += (size_t)cut_of(w, set).n_chunks * SPARE_BYTES_PER_CHUNK;
    char *zeros = mur_alloc(len, 1);
    int rc = MUR_STEP("part.spare", mur_file_write(w->spare, (mur_view){zeros, len}));
    if (w->options->temporary_bytes)
        *w->options->temporary_bytes += (int64_t)len;
    free(zeros);
    return rc;
}

/* All writers. */
static void release_spare(const writer *w)
{
    if (w->comm->rank == 0)
        unlink(w->spare);
    mur_barrier(&w->writers);
}

/* The bytes of datasets from number `set` on, not compressed. */
static int64_t raw_bytes(const writer *w, size_t set)
{
    int64_t sum = 0;
    for (; set < w->layout.n_sets; set++)
        sum += w->layout.sets[set].n * (int64_t)w->layout.sets[set].size;
    return sum;
}

static int check_room(const writer *w, int64_t need)
{
    int64_t have;
    int rc = mur_path_space(&have, w->folder);
    if (rc < 0 || have >= need)
        return rc;
    char need_text[MUR_QUANTITY_TEXT], have_text[MUR_QUANTITY_TEXT];
    return mur_fail(MUR_EIO, "%s has %s free and a new part needs up to %s: free some space and run again", w->folder,
                    mur_size_format(have_text, have), mur_size_format(need_text, need));
}

/* Rank 0: the table's folder is there, has room, and has a fresh temporary file of ours. */
static int reserve(writer *w)
{
    if (!mur_path_is_folder(w->folder)) {
        int made = mur_folder_make(w->folder);
        if (made < 0)
            return made;
    }
    int64_t raw = raw_bytes(w, 0);
    int rc = check_room(w, raw + raw / 2);
    if (rc < 0)
        return rc;
    int fd = MUR_STEP("part.create", open(w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (fd < 0)
        return mur_fail_errno(MUR_ECREATE, "cannot create %s", w->temporary);
    close(fd);
    w->is_reserved = true;
    return hold_spare(w);
}

static int put_root(const writer *w, hid_t file)
{
    mur_buf schema = {0};
    mur_schema_format(&schema, w->schema);
    int rc = mur_h5_put_int64(file, "murmur_format", MUR_PART_FORMAT);
    if (rc == 0)
        rc = mur_h5_put_text(file, "table", w->schema->table);
    if (rc == 0)
        rc = mur_h5_put_int64(file, "version", w->options->version);
    if (rc == 0)
        rc = mur_h5_put_int64(file, "n_rows", w->route.n_rows);
    if (rc == 0)
        rc = mur_h5_put_text(file, "description", w->schema->description);
    if (rc == 0)
        rc = mur_h5_put_text(file, "schema", mur_buf_text(&schema));
    if (rc == 0)
        rc = mur_h5_put_int64(file, "hash_block_rows", MUR_BLOCK_ROWS);
    if (rc == 0)
        rc = mur_h5_put_int64(file, "hash_block_bytes", MUR_BLOCK_BYTES);
    mur_buf_clear(&schema);
    return rc;
}

/* What a column's dataset, or a string column's group, says of itself. */
static int put_column(const writer *w, hid_t object, size_t c)
{
    const mur_column *column = &w->schema->columns[c];
    int rc = mur_h5_put_text(object, "description", column->description);
    if (rc == 0)
        rc = mur_h5_put_int64(object, "valid_bit", (int64_t)c);
    if (rc == 0 && column->type == MUR_TIMESTAMP)
        rc = mur_h5_put_text(object, "units", "milliseconds since 1970-01-01T00:00:00Z");
    return rc;
}

static int make_group(const writer *w, hid_t file, size_t c)
{
    mur_h5scope scope = {0};
    char *name = mur_layout_name(w->schema->columns[c].name);
    hid_t list = mur_h5_hold(&scope, H5Pcreate(H5P_GROUP_CREATE));
    hid_t group = -1;
    if (list >= 0 && H5Pset_obj_track_times(list, false) >= 0)
        group = mur_h5_hold(&scope, H5Gcreate2(file, name, H5P_DEFAULT, list, H5P_DEFAULT));
    int rc = group < 0 ? mur_h5_fail("cannot create group %s", name) : put_column(w, group, c);
    free(name);
    return mur_h5_leave(&scope, rc);
}

/* How a dataset is stored. The same contents give the same file but for chunk sizes: no times are kept. */
static hid_t storage_list(const writer *w, const mur_dataset *d, const mur_cut *cut)
{
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    bool is_fine =
        list >= 0 && H5Pset_obj_track_times(list, false) >= 0 && H5Pset_fill_time(list, H5D_FILL_TIME_NEVER) >= 0;
    if (d->n > 0) { /* a dataset without elements can have no chunks: it stays contiguous */
        hsize_t chunk = (hsize_t)cut->chunk;
        is_fine = is_fine && H5Pset_chunk(list, 1, &chunk) >= 0;
        if (w->options->compress > 0) {
            /* Text does not gain from shuffling: its elements are bytes. */
            is_fine = is_fine && (d->size == 1 || H5Pset_shuffle(list) >= 0) &&
                      H5Pset_deflate(list, (unsigned)w->options->compress) >= 0;
        }
    }
    if (list >= 0 && !is_fine) {
        H5Pclose(list);
        return -1;
    }
    return list;
}

static int create_set(const writer *w, mur_h5scope *scope, hid_t file, size_t set, hid_t *dataset)
{
    const mur_dataset *d = &w->layout.sets[set];
    mur_cut cut = cut_of(w, set);
    hsize_t n = (hsize_t)d->n;
    int rc = d->kind == MUR_DATASET_OFFSETS ? make_group(w, file, d->column) : 0;
    if (rc < 0)
        return rc;
    hid_t space = mur_h5_hold(scope, H5Screate_simple(1, &n, NULL));
    hid_t storage = mur_h5_hold(scope, storage_list(w, d, &cut));
    *dataset = mur_h5_hold(scope, H5Dcreate2(file, d->name, d->disk_type, space, H5P_DEFAULT, storage, H5P_DEFAULT));
    if (*dataset < 0)
        return mur_h5_fail("cannot create dataset %s", d->name);
    if (d->kind == MUR_DATASET_NUMBER)
        return put_column(w, *dataset, d->column);
    if (d->kind == MUR_DATASET_VALID)
        return mur_h5_put_text(*dataset, "description",
                               "bit b is set where the column whose valid_bit is b is present");
    return 0;
}

/* One collective write of elements [first, end) from this rank; none is fine. */
static int write_round(hid_t dataset, const mur_dataset *d, hid_t transfer, int64_t first, int64_t end,
                       const void *elements)
{
    mur_h5scope scope = {0};
    hsize_t start = (hsize_t)first, count = (hsize_t)(end - first);
    hid_t in_file = mur_h5_hold(&scope, H5Dget_space(dataset));
    hid_t in_memory = mur_h5_hold(&scope, H5Screate_simple(1, &count, NULL));
    herr_t selected = count > 0 ? H5Sselect_hyperslab(in_file, H5S_SELECT_SET, &start, NULL, &count, NULL)
                      : H5Sselect_none(in_file) < 0 ? -1
                                                    : H5Sselect_none(in_memory);
    int rc = 0;
    /* Whatever failed so far, this rank joins the others in the write: a rank that stays away hangs them. */
    if (H5Dwrite(dataset, d->memory_type, in_memory, in_file, transfer, elements) < 0 || selected < 0 ||
        mur_fault("part.write") < 0)
        rc = mur_h5_fail("cannot write dataset %s", d->name);
    return mur_h5_leave(&scope, rc);
}

/* All writers. In rounds of whole chunks, as many as the fullest rank needs. */
static int write_elements(const writer *w, hid_t dataset, hid_t transfer, size_t set, const mur_buf *elements)
{
    const mur_dataset *d = &w->layout.sets[set];
    mur_cut cut = cut_of(w, set);
    int64_t mine, my_end;
    mur_cut_range(&cut, w->comm->rank, &mine, &my_end);
    int64_t chunks_at_once = MUR_WRITE_BYTES / (cut.chunk * (int64_t)d->size);
    chunks_at_once = chunks_at_once > 0 ? chunks_at_once : 1;
    int64_t most_chunks = (cut.n_chunks + cut.n_ranks - 1) / cut.n_ranks;
    static const char nothing;
    for (int64_t done = 0; done < most_chunks; done += chunks_at_once) {
        int64_t first = mine + done * cut.chunk, end = first + chunks_at_once * cut.chunk;
        first = first < my_end ? first : my_end;
        end = end < my_end ? end : my_end;
        const char *from = first < end ? elements->ptr + (size_t)(first - mine) * d->size : &nothing;
        int rc = mur_agree(&w->writers, write_round(dataset, d, transfer, first, end, from));
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* Collective. The elements of datasets [set, set + n) to the ranks that write them. */
static void route(const writer *w, size_t set, size_t n, mur_buf *elements)
{
    mur_cut *cuts = mur_alloc(n, sizeof *cuts);
    for (size_t i = 0; i < n; i++)
        cuts[i] = cut_of(w, set + i);
    mur_fault_pass("part.exchange");
    mur_route_datasets(&w->route, w->layout.sets + set, cuts, n, elements);
    free(cuts);
}

/* All writers. Hashes and writes one dataset. */
static int write_set(writer *w, hid_t file, hid_t transfer, size_t set, const mur_buf *elements)
{
    const mur_dataset *d = &w->layout.sets[set];
    int64_t first, end;
    block_range(w, set, w->comm->rank, &first, &end);
    mur_layout_hash_blocks(d, elements->ptr, (int64_t)(elements->len / d->size), w->blocks + d->first_block + first);
    w->bytes_written += (int64_t)elements->len;

    /* Others fill the disk meanwhile: asking again costs nothing, and inside HDF5 ranks that fail hang the others. */
    mur_watchdog_kick(&w->watchdog, "a dataset is written");
    mur_h5scope scope = {0};
    hid_t dataset = -1;
    int rc = mur_agree(&w->writers, w->comm->rank == 0 ? check_room(w, raw_bytes(w, set)) : 0);
    if (rc == 0)
        rc = mur_agree(&w->writers, MUR_AFTER("part.dataset", create_set(w, &scope, file, set, &dataset)));
    if (rc == 0 && d->n > 0)
        rc = write_elements(w, dataset, transfer, set, elements);
    return mur_agree(&w->writers, mur_h5_leave(&scope, rc));
}

/* All writers, or all ranks where all write. `elements` of all datasets where rank 0 writes alone; where all write they
 * come one after the other, as the memory may not hold them all. */
static int write_sets(writer *w, mur_h5scope *scope, mur_buf *elements)
{
    hid_t access = mur_h5_hold(scope, mur_h5_access_of(&w->writers));
    hid_t transfer = mur_h5_hold(scope, mur_h5_transfer_of(&w->writers));
    int rc = mur_agree(&w->writers, access < 0 || transfer < 0 ? mur_h5_fail("cannot prepare HDF5 to write") : 0);
    if (rc < 0)
        return rc;
    /* The name is reserved: TRUNC replaces our own empty file. */
    hid_t file = mur_h5_hold(scope, H5Fcreate(w->temporary, H5F_ACC_TRUNC, H5P_DEFAULT, access));
    rc = mur_agree(&w->writers, file < 0 || mur_fault("part.file") < 0 ? mur_h5_fail("cannot create the file") : 0);
    if (rc == 0)
        rc = mur_agree(&w->writers, MUR_AFTER("part.attributes", put_root(w, file)));
    for (size_t set = 0; set < w->layout.n_sets && rc == 0; set++) {
        if (!w->is_small)
            route(w, set, 1, &elements[set]);
        rc = write_set(w, file, transfer, set, &elements[set]);
        mur_buf_clear(&elements[set]);
    }
    mur_watchdog_kick(&w->watchdog, "the file is closed");
    release_spare(w);
    mur_fault_pass("part.close");
    return rc;
}

/* Collective. Steps 1 and 2: hashes of what is in memory, then the file, complete and closed. */
static int write_file(writer *w)
{
    mur_h5scope scope = {0};
    mur_buf *elements = mur_alloc(w->layout.n_sets, sizeof *elements);
    int rc = 0;
    if (w->is_small)
        route(w, 0, w->layout.n_sets, elements);
    if (is_writer(w)) {
        rc = write_sets(w, &scope, elements);
        rc = mur_fault_after("part.closed", w->temporary, mur_h5_leave(&scope, rc));
    }
    rc = mur_agree(w->comm, rc);
    for (size_t set = 0; set < w->layout.n_sets; set++)
        mur_buf_clear(&elements[set]);
    free(elements);
    if (rc < 0)
        mur_error_add("%s", w->final_path);
    return rc;
}

/* Collective. Every rank gets all block hashes, from them the part's, and can check what any rank wrote. */
static void gather_hashes(writer *w)
{
    mur_fault_pass("part.hashes");
    mur_buf mine = {0}, all = {0};
    size_t at = 0;
    for (size_t set = 0; set < w->layout.n_sets; set++) {
        int64_t first, end;
        block_range(w, set, w->comm->rank, &first, &end);
        mur_buf_append(&mine, w->blocks + w->layout.sets[set].first_block + first,
                       (size_t)(end - first) * sizeof *w->blocks);
    }
    mur_all_gather(w->comm, mur_buf_view(&mine), &all, NULL);
    for (int rank = 0; rank < w->comm->n_ranks; rank++) {
        for (size_t set = 0; set < w->layout.n_sets; set++) {
            int64_t first, end;
            block_range(w, set, rank, &first, &end);
            size_t len = (size_t)(end - first) * sizeof *w->blocks;
            if (len > 0)
                memcpy(w->blocks + w->layout.sets[set].first_block + first, all.ptr + at, len);
            at += len;
        }
    }
    w->hash = mur_layout_hash(&w->layout, w->blocks);
    mur_buf_clear(&mine);
    mur_buf_clear(&all);
}

/* Reads blocks [first, end) of a dataset back and compares them with what was in memory. */
static int check_blocks(const writer *w, mur_part_reader *r, size_t set, int64_t first, int64_t end)
{
    uint64_t *back = mur_alloc((size_t)(end - first), sizeof *back);
    int rc = mur_part_hash_blocks(r, set, first, end - first, back);
    if (rc == 0 &&
        memcmp(back, w->blocks + w->layout.sets[set].first_block + first, (size_t)(end - first) * sizeof *back) != 0)
        rc = mur_fail(MUR_EIO, "dataset %s is not what was written", w->layout.sets[set].name);
    free(back);
    return rc;
}

/* Step 4. Each rank reads what the next one wrote (all that rank 0 wrote alone is the last one's), alone and without
 * MPI-IO: OMPIO reports success on a full disk. */
static int check_file(writer *w)
{
    mur_part_reader *r;
    int rc = mur_part_open_file(&r, w->options->store, w->temporary_path);
    if (rc == 0) {
        const mur_layout *have = mur_part_layout(r), *want = &w->layout;
        bool is_same = have->n_sets == want->n_sets && mur_part_n_rows(r) == w->route.n_rows;
        for (size_t set = 0; is_same && set < want->n_sets; set++)
            is_same = strcmp(have->sets[set].name, want->sets[set].name) == 0 && have->sets[set].n == want->sets[set].n;
        if (!is_same)
            rc = mur_fail(MUR_EIO, "it has other datasets than were written");
    }
    int next = (w->comm->rank + 1) % w->comm->n_ranks;
    for (size_t set = 0; set < w->layout.n_sets && rc == 0; set++) {
        int64_t first, end;
        block_range(w, set, next, &first, &end);
        if (first < end)
            rc = check_blocks(w, r, set, first, end);
        mur_watchdog_kick(&w->watchdog, "it is read back");
    }
    mur_part_close(&r);
    if (rc < 0)
        rc = mur_fail(MUR_EIO, "%s: what was read back differs from what was written; is the disk full? (%s)",
                      w->final_path, mur_error_last()->message);
    return rc;
}

/* Collective. The hash of the file's bytes, of which each rank reads a share. */
static int hash_file(writer *w)
{
    const mur_comm *c = w->comm;
    struct stat about = {0};
    int rc = 0;
    if (c->rank == 0 && stat(w->temporary, &about) < 0)
        rc = mur_fail_errno(MUR_EIO, "cannot stat %s", w->temporary);
    rc = mur_agree(c, rc);
    if (rc < 0)
        return rc;
    w->file_bytes = mur_broadcast_int64(c, (int64_t)about.st_size);
    int64_t n = mur_file_blocks(w->file_bytes), first = n * c->rank / c->n_ranks, end = n * (c->rank + 1) / c->n_ranks;
    uint64_t *mine = mur_alloc((size_t)(end - first), sizeof *mine);
    mur_buf all = {0};
    rc = mur_file_hash_blocks(w->temporary, w->file_bytes, first, end - first, mine);
    rc = mur_agree(c, MUR_AFTER("part.hash", rc));
    if (rc == 0) {
        mur_all_gather(c, (mur_view){(const char *)mine, (size_t)(end - first) * sizeof *mine}, &all, NULL);
        w->file_hash = mur_hash(all.ptr, all.len);
    }
    free(mine);
    mur_buf_clear(&all);
    return rc;
}

/* Step 5, rank 0. link() and not rename(), which would replace a part that is already there. */
static int give_name(writer *w)
{
    if (mur_fault("part.link") < 0 || link(w->temporary, w->final) < 0)
        return mur_fail_errno(errno == EEXIST ? MUR_ECREATE : MUR_EIO, "cannot name the new part %s", w->final);
    int rc = 0;
    if (mur_fault("part.unlink") < 0 || unlink(w->temporary) < 0)
        rc = mur_fail_errno(MUR_EIO, "cannot remove %s", w->temporary);
    w->is_reserved = rc < 0;
    if (rc == 0)
        rc = MUR_STEP("part.folder", mur_file_sync(w->folder));
    if (rc < 0)
        unlink(w->final);
    return rc;
}

static int write_all(writer *w, const mur_piece *pieces, size_t n_pieces)
{
    const mur_comm *c = w->comm;
    int rc = mur_route_open(&w->route, c, w->schema, pieces, n_pieces);
    if (rc == 0)
        rc = mur_agree(c, MUR_STEP("part.route", name_files(w)));
    if (rc < 0)
        return rc;
    mur_layout_init(&w->layout, w->schema, w->route.n_rows, w->route.n_bytes);
    w->blocks = mur_alloc((size_t)w->layout.n_blocks, sizeof *w->blocks);
    /* HDF5's collectives cost what they cost, however few the rows are: some 200 meetings of the ranks. */
    w->is_small = raw_bytes(w, 0) <= w->options->small_bytes;
    w->n_writers = w->is_small ? 1 : c->n_ranks;
    w->writers = w->is_small ? mur_comm_alone() : *c;

    /* Only from here: before, ranks may wait long for one that still works on its rows. */
    mur_watchdog_start(&w->watchdog, c->rank, w->options->io_timeout_ms, w->final_path);
    if (!is_writer(w)) /* they see nothing of it until the writer has closed the file, and it kicks for each dataset */
        mur_watchdog_await(&w->watchdog, "rank 0 writes", 1 + w->layout.n_sets + 1);
    rc = mur_agree(c, c->rank == 0 ? MUR_STEP("part.reserve", reserve(w)) : 0);
    if (rc == 0)
        rc = write_file(w);
    if (rc < 0)
        return rc;
    gather_hashes(w);
    mur_watchdog_kick(&w->watchdog, "it is brought to disk");
    bool is_syncing = is_writer(w) && c->node_rank == 0;
    rc = mur_agree(c, is_syncing ? MUR_STEP("part.sync", mur_file_sync(w->temporary)) : 0);
    if (rc == 0)
        rc = mur_agree(c, MUR_STEP("part.check", check_file(w)));
    if (rc == 0)
        rc = hash_file(w);
    mur_watchdog_kick(&w->watchdog, "it gets its name");
    if (rc == 0)
        rc = mur_agree(c, c->rank == 0 ? give_name(w) : 0);
    return rc;
}

void mur_part_start(void)
{
    mur_h5_start();
    H5open();
}

int mur_part_write(mur_part *out, const mur_comm *c, const mur_schema *schema, const mur_piece *pieces, size_t n_pieces,
                   const mur_part_options *options, int64_t *bytes_written)
{
    mur_h5_start();
    *out = (mur_part){0};
    *bytes_written = 0;
    writer w = {.comm = c, .schema = schema, .options = options};
    int rc = write_all(&w, pieces, n_pieces);
    if (rc == 0) {
        *out = (mur_part){.path = mur_strdup(w.final_path),
                          .n_rows = w.route.n_rows,
                          .bytes = w.file_bytes,
                          .hash = w.hash,
                          .file_hash = w.file_hash};
        *bytes_written = w.bytes_written;
    } else if (w.is_reserved) {
        unlink(w.temporary);
        unlink(w.spare);
    }
    mur_watchdog_stop(&w.watchdog);
    mur_route_close(&w.route);
    mur_layout_clear(&w.layout);
    free(w.blocks);
    free(w.folder);
    free(w.spare);
    free(w.temporary);
    free(w.final);
    free(w.temporary_path);
    free(w.final_path);
    return rc;
}

void mur_part_clear(mur_part *p)
{
    free(p->path);
    *p = (mur_part){0};
}

void mur_parts_discard(const char *store, mur_part *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (parts[i].path) {
            char *path = mur_path_join(store, parts[i].path);
            unlink(path);
            free(path);
        }
        mur_part_clear(&parts[i]);
    }
}
