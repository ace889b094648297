/* score.h: silver → gold: each row with the model's word on its text. Local. */
#ifndef MURMUR_SCORE_H
#define MURMUR_SCORE_H

#include "murmur/frame.h"
#include "murmur/scorer.h"

/* Appends to `gold` a row for each of `silver`; texts[silver->n_rows] are what the model reads. Given the rows of one
 * work unit at a time, the same rows give the same bits. */
void mur_score(mur_frame *gold, const mur_frame *silver, const mur_view *texts, mur_scorer *scorer);

#endif
