/* special_tokens.h: which strings a model folder gives special meaning to, and their ids. They are in up to five
 * places: tokenizer.json, or added_tokens.json where that is absent; added_tokens_decoder and the roles (cls_token …)
 * of tokenizer_config.json; the roles of special_tokens_map.json; and what a class has where no file tells.
 */
#ifndef MURMUR_TOKEN_SPECIAL_TOKENS_H
#define MURMUR_TOKEN_SPECIAL_TOKENS_H

#include "added_tokens.h"
#include "frame.h"
#include "tokenizer_folder.h"
#include "vocab.h"

enum {
    MUR_ROLE_CLS,
    MUR_ROLE_SEP,
    MUR_ROLE_UNK,
    MUR_ROLE_PAD,
    MUR_ROLE_MASK,
    MUR_ROLE_BOS,
    MUR_ROLE_EOS,
    MUR_N_ROLES,
};

/* What a class has where no file tells. */
typedef struct mur_special_defaults {
    const char *strings[MUR_N_ROLES]; /* NULL: none */
    bool mask_takes_left_space;       /* where it is given as a mere string */
    bool has_normalizer;              /* else all tokens are literal */
} mur_special_defaults;

typedef struct mur_special_tokens {
    mur_added_tokens literal;    /* sought in the text as it is */
    mur_added_tokens normalized; /* sought, themselves normalised, in the normalised text: flag `normalized` */
    int32_t ids[MUR_N_ROLES];    /* MUR_VOCAB_NONE where there is none */
    mur_vocab beyond;            /* those that the vocabulary lacks */
} mur_special_tokens;

/* `v` is the model's vocabulary. A role's string that has no id in any file is left out. */
int mur_special_tokens_read(mur_special_tokens *out, const mur_vocab *v, const tokenizer_folder *folder,
                            const mur_special_defaults *defaults) MUR_MUST_USE;
void mur_special_tokens_clear(mur_special_tokens *s);

/* One more than the largest id of both. */
size_t mur_special_tokens_vocab_size(const mur_special_tokens *s, const mur_vocab *v);

/* The id of a role that must have one; MUR_EDATA names the role and `where` it was looked for. */
int mur_special_tokens_need(int32_t *id, const mur_special_tokens *s, int role, const char *where) MUR_MUST_USE;

/* What stands around a text where no tokenizer.json says: cls before it, sep behind. Errors as above. */
int mur_special_tokens_frame(mur_frame *out, const mur_special_tokens *s, const char *where) MUR_MUST_USE;

#endif
