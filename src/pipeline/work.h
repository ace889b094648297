/* work.h: what a rank does with one work unit, alone: bytes → bronze and rejects → silver → gold. */
#ifndef MURMUR_WORK_H
#define MURMUR_WORK_H

#include "murmur/frame.h"
#include "murmur/run.h"
#include "murmur/scorer.h"
#include "plan.h"

typedef struct mur_unit_tables {
    size_t unit; /* its number in the plan */
    mur_frame bronze, rejects, silver, gold;
} mur_unit_tables;

/* What one rank did in a run, for the summary. Seconds are of this rank's clock. */
typedef struct mur_tally {
    int64_t n_units, n_bronze, n_rejects, n_silver, n_scored, n_tokens, n_bad_dates;
    int64_t bytes_read, bytes_written;
    double ingest_seconds, refine_seconds, score_seconds, write_seconds, merge_seconds;
} mur_tally;

/* Per file of the plan, summed over ranks before the record is made. */
typedef struct mur_file_counts {
    int64_t n_rows, n_rejects;
    int64_t n_failed; /* pieces that could not be read */
    int64_t n_moved;  /* pieces whose file had changed or vanished since it was listed */
} mur_file_counts;

/* `bronze` is bronze's schema, which may be wider than mur_bronze_schema; borrowed. */
void mur_unit_tables_init(mur_unit_tables *t, size_t unit, const mur_schema *bronze);
void mur_unit_tables_clear(mur_unit_tables *t);

/* Fills `t`. A file that cannot be read is named in a warning and counted in `counts[file].n_failed`, one that moved in
 * n_moved; the unit's other files go on. Fails only where a reject is an error (--strict). */
int mur_work_unit(mur_unit_tables *t, const mur_plan *plan, const mur_run_options *options, mur_scorer *scorer,
                  mur_file_counts *counts, mur_tally *tally) MUR_MUST_USE;

#endif
