/* How fast JSON becomes rows: the checks, the fields and what is rescued; no file is read meanwhile. */
#include "bench.h"
#include "murmur/clock.h"
#include "murmur/tables.h"
#include "peak.h"

#define N_REPEATS 5

int mur_bench_json(const mur_bench *b)
{
    mur_documents documents;
    mur_frame bronze;
    double seconds[N_REPEATS], cpu[N_REPEATS];
    mur_frame_init(&bronze, &mur_bronze_schema);
    int rc = mur_bench_documents(&documents, b);
    for (size_t i = 0; i < N_REPEATS && rc == 0; i++) {
        double begin = mur_monotonic(), cpu_begin = mur_thread_seconds();
        mur_frame_reset(&bronze);
        rc = mur_documents_ingest(&documents, &bronze);
        seconds[i] = mur_monotonic() - begin;
        cpu[i] = mur_thread_seconds() - cpu_begin;
    }
    if (rc == 0) {
        double elapsed = mur_bench_median(seconds, N_REPEATS), n = (double)bronze.n_rows;
        mur_figure figures[] = {{"tweets", n, MUR_COUNT, NULL},
                                {"bytes", (double)documents.bytes, MUR_BYTES, NULL},
                                {"seconds", elapsed, MUR_SECONDS, NULL},
                                {"cpu", mur_bench_median(cpu, N_REPEATS), MUR_SECONDS, NULL},
                                {"megabytes_per_s", 1e-6 * (double)documents.bytes / elapsed, MUR_NUMBER, NULL},
                                {"tweets_per_s", n / elapsed, MUR_NUMBER, NULL}};
        rc = mur_bench_tell(b, "rows of bronze from memory", figures, sizeof figures / sizeof *figures);
    }
    mur_frame_clear(&bronze);
    mur_documents_clear(&documents);
    return rc;
}
