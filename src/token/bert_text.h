/* bert_text.h: what BERT's tokenizers do to a text before they look for word pieces: clean it, fold it, cut it into
 * words.
 */
#ifndef MURMUR_TOKEN_BERT_TEXT_H
#define MURMUR_TOKEN_BERT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/view.h"

typedef struct mur_bert_rules {
    bool is_cleaned;    /* control characters dropped, white space made spaces */
    bool is_cjk_spaced; /* a space before and behind each ideograph */
    bool is_lower_case; /* letter by letter: no final sigma */
    bool is_unaccented; /* decomposed, nonspacing marks dropped */
} mur_bert_rules;

typedef struct mur_bert_text {
    mur_bert_rules rules;
    uint8_t *classes;
    uint8_t ascii[0x80]; /* what becomes of it */
    bool is_dropped[0x80];
} mur_bert_text;

void mur_bert_text_init(mur_bert_text *b, mur_bert_rules rules);
void mur_bert_text_clear(mur_bert_text *b);

/* Appends the text, cleaned and folded, as UTF-8. Any bytes: invalid UTF-8 reads as U+FFFD, which cleaning drops. */
void mur_bert_normalize(const mur_bert_text *b, mur_buf *out, mur_view text);

/* The next word of a normalised text from `*end` on, which is 0 to begin; false when there is none. White space parts
 * words, and each punctuation mark is one. */
bool mur_bert_next_word(const mur_bert_text *b, mur_view text, size_t *first, size_t *end);

#endif
