/* work.h: what a rank does with one work unit, alone: bytes → bronze and rejects → silver → gold. */
#ifndef MURMUR_WORK_H
#define MURMUR_WORK_H

#include "meter.h"
#include "murmur/frame.h"
#include "murmur/plan.h"
#include "murmur/progress.h"
#include "murmur/run.h"
#include "murmur/scorer.h"

typedef struct mur_unit_tables {
    size_t unit; /* its number in the plan */
    mur_frame bronze, rejects, silver, gold;
} mur_unit_tables;

/* The work unit of a rank that took longest; its time is in the rank's counters. */
typedef struct mur_slowest {
    char *file; /* the first that it is of; owned */
    int64_t n_tweets, n_tokens;
} mur_slowest;

/* Per file of the plan, summed over ranks before the record is made. */
typedef struct mur_file_counts {
    int64_t n_rows, n_rejects;
    int64_t n_failed; /* pieces that could not be read */
    int64_t n_moved;  /* pieces whose file had changed or vanished since it was listed */
} mur_file_counts;

/* `bronze` is bronze's schema, which may be wider than mur_bronze_schema; borrowed. */
void mur_unit_tables_init(mur_unit_tables *t, size_t unit, const mur_schema *bronze);
void mur_unit_tables_clear(mur_unit_tables *t);

/* What a rank counts and tells while it works. */
typedef struct mur_worker {
    mur_scorer *scorer;
    mur_meter *meter;
    mur_rank_counters *counters;
    mur_slowest *slowest;
} mur_worker;

/* The unit's bytes are on their way to this node's memory from here on. */
void mur_work_prefetch(const mur_plan *plan, size_t unit);

/* Fills `t`. A file that cannot be read is named in a warning and counted in `counts[file].n_failed`, one that moved in
 * n_moved; the unit's other files go on. Fails only where a reject is an error (--strict). */
int mur_work_unit(mur_unit_tables *t, const mur_plan *plan, const mur_run_options *options, const mur_worker *worker,
                  mur_file_counts *counts) MUR_MUST_USE;

#endif
