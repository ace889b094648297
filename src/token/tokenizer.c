#include "murmur/tokenizer.h"

#include <stdlib.h>

#include "lines.h"
#include "murmur/json.h"
#include "murmur/mem.h"
#include "tokenizer_class.h"

/* transformers writes 1e30 for "no limit". */
#define NO_LIMIT 1e29

static const tokenizer_class *const classes[] = {&mur_bertweet_class, &mur_byte_level_class, &mur_wordpiece_class};
#define N_CLASSES (sizeof classes / sizeof *classes)

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

/* "murmur has A, B": the end of a refusal. */
static void append_supported(mur_buf *message)
{
    mur_buf_append_text(message, "murmur has ");
    for (size_t i = 0; i < N_CLASSES; i++)
        mur_buf_printf(message, "%s%s", i ? " " : "", classes[i]->names);
    mur_buf_append_text(message, " only (each also with Fast behind it)");
}

/* Whether `name`, up to its "Fast", is one of the class's. */
static bool is_named(const tokenizer_class *class, const char *name)
{
    static const char fast[] = "Fast";
    mur_view rest = mur_view_of(class->names), known;
    size_t len = strlen(name);
    if (len > sizeof fast - 1 && strcmp(name + len - (sizeof fast - 1), fast) == 0)
        len -= sizeof fast - 1;
    while (mur_view_next_field(&known, &rest))
        if (mur_view_equal(known, (mur_view){name, len}))
            return true;
    return false;
}

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (name && strcmp(name, *list) == 0)
            return true;
    return false;
}

/* The tokenizer file in the folder that only SentencePiece has, or NULL. */
static const char *sentencepiece_file(const tokenizer_folder *folder)
{
    static const char *const names[] = {"sentencepiece.bpe.model", "spiece.model", "tokenizer.model", NULL};
    const char *const *name = names;
    while (*name && !tokenizer_folder_holds(folder, *name))
        name++;
    return *name;
}

/* The class that the model's type has in transformers; NULL for no type and for another. BertweetTokenizer's model is
 * RoBERTa's too, but only it has a bpe.codes. */
static const tokenizer_class *class_of_model(const char *model_type, const tokenizer_folder *folder)
{
    static const char *const bert_types[] = {"bert", "distilbert", NULL};
    if (model_type && strcmp(model_type, "roberta") == 0)
        return tokenizer_folder_holds(folder, "bpe.codes") ? &mur_bertweet_class : &mur_byte_level_class;
    return is_one_of(model_type, bert_types) ? &mur_wordpiece_class : NULL;
}

static const tokenizer_class *class_of_json(const tokenizer_json *j)
{
    const char *type = tokenizer_json_model_type(j);
    if (!type)
        return NULL;
    if (strcmp(type, "BPE") == 0)
        return &mur_byte_level_class;
    return strcmp(type, "WordPiece") == 0 ? &mur_wordpiece_class : NULL;
}

/* By the files alone, for a folder without any configuration. */
static const tokenizer_class *class_of_files(const tokenizer_folder *folder)
{
    if (folder->json.tree)
        return class_of_json(&folder->json);
    if (tokenizer_folder_holds(folder, "bpe.codes") && tokenizer_folder_holds(folder, "vocab.txt"))
        return &mur_bertweet_class;
    if (tokenizer_folder_holds(folder, "vocab.json") && tokenizer_folder_holds(folder, "merges.txt"))
        return &mur_byte_level_class;
    return tokenizer_folder_holds(folder, "vocab.txt") ? &mur_wordpiece_class : NULL;
}

static int refuse(const tokenizer_folder *folder, const char *name, const char *model_type)
{
    const char *sentencepiece = sentencepiece_file(folder), *json_type = NULL;
    if (folder->json.tree)
        json_type = tokenizer_json_model_type(&folder->json);
    mur_buf message = {0};
    mur_buf_printf(&message, "%s: ", folder->path);
    if (name)
        mur_buf_printf(&message, "the tokenizer is a %s", name);
    else if (model_type)
        mur_buf_printf(&message, "the model_type is %s and no tokenizer_class is named", model_type);
    else
        mur_buf_append_text(&message, "nothing says what the tokenizer is: no tokenizer_class, no model_type");
    if (sentencepiece)
        mur_buf_printf(&message, ", a SentencePiece model (%s)", sentencepiece);
    if (json_type)
        mur_buf_printf(&message, "; tokenizer.json has a %s model", json_type);
    else if (!sentencepiece && !name)
        mur_buf_append_text(&message, "; there is no tokenizer.json, no vocab.json with merges.txt, and no vocab.txt");
    mur_buf_append_text(&message, "; use a model with another: ");
    append_supported(&message);
    int rc = mur_fail(MUR_EDATA, "%s", mur_buf_text(&message));
    mur_buf_clear(&message);
    return rc;
}

/* As transformers' AutoTokenizer: the class named by tokenizer_config.json, else by config.json, else that of the
 * model's type. A class that stands for "what tokenizer.json says" is looked up there. */
static int find_class(const tokenizer_class **out, tokenizer_folder *folder)
{
    static const char *const generic[] = {"PreTrainedTokenizerFast", "PreTrainedTokenizer", "TokenizersBackend", NULL};
    const char *name = mur_json_string(folder->tokenizer_config, "tokenizer_class", NULL);
    if (!name)
        name = mur_json_string(folder->config, "tokenizer_class", NULL);
    const char *model_type = mur_json_string(folder->config, "model_type", NULL);
    *out = NULL;
    if (is_one_of(name, generic) && folder->json.tree) {
        folder->is_generic = true;
        *out = class_of_json(&folder->json);
    } else if (name) {
        for (size_t i = 0; i < N_CLASSES && !*out; i++)
            *out = is_named(classes[i], name) ? classes[i] : NULL;
    } else if (model_type) {
        *out = class_of_model(model_type, folder);
    } else {
        folder->is_generic = true;
        *out = class_of_files(folder);
    }
    return *out ? 0 : refuse(folder, name, model_type);
}

/* Of max_position_embeddings those that no token gets: RoBERTa counts on from the padding token's. */
static double hidden_positions(const tokenizer_folder *folder, const tokenizer_class *class)
{
    static const char *const roberta_types[] = {"roberta", "camembert", "xlm-roberta", NULL};
    const char *model_type = mur_json_string(folder->config, "model_type", NULL);
    if (!model_type)
        return (double)class->n_hidden_positions;
    return is_one_of(model_type, roberta_types) ? mur_json_number(folder->config, "pad_token_id", 1) + 1 : 0;
}

/* The smaller one of what the tokenizer and the model allow. */
static int find_max_length(size_t *out, const tokenizer_folder *folder, const tokenizer_class *class)
{
    double of_tokenizer = mur_json_number(folder->tokenizer_config, "model_max_length", NO_LIMIT);
    double of_model = mur_json_number(folder->config, "max_position_embeddings", NO_LIMIT);
    double least = NO_LIMIT, hidden = hidden_positions(folder, class);
    if (of_tokenizer < least)
        least = of_tokenizer;
    if (of_model - hidden < least)
        least = of_model - hidden;
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

/* post_processor may give ids that no vocabulary has. */
static void count_frame_ids(mur_tokenizer *t)
{
    const mur_frame *f = &t->frame;
    for (size_t i = 0; i < f->n_before + f->n_after; i++) {
        size_t id = (size_t)(i < f->n_before ? f->before[i] : f->after[i - f->n_before]);
        if (id >= t->vocab_size)
            t->vocab_size = id + 1;
    }
}

int mur_tokenizer_open(mur_tokenizer **out, const char *path)
{
    tokenizer_folder folder;
    const tokenizer_class *class = NULL;
    size_t max_length = 0;
    *out = NULL;
    int rc = tokenizer_folder_open(&folder, path);
    if (rc == 0)
        rc = find_class(&class, &folder);
    if (rc == 0)
        rc = find_max_length(&max_length, &folder, class);
    if (rc == 0)
        rc = class->open(out, &folder);
    if (rc == 0) {
        (*out)->class = class;
        (*out)->frame.max_length = max_length;
        count_frame_ids(*out);
        if (max_length < (*out)->frame.n_before + (*out)->frame.n_after) {
            rc = mur_fail(MUR_EDATA, "%s: a model_max_length of %zu leaves no room for the special tokens", path,
                          max_length);
            mur_tokenizer_close(out);
        }
    }
    tokenizer_folder_close(&folder);
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
    return t->frame.max_length;
}

size_t mur_tokenizer_vocab_size(const mur_tokenizer *t)
{
    return t->vocab_size;
}
