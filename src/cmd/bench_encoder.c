/* How fast the forward pass is, from ids to logits: every rank its own texts, all of them the same lengths, and the
 * peak of its core before and after. Texts are random ids, so no two are the same, and nothing is kept from one to the
 * next.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_lengths.h"
#include "murmur/clock.h"
#include "murmur/encoder.h"
#include "murmur/mem.h"
#include "murmur/model.h"
#include "murmur/registry.h"
#include "murmur/scorer.h"
#include "peak.h"

#define N_REPEATS 3
#define PEAK_SECONDS 0.05
#define WARM_UP ((size_t)40) /* texts: pages and BLAS's memory are there afterwards */

/* BERTweet-base's shape, and one between it and murmur-mini's vocabulary. */
static const mur_model_shape shapes[] = {
    {"small", 8192, 256, 6, 4, 1024, 130},
    {"base", 64001, 768, 12, 12, 3072, 130},
};
#define N_SHAPES (sizeof shapes / sizeof *shapes)

/* Operations of one repeat where nobody says how many tweets: some seconds at 100 GFLOP/s, two batches of
 * base. */
#define DEFAULT_WORK 3.4e11

int mur_bench_encoder_check(const mur_bench *b)
{
    size_t shape = 0;
    mur_precision precision;
    while (b->shape && shape < N_SHAPES && strcmp(shapes[shape].name, b->shape) != 0)
        shape++;
    if (shape == N_SHAPES)
        return mur_fail(MUR_EUSAGE, "--shape: '%s' is neither base nor small", b->shape);
    int rc = b->precision ? mur_precision_parse(&precision, b->precision) : 0;
    if (rc < 0) {
        mur_error_add("--precision");
        return rc;
    }
    if (b->shape && b->model)
        return mur_fail(MUR_EUSAGE, "--shape makes a model and --model names one: give one of them");
    return 0;
}

/* One model in one precision on all ranks. */
typedef struct job {
    const mur_bench *bench;
    const char *name;
    mur_precision precision;
    mur_peak_kind peak;
    mur_model *model;
    mur_encoder *encoder;
    mur_share share; /* the weights */
    size_t max_tokens;
    mur_lengths lengths;
    size_t n_tweets, n_tokens; /* of one repeat on one rank */
    int32_t *ids;              /* [n_tokens] */
    size_t *starts;            /* of a batch */
    float *logits;
    uint64_t random;
    double seconds[N_REPEATS]; /* until the last rank is done */
    double cpu[N_REPEATS];     /* of all ranks */
    double peaks[N_REPEATS + 1];
    double by_kernel[MUR_N_KERNELS]; /* of this rank, all repeats */
} job;

/* Multiplications and additions that a token takes in the layers' matrices, each counted: nothing is left out where
 * murmur computes less, such as in the last layer, and attention's own products are not in it. */
static double work_of_token(const mur_model_config *c)
{
    double hidden = c->hidden_size, inner = c->intermediate_size;
    return 2.0 * c->n_layers * (4 * hidden * hidden + 2 * hidden * inner);
}

static size_t length_of(const job *j, size_t tweet)
{
    return j->lengths.items[tweet % j->lengths.n];
}

static int load_model(job *j)
{
    const mur_comm *c = j->bench->comm;
    int rc = mur_share_open(&j->share, c, mur_model_block_bytes(j->model));
    if (rc < 0)
        return rc;
    rc = mur_agree(c, c->node_rank == 0 ? mur_model_load(j->model, j->share.bytes) : 0);
    if (rc < 0)
        return rc;
    mur_share_publish(&j->share, c);
    mur_model_bind(j->model, j->share.bytes);
    return 0;
}

static int find_model(mur_model **out, const char *name)
{
    char *folder = NULL;
    int rc = mur_registry_find(&folder, name);
    if (rc == 0)
        rc = mur_model_open(out, folder, NULL);
    free(folder);
    return rc;
}

/* How many tweets, and room for them. */
static int plan(job *j)
{
    const mur_model_config *c = mur_model_config_of(j->model);
    size_t longest = (size_t)(c->max_positions - c->first_position), sum = 0;
    int rc = mur_lengths_read(&j->lengths, j->bench->lengths);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < j->lengths.n; i++) {
        if (j->lengths.items[i] > longest)
            return mur_fail(MUR_EDATA, "a text of %zu tokens: %s has positions for %zu", j->lengths.items[i],
                            mur_model_folder(j->model), longest);
        sum += j->lengths.items[i];
    }
    j->n_tweets = (size_t)j->bench->n_tweets;
    if (j->n_tweets == 0)
        j->n_tweets = (size_t)ceil(DEFAULT_WORK / work_of_token(c) * (double)j->lengths.n / (double)sum);
    for (size_t i = 0; i < j->n_tweets; i++)
        j->n_tokens += length_of(j, i);
    j->max_tokens = mur_encoder_batch_tokens(j->precision);
    j->max_tokens = longest > j->max_tokens ? longest : j->max_tokens;
    j->ids = mur_alloc(j->n_tokens, sizeof *j->ids);
    j->starts = mur_alloc(j->max_tokens + 1, sizeof *j->starts);
    j->logits = mur_alloc(j->max_tokens * (size_t)c->n_labels, sizeof *j->logits);
    return mur_encoder_open(&j->encoder, j->model, j->max_tokens);
}

/* New texts (splitmix64, https://prng.di.unimi.it/splitmix64.c). */
static void draw_ids(job *j)
{
    const mur_model_config *c = mur_model_config_of(j->model);
    uint64_t vocab_size = (uint64_t)c->vocab_size;
    for (size_t i = 0; i < j->n_tokens; i++) {
        uint64_t z = j->random += UINT64_C(0x9E3779B97F4A7C15);
        z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
        int32_t id = (int32_t)((z ^ z >> 31) % vocab_size);
        j->ids[i] = id == c->padding_id ? (id + 1) % c->vocab_size : id;
    }
}

/* The first texts in order, each batch as many as fit. */
static void run_texts(job *j, size_t n)
{
    size_t in_batch = 0, done = 0;
    j->starts[0] = 0;
    for (size_t i = 0; i <= n; i++) {
        size_t tokens = j->starts[in_batch];
        if (in_batch > 0 && (i == n || tokens + length_of(j, i) > j->max_tokens)) {
            mur_encoder_run(j->encoder, j->ids + done, j->starts, in_batch, j->logits);
            done += tokens;
            in_batch = 0;
        }
        if (i < n) {
            j->starts[in_batch + 1] = j->starts[in_batch] + length_of(j, i);
            in_batch++;
        }
    }
}

/* The sum over the ranks of what is at most 10^9 or so, to nine places. */
static double sum_over_ranks(const mur_comm *c, double value)
{
    return 1e-9 * (double)mur_sum(c, llround(1e9 * value));
}

/* All cores at the same time, as their clocks depend on it. 0 where there is no such peak. */
static double measure_peak(const job *j)
{
    double peak = 1e-9 * mur_peak_measure(j->peak, 0, PEAK_SECONDS);
    return sum_over_ranks(j->bench->comm, isnan(peak) ? 0 : peak);
}

static void measure(job *j)
{
    const mur_comm *c = j->bench->comm;
    draw_ids(j);
    run_texts(j, j->n_tweets < WARM_UP ? j->n_tweets : WARM_UP);
    mur_encoder_measure(j->encoder, j->by_kernel);
    for (size_t i = 0; i < N_REPEATS; i++) {
        draw_ids(j);
        mur_barrier(c);
        j->peaks[i] = measure_peak(j);
        mur_barrier(c);
        double begin = mur_monotonic(), cpu_begin = mur_thread_seconds();
        run_texts(j, j->n_tweets);
        double seconds = mur_monotonic() - begin;
        j->cpu[i] = sum_over_ranks(c, mur_thread_seconds() - cpu_begin);
        j->seconds[i] = 1e-9 * (double)mur_max(c, llround(1e9 * seconds));
    }
    j->peaks[N_REPEATS] = measure_peak(j);
    for (int k = 0; k < MUR_N_KERNELS; k++)
        j->by_kernel[k] = sum_over_ranks(c, j->by_kernel[k]);
}

/* This process's memory, what it shares counted by as many as share it; 0 where the system does not tell. */
static int64_t proportional_bytes(void)
{
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    char line[256];
    int64_t kilobytes = 0;
    while (f && kilobytes == 0 && fgets(line, sizeof line, f))
        if (sscanf(line, "Pss: %" SCNd64, &kilobytes) != 1)
            kilobytes = 0;
    if (f)
        fclose(f);
    return 1024 * kilobytes;
}

static int tell(job *j)
{
    const mur_comm *c = j->bench->comm;
    double memory = (double)mur_sum(c, proportional_bytes());
    if (c->rank != 0)
        return 0;
    double n_tweets = (double)(j->n_tweets * (size_t)c->n_ranks), n_tokens = (double)(j->n_tokens * (size_t)c->n_ranks);
    double seconds = mur_bench_median(j->seconds, N_REPEATS), cpu = mur_bench_median(j->cpu, N_REPEATS);
    double work = 1e-9 * n_tokens * work_of_token(mur_model_config_of(j->model));
    double peak = mur_bench_median(j->peaks, N_REPEATS + 1), in_kernels = 0;
    if (!mur_peak_instructions(j->peak, 0))
        peak = NAN;
    for (int k = 0; k < MUR_N_KERNELS; k++)
        in_kernels += j->by_kernel[k];

    mur_figure figures[32] = {
        {"shape", 0, MUR_TEXT, j->name},
        {"precision", 0, MUR_TEXT, mur_precision_name(j->precision)},
        {"ranks", c->n_ranks, MUR_COUNT, NULL},
        {"tweets", n_tweets, MUR_COUNT, NULL},
        {"tokens", n_tokens, MUR_COUNT, NULL},
        {"batch_tokens", (double)j->max_tokens, MUR_COUNT, NULL},
        {"seconds", seconds, MUR_SECONDS, NULL},
        {"cpu", cpu, MUR_SECONDS, NULL},
        {"tweets_per_s", n_tweets / seconds, MUR_NUMBER, NULL},
        {"tokens_per_s", n_tokens / seconds, MUR_NUMBER, NULL},
        {"gflops", work / seconds, MUR_NUMBER, NULL},
        {"peak_instructions", 0, MUR_TEXT, mur_peak_instructions(j->peak, 0)},
        {"peak_gflops", peak, MUR_NUMBER, NULL},
        {"fraction_of_peak", work / seconds / peak, MUR_NUMBER, NULL},
        {"fraction_by_cpu", work / (cpu / c->n_ranks) / peak, MUR_NUMBER, NULL},
        {"memory", memory > 0 ? memory : NAN, MUR_BYTES, NULL},
    };
    size_t n = 0;
    while (figures[n].name)
        n++;
    char names[MUR_N_KERNELS][32];
    for (int k = 0; k < MUR_N_KERNELS; k++) {
        snprintf(names[k], sizeof names[k], "%s_share", mur_kernel_name((mur_kernel)k));
        figures[n++] = (mur_figure){names[k], j->by_kernel[k] / in_kernels, MUR_NUMBER, NULL};
    }
    char *what = mur_format("%s %s", j->name, mur_precision_name(j->precision));
    int rc = mur_bench_tell(j->bench, what, figures, n);
    free(what);
    return rc;
}

static int run_model(const mur_bench *b, const mur_model_shape *shape, mur_precision precision)
{
    const mur_comm *c = b->comm;
    job j = {.bench = b, .precision = precision, .random = (uint64_t)c->rank << 32};
    for (int kind = 0; kind < MUR_N_PEAKS; kind++)
        if (strcmp(mur_peak_name((mur_peak_kind)kind), mur_precision_name(precision)) == 0)
            j.peak = (mur_peak_kind)kind;
    int rc = 0;
    if (b->model)
        rc = find_model(&j.model, b->model);
    else
        rc = mur_model_open_random(&j.model, shape);
    if (rc == 0)
        rc = mur_model_set_precision(j.model, precision);
    if (rc == 0) {
        j.name = mur_model_name(j.model);
        rc = plan(&j);
    }
    rc = mur_agree(c, rc);
    if (rc == 0)
        rc = mur_scorer_check_kernels(c, j.model);
    if (rc == 0)
        rc = load_model(&j);
    if (rc == 0) {
        measure(&j);
        rc = mur_agree(c, tell(&j));
    }
    mur_encoder_close(&j.encoder);
    mur_model_close(&j.model);
    mur_share_close(&j.share, c);
    mur_lengths_clear(&j.lengths);
    free(j.ids);
    free(j.starts);
    free(j.logits);
    return rc;
}

int mur_bench_encoder(const mur_bench *b)
{
    int rc = 0;
    for (size_t s = 0; s < (b->model ? 1 : N_SHAPES) && rc == 0; s++)
        for (int p = 0; p < MUR_N_PRECISIONS && rc == 0; p++)
            if ((!b->shape || strcmp(b->shape, shapes[s].name) == 0) &&
                (!b->precision || strcmp(b->precision, mur_precision_name((mur_precision)p)) == 0))
                rc = run_model(b, &shapes[s], (mur_precision)p);
    return rc;
}
