/* doctor.h: what a run would find here: ranks and cores, BLAS, shared memory, the file system, the model, gnuplot.
 *
 * Nothing is changed, and nothing is left behind. Findings are for people: a subject, what was found, and where it is
 * not as it should be, the cure.
 */
#ifndef MURMUR_DOCTOR_H
#define MURMUR_DOCTOR_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/error.h"
#include "murmur/par.h"

typedef enum {
    MUR_FINDING_GOOD,
    MUR_FINDING_SLOW, /* a run works, but slower than it could, or without some of its results */
    MUR_FINDING_BAD,  /* a run would fail, or not be safe */
} mur_finding_grade;

/* "good", "slow", "bad". */
const char *mur_finding_grade_name(mur_finding_grade grade);

typedef struct mur_finding {
    const char *subject; /* static: "cores", "BLAS" … */
    mur_finding_grade grade;
    char *text;
    char *cure; /* NULL where it is good */
} mur_finding;

typedef struct mur_findings {
    mur_finding *items;
    size_t n;
} mur_findings;

/* Collective. `model` and `folder` (where a store is or will be) are looked at too; a NULL model is not. All findings
 * are on rank 0, none on the others. Fails only where ranks cannot talk. */
int mur_doctor(mur_findings *out, const mur_comm *c, const char *model, const char *folder) MUR_MUST_USE;
void mur_findings_clear(mur_findings *f);

/* Collective. What a run says of its machines at its start: one line, and a warning for each finding of ranks, cores,
 * BLAS and shared memory that is not good. */
void mur_doctor_greet(const mur_comm *c);

#endif
