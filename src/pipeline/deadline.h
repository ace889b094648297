/* deadline.h: a batch that cannot finish before the job's time is over is not begun: it would be lost.
 *
 * The time is --time-limit's, from the start of the run, or that of the SLURM job (SLURM_JOB_END_TIME, seconds since
 * 1970, which slurm/murmur.sbatch sets where Slurm does not), whichever is first. A batch is expected to take as long
 * as the longest so far and a quarter more; the count of application behind it as long as the last one, times what
 * there is more to count: it reads and writes the whole table, which grows, and gold's rows since. Local, rank 0's.
 */
#ifndef MURMUR_DEADLINE_H
#define MURMUR_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct mur_deadline {
    double end;                          /* mur_monotonic; 0: there is none */
    double longest_batch, longest_count; /* seconds */
    int64_t most_rows;                   /* of gold, that a batch brought */
    double last_count;                   /* seconds */
    int64_t last_rows;                   /* that it read, of application and of gold */
} mur_deadline;

/* `limit_ms` 0: none by option. */
void mur_deadline_open(mur_deadline *d, int64_t limit_ms);

/* `n_rows`: of gold. */
void mur_deadline_note_batch(mur_deadline *d, double seconds, int64_t n_rows);

/* `n_rows` as mur_count_rows told them before. */
void mur_deadline_note_count(mur_deadline *d, double seconds, int64_t n_rows);

/* The seconds that a batch and a count behind it are expected to take, where mur_count_rows tells `n_rows` before. */
double mur_deadline_need(const mur_deadline *d, int64_t n_rows);

/* Whether the next batch, with its count, would end too late. */
bool mur_deadline_is_near(const mur_deadline *d, int64_t n_rows);

#endif
