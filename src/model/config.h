/* config.h: config.json of a Hugging Face folder. Whatever would make the network another one is refused by name. */
#ifndef MURMUR_MODEL_CONFIG_H
#define MURMUR_MODEL_CONFIG_H

#include "murmur/model.h"

/* MUR_ENOINPUT, MUR_EIO, MUR_EDATA; the message names file and field. Clear it whatever comes back. */
int mur_config_read(mur_model_config *out, const char *path) MUR_MUST_USE;
void mur_config_clear(mur_model_config *c);

#endif
