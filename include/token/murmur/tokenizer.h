/* tokenizer.h: text to the ids that a model was trained on, equal to the reference tokenizer's id for id.
 *
 *     mur_tokenizer *t;
 *     mur_ids ids = {0};
 *     rc = mur_tokenizer_open(&t, "weights/murmur-mini");
 *     mur_tokenizer_encode(t, text, &ids, NULL);         <s> … </s>, at most mur_tokenizer_max_length ids
 */
#ifndef MURMUR_TOKENIZER_H
#define MURMUR_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/error.h"
#include "murmur/view.h"

typedef struct mur_tokenizer mur_tokenizer;

typedef struct mur_ids {
    int32_t *ptr;
    size_t len;
    size_t cap;
} mur_ids;

void mur_ids_append(mur_ids *ids, int32_t id);
void mur_ids_clear(mur_ids *ids);

/* Reads the tokenizer files of a Hugging Face folder: BertweetTokenizer (vocab.txt, bpe.codes, added_tokens.json),
 * RobertaTokenizer (tokenizer.json, else vocab.json and merges.txt), BertTokenizer and DistilBertTokenizer
 * (tokenizer.json, else vocab.txt). docs/MODEL.md says how the class is found and which file counts. MUR_ENOINPUT,
 * MUR_EDATA; the message names file, line and column. */
int mur_tokenizer_open(mur_tokenizer **out, const char *folder) MUR_MUST_USE;
void mur_tokenizer_close(mur_tokenizer **t);

/* Appends the ids of one text, special tokens added, truncated on the right to the longest the model takes. Any bytes
 * are fine: invalid UTF-8 reads as U+FFFD. `*n_full`, where not NULL, is the untruncated number. Not for two threads at
 * once on one tokenizer: it holds scratch and a cache. */
void mur_tokenizer_encode(mur_tokenizer *t, mur_view text, mur_ids *ids, size_t *n_full);

/* The text as its words are seen, appended to `out`: with tweet normalisation where BertweetTokenizer has it, BERT's
 * words a space apart, RoBERTa's text as it is. */
void mur_tokenizer_normalize(mur_tokenizer *t, mur_view text, mur_buf *out);

size_t mur_tokenizer_max_length(const mur_tokenizer *t);
size_t mur_tokenizer_vocab_size(const mur_tokenizer *t); /* one more than the largest id */

#endif
