#include "deadline.h"

#include <stdlib.h>

#include "murmur/clock.h"

#define MARGIN 1.25       /* batches of equal size differ by less on a machine that is not shared */
#define SPARE_SECONDS 2.0 /* to end the ranks in order */

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

void mur_deadline_note_batch(mur_deadline *d, double seconds)
{
    d->longest_batch = seconds > d->longest_batch ? seconds : d->longest_batch;
}

void mur_deadline_note_count(mur_deadline *d, double seconds)
{
    d->longest_count = seconds > d->longest_count ? seconds : d->longest_count;
}

bool mur_deadline_is_near(const mur_deadline *d)
{
    double need = MARGIN * (d->longest_batch + d->longest_count) + SPARE_SECONDS;
    return d->end != 0 && mur_monotonic() + need > d->end;
}
