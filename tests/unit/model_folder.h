/* model_folder.h: small random models as Hugging Face folders, written to a temporary place: for the tests of the model
 * layer. Values are whole multiples of 2^-8 below 1/2, so that F32, F16 and BF16 hold them exactly. */
#ifndef TESTS_MODEL_FOLDER_H
#define TESTS_MODEL_FOLDER_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "murmur/buf.h"
#include "murmur/file.h"
#include "murmur/mem.h"
#include "murmur/model.h"
#include "scratch.h"

typedef enum { AS_F32, AS_F16, AS_BF16, AS_I64, N_STORED = AS_I64 } stored_as;

typedef struct test_tensor {
    char name[160];
    size_t rows, columns; /* columns 0: a vector */
    stored_as as;
    float *values;
} test_tensor;

typedef enum { TEST_ROBERTA, TEST_BERT, TEST_DISTILBERT } test_architecture;

typedef struct test_model {
    test_architecture architecture; /* the tensors here have RoBERTa's names; the file has its own */
    bool is_bare;                   /* the file's names lack "roberta." and its like */
    bool is_old;                    /* the file says LayerNorm.gamma and .beta */
    int hidden, layers, heads, inner, vocab, positions, types, labels, pad;
    const char *activation;
    double eps;
    char id2label[256]; /* JSON */
    test_tensor *tensors;
    size_t n_tensors, cap_tensors;
    size_t header_padding; /* spaces behind the header */
    char *folder;          /* of test_write_model; NULL before */
} test_model;

/* xorshift64: the same sequence everywhere. */
static uint64_t test_random_state = 0x9E3779B97F4A7C15u;

static inline uint64_t test_random(void)
{
    test_random_state ^= test_random_state << 13;
    test_random_state ^= test_random_state >> 7;
    test_random_state ^= test_random_state << 17;
    return test_random_state >> 16;
}

static inline int test_between(int low, int high)
{
    return low + (int)(test_random() % (uint64_t)(high - low + 1));
}

static inline size_t test_count(const test_tensor *t)
{
    return t->rows * (t->columns ? t->columns : 1);
}

static inline void test_add_tensor(test_model *m, const char *prefix, const char *name, size_t rows, size_t columns)
{
    if (m->n_tensors == m->cap_tensors) {
        m->cap_tensors = mur_grown(m->cap_tensors, m->n_tensors + 1);
        m->tensors = mur_realloc(m->tensors, m->cap_tensors, sizeof *m->tensors);
    }
    test_tensor *t = &m->tensors[m->n_tensors++];
    *t = (test_tensor){.rows = rows, .columns = columns, .as = AS_F32};
    snprintf(t->name, sizeof t->name, "%s%s", prefix, name);
    t->values = mur_alloc(test_count(t), sizeof *t->values);
    for (size_t i = 0; i < test_count(t); i++)
        t->values[i] = (float)test_between(-127, 127) / 256.0f;
}

static inline test_tensor *test_find_tensor(test_model *m, const char *name)
{
    for (size_t i = 0; i < m->n_tensors; i++)
        if (strcmp(m->tensors[i].name, name) == 0)
            return &m->tensors[i];
    return NULL;
}

/* The tensors of a classifier with the sizes in `m`, and two that a loader must pass over. */
static inline void test_add_tensors(test_model *m)
{
    size_t h = (size_t)m->hidden, i = (size_t)m->inner;
    const char *embeddings = "roberta.embeddings.";
    test_add_tensor(m, embeddings, "word_embeddings.weight", (size_t)m->vocab, h);
    test_add_tensor(m, embeddings, "position_embeddings.weight", (size_t)m->positions, h);
    test_add_tensor(m, embeddings, "token_type_embeddings.weight", (size_t)m->types, h);
    test_add_tensor(m, embeddings, "LayerNorm.weight", h, 0);
    test_add_tensor(m, embeddings, "LayerNorm.bias", h, 0);
    test_add_tensor(m, embeddings, "position_ids", 1, 3);
    m->tensors[m->n_tensors - 1].as = AS_I64;
    for (int layer = 0; layer < m->layers; layer++) {
        char prefix[64];
        snprintf(prefix, sizeof prefix, "roberta.encoder.layer.%d.", layer);
        const struct {
            const char *name;
            size_t rows, columns;
        } all[] = {{"attention.self.query", h, h},
                   {"attention.self.key", h, h},
                   {"attention.self.value", h, h},
                   {"attention.output.dense", h, h},
                   {"attention.output.LayerNorm", h, 0},
                   {"intermediate.dense", i, h},
                   {"output.dense", h, i},
                   {"output.LayerNorm", h, 0}};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
            char name[64];
            snprintf(name, sizeof name, "%s.weight", all[k].name);
            test_add_tensor(m, prefix, name, all[k].rows, all[k].columns);
            snprintf(name, sizeof name, "%s.bias", all[k].name);
            test_add_tensor(m, prefix, name, all[k].rows, 0);
        }
    }
    test_add_tensor(m, "", "roberta.pooler.dense.weight", h, h);
    test_add_tensor(m, "", "classifier.dense.weight", h, h);
    test_add_tensor(m, "", "classifier.dense.bias", h, 0);
    test_add_tensor(m, "", "classifier.out_proj.weight", (size_t)m->labels, h);
    test_add_tensor(m, "", "classifier.out_proj.bias", (size_t)m->labels, 0);
}

/* The file need not hold the tensors in the network's order. */
static inline void test_shuffle_tensors(test_model *m)
{
    for (size_t i = m->n_tensors; i > 1; i--) {
        size_t j = test_random() % i;
        test_tensor kept = m->tensors[j];
        m->tensors[j] = m->tensors[i - 1];
        m->tensors[i - 1] = kept;
    }
}

/* A small model that works, to change before it is written. */
static inline test_model test_small_model(void)
{
    test_model m = {.hidden = 12,
                    .layers = 2,
                    .heads = 3,
                    .inner = 20,
                    .vocab = 50,
                    .positions = 18,
                    .types = 1,
                    .labels = 3,
                    .pad = 1,
                    .activation = "gelu",
                    .eps = 1e-5,
                    .id2label = "{\"0\": \"NEG\", \"1\": \"NEU\", \"2\": \"POS\"}"};
    return m;
}

static inline void test_append_values(mur_buf *out, const test_tensor *t)
{
    for (size_t i = 0; i < test_count(t); i++) {
        uint32_t bits;
        memcpy(&bits, &t->values[i], sizeof bits);
        uint16_t half = (uint16_t)(bits >> 16);
        if (t->as == AS_F16) /* sign, exponent with another bias, 10 of 23 bits: exact for what test_add_tensor makes */
            half = (uint16_t)((bits >> 16 & 0x8000) |
                              (t->values[i] == 0 ? 0 : ((bits >> 23 & 0xFF) - 127 + 15) << 10 | (bits >> 13 & 0x3FF)));
        int64_t whole = (int64_t)i;
        switch (t->as) {
        case AS_F32: mur_buf_append(out, &t->values[i], sizeof(float)); break;
        case AS_F16:
        case AS_BF16: mur_buf_append(out, &half, sizeof half); break;
        case AS_I64: mur_buf_append(out, &whole, sizeof whole); break;
        }
    }
}

static inline int test_write_file(const test_model *m, const char *name, mur_view bytes)
{
    char *path = mur_path_join(m->folder, name);
    int rc = mur_file_write(path, bytes);
    free(path);
    return rc;
}

/* Replaces `from`, where `name` holds it, in place; true if so. */
static inline bool test_replace(char name[160], const char *from, const char *to)
{
    char *at = strstr(name, from), rest[160];
    if (!at)
        return false;
    snprintf(rest, sizeof rest, "%s", at + strlen(from));
    snprintf(at, (size_t)(name + 160 - at), "%s%s", to, rest);
    return true;
}

/* What the architecture's own implementation in transformers calls a tensor. */
static inline void test_own_name(char out[160], const test_model *m, const char *name)
{
    static const char *const bert[][2] = {{"roberta.pooler", "cls.predictions"},
                                          {"classifier.dense", "bert.pooler.dense"},
                                          {"classifier.out_proj", "classifier"},
                                          {"roberta.", "bert."}};
    static const char *const distilbert[][2] = {{"classifier.dense", "pre_classifier"},
                                                {"classifier.out_proj", "classifier"},
                                                {"roberta.encoder.", "distilbert.transformer."},
                                                {"attention.self.query", "attention.q_lin"},
                                                {"attention.self.key", "attention.k_lin"},
                                                {"attention.self.value", "attention.v_lin"},
                                                {"attention.output.dense", "attention.out_lin"},
                                                {"attention.output.LayerNorm", "sa_layer_norm"},
                                                {"intermediate.dense", "ffn.lin1"},
                                                {"output.dense", "ffn.lin2"},
                                                {"output.LayerNorm", "output_layer_norm"},
                                                {"embeddings.token_type_embeddings", "unused"},
                                                {"roberta.", "distilbert."}};
    snprintf(out, 160, "%s", name);
    for (size_t i = 0; m->architecture == TEST_BERT && i < sizeof bert / sizeof *bert; i++)
        test_replace(out, bert[i][0], bert[i][1]);
    for (size_t i = 0; m->architecture == TEST_DISTILBERT && i < sizeof distilbert / sizeof *distilbert; i++)
        if (test_replace(out, distilbert[i][0], distilbert[i][1]) && i > 2 && i < 11)
            break; /* "output.dense" is in "attention.output.dense" */
    if (m->is_bare && !test_replace(out, "distilbert.", "") && !test_replace(out, "roberta.", ""))
        test_replace(out, "bert.", "");
    if (m->is_old && !test_replace(out, "LayerNorm.weight", "LayerNorm.gamma"))
        test_replace(out, "LayerNorm.bias", "LayerNorm.beta");
}

static inline int test_write_safetensors(const test_model *m)
{
    static const char *const dtypes[] = {"F32", "F16", "BF16", "I64"};
    static const size_t sizes[] = {4, 2, 2, 8};
    mur_buf file = {0}, header = {0};
    mur_buf_append_text(&header, "{\"__metadata__\": {\"format\": \"pt\"}");
    size_t at = 0;
    for (size_t i = 0; i < m->n_tensors; i++) {
        const test_tensor *t = &m->tensors[i];
        size_t len = test_count(t) * sizes[t->as];
        char name[160];
        test_own_name(name, m, t->name);
        mur_buf_printf(&header, ", \"%s\": {\"dtype\": \"%s\", \"shape\": [%zu", name, dtypes[t->as], t->rows);
        if (t->columns)
            mur_buf_printf(&header, ", %zu", t->columns);
        mur_buf_printf(&header, "], \"data_offsets\": [%zu, %zu]}", at, at + len);
        at += len;
    }
    mur_buf_append_byte(&header, '}');
    for (size_t i = 0; i < m->header_padding; i++)
        mur_buf_append_byte(&header, ' ');
    uint64_t header_len = header.len;
    mur_buf_append(&file, &header_len, sizeof header_len);
    mur_buf_append_view(&file, mur_buf_view(&header));
    for (size_t i = 0; i < m->n_tensors; i++)
        test_append_values(&file, &m->tensors[i]);
    int rc = test_write_file(m, "model.safetensors", mur_buf_view(&file));
    mur_buf_clear(&header);
    mur_buf_clear(&file);
    return rc;
}

static inline int test_write_config(const test_model *m)
{
    mur_buf text = {0};
    static const char *const names[] = {"Roberta", "Bert", "DistilBert"};
    const char *sizes = "\"hidden_size\": %d, \"num_hidden_layers\": %d, \"num_attention_heads\": %d, "
                        "\"intermediate_size\": %d, \"hidden_act\": \"%s\"";
    if (m->architecture == TEST_DISTILBERT)
        sizes = "\"dim\": %d, \"n_layers\": %d, \"n_heads\": %d, \"hidden_dim\": %d, \"activation\": \"%s\"";
    mur_buf_printf(&text, "{\"architectures\": [\"%sForSequenceClassification\"], ", names[m->architecture]);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    mur_buf_printf(&text, sizes, m->hidden, m->layers, m->heads, m->inner, m->activation);
#pragma GCC diagnostic pop
    mur_buf_printf(&text,
                   ", \"vocab_size\": %d, \"max_position_embeddings\": %d, \"type_vocab_size\": %d, "
                   "\"pad_token_id\": %d, \"layer_norm_eps\": %g, \"id2label\": %s}",
                   m->vocab, m->positions, m->types, m->pad, m->eps, m->id2label);
    int rc = test_write_file(m, "config.json", mur_buf_view(&text));
    mur_buf_clear(&text);
    return rc;
}

/* Makes the folder and writes both files. */
static inline int test_write_model(test_model *m)
{
    m->folder = scratch_make("model");
    if (!m->folder)
        return mur_fail_errno(MUR_ECREATE, "cannot make a folder for a model");
    int rc = test_write_config(m);
    return rc < 0 ? rc : test_write_safetensors(m);
}

static inline void test_remove_file(const test_model *m, const char *name)
{
    char *path = mur_path_join(m->folder, name);
    unlink(path);
    free(path);
}

static inline void test_clear_model(test_model *m)
{
    scratch_remove(m->folder);
    free(m->folder);
    for (size_t i = 0; i < m->n_tensors; i++)
        free(m->tensors[i].values);
    free(m->tensors);
    *m = (test_model){0};
}

/* Opens, loads into a block of its own, binds. */
static inline int test_load_model_as(mur_model **model, void **block, const char *folder, mur_precision precision)
{
    *block = NULL;
    int rc = mur_model_open(model, folder, NULL);
    if (rc == 0)
        rc = mur_model_set_precision(*model, precision);
    if (rc < 0)
        return rc;
    *block = mur_try_alloc(1, mur_model_block_bytes(*model));
    rc = *block ? mur_model_load(*model, *block) : MUR_EINTERNAL;
    if (rc == 0)
        mur_model_bind(*model, *block);
    return rc;
}

static inline int test_load_model(mur_model **model, void **block, const char *folder)
{
    return test_load_model_as(model, block, folder, MUR_PRECISION_FP32);
}

#endif
