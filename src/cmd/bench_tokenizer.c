/* How fast a tokenizer is, apart from reading texts and printing ids: loading it, the ids of texts whose words it has
 * not met, and of the same texts again. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"
#include "cmd.h"
#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/generate.h"
#include "murmur/ingest.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/sources.h"
#include "murmur/tables.h"
#include "murmur/tokenizer.h"

#define N_GENERATED 60000
#define MOST_BYTES ((size_t)2 << 30)

static int read_file(mur_frame *bronze, const char *path)
{
    mur_buf raw = {0}, text = {0};
    mur_frame rejects;
    const char *damage = NULL;
    mur_frame_init(&rejects, &mur_rejects_schema);
    int rc = mur_file_read(&raw, path);
    if (rc == 0 && mur_is_gzip(mur_buf_view(&raw)))
        rc = mur_inflate(&text, mur_buf_view(&raw), MOST_BYTES, &damage);
    else if (rc == 0)
        mur_buf_append(&text, raw.ptr, raw.len);
    if (rc == 0) {
        mur_ingest in = {.bronze = bronze,
                         .rejects = &rejects,
                         .source_file = mur_view_of(path),
                         .processing_time = mur_now_ms(),
                         .max_value = MUR_MAX_VALUE};
        mur_document_kind kind = damage ? MUR_DOCUMENT_LINES : mur_document_probe(mur_buf_view(&text));
        rc = mur_ingest_text(&in, mur_buf_view(&text), 0, kind, damage);
    }
    mur_frame_clear(&rejects);
    mur_buf_clear(&raw);
    mur_buf_clear(&text);
    return rc;
}

/* The tweets of `--texts`, or generated ones. */
static int read_tweets(mur_frame *bronze, const mur_bench *b)
{
    char *generated = mur_path_join(b->folder, "tweets");
    char *path = mur_strdup(b->texts ? b->texts : generated);
    mur_generate_options options = {.n_tweets = N_GENERATED, .n_files = 1, .seed = 1, .is_clean = true};
    mur_generated made;
    mur_sources list;
    int rc = b->texts ? 0 : mur_generate(generated, &options, &made);
    if (rc == 0)
        rc = mur_sources_list(&list, &path, 1, NULL);
    if (rc == 0) {
        for (size_t i = 0; rc == 0 && i < list.n; i++)
            rc = read_file(bronze, list.items[i].path);
        mur_sources_clear(&list);
    }
    free(generated);
    free(path);
    return rc;
}

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
    mur_figure figures[] = {{"tweets", (double)n_texts, MUR_COUNT},
                            {"ids", (double)n_ids, MUR_COUNT},
                            {"cpu", seconds, MUR_SECONDS},
                            {"tweets_per_second", seconds > 0 ? (double)n_texts / seconds : 0, MUR_COUNT}};
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
    char *model = b->model ? mur_strdup(b->model) : mur_default_model();
    mur_tokenizer *t = NULL;
    mur_frame bronze;
    mur_cost cost;
    mur_frame_init(&bronze, &mur_bronze_schema);
    int rc = mur_bench_step(&cost, load, model);
    if (rc == 0) {
        mur_figure figures[] = {{"seconds", cost.seconds, MUR_SECONDS},
                                {"cpu", cost.cpu_seconds, MUR_SECONDS},
                                {"peak", (double)cost.peak_bytes, MUR_BYTES}};
        rc = mur_bench_tell(b, "load", figures, sizeof figures / sizeof *figures);
    }
    if (rc == 0)
        rc = read_tweets(&bronze, b);
    if (rc == 0)
        rc = mur_tokenizer_open(&t, model);
    if (rc == 0)
        rc = measure_pass(b, "first time", t, &bronze);
    if (rc == 0)
        rc = measure_pass(b, "again", t, &bronze);
    mur_tokenizer_close(&t);
    mur_frame_clear(&bronze);
    free(model);
    return rc;
}
