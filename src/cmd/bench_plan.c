/* What each work unit of a batch costs the ranks that do not work it off: rank 0, which plans and makes the record, and
 * all of them, which bring the units' rows into a part's order. Tens of units a rank make hundreds of thousands at
 * 10,000 ranks. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/mem.h"
#include "murmur/part.h"
#include "murmur/plan.h"
#include "murmur/record.h"
#include "murmur/tables.h"

#define N_REPEATS 5
#define UNITS_A_RANK 500 /* --units counts those of a rank of `deal`: the default, 64, is 32,000 of a batch */
#define N_FILES 1000     /* --max-files */
#define FILE_BYTES 4096

typedef struct job {
    const mur_bench *bench;
    mur_comm comm;
    size_t n_units;
} job;

static int tell(const job *j, const char *what, const char *of, size_t n, double seconds)
{
    mur_figure figures[] = {{of, (double)n, MUR_COUNT, NULL},
                            {"seconds", seconds, MUR_SECONDS, NULL},
                            {"microseconds_each", 1e6 * seconds / (double)n, MUR_NUMBER, NULL}};
    return mur_bench_tell(j->bench, what, figures, sizeof figures / sizeof *figures);
}

static void ignore(void *context, size_t index)
{
    (void)index;
    *(bool *)context = true;
}

/* The least of some times to make a plan of these files. */
static int measure_plan(const job *j, const char *what, const char *of, const mur_source *files, size_t n_files)
{
    double seconds[N_REPEATS];
    size_t n = 0;
    for (size_t i = 0; i < N_REPEATS; i++) {
        mur_plan plan;
        bool is_refused = false;
        double begin = mur_monotonic();
        mur_plan_make(&plan, &j->comm, files, n_files, (int64_t)n_files, INT64_MAX, ignore, &is_refused);
        seconds[i] = mur_monotonic() - begin;
        n = strcmp(of, "files") == 0 ? plan.n_files : plan.n_units;
        mur_plan_clear(&plan);
        if (is_refused)
            return MUR_EIO; /* the message is there */
    }
    mur_bench_median(seconds, N_REPEATS);
    return tell(j, what, of, n, seconds[0]);
}

/* A file of so many units: lines at its beginning, by which it is known, and then nothing on disk. */
static int plan_large_file(const job *j)
{
    mur_buf lines = {0};
    mur_source file = {.path = mur_path_join(j->bench->folder, "large.jsonl")};
    while (lines.len < MUR_UNIT_BYTES)
        mur_buf_append_text(&lines, "{\"text\":\"@someone 0123456789\"}\n");
    int rc = mur_file_write(file.path, mur_buf_view(&lines));
    if (rc == 0 && truncate(file.path, (off_t)j->n_units * MUR_UNIT_BYTES) < 0)
        rc = mur_fail_errno(MUR_EIO, "cannot make %s longer", file.path);
    struct stat about;
    if (rc == 0 && stat(file.path, &about) < 0)
        rc = mur_fail_errno(MUR_EIO, "cannot look at %s", file.path);
    if (rc == 0) {
        file.size = about.st_size;
        file.mtime_ns = (int64_t)about.st_mtim.tv_sec * 1000000000 + about.st_mtim.tv_nsec;
        rc = measure_plan(j, "a large file planned", "units", &file, 1);
    }
    mur_buf_clear(&lines);
    free(file.path);
    return rc;
}

static int plan_small_files(const job *j)
{
    mur_buf lines = {0};
    mur_sources files = {0};
    char *folder = mur_path_join(j->bench->folder, "small");
    int rc = mur_folder_make(folder);
    while (lines.len < FILE_BYTES)
        mur_buf_append_text(&lines, "{\"text\":\"@someone 0123456789\"}\n");
    for (size_t i = 0; i < N_FILES && rc == 0; i++) {
        char *path = mur_format("%s/%04zu.jsonl", folder, i);
        rc = mur_file_write(path, mur_buf_view(&lines));
        free(path);
    }
    if (rc == 0)
        rc = mur_sources_list(&files, &folder, 1, NULL);
    if (rc == 0)
        rc = measure_plan(j, "small files planned", "files", files.items, files.n);
    mur_sources_clear(&files);
    mur_buf_clear(&lines);
    free(folder);
    return rc;
}

static int format_record(const job *j)
{
    double seconds[N_REPEATS];
    mur_record r = {.operation = mur_strdup("INGEST"),
                    .run_id = mur_strdup("0123456789abcdef0123456789abcdef"),
                    .murmur_version = mur_strdup(MURMUR_VERSION),
                    .blas_kernel = mur_strdup("none"),
                    .options = mur_strdup("{}"),
                    .n_units = j->n_units,
                    .units = mur_alloc(j->n_units, sizeof *r.units)};
    for (size_t i = 0; i < r.n_units; i++)
        r.units[i] = (mur_unit_rows){1500 + (int64_t)i % 100, (int64_t)i % 3, 900 + (int64_t)i % 100};
    for (size_t i = 0; i < N_REPEATS; i++) {
        mur_buf text = {0};
        double begin = mur_monotonic();
        mur_record_format(&text, &r);
        seconds[i] = mur_monotonic() - begin;
        mur_buf_clear(&text);
    }
    mur_bench_median(seconds, N_REPEATS);
    mur_record_clear(&r);
    return tell(j, "a record written as text", "units", j->n_units, seconds[0]);
}

/* A part of rejects: the same rows as many pieces or as one, so that what is between them is the pieces'. */
static int write_pieces(const job *j)
{
    double seconds[2][N_REPEATS];
    mur_frame one, *many = mur_alloc(j->n_units, sizeof *many);
    mur_piece *pieces = mur_alloc(j->n_units, sizeof *pieces), whole = {.frame = &one};
    int rc = 0;
    mur_frame_init(&one, &mur_rejects_schema);
    for (size_t i = 0; i < j->n_units; i++) {
        mur_frame_init(&many[i], &mur_rejects_schema);
        pieces[i] = (mur_piece){(int64_t)i, &many[i]};
    }
    for (size_t i = 0; i < 2 * N_REPEATS && rc == 0; i++) {
        bool is_many = i % 2 == 1;
        mur_part_options options = {.store = j->bench->folder,
                                    .run_id = "00000000000000000000000000000000",
                                    .version = (int64_t)i,
                                    .compress = 1,
                                    .io_timeout_ms = 300 * 1000};
        mur_part part;
        int64_t bytes;
        double begin = mur_monotonic();
        rc = mur_part_write(&part, &j->comm, one.schema, is_many ? pieces : &whole, is_many ? j->n_units : 1, &options,
                            &bytes);
        seconds[is_many][i / 2] = mur_monotonic() - begin;
        mur_part_clear(&part);
    }
    for (size_t i = 0; i < j->n_units; i++)
        mur_frame_clear(&many[i]);
    mur_frame_clear(&one);
    free(many);
    free(pieces);
    if (rc < 0)
        return rc;
    mur_bench_median(seconds[0], N_REPEATS);
    mur_bench_median(seconds[1], N_REPEATS);
    return tell(j, "units brought into a part's order", "units", j->n_units, seconds[1][0] - seconds[0][0]);
}

int mur_bench_plan(const mur_bench *b)
{
    job j = {.bench = b, .comm = mur_comm_alone(), .n_units = (size_t)b->n_units * UNITS_A_RANK};
    int rc = plan_large_file(&j);
    if (rc == 0)
        rc = plan_small_files(&j);
    if (rc == 0)
        rc = format_record(&j);
    if (rc == 0)
        rc = write_pieces(&j);
    return rc;
}
