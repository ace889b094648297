#include <inttypes.h>

#include "cmd.h"
#include "murmur/clock.h"
#include "murmur/quantity.h"
#include "murmur/writer.h"

#define LOOK_SECONDS 0.1

typedef struct settings {
    int64_t wait_ms; /* 0: not at all */
} settings;

static const mur_option options[] = {
    {"wait", "TIME", "wait so long for the job to end (status 75 if it did not)", NULL},
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    settings *s = into;
    (void)name; /* there is one */
    return mur_duration_parse(&s->wait_ms, value);
}

/* Prints what is to be said now, before there is more to wait for. */
static int flush(mur_buf *out)
{
    int rc = mur_output(mur_buf_view(out));
    mur_buf_clear(out);
    return rc;
}

static int wait_for_end(const char *store, const mur_writer *w, int64_t wait_ms)
{
    mur_buf out = {0};
    double start = mur_monotonic(), end = start + 1e-3 * (double)wait_ms;
    for (;;) {
        bool is_over;
        int rc = mur_writer_is_over(w, store, &is_over);
        double now = mur_monotonic();
        if (rc < 0)
            return rc;
        if (is_over) {
            mur_buf_printf(&out, "run %s ended after %.1f s\n", w->run_id, now - start);
            return flush(&out);
        }
        if (now >= end)
            return mur_fail(MUR_EAGAIN,
                            "run %s (process %" PRId64 " on host %s) has not ended within %g s: it will "
                            "when its batch is done",
                            w->run_id, w->pid, w->host, 1e-3 * (double)wait_ms);
        mur_sleep(end - now < LOOK_SECONDS ? end - now : LOOK_SECONDS);
    }
}

static int stop(const char *store, int64_t wait_ms)
{
    bool is_over = true;
    mur_buf out = {0};
    mur_writer w;
    int rc = mur_writer_look(&w, store);
    if (rc == 0 && w.state == MUR_WRITER_NONE) {
        mur_buf_printf(&out, "no job writes %s\n", store);
    } else if (rc == 0 && w.state == MUR_WRITER_GONE) {
        mur_buf_printf(&out, "no job writes %s: run %s (process %" PRId64 " on host %s) left its lock, and %s\n", store,
                       w.run_id, w.pid, w.host, w.reason);
    } else if (rc == 0) {
        rc = mur_writer_ask_to_stop(&w, store, &is_over);
        if (rc == 0)
            mur_buf_printf(&out, "run %s (process %" PRId64 " on host %s) %s\n", w.run_id, w.pid, w.host,
                           is_over              ? "has just ended"
                           : w.is_asked_to_stop ? "was asked before: it ends when its batch is done"
                                                : "is asked to finish its batch and end");
    }
    if (rc == 0)
        rc = flush(&out);
    if (rc == 0 && wait_ms > 0 && !is_over)
        rc = wait_for_end(store, &w, wait_ms);
    mur_writer_clear(&w);
    mur_buf_clear(&out);
    return rc;
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings s = {0};
    int first, rc = mur_parse_options(self, argc, argv, set, &s, &first);
    return rc != 0 ? rc : stop(argv[first], s.wait_ms);
}

const mur_command mur_cmd_stop = {
    .name = "stop",
    .operands = "STORE",
    .summary = "ask the job that writes a store to finish its batch and end",
    .options = options,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
