/* tokenizer_class.h: what a class of tokenizers is to tokenizer.c. One file for each class; tokenizer.c lists them. */
#ifndef MURMUR_TOKEN_TOKENIZER_CLASS_H
#define MURMUR_TOKEN_TOKENIZER_CLASS_H

#include <cjson/cJSON.h>

#include "murmur/tokenizer.h"

/* A model folder and its parsed configurations; an absent file is an empty object. */
typedef struct tokenizer_folder {
    const char *path;
    cJSON *config;           /* config.json */
    cJSON *tokenizer_config; /* tokenizer_config.json */
} tokenizer_folder;

typedef struct tokenizer_class {
    const char *name;          /* tokenizer_class in the configuration */
    size_t n_hidden_positions; /* of max_position_embeddings those that no token gets */
    size_t default_max_length; /* where the configuration knows none */

    /* Reads the class's files. `base` of what it makes is zeroed but for vocab_size; tokenizer.c fills in the rest. */
    int (*open)(mur_tokenizer **out, const tokenizer_folder *folder);
    void (*encode)(mur_tokenizer *t, mur_view text, mur_ids *ids, size_t *n_full);
    void (*normalize)(mur_tokenizer *t, mur_view text, mur_buf *out);
    void (*close)(mur_tokenizer *t);
} tokenizer_class;

/* The first member of every class's own struct. */
struct mur_tokenizer {
    const tokenizer_class *class;
    size_t max_length;
    size_t vocab_size;
};

extern const tokenizer_class mur_bertweet_class;

#endif
