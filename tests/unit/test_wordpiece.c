/* WordPiece on small vocabularies made here, and on the reference's own answers where they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "token_folder.h"

/* Ids are line numbers, from 0. */
static const char vocab[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\naff\n!\n'\na\n##b\n\xE4\xB8\xAD\n"
    "\xC3\xA9t\xC3\xA9\nete\nUn\n\xE1\x84\x92\n##\xE1\x85\xA1\n##\xE1\x86\xAB\ni\n##\xCC\x87\n[\n]\n";
enum { N_VOCAB = 24 };

#define CASED "{\"tokenizer_class\":\"BertTokenizer\",\"do_lower_case\":false}"

static mur_tokenizer *open_vocab(const char *config)
{
    const test_file files[] = {{"vocab.txt", vocab, 0}, {"tokenizer_config.json", config, 0}, {NULL, NULL, 0}};
    return opened_test_files(files);
}

static void words_become_the_longest_pieces(void **state)
{
    (void)state;
    mur_tokenizer *t = open_vocab("{}");
    assert_int_equal(mur_tokenizer_max_length(t), 512);
    assert_int_equal(mur_tokenizer_vocab_size(t), N_VOCAB);
    assert_string_equal(IDS(t, ""), "2 3");
    assert_string_equal(IDS(t, " \t\n "), "2 3");
    assert_string_equal(IDS(t, "unaffable"), "2 5 6 7 3");
    assert_string_equal(IDS(t, "UNaffable!aff'"), "2 5 6 7 9 8 10 3");
    assert_string_equal(IDS(t, "unaffx un"), "2 1 5 3"); /* unknown as a whole */
    assert_string_equal(IDS(t, "able"), "2 1 3");        /* only within a word */
    mur_tokenizer_close(&t);
}

static void text_is_cleaned_and_folded(void **state)
{
    (void)state;
    mur_tokenizer *t = open_vocab("{}");
    assert_string_equal(IDS(t, "a\xE4\xB8\xAD"
                               "a"),
                        "2 11 13 11 3");
    assert_string_equal(IDS(t, "u\0n\xEF\xBF\xBD"
                               "aff\xC2\xAD\xE2\x80\x8D"
                               "able\xEF\xB8\x8F\xFF"),
                        "2 5 6 7 3");
    assert_string_equal(IDS(t, "un\xC2\xA0"
                               "aff\xE2\x80\xA8un\xE3\x80\x80un"),
                        "2 5 8 5 5 3");
    assert_string_equal(IDS(t, "\xC3\x89T\xC3\xA9 e\xCC\x81te"), "2 15 15 3");
    assert_string_equal(IDS(t, "\xED\x95\x9C"), "2 17 18 19 3"); /* a Hangul syllable, decomposed */
    assert_string_equal(IDS(t, "\xC4\xB0"), "2 20 3");           /* I with a dot: i, and a mark that goes */
    assert_string_equal(IDS(t, "\xF0\x9F\xA9\xB7 a"),
                        "2 1 11 3"); /* not in Unicode 14: kept, as the fast tokenizer does */
    mur_buf normalized = {0};
    mur_tokenizer_normalize(t, mur_view_of("\xC3\x89t\xC3\xA9's [MASK]\xE4\xB8\xAD"), &normalized);
    assert_string_equal(mur_buf_text(&normalized), "ete ' s [MASK] \xE4\xB8\xAD");
    mur_buf_clear(&normalized);
    mur_tokenizer_close(&t);
}

static void rules_are_the_configurations(void **state)
{
    (void)state;
    mur_tokenizer *t = open_vocab(CASED);
    assert_string_equal(IDS(t, "Un un \xC3\xA9t\xC3\xA9 ete"), "2 16 5 14 15 3");
    mur_tokenizer_close(&t);
    t = open_vocab("{\"tokenizer_class\":\"DistilBertTokenizer\",\"strip_accents\":false}");
    assert_string_equal(IDS(t, "UN \xC3\x89T\xC3\x89 \xC4\xB0"), "2 5 14 20 21 3");
    mur_tokenizer_close(&t);
    t = open_vocab("{\"do_lower_case\":false,\"strip_accents\":true,\"tokenize_chinese_chars\":false}");
    assert_string_equal(IDS(t, "Un \xC3\xA9t\xC3\xA9 a\xE4\xB8\xAD"
                               "a"),
                        "2 16 15 1 3");
    mur_tokenizer_close(&t);
}

static void special_tokens_are_literal(void **state)
{
    (void)state;
    mur_tokenizer *t = open_vocab("{}");
    assert_string_equal(IDS(t, "a[MASK]a [CLS][SEP][PAD][UNK]"), "2 11 4 11 2 3 0 1 3");
    assert_string_equal(IDS(t, "[mask]"), "2 22 1 23 3");
    assert_string_equal(IDS(t, "[\0MASK]"), "2 22 1 23 3"); /* cleaning comes later */
    mur_tokenizer_close(&t);
}

static void added_tokens_are_sought_behind_the_folding(void **state)
{
    (void)state;
    const test_file files[] = {
        {"vocab.txt", vocab, 0},
        {"added_tokens.json", "{\"@USER\": 30, \"[MASK]\": 4}", 0},
        {"tokenizer_config.json",
         "{\"added_tokens_decoder\":{\"31\":{\"content\":\"Un!\",\"normalized\":false},"
         "\"32\":{\"content\":\"aff\",\"single_word\":true}}}",
         0},
        {NULL, NULL, 0},
    };
    mur_tokenizer *t = opened_test_files(files);
    assert_int_equal(mur_tokenizer_vocab_size(t), 32);
    assert_string_equal(IDS(t, "a @user\xC3\x80@USER[MASK]"), "2 11 30 11 30 4 3");
    assert_string_equal(IDS(t, "Un!un!"), "2 31 5 9 3");
    assert_string_equal(IDS(t, "AFF unaff"), "2 8 5 6 3"); /* the vocabulary's own id */
    mur_tokenizer_close(&t);
}

static void a_word_of_more_than_100_characters_is_unknown(void **state)
{
    (void)state;
    mur_tokenizer *t = open_vocab("{}");
    char text[102];
    memset(text, 'b', sizeof text);
    text[0] = 'a';
    mur_ids ids = {0};
    mur_tokenizer_encode(t, (mur_view){text, 100}, &ids, NULL);
    assert_int_equal(ids.len, 102);
    ids.len = 0;
    mur_tokenizer_encode(t, (mur_view){text, 101}, &ids, NULL);
    assert_int_equal(ids.len, 3);
    assert_int_equal(ids.ptr[1], 1);
    mur_ids_clear(&ids);
    mur_tokenizer_close(&t);
}

static void length_is_the_smaller_of_two_limits(void **state)
{
    (void)state;
    const test_file files[] = {{"vocab.txt", vocab, 0},
                               {"config.json", "{\"model_type\":\"bert\",\"max_position_embeddings\":5}", 0},
                               {"tokenizer_config.json", "{\"model_max_length\":512}", 0},
                               {NULL, NULL, 0}};
    mur_tokenizer *t = opened_test_files(files);
    assert_int_equal(mur_tokenizer_max_length(t), 5); /* BERT's positions begin at 0 */
    assert_string_equal(IDS(t, "a a a a a a"), "2 11 11 11 3");
    mur_tokenizer_close(&t);
}

#define JSON(normalizer, pre_tokenizer, model)                                                                         \
    "{\"normalizer\":" normalizer ",\"pre_tokenizer\":{\"type\":\"" pre_tokenizer                                      \
    "\"},\n\"post_processor\":{\"type\":"                                                                              \
    "\"BertProcessing\",\"sep\":[\"[SEP]\",3],\"cls\":[\"[CLS]\",2]},\n\"model\":" model "}"
#define BERT "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"lowercase\":false}"
#define MODEL                                                                                                          \
    "{\"type\":\"WordPiece\",\"unk_token\":\"?\",\"max_input_chars_per_word\":3,\"vocab\":{\"?\":1,\"A\":5,\"a\":6,"   \
    "\"##a\":7}}"
#define GENERIC "{\"tokenizer_class\":\"PreTrainedTokenizerFast\"}"

static void one_file_says_what_the_separate_ones_say(void **state)
{
    (void)state;
    const test_file generic[] = {{"tokenizer.json", JSON(BERT, "BertPreTokenizer", MODEL), 0},
                                 {"tokenizer_config.json", GENERIC, 0},
                                 {"vocab.txt", vocab, 0},
                                 {NULL, NULL, 0}};
    mur_tokenizer *t = opened_test_files(generic);
    assert_string_equal(IDS(t, "A a Aaa Aaaa b"), "2 5 6 5 7 7 1 1 3");
    mur_tokenizer_close(&t);
    /* transformers lowers for a named class whose configuration does not say otherwise. */
    const test_file named[] = {{"tokenizer.json", JSON(BERT, "BertPreTokenizer", MODEL), 0},
                               {"tokenizer_config.json", "{\"tokenizer_class\":\"BertTokenizer\"}", 0},
                               {NULL, NULL, 0}};
    t = opened_test_files(named);
    assert_string_equal(IDS(t, "A a"), "2 6 6 3");
    mur_tokenizer_close(&t);
}

static void what_would_make_other_ids_and_damage_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json, *in_message;
    } cases[] = {
        {JSON("{\"type\":\"NFKC\"}", "BertPreTokenizer", MODEL), "NFKC"},
        {JSON(BERT, "Whitespace", MODEL), "Whitespace"},
        {JSON(BERT, "BertPreTokenizer", "{\"type\":\"WordPiece\",\"vocab\":{\"a\":1}}"), "\"[UNK]\""},
        {JSON(BERT, "BertPreTokenizer", "{\"type\":\"WordPiece\",\"vocab\":{\"a\":1,\n\"b\":true}}"),
         "line 4, column 5"},
        {JSON(BERT, "BertPreTokenizer", "{\"type\":\"WordPiece\"}"), "the vocabulary is not an object"},
        {JSON(BERT, "BertPreTokenizer", "{\"type\":\"WordPiece\",\"max_input_chars_per_word\":-1}"),
         "max_input_chars_per_word"},
        {JSON(BERT, "BertPreTokenizer", "{\"type\":\"WordLevel\",\"vocab\":{\"a\":1}}"), "WordLevel"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const test_file files[] = {{"tokenizer.json", cases[i].json, 0}, {NULL, NULL, 0}};
        expect_refusal(files, cases[i].in_message);
    }
    static const struct {
        const char *vocab, *config, *in_message;
    } separate[] = {
        {"", "{}", "vocab.txt is empty"},
        {"[UNK]\n[CLS]\n", "{}", "sep_token"},
        {"[CLS]\n[SEP]\n", "{}", "unk_token"},
        {"[UNK]\n[CLS]\n[SEP]\n\xC3\n", "{}", "vocab.txt: line 4"},
        {vocab, "{\"do_basic_tokenize\":false}", "do_basic_tokenize"},
        {vocab, "{\"never_split\":[\"a\"]}", "never_split"},
        {vocab, "{\"additional_special_tokens\":[\"<x>\"]}", "<x>"},
        {vocab, "{\"added_tokens_decoder\":{\"1x\":{\"content\":\"q\"}}}", "added_tokens_decoder"},
        {vocab, "{\"mask_token\":{\"lstrip\":true}}", "mask_token"},
        {vocab, "{\"model_max_length\":1}", "no room"},
    };
    for (size_t i = 0; i < sizeof separate / sizeof *separate; i++) {
        const test_file files[] = {
            {"vocab.txt", separate[i].vocab, 0}, {"tokenizer_config.json", separate[i].config, 0}, {NULL, NULL, 0}};
        expect_refusal(files, separate[i].in_message);
    }
}

static void odd_vocabularies_are_read_as_the_reference_reads_them(void **state)
{
    (void)state;
    const test_file files[] = {{"vocab.txt", "[UNK]\r\n[CLS]\r[SEP]\n\na\nb \na\nc", 0}, {NULL, NULL, 0}};
    mur_tokenizer *t = opened_test_files(files);
    assert_int_equal(mur_tokenizer_vocab_size(t), 8);
    assert_string_equal(IDS(t, "a c b"), "1 6 7 0 2"); /* the later of two; an unended line; "b " is not b */
    mur_tokenizer_close(&t);
}

static void time_is_linear_in_a_hostile_text(void **state)
{
    (void)state;
    static const char *const units[] = {" ", "a",    "unaff",  "b",  "!", "\xCC\x81", "\xE4\xB8\xAD",
                                        "[", "\xFF", "[MASK]", "ab "};
    enum { LEN = 1 << 20 };
    char *text = malloc(LEN);
    mur_tokenizer *t = open_vocab("{}");
    clock_t begin = clock();
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        for (size_t at = 0, len = strlen(units[i]); at < LEN; at++)
            text[at] = units[i][at % len];
        mur_ids ids = {0};
        size_t n_full;
        mur_tokenizer_encode(t, (mur_view){text, LEN}, &ids, &n_full);
        assert_true(n_full >= 2 && ids.len <= 512);
        mur_ids_clear(&ids);
    }
    /* 11 MiB take about 1 s; quadratic time would be hours. */
    assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < 60);
    mur_tokenizer_close(&t);
    free(text);
}

static void reference_ids_are_met(void **state)
{
    (void)state;
    static const char folder[] = "tokenizers/bert-base-uncased";
    /* The files' normalised texts are another function's, which writes a final sigma; the ids are not made of them. */
    if (check_golden_file("golden/tokens/bert_uncased.jsonl", folder, "ids", false) +
            check_golden_file("golden/tokens/bert_uncased_ambiguous.jsonl", folder, "ids_fast_semantics", false) ==
        0)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_the_longest_pieces),
        cmocka_unit_test(text_is_cleaned_and_folded),
        cmocka_unit_test(rules_are_the_configurations),
        cmocka_unit_test(special_tokens_are_literal),
        cmocka_unit_test(added_tokens_are_sought_behind_the_folding),
        cmocka_unit_test(a_word_of_more_than_100_characters_is_unknown),
        cmocka_unit_test(length_is_the_smaller_of_two_limits),
        cmocka_unit_test(one_file_says_what_the_separate_ones_say),
        cmocka_unit_test(what_would_make_other_ids_and_damage_are_refused),
        cmocka_unit_test(odd_vocabularies_are_read_as_the_reference_reads_them),
        cmocka_unit_test(time_is_linear_in_a_hostile_text),
        cmocka_unit_test(reference_ids_are_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
