/* How long a store with a long log takes to open: a log is made, without its parts, and opened in several ways. */
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench.h"
#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/hash.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/schema.h"
#include "murmur/sources.h"
#include "murmur/store.h"
#include "murmur/tables.h"

#define FILES_IN_FOLDER 1000
#define FILES_IN_UNIT 8 /* small files are grouped into work units */
#define COUNT_EVERY 10  /* records between two of application */

typedef struct job {
    const mur_bench *bench;
    char *store, *files;
} job;

static char *source_path(const job *j, int64_t i)
{
    return mur_format("%s/%06" PRId64 "/tweets-%09" PRId64 ".jsonl", j->files, i / FILES_IN_FOLDER, i);
}

/* A version of a table that adds a part, in place of the last one where `is_replacing`; `last` has the totals. */
static void add_change(mur_record *r, const char *table, mur_change *last, const char *input, int64_t input_version,
                       bool is_replacing)
{
    mur_buf schema = {0};
    mur_schema_format(&schema, mur_table_schema(table));
    mur_change *c = mur_record_change(r, table);
    c->version = last->version + 1;
    c->schema = mur_strdup(mur_buf_text(&schema));
    c->input = input ? mur_strdup(input) : NULL;
    c->input_version = input ? input_version : -1;
    c->added = mur_alloc(1, sizeof *c->added);
    c->n_added = 1;
    c->added[0] = (mur_part){.path = mur_format("%s/part-%020" PRId64 "-%s.h5", table, c->version, r->run_id),
                             .n_rows = 2000,
                             .bytes = 150000,
                             .hash = mur_hash(&c->version, sizeof c->version),
                             .file_hash = mur_hash(&r->number, sizeof r->number)};
    if (is_replacing && last->version >= 0) {
        c->removed = mur_alloc(1, sizeof *c->removed);
        c->removed[c->n_removed++] = mur_format("%s/part-%020" PRId64 "-%s.h5", table, last->version, r->run_id);
    }
    c->n_parts = is_replacing ? 1 : last->n_parts + 1;
    c->n_rows = c->n_parts * c->added[0].n_rows;
    c->bytes = c->n_parts * c->added[0].bytes;
    *last = (mur_change){.version = c->version, .n_parts = c->n_parts};
    mur_buf_clear(&schema);
}

static mur_record plain_record(int64_t number, const char *operation)
{
    return (mur_record){.number = number,
                        .time = INT64_C(1767225600000) + number * 10000,
                        .operation = mur_strdup(operation),
                        .run_id = mur_strdup("0123456789abcdef0123456789abcdef"),
                        .murmur_version = mur_strdup(MURMUR_VERSION),
                        .blas_kernel = mur_strdup("none"),
                        .options = mur_strdup("{\"mention_rule\":\"twitter\",\"text\":\"cleaned\",\"fold_case\":false,"
                                              "\"max_value\":65536,\"strict\":false}"),
                        .ranks = 2};
}

/* Record `number` of the log. */
static mur_record make_record(const job *j, int64_t number, mur_change last[5])
{
    enum { BRONZE, REJECTS, SILVER, GOLD, APPLICATION };
    if (number % COUNT_EVERY == COUNT_EVERY - 1) {
        mur_record r = plain_record(number, "AGGREGATE");
        add_change(&r, "application", &last[APPLICATION], "gold", last[GOLD].version, true);
        return r;
    }
    mur_record r = plain_record(number, "INGEST");
    r.model_name = mur_strdup("murmur-mini");
    r.model_hash = mur_strdup("0123456789abcdef");
    r.precision = mur_strdup("fp32");
    add_change(&r, "bronze", &last[BRONZE], NULL, -1, false);
    add_change(&r, "rejects", &last[REJECTS], NULL, -1, false);
    add_change(&r, "silver", &last[SILVER], "bronze", last[BRONZE].version, false);
    add_change(&r, "gold", &last[GOLD], "silver", last[SILVER].version, false);

    int64_t n_ingests = j->bench->n_records - j->bench->n_records / COUNT_EVERY;
    int64_t ingest = number - number / COUNT_EVERY, n_sources = j->bench->n_sources;
    int64_t first = n_sources * ingest / n_ingests, end = n_sources * (ingest + 1) / n_ingests;
    r.sources = mur_alloc((size_t)(end - first), sizeof *r.sources);
    for (int64_t i = first; i < end; i++)
        r.sources[r.n_sources++] = (mur_source_file){.path = source_path(j, i),
                                                     .size = 1000 + i % 100000,
                                                     .mtime_ns = INT64_C(1767225600123456789) + i * 1000003,
                                                     .n_rows = 5 + i % 500,
                                                     .n_rejects = i % 100 == 0};
    r.n_units = (r.n_sources + FILES_IN_UNIT - 1) / FILES_IN_UNIT;
    r.units = mur_alloc(r.n_units, sizeof *r.units);
    for (size_t i = 0; i < r.n_units; i++)
        r.units[i] = (mur_unit_rows){1500 + (int64_t)i, (int64_t)i % 3, 900 + (int64_t)i};
    return r;
}

/* Records as files, not synced: a writer's own way takes as long as the disk does, and that is not what is measured. */
static int make_log(void *context, double *seconds)
{
    (void)seconds;
    const job *j = context;
    mur_change last[5] = {{.version = -1}, {.version = -1}, {.version = -1}, {.version = -1}, {.version = -1}};
    mur_buf text = {0};
    int rc = mur_store_create(j->store);
    for (int64_t number = 0; number < j->bench->n_records && rc == 0; number++) {
        mur_record r = make_record(j, number, last);
        char *path = mur_format("%s/_log/%020" PRId64 ".json", j->store, number);
        mur_buf_reset(&text);
        mur_record_format(&text, &r);
        rc = mur_file_write(path, mur_buf_view(&text));
        free(path);
        mur_record_clear(&r);
    }
    mur_buf_clear(&text);
    return rc;
}

static int make_files(void *context, double *seconds)
{
    (void)seconds;
    const job *j = context;
    int rc = 0;
    for (int64_t i = 0; i < j->bench->n_files && rc == 0; i++) {
        char *path = source_path(j, i);
        if (i % FILES_IN_FOLDER == 0) {
            char *slash = strrchr(path, '/');
            *slash = '\0';
            rc = mur_folder_make(path);
            *slash = '/';
        }
        if (rc == 0)
            rc = mur_file_write(path, (mur_view){"", 0});
        free(path);
    }
    return rc;
}

static int open_store(void *context, double *seconds)
{
    const job *j = context;
    mur_store *s;
    double begin = mur_monotonic();
    int rc = mur_store_open(&s, j->store);
    *seconds = mur_monotonic() - begin;
    if (rc == 0 && (int64_t)mur_store_n_sources(s) != j->bench->n_sources)
        rc = mur_fail(MUR_EINTERNAL, "the store has %zu source files", mur_store_n_sources(s));
    mur_store_close(&s);
    return rc;
}

/* The first commit of a writer that finds a log without checkpoints makes them all. */
static int make_checkpoints(void *context, double *seconds)
{
    const job *j = context;
    mur_store *s;
    int rc = mur_store_open(&s, j->store);
    if (rc == 0)
        rc = mur_store_lock(s, "bench", false);
    if (rc == 0) {
        mur_record r = plain_record(0, "VACUUM");
        double begin = mur_monotonic();
        rc = mur_store_publish(s, &r);
        *seconds = mur_monotonic() - begin;
        mur_record_clear(&r);
    }
    mur_store_close(&s);
    return rc;
}

/* Lists the files and drops what the log holds, as a run does. */
static int list_files(void *context, double *seconds)
{
    const job *j = context;
    mur_store *s;
    mur_sources list = {0};
    int rc = mur_store_open(&s, j->store);
    double begin = mur_monotonic();
    if (rc == 0)
        rc = mur_sources_list(&list, (char *const *)&j->files, 1, NULL);
    int64_t n_known = 0, n_expected = j->bench->n_files < j->bench->n_sources ? j->bench->n_files : j->bench->n_sources;
    for (size_t i = 0; i < list.n; i++)
        n_known += mur_store_source(s, mur_view_of(list.items[i].path)) != NULL;
    *seconds = mur_monotonic() - begin;
    if (rc == 0 && ((int64_t)list.n != j->bench->n_files || n_known != n_expected))
        rc = mur_fail(MUR_EINTERNAL, "%zu files were listed, %" PRId64 " of them in the log", list.n, n_known);
    mur_sources_clear(&list);
    mur_store_close(&s);
    return rc;
}

/* The files of the log whose names begin with `prefix`. */
static void measure_files(const job *j, const char *prefix, int64_t *n, int64_t *bytes)
{
    char *folder = mur_path_join(j->store, "_log");
    DIR *dir = opendir(folder);
    *n = *bytes = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        char *path = mur_path_join(folder, entry->d_name);
        struct stat about;
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 && stat(path, &about) == 0) {
            ++*n;
            *bytes += about.st_size;
        }
        free(path);
    }
    if (dir)
        closedir(dir);
    free(folder);
}

static int tell_files(const job *j, const char *what, const char *prefix)
{
    int64_t n, bytes;
    measure_files(j, prefix, &n, &bytes);
    mur_figure figures[] = {{"files", (double)n, MUR_COUNT, NULL}, {"bytes", (double)bytes, MUR_BYTES, NULL}};
    return mur_bench_tell(j->bench, what, figures, 2);
}

static int measure(job *j, const char *what, int (*step)(void *context, double *seconds))
{
    mur_cost cost;
    int rc = mur_bench_step(&cost, step, j);
    if (rc < 0)
        return rc;
    mur_figure figures[] = {{"seconds", cost.seconds, MUR_SECONDS, NULL},
                            {"cpu", cost.cpu_seconds, MUR_SECONDS, NULL},
                            {"peak", (double)cost.peak_bytes, MUR_BYTES, NULL}};
    return mur_bench_tell(j->bench, what, figures, 3);
}

int mur_bench_log(const mur_bench *b)
{
    char *folder = mur_path_absolute(b->folder); /* listings have absolute paths */
    if (!folder)
        return MUR_ENOINPUT;
    job j = {.bench = b, .store = mur_path_join(folder, "store"), .files = mur_path_join(folder, "files")};
    mur_cost cost;
    mur_log_info("making a log of %" PRId64 " records with %" PRId64 " source files in %s", b->n_records, b->n_sources,
                 j.store);
    int rc = mur_bench_step(&cost, make_log, &j);
    if (rc == 0)
        rc = tell_files(&j, "records", "0");
    if (rc == 0)
        rc = measure(&j, "open, no checkpoints", open_store);
    if (rc == 0)
        rc = measure(&j, "write all checkpoints", make_checkpoints);
    if (rc == 0)
        rc = tell_files(&j, "checkpoints", "checkpoint-");
    if (rc == 0)
        rc = measure(&j, "open", open_store);
    if (rc == 0)
        rc = measure(&j, "open again", open_store);
    if (rc == 0 && b->n_files > 0)
        rc = mur_bench_step(&cost, make_files, &j);
    if (rc == 0 && b->n_files > 0)
        rc = measure(&j, "list files, look each up in the log", list_files);
    if (rc == 0 && b->n_files > 0)
        rc = measure(&j, "again", list_files);
    free(folder);
    free(j.store);
    free(j.files);
    return rc;
}
