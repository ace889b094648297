#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "cmd.h"
#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/json.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/quantity.h"
#include "murmur/utf8.h"

/* What can be measured. */
static const struct {
    const char *name, *summary;
    int (*run)(const mur_bench *b);
    bool is_collective; /* all ranks do it; the others are rank 0's alone */
} measurements[] = {
    {"log", "opening a store whose log is long, with and without checkpoints", mur_bench_log, false},
    {"tokenizer", "loading a model's tokenizer, and the ids of tweets", mur_bench_tokenizer, false},
    {"json", "tweets as JSON to rows", mur_bench_json, false},
    {"table", "rows to a part of a table", mur_bench_table, false},
    {"peak", "what a core can compute at most", mur_bench_peak, false},
    {"plan", "what a batch's work units cost rank 0, and each rank that writes their rows", mur_bench_plan, false},
    /* Behind the others, which start processes and so go before MPI is started. */
    {"ranks", "what ranks do together: sums, exchanges, parts", mur_bench_ranks, true},
    {"encoder", "token ids to logits, on all ranks", mur_bench_encoder, true},
    {"deal", "work units dealt to ranks that sleep over them, while rank 0 computes", mur_bench_deal, true},
};
#define N_MEASUREMENTS (sizeof measurements / sizeof *measurements)

static const mur_option options[] = {
    {"sources", "N", "log: source files in it (1000000)", NULL},
    {"records", "N", "log: records (10000)", NULL},
    {"files", "N", "log: make so many empty source files too, and list them (0)", NULL},
    {"model", "DIR", "tokenizer, encoder: of this model (default murmur-mini, $MURMUR_MODEL; --shape)", NULL},
    {"texts", "PATH",
     "tokenizer, json, table, ranks: the tweets of this file or folder; without, 60,000 generated ones", NULL},
    {"shape", "base|small", "encoder: random weights of this shape (default both, one after the other)", NULL},
    {"precision", "fp32|bf16|int8", "encoder: arithmetic of the model (default all that there are)", NULL},
    {"lengths", "FILE", "encoder: texts of so many tokens, one number a line; without, as those of tweets", NULL},
    {"tweets", "N", "encoder: texts of one repeat on each rank (default: some seconds' worth)", NULL},
    {"units", "N", "deal: units for each rank (64); plan: five hundred times as many in all", NULL},
    {"unit-time", "TIME", "deal: that a unit takes on average (100ms)", NULL},
    {"ranks-per-node", "N", "deal: as if nodes had so many ranks (0: as they are)", NULL},
    {"dir", "DIR", "work in this new folder and leave it; without, one below $TMPDIR, removed at the end", NULL},
    {"json", NULL, "one object a line", NULL},
    {0},
};

static int set(void *into, const char *name, const char *value)
{
    mur_bench *b = into;
    if (strcmp(name, "sources") == 0)
        return mur_integer_parse(&b->n_sources, value, 0, 100000000);
    if (strcmp(name, "records") == 0)
        return mur_integer_parse(&b->n_records, value, 1, 10000000);
    if (strcmp(name, "files") == 0)
        return mur_integer_parse(&b->n_files, value, 0, 100000000);
    if (strcmp(name, "model") == 0)
        b->model = value;
    else if (strcmp(name, "texts") == 0)
        b->texts = value;
    else if (strcmp(name, "shape") == 0)
        b->shape = value;
    else if (strcmp(name, "precision") == 0)
        b->precision = value;
    else if (strcmp(name, "lengths") == 0)
        b->lengths = value;
    else if (strcmp(name, "tweets") == 0)
        return mur_integer_parse(&b->n_tweets, value, 1, 10000000);
    else if (strcmp(name, "units") == 0)
        return mur_integer_parse(&b->n_units, value, 1, 1000000);
    else if (strcmp(name, "unit-time") == 0)
        return mur_duration_parse(&b->unit_ms, value);
    else if (strcmp(name, "ranks-per-node") == 0)
        return mur_integer_parse(&b->ranks_per_node, value, 0, 1000000);
    else if (strcmp(name, "dir") == 0)
        b->dir = value;
    else
        b->is_json = true;
    return 0;
}

/* Names of models are names of folders, which may hold anything. */
static void append_text(mur_buf *out, const char *text, bool is_json)
{
    mur_buf valid = {0};
    mur_utf8_append_escaped(&valid, mur_view_of(text), false);
    if (is_json)
        mur_json_append_string(out, mur_buf_view(&valid));
    else
        mur_buf_append_text(out, mur_buf_text(&valid));
    mur_buf_clear(&valid);
}

static void tell_figure(mur_buf *out, const mur_figure *f, bool is_json)
{
    char size[MUR_QUANTITY_TEXT];
    bool is_text = f->kind == MUR_TEXT, is_there = is_text ? f->text != NULL : !isnan(f->value);
    mur_buf_printf(out, is_json ? ",\"%s\":" : "  %s ", f->name);
    if (!is_there)
        mur_buf_append_text(out, is_json ? "null" : "-");
    else if (is_text)
        append_text(out, f->text, is_json);
    else if (f->kind == MUR_BYTES && !is_json)
        mur_buf_append_text(out, mur_size_format(size, (int64_t)f->value));
    else if (f->kind == MUR_COUNT || f->kind == MUR_BYTES)
        mur_buf_printf(out, "%.0f", f->value);
    else
        mur_buf_printf(out, "%.*f", is_json ? 6 : f->kind == MUR_SECONDS || f->value < 10 ? 2 : 1, f->value);
}

int mur_bench_tell(const mur_bench *b, const char *what, const mur_figure *figures, size_t n)
{
    mur_buf out = {0};
    if (b->is_json) {
        mur_buf_printf(&out, "{\"bench\":\"%s\",\"what\":", b->name);
        append_text(&out, what, true);
    } else {
        mur_buf_printf(&out, "%-9s %-40s", b->name, what);
    }
    for (size_t i = 0; i < n; i++)
        tell_figure(&out, &figures[i], b->is_json);
    mur_buf_append_text(&out, b->is_json ? "}\n" : "\n");
    int rc = mur_output(mur_buf_view(&out));
    mur_buf_clear(&out);
    return rc < 0 ? rc : 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double mur_bench_median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, by_value);
    return (values[(n - 1) / 2] + values[n / 2]) / 2;
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

static int run_in_folder(mur_bench *b, size_t i)
{
    char *folder = b->dir ? mur_path_join(b->dir, measurements[i].name) : NULL;
    int rc;
    if (!folder)
        rc = mur_folder_make_temporary(&folder, "bench");
    else if (mur_path_exists(folder))
        rc = mur_fail(MUR_ECREATE, "%s is there already: give another --dir", folder);
    else
        rc = mur_folder_make(folder);
    if (rc == 0) {
        b->folder = folder;
        rc = measurements[i].run(b);
        b->folder = NULL;
        if (!b->dir && !mur_folder_remove(folder))
            mur_log_warn("cannot remove %s: %s", folder, strerror(errno));
    }
    free(folder);
    return rc;
}

/* Starts MPI for what is the first one that all ranks do. */
static int run_on_all(mur_bench *b, size_t i, mur_comm *c)
{
    int rc = 0;
    if (!b->comm) {
        rc = mur_comm_open(c);
        if (rc == 0)
            b->comm = c;
    }
    return rc == 0 ? measurements[i].run(b) : rc;
}

static int check_usage(const mur_bench *b, int argc, char **argv, int first)
{
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
    return mur_bench_encoder_check(b);
}

static int run(const mur_command *self, int argc, char **argv)
{
    mur_bench b = {.n_sources = 1000000, .n_records = 10000, .n_units = 64, .unit_ms = 100};
    mur_comm c;
    int first, rc = mur_parse_options(self, argc, argv, set, &b, &first);
    if (rc == 0)
        rc = check_usage(&b, argc, argv, first);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < N_MEASUREMENTS && rc == 0; i++) {
        bool is_wanted = first == argc;
        for (int at = first; at < argc; at++)
            is_wanted = is_wanted || strcmp(measurements[i].name, argv[at]) == 0;
        b.name = measurements[i].name;
        if (is_wanted && measurements[i].is_collective)
            rc = run_on_all(&b, i, &c);
        else if (is_wanted && mur_launch_rank() == 0)
            rc = run_in_folder(&b, i);
    }
    if (b.comm)
        mur_comm_close(&c);
    return rc;
}

const mur_command mur_cmd_bench = {
    .name = "bench",
    .operands = "[WHAT...]",
    .summary =
        "measure this machine and parts of the program: log, tokenizer, json, table, peak, plan, ranks, encoder, deal",
    .options = options,
    .min_operands = 0,
    .max_operands = N_MEASUREMENTS,
    .is_collective = true,
    .run = run,
};
