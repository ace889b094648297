/* Byte-level BPE and WordPiece: by the first byte, any text through small models; or any bytes as their files. */
#include "token_files.h"

/* 't': a text. 'v': vocab.json, merges.txt; 'p': vocab.txt, added_tokens.json; 'j': tokenizer.json,
 * tokenizer_config.json; each with a text behind, form feeds between them. */
const char *const mur_fuzz_seeds[] = {
    "tlow lower  \n\xC2\xA0 low's 'll 12\xC2\xBD low!? <mask> </s>[MASK][SEP] \xE4\xB8\xAD\xE3\x80\x80\xC3\x89 "
    "\xC4\xB0\xED\x95\x9C",
    "t\xFF\xE2\x82 <mask>\xF0\x9F\x98\x80\xE2\x80\x8D\xCC\x81 @user @USER lo wlo low \xEF\xBB\xBF\xE2\x80\xA8",
    "v{\"<s>\":0,\"</s>\":1,\"<unk>\":2,\"l\":3,\"o\":4,\"lo\":5,\"\\u0120\":6,\"\xC4\xA0l\":7}\f#version\nl "
    "o\n\xC4\xA0 l\n\flo lo",
    "p[UNK]\n[CLS]\n[SEP]\nlo\n##w\n\xC3\xA9\n\f{\"LO!\":9}\flow lo! Lo!",
    "j{\"added_tokens\":[{\"id\":9,\"content\":\"<x>\",\"lstrip\":true,\"rstrip\":true,\"single_word\":true}],"
    "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true},\"post_processor\":{\"type\":"
    "\"RobertaProcessing\","
    "\"sep\":[\"a\",1],\"cls\":[\"b\",0]},\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"?\":3},"
    "\"merges\":[\"a "
    "b\",[\"a\",\"b\"]]}}\f{\"tokenizer_class\":\"RobertaTokenizer\",\"unk_token\":\"?\"}\fab <x> b",
    "j{\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":false,\"lowercase\":true},\"pre_tokenizer\":{"
    "\"type\":"
    "\"BertPreTokenizer\"},\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":"
    "\"a\"}},"
    "{\"Sequence\":{\"id\":\"A\"}}],\"special_tokens\":{\"a\":{\"ids\":[0,1]}}},\"model\":{\"type\":\"WordPiece\","
    "\"unk_token\":"
    "\"a\",\"vocab\":{\"a\":0,\"b\":1,\"##b\":2}}}\f{\"tokenizer_class\":\"PreTrainedTokenizerFast\","
    "\"added_tokens_decoder\":{\"7\":{\"content\":\"B!\"}}}\fab B! ab",
    NULL,
};

static mur_tokenizer *small_model(int which)
{
    static const char bytes[] = "{\"<s>\":0,\"</s>\":1,\"<unk>\":2,\"<mask>\":3,\"l\":4,\"o\":5,\"w\":6,\"\xC4\xA0\":7,"
                                "\"lo\":8,\"low\":9,\"\xC4\xA0low\":10,\"\xC3\x83\":11,\"\xC2\xA9\":12}";
    static const char pieces[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nlo\n##w\n##er\n!\n\xE4\xB8\xAD\ni\n\xC3\xA9\ne\n";
    mur_tokenizer *t;
    if (folder)
        empty_folder();
    switch (which) {
    case 0:
    case 1:
        write_file("vocab.json", mur_view_of(bytes));
        write_file("merges.txt", mur_view_of("l o\nlo w\n\xC4\xA0 low\n"));
        write_file("tokenizer_config.json", mur_view_of(which ? "{\"add_prefix_space\":true,\"model_max_length\":9,"
                                                                "\"tokenizer_class\":\"RobertaTokenizer\"}"
                                                              : "{\"tokenizer_class\":\"RobertaTokenizer\"}"));
        break;
    default:
        write_file("vocab.txt", mur_view_of(pieces));
        write_file("added_tokens.json", mur_view_of("{\"@USER\":20}"));
        write_file("tokenizer_config.json",
                   mur_view_of(which == 2 ? "{\"tokenizer_class\":\"BertTokenizer\"}"
                                          : "{\"tokenizer_class\":\"BertTokenizer\",\"do_lower_case\":false}"));
    }
    CHECK(mur_tokenizer_open(&t, folder) == 0);
    return t;
}

static void run_text(mur_view text)
{
    static mur_tokenizer *tokenizers[4];
    for (int i = 0; i < 4; i++) {
        if (!tokenizers[i])
            tokenizers[i] = small_model(i);
        check_text(tokenizers[i], text);
    }
}

static void run_files(const char *const names[2], const char *config, mur_view input)
{
    mur_tokenizer *t;
    if (folder)
        empty_folder();
    if (config)
        write_file("tokenizer_config.json", mur_view_of(config));
    for (int i = 0; i < 2; i++)
        write_file(names[i], next_part(&input));
    int rc = mur_tokenizer_open(&t, folder);
    CHECK(rc == 0 || rc == MUR_EDATA || (rc == MUR_ENOINPUT && !config));
    CHECK((rc == 0) == (t != NULL));
    if (t)
        check_text(t, input);
    mur_tokenizer_close(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char *const byte_level[] = {"vocab.json", "merges.txt"};
    static const char *const wordpiece[] = {"vocab.txt", "added_tokens.json"};
    static const char *const one_file[] = {"tokenizer.json", "tokenizer_config.json"};
    mur_view rest = {(const char *)bytes + (len > 0), len - (len > 0)};
    switch (len > 0 ? bytes[0] : 't') {
    case 'v': run_files(byte_level, "{\"tokenizer_class\":\"RobertaTokenizer\"}", rest); break;
    case 'p': run_files(wordpiece, "{\"tokenizer_class\":\"BertTokenizer\"}", rest); break;
    case 'j': run_files(one_file, NULL, rest); break;
    default: run_text(rest); break;
    }
    return 0;
}
