/* Byte-level BPE on small vocabularies made here, and on the reference's own answers where they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "token_folder.h"

/* The letters of bytes that the texts here have; Ġ is a space, Ċ a newline, Ã© is é, ï¿½ is U+FFFD. */
static const char vocab[] =
    "{\"<s>\":0,\"<pad>\":1,\"</s>\":2,\"<unk>\":3,\"l\":4,\"o\":5,\"w\":6,\"Ġ\":7,\"lo\":8,\"low\":9,\"Ġlow\":10,"
    "\"'\":11,\"s\":12,\"'s\":13,\"1\":14,\"!\":15,\"\\u00c3\":16,\"©\":17,\"Ã©\":18,\"Ċ\":19,\"ï\":20,\"¿\":21,"
    "\"½\":22,\"ĠĠ\":23,\"<\":24,\"m\":25,\">\":26,\"Ā\":27,\"<mask>\":30}";
static const char merges[] = "#version: 0.2\nl o\nlo w\nĠ low\n' s\nÃ ©\nĠ Ġ\n";

static const test_file separate[] = {{"vocab.json", vocab, 0}, {"merges.txt", merges, 0}, {NULL, NULL, 0}};

static void bytes_are_merged_within_words(void **state)
{
    (void)state;
    mur_tokenizer *t = opened_test_files(separate);
    assert_int_equal(mur_tokenizer_max_length(t), 512);
    assert_int_equal(mur_tokenizer_vocab_size(t), 31);
    assert_string_equal(IDS(t, ""), "0 2");
    assert_string_equal(IDS(t, "low low"), "0 9 10 2");
    assert_string_equal(IDS(t, "lolow"), "0 8 9 2");
    assert_string_equal(IDS(t, "low1low!!low"), "0 9 14 9 15 15 9 2"); /* letters, numbers and the rest apart */
    assert_string_equal(IDS(t, "\xC3\xA9"), "0 18 2");
    assert_string_equal(IDS(t, "x"), "0 3 2"); /* the vocabulary lacks the byte */
    assert_string_equal(IDS(t, "\0"), "0 27 2");
    assert_string_equal(IDS(t, "\xFF"), "0 20 21 22 2"); /* U+FFFD */
    assert_string_equal(IDS(t, "\xE2\x82low"), "0 20 21 22 9 2");
    mur_tokenizer_close(&t);
}

static void white_space_leaves_its_last_to_the_next_word(void **state)
{
    (void)state;
    mur_tokenizer *t = opened_test_files(separate);
    assert_string_equal(IDS(t, "low   low"), "0 9 23 10 2");
    assert_string_equal(IDS(t, "low   "), "0 9 23 7 2");
    assert_string_equal(IDS(t, "low\nlow"), "0 9 19 9 2"); /* only a space sticks to a word */
    assert_string_equal(IDS(t, "low \nlow"), "0 9 7 19 9 2");
    assert_string_equal(IDS(t, "\n low"), "0 19 10 2");
    assert_string_equal(IDS(t, " "), "0 7 2");
    assert_string_equal(IDS(t, "low's low'x ''s"), "0 9 13 10 11 3 7 11 11 12 2");
    mur_tokenizer_close(&t);
}

static void special_tokens_are_literal_and_mask_takes_the_space_before_it(void **state)
{
    (void)state;
    mur_tokenizer *t = opened_test_files(separate);
    assert_string_equal(IDS(t, "low <mask> low"), "0 9 30 10 2");
    assert_string_equal(IDS(t, " \n\xC2\xA0<mask><mask>"), "0 30 30 2");
    assert_string_equal(IDS(t, "low <s> </s>low<pad><unk>"), "0 9 7 0 7 2 9 1 3 2");
    assert_string_equal(IDS(t, "<m"), "0 24 25 2");
    mur_tokenizer_close(&t);
}

static void added_tokens_come_from_every_file_that_may_hold_them(void **state)
{
    (void)state;
    const test_file files[] = {
        {"vocab.json", vocab, 0},
        {"merges.txt", merges, 0},
        {"added_tokens.json", "{\"low!\": 40}", 0},
        {"special_tokens_map.json",
         "{\"additional_special_tokens\": [\"lo\"], \"mask_token\": {\"content\": \"<mask>\"}}", 0},
        {"tokenizer_config.json",
         "{\"added_tokens_decoder\": {\"41\": {\"content\": \"ll\", \"rstrip\": true, \"single_word\": true}}}", 0},
        {NULL, NULL, 0},
    };
    mur_tokenizer *t = opened_test_files(files);
    assert_int_equal(mur_tokenizer_vocab_size(t), 42);
    assert_string_equal(IDS(t, "low! <mask>"), "0 40 7 30 2"); /* given as an object, without lstrip */
    assert_string_equal(IDS(t, "wlow"), "0 6 8 6 2");
    assert_string_equal(IDS(t, "wll ll  !ll!"), "0 6 4 4 7 41 15 41 15 2");
    mur_tokenizer_close(&t);
}

#define JSON(pre_tokenizer, processor, model)                                                                          \
    "{\"added_tokens\":[{\"id\":30,\"content\":\"<mask>\",\"lstrip\":true}],\n\"normalizer\":null,\n\"pre_"            \
    "tokenizer\":" pre_tokenizer ",\n\"post_processor\":" processor ",\n\"model\":" model "}"
#define BYTE_LEVEL "{\"type\":\"ByteLevel\",\"add_prefix_space\":true}"
#define PAIR "{\"type\":\"RobertaProcessing\",\"sep\":[\"</s>\",2],\"cls\":[\"<s>\",0]}"
#define TEMPLATE                                                                                                       \
    "{\"type\":\"Sequence\",\"processors\":[{\"type\":\"ByteLevel\"},{\"type\":\"TemplateProcessing\",\"single\":["    \
    "{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},"                   \
    "{\"SpecialToken\":{\"id\":\"</s>\",\"type_id\":0}}],\"special_tokens\":{\"<s>\":{\"ids\":[0]},"                   \
    "\"</s>\":{\"ids\":[2,2]}}}]}"
#define MODEL(merges)                                                                                                  \
    "{\"type\":\"BPE\",\"vocab\":{\"?\":3,\"l\":4,\"o\":5,\"lo\":8,\"Ġ\":7},\"unk_token\":\"?\",\"merges\":" merges "}"
#define UNK "{\"tokenizer_class\":\"RobertaTokenizerFast\",\"unk_token\":\"?\"}"
#define GENERIC "{\"tokenizer_class\":\"PreTrainedTokenizerFast\",\"unk_token\":\"?\"}"

static mur_tokenizer *open_json(const char *json, const char *config)
{
    const test_file files[] = {{"tokenizer.json", json, 0}, {"tokenizer_config.json", config, 0}, {NULL, NULL, 0}};
    return opened_test_files(files);
}

static void refuse_json(const char *json, const char *config, const char *in_message)
{
    const test_file files[] = {{"tokenizer.json", json, 0}, {"tokenizer_config.json", config, 0}, {NULL, NULL, 0}};
    expect_refusal(files, in_message);
}

static void one_file_says_what_the_separate_ones_say(void **state)
{
    (void)state;
    mur_tokenizer *t = open_json(JSON(BYTE_LEVEL, PAIR, MODEL("[\"l o\"]")), UNK);
    assert_string_equal(IDS(t, "lo lo <mask>"), "0 8 7 8 30 2");
    mur_tokenizer_close(&t);
    t = open_json(JSON(BYTE_LEVEL, TEMPLATE, MODEL("[[\"l\",\"o\"]]")), GENERIC);
    assert_string_equal(IDS(t, "lo lo <mask>lo"), "0 7 8 7 8 30 7 8 2 2"); /* its prefix space, its template */
    mur_tokenizer_close(&t);

    /* An id that only the post-processor knows counts for the vocabulary's size, which a model's is compared with. */
    t = open_json(
        JSON(BYTE_LEVEL, "{\"type\":\"RobertaProcessing\",\"sep\":[\"</s>\",99],\"cls\":[\"<s>\",0]}", MODEL("[]")),
        UNK);
    assert_string_equal(IDS(t, "lo"), "0 4 5 99");
    assert_int_equal(mur_tokenizer_vocab_size(t), 100);
    mur_tokenizer_close(&t);

    /* tokenizer.json comes before vocab.json and merges.txt. */
    const test_file both[] = {{"tokenizer.json", JSON(BYTE_LEVEL, PAIR, MODEL("[]")), 0},
                              {"tokenizer_config.json", UNK, 0},
                              {"vocab.json", vocab, 0},
                              {"merges.txt", merges, 0},
                              {NULL, NULL, 0}};
    t = opened_test_files(both);
    assert_string_equal(IDS(t, "lo"), "0 4 5 2");
    mur_tokenizer_close(&t);
}

static void what_would_make_other_ids_is_refused_by_name(void **state)
{
    (void)state;
    refuse_json(JSON("{\"type\":\"Metaspace\"}", PAIR, MODEL("[]")), UNK, "Metaspace");
    refuse_json(JSON("{\"type\":\"ByteLevel\",\"use_regex\":false}", PAIR, MODEL("[]")), UNK, "use_regex");
    refuse_json(JSON(BYTE_LEVEL, "null", MODEL("[]")), UNK, "post_processor");
    refuse_json(JSON(BYTE_LEVEL, "{\"type\":\"X\"}", MODEL("[]")), UNK, "\"X\"");
    refuse_json(JSON(BYTE_LEVEL, PAIR, "{\"type\":\"Unigram\",\"vocab\":[]}"), UNK, "Unigram");
    refuse_json(JSON(BYTE_LEVEL, PAIR, "{\"type\":\"Unigram\",\"vocab\":[]}"), GENERIC, "Unigram");
    refuse_json(JSON(BYTE_LEVEL, PAIR, "{\"type\":\"BPE\",\"ignore_merges\":true,\"vocab\":{\"l\":4},\"merges\":[]}"),
                UNK, "ignore_merges");
    refuse_json(JSON(BYTE_LEVEL, PAIR, "{\"type\":\"BPE\",\"dropout\":0.1,\"vocab\":{\"l\":4},\"merges\":[]}"), UNK,
                "dropout");
    const test_file sentencepiece[] = {
        {"sentencepiece.bpe.model", "x", 0}, {"config.json", "{\"model_type\":\"xlm-roberta\"}", 0}, {NULL, NULL, 0}};
    expect_refusal(sentencepiece, "SentencePiece model (sentencepiece.bpe.model)");
    const test_file camembert[] = {{"config.json", "{\"tokenizer_class\":\"CamembertTokenizer\"}", 0}, {NULL, NULL, 0}};
    expect_refusal(camembert, "CamembertTokenizer");
}

static void damaged_files_are_named_with_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *vocab, *merges, *in_message;
    } cases[] = {
        {"{\"l\":4,\n\"o\":\"5\"}", "", "vocab.json: line 2, column 5"},
        {"{\"l\":4,\n\"o\":-5}", "", "vocab.json: line 2, column 5"},
        {"{\"l\":4,\n\"o\":5.0}", "", "vocab.json: line 2, column 5"},
        {"{\"l\":99999999999999999999}", "", "vocab.json: line 1, column 6"},
        {"{\"l\":4", "", "vocab.json: line 1"},
        {"[\"l\"]", "", "vocab.json: line 1, column 1"},
        {"", "", "vocab.json"},
        {"{}", "", "vocab.json: the vocabulary is empty"},
        {vocab, "#version\nl o\nlo\n", "merges.txt: line 3"},
        {vocab, "l o\nlo  w\n", "merges.txt: line 2"},
        {vocab, "l o w\n", "merges.txt: line 1"},
        {vocab, "l o\n\nl w\n", "merges.txt: line 3: \"lw\" is not in the vocabulary"},
        {vocab, "l o\r\nl \xFF\r\n", "merges.txt: line 2"},
        {"{\"l\":4,\"<unk>\":1,\"</s>\":2}", "", "cls_token"},
        {"{\"l\":4,\"<unk>\":1,\"<s>\":2}", "", "sep_token"},
        {"{\"l\":4,\"</s>\":1,\"<s>\":2}", "", "no entry for byte 0x00"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const test_file files[] = {
            {"config.json", "{\"model_type\":\"roberta\"}", 0},
            {"vocab.json", cases[i].vocab, 0},
            {"merges.txt", cases[i].merges, 0},
            {NULL, NULL, 0},
        };
        expect_refusal(files, cases[i].in_message);
    }
    refuse_json(JSON(BYTE_LEVEL, PAIR, MODEL("[\"l o\",\n\"lo\"]")), UNK, "tokenizer.json: line 6, column 1");
    refuse_json(JSON(BYTE_LEVEL, PAIR, MODEL("[[\"l\",\"o\",\"x\"]]")), UNK, "tokenizer.json: line 5, column");
    refuse_json(JSON(BYTE_LEVEL, PAIR, MODEL("[[\"l\",7]]")), UNK, "tokenizer.json: line 5, column");
    refuse_json(JSON(BYTE_LEVEL, PAIR, MODEL("{}")), UNK, "the merges are not an array");
    refuse_json(JSON(BYTE_LEVEL, PAIR, "7"), UNK, "tokenizer.json");
    refuse_json("{\"added_tokens\":\n[}", UNK, "tokenizer.json: line 2, column 2");
}

static void later_duplicates_count(void **state)
{
    (void)state;
    const test_file files[] = {
        {"vocab.json", "{\"<s>\":0,\"</s>\":2,\"<unk>\":3,\"a\":4,\"b\":5,\"ab\":6,\"ba\":7,\"a\":8}", 0},
        {"merges.txt", "a b\nb a\na b", 0}, /* an unended last line counts; a b now comes after b a */
        {NULL, NULL, 0},
    };
    mur_tokenizer *t = opened_test_files(files);
    assert_string_equal(IDS(t, "aba"), "0 8 7 2");
    assert_string_equal(IDS(t, "ab"), "0 6 2");
    mur_tokenizer_close(&t);
}

static void long_and_short_words_are_merged_alike(void **state)
{
    (void)state;
    /* (aba, a) has a lower rank than (a, b), but all (a, b) are merged before what they make. */
    const test_file files[] = {
        {"vocab.json", "{\"<s>\":0,\"</s>\":2,\"<unk>\":3,\"a\":4,\"b\":5,\"ab\":6,\"aba\":7,\"abab\":8}", 0},
        {"merges.txt", "ab a\na b\nab ab\n", 0},
        {NULL, NULL, 0},
    };
    mur_tokenizer *t = opened_test_files(files);
    char text[400];
    mur_buf expected = {0};
    for (size_t len = 4; len <= sizeof text; len += 4) {
        memcpy(text + len - 4, "abab", 4);
        mur_buf_reset(&expected);
        mur_buf_append_text(&expected, "0");
        for (size_t i = 0; i < len; i += 4)
            mur_buf_append_text(&expected, " 8");
        mur_buf_append_text(&expected, " 2");
        assert_string_equal(shown_ids(t, text, len), mur_buf_text(&expected));
    }
    mur_buf_clear(&expected);
    mur_tokenizer_close(&t);
}

static void time_is_linear_in_a_hostile_text(void **state)
{
    (void)state;
    static const char *const units[] = {" ", "  \n", "l", "lo",   "'s",     "\xC3\xA9",
                                        "1", "!",    "<", "\xFF", "<mask>", " <mask>"};
    enum { LEN = 1 << 20 };
    char *text = malloc(LEN);
    mur_tokenizer *t = opened_test_files(separate);
    clock_t begin = clock();
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        for (size_t at = 0, len = strlen(units[i]); at < LEN; at++)
            text[at] = units[i][at % len];
        mur_ids ids = {0};
        size_t n_full;
        mur_tokenizer_encode(t, (mur_view){text, LEN}, &ids, &n_full);
        assert_true(n_full > 2 && ids.len == 512);
        mur_ids_clear(&ids);
    }
    /* 12 MiB take about 3 s; quadratic time would be hours. */
    assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < 60);
    mur_tokenizer_close(&t);
    free(text);
}

static void reference_ids_are_met(void **state)
{
    (void)state;
    if (check_golden_file("golden/tokens/roberta.jsonl", "tokenizers/roberta-base", "ids", true) +
            check_golden_file("golden/tokens/roberta.jsonl", "tokenizers/twitter-roberta-base-sentiment", "ids",
                              true) ==
        0)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_merged_within_words),
        cmocka_unit_test(white_space_leaves_its_last_to_the_next_word),
        cmocka_unit_test(special_tokens_are_literal_and_mask_takes_the_space_before_it),
        cmocka_unit_test(added_tokens_come_from_every_file_that_may_hold_them),
        cmocka_unit_test(one_file_says_what_the_separate_ones_say),
        cmocka_unit_test(what_would_make_other_ids_is_refused_by_name),
        cmocka_unit_test(damaged_files_are_named_with_the_place),
        cmocka_unit_test(later_duplicates_count),
        cmocka_unit_test(long_and_short_words_are_merged_alike),
        cmocka_unit_test(time_is_linear_in_a_hostile_text),
        cmocka_unit_test(reference_ids_are_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
