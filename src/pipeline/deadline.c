#include "deadline.h"

#include <stdlib.h>

#include "murmur/clock.h"

#define MARGIN 1.25       /* batches of equal size differ by less on a machine that is not shared */
#define SPARE_SECONDS 2.0 /* to end the ranks in order */

/* What a count takes however few its rows are, in rows: some 20 ms, the commit's, against 1 µs a row (`processing time`
 * of application in the progress of a run of 200 mentions, and of one of 37,000). Without it a count of a hundred rows
 * would let one of a million seem to take minutes. */
#define COUNT_ROWS 20000

void mur_deadline_open(mur_deadline *d, int64_t limit_ms)
{
    const char *text = getenv("SLURM_JOB_END_TIME");
    char *rest = NULL;
    long long end = text ? strtoll(text, &rest, 10) : 0;
    double now = mur_monotonic();
    *d = (mur_deadline){.end = limit_ms > 0 ? now + 1e-3 * (double)limit_ms : 0};
    if (end > 0 && *rest == '\0') {
        double of_job = now + (double)end - 1e-3 * (double)mur_now_ms();
        d->end = d->end > 0 && d->end < of_job ? d->end : of_job;
    }
}

void mur_deadline_note_batch(mur_deadline *d, double seconds, int64_t n_rows)
{
    d->longest_batch = seconds > d->longest_batch ? seconds : d->longest_batch;
    d->most_rows = n_rows > d->most_rows ? n_rows : d->most_rows;
}

void mur_deadline_note_count(mur_deadline *d, double seconds, int64_t n_rows)
{
    d->longest_count = seconds > d->longest_count ? seconds : d->longest_count;
    d->last_count = seconds;
    d->last_rows = n_rows;
}

double mur_deadline_need(const mur_deadline *d, int64_t n_rows)
{
    /* Fewer rows do not promise a shorter count: the table that it writes is as large as before. */
    double growth = (double)(n_rows + d->most_rows + COUNT_ROWS) / (double)(d->last_rows + COUNT_ROWS);
    return MARGIN * (d->longest_batch + d->last_count * (growth > 1 ? growth : 1)) + SPARE_SECONDS;
}

bool mur_deadline_is_near(const mur_deadline *d, int64_t n_rows)
{
    return d->end != 0 && mur_monotonic() + mur_deadline_need(d, n_rows) > d->end;
}
