/* How fast a tokenizer is, apart from reading texts and printing ids: loading it, the ids of texts whose words it has
 * not met, and of the same texts again. */
#include <stdlib.h>
#include <time.h>

#include "bench.h"
#include "cmd.h"
#include "murmur/clock.h"
#include "murmur/mem.h"
#include "murmur/tables.h"
#include "murmur/tokenizer.h"

static double processor_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static int measure_pass(const mur_bench *b, const char *what, mur_tokenizer *t, const mur_frame *bronze)
{
    mur_ids ids = {0};
    size_t n_texts = 0, n_ids = 0;
    double begin = processor_seconds();
    for (size_t row = 0; row < bronze->n_rows; row++) {
        if (!mur_frame_is_present(bronze, row, MUR_BRONZE_TEXT))
            continue;
        ids.len = 0;
        mur_tokenizer_encode(t, mur_frame_string(bronze, row, MUR_BRONZE_TEXT), &ids, NULL);
        n_ids += ids.len;
        n_texts++;
    }
    double seconds = processor_seconds() - begin;
    mur_ids_clear(&ids);
    mur_figure figures[] = {{"tweets", (double)n_texts, MUR_COUNT, NULL},
                            {"ids", (double)n_ids, MUR_COUNT, NULL},
                            {"cpu", seconds, MUR_SECONDS, NULL},
                            {"tweets_per_second", seconds > 0 ? (double)n_texts / seconds : 0, MUR_COUNT, NULL}};
    return mur_bench_tell(b, what, figures, sizeof figures / sizeof *figures);
}

static int load(void *model, double *seconds)
{
    mur_tokenizer *t;
    double begin = mur_monotonic();
    int rc = mur_tokenizer_open(&t, model);
    *seconds = mur_monotonic() - begin;
    return rc;
}

int mur_bench_tokenizer(const mur_bench *b)
{
    char *model = mur_model_or_default(b->model);
    mur_tokenizer *t = NULL;
    mur_documents documents = {0};
    mur_frame bronze;
    mur_cost cost;
    mur_frame_init(&bronze, &mur_bronze_schema);
    int rc = mur_bench_step(&cost, load, model);
    if (rc == 0) {
        mur_figure figures[] = {{"seconds", cost.seconds, MUR_SECONDS, NULL},
                                {"cpu", cost.cpu_seconds, MUR_SECONDS, NULL},
                                {"peak", (double)cost.peak_bytes, MUR_BYTES, NULL}};
        rc = mur_bench_tell(b, "load", figures, sizeof figures / sizeof *figures);
    }
    if (rc == 0)
        rc = mur_bench_documents(&documents, b);
    if (rc == 0)
        rc = mur_documents_ingest(&documents, &bronze);
    if (rc == 0)
        rc = mur_tokenizer_open(&t, model);
    if (rc == 0)
        rc = measure_pass(b, "first time", t, &bronze);
    if (rc == 0)
        rc = measure_pass(b, "again", t, &bronze);
    mur_tokenizer_close(&t);
    mur_frame_clear(&bronze);
    mur_documents_clear(&documents);
    free(model);
    return rc;
}
