/* BertTokenizer and DistilBertTokenizer (https://huggingface.co/google-bert/bert-base-uncased): literal special tokens
 * are taken out of the text, the rest is cleaned, folded and cut into words, and a word into the longest pieces that
 * the vocabulary has, from left to right.
 */
#include <stdlib.h>

#include "added_tokens.h"
#include "bert_text.h"
#include "murmur/file.h"
#include "murmur/json.h"
#include "murmur/mem.h"
#include "special_tokens.h"
#include "tokenizer_class.h"
#include "vocab.h"
#include "word_cache.h"

#define CONTINUING "##" /* before every piece of a word but the first, in the vocabulary */
#define MOST_CHARACTERS 100
#define UNKNOWN "[UNK]"

typedef struct wordpiece {
    mur_tokenizer base;
    mur_bert_text text;
    mur_special_tokens specials;
    mur_added_tokens folded; /* those to be sought in the normalised text, themselves normalised */
    mur_vocab vocab;         /* pieces at the start of a word */
    mur_vocab continuing;    /* pieces within a word, without their prefix */
    size_t longest;          /* piece, in bytes */
    size_t most_characters;  /* of a word that is not unknown at once */
    int32_t unknown;

    mur_word_cache cache;
    mur_buf normalized;
    mur_ids word_ids;
} wordpiece;

static const mur_special_defaults defaults = {
    .strings =
        {
            [MUR_ROLE_CLS] = "[CLS]",
            [MUR_ROLE_SEP] = "[SEP]",
            [MUR_ROLE_UNK] = UNKNOWN,
            [MUR_ROLE_PAD] = "[PAD]",
            [MUR_ROLE_MASK] = "[MASK]",
        },
    .has_normalizer = true,
};

static void wordpiece_close(mur_tokenizer *base)
{
    wordpiece *t = (wordpiece *)base;
    mur_bert_text_clear(&t->text);
    mur_special_tokens_clear(&t->specials);
    mur_added_tokens_clear(&t->folded);
    mur_vocab_clear(&t->vocab);
    mur_vocab_clear(&t->continuing);
    mur_word_cache_clear(&t->cache);
    mur_buf_clear(&t->normalized);
    mur_ids_clear(&t->word_ids);
    free(t);
}

/* Settings that would make other ids, by name. */
static int check_json(const tokenizer_json *j)
{
    const char *type = tokenizer_json_model_type(j);
    const char *normalizer = tokenizer_json_part_type(j, "normalizer");
    const char *pre_tokenizer = tokenizer_json_part_type(j, "pre_tokenizer");
    if (!type || strcmp(type, "WordPiece") != 0)
        return mur_fail(MUR_EDATA, "%s: the model is %s, and the tokenizer's class needs WordPiece", j->path,
                        type ? type : "of unknown type");
    if (normalizer[0] && strcmp(normalizer, "BertNormalizer") != 0)
        return mur_fail(MUR_EDATA, "%s: normalizer is %s; murmur has WordPiece after BertNormalizer only", j->path,
                        normalizer);
    if (strcmp(pre_tokenizer, "BertPreTokenizer") != 0)
        return mur_fail(MUR_EDATA, "%s: pre_tokenizer is \"%s\"; murmur has WordPiece after BertPreTokenizer only",
                        j->path, pre_tokenizer);
    return 0;
}

static int check_config(const tokenizer_folder *folder)
{
    const cJSON *never_split = mur_json_member(folder->tokenizer_config, "never_split");
    if (!mur_json_bool(folder->tokenizer_config, "do_basic_tokenize", true))
        return mur_fail(MUR_EDATA, "%s: do_basic_tokenize is false; murmur has WordPiece of BERT's words only",
                        folder->path);
    if (cJSON_GetArraySize(never_split) > 0)
        return mur_fail(MUR_EDATA, "%s: tokenizer_config.json has a never_split list, which murmur has not",
                        folder->path);
    return 0;
}

/* tokenizer.json's own rules count in a generic folder; elsewhere transformers lets tokenizer_config.json, and what it
 * assumes where that is silent, win. Only clean_text has no name there. */
static mur_bert_rules read_rules(const tokenizer_folder *folder)
{
    const cJSON *normalizer = mur_json_member(folder->json.tree, "normalizer");
    bool is_json = folder->is_generic && folder->json.tree, is_other = is_json && !cJSON_IsObject(normalizer);
    const cJSON *settings = is_json ? normalizer : folder->tokenizer_config;
    mur_bert_rules rules;
    rules.is_cleaned = mur_json_bool(normalizer, "clean_text", !is_other);
    rules.is_cjk_spaced =
        mur_json_bool(settings, is_json ? "handle_chinese_chars" : "tokenize_chinese_chars", !is_other);
    rules.is_lower_case = mur_json_bool(settings, is_json ? "lowercase" : "do_lower_case", !is_other);
    rules.is_unaccented = mur_json_bool(settings, "strip_accents", rules.is_lower_case);
    return rules;
}

/* The pieces within words, and the longest of all. */
static void find_continuing(wordpiece *t, mur_view prefix)
{
    for (size_t i = 0; i < t->vocab.strings.n_keys; i++) {
        mur_view piece = mur_map_key(&t->vocab.strings, i);
        if (piece.len > t->longest)
            t->longest = piece.len;
        if (piece.len >= prefix.len && (prefix.len == 0 || memcmp(piece.ptr, prefix.ptr, prefix.len) == 0))
            mur_vocab_set(&t->continuing, (mur_view){piece.ptr + prefix.len, piece.len - prefix.len}, t->vocab.ids[i]);
    }
}

static int read_json(wordpiece *t, const tokenizer_folder *folder)
{
    const tokenizer_json *j = &folder->json;
    const cJSON *model = mur_json_member(j->tree, "model");
    double most = mur_json_number(model, "max_input_chars_per_word", MOST_CHARACTERS);
    const char *unknown = mur_json_string(model, "unk_token", UNKNOWN);
    int rc = check_json(j);
    if (rc == 0 && !(most >= 0 && most <= INT32_MAX))
        rc = mur_fail(MUR_EDATA, "%s: a max_input_chars_per_word of %g", j->path, most);
    if (rc == 0)
        rc = mur_vocab_read_json(&t->vocab, mur_buf_view(&j->text), j->vocab, j->path);
    if (rc == 0)
        rc = mur_special_tokens_read(&t->specials, &t->vocab, folder, &defaults);
    if (rc == 0)
        rc = tokenizer_json_read_frame(&t->base.frame, j);
    if (rc == 0) {
        t->most_characters = (size_t)most;
        t->unknown = mur_vocab_id(&t->vocab, mur_view_of(unknown));
        if (t->unknown == MUR_VOCAB_NONE)
            rc = mur_fail(MUR_EDATA, "%s: the vocabulary has no entry for unk_token, \"%s\"", j->path, unknown);
        find_continuing(t, mur_view_of(mur_json_string(model, "continuing_subword_prefix", CONTINUING)));
    }
    return rc;
}

static int read_files(wordpiece *t, const tokenizer_folder *folder)
{
    char *path = mur_path_join(folder->path, "vocab.txt");
    t->most_characters = MOST_CHARACTERS;
    int rc = mur_vocab_read_lines(&t->vocab, path);
    if (rc == 0)
        rc = mur_special_tokens_read(&t->specials, &t->vocab, folder, &defaults);
    if (rc == 0)
        rc = mur_special_tokens_need(&t->unknown, &t->specials, MUR_ROLE_UNK, path);
    if (rc == 0)
        rc = mur_special_tokens_frame(&t->base.frame, &t->specials, path);
    find_continuing(t, mur_view_of(CONTINUING));
    free(path);
    return rc;
}

/* The added tokens that are sought behind the normalisation are normalised too; one of which nothing is left is never
 * found. */
static int fold_added(wordpiece *t)
{
    const mur_added_tokens *added = &t->specials.normalized;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < added->strings.n_keys; i++) {
        mur_buf_reset(&t->normalized);
        mur_bert_normalize(&t->text, &t->normalized, mur_map_key(&added->strings, i));
        if (t->normalized.len > 0)
            rc = mur_added_tokens_add(&t->folded, mur_buf_view(&t->normalized), added->tokens[i]);
    }
    return rc;
}

static int wordpiece_open(mur_tokenizer **out, const tokenizer_folder *folder)
{
    wordpiece *t = mur_alloc(1, sizeof *t);
    mur_vocab_init(&t->vocab);
    mur_vocab_init(&t->continuing);
    mur_vocab_init(&t->specials.beyond);
    mur_bert_text_init(&t->text, read_rules(folder));
    int rc = check_config(folder);
    if (rc == 0)
        rc = folder->json.tree ? read_json(t, folder) : read_files(t, folder);
    if (rc == 0)
        rc = fold_added(t);
    t->base.vocab_size = mur_special_tokens_vocab_size(&t->specials, &t->vocab);
    if (rc < 0) {
        wordpiece_close(&t->base);
        t = NULL;
    }
    *out = t ? &t->base : NULL;
    return rc;
}

static bool is_inside_character(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* The longest piece of the vocabulary at the start of `word`; its length, or 0. */
static size_t longest_piece(const wordpiece *t, const mur_vocab *pieces, mur_view word, int32_t *id)
{
    size_t len = word.len < t->longest ? word.len : t->longest;
    while (len > 0) {
        /* Not into a character. */
        if (len == word.len || !is_inside_character(word.ptr[len])) {
            *id = mur_vocab_id(pieces, (mur_view){word.ptr, len});
            if (*id != MUR_VOCAB_NONE)
                return len;
        }
        len--;
    }
    return 0;
}

/* A word of which any part is in no piece is unknown as a whole. */
static void encode_new_word(wordpiece *t, mur_view word)
{
    size_t n_characters = 0;
    for (size_t i = 0; i < word.len; i++)
        n_characters += !is_inside_character(word.ptr[i]);
    t->word_ids.len = 0;
    const mur_vocab *pieces = &t->vocab;
    for (size_t at = 0, len; n_characters <= t->most_characters && at < word.len; at += len) {
        int32_t id;
        len = longest_piece(t, pieces, (mur_view){word.ptr + at, word.len - at}, &id);
        if (len == 0) {
            t->word_ids.len = 0;
            break;
        }
        mur_ids_append(&t->word_ids, id);
        pieces = &t->continuing;
    }
    if (t->word_ids.len == 0)
        mur_ids_append(&t->word_ids, t->unknown);
}

static void encode_word(wordpiece *t, mur_view word, mur_ids *ids)
{
    if (mur_word_cache_find(&t->cache, word, ids))
        return;
    encode_new_word(t, word);
    mur_word_cache_keep(&t->cache, word, t->word_ids.ptr, t->word_ids.len);
    for (size_t i = 0; i < t->word_ids.len; i++)
        mur_ids_append(ids, t->word_ids.ptr[i]);
}

static void encode_normalized(wordpiece *t, mur_view text, mur_ids *ids, size_t enough)
{
    mur_added_scan scan = {.added = &t->folded, .text = text};
    while (ids->len < enough && mur_added_scan_next(&scan)) {
        if (scan.token) {
            mur_ids_append(ids, scan.token->id);
            continue;
        }
        size_t first, end = 0;
        while (ids->len < enough && mur_bert_next_word(&t->text, scan.piece, &first, &end))
            encode_word(t, (mur_view){scan.piece.ptr + first, end - first}, ids);
    }
}

static void wordpiece_encode(mur_tokenizer *base, mur_view text, mur_ids *ids, size_t *n_full)
{
    wordpiece *t = (wordpiece *)base;
    size_t first_id = ids->len, enough = mur_frame_begin(&base->frame, ids, n_full);
    mur_added_scan scan = {.added = &t->specials.literal, .text = text};
    while (ids->len < enough && mur_added_scan_next(&scan)) {
        if (scan.token) {
            mur_ids_append(ids, scan.token->id);
            continue;
        }
        mur_buf_reset(&t->normalized);
        mur_bert_normalize(&t->text, &t->normalized, scan.piece);
        encode_normalized(t, mur_buf_view(&t->normalized), ids, enough);
    }
    mur_frame_end(&base->frame, ids, first_id, n_full);
}

static void append_word(mur_buf *out, mur_view word, size_t begin)
{
    if (out->len > begin)
        mur_buf_append_byte(out, ' ');
    mur_buf_append_view(out, word);
}

/* The words and special tokens, a space between two. */
static void wordpiece_normalize(mur_tokenizer *base, mur_view text, mur_buf *out)
{
    wordpiece *t = (wordpiece *)base;
    size_t begin = out->len;
    mur_added_scan scan = {.added = &t->specials.literal, .text = text};
    while (mur_added_scan_next(&scan)) {
        if (scan.token) {
            append_word(out, scan.piece, begin);
            continue;
        }
        mur_buf_reset(&t->normalized);
        mur_bert_normalize(&t->text, &t->normalized, scan.piece);
        mur_view normalized = mur_buf_view(&t->normalized);
        size_t first, end = 0;
        while (mur_bert_next_word(&t->text, normalized, &first, &end))
            append_word(out, (mur_view){normalized.ptr + first, end - first}, begin);
    }
}

const tokenizer_class mur_wordpiece_class = {
    .names = "BertTokenizer DistilBertTokenizer",
    .n_hidden_positions = 0,
    .default_max_length = 512,
    .open = wordpiece_open,
    .encode = wordpiece_encode,
    .normalize = wordpiece_normalize,
    .close = wordpiece_close,
};
