/* head.h: from the last layer's first tokens to logits, and from labels to sentiments. */
#ifndef MURMUR_MODEL_HEAD_H
#define MURMUR_MODEL_HEAD_H

#include "kernels.h"
#include "murmur/model.h"
#include "weights.h"

/* logits[n,L] = out_proj · tanh(dense · x[n,H]); scratch[n,H]. */
void mur_head_run(const mur_kernels *k, const mur_model_config *c, const mur_head_weights *w, const float *x, size_t n,
                  float *scratch, float *logits);

/* NEG, NEGATIVE and so on in any case, or LABEL_0, LABEL_1, LABEL_2 = NEG, NEU, POS of a three-label model; false for
 * anything else. */
bool mur_sentiment_of_label(mur_sentiment *out, const char *label, int n_labels);

#endif
