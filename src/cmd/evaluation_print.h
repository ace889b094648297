/* evaluation_print.h: an evaluation as people read it, and as one JSON object. */
#ifndef MURMUR_EVALUATION_PRINT_H
#define MURMUR_EVALUATION_PRINT_H

#include "murmur/buf.h"
#include "murmur/evaluation.h"

void mur_evaluation_text(mur_buf *out, const mur_evaluation *e);

/* The object without its closing brace, so that the caller may add members. Rates have a decimal point, always. */
void mur_evaluation_json(mur_buf *out, const mur_evaluation *e);

#endif
