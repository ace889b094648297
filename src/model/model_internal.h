/* model_internal.h: the inside of a mur_model, for the files of this layer. */
#ifndef MURMUR_MODEL_INTERNAL_H
#define MURMUR_MODEL_INTERNAL_H

#include "kernels.h"
#include "murmur/model.h"
#include "weights.h"

struct mur_model {
    char *folder;
    char *name;
    mur_model_config config;
    mur_precision precision;
    const mur_kernels *kernels;
    mur_buf label_map; /* mur_model_label_map */
    mur_checkpoint checkpoint;
    mur_weights weights;
    const void *block; /* NULL before mur_model_bind */
};

#endif
