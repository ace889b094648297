/* labels.h: which sentiment each of a model's labels counts for: by its name, or as the user says. */
#ifndef MURMUR_MODEL_LABELS_H
#define MURMUR_MODEL_LABELS_H

#include "murmur/buf.h"
#include "murmur/model.h"

/* Fills c->sentiments from c->labels. `map` is "LABEL_0=NEG,LABEL_1=POS" or NULL; a label is called by its name or by
 * its id, and labels that the map leaves out count by their names. `canonical` receives the map as a JSON object in
 * order of ids (nothing where there is none). MUR_EUSAGE for a map that is wrong, MUR_EDATA for a label that says no
 * sentiment; `path` names the config. */
int mur_labels_map(mur_model_config *c, const char *map, mur_buf *canonical, const char *path) MUR_MUST_USE;

/* NEG, negative, very negative, 1 star … in any case; LABEL_0 … LABEL_2 of a three-label model; false for others. */
bool mur_sentiment_of_label(mur_sentiment *out, const char *label, int n_labels);

#endif
