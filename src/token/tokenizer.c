#include "murmur/tokenizer.h"

#include <stdlib.h>

#include "murmur/file.h"
#include "murmur/json.h"
#include "murmur/mem.h"
#include "tokenizer_class.h"

/* transformers writes 1e30 for "no limit". */
#define NO_LIMIT 1e29

static const tokenizer_class *const classes[] = {&mur_bertweet_class};

void mur_ids_append(mur_ids *ids, int32_t id)
{
    if (ids->len == ids->cap) {
        ids->cap = mur_grown(ids->cap, ids->len + 1);
        ids->ptr = mur_realloc(ids->ptr, ids->cap, sizeof *ids->ptr);
    }
    ids->ptr[ids->len++] = id;
}

void mur_ids_clear(mur_ids *ids)
{
    free(ids->ptr);
    *ids = (mur_ids){0};
}

static bool holds(const tokenizer_folder *folder, const char *name)
{
    char *path = mur_path_join(folder->path, name);
    bool exists = mur_path_exists(path);
    free(path);
    return exists;
}

/* An absent file is an empty object; a file that is something else than an object is MUR_EDATA. */
static int read_config(cJSON **out, const tokenizer_folder *folder, const char *name)
{
    int rc = 0;
    char *path = mur_path_join(folder->path, name);
    if (!mur_path_exists(path))
        *out = cJSON_CreateObject();
    else if (!(*out = mur_json_parse_file(path)))
        rc = mur_error_last()->code;
    else if (!cJSON_IsObject(*out))
        rc = mur_fail(MUR_EDATA, "%s is not a JSON object", path);
    free(path);
    return rc;
}

/* "murmur has A, B": the end of a refusal. */
static void append_supported(mur_buf *message)
{
    mur_buf_append_text(message, "murmur has ");
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        mur_buf_printf(message, "%s%s", i ? ", " : "", classes[i]->name);
    mur_buf_append_text(message, " only");
}

static int find_class(const tokenizer_class **out, const tokenizer_folder *folder)
{
    const char *name = mur_json_string(folder->tokenizer_config, "tokenizer_class", NULL);
    if (!name)
        name = mur_json_string(folder->config, "tokenizer_class", NULL);
    const char *model_type = mur_json_string(folder->config, "model_type", NULL);
    /* Only BertweetTokenizer has a bpe.codes. Its model is RoBERTa's, or there is no configuration to say. */
    bool is_roberta = model_type ? strcmp(model_type, "roberta") == 0 : !folder->config->child;
    if (!name && is_roberta && holds(folder, "vocab.txt") && holds(folder, "bpe.codes"))
        name = mur_bertweet_class.name;

    for (size_t i = 0; name && i < sizeof classes / sizeof *classes; i++)
        if (strcmp(name, classes[i]->name) == 0) {
            *out = classes[i];
            return 0;
        }
    mur_buf message = {0};
    mur_buf_printf(&message, "%s: ", folder->path);
    if (name) {
        mur_buf_printf(&message, "the tokenizer is a %s; use a model with another: ", name);
        append_supported(&message);
    } else if (!folder->config->child && !folder->tokenizer_config->child) {
        mur_buf_append_text(&message, "no config.json and no tokenizer_config.json; give the folder of a model");
    } else {
        mur_buf_printf(&message,
                       "neither tokenizer_config.json nor config.json names a tokenizer_class (model_type is %s), and "
                       "there is no vocab.txt with bpe.codes; ",
                       model_type ? model_type : "not given");
        append_supported(&message);
    }
    int rc = mur_fail(MUR_EDATA, "%s", mur_buf_text(&message));
    mur_buf_clear(&message);
    return rc;
}

/* The smaller one of what the tokenizer and the model allow. */
static int find_max_length(size_t *out, const tokenizer_folder *folder, const tokenizer_class *class)
{
    double of_tokenizer = mur_json_number(folder->tokenizer_config, "model_max_length", NO_LIMIT);
    double of_model = mur_json_number(folder->config, "max_position_embeddings", NO_LIMIT);
    double least = NO_LIMIT;
    if (of_tokenizer < least)
        least = of_tokenizer;
    if (of_model - (double)class->n_hidden_positions < least)
        least = of_model - (double)class->n_hidden_positions;
    if (least >= NO_LIMIT) {
        *out = class->default_max_length;
        return 0;
    }
    if (!(least >= 2)) /* <s> and </s> */
        return mur_fail(MUR_EDATA, "%s: model_max_length %g and max_position_embeddings %g leave no room for a text",
                        folder->path, of_tokenizer, of_model);
    *out = least < (double)INT32_MAX ? (size_t)least : INT32_MAX;
    return 0;
}

int mur_tokenizer_open(mur_tokenizer **out, const char *path)
{
    tokenizer_folder folder = {.path = path};
    const tokenizer_class *class = NULL;
    size_t max_length = 0;
    *out = NULL;
    int rc = 0;
    if (!mur_path_is_folder(path))
        rc = mur_fail(MUR_ENOINPUT, "%s is not a folder; give the folder of a model", path);
    if (rc == 0)
        rc = read_config(&folder.config, &folder, "config.json");
    if (rc == 0)
        rc = read_config(&folder.tokenizer_config, &folder, "tokenizer_config.json");
    if (rc == 0)
        rc = find_class(&class, &folder);
    if (rc == 0)
        rc = find_max_length(&max_length, &folder, class);
    if (rc == 0)
        rc = class->open(out, &folder);
    if (rc == 0) {
        (*out)->class = class;
        (*out)->max_length = max_length;
    }
    cJSON_Delete(folder.config);
    cJSON_Delete(folder.tokenizer_config);
    return rc;
}

void mur_tokenizer_close(mur_tokenizer **t)
{
    if (*t)
        (*t)->class->close(*t);
    *t = NULL;
}

void mur_tokenizer_encode(mur_tokenizer *t, mur_view text, mur_ids *ids, size_t *n_full)
{
    t->class->encode(t, text, ids, n_full);
}

void mur_tokenizer_normalize(mur_tokenizer *t, mur_view text, mur_buf *out)
{
    t->class->normalize(t, text, out);
}

size_t mur_tokenizer_max_length(const mur_tokenizer *t)
{
    return t->max_length;
}

size_t mur_tokenizer_vocab_size(const mur_tokenizer *t)
{
    return t->vocab_size;
}
