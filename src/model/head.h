/* head.h: from the last layer's first tokens to logits. */
#ifndef MURMUR_MODEL_HEAD_H
#define MURMUR_MODEL_HEAD_H

#include "kernels.h"
#include "murmur/model.h"
#include "weights.h"

/* logits[n,L] = out · activation(dense · x[n,H]), with products by `linear`; scratch[n,H]. */
void mur_head_run(const mur_kernels *k, mur_linear_function *linear, const mur_model_config *c,
                  const mur_head_weights *w, const float *x, size_t n, float *scratch, float *logits);

#endif
