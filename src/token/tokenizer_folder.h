/* tokenizer_folder.h: the JSON files of a model folder that say how its tokenizer works. */
#ifndef MURMUR_TOKEN_TOKENIZER_FOLDER_H
#define MURMUR_TOKEN_TOKENIZER_FOLDER_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "frame.h"
#include "murmur/buf.h"
#include "murmur/error.h"
#include "murmur/view.h"

/* tokenizer.json, Hugging Face's one file for all: normalizer, pre_tokenizer, model with its vocabulary,
 * post_processor. The two large members of `model` stay text; the tree holds the rest. */
typedef struct tokenizer_json {
    char *path;
    mur_buf text;
    cJSON *tree;            /* NULL: the folder has no such file */
    mur_view vocab, merges; /* model.vocab and model.merges as written, `ptr` NULL where absent */
} tokenizer_json;

typedef struct tokenizer_folder {
    const char *path;
    cJSON *config;             /* config.json; an absent file is an empty object, here and below */
    cJSON *tokenizer_config;   /* tokenizer_config.json */
    cJSON *special_tokens_map; /* special_tokens_map.json */
    tokenizer_json json;

    /* The configuration names no class, or the one that is whatever tokenizer.json says: then that file alone decides.
     * A named class takes the settings of tokenizer_config.json and its own defaults for what is not there, and they
     * win over tokenizer.json's, as in transformers. */
    bool is_generic;
} tokenizer_folder;

/* MUR_ENOINPUT for no folder, MUR_EDATA for a file that is not a JSON object. To be closed in either case. */
int tokenizer_folder_open(tokenizer_folder *f, const char *path) MUR_MUST_USE;
void tokenizer_folder_close(tokenizer_folder *f);

bool tokenizer_folder_holds(const tokenizer_folder *f, const char *name);

/* The kind of tokenizer.json's model, "BPE" for one, which old files do not say; NULL where it cannot be told. */
const char *tokenizer_json_model_type(const tokenizer_json *j);

/* The type of tokenizer.json's normalizer, pre_tokenizer or the like: "" where the member is absent or null. */
const char *tokenizer_json_part_type(const tokenizer_json *j, const char *part);

/* The special tokens around a text, from post_processor. */
int tokenizer_json_read_frame(mur_frame *out, const tokenizer_json *j) MUR_MUST_USE;

#endif
