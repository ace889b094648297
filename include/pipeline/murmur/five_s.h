/* five_s.h: where a job loses memory, time and room: spill, skew, shuffle, storage, serialization, judged from the
 * counters that the last run of a store left there (progress.h) and from the store's log. Local.
 *
 *     mur_five_s f;
 *     rc = mur_five_s_compute(&f, store, record, &history.last_run);
 *     for (size_t s = 0; rc == 0 && s < MUR_N_FIVE_S; s++) … f.findings[s].verdict …
 */
#ifndef MURMUR_FIVE_S_H
#define MURMUR_FIVE_S_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/progress.h"
#include "murmur/quantity.h"
#include "murmur/store.h"

typedef enum { MUR_SPILL, MUR_SKEW, MUR_SHUFFLE, MUR_STORAGE, MUR_SERIALIZATION, MUR_N_FIVE_S } mur_five_s_name;

typedef enum {
    MUR_GRADE_UNKNOWN, /* there are no counters of a run */
    MUR_GRADE_FINE,
    MUR_GRADE_WATCH,  /* it costs something, or soon will */
    MUR_GRADE_COSTLY, /* it costs a good part of the run or of the store */
} mur_grade;

const char *mur_grade_name(mur_grade grade); /* "unknown", "fine", "watch", "costly" */

typedef enum { MUR_IN_BYTES, MUR_IN_SECONDS, MUR_IN_NUMBERS, MUR_IN_RATIO, MUR_IN_PERCENT } mur_figure_unit;

typedef struct mur_five_s_figure {
    const char *name;    /* "peak_bytes"; static, as `meaning` */
    const char *meaning; /* "most memory of a rank" */
    mur_figure_unit unit;
    double value; /* NAN: not known */
} mur_five_s_figure;

#define MUR_FIVE_S_FIGURES 12

typedef struct mur_finding {
    const char *name;    /* "spill"; static, as `meaning` */
    const char *meaning; /* "memory that does not suffice" */
    mur_grade grade;
    mur_five_s_figure figures[MUR_FIVE_S_FIGURES];
    size_t n_figures;
    char verdict[512]; /* in words, with the figures that it rests on */
    char cure[256];    /* the option that would change it, also where all is fine */
} mur_finding;

typedef struct mur_five_s {
    char run_id[MUR_RUN_ID]; /* of the run whose counters they are; empty: none, and only storage is judged */
    mur_finding findings[MUR_N_FIVE_S];
} mur_five_s;

/* The store as of a record, and a run's counters (run_id empty: none). MUR_EIO, MUR_EDATA. */
int mur_five_s_compute(mur_five_s *out, const mur_store *store, int64_t record,
                       const mur_run_counters *run) MUR_MUST_USE;

/* "3.4 MiB", "1.25 s", "12", "1.08 x", "4.2 %", or "-". Returns `out`. */
char *mur_five_s_figure_format(char out[MUR_QUANTITY_TEXT], const mur_five_s_figure *figure);

#endif
