/* job.h: what the stages of one run share. */
#ifndef MURMUR_JOB_H
#define MURMUR_JOB_H

#include "deadline.h"
#include "meter.h"
#include "murmur/progress.h"
#include "murmur/run.h"
#include "murmur/scorer.h"
#include "murmur/store.h"
#include "told.h"
#include "work.h"

typedef struct mur_job {
    mur_comm *c;
    const mur_run_options *options;
    mur_store *store;        /* rank 0's; NULL elsewhere */
    mur_schema *bronze;      /* of this run's rows: the same on all ranks */
    char run_id[MUR_RUN_ID]; /* the same on all ranks */
    mur_scorer scorer;
    mur_meter meter;
    mur_rank_counters counters; /* this rank's */
    mur_slowest slowest;        /* this rank's work unit that took longest */
    mur_trigger_times times;    /* of the trigger in hand; */
    mur_trigger_times counting; /* of application's; and */
    int64_t n_waiting;          /* source files that wait for it and later ones: rank 0's */
    double began;               /* seconds, mur_monotonic */
    int64_t began_at;           /* milliseconds */
    mur_deadline deadline;      /* rank 0's */
    bool is_late;               /* that is why it stops: rank 0's */
    bool is_stopping;           /* all ranks agreed to end after the batch in hand */
} mur_job;

/* Collective. Gives the run its name, and notes when it began. */
void mur_job_name(mur_job *j);

/* Collective; the store is open and locked, the scorer open. The job can be followed from here on. */
int mur_job_open_meter(mur_job *j) MUR_MUST_USE;

/* Collective. What the ranks counted in the whole run: on rank 0 all of it, the caller's to clear; elsewhere empty. */
void mur_job_gather_counters(mur_job *j, mur_run_counters *run);

/* Local, rank 0: opens the options' store, which must be there, and takes its lock. */
int mur_job_open_store(mur_job *j) MUR_MUST_USE;

/* Local, any rank: lets the lock go and closes the store, if this rank has it. */
void mur_job_close_store(mur_job *j);

/* Collective. Whether any rank was asked to stop, by a signal (murmur/stop.h) or in its store (murmur/writer.h), or the
 * deadline is near; looked at between batches. Remembered in j->is_stopping. */
bool mur_job_is_stopping(mur_job *j);

/* Local, rank 0: a record of this run, without changes yet. `options` is the JSON object of the options that shaped its
 * rows; taken over. */
void mur_job_record(const mur_job *j, mur_record *r, const char *operation, char *options);

/* Collective. Sets j->bronze: the columns that the store's bronze has, and behind them those of `declared` (rank 0's;
 * NULL: none) that are new, where the options say so. MUR_EDATA where they do not fit. */
int mur_job_agree_schema(mur_job *j, const mur_schema *declared) MUR_MUST_USE;

/* Local: which model, for a record with rows that it scored. */
void mur_job_record_model(const mur_job *j, mur_record *r);

/* Local, rank 0: the record of the rows that gold got last; NULL if there is no gold. Lasts until the next one is
 * published. */
const mur_record *mur_job_gold_record(const mur_job *j);

/* How this run's parts of a table are written. */
mur_part_options mur_job_part_options(mur_job *j, int64_t version);

/* Local, any rank: clears parts that this run wrote. Rank 0 removes their files: parts that got no record, as who
 * publishes a record takes its parts over before. */
void mur_job_discard(const mur_job *j, mur_part *parts, size_t n);

/* Collective (count.c). Brings the application table up to gold: merges the gold rows that came since the version that
 * it stands for into its counts, or counts all again when gold lost parts or the options differ. Nothing to do is fine.
 */
int mur_count(mur_job *j) MUR_MUST_USE;

/* Local, rank 0 (count.c). Whether mur_count has something to do, and the rows that it would read then, of the former
 * application and of gold's news. */
bool mur_count_is_due(const mur_job *j);
int64_t mur_count_rows(const mur_job *j);

#endif
