/* How fast rows become a part: hashed, compressed, written, synced, read back and compared, by one rank. */
#include "bench.h"
#include "murmur/clock.h"
#include "murmur/part.h"
#include "murmur/tables.h"
#include "peak.h"

#define N_REPEATS 3

/* The levels that `run --compress` takes when nothing is said, and that does without. */
static const struct {
    const char *what;
    int compress;
} cases[] = {{"part of bronze, deflate level 1", 1}, {"part of bronze, not compressed", 0}};
#define N_CASES (sizeof cases / sizeof *cases)

static int measure(const mur_bench *b, const mur_frame *rows, size_t i)
{
    mur_comm alone = mur_comm_alone();
    mur_piece piece = {.frame = rows};
    double seconds[N_REPEATS], cpu[N_REPEATS], raw = 0, written = 0;
    int rc = 0;
    for (size_t k = 0; k < N_REPEATS && rc == 0; k++) {
        mur_part_options options = {.store = b->folder,
                                    .run_id = "00000000000000000000000000000000",
                                    .version = (int64_t)(i * N_REPEATS + k),
                                    .compress = cases[i].compress,
                                    .io_timeout_ms = 300 * 1000};
        mur_part part = {0};
        int64_t bytes;
        double begin = mur_monotonic(), cpu_begin = mur_thread_seconds();
        rc = mur_part_write(&part, &alone, rows->schema, &piece, 1, &options, &bytes);
        seconds[k] = mur_monotonic() - begin;
        cpu[k] = mur_thread_seconds() - cpu_begin;
        raw = (double)bytes;
        written = (double)part.bytes;
        mur_part_clear(&part);
    }
    if (rc < 0)
        return rc;
    double elapsed = mur_bench_median(seconds, N_REPEATS), n = (double)rows->n_rows;
    mur_figure figures[] = {{"rows", n, MUR_COUNT, NULL},
                            {"bytes", raw, MUR_BYTES, NULL},
                            {"file_bytes", written, MUR_BYTES, NULL},
                            {"seconds", elapsed, MUR_SECONDS, NULL},
                            {"cpu", mur_bench_median(cpu, N_REPEATS), MUR_SECONDS, NULL},
                            {"megabytes_per_s", 1e-6 * raw / elapsed, MUR_NUMBER, NULL},
                            {"rows_per_s", n / elapsed, MUR_NUMBER, NULL}};
    return mur_bench_tell(b, cases[i].what, figures, sizeof figures / sizeof *figures);
}

int mur_bench_table(const mur_bench *b)
{
    mur_documents documents;
    mur_frame bronze;
    mur_frame_init(&bronze, &mur_bronze_schema);
    int rc = mur_bench_documents(&documents, b);
    if (rc == 0)
        rc = mur_documents_ingest(&documents, &bronze);
    for (size_t i = 0; i < N_CASES && rc == 0; i++)
        rc = measure(b, &bronze, i);
    mur_frame_clear(&bronze);
    mur_documents_clear(&documents);
    return rc;
}
