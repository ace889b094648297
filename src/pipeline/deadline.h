/* deadline.h: a batch that cannot finish before the job's time is over is not begun: it would be lost.
 *
 * The time is --time-limit's, from the start of the run, or that of the SLURM job (SLURM_JOB_END_TIME, seconds since
 * 1970, from Slurm 22.05 on), whichever is first. A batch, and the count of application behind it, are expected to take
 * as long as the longest so far and a quarter more. Local, rank 0's.
 */
#ifndef MURMUR_DEADLINE_H
#define MURMUR_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct mur_deadline {
    double end;                          /* mur_monotonic; 0: there is none */
    double longest_batch, longest_count; /* seconds */
} mur_deadline;

/* `limit_ms` 0: none by option. */
void mur_deadline_open(mur_deadline *d, int64_t limit_ms);

void mur_deadline_note_batch(mur_deadline *d, double seconds);
void mur_deadline_note_count(mur_deadline *d, double seconds);

/* Whether the next batch would end too late. */
bool mur_deadline_is_near(const mur_deadline *d);

#endif
