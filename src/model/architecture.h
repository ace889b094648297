/* architecture.h: what tells the supported networks apart, as one table. All are BERT's encoder; its names of modules
 * and of fields in config.json are the canonical ones here, and a row says what an architecture calls them. */
#ifndef MURMUR_MODEL_ARCHITECTURE_H
#define MURMUR_MODEL_ARCHITECTURE_H

#include <stdbool.h>

#include "murmur/model.h"

/* `to` NULL: the architecture has no such thing. */
typedef struct mur_rename {
    const char *from, *to;
} mur_rename;

typedef struct mur_architecture {
    const char *name;          /* architectures[0] of config.json */
    const char *base;          /* before the names of the encoder's tensors; a file may leave it out */
    const char *layers;        /* behind it, before a layer's number */
    const mur_rename *fields;  /* of config.json; ends with a zeroed one */
    const mur_rename *modules; /* of the network: those of MUR_*_TENSORS in weights.h; ends with a zeroed one */
    int pad;                   /* pad_token_id, where the config has none */
    int types;                 /* type_vocab_size, likewise */
    bool is_after_padding;     /* positions begin behind pad_token_id, and padding in a text does not count */
    mur_activation head_activation;
} mur_architecture;

/* NULL: not supported. */
const mur_architecture *mur_architecture_find(const char *name);

/* "RobertaForSequenceClassification, BertForSequenceClassification, …" */
const char *mur_architectures_supported(void);

/* What `renames` calls `name`: the name itself where it has no row, NULL where there is no such thing. */
const char *mur_own_name(const mur_rename *renames, const char *name);

#endif
