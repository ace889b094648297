/* charts.h: pictures of plain numbers, each with its table. All return what mur_picture_draw returns, 1 and nothing
 * drawn where there is nothing to show. Local. */
#ifndef MURMUR_CHARTS_H
#define MURMUR_CHARTS_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/picture.h"

/* Rows by given (down) and predicted class (across): `counts[given * n + predicted]`; `labels` are ASCII. */
extern const mur_picture mur_picture_confusion, mur_picture_confusion_binary;
int mur_chart_confusion(const char *folder, const mur_picture *picture, const char *const *labels,
                        const int64_t *counts, size_t n) MUR_MUST_USE;

/* A bin of predicted scores: how sure the model was in the mean and how often it was right, both 0 to 1. Bins without
 * rows are left out. */
typedef struct mur_reliability_bin {
    double low, high;
    int64_t n_rows;
    double confidence, accuracy;
} mur_reliability_bin;

extern const mur_picture mur_picture_reliability;
int mur_chart_reliability(const char *folder, const mur_reliability_bin *bins, size_t n) MUR_MUST_USE;

#endif
