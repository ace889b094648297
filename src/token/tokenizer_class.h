/* tokenizer_class.h: what a class of tokenizers is to tokenizer.c. One file for each class; tokenizer.c lists them. */
#ifndef MURMUR_TOKEN_TOKENIZER_CLASS_H
#define MURMUR_TOKEN_TOKENIZER_CLASS_H

#include "frame.h"
#include "murmur/tokenizer.h"
#include "tokenizer_folder.h"

typedef struct tokenizer_class {
    const char *names;         /* tokenizer_class in the configuration, apart by spaces, each also with "Fast" */
    size_t n_hidden_positions; /* of max_position_embeddings those that no token gets, where model_type does not tell */
    size_t default_max_length; /* where the configuration knows none */

    /* Reads the class's files. `base` of what it makes is zeroed but for vocab_size and the frame's tokens; tokenizer.c
     * fills in the rest. */
    int (*open)(mur_tokenizer **out, const tokenizer_folder *folder);
    void (*encode)(mur_tokenizer *t, mur_view text, mur_ids *ids, size_t *n_full);
    void (*normalize)(mur_tokenizer *t, mur_view text, mur_buf *out);
    void (*close)(mur_tokenizer *t);
} tokenizer_class;

/* The first member of every class's own struct. */
struct mur_tokenizer {
    const tokenizer_class *class;
    mur_frame frame;
    size_t vocab_size;
};

extern const tokenizer_class mur_bertweet_class;
extern const tokenizer_class mur_byte_level_class;
extern const tokenizer_class mur_wordpiece_class;

#endif
