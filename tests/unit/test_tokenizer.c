/* The tokenizer layer on small model folders made here, and on the reference's own answers where they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "murmur/utf8.h"
#include "scratch.h"
#include "token_folder.h"

static const char *const file_names[] = {"config.json", "tokenizer_config.json", "added_tokens.json", "vocab.txt",
                                         "bpe.codes"};
enum { CONFIG, TOKENIZER_CONFIG, ADDED_TOKENS, VOCAB, CODES, N_FILES };

/* The contents of a model folder; NULL: no such file. */
typedef struct model_files {
    const char *text[N_FILES];
    size_t len[N_FILES]; /* 0: as long as the string */
} model_files;

#define RAW "{\"tokenizer_class\":\"BertweetTokenizer\"}"
#define NORMALIZED "{\"tokenizer_class\":\"BertweetTokenizer\",\"normalization\":true}"

/* Ids from 4 on. */
static const char small_vocab[] =
    "l@@ 9\no@@ 9\no 9\nlow 9\nlo@@ 9\nw 9\n! 9\n\xEF\xBF\xBD 9\n@USER 9\n:red_heart: 9\n";
static const char small_codes[] = "l o 9\nlo w</w> 8\n: r 7\n";

static int open_files(mur_tokenizer **out, const model_files *files)
{
    test_file list[N_FILES + 1];
    size_t n = 0;
    for (int i = 0; i < N_FILES; i++)
        if (files->text[i])
            list[n++] = (test_file){file_names[i], files->text[i], files->len[i]};
    list[n] = (test_file){0};
    return open_test_files(out, list);
}

static mur_tokenizer *open_small(const char *tokenizer_config)
{
    mur_tokenizer *t;
    model_files files = {.text = {NULL, tokenizer_config, NULL, small_vocab, small_codes}};
    assert_done(open_files(&t, &files));
    return t;
}

static void words_become_symbols_and_their_ids(void **state)
{
    (void)state;
    mur_tokenizer *t = open_small(RAW);
    assert_int_equal(mur_tokenizer_max_length(t), 128);
    assert_int_equal(mur_tokenizer_vocab_size(t), 15); /* ten entries behind the four, and <mask> */
    assert_string_equal(IDS(t, ""), "0 2");
    assert_string_equal(IDS(t, " \t\r\n \xC2\xA0"), "0 2");
    assert_string_equal(IDS(t, "low"), "0 7 2");
    assert_string_equal(IDS(t, "  low   w"), "0 7 9 2");
    assert_string_equal(IDS(t, "lo"), "0 4 6 2"); /* o</w> is not o */
    assert_string_equal(IDS(t, "lolow"), "0 8 7 2");
    assert_string_equal(IDS(t, "lxow"), "0 4 3 5 9 2");
    assert_string_equal(IDS(t, "Low"), "0 3 5 9 2");
    assert_string_equal(IDS(t, "low\xE2\x80\x8Blow"), "0 8 3 3 7 2"); /* U+200B is no white space */
    mur_tokenizer_close(&t);
    assert_null(t);
    mur_tokenizer_close(&t);
}

static void merges_go_by_rank_and_a_pair_merges_everywhere_first(void **state)
{
    (void)state;
    /* (ab, a) has a lower rank than (a, b), but comes about only by it: all (a, b) are merged before. A merged symbol
     * that the vocabulary lacks is unknown and is not split again. */
    model_files files = {.text = {NULL, RAW, NULL, "ab@@ 1\nab 1\naba@@ 1\na@@ 1\nb 1\nb@@ 1\nbc 1\n",
                                  "ab a 9\na b 8\na b</w> 7\nb c</w> 6\nx y</w> 5\naa aa 4\na a 3\n"}};
    mur_tokenizer *t;
    assert_int_equal(open_files(&t, &files), 0);
    assert_string_equal(IDS(t, "abab"), "0 6 8 2"); /* ab a b</w>: aba b</w> */
    assert_string_equal(IDS(t, "ababb"), "0 4 4 8 2");
    assert_string_equal(IDS(t, "abc"), "0 4 3 2"); /* not a bc: (a, b) came first */
    assert_string_equal(IDS(t, "xy"), "0 3 2");
    assert_string_equal(IDS(t, "aaab"), "0 3 5 2"); /* from left to right: aa, then a b</w> was merged already */
    mur_tokenizer_close(&t);
}

static void newline_belongs_to_the_raw_word_before_it(void **state)
{
    (void)state;
    mur_tokenizer *t = open_small(RAW);
    assert_string_equal(IDS(t, "low\nlow"), "0 8 3 3 7 2"); /* lo@@ w@@ \n */
    assert_string_equal(IDS(t, "low\n\nlow"), "0 8 3 3 7 2");
    assert_string_equal(IDS(t, "low \nlow"), "0 7 7 2");
    assert_string_equal(IDS(t, "low\r\nlow"), "0 7 7 2");
    mur_tokenizer_close(&t);
    t = open_small(NORMALIZED);
    assert_string_equal(IDS(t, "low\nlow"), "0 7 7 2");
    mur_tokenizer_close(&t);
}

static void special_tokens_are_literal_but_entities_spell_none(void **state)
{
    (void)state;
    mur_tokenizer *t = open_small(NORMALIZED);
    assert_string_equal(IDS(t, "<s></s><unk><pad><mask>"), "0 0 2 3 1 14 2");
    assert_string_equal(IDS(t, "low<mask>low"), "0 7 14 7 2");
    assert_string_equal(IDS(t, "<s"), "0 3 3 2");
    assert_string_equal(IDS(t, "&lt;s&gt;"), "0 3 3 3 2");
    assert_string_equal(IDS(t, "<S>"), "0 3 3 3 2");
    mur_buf normalized = {0};
    mur_tokenizer_normalize(t, mur_view_of("a<s> <mask>b,"), &normalized);
    assert_string_equal(mur_buf_text(&normalized), "a <s>  <mask> b ,");
    mur_buf_clear(&normalized);
    mur_tokenizer_close(&t);
}

static void added_tokens_are_taken_whole_the_longest_first(void **state)
{
    (void)state;
    model_files files = {
        .text = {NULL, RAW, "{\"<mask>\": 20, \"lo\": 21, \"low!\": 22, \"\\u00e9\": 23}", small_vocab, small_codes}};
    mur_tokenizer *t;
    assert_int_equal(open_files(&t, &files), 0);
    assert_int_equal(mur_tokenizer_vocab_size(t), 24);
    assert_string_equal(IDS(t, "low!low<mask>x\xC3\xA9"), "0 22 21 9 20 3 23 2");
    mur_tokenizer_close(&t);
}

static void any_bytes_have_ids(void **state)
{
    (void)state;
    mur_tokenizer *t = open_small(RAW);
    assert_string_equal(IDS(t, "\xFF low \xE2\x82 low"), "0 11 7 11 7 2"); /* U+FFFD is in the vocabulary */
    assert_string_equal(IDS(t, "\xF0\x9F\x98"), "0 11 2");
    assert_string_equal(IDS(t, "\0 low"), "0 3 7 2");
    mur_tokenizer_close(&t);

    t = open_small(NORMALIZED);
    assert_string_equal(IDS(t, "\xFF"), "0 11 2");
    assert_string_equal(IDS(t, "&#xFFFD;"), "0 11 2");
    assert_string_equal(IDS(t, "&#xD83D;"), "0 3 2"); /* a lone surrogate is not U+FFFD */
    assert_string_equal(IDS(t, "&#xD83D;&#xD83D;&#xD83D;&#xD83D;&#xDE00;"), "0 3 3 3 3 2");
    assert_string_equal(IDS(t, "low\0low"), "0 7 3 7 2");
    mur_tokenizer_close(&t);
}

static void long_texts_are_cut_and_counted(void **state)
{
    (void)state;
    model_files files = {
        .text = {"{\"max_position_embeddings\": 8}", "{\"model_max_length\": 9}", NULL, small_vocab, small_codes}};
    mur_tokenizer *t;
    files.text[TOKENIZER_CONFIG] = "{\"tokenizer_class\": \"BertweetTokenizer\", \"model_max_length\": 9}";
    assert_int_equal(open_files(&t, &files), 0);
    assert_int_equal(mur_tokenizer_max_length(t), 6); /* RoBERTa's positions begin at 2 */
    mur_ids ids = {0};
    size_t n_full;
    mur_ids_append(&ids, 77); /* what is there stays */
    mur_tokenizer_encode(t, mur_view_of("low low low low low low"), &ids, &n_full);
    const int32_t expected[] = {77, 0, 7, 7, 7, 7, 2};
    assert_int_equal(n_full, 8);
    assert_int_equal(ids.len, 7);
    assert_memory_equal(ids.ptr, expected, sizeof expected);
    mur_ids_clear(&ids);
    assert_string_equal(IDS(t, "low low low low"), "0 7 7 7 7 2");
    assert_string_equal(IDS(t, "low low low lo low"), "0 7 7 7 4 2");
    mur_tokenizer_close(&t);
}

typedef struct normal_case {
    const char *text, *normalized;
} normal_case;

static void expect_normalized(const normal_case *cases, size_t n)
{
    mur_tokenizer *t = open_small(NORMALIZED);
    mur_buf out = {0};
    for (size_t i = 0; i < n; i++) {
        mur_buf_reset(&out);
        mur_tokenizer_normalize(t, mur_view_of(cases[i].text), &out);
        if (strcmp(mur_buf_text(&out), cases[i].normalized) != 0)
            fail_msg("\"%s\" gives \"%s\", not \"%s\"", cases[i].text, out.ptr, cases[i].normalized);
    }
    mur_buf_clear(&out);
    mur_tokenizer_close(&t);
}

#define EXPECT_NORMALIZED(cases) expect_normalized(cases, sizeof cases / sizeof *cases)

static void entities_are_decoded_as_python_would(void **state)
{
    (void)state;
    static const normal_case cases[] = {
        {"a &amp; b&eacute;", "a & bé"},
        {"&amp;lt;", "& lt ;"}, /* once; then the scan */
        {"&AMP; &apos; &thetasym; &thetasymm;", "ϑ"},
        {"& &; &a &a b;", "& & ; & a & a b ;"},
        {"[&#;] [&x;] [&#x;]", "[ ] [ ] [ ]"},
        {"&#65;&#x42;&x43;&#+68;", "ABCD"},
        {"&#0x45; [&#x0x46;] [&#x_47;] [&#x0x_48;]", "[ F ] [ ] [ H ]"},
        {"&#6_5; [&#6__5;] [&#65_;] [&#-65;]", "A [ ] [ ] [ ]"},
        {"&#٦٥;", "A"}, /* digits of any script */
        {"&#128;&#x92;[&#x81;]", "€ ' [ ]"},
        {"&#1114112; &#99999999999999999999;x", "x"},
        {"&#xD83D;", "\xEF\xBF\xBD"},
        {"&rsquo; it&rsquo;s &hellip; a&hellip;b", "' it ' s ... a ... b"},
        {"&a&lt;", "& a <"},
    };
    EXPECT_NORMALIZED(cases);
}

static void runs_are_cut_to_three_but_not_letters(void **state)
{
    (void)state;
    static const normal_case cases[] = {
        {"!!!! ??? soooooo 11111", "! ! ! ? ? ? soooooo 11111"},
        {"……", "..."},
        {"éééééé ____", "ééé ___"},
        {"😂😂😂😂😂", ":face_with_tears_of_joy: :face_with_tears_of_joy: :face_with_tears_of_joy:"},
    };
    EXPECT_NORMALIZED(cases);
}

static void links_give_back_until_a_tail_fits(void **state)
{
    (void)state;
    static const normal_case cases[] = {
        {"see http://t.co/ab, HTTPS://X.Y/?q=1.", "see HTTPURL , HTTPURL ."},
        {"http:///a http:a http:ab", "HTTPURL HTTPURL : a HTTPURL : ab"},
        {"http://a_(b_(c)_d)e,", "HTTPURL ,"},
        {"http://a(b)(c).", "HTTPURL ."},
        {"http://a(b", "HTTPURL ( b"},
        {"http://ab(b", "HTTPURL ( b"},
        {"http://(a)x) y", "HTTPURL ) y"},
        {"http://(a)", "HTTPURL"},
        {"http://((a)b)c", "HTTPURL"},
        {"http://a<b>", "HTTPURL <b>"},
        {"http://“”", "HTTPURL :/ / “ ”"},
        {"httpſ://ab.c", "HTTPURL"},
        {"bit.ly/ab x bit.ly/a", "bit.ly/ab x bit.ly/ a"}, /* only http and www become HTTPURL */
        {".uk/ab a.uk/ab", ". uk / ab a.uk/ab"},
        {"a.abcdefghijklm/xy a.abcdefghijklmn/xy", "a.abcdefghijklm/xy a . abcdefghijklmn / xy"},
        {"google.com, www.x.co.uk/ a.b", "google.com , HTTPURL a . b"},
        {"x.co.c x-y.com1 a.co_ a.coé", "x.co . c x-y . com 1 a . co_ a . coé"},
        {"a.com@b a.com/@b b@x.com @x.com", "a . com @USER a.com/@b b@x.com @USER . com"},
        {"http www wwwtest ahttp", "HTTPURL HTTPURL HTTPURL ahttp"},
    };
    EXPECT_NORMALIZED(cases);
}

static void tokens_are_scanned_in_the_order_of_alternatives(void **state)
{
    (void)state;
    static const normal_case cases[] = {
        {"call 555-123.4567 or +1 (555) 123 4567", "call 555-123.4567 or +1 (555) 123 4567"},
        {"12345678901234567890", "12345678901 2345678 90"},
        {"(12)3456789 1234567", "( 12 ) 3456789 1234567"},
        {":) :-( >:o) <3 D: 8pm 8:30 @:", ":) :-( >:o) <3 D: 8p m 8: 30 @USER"},
        {"x:D (;-> p'=< d:", "x :D (; -> p'=< d:"},
        {"<b>x</b> <a b> <>", "<b> x </b> < a b > < >"},
        {"--> <- -- ->", "--> <- - - ->"},
        {"@bob @ @é_1!", "@USER @USER @USER !"},
        {"#a #ab ##x-y- #1 #é'", "# a #ab ##x-y - # 1 # é '"},
        {"me.x+y@a-b.co.uk a@b.c a@b.cd.", "me.x+y@a-b.co.uk a @USER . c a@b.cd ."},
        {"it's well-known- a-b o'c _x_ rock'n'roll'", "it 's well-known - a-b o'c _x_ rock'n'roll '"},
        {"3.14 -2,5+ 1.2.3 +5 5/6/7", "3.14 -2,5+ 1.2 . 3 + 5 5/6 / 7"},
        {". . . .. .", ". . . .. ."},
        {"a…b", "a ... b"},
        {"日本の，x\xE2\x80\x8D", "日本の ， x\xE2\x80\x8D"},
        {"a\x1C"
         "b \x1D",
         "a b"}, /* a token to the scan, white space at the end */
    };
    EXPECT_NORMALIZED(cases);
}

static void emoji_are_named_by_single_code_point(void **state)
{
    (void)state;
    static const normal_case cases[] = {
        {"❤️", ":red_heart:"},
        {"❤️love", ":red_heart: \xEF\xB8\x8Flove"},
        {"👨‍🚀", ":man: \xE2\x80\x8D :rocket:"},
        {"👍🏽", ":thumbs_up: :medium_skin_tone:"},
        {"🇺🇸", ":regional_indicator_symbol_letter_u: :regional_indicator_symbol_letter_s:"},
        {"©™", ":copyright: :trade_mark:"},
    };
    EXPECT_NORMALIZED(cases);
}

static void contractions_are_split_before_a_space(void **state)
{
    (void)state;
    static const normal_case cases[] = {
        {"don't go don't", "do n't go don't"},
        {"can't go can't", "can't go can't"},
        {"ain't so won’t be", "ain't so wo n't be"},
        {"cannot cannot CANNOT", "can not can not CANNOT"},
        {"I'm he's we're I'll I'd I've X's", "I 'm he 's we 're I 'll I 'd I 've X's"},
        {"'tis 's x", "' tis ' s x"},
        {"5 p.m. or a.m. x", "5 p.m. or a.m. x"},
        {"at 5 p.m", "at 5 p . m"},
        {"at 5 p.m x a.m x", "at 5 p.m x a.m x"},
    };
    EXPECT_NORMALIZED(cases);
}

static void class_and_length_come_from_the_configuration(void **state)
{
    (void)state;
    static const struct {
        const char *config, *tokenizer_config;
        size_t max_length; /* 0: refused */
        const char *in_message;
    } cases[] = {
        {NULL, NULL, 128, NULL},
        {"{\"model_type\":\"roberta\"}", NULL, 128, NULL},
        {"{\"tokenizer_class\":\"BertweetTokenizer\",\"max_position_embeddings\":130}", NULL, 128, NULL},
        {"{\"tokenizer_class\":\"BertTokenizer\"}", RAW, 128, NULL},
        {NULL, "{\"tokenizer_class\":\"BertweetTokenizer\",\"model_max_length\":1e30}", 128, NULL},
        {"{\"max_position_embeddings\":514}", "{\"tokenizer_class\":\"BertweetTokenizer\",\"model_max_length\":1e30}",
         512, NULL},
        {"{\"max_position_embeddings\":514}", "{\"tokenizer_class\":\"BertweetTokenizer\",\"model_max_length\":64}", 64,
         NULL},
        {"{\"max_position_embeddings\":3}", RAW, 0, "leave no room"},
        {NULL, "{\"tokenizer_class\":\"BertweetTokenizer\",\"model_max_length\":-5}", 0, "leave no room"},
        {RAW, "{\"tokenizer_class\":\"LlamaTokenizer\"}", 0, "LlamaTokenizer"},
        {"{\"model_type\":\"electra\"}", NULL, 0, "electra"},
        {"{\"model_type\":\"electra\"}", NULL, 0, "BertweetTokenizer"},
        {"[1]", NULL, 0, "config.json"},
        {NULL, "{\"tokenizer_class\":", 0, "tokenizer_config.json"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        model_files files = {.text = {cases[i].config, cases[i].tokenizer_config, NULL, small_vocab, small_codes}};
        mur_tokenizer *t;
        int rc = open_files(&t, &files);
        assert_int_equal(rc, cases[i].max_length ? 0 : MUR_EDATA);
        if (cases[i].max_length)
            assert_int_equal(mur_tokenizer_max_length(t), cases[i].max_length);
        else if (t || !strstr(mur_error_last()->message, cases[i].in_message))
            fail_msg("case %zu: %s", i, mur_error_last()->message);
        mur_tokenizer_close(&t);
    }

    mur_tokenizer *t;
    assert_int_equal(mur_tokenizer_open(&t, "/no such folder"), MUR_ENOINPUT);
    assert_null(t);
    model_files no_codes = {.text = {NULL, RAW, NULL, small_vocab, NULL}};
    assert_int_equal(open_files(&t, &no_codes), MUR_ENOINPUT);
    assert_non_null(strstr(mur_error_last()->message, "bpe.codes"));
    model_files nothing = {{NULL}, {0}};
    assert_int_equal(open_files(&t, &nothing), MUR_EDATA);
}

static void damaged_files_are_named_with_the_line(void **state)
{
    (void)state;
    static const struct {
        model_files files;
        const char *in_message;
    } cases[] = {
        {{.text = {NULL, RAW, NULL, "a 1\nb\n", small_codes}}, "vocab.txt: line 2"},
        {{.text = {NULL, RAW, NULL, "a 1\n\nb 1\n", small_codes}}, "vocab.txt: line 2"},
        {{.text = {NULL, RAW, NULL, "\xC2\x85 1\n", small_codes}},
         "vocab.txt: line 1"}, /* stripped, no token is left */
        {{.text = {NULL, RAW, NULL, "a 1\r\nb 1\r\n\xFF 1\r\n", small_codes}}, "vocab.txt: line 3"},
        {{.text = {NULL, RAW, NULL, "a 1\rb\r", small_codes}}, "vocab.txt: line 2"},
        {{.text = {NULL, RAW, NULL, "", small_codes}}, "vocab.txt"},
        {{.text = {NULL, RAW, NULL, small_vocab, "a b 1\nc \xC3 1\n"}}, "bpe.codes: line 2"},
        {{.text = {NULL, RAW, "{\"<mask>\": -1}", small_vocab, small_codes}}, "<mask>"},
        {{.text = {NULL, RAW, "{\"<mask>\": 1.5}", small_vocab, small_codes}}, "<mask>"},
        {{.text = {NULL, RAW, "{\"<mask>\": \"7\"}", small_vocab, small_codes}}, "<mask>"},
        {{.text = {NULL, RAW, "{\"\": 7}", small_vocab, small_codes}}, "added_tokens.json"},
        {{.text = {NULL, RAW, "[]", small_vocab, small_codes}}, "added_tokens.json"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mur_tokenizer *t;
        assert_int_equal(open_files(&t, &cases[i].files), MUR_EDATA);
        assert_null(t);
        if (!strstr(mur_error_last()->message, cases[i].in_message))
            fail_msg("case %zu: %s", i, mur_error_last()->message);
    }
}

static void odd_files_are_read_as_the_reference_reads_them(void **state)
{
    (void)state;
    static const char odd_vocab[] = "a 1\r\n  b  1 \nc d 1\nn\0l 1\na 2\nz@@ 1\nyz 1\nxyz 1";
    static const char odd_codes[] = "#version\n\ny z</w> 1 1\ny z</w>\nx yz</w> 9\ny z</w> 1\nz z 1\nx y 2";
    model_files files = {.text = {NULL, RAW, NULL, odd_vocab, odd_codes}, .len = {[VOCAB] = sizeof odd_vocab - 1}};
    mur_tokenizer *t;
    assert_int_equal(open_files(&t, &files), 0);
    assert_int_equal(mur_tokenizer_vocab_size(t), 13);
    assert_string_equal(IDS(t, "a"), "0 8 2");        /* the later of two entries */
    assert_string_equal(IDS(t, "b"), "0 3 2");        /* "b " is the token: cut at the last space */
    assert_string_equal(IDS(t, "n\0l"), "0 3 3 3 2"); /* n, NUL, l: no merge makes the entry's symbol */
    assert_string_equal(IDS(t, "yz"), "0 10 2");      /* merged by the one line of three fields */
    assert_string_equal(IDS(t, "xyz"), "0 11 2");     /* x yz</w>: the unended "x y" is no merge */
    mur_tokenizer_close(&t);

    model_files no_merges = {.text = {NULL, RAW, NULL, "a@@ 1\na 1\n", ""}};
    assert_int_equal(open_files(&t, &no_merges), 0);
    assert_string_equal(IDS(t, "aaa"), "0 4 4 5 2");
    mur_tokenizer_close(&t);
}

static void cache_is_invisible_when_it_overflows(void **state)
{
    (void)state;
    mur_tokenizer *t = open_small(RAW);
    mur_ids ids = {0};
    for (int i = 0; i < 200000; i++) {
        char word[48];
        int len = snprintf(word, sizeof word, "%x", (unsigned)i * 2654435761u);
        ids.len = 0;
        mur_tokenizer_encode(t, (mur_view){word, (size_t)len}, &ids, NULL);
        assert_int_equal(ids.len, len + 2);
        assert_int_equal(ids.ptr[len], 3);
        if (i % 1000 == 0)
            assert_string_equal(IDS(t, "lolow low w"), "0 8 7 7 9 2");
    }
    mur_ids_clear(&ids);

    char long_word[101];
    memset(long_word, 'l', 100);
    long_word[100] = '\0';
    for (int round = 0; round < 2; round++) {
        mur_ids_append(&ids, 0);
        ids.len = 0;
        mur_tokenizer_encode(t, mur_view_of(long_word), &ids, NULL);
        assert_int_equal(ids.len, 102);
        assert_int_equal(ids.ptr[99], 4);
        assert_int_equal(ids.ptr[100], 3); /* l at the end of a word is not in the vocabulary */
    }
    mur_ids_clear(&ids);
    mur_tokenizer_close(&t);
}

static void time_is_linear_in_a_hostile_text(void **state)
{
    (void)state;
    static const char *const units[] = {"a.", "a-a.",    "a.bc/", "(",  "(a", ")(", "<a", "&a", "#a-",       "@a",
                                        "a@", "http:/(", "a'",    ". ", "1 ", "l",  "lo", "-.", "\xC3\xA9.", "8:-"};
    enum { LEN = 1 << 18 };
    char *text = malloc(LEN);
    mur_tokenizer *tokenizers[] = {open_small(NORMALIZED), open_small(RAW)};
    clock_t begin = clock();
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t unit_len = strlen(units[i]);
        for (size_t at = 0; at < LEN; at++)
            text[at] = units[i][at % unit_len];
        for (int k = 0; k < 2; k++) {
            mur_ids ids = {0};
            size_t n_full;
            mur_tokenizer_encode(tokenizers[k], (mur_view){text, LEN}, &ids, &n_full);
            assert_true(n_full > 2 && ids.len == (n_full < 128 ? n_full : 128));
            mur_ids_clear(&ids);
        }
    }
    /* 10 MiB take about 1 s, under sanitizers six times that; quadratic time would be many minutes. */
    assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < 60);
    mur_tokenizer_close(&tokenizers[0]);
    mur_tokenizer_close(&tokenizers[1]);
    free(text);
}

static size_t check_tweets(const char *name, const char *tokenizer_config)
{
    size_t n_checked = 0;
    char *vocab_path = shared_data("tokenizers/bertweet-base/vocab.txt");
    char *codes_path = shared_data("tokenizers/bertweet-base/bpe.codes");
    char *golden_path = shared_data(name);
    mur_buf vocab = {0}, codes = {0}, golden = {0};
    if (vocab_path && codes_path && golden_path) {
        assert_int_equal(mur_file_read(&vocab, vocab_path), 0);
        assert_int_equal(mur_file_read(&codes, codes_path), 0);
        assert_int_equal(mur_file_read(&golden, golden_path), 0);
        model_files files = {.text = {NULL, tokenizer_config, NULL, mur_buf_text(&vocab), mur_buf_text(&codes)},
                             .len = {[VOCAB] = vocab.len, [CODES] = codes.len}};
        mur_tokenizer *t;
        assert_int_equal(open_files(&t, &files), 0);
        assert_int_equal(mur_tokenizer_vocab_size(t), 64001);
        for (size_t at = 0; at < golden.len; n_checked++) {
            const char *feed = memchr(golden.ptr + at, '\n', golden.len - at);
            size_t end = feed ? (size_t)(feed - golden.ptr) : golden.len;
            cJSON *record = mur_json_parse((mur_view){golden.ptr + at, end - at}, name);
            assert_non_null(record);
            expect_golden(t, record, "ids", true);
            cJSON_Delete(record);
            at = end + 1;
        }
        assert_true(n_checked > 0);
        mur_tokenizer_close(&t);
    }
    mur_buf_clear(&vocab);
    mur_buf_clear(&codes);
    mur_buf_clear(&golden);
    free(vocab_path);
    free(codes_path);
    free(golden_path);
    return n_checked;
}

static void reference_ids_are_met(void **state)
{
    (void)state;
    if (check_tweets("golden/tokens/bertweet_norm.jsonl", NORMALIZED) +
            check_tweets("golden/tokens/bertweet_raw.jsonl", RAW) ==
        0)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_symbols_and_their_ids),
        cmocka_unit_test(merges_go_by_rank_and_a_pair_merges_everywhere_first),
        cmocka_unit_test(newline_belongs_to_the_raw_word_before_it),
        cmocka_unit_test(special_tokens_are_literal_but_entities_spell_none),
        cmocka_unit_test(added_tokens_are_taken_whole_the_longest_first),
        cmocka_unit_test(any_bytes_have_ids),
        cmocka_unit_test(long_texts_are_cut_and_counted),
        cmocka_unit_test(entities_are_decoded_as_python_would),
        cmocka_unit_test(runs_are_cut_to_three_but_not_letters),
        cmocka_unit_test(links_give_back_until_a_tail_fits),
        cmocka_unit_test(tokens_are_scanned_in_the_order_of_alternatives),
        cmocka_unit_test(emoji_are_named_by_single_code_point),
        cmocka_unit_test(contractions_are_split_before_a_space),
        cmocka_unit_test(class_and_length_come_from_the_configuration),
        cmocka_unit_test(damaged_files_are_named_with_the_line),
        cmocka_unit_test(odd_files_are_read_as_the_reference_reads_them),
        cmocka_unit_test(cache_is_invisible_when_it_overflows),
        cmocka_unit_test(time_is_linear_in_a_hostile_text),
        cmocka_unit_test(reference_ids_are_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
