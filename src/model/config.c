#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "head.h"
#include "murmur/json.h"
#include "murmur/mem.h"

#define SUPPORTED "RobertaForSequenceClassification"
#define LARGEST (1 << 20) /* no size of a model that fits a node is larger; products of three fit 64 bits */
#define MOST_LAYERS 1024  /* bounds the tensor table before the file has been looked at */
#define MOST_LABELS 1024
#define LABEL_ROOM 64     /* bytes of a label and its NUL, as in mur_model_config */
#define ROBERTA_PAD 1     /* defaults of transformers' RobertaConfig, for what a config may leave out */
#define ROBERTA_TYPES 2   /* type_vocab_size */
#define ROBERTA_EPS 1e-12 /* layer_norm_eps */
#define REQUIRED (-1)

static int read_integer(int *out, const cJSON *root, const char *name, int otherwise, int low, int high,
                        const char *path)
{
    const cJSON *member = mur_json_member(root, name);
    if (!member && otherwise == REQUIRED)
        return mur_fail(MUR_EDATA, "%s: %s is missing", path, name);
    double value = member ? mur_json_number(root, name, NAN) : otherwise;
    if (!(value >= low && value <= high && value == floor(value)))
        return mur_fail(MUR_EDATA, "%s: %s is not a whole number from %d to %d", path, name, low, high);
    *out = (int)value;
    return 0;
}

static int read_sizes(mur_model_config *c, const cJSON *root, const char *path)
{
    int pad = 0;
    const struct {
        int *out;
        const char *name;
        int otherwise, low, high;
    } fields[] = {
        {&c->hidden_size, "hidden_size", REQUIRED, 1, LARGEST},
        {&c->n_layers, "num_hidden_layers", REQUIRED, 1, MOST_LAYERS},
        {&c->n_heads, "num_attention_heads", REQUIRED, 1, LARGEST},
        {&c->intermediate_size, "intermediate_size", REQUIRED, 1, LARGEST},
        {&c->vocab_size, "vocab_size", REQUIRED, 1, LARGEST},
        {&c->max_positions, "max_position_embeddings", REQUIRED, 1, LARGEST},
        {&c->type_vocab_size, "type_vocab_size", ROBERTA_TYPES, 1, LARGEST},
        {&pad, "pad_token_id", ROBERTA_PAD, 0, LARGEST},
    };
    int rc = 0;
    for (size_t i = 0; i < sizeof fields / sizeof *fields && rc == 0; i++)
        rc =
            read_integer(fields[i].out, root, fields[i].name, fields[i].otherwise, fields[i].low, fields[i].high, path);
    if (rc < 0)
        return rc;

    c->first_position = pad + 1;
    if (c->hidden_size % c->n_heads != 0)
        return mur_fail(MUR_EDATA, "%s: hidden_size %d is not a multiple of num_attention_heads %d", path,
                        c->hidden_size, c->n_heads);
    if (c->max_positions - c->first_position < 2)
        return mur_fail(MUR_EDATA,
                        "%s: max_position_embeddings %d leaves no room for a text: its first token's position is "
                        "pad_token_id + 1 = %d",
                        path, c->max_positions, c->first_position);

    double eps = mur_json_member(root, "layer_norm_eps") ? mur_json_number(root, "layer_norm_eps", NAN) : ROBERTA_EPS;
    c->layer_norm_eps = (float)eps;
    if (!(c->layer_norm_eps > 0 && eps < 1))
        return mur_fail(MUR_EDATA, "%s: layer_norm_eps is not a number between 0 and 1", path);
    return 0;
}

static int read_architecture(mur_model_config *c, const cJSON *root, const char *path)
{
    const cJSON *architectures = mur_json_member(root, "architectures");
    const cJSON *first = cJSON_IsArray(architectures) ? architectures->child : NULL;
    if (!cJSON_IsString(first))
        return mur_fail(MUR_EDATA, "%s: it names no architecture (architectures[0]); supported is " SUPPORTED, path);
    if (strcmp(first->valuestring, SUPPORTED) != 0)
        return mur_fail(MUR_EDATA, "%s: architecture %.100s is not supported; supported is " SUPPORTED, path,
                        first->valuestring);
    snprintf(c->architecture, sizeof c->architecture, "%s", first->valuestring);
    return 0;
}

static int read_activation(mur_model_config *c, const cJSON *root, const char *path)
{
    static const struct {
        const char *name;
        mur_activation activation;
    } known[] = {
        {"gelu", MUR_GELU}, {"gelu_new", MUR_GELU_TANH}, {"gelu_pytorch_tanh", MUR_GELU_TANH}, {"relu", MUR_RELU}};
    const char *name = mur_json_member(root, "hidden_act") ? mur_json_string(root, "hidden_act", "(no text)") : "gelu";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, name) == 0) {
            c->activation = known[i].activation;
            return 0;
        }
    }
    return mur_fail(MUR_EDATA,
                    "%s: hidden_act %.100s is not supported; supported are gelu, gelu_new, gelu_pytorch_tanh, relu",
                    path, name);
}

/* Fields that change what the network computes, and the one value of each that murmur computes. */
static int refuse_variants(const cJSON *root, const char *path)
{
    static const struct {
        const char *name, *value;
    } fixed[] = {{"position_embedding_type", "absolute"}, {"problem_type", "single_label_classification"}};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        const cJSON *member = mur_json_member(root, fixed[i].name);
        if (!member || cJSON_IsNull(member))
            continue;
        const char *value = mur_json_string(root, fixed[i].name, "(no text)");
        if (strcmp(value, fixed[i].value) != 0)
            return mur_fail(MUR_EDATA, "%s: %s %.100s is not supported; supported is %s", path, fixed[i].name, value,
                            fixed[i].value);
    }
    if (mur_json_bool(root, "is_decoder", false))
        return mur_fail(MUR_EDATA, "%s: is_decoder true is not supported: attention would be causal", path);
    return 0;
}

/* id2label: an object whose names are the ids 0 to n - 1. Absent, it is LABEL_0 … for num_labels (2) labels. */
static int read_labels(mur_model_config *c, const cJSON *root, const char *path)
{
    const cJSON *names = mur_json_member(root, "id2label");
    int rc = 0;
    if (cJSON_IsObject(names))
        c->n_labels = cJSON_GetArraySize(names);
    else if (!names || cJSON_IsNull(names))
        rc = read_integer(&c->n_labels, root, "num_labels", 2, 1, MOST_LABELS, path);
    else
        rc = mur_fail(MUR_EDATA, "%s: id2label is not an object", path);
    if (rc < 0)
        return rc;
    if (c->n_labels < 2 || c->n_labels > MOST_LABELS)
        return mur_fail(MUR_EDATA, "%s: %d labels (id2label); a classifier of sentiment has 2 to %d", path, c->n_labels,
                        MOST_LABELS);

    c->labels = mur_alloc((size_t)c->n_labels, sizeof *c->labels);
    c->sentiments = mur_alloc((size_t)c->n_labels, sizeof *c->sentiments);
    for (int i = 0; i < c->n_labels; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        if (cJSON_IsObject(names)) {
            const char *label = mur_json_string(names, id, NULL);
            if (!label)
                return mur_fail(MUR_EDATA, "%s: id2label has %d labels and no text for \"%s\"", path, c->n_labels, id);
            if (strlen(label) >= LABEL_ROOM)
                return mur_fail(MUR_EDATA, "%s: id2label \"%s\" has more than %d bytes", path, id, LABEL_ROOM - 1);
            snprintf(c->labels[i], LABEL_ROOM, "%s", label);
        } else {
            snprintf(c->labels[i], LABEL_ROOM, "LABEL_%d", i);
        }
        if (!mur_sentiment_of_label(&c->sentiments[i], c->labels[i], c->n_labels))
            return mur_fail(MUR_EDATA,
                            "%s: label \"%s\" (id2label \"%s\") says no sentiment that murmur knows: NEG, NEU, POS, "
                            "NEGATIVE, NEUTRAL, POSITIVE, or LABEL_0, LABEL_1, LABEL_2 of a three-label model",
                            path, c->labels[i], id);
    }
    return 0;
}

int mur_config_read(mur_model_config *out, const char *path)
{
    *out = (mur_model_config){0};
    cJSON *root = mur_json_parse_file(path);
    if (!root)
        return mur_error_last()->code;
    int rc = cJSON_IsObject(root) ? 0 : mur_fail(MUR_EDATA, "%s: it is not a JSON object", path);
    if (rc == 0)
        rc = read_architecture(out, root, path);
    if (rc == 0)
        rc = read_sizes(out, root, path);
    if (rc == 0)
        rc = read_activation(out, root, path);
    if (rc == 0)
        rc = refuse_variants(root, path);
    if (rc == 0)
        rc = read_labels(out, root, path);
    cJSON_Delete(root);
    return rc;
}

void mur_config_clear(mur_model_config *c)
{
    free(c->labels);
    free(c->sentiments);
    *c = (mur_model_config){0};
}
