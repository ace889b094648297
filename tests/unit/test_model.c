#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "../../src/model/int8.h"
#include "../../src/model/weights.h"
#include "model_folder.h"

/* The model does not open: the code, and what the message must hold. */
static void refuse_folder(const char *folder, int code, const char *words)
{
    mur_model *model = NULL;
    int rc = mur_model_open(&model, folder, NULL);
    if (rc != code || !strstr(mur_error_last()->message, words))
        fail_msg("%d: %s; expected %d: …%s…", rc, mur_error_last()->message, code, words);
    assert_null(model);
}

/* A small model, written, with config.json replaced by `config`. */
static void refuse_config(const char *config, const char *words)
{
    test_model m = test_small_model();
    test_add_tensors(&m);
    assert_int_equal(test_write_model(&m), 0);
    assert_int_equal(test_write_file(&m, "config.json", mur_view_of(config)), 0);
    refuse_folder(m.folder, MUR_EDATA, words);
    assert_non_null(strstr(mur_error_last()->message, "config.json"));
    test_clear_model(&m);
}

static void what_is_no_model_is_no_input(void **state)
{
    (void)state;
    test_model m = test_small_model();
    refuse_folder("/nonexistent/model", MUR_ENOINPUT, "/nonexistent/model is no model: it is not a folder");
    assert_int_equal(test_write_model(&m), 0);
    char *file = mur_path_join(m.folder, "config.json");
    refuse_folder(file, MUR_ENOINPUT, "config.json is no model: it is not a folder");
    test_remove_file(&m, "model.safetensors");
    refuse_folder(m.folder, MUR_ENOINPUT, "has no weights: fetch model.safetensors or pytorch_model.bin");
    test_remove_file(&m, "config.json");
    refuse_folder(m.folder, MUR_ENOINPUT, "is no model: it has no config.json");
    free(file);
    test_clear_model(&m);
}

#define ARCHITECTURE "\"architectures\": [\"RobertaForSequenceClassification\"]"
#define SIZES                                                                                                          \
    "\"hidden_size\": 12, \"num_hidden_layers\": 2, \"num_attention_heads\": 3, \"intermediate_size\": 20, "           \
    "\"vocab_size\": 50, \"max_position_embeddings\": 18, \"type_vocab_size\": 1"
#define WITH(field) "{" ARCHITECTURE ", " SIZES ", " field "}" /* of two fields of one name the last counts */
#define THREE "\"id2label\": {\"0\": \"NEG\", \"1\": \"NEU\", \"2\": \"POS\"}"

static void configs_of_other_networks_are_refused_by_name(void **state)
{
    (void)state;
    refuse_config("[]", "not a JSON object");
    refuse_config("{", "line 1");
    refuse_config("{" SIZES "}", "names no architecture (architectures[0]); supported are RobertaForSequenceClass");
    refuse_config("{\"architectures\": []}", "names no architecture");
    refuse_config("{\"architectures\": [\"GPT2LMHeadModel\"]}", "architecture GPT2LMHeadModel is not supported");
    refuse_config(WITH(THREE ", \"hidden_act\": \"silu\""), "hidden_act silu is not supported");
    refuse_config(WITH(THREE ", \"hidden_act\": 3"), "hidden_act");
    refuse_config(WITH(THREE ", \"position_embedding_type\": \"relative_key\""),
                  "position_embedding_type relative_key is not supported");
    refuse_config(WITH(THREE ", \"problem_type\": \"regression\""), "problem_type regression is not supported");
    refuse_config(WITH(THREE ", \"is_decoder\": true"), "is_decoder");
    refuse_config("{\"architectures\": [\"ElectraForSequenceClassification\"]}",
                  "supported are RobertaForSequenceClassification, CamembertForSequenceClassification, "
                  "XLMRobertaForSequenceClassification, BertForSequenceClassification, "
                  "DistilBertForSequenceClassification");
    refuse_config("{\"architectures\": [\"DistilBertForSequenceClassification\"], \"dim\": 12}", "n_layers is missing");
}

static void absurd_sizes_are_refused_by_name(void **state)
{
    (void)state;
    refuse_config("{" ARCHITECTURE "}", "hidden_size is missing");
    refuse_config(WITH(THREE ", \"hidden_size\": 0"), "hidden_size is not a whole number from 1 to 1048576");
    refuse_config(WITH(THREE ", \"hidden_size\": -12"), "hidden_size is not a whole number");
    refuse_config(WITH(THREE ", \"vocab_size\": 1048577"), "vocab_size is not a whole number");
    refuse_config(WITH(THREE ", \"vocab_size\": 1e300"), "vocab_size is not a whole number");
    refuse_config(WITH(THREE ", \"intermediate_size\": 20.5"), "intermediate_size is not a whole number");
    refuse_config(WITH(THREE ", \"intermediate_size\": \"20\""), "intermediate_size is not a whole number");
    refuse_config(WITH(THREE ", \"num_hidden_layers\": 1025"),
                  "num_hidden_layers is not a whole number from 1 to 1024");
    refuse_config(WITH(THREE ", \"type_vocab_size\": null"), "type_vocab_size is not a whole number");
    refuse_config(WITH(THREE ", \"num_attention_heads\": 5"),
                  "hidden_size 12 is not a multiple of num_attention_heads 5");
    refuse_config(WITH(THREE ", \"pad_token_id\": 16"), "max_position_embeddings 18 leaves no room for a text");
    refuse_config(WITH(THREE ", \"layer_norm_eps\": 0"), "layer_norm_eps is not a number between 0 and 1");
    refuse_config(WITH(THREE ", \"layer_norm_eps\": \"1e-5\""), "layer_norm_eps");
}

static void labels_without_a_sentiment_are_refused_by_name(void **state)
{
    (void)state;
    refuse_config(WITH("\"id2label\": {\"0\": \"NEG\", \"1\": \"4 stars\", \"2\": \"POS\"}"),
                  "label \"4 stars\" (id2label \"1\") does not say whether it is negative, neutral or positive; say it "
                  "with --label-map '4 stars=NEG,…'");
    refuse_config(WITH("\"id2label\": {\"0\": \"joy\", \"1\": \"anger\"}"), "the labels are joy, anger");
    refuse_config(WITH("\"id2label\": {\"0\": \"LABEL_0\", \"1\": \"LABEL_1\"}"), "label \"LABEL_0\"");
    refuse_config(WITH("\"num_labels\": 2"), "label \"LABEL_0\"");
    refuse_config(WITH("\"num_labels\": 0"), "num_labels is not a whole number");
    refuse_config(WITH("\"id2label\": {\"0\": \"POS\"}"), "1 labels");
    refuse_config(WITH("\"id2label\": {\"0\": \"NEG\", \"2\": \"POS\"}"), "no text for \"1\"");
    refuse_config(WITH("\"id2label\": {\"0\": \"NEG\", \"1\": 7}"), "no text for \"1\"");
    refuse_config(WITH("\"id2label\": [\"NEG\", \"POS\"]"), "id2label is not an object");
    refuse_config(WITH("\"id2label\": {\"0\": \"NEG\", \"1\": \"a label of sixty-four bytes or more is longer than any "
                       "that there is\"}"),
                  "more than 63 bytes");
}

static void check_sentiments(const char *id2label, int labels, const mur_sentiment *expected)
{
    test_model m = test_small_model();
    m.labels = labels;
    snprintf(m.id2label, sizeof m.id2label, "%s", id2label);
    test_add_tensors(&m);
    assert_int_equal(test_write_model(&m), 0);
    mur_model *model = NULL;
    assert_done(mur_model_open(&model, m.folder, NULL));
    const mur_model_config *c = mur_model_config_of(model);
    assert_int_equal(c->n_labels, labels);
    for (int i = 0; i < labels; i++)
        assert_int_equal(c->sentiments[i], expected[i]);
    mur_model_close(&model);
    test_clear_model(&m);
}

static void labels_say_their_sentiment_in_any_case_and_order(void **state)
{
    (void)state;
    check_sentiments("{\"0\": \"pos\", \"1\": \"Neutral\", \"2\": \"NEGATIVE\"}", 3,
                     (mur_sentiment[]){MUR_POS, MUR_NEU, MUR_NEG});
    check_sentiments("{\"1\": \"POSITIVE\", \"0\": \"negative\"}", 2, (mur_sentiment[]){MUR_NEG, MUR_POS});
    check_sentiments("{\"0\": \"LABEL_0\", \"1\": \"LABEL_1\", \"2\": \"LABEL_2\"}", 3,
                     (mur_sentiment[]){MUR_NEG, MUR_NEU, MUR_POS});
    check_sentiments("{\"0\": \"LABEL_2\", \"1\": \"LABEL_1\", \"2\": \"LABEL_0\"}", 3,
                     (mur_sentiment[]){MUR_POS, MUR_NEU, MUR_NEG});
    check_sentiments("{\"0\": \"1 star\", \"1\": \"2 stars\", \"2\": \"3 stars\", \"3\": \"4 Stars\", "
                     "\"4\": \"5 stars\"}",
                     5, (mur_sentiment[]){MUR_NEG, MUR_NEG, MUR_NEU, MUR_POS, MUR_POS});
    check_sentiments("{\"0\": \"Very Negative\", \"1\": \"Negative\", \"2\": \"Neutral\", \"3\": \"Positive\", "
                     "\"4\": \"very_positive\"}",
                     5, (mur_sentiment[]){MUR_NEG, MUR_NEG, MUR_NEU, MUR_POS, MUR_POS});
}

static void label_map_tells_where_names_do_not(void **state)
{
    (void)state;
    test_model m = test_small_model();
    m.labels = 4;
    snprintf(m.id2label, sizeof m.id2label,
             "{\"0\": \"joy\", \"1\": \"negative\", \"2\": \"a=b\", \"3\": \"sad, \\\"very\\\"\"}");
    test_add_tensors(&m);
    assert_int_equal(test_write_model(&m), 0);
    static const char *const same[] = {"joy=POS,a=b=NEU,3=NEG", " 3 = negative, 2=neu ,joy= Positive"};
    for (size_t i = 0; i < 2; i++) {
        mur_model *model = NULL;
        if (mur_model_open(&model, m.folder, same[i]) < 0)
            fail_msg("%s", mur_error_last()->message);
        const mur_sentiment expected[] = {MUR_POS, MUR_NEG, MUR_NEU, MUR_NEG};
        for (int k = 0; k < 4; k++)
            assert_int_equal(mur_model_config_of(model)->sentiments[k], expected[k]);
        assert_string_equal(mur_model_label_map(model),
                            "{\"joy\":\"POS\",\"a=b\":\"NEU\",\"sad, \\\"very\\\"\":\"NEG\"}");
        mur_model_close(&model);
    }
    const struct {
        const char *map, *words;
        int code;
    } wrong[] = {{"", "'' is not LABEL=CLASS", MUR_EUSAGE},
                 {"joy", "'joy' is not LABEL=CLASS", MUR_EUSAGE},
                 {"joy=POS,", "'' is not LABEL=CLASS", MUR_EUSAGE},
                 {"joy=GOOD", "'GOOD' of label joy is not NEG, NEU or POS", MUR_EUSAGE},
                 {"Joy=POS", "the model has no label 'Joy'; it has joy, negative, a=b, sad", MUR_EUSAGE},
                 {"4=POS", "the model has no label '4'", MUR_EUSAGE},
                 {"joy=POS,0=POS", "label joy is there twice", MUR_EUSAGE},
                 {"joy=POS,2=NEG", "label \"sad, \"very\"\" (id2label \"3\") does not say", MUR_EDATA}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        mur_model *model = NULL;
        int rc = mur_model_open(&model, m.folder, wrong[i].map);
        if (rc != wrong[i].code || !strstr(mur_error_last()->message, wrong[i].words))
            fail_msg("%s: %d: %s", wrong[i].map, rc, mur_error_last()->message);
        assert_null(model);
    }
    test_clear_model(&m);
}

static void absent_fields_are_those_of_transformers(void **state)
{
    (void)state;
    test_model m = test_small_model();
    m.types = 2;
    test_add_tensors(&m);
    assert_int_equal(test_write_model(&m), 0);
    const char *config =
        "{" ARCHITECTURE ", \"hidden_size\": 12, \"num_hidden_layers\": 2, \"num_attention_heads\": 3, "
        "\"intermediate_size\": 20, \"vocab_size\": 50, \"max_position_embeddings\": 18, "
        "\"problem_type\": null, \"num_labels\": 3}";
    assert_int_equal(test_write_file(&m, "config.json", mur_view_of(config)), 0);
    mur_model *model = NULL;
    assert_int_equal(mur_model_open(&model, m.folder, NULL), 0);
    const mur_model_config *c = mur_model_config_of(model);
    assert_string_equal(c->architecture, "RobertaForSequenceClassification");
    assert_int_equal(c->hidden_size, 12);
    assert_int_equal(c->n_layers, 2);
    assert_int_equal(c->n_heads, 3);
    assert_int_equal(c->intermediate_size, 20);
    assert_int_equal(c->vocab_size, 50);
    assert_int_equal(c->max_positions, 18);
    assert_int_equal(c->first_position, 2);
    assert_int_equal(c->type_vocab_size, 2);
    assert_int_equal(c->activation, MUR_GELU);
    assert_true(c->layer_norm_eps == 1e-12f);
    assert_string_equal(c->labels[2], "LABEL_2");
    mur_model_close(&model);
    test_clear_model(&m);
}

/* ---- tensors ---- */

static void rename_tensor(test_model *m, const char *from, const char *to)
{
    test_tensor *t = test_find_tensor(m, from);
    assert_non_null(t);
    snprintf(t->name, sizeof t->name, "%s", to);
}

static void wrong_tensors_are_refused_by_name(void **state)
{
    (void)state;
    const char *name = "roberta.encoder.layer.1.output.dense.weight";
    char words[256];

    test_model m = test_small_model();
    test_add_tensors(&m);
    rename_tensor(&m, name, "roberta.encoder.layer.2.output.dense.weight");
    assert_int_equal(test_write_model(&m), 0);
    snprintf(words, sizeof words, "model.safetensors: tensor %s is missing", name);
    refuse_folder(m.folder, MUR_EDATA, words);
    test_clear_model(&m);

    m = test_small_model();
    test_add_tensors(&m);
    test_tensor *t = test_find_tensor(&m, name);
    t->rows = 20;
    t->columns = 12;
    assert_int_equal(test_write_model(&m), 0);
    snprintf(words, sizeof words, "tensor %s: its shape is [20, 12], config.json makes it [12, 20]", name);
    refuse_folder(m.folder, MUR_EDATA, words);
    test_clear_model(&m);

    m = test_small_model();
    test_add_tensors(&m);
    t = test_find_tensor(&m, "classifier.out_proj.bias");
    t->rows = 1;
    t->columns = 3;
    assert_int_equal(test_write_model(&m), 0);
    refuse_folder(m.folder, MUR_EDATA,
                  "tensor classifier.out_proj.bias: its shape is [1, 3], config.json makes it [3]");
    test_clear_model(&m);

    m = test_small_model();
    test_add_tensors(&m);
    test_find_tensor(&m, name)->as = AS_I64;
    assert_int_equal(test_write_model(&m), 0);
    snprintf(words, sizeof words, "tensor %s: its dtype is I64; murmur reads F32, F16 and BF16", name);
    refuse_folder(m.folder, MUR_EDATA, words);
    test_clear_model(&m);
}

static void values_that_are_not_finite_are_refused_by_name(void **state)
{
    (void)state;
    const float bad[] = {(float)(1e300 * 1e300), (float)(0 * (1e300 * 1e300))};
    for (size_t i = 0; i < 2; i++) {
        test_model m = test_small_model();
        test_add_tensors(&m);
        test_find_tensor(&m, "classifier.dense.weight")->values[7] = bad[i];
        assert_int_equal(test_write_model(&m), 0);
        mur_model *model = NULL;
        void *block;
        assert_int_equal(test_load_model(&model, &block, m.folder), MUR_EDATA);
        assert_non_null(
            strstr(mur_error_last()->message, "tensor classifier.dense.weight: it holds infinities or NaN"));
        mur_model_close(&model);
        free(block);
        test_clear_model(&m);
    }
}

static void file_cut_after_opening_is_an_error(void **state)
{
    (void)state;
    test_model m = test_small_model();
    test_add_tensors(&m);
    assert_int_equal(test_write_model(&m), 0);
    mur_model *model = NULL;
    assert_int_equal(mur_model_open(&model, m.folder, NULL), 0);
    char *path = mur_path_join(m.folder, "model.safetensors");
    assert_int_equal(truncate(path, 5000), 0);
    void *block = mur_try_alloc(1, mur_model_block_bytes(model));
    assert_int_equal(mur_model_load(model, block), MUR_EIO);
    assert_non_null(strstr(mur_error_last()->message, path));
    free(path);
    free(block);
    mur_model_close(&model);
    test_clear_model(&m);
}

static uint64_t hash_of(const char *folder)
{
    mur_model *model = NULL;
    void *block;
    assert_int_equal(test_load_model(&model, &block, folder), 0);
    uint64_t hash = mur_model_hash(model);
    mur_model_close(&model);
    free(block);
    return hash;
}

static void hash_follows_config_tokenizer_and_weights(void **state)
{
    (void)state;
    test_model m = test_small_model();
    test_add_tensors(&m);
    assert_int_equal(test_write_model(&m), 0);
    uint64_t hashes[6];
    hashes[0] = hash_of(m.folder);
    assert_true(hash_of(m.folder) == hashes[0]);
    char *dotted = mur_format("%s//./", m.folder);
    assert_true(hash_of(dotted) == hashes[0]); /* a folder's spelling does not count */
    free(dotted);
    assert_int_equal(test_write_file(&m, "vocab.txt", mur_view_of("a 1\n")), 0);
    hashes[1] = hash_of(m.folder);
    assert_int_equal(test_write_file(&m, "vocab.txt", mur_view_of("")), 0);
    hashes[2] = hash_of(m.folder);
    test_remove_file(&m, "vocab.txt");
    assert_int_equal(test_write_file(&m, "tokenizer.json", mur_view_of("a 1\n")), 0);
    hashes[3] = hash_of(m.folder);
    test_remove_file(&m, "tokenizer.json");
    m.eps = 2e-5;
    assert_int_equal(test_write_config(&m), 0);
    hashes[4] = hash_of(m.folder);
    m.eps = 1e-5;
    assert_int_equal(test_write_config(&m), 0);
    assert_true(hash_of(m.folder) == hashes[0]);
    m.tensors[0].values[0] += 1;
    assert_int_equal(test_write_safetensors(&m), 0);
    hashes[5] = hash_of(m.folder);
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(hashes[i] != hashes[j]);
    test_clear_model(&m);
}

/* Packed weights are in their place when to pack them there again changes nothing. */
static void check_packed(const mur_packing *packing, const test_tensor *t, const mur_part *part, const char *block)
{
    size_t len = packing->bytes(part->packed_rows, part->columns);
    char *again = mur_try_alloc(1, len);
    assert_non_null(again);
    memcpy(again, block + part->offset, len);
    packing->pack(again, part->packed_rows, part->columns, part->packed_first, t->values, part->rows);
    assert_memory_equal(again, block + part->offset, len);
    free(again);
}

static void check_block(test_model *m, const mur_weights *w, const char *block)
{
    size_t n_packed = 0;
    for (size_t i = 0; i < w->n_parts; i++) {
        const mur_part *part = &w->parts[i];
        const test_tensor *t = test_find_tensor(m, part->name);
        assert_non_null(t);
        assert_int_equal(part->rows * part->columns, test_count(t));
        n_packed += part->packed_rows != 0;
        if (part->packed_rows)
            check_packed(w->packing, t, part, block);
        else
            assert_memory_equal(block + part->offset, t->values, test_count(t) * sizeof(float));
    }
    assert_true(n_packed == 0 || n_packed == 6 * (size_t)m->layers);
}

/* The data begins at an odd byte and is longer than a piece of the stream: an element lies across the pieces' edge. */
static void weights_longer_than_a_chunk_arrive_whole_at_any_alignment(void **state)
{
    (void)state;
    static const mur_packing *const packings[] = {NULL, &mur_packing_fp32, &mur_packing_bf16, &mur_packing_int8};
    for (size_t padding = 0; padding < 4; padding++) {
        for (stored_as as = AS_F32; as < N_STORED; as++) {
            test_model m = test_small_model();
            m.hidden = 64;
            m.heads = 2;
            m.layers = 1;
            m.vocab = as == AS_F32 ? 33500 : 67000;
            test_add_tensors(&m);
            test_shuffle_tensors(&m);
            for (size_t i = 0; i < m.n_tensors; i++)
                if (m.tensors[i].as != AS_I64)
                    m.tensors[i].as = as;
            m.header_padding = padding;
            assert_int_equal(test_write_model(&m), 0);

            mur_checkpoint file;
            mur_weights w;
            mur_buf hashes = {0};
            mur_model_config c = {.architecture = "RobertaForSequenceClassification",
                                  .hidden_size = m.hidden,
                                  .n_layers = m.layers,
                                  .n_heads = m.heads,
                                  .intermediate_size = m.inner,
                                  .vocab_size = m.vocab,
                                  .max_positions = m.positions,
                                  .type_vocab_size = m.types,
                                  .n_labels = m.labels};
            assert_int_equal(mur_checkpoint_open(&file, m.folder), 0);
            assert_true(file.files[0].len > 8 << 20);
            mur_weights_plan(&w, &c, packings[padding]);
            assert_int_equal(mur_weights_locate(&w, &file), 0);
            char *block = mur_try_alloc(1, w.block_bytes);
            assert_int_equal(mur_weights_load(&w, &file, block, &hashes), 0);
            check_block(&m, &w, block);
            mur_weights_bind(&w, block);
            assert_true((uintptr_t)w.layers[0].qkv_weight % 64 == 0 && (uintptr_t)w.head.out_bias % 64 == 0);
            free(block);
            mur_weights_clear(&w);
            mur_checkpoint_clear(&file);
            mur_buf_clear(&hashes);
            test_clear_model(&m);
        }
    }
}

static void name_is_the_folder_s_last_component(void **state)
{
    (void)state;
    test_model m = test_small_model();
    test_add_tensors(&m);
    assert_int_equal(test_write_model(&m), 0);
    const char *last = strrchr(m.folder, '/') + 1;
    static const char *const endings[] = {"", "/", "///", "/.", "/./"};
    for (size_t i = 0; i < 5; i++) {
        char *folder = mur_format("%s%s", m.folder, endings[i]);
        mur_model *model = NULL;
        assert_int_equal(mur_model_open(&model, folder, NULL), 0);
        assert_string_equal(mur_model_name(model), last);
        assert_string_equal(mur_model_folder(model), folder);
        mur_model_close(&model);
        assert_null(model);
        mur_model_close(&model); /* closing nothing is fine */
        free(folder);
    }
    assert_true(strlen(mur_blas_kernel()) > 0);
    test_clear_model(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_model_is_no_input),
        cmocka_unit_test(configs_of_other_networks_are_refused_by_name),
        cmocka_unit_test(absurd_sizes_are_refused_by_name),
        cmocka_unit_test(labels_without_a_sentiment_are_refused_by_name),
        cmocka_unit_test(labels_say_their_sentiment_in_any_case_and_order),
        cmocka_unit_test(label_map_tells_where_names_do_not),
        cmocka_unit_test(absent_fields_are_those_of_transformers),
        cmocka_unit_test(wrong_tensors_are_refused_by_name),
        cmocka_unit_test(values_that_are_not_finite_are_refused_by_name),
        cmocka_unit_test(file_cut_after_opening_is_an_error),
        cmocka_unit_test(hash_follows_config_tokenizer_and_weights),
        cmocka_unit_test(weights_longer_than_a_chunk_arrive_whole_at_any_alignment),
        cmocka_unit_test(name_is_the_folder_s_last_component),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
