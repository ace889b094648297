#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "cmd.h"
#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/quantity.h"

/* What can be measured. */
static const struct {
    const char *name, *summary;
    int (*run)(const mur_bench *b);
} measurements[] = {
    {"log", "opening a store whose log is long, with and without checkpoints", mur_bench_log},
    {"tokenizer", "loading a model's tokenizer, and the ids of tweets", mur_bench_tokenizer},
};
#define N_MEASUREMENTS (sizeof measurements / sizeof *measurements)

static const mur_option options[] = {
    {"sources", "N", "log: source files in it (1000000)", NULL},
    {"records", "N", "log: records (10000)", NULL},
    {"files", "N", "log: make so many empty source files too, and list them (0)", NULL},
    {"model", "DIR", "tokenizer: of this model (default murmur-mini, $MURMUR_MODEL)", NULL},
    {"texts", "PATH", "tokenizer: the tweets of this source file or folder; without, 60,000 generated ones", NULL},
    {"dir", "DIR", "work in this new folder and leave it; without, one below $TMPDIR, removed at the end", NULL},
    {"json", NULL, "one object a line", NULL},
    {0},
};

typedef struct settings {
    mur_bench bench;
    const char *dir;
} settings;

static int set(void *into, const char *name, const char *value)
{
    settings *s = into;
    if (strcmp(name, "sources") == 0)
        return mur_integer_parse(&s->bench.n_sources, value, 0, 100000000);
    if (strcmp(name, "records") == 0)
        return mur_integer_parse(&s->bench.n_records, value, 1, 10000000);
    if (strcmp(name, "files") == 0)
        return mur_integer_parse(&s->bench.n_files, value, 0, 100000000);
    if (strcmp(name, "model") == 0)
        s->bench.model = value;
    else if (strcmp(name, "texts") == 0)
        s->bench.texts = value;
    else if (strcmp(name, "dir") == 0)
        s->dir = value;
    else
        s->bench.is_json = true;
    return 0;
}

int mur_bench_tell(const mur_bench *b, const char *what, const mur_figure *figures, size_t n)
{
    mur_buf out = {0};
    char size[MUR_QUANTITY_TEXT];
    if (b->is_json)
        mur_buf_printf(&out, "{\"bench\":\"%s\",\"what\":\"%s\"", b->name, what);
    else
        mur_buf_printf(&out, "%-8s %-40s", b->name, what);
    for (size_t i = 0; i < n; i++) {
        const mur_figure *f = &figures[i];
        if (b->is_json)
            mur_buf_printf(&out, f->kind == MUR_SECONDS ? ",\"%s\":%.6f" : ",\"%s\":%.0f", f->name, f->value);
        else if (f->kind == MUR_SECONDS)
            mur_buf_printf(&out, "  %s %.2f", f->name, f->value);
        else if (f->kind == MUR_BYTES)
            mur_buf_printf(&out, "  %s %s", f->name, mur_size_format(size, (int64_t)f->value));
        else
            mur_buf_printf(&out, "  %s %.0f", f->name, f->value);
    }
    mur_buf_append_text(&out, b->is_json ? "}\n" : "\n");
    int rc = mur_output(mur_buf_view(&out));
    mur_buf_clear(&out);
    return rc < 0 ? rc : 0;
}

/* What the child sends. */
typedef struct report {
    int rc;
    double seconds;
    char message[sizeof((mur_error *)0)->message];
} report;

int mur_bench_step(mur_cost *cost, int (*step)(void *context, double *seconds), void *context)
{
    int ends[2], status;
    struct rusage used;
    report got = {.rc = MUR_EINTERNAL};
    *cost = (mur_cost){0};
    if (pipe(ends) < 0)
        return mur_fail_errno(MUR_EINTERNAL, "cannot make a pipe");
    pid_t child = fork();
    if (child < 0)
        return mur_fail_errno(MUR_EINTERNAL, "cannot start a process");
    if (child == 0) {
        double begin = mur_monotonic();
        got.rc = step(context, &got.seconds);
        got.seconds = got.seconds > 0 ? got.seconds : mur_monotonic() - begin;
        if (got.rc < 0)
            memcpy(got.message, mur_error_last()->message, sizeof got.message);
        _exit(mur_fd_write(ends[1], (mur_view){(const char *)&got, sizeof got}, "a pipe") < 0);
    }
    close(ends[1]);
    ssize_t len = read(ends[0], &got, sizeof got); /* shorter than a pipe's atomic write: whole or not there */
    close(ends[0]);
    while (wait4(child, &status, 0, &used) < 0)
        if (errno != EINTR)
            return mur_fail_errno(MUR_EINTERNAL, "cannot wait for a process");
    if (len != sizeof got)
        return mur_fail(MUR_EINTERNAL, "a measurement's process died");
    *cost = (mur_cost){.seconds = got.seconds,
                       .cpu_seconds = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                                      1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec),
                       .peak_bytes = (int64_t)used.ru_maxrss * 1024};
    return got.rc < 0 ? mur_fail(got.rc, "%s", got.message) : 0;
}

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about, (void)kind, (void)where;
    return remove(path);
}

static int run_one(settings *s, size_t i)
{
    const char *root = getenv("TMPDIR");
    char *folder = s->dir ? mur_path_join(s->dir, measurements[i].name)
                          : mur_format("%s/murmur-bench-XXXXXX", root && *root ? root : "/tmp");
    int rc = 0;
    if (s->dir && mur_path_exists(folder))
        rc = mur_fail(MUR_ECREATE, "%s is there already: give another --dir", folder);
    else if (s->dir)
        rc = mur_folder_make(folder);
    else if (!mkdtemp(folder))
        rc = mur_fail_errno(MUR_ECREATE, "cannot create %s", folder);
    if (rc == 0) {
        s->bench.name = measurements[i].name;
        s->bench.folder = folder;
        rc = measurements[i].run(&s->bench);
        if (!s->dir && nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0)
            mur_log_warn("cannot remove %s: %s", folder, strerror(errno));
    }
    free(folder);
    return rc;
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings s = {.bench = {.n_sources = 1000000, .n_records = 10000}};
    int first, rc = mur_parse_options(self, argc, argv, set, &s, &first);
    if (rc != 0)
        return rc;
    for (int at = first; at < argc; at++) {
        size_t i = 0;
        while (i < N_MEASUREMENTS && strcmp(measurements[i].name, argv[at]) != 0)
            i++;
        if (i == N_MEASUREMENTS)
            return mur_fail(MUR_EUSAGE,
                            "there is no measurement '%s'; 'murmur bench' does all, of which the first is "
                            "%s: %s",
                            argv[at], measurements[0].name, measurements[0].summary);
    }
    for (size_t i = 0; i < N_MEASUREMENTS && rc == 0; i++) {
        bool is_wanted = first == argc;
        for (int at = first; at < argc; at++)
            is_wanted = is_wanted || strcmp(measurements[i].name, argv[at]) == 0;
        if (is_wanted)
            rc = run_one(&s, i);
    }
    return rc;
}

const mur_command mur_cmd_bench = {
    .name = "bench",
    .operands = "[WHAT...]",
    .summary = "measure parts of the program on this machine: log, tokenizer",
    .options = options,
    .min_operands = 0,
    .max_operands = N_MEASUREMENTS,
    .run = run,
};
