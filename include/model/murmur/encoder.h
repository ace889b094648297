/* encoder.h: the forward pass. One per rank, with its scratch; no allocation while it runs.
 *
 * Texts are packed end to end, no padding: ids[starts[i] .. starts[i+1]) is text i. The last layer is computed for each
 * text's first token alone. A text has the same bits whatever else is in the batch, but where BLAS multiplies: there
 * it is the same batch that has the same bits (BLAS is single-threaded). mur_model_kernel says where else they depend
 * on the machine.
 */
#ifndef MURMUR_ENCODER_H
#define MURMUR_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/error.h"
#include "murmur/model.h"

typedef struct mur_encoder mur_encoder;

/* Tokens of one packed batch that suit a precision: enough to read the weights seldom and for sgemm to run near its
 * peak, few enough for the activations to stay in the caches (docs/PERFORMANCE.md). */
size_t mur_encoder_batch_tokens(mur_precision p);

/* Scratch for batches of up to `max_tokens` tokens (and any number of texts in them). `m` outlives the encoder, and has
 * its precision. MUR_EINTERNAL (memory). */
int mur_encoder_open(mur_encoder **out, const mur_model *m, size_t max_tokens) MUR_MUST_USE;
void mur_encoder_close(mur_encoder **e);

/* logits[n_texts, n_labels]. Every text has 1 to max_positions - first_position tokens, every id is below vocab_size,
 * starts[0] is 0 and starts[n_texts] at most max_tokens: asserted, since tokenizer and batcher are ours. */
void mur_encoder_run(mur_encoder *e, const int32_t *ids, const size_t *starts, size_t n_texts, float *logits);

/* What a forward pass spends its time on. To round is part of what makes the numbers; where a product's sums go through
 * the activation as soon as they are there, it counts with the product. */
typedef enum {
    MUR_KERNEL_EMBEDDING,
    MUR_KERNEL_LINEAR, /* matrix products with weights, and their biases */
    MUR_KERNEL_ATTENTION,
    MUR_KERNEL_ACTIVATION,
    MUR_KERNEL_NORM,
    MUR_KERNEL_HEAD, /* all of the classifier behind the last layer */
    MUR_N_KERNELS
} mur_kernel;

/* "embedding", "linear", … */
const char *mur_kernel_name(mur_kernel k);

/* From now on every run adds the seconds of each kernel to seconds[MUR_N_KERNELS]; NULL, as at first: nothing is
 * measured. */
void mur_encoder_measure(mur_encoder *e, double *seconds);

/* The class and its probability (0..1): softmax over the labels, those of one class summed; the first of equals. */
mur_sentiment mur_classify_logits(const mur_model *m, const float *logits, float *probability);

#endif
