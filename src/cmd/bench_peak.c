/* What a core can compute at most, by kind of arithmetic and set of instructions, and read from memory. */
#include "bench.h"
#include "murmur/model.h"
#include "peak.h"

#define N_REPEATS 5

/* A line for each set of instructions, widest first; for a kind that the machine lacks one without figures. */
static int tell_kind(const mur_bench *b, mur_peak_kind kind)
{
    int rc = 0;
    for (size_t i = 0; (i == 0 || mur_peak_instructions(kind, i)) && rc == 0; i++) {
        double rates[N_REPEATS];
        for (size_t j = 0; j < N_REPEATS; j++)
            rates[j] = 1e-9 * mur_peak_measure(kind, i, 0.05);
        mur_figure figures[] = {{"instructions", 0, MUR_TEXT, mur_peak_instructions(kind, i)},
                                {"gflops", mur_bench_median(rates, N_REPEATS), MUR_NUMBER, NULL}};
        rc = mur_bench_tell(b, mur_peak_name(kind), figures, sizeof figures / sizeof *figures);
    }
    return rc;
}

int mur_bench_peak(const mur_bench *b)
{
    int rc = mur_instruction_set_at(0) ? 0 : mur_error_last()->code;
    for (int kind = 0; kind < MUR_N_PEAKS && rc == 0; kind++)
        rc = tell_kind(b, (mur_peak_kind)kind);
    double memory = 0;
    if (rc == 0)
        rc = mur_peak_memory(&memory, 0.2);
    mur_figure figure = {"bytes_per_s", memory, MUR_BYTES, NULL};
    return rc < 0 ? rc : mur_bench_tell(b, "memory", &figure, 1);
}
