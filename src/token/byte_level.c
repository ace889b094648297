/* RobertaTokenizer (https://huggingface.co/FacebookAI/roberta-base): GPT-2's byte-level BPE. Literal special tokens are
 * taken out of the text, the rest is cut into words, a word's bytes are its first symbols, and merges do the rest.
 */
#include <stdlib.h>

#include "added_tokens.h"
#include "bpe.h"
#include "byte_merges.h"
#include "byte_scan.h"
#include "murmur/file.h"
#include "murmur/json.h"
#include "murmur/mem.h"
#include "murmur/utf8.h"
#include "special_tokens.h"
#include "text_class.h"
#include "tokenizer_class.h"
#include "vocab.h"
#include "word_cache.h"

typedef struct byte_level {
    mur_tokenizer base;
    bool adds_prefix_space; /* before a piece of text that does not begin with one */
    mur_special_tokens specials;
    mur_bpe bpe; /* symbols are ids */
    uint32_t byte_symbols[256];
    int32_t unknown;
    uint8_t *classes;

    mur_word_cache cache;
    mur_buf mended, prefixed;
    mur_ids word_ids;
    uint32_t *symbols;
    mur_bpe_piece *pieces;
    size_t cap_pieces;
} byte_level;

static const mur_special_defaults defaults = {
    .strings =
        {
            [MUR_ROLE_CLS] = "<s>",
            [MUR_ROLE_SEP] = "</s>",
            [MUR_ROLE_UNK] = "<unk>",
            [MUR_ROLE_PAD] = "<pad>",
            [MUR_ROLE_MASK] = "<mask>",
            [MUR_ROLE_BOS] = "<s>",
            [MUR_ROLE_EOS] = "</s>",
        },
    .mask_takes_left_space = true,
};

static void byte_level_close(mur_tokenizer *base)
{
    byte_level *t = (byte_level *)base;
    mur_special_tokens_clear(&t->specials);
    mur_bpe_clear(&t->bpe);
    free(t->classes);
    mur_word_cache_clear(&t->cache);
    mur_buf_clear(&t->mended);
    mur_buf_clear(&t->prefixed);
    mur_ids_clear(&t->word_ids);
    free(t->symbols);
    free(t->pieces);
    free(t);
}

/* Settings of tokenizer.json that would make other ids, by name. */
static int check_json(const tokenizer_json *j)
{
    static const char *const strings[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    static const char *const flags[] = {"byte_fallback", "ignore_merges"};
    const cJSON *model = mur_json_member(j->tree, "model");
    const char *normalizer = tokenizer_json_part_type(j, "normalizer");
    const char *pre_tokenizer = tokenizer_json_part_type(j, "pre_tokenizer");
    const char *type = tokenizer_json_model_type(j);
    if (!type || strcmp(type, "BPE") != 0)
        return mur_fail(MUR_EDATA, "%s: the model is %s, and the tokenizer's class needs BPE", j->path,
                        type ? type : "of unknown type");
    if (normalizer[0])
        return mur_fail(MUR_EDATA, "%s: normalizer is %s; murmur has byte-level BPE without one only", j->path,
                        normalizer);
    if (strcmp(pre_tokenizer, "ByteLevel") != 0)
        return mur_fail(MUR_EDATA, "%s: pre_tokenizer is \"%s\"; murmur has BPE after ByteLevel only", j->path,
                        pre_tokenizer);
    if (!mur_json_bool(mur_json_member(j->tree, "pre_tokenizer"), "use_regex", true))
        return mur_fail(MUR_EDATA, "%s: pre_tokenizer has use_regex false; murmur has GPT-2's words only", j->path);
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        if (mur_json_string(model, strings[i], "")[0])
            return mur_fail(MUR_EDATA, "%s: the model has a %s; murmur has BPE without it only", j->path, strings[i]);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (mur_json_bool(model, flags[i], false))
            return mur_fail(MUR_EDATA, "%s: the model has %s; murmur has BPE without it only", j->path, flags[i]);
    if (mur_json_number(model, "dropout", 0) > 0)
        return mur_fail(MUR_EDATA, "%s: the model has dropout, so its ids are random", j->path);
    return 0;
}

static int read_json(byte_level *t, mur_vocab *v, const tokenizer_folder *folder)
{
    const tokenizer_json *j = &folder->json;
    mur_view text = mur_buf_view(&j->text);
    int rc = check_json(j);
    if (rc == 0)
        rc = mur_vocab_read_json(v, text, j->vocab, j->path);
    if (rc == 0)
        rc = mur_byte_merges_read_json(&t->bpe, v, text, j->merges, j->path);
    if (rc == 0)
        rc = mur_special_tokens_read(&t->specials, v, folder, &defaults);
    if (rc == 0)
        rc = tokenizer_json_read_frame(&t->base.frame, j);
    return rc;
}

static int read_files(byte_level *t, mur_vocab *v, const tokenizer_folder *folder)
{
    char *vocab_path = mur_path_join(folder->path, "vocab.json"),
         *merges_path = mur_path_join(folder->path, "merges.txt");
    int rc = mur_vocab_read_json_file(v, vocab_path);
    if (rc == 0)
        rc = mur_byte_merges_read(&t->bpe, v, merges_path);
    if (rc == 0)
        rc = mur_special_tokens_read(&t->specials, v, folder, &defaults);
    if (rc == 0)
        rc = mur_special_tokens_frame(&t->base.frame, &t->specials, vocab_path);
    free(vocab_path);
    free(merges_path);
    return rc;
}

/* The symbols of single bytes. One that the vocabulary lacks is <unk>, which there must be then. */
static int find_bytes(byte_level *t, const mur_vocab *v, const char *folder)
{
    t->unknown = t->specials.ids[MUR_ROLE_UNK];
    for (unsigned byte = 0; byte < 256; byte++) {
        mur_buf letter = {0};
        mur_utf8_append(&letter, mur_byte_letter((uint8_t)byte));
        int32_t id = mur_vocab_id(v, mur_buf_view(&letter));
        mur_buf_clear(&letter);
        t->byte_symbols[byte] = id == MUR_VOCAB_NONE ? MUR_BPE_NO_SYMBOL : (uint32_t)id;
        if (id == MUR_VOCAB_NONE && t->unknown == MUR_VOCAB_NONE)
            return mur_fail(MUR_EDATA, "%s: the vocabulary has no entry for byte 0x%02X, and no unk_token", folder,
                            byte);
    }
    return 0;
}

static int byte_level_open(mur_tokenizer **out, const tokenizer_folder *folder)
{
    byte_level *t = mur_alloc(1, sizeof *t);
    mur_vocab vocab; /* needed to begin with alone: merges and bytes are ids */
    mur_vocab_init(&vocab);
    mur_vocab_init(&t->specials.beyond);
    t->classes = mur_text_classes_make();
    const cJSON *settings = folder->tokenizer_config;
    if (folder->is_generic && folder->json.tree)
        settings = mur_json_member(folder->json.tree, "pre_tokenizer");
    t->adds_prefix_space = mur_json_bool(settings, "add_prefix_space", false);
    int rc = folder->json.tree ? read_json(t, &vocab, folder) : read_files(t, &vocab, folder);
    if (rc == 0)
        rc = find_bytes(t, &vocab, folder->path);
    t->base.vocab_size = mur_special_tokens_vocab_size(&t->specials, &vocab);
    mur_vocab_clear(&vocab);
    if (rc < 0) {
        byte_level_close(&t->base);
        t = NULL;
    }
    *out = t ? &t->base : NULL;
    return rc;
}

static void encode_new_word(byte_level *t, mur_view word)
{
    if (word.len > t->cap_pieces) {
        t->cap_pieces = mur_grown(t->cap_pieces, word.len);
        t->pieces = mur_realloc(t->pieces, t->cap_pieces, sizeof *t->pieces);
        t->symbols = mur_realloc(t->symbols, t->cap_pieces, sizeof *t->symbols);
    }
    for (size_t i = 0; i < word.len; i++)
        t->symbols[i] = t->byte_symbols[(unsigned char)word.ptr[i]];
    size_t n = mur_bpe_split(&t->bpe, t->pieces, t->symbols, word.len);
    t->word_ids.len = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t symbol = t->pieces[i].symbol;
        mur_ids_append(&t->word_ids, symbol == MUR_BPE_NO_SYMBOL ? t->unknown : (int32_t)symbol);
    }
}

static void encode_word(byte_level *t, mur_view word, mur_ids *ids)
{
    if (mur_word_cache_find(&t->cache, word, ids))
        return;
    encode_new_word(t, word);
    mur_word_cache_keep(&t->cache, word, t->word_ids.ptr, t->word_ids.len);
    for (size_t i = 0; i < t->word_ids.len; i++)
        mur_ids_append(ids, t->word_ids.ptr[i]);
}

/* Valid UTF-8: the text itself, or a mended copy. */
static mur_view mended(byte_level *t, mur_view text)
{
    if (mur_utf8_is_valid(text))
        return text;
    mur_buf_reset(&t->mended);
    mur_utf8_append_mended(&t->mended, text);
    return mur_buf_view(&t->mended);
}

static mur_view prefixed(byte_level *t, mur_view text)
{
    if (!t->adds_prefix_space || text.ptr[0] == ' ')
        return text;
    mur_buf_reset(&t->prefixed);
    mur_buf_append_byte(&t->prefixed, ' ');
    mur_buf_append_view(&t->prefixed, text);
    return mur_buf_view(&t->prefixed);
}

static void byte_level_encode(mur_tokenizer *base, mur_view text, mur_ids *ids, size_t *n_full)
{
    byte_level *t = (byte_level *)base;
    size_t first_id = ids->len, enough = mur_frame_begin(&base->frame, ids, n_full);
    mur_added_scan scan = {.added = &t->specials.literal, .text = mended(t, text)};
    while (ids->len < enough && mur_added_scan_next(&scan)) {
        if (scan.token) {
            mur_ids_append(ids, scan.token->id);
            continue;
        }
        mur_view piece = prefixed(t, scan.piece);
        for (size_t at = 0, end; at < piece.len && ids->len < enough; at = end) {
            end = mur_byte_scan(t->classes, piece, at);
            encode_word(t, (mur_view){piece.ptr + at, end - at}, ids);
        }
    }
    mur_frame_end(&base->frame, ids, first_id, n_full);
}

static void byte_level_normalize(mur_tokenizer *base, mur_view text, mur_buf *out)
{
    mur_buf_append_view(out, mended((byte_level *)base, text));
}

const tokenizer_class mur_byte_level_class = {
    .names = "RobertaTokenizer",
    .n_hidden_positions = 2, /* RoBERTa counts positions from padding_idx + 1 = 2 */
    .default_max_length = 512,
    .open = byte_level_open,
    .encode = byte_level_encode,
    .normalize = byte_level_normalize,
    .close = byte_level_close,
};
