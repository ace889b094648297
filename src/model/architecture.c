#include "architecture.h"

#include <string.h>

/* From transformers' modeling_*.py and configuration_*.py. */
static const mur_rename nothing[] = {{NULL, NULL}};

static const mur_rename roberta_modules[] = {
    {"head.dense", "classifier.dense"},
    {"head.out", "classifier.out_proj"},
    {NULL, NULL},
};

static const mur_rename bert_modules[] = {
    {"head.dense", "bert.pooler.dense"},
    {"head.out", "classifier"},
    {NULL, NULL},
};

/* Its LayerNorms have a fixed epsilon, BERT's default. */
static const mur_rename distilbert_fields[] = {
    {"hidden_size", "dim"},
    {"num_hidden_layers", "n_layers"},
    {"num_attention_heads", "n_heads"},
    {"intermediate_size", "hidden_dim"},
    {"hidden_act", "activation"},
    {"type_vocab_size", NULL},
    {"layer_norm_eps", NULL},
    {NULL, NULL},
};

static const mur_rename distilbert_modules[] = {
    {"embeddings.token_type_embeddings", NULL},
    {"attention.self.query", "attention.q_lin"},
    {"attention.self.key", "attention.k_lin"},
    {"attention.self.value", "attention.v_lin"},
    {"attention.output.dense", "attention.out_lin"},
    {"attention.output.LayerNorm", "sa_layer_norm"},
    {"intermediate.dense", "ffn.lin1"},
    {"output.dense", "ffn.lin2"},
    {"output.LayerNorm", "output_layer_norm"},
    {"head.dense", "pre_classifier"},
    {"head.out", "classifier"},
    {NULL, NULL},
};

/* The three names of RoBERTa are one network: CamemBERT and XLM-R differ in what they were trained on. */
#define ROBERTA "RobertaForSequenceClassification"
#define CAMEMBERT "CamembertForSequenceClassification"
#define XLM_ROBERTA "XLMRobertaForSequenceClassification"
#define BERT "BertForSequenceClassification"
#define DISTILBERT "DistilBertForSequenceClassification"

static const mur_architecture architectures[] = {
    {ROBERTA, "roberta.", "encoder.layer.", nothing, roberta_modules, 1, 2, true, MUR_TANH},
    {CAMEMBERT, "roberta.", "encoder.layer.", nothing, roberta_modules, 1, 2, true, MUR_TANH},
    {XLM_ROBERTA, "roberta.", "encoder.layer.", nothing, roberta_modules, 1, 2, true, MUR_TANH},
    {BERT, "bert.", "encoder.layer.", nothing, bert_modules, 0, 2, false, MUR_TANH},
    {DISTILBERT, "distilbert.", "transformer.layer.", distilbert_fields, distilbert_modules, 0, 1, false, MUR_RELU},
};

const mur_architecture *mur_architecture_find(const char *name)
{
    for (size_t i = 0; i < sizeof architectures / sizeof *architectures; i++)
        if (strcmp(architectures[i].name, name) == 0)
            return &architectures[i];
    return NULL;
}

const char *mur_architectures_supported(void)
{
    return ROBERTA ", " CAMEMBERT ", " XLM_ROBERTA ", " BERT ", " DISTILBERT;
}

const char *mur_own_name(const mur_rename *renames, const char *name)
{
    for (; renames->from; renames++)
        if (strcmp(renames->from, name) == 0)
            return renames->to;
    return name;
}
