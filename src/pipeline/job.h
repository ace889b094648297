/* job.h: what the stages of one run share. */
#ifndef MURMUR_JOB_H
#define MURMUR_JOB_H

#include "murmur/run.h"
#include "murmur/scorer.h"
#include "murmur/store.h"
#include "progress.h"
#include "work.h"

typedef struct mur_job {
    mur_comm *c;
    const mur_run_options *options;
    mur_store *store;        /* rank 0's; NULL elsewhere */
    mur_schema *bronze;      /* of this run's rows: the same on all ranks */
    char run_id[MUR_RUN_ID]; /* the same on all ranks */
    mur_scorer scorer;
    mur_progress progress;
    mur_tally tally;  /* this rank's */
    bool is_stopping; /* all ranks agreed to end after the batch in hand */
} mur_job;

/* Collective. Gives the run its name. */
void mur_job_name(mur_job *j);

/* Local, rank 0: opens the options' store, which must be there, and takes its lock. */
int mur_job_open_store(mur_job *j) MUR_MUST_USE;

/* Local, any rank: lets the lock go and closes the store, if this rank has it. */
void mur_job_close_store(mur_job *j);

/* Local. From here on SIGUSR1 asks the job to stop, as a request in its store does (murmur/writer.h). */
void mur_job_listen(void);

/* Collective. Whether any rank was asked to stop; looked at between batches. Remembered in j->is_stopping. */
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
mur_part_options mur_job_part_options(const mur_job *j, int64_t version);

/* Collective (count.c). Brings the application table up to gold: merges the gold rows that came since the version that
 * it stands for into its counts, or counts all again when gold lost parts or the options differ. Nothing to do is fine.
 */
int mur_count(mur_job *j) MUR_MUST_USE;

#endif
