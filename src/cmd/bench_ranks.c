/* What ranks do together, which is what a cluster adds to the work of one: agreement, exchange, a part of a table,
 * which all ranks write or, a small one, rank 0; and how often they meet for it, HDF5's own meetings not counted. On
 * one node it goes through memory; between nodes, or with Open MPI's "--mca btl tcp,self", through a network. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/part.h"
#include "murmur/tables.h"
#include "peak.h"

#define N_SMALL 200 /* messages take microseconds */
#define N_LARGE 9
#define LARGE_BYTES ((size_t)16 << 20) /* that a rank sends in an exchange */
#define N_PARTS 5
#define FEW_ROWS 4 /* of a rank, where a part's fixed costs are measured */

typedef struct job {
    const mur_bench *bench;
    const mur_comm *comm;
    char *folder; /* which all ranks see */
    mur_frame few, many;
} job;

/* The slowest rank's time. */
static double slowest(const mur_comm *c, double seconds)
{
    return 1e-9 * (double)mur_max(c, llround(1e9 * seconds));
}

static int tell(const job *j, const char *what, const mur_figure *figures, size_t n)
{
    return mur_agree(j->comm, j->comm->rank == 0 ? mur_bench_tell(j->bench, what, figures, n) : 0);
}

static int measure_agreement(const job *j)
{
    double seconds[N_SMALL];
    for (size_t i = 0; i < N_SMALL; i++) {
        double begin = mur_monotonic();
        mur_sum(j->comm, (int64_t)i);
        seconds[i] = slowest(j->comm, mur_monotonic() - begin);
    }
    mur_figure figures[] = {{"ranks", j->comm->n_ranks, MUR_COUNT, NULL},
                            {"microseconds", 1e6 * mur_bench_median(seconds, N_SMALL), MUR_NUMBER, NULL},
                            {"least_microseconds", 1e6 * seconds[0], MUR_NUMBER, NULL}}; /* sorted by the median */
    return tell(j, "a sum over the ranks", figures, sizeof figures / sizeof *figures);
}

/* Each rank sends `bytes` in all, as much to each other one. */
static int measure_exchange(const job *j, const char *what, size_t bytes, size_t n_repeats)
{
    const mur_comm *c = j->comm;
    double seconds[N_SMALL];
    size_t share = bytes / (size_t)c->n_ranks + 1;
    char *text = mur_alloc(share, 1);
    mur_buf *outgoing = mur_alloc((size_t)c->n_ranks, sizeof *outgoing), incoming = {0};
    for (int r = 0; r < c->n_ranks; r++)
        outgoing[r] = (mur_buf){text, share, share}; /* borrowed, only read */
    for (size_t i = 0; i < n_repeats; i++) {
        mur_buf_reset(&incoming);
        mur_barrier(c);
        double begin = mur_monotonic();
        mur_exchange(c, outgoing, &incoming, NULL);
        seconds[i] = slowest(c, mur_monotonic() - begin);
    }
    mur_buf_clear(&incoming);
    free(outgoing);
    free(text);
    double median = mur_bench_median(seconds, n_repeats), sent = (double)share * (c->n_ranks - 1);
    mur_figure figures[] = {{"ranks", c->n_ranks, MUR_COUNT, NULL},
                            {"bytes", sent, MUR_BYTES, NULL},
                            {"microseconds", 1e6 * median, MUR_NUMBER, NULL},
                            {"least_microseconds", 1e6 * seconds[0], MUR_NUMBER, NULL}, /* sorted by the median */
                            {"megabytes_per_s", 1e-6 * sent / median, MUR_NUMBER, NULL}};
    return tell(j, what, figures, sizeof figures / sizeof *figures);
}

static int measure_part(const job *j, const char *what, const mur_frame *rows, int64_t version, int64_t small_bytes)
{
    mur_piece piece = {.order = j->comm->rank, .frame = rows};
    double seconds[N_PARTS], cpu[N_PARTS], raw = 0, written = 0;
    mur_traffic before = {0}, now = {0};
    int rc = 0;
    for (size_t i = 0; i < N_PARTS && rc == 0; i++) {
        mur_part_options options = {.store = j->folder,
                                    .run_id = "00000000000000000000000000000000",
                                    .version = version + (int64_t)i,
                                    .compress = 1,
                                    .small_bytes = small_bytes,
                                    .io_timeout_ms = 300 * 1000};
        mur_part part;
        int64_t bytes;
        mur_barrier(j->comm);
        before = mur_comm_traffic(j->comm);
        double begin = mur_monotonic(), cpu_begin = mur_thread_seconds();
        rc = mur_part_write(&part, j->comm, rows->schema, &piece, 1, &options, &bytes);
        now = mur_comm_traffic(j->comm);
        if (rc < 0)
            return rc;
        seconds[i] = slowest(j->comm, mur_monotonic() - begin);
        cpu[i] = slowest(j->comm, mur_thread_seconds() - cpu_begin);
        raw = (double)mur_sum(j->comm, bytes);
        written = (double)part.bytes;
        mur_part_clear(&part);
    }
    mur_figure figures[] = {{"ranks", j->comm->n_ranks, MUR_COUNT, NULL},
                            {"bytes", raw, MUR_BYTES, NULL},
                            {"file_bytes", written, MUR_BYTES, NULL},
                            {"seconds", mur_bench_median(seconds, N_PARTS), MUR_SECONDS, NULL},
                            {"cpu", mur_bench_median(cpu, N_PARTS), MUR_SECONDS, NULL},
                            {"agreements", (double)(now.n_agreements - before.n_agreements), MUR_COUNT, NULL},
                            {"gathers", (double)(now.n_gathers - before.n_gathers), MUR_COUNT, NULL},
                            {"exchanges", (double)(now.n_exchanges - before.n_exchanges), MUR_COUNT, NULL}};
    return tell(j, what, figures, sizeof figures / sizeof *figures);
}

/* Collective. A folder that all ranks see, and in it the tweets whose rows each rank writes. */
static int prepare(job *j)
{
    const mur_comm *c = j->comm;
    mur_buf name = {0};
    int rc = 0;
    if (c->rank == 0 && j->bench->dir) {
        j->folder = mur_path_join(j->bench->dir, j->bench->name);
        rc = mur_path_exists(j->folder) ? mur_fail(MUR_ECREATE, "%s is there already: give another --dir", j->folder)
                                        : mur_folder_make(j->folder);
    } else if (c->rank == 0) {
        rc = mur_folder_make_temporary(&j->folder, "bench");
    }
    rc = mur_agree(c, rc);
    if (rc < 0)
        return rc;
    if (j->folder)
        mur_buf_append(&name, j->folder, strlen(j->folder) + 1);
    mur_broadcast(c, &name);
    if (!j->folder)
        j->folder = mur_strdup(name.ptr);
    mur_buf_clear(&name);

    mur_bench own = *j->bench;
    mur_documents tweets = {0};
    own.folder = j->folder;
    char *made = mur_path_join(j->folder, "tweets");
    rc = mur_agree(c, c->rank == 0 ? mur_bench_documents(&tweets, &own) : 0);
    if (rc == 0 && c->rank > 0) {
        own.texts = own.texts ? own.texts : made; /* by rank 0 */
        rc = mur_bench_documents(&tweets, &own);
    }
    if (rc == 0)
        rc = mur_documents_ingest(&tweets, &j->many);
    for (size_t i = 0; i < FEW_ROWS && i < j->many.n_rows; i++)
        mur_frame_append_row(&j->few, &j->many, i);
    mur_documents_clear(&tweets);
    free(made);
    return mur_agree(c, rc);
}

int mur_bench_ranks(const mur_bench *b)
{
    job j = {.bench = b, .comm = b->comm};
    mur_frame_init(&j.few, &mur_bronze_schema);
    mur_frame_init(&j.many, &mur_bronze_schema);
    int rc = prepare(&j);
    if (rc == 0)
        rc = measure_agreement(&j);
    if (rc == 0)
        rc = measure_exchange(&j, "a few bytes from each rank to each", 0, N_SMALL);
    if (rc == 0)
        rc = measure_exchange(&j, "many bytes from each rank to all", LARGE_BYTES, N_LARGE);
    if (rc == 0)
        rc = measure_part(&j, "a part of a few rows", &j.few, 0, 0);
    if (rc == 0)
        rc = measure_part(&j, "a part of many rows of bronze", &j.many, N_PARTS, 0);
    if (rc == 0)
        rc = measure_part(&j, "a small part", &j.few, (int64_t)2 * N_PARTS, INT64_MAX);
    mur_barrier(b->comm);
    if (b->comm->rank == 0 && !b->dir && j.folder && !mur_folder_remove(j.folder))
        mur_log_warn("cannot remove %s", j.folder);
    mur_frame_clear(&j.few);
    mur_frame_clear(&j.many);
    free(j.folder);
    return rc;
}
