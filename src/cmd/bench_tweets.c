/* The tweets that several measurements take: files in memory, and their rows. */
#include <stdlib.h>

#include "bench.h"
#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/generate.h"
#include "murmur/mem.h"
#include "murmur/sources.h"
#include "murmur/tables.h"

#define N_GENERATED 60000
#define MOST_BYTES ((size_t)2 << 30)

static int read_document(mur_document *d, const char *path)
{
    mur_buf raw = {0};
    *d = (mur_document){.path = mur_strdup(path)};
    int rc = mur_file_read(&raw, path);
    if (rc == 0 && mur_is_gzip(mur_buf_view(&raw)))
        rc = mur_inflate(&d->text, mur_buf_view(&raw), MOST_BYTES, &d->damage);
    else if (rc == 0)
        mur_buf_append(&d->text, raw.ptr, raw.len);
    mur_buf_clear(&raw);
    return rc;
}

int mur_bench_documents(mur_documents *out, const mur_bench *b)
{
    char *generated = mur_path_join(b->folder, "tweets");
    char *path = mur_strdup(b->texts ? b->texts : generated);
    mur_generate_options options = {.n_tweets = N_GENERATED, .n_files = 1, .seed = 1, .is_clean = true};
    mur_generated made;
    mur_sources list;
    *out = (mur_documents){0};
    int rc = b->texts ? 0 : mur_generate(generated, &options, &made);
    if (rc == 0)
        rc = mur_sources_list(&list, &path, 1, NULL);
    if (rc == 0) {
        out->items = mur_alloc(list.n, sizeof *out->items);
        while (rc == 0 && out->n < list.n) {
            mur_document *d = &out->items[out->n];
            rc = read_document(d, list.items[out->n++].path);
            out->bytes += d->text.len;
        }
        mur_sources_clear(&list);
    }
    free(generated);
    free(path);
    return rc;
}

void mur_documents_clear(mur_documents *d)
{
    for (size_t i = 0; i < d->n; i++) {
        free(d->items[i].path);
        mur_buf_clear(&d->items[i].text);
    }
    free(d->items);
    *d = (mur_documents){0};
}

int mur_documents_ingest(const mur_documents *d, mur_frame *bronze)
{
    mur_frame rejects;
    mur_frame_init(&rejects, &mur_rejects_schema);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < d->n; i++) {
        const mur_document *document = &d->items[i];
        mur_view text = mur_buf_view(&document->text);
        mur_ingest in = {.bronze = bronze,
                         .rejects = &rejects,
                         .source_file = mur_view_of(document->path),
                         .processing_time = mur_now_ms(),
                         .max_value = MUR_MAX_VALUE};
        mur_document_kind kind = document->damage ? MUR_DOCUMENT_LINES : mur_document_probe(text);
        rc = mur_ingest_text(&in, text, 0, kind, document->damage);
    }
    mur_frame_clear(&rejects);
    return rc;
}
