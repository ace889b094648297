/* config.h: config.json of a Hugging Face folder. Whatever would make the network another one is refused by name. */
#ifndef MURMUR_MODEL_CONFIG_H
#define MURMUR_MODEL_CONFIG_H

#include "murmur/buf.h"
#include "murmur/model.h"

/* Reads the file; `label_map` and `canonical` are mur_labels_map's. MUR_ENOINPUT, MUR_EIO, MUR_EDATA, MUR_EUSAGE; the
 * message names file and field. Clear `out` whatever comes back. */
int mur_config_read(mur_model_config *out, const char *path, const char *label_map, mur_buf *canonical) MUR_MUST_USE;
void mur_config_clear(mur_model_config *c);

#endif
