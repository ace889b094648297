#include "progress.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "murmur/clock.h"
#include "murmur/log.h"

#define TELL_SECONDS 9.0 /* so that a line comes at least every 10 s although ticks come between model batches */

static const char *const names[MUR_N_STREAMS] = {"bronze_stream", "silver_stream", "gold_stream", "application"};

int mur_progress_open(mur_progress *p, const mur_comm *c)
{
    double now = mur_monotonic();
    *p = (mur_progress){.is_speaking = c->rank == 0, .begun = now, .told = now};
    return mur_share_open(&p->share, c, MUR_N_STREAMS * sizeof(atomic_llong));
}

void mur_progress_close(mur_progress *p, const mur_comm *c)
{
    mur_share_close(&p->share, c);
}

static atomic_llong *counters(mur_progress *p)
{
    return p->share.bytes;
}

void mur_progress_begin(mur_progress *p, int64_t batch)
{
    p->batch = batch;
    p->begun = p->told = mur_monotonic();
    if (p->is_speaking)
        for (int s = 0; s < MUR_N_STREAMS; s++)
            atomic_store(&counters(p)[s], 0);
}

void mur_progress_add(mur_progress *p, mur_stream stream, int64_t n_rows)
{
    atomic_fetch_add(&counters(p)[stream], n_rows);
}

static void tell(const mur_progress *p, mur_stream stream, int64_t n_rows, double seconds, const char *remark)
{
    mur_log_info("%-13s batch %" PRId64 "  rows in %" PRId64 "  %.1f rows/s  processing time %.1f s%s", names[stream],
                 p->batch, n_rows, seconds > 0 ? (double)n_rows / seconds : 0, seconds, remark);
}

void mur_progress_tick(void *progress)
{
    mur_progress *p = progress;
    double now = mur_monotonic();
    if (!p->is_speaking || now - p->told < TELL_SECONDS)
        return;
    p->told = now;
    for (mur_stream s = 0; s < MUR_N_STREAMS; s++)
        if (s != MUR_STREAM_APPLICATION || atomic_load(&counters(p)[s]) > 0)
            tell(p, s, atomic_load(&counters(p)[s]), now - p->begun, " (running)");
}

void mur_progress_tell(mur_progress *p, mur_stream stream, int64_t n_rows, double seconds)
{
    if (p->is_speaking)
        tell(p, stream, n_rows, seconds, "");
}
