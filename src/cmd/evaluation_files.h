/* evaluation_files.h: an evaluation as files, the artifacts of its run of MLflow. */
#ifndef MURMUR_EVALUATION_FILES_H
#define MURMUR_EVALUATION_FILES_H

#include "murmur/evaluation.h"
#include "murmur/tracked_run.h"

/* Makes evaluation.json and the pictures (confusion_matrix, with three classes also confusion_matrix_by_class, and
 * reliability, each .png and .svg) in a fresh folder, and names them in the run. A picture that cannot be drawn, as
 * without gnuplot, is told of and left out. `*folder` is mur_evaluation_files_remove's, also after a failure.
 * MUR_ECREATE, MUR_EIO. */
int mur_evaluation_files_make(char **folder, mur_tracked_run *run, const mur_evaluation *e) MUR_MUST_USE;
void mur_evaluation_files_remove(char **folder);

#endif
