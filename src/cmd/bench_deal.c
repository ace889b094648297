/* How evenly ranks end, and how soon rank 0 answers a node that asks for more units. Ranks sleep over their units, so
 * that many of them can be tried on few cores; rank 0 computes over its own, as a rank that scores does, and so
 * answers only as its helper thread lets it. Units are as dense as 10 to 1, and those of the last bytes are small, as
 * plan.h cuts them. How late sleepers wake (wake_p90_ms) is what the machine's other processes add to each step of an
 * answer.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "murmur/clock.h"
#include "murmur/hash.h"
#include "murmur/mem.h"

/* As in plan.h: the last eighth of the bytes is cut into units a quarter as large. */
#define LAST_PART 8
#define LAST_UNITS 4

#define DENSEST 10.0 /* times the thinnest; evenly distributed by their logarithms */

typedef struct trial {
    const char *name;
    double slowness; /* of the last node: its ranks take so many times as long */
    double error;    /* sizes are given up to so many times too large or too small */
} trial;

static const trial trials[] = {
    {"nodes alike", 1, 1},
    {"last node half as fast", 2, 1},
    {"sizes wrong by up to 2", 1, 2},
};

/* 0 .. 1, the same for a unit and what it is for on every rank. */
static double chance(size_t unit, uint64_t what)
{
    uint64_t number[] = {unit, what};
    return (double)(mur_hash((const char *)number, sizeof number) >> 11) / (double)(UINT64_C(1) << 53);
}

static void compute(double seconds)
{
    volatile double x = 1;
    for (double end = mur_monotonic() + seconds; mur_monotonic() < end;)
        for (int i = 0; i < 1000; i++)
            x = x * 1.0000001 + 1e-9;
}

static int64_t to_microseconds(double seconds)
{
    return (int64_t)(1e6 * seconds);
}

/* Seconds that ranks measured, on rank 0, sorted. */
static size_t gather(const mur_comm *c, const mur_buf *mine, mur_buf *all)
{
    mur_gather(c, mur_buf_view(mine), all, NULL);
    size_t n = all->len / sizeof(double);
    if (n > 0)
        mur_bench_median((double *)(void *)all->ptr, n);
    return n;
}

/* The sorted value below which so many hundredths are, in milliseconds. */
static double percentile(const mur_buf *sorted, size_t hundredths)
{
    const double *seconds = (const double *)(const void *)sorted->ptr;
    size_t n = sorted->len / sizeof *seconds;
    return n > 0 ? 1e3 * seconds[n * hundredths / 100 < n ? n * hundredths / 100 : n - 1] : NAN;
}

static int run_trial(const mur_bench *b, const trial *t)
{
    const mur_comm *c = b->comm;
    size_t n = (size_t)(b->n_units * c->n_ranks);
    double *seconds = mur_alloc(n, sizeof *seconds), sum = 0;
    int64_t *sizes = mur_alloc(n, sizeof *sizes);
    size_t n_small = n * LAST_UNITS / (LAST_UNITS + (LAST_PART - 1));
    for (size_t i = 0; i < n; i++)
        sum += seconds[i] = pow(DENSEST, chance(i, 0)) / (i < n - n_small ? 1 : LAST_UNITS);
    for (size_t i = 0; i < n; i++) {
        seconds[i] *= 1e-3 * (double)b->unit_ms * (double)n / sum;
        sizes[i] = to_microseconds(seconds[i] * pow(t->error, 2 * chance(i, 1) - 1));
    }
    double slowness = c->node == c->n_nodes - 1 ? t->slowness : 1;
    mur_buf answers = {0}, late = {0}, all_answers = {0}, all_late = {0};
    mur_deal d;
    int rc = mur_deal_open(&d, c, sizes, n);
    if (rc == 0) {
        d.answers = &answers;
        double start = mur_monotonic();
        for (size_t unit; mur_deal_next(&d, &unit);) {
            if (c->rank == 0) {
                compute(slowness * seconds[unit]);
            } else {
                double begin = mur_monotonic();
                mur_sleep(slowness * seconds[unit]);
                double overslept = mur_monotonic() - begin - slowness * seconds[unit];
                mur_buf_append(&late, &overslept, sizeof overslept);
            }
        }
        double own = mur_monotonic() - start;
        mur_deal_close(&d, c);
        double longest = 1e-6 * (double)mur_max(c, to_microseconds(own));
        double average = 1e-6 * (double)mur_sum(c, to_microseconds(own)) / c->n_ranks;
        size_t n_answers = gather(c, &answers, &all_answers);
        gather(c, &late, &all_late);
        mur_figure figures[] = {
            {"nodes", c->n_nodes, MUR_COUNT, NULL},
            {"ranks", c->n_ranks, MUR_COUNT, NULL},
            {"units", (double)n, MUR_COUNT, NULL},
            {"seconds", longest, MUR_SECONDS, NULL},
            {"tail_percent", 100 * (longest - average) / longest, MUR_NUMBER, NULL},
            {"answers", (double)n_answers, MUR_COUNT, NULL},
            {"median_ms", percentile(&all_answers, 50), MUR_NUMBER, NULL},
            {"p90_ms", percentile(&all_answers, 90), MUR_NUMBER, NULL},
            {"p99_ms", percentile(&all_answers, 99), MUR_NUMBER, NULL},
            {"worst_ms", percentile(&all_answers, 100), MUR_NUMBER, NULL},
            {"wake_p90_ms", percentile(&all_late, 90), MUR_NUMBER, NULL},
        };
        rc = mur_agree(c, c->rank == 0 ? mur_bench_tell(b, t->name, figures, sizeof figures / sizeof *figures) : 0);
    }
    mur_buf_clear(&answers);
    mur_buf_clear(&late);
    mur_buf_clear(&all_answers);
    mur_buf_clear(&all_late);
    free(seconds);
    free(sizes);
    return rc;
}

int mur_bench_deal(const mur_bench *b)
{
    mur_comm_divide(b->comm, (int)b->ranks_per_node);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof trials / sizeof *trials; i++)
        rc = run_trial(b, &trials[i]);
    mur_comm_divide(b->comm, 0);
    return rc;
}
