#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "architecture.h"
#include "labels.h"
#include "murmur/json.h"
#include "murmur/mem.h"

#define LARGEST (1 << 20) /* no size of a model that fits a node is larger; products of three fit 64 bits */
#define MOST_LAYERS 1024  /* bounds the tensor table before the file has been looked at */
#define MOST_LABELS 1024
#define LABEL_ROOM 64  /* bytes of a label and its NUL, as in mur_model_config */
#define BERT_EPS 1e-12 /* layer_norm_eps, where a config has none */
#define REQUIRED (-1)

/* `member` is NULL where the config has no `name`. */
static int read_integer(int *out, const cJSON *member, const char *name, int otherwise, int low, int high,
                        const char *path)
{
    if (!member && otherwise == REQUIRED)
        return mur_fail(MUR_EDATA, "%s: %s is missing", path, name);
    double value = !member ? otherwise : cJSON_IsNumber(member) ? member->valuedouble : NAN;
    if (!(value >= low && value <= high && value == floor(value)))
        return mur_fail(MUR_EDATA, "%s: %s is not a whole number from %d to %d", path, name, low, high);
    *out = (int)value;
    return 0;
}

/* The member that is called `name` in BERT's config.json. An architecture whose files have another name for it is also
 * read under BERT's, as transformers does (attribute_map). `*shown` is what messages call it. */
static const cJSON *find_field(const char **shown, const cJSON *root, const mur_architecture *a, const char *name)
{
    const char *own = mur_own_name(a->fields, name);
    *shown = own ? own : name;
    if (!own)
        return NULL;
    const cJSON *member = mur_json_member(root, own);
    if (!member)
        member = mur_json_member(root, name);
    return member;
}

static int read_sizes(mur_model_config *c, const cJSON *root, const mur_architecture *a, const char *path)
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
        {&c->type_vocab_size, "type_vocab_size", a->types, 1, LARGEST},
        {&pad, "pad_token_id", a->pad, 0, LARGEST},
    };
    int rc = 0;
    const char *shown;
    for (size_t i = 0; i < sizeof fields / sizeof *fields && rc == 0; i++) {
        const cJSON *member = find_field(&shown, root, a, fields[i].name);
        rc = read_integer(fields[i].out, member, shown, fields[i].otherwise, fields[i].low, fields[i].high, path);
    }
    if (rc < 0)
        return rc;

    c->first_position = a->is_after_padding ? pad + 1 : 0;
    c->padding_id = a->is_after_padding ? pad : -1;
    if (c->hidden_size % c->n_heads != 0)
        return mur_fail(MUR_EDATA, "%s: hidden_size %d is not a multiple of num_attention_heads %d", path,
                        c->hidden_size, c->n_heads);
    if (c->max_positions - c->first_position < 2)
        return mur_fail(MUR_EDATA,
                        "%s: max_position_embeddings %d leaves no room for a text: its first token's position is %d "
                        "(pad_token_id + 1 for RoBERTa)",
                        path, c->max_positions, c->first_position);

    const cJSON *eps = find_field(&shown, root, a, "layer_norm_eps");
    double value = !eps ? BERT_EPS : cJSON_IsNumber(eps) ? eps->valuedouble : NAN;
    c->layer_norm_eps = (float)value;
    if (!(c->layer_norm_eps > 0 && value < 1))
        return mur_fail(MUR_EDATA, "%s: layer_norm_eps is not a number between 0 and 1", path);
    return 0;
}

static int read_architecture(const mur_architecture **out, mur_model_config *c, const cJSON *root, const char *path)
{
    const cJSON *architectures = mur_json_member(root, "architectures");
    const cJSON *first = cJSON_IsArray(architectures) ? architectures->child : NULL;
    if (!cJSON_IsString(first))
        return mur_fail(MUR_EDATA, "%s: it names no architecture (architectures[0]); supported are %s", path,
                        mur_architectures_supported());
    *out = mur_architecture_find(first->valuestring);
    if (!*out)
        return mur_fail(MUR_EDATA, "%s: architecture %.100s is not supported; supported are %s", path,
                        first->valuestring, mur_architectures_supported());
    snprintf(c->architecture, sizeof c->architecture, "%s", (*out)->name);
    c->head_activation = (*out)->head_activation;
    return 0;
}

static int read_activation(mur_model_config *c, const cJSON *root, const mur_architecture *a, const char *path)
{
    static const struct {
        const char *name;
        mur_activation activation;
    } known[] = {
        {"gelu", MUR_GELU}, {"gelu_new", MUR_GELU_TANH}, {"gelu_pytorch_tanh", MUR_GELU_TANH}, {"relu", MUR_RELU}};
    const char *shown, *name = "gelu";
    const cJSON *member = find_field(&shown, root, a, "hidden_act");
    if (member)
        name = cJSON_IsString(member) ? member->valuestring : "(no text)";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, name) == 0) {
            c->activation = known[i].activation;
            return 0;
        }
    }
    return mur_fail(MUR_EDATA, "%s: %s %.100s is not supported; supported are gelu, gelu_new, gelu_pytorch_tanh, relu",
                    path, shown, name);
}

/* Labels exclude one another (softmax) unless problem_type says otherwise. */
static int read_problem(mur_model_config *c, const cJSON *root, const char *path)
{
    const cJSON *member = mur_json_member(root, "problem_type");
    const char *type = "single_label_classification";
    if (member && !cJSON_IsNull(member))
        type = mur_json_string(root, "problem_type", "(no text)");
    c->is_multi_label = strcmp(type, "multi_label_classification") == 0;
    if (!c->is_multi_label && strcmp(type, "single_label_classification") != 0)
        return mur_fail(MUR_EDATA,
                        "%s: problem_type %.100s is not supported; supported are single_label_classification and "
                        "multi_label_classification",
                        path, type);
    return 0;
}

/* Fields that would make it another network. */
static int refuse_variants(const cJSON *root, const char *path)
{
    const cJSON *positions = mur_json_member(root, "position_embedding_type");
    const char *kind = mur_json_string(root, "position_embedding_type", "(no text)");
    if (positions && !cJSON_IsNull(positions) && strcmp(kind, "absolute") != 0)
        return mur_fail(MUR_EDATA, "%s: position_embedding_type %.100s is not supported; supported is absolute", path,
                        kind);
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
        rc = read_integer(&c->n_labels, mur_json_member(root, "num_labels"), "num_labels", 2, 1, MOST_LABELS, path);
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
    }
    return 0;
}

int mur_config_read(mur_model_config *out, const char *path, const char *label_map, mur_buf *canonical)
{
    const mur_architecture *architecture = NULL;
    *out = (mur_model_config){0};
    cJSON *root = mur_json_parse_file(path);
    if (!root)
        return mur_error_last()->code;
    int rc = cJSON_IsObject(root) ? 0 : mur_fail(MUR_EDATA, "%s: it is not a JSON object", path);
    if (rc == 0)
        rc = read_architecture(&architecture, out, root, path);
    if (rc == 0)
        rc = read_sizes(out, root, architecture, path);
    if (rc == 0)
        rc = read_activation(out, root, architecture, path);
    if (rc == 0)
        rc = read_problem(out, root, path);
    if (rc == 0)
        rc = refuse_variants(root, path);
    if (rc == 0)
        rc = read_labels(out, root, path);
    if (rc == 0)
        rc = mur_labels_map(out, label_map, canonical, path);
    cJSON_Delete(root);
    return rc;
}

void mur_config_clear(mur_model_config *c)
{
    free(c->labels);
    free(c->sentiments);
    *c = (mur_model_config){0};
}
