/* What a core can compute at most, by kind of arithmetic, and read from memory. */
#include "bench.h"
#include "peak.h"

#define N_REPEATS 5

int mur_bench_peak(const mur_bench *b)
{
    int rc = 0;
    for (int kind = 0; kind < MUR_N_PEAKS && rc == 0; kind++) {
        const char *instructions = mur_peak_instructions((mur_peak_kind)kind);
        double rates[N_REPEATS];
        for (size_t i = 0; i < N_REPEATS; i++)
            rates[i] = 1e-9 * mur_peak_measure((mur_peak_kind)kind, 0.05);
        mur_figure figures[] = {{"instructions", 0, MUR_TEXT, instructions},
                                {"gflops", mur_bench_median(rates, N_REPEATS), MUR_NUMBER, NULL}};
        rc = mur_bench_tell(b, mur_peak_name((mur_peak_kind)kind), figures, sizeof figures / sizeof *figures);
    }
    double memory = 0;
    if (rc == 0)
        rc = mur_peak_memory(&memory, 0.2);
    mur_figure figure = {"bytes_per_s", memory, MUR_BYTES, NULL};
    return rc < 0 ? rc : mur_bench_tell(b, "memory", &figure, 1);
}
