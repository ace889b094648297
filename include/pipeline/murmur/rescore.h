/* rescore.h: gold again from silver, with another model. */
#ifndef MURMUR_RESCORE_H
#define MURMUR_RESCORE_H

#include "murmur/run.h"

typedef struct mur_rescore_options {
    const char *store;
    const char *model;     /* a folder, or a name (registry.h) */
    const char *label_map; /* mur_model_open's; NULL: labels tell by their names */
    mur_precision precision;
    bool has_text; /* else the model reads what the last one read */
    mur_text_choice text;
    int64_t max_bytes; /* of source files whose rows make one part: bounds what the ranks hold in memory */
    mur_writing writing;
} mur_rescore_options;

/* The defaults of murmur(1); `store` and `model` are the caller's to set. */
void mur_rescore_options_init(mur_rescore_options *o);

/* Collective. Scores all rows of silver and puts them in gold's place, as one record with operation RESCORE; then
 * counts application again. Batches are formed from the work units that the log has, so the same model gives the same
 * bits, at any number of ranks. A store without rows of silver stays as it is. MUR_ENOINPUT, MUR_ECREATE (locked),
 * MUR_EIO; MUR_EDATA where silver's rows are not those that the log tells of. */
int mur_rescore(mur_comm *c, const mur_rescore_options *options) MUR_MUST_USE;

#endif
