/* BertweetTokenizer (https://huggingface.co/vinai/bertweet-base): literal special tokens are taken out of the text, the
 * pieces between them normalised where the configuration says so, cut into words, and those into BPE symbols.
 */
#include <stdlib.h>

#include "added_tokens.h"
#include "bpe_codes.h"
#include "murmur/file.h"
#include "murmur/json.h"
#include "murmur/mem.h"
#include "murmur/utf8.h"
#include "points.h"
#include "tokenizer_class.h"
#include "tweet_normalize.h"
#include "unicode_class.h"
#include "vocab.h"
#include "word_cache.h"

#define CONTINUED "@@" /* behind every symbol of a word but the last, in vocab.txt */
#define MASK "<mask>"
#define NOT_LOOKED_UP (-1)
#define N_FIXED 4

/* Their ids are their places here, and the vocabulary begins behind them. */
static const char *const fixed_specials[N_FIXED] = {"<s>", "<pad>", "</s>", "<unk>"};

typedef struct bertweet {
    mur_tokenizer base;
    bool has_normalization;
    mur_vocab vocab;
    mur_bpe_codes codes;
    int32_t unknown;
    int32_t *symbol_ids[2]; /* by number of the BPE symbol: id inside and at the end of a word, or NOT_LOOKED_UP */

    mur_added_tokens added;

    mur_word_cache cache;
    mur_tweet_normalizer normalizer;
    mur_points raw;
    mur_ids word_ids;
    mur_bpe_piece *pieces;
    size_t cap_pieces;
    mur_buf key;
} bertweet;

/* added_tokens.json: {"STRING": id, …}, <mask> as a rule. */
static int read_added_tokens(bertweet *t, const char *path)
{
    if (!mur_path_exists(path))
        return 0;
    cJSON *added = mur_json_parse_file(path);
    int rc = added ? 0 : mur_error_last()->code;
    if (rc == 0 && !cJSON_IsObject(added))
        rc = mur_fail(MUR_EDATA, "%s is not a JSON object", path);
    for (const cJSON *token = added ? added->child : NULL; rc == 0 && token; token = token->next) {
        double id = cJSON_IsNumber(token) ? token->valuedouble : -1;
        if (!(id >= 0 && id < INT32_MAX) || id != (double)(int32_t)id)
            rc = mur_fail(MUR_EDATA, "%s: the id of \"%s\" is not a whole number from 0 up", path, token->string);
        else if ((rc = mur_added_tokens_add(&t->added, mur_view_of(token->string), (mur_added_token){0})) < 0)
            mur_error_add("%s", path);
        if (rc == 0)
            mur_vocab_set(&t->vocab, mur_view_of(token->string), (int32_t)id);
    }
    cJSON_Delete(added);
    return rc;
}

static int read_vocab(bertweet *t, const char *folder)
{
    char *vocab_path = mur_path_join(folder, "vocab.txt"), *added_path = mur_path_join(folder, "added_tokens.json");
    int rc = 0;
    for (int32_t i = 0; rc == 0 && i < N_FIXED; i++) {
        mur_vocab_set(&t->vocab, mur_view_of(fixed_specials[i]), i);
        rc = mur_added_tokens_add(&t->added, mur_view_of(fixed_specials[i]), (mur_added_token){0});
    }
    if (rc == 0)
        rc = mur_vocab_read_counted(&t->vocab, vocab_path, N_FIXED);
    if (rc == 0)
        rc = read_added_tokens(t, added_path);
    if (rc == 0) {
        if (mur_vocab_id(&t->vocab, mur_view_of(MASK)) == MUR_VOCAB_NONE)
            mur_vocab_set(&t->vocab, mur_view_of(MASK), t->vocab.largest + 1);
        rc = mur_added_tokens_add(&t->added, mur_view_of(MASK), (mur_added_token){0});
    }
    if (rc == 0) {
        for (size_t i = 0; i < t->added.strings.n_keys; i++)
            t->added.tokens[i].id = mur_vocab_id(&t->vocab, mur_map_key(&t->added.strings, i));
        rc = mur_frame_add_before(&t->base.frame, mur_vocab_id(&t->vocab, mur_view_of("<s>")));
        if (rc == 0)
            rc = mur_frame_add_after(&t->base.frame, mur_vocab_id(&t->vocab, mur_view_of("</s>")));
        t->unknown = mur_vocab_id(&t->vocab, mur_view_of("<unk>"));
        t->base.vocab_size = (size_t)t->vocab.largest + 1;
    }
    free(vocab_path);
    free(added_path);
    return rc;
}

static void bertweet_close(mur_tokenizer *base)
{
    bertweet *t = (bertweet *)base;
    mur_vocab_clear(&t->vocab);
    mur_bpe_codes_clear(&t->codes);
    mur_added_tokens_clear(&t->added);
    mur_word_cache_clear(&t->cache);
    mur_tweet_normalizer_clear(&t->normalizer);
    mur_points_clear(&t->raw);
    mur_ids_clear(&t->word_ids);
    free(t->pieces);
    free(t->symbol_ids[0]);
    free(t->symbol_ids[1]);
    mur_buf_clear(&t->key);
    free(t);
}

static int bertweet_open(mur_tokenizer **out, const tokenizer_folder *folder)
{
    bertweet *t = mur_alloc(1, sizeof *t);
    char *codes_path = mur_path_join(folder->path, "bpe.codes");
    mur_vocab_init(&t->vocab);
    t->has_normalization = mur_json_bool(folder->tokenizer_config, "normalization", false);
    int rc = read_vocab(t, folder->path);
    if (rc == 0)
        rc = mur_bpe_codes_open(&t->codes, codes_path);
    for (int i = 0; rc == 0 && i < 2; i++) {
        t->symbol_ids[i] = mur_alloc(t->codes.symbols.n_keys, sizeof(int32_t));
        memset(t->symbol_ids[i], 0xFF, t->codes.symbols.n_keys * sizeof(int32_t)); /* NOT_LOOKED_UP */
    }
    free(codes_path);
    if (rc < 0) {
        bertweet_close(&t->base);
        t = NULL;
    }
    *out = t ? &t->base : NULL;
    return rc;
}

static const mur_points *points_of_piece(bertweet *t, mur_view piece)
{
    if (t->has_normalization)
        return mur_tweet_normalize(&t->normalizer, piece);
    t->raw.len = 0;
    mur_points_append_utf8(&t->raw, piece);
    return &t->raw;
}

/* The next run of non-space from `*end` on, which is 0 to begin. False when there is none. */
static bool next_word(const mur_points *text, size_t *first, size_t *end)
{
    size_t at = *end;
    while (at < text->len && (mur_unicode_class(text->ptr[at]) & MUR_BLANK))
        at++;
    *first = at;
    while (at < text->len && !(mur_unicode_class(text->ptr[at]) & MUR_BLANK))
        at++;
    *end = at;
    return *end > *first;
}

/* The id of a piece of a word, by its spelling in vocab.txt. */
static int32_t look_up(bertweet *t, const uint32_t *piece, size_t len, bool is_last)
{
    mur_buf_reset(&t->key);
    mur_points_to_key(&t->key, piece, len);
    if (!is_last)
        mur_buf_append_text(&t->key, CONTINUED);
    int32_t id = mur_vocab_id(&t->vocab, mur_buf_view(&t->key));
    return id == MUR_VOCAB_NONE ? t->unknown : id;
}

static void encode_new_word(bertweet *t, const uint32_t *word, size_t len)
{
    if (len > t->cap_pieces) {
        t->cap_pieces = mur_grown(t->cap_pieces, len);
        t->pieces = mur_realloc(t->pieces, t->cap_pieces, sizeof *t->pieces);
    }
    size_t n = mur_bpe_codes_split(&t->codes, t->pieces, word, len), first = 0;
    t->word_ids.len = 0;
    for (size_t i = 0; i < n; i++) {
        mur_bpe_piece piece = t->pieces[i];
        bool is_last = i + 1 == n;
        int32_t unlisted = NOT_LOOKED_UP;
        int32_t *id = piece.symbol == MUR_BPE_NO_SYMBOL ? &unlisted : &t->symbol_ids[is_last][piece.symbol];
        if (*id == NOT_LOOKED_UP)
            *id = look_up(t, word + first, piece.end - first, is_last);
        mur_ids_append(&t->word_ids, *id);
        first = piece.end;
    }
}

static void encode_word(bertweet *t, const uint32_t *word, size_t len, mur_ids *ids)
{
    mur_view key = {(const char *)word, len * sizeof *word};
    if (mur_word_cache_find(&t->cache, key, ids))
        return;
    encode_new_word(t, word, len);
    mur_word_cache_keep(&t->cache, key, t->word_ids.ptr, t->word_ids.len);
    for (size_t i = 0; i < t->word_ids.len; i++)
        mur_ids_append(ids, t->word_ids.ptr[i]);
}

static void bertweet_encode(mur_tokenizer *base, mur_view text, mur_ids *ids, size_t *n_full)
{
    bertweet *t = (bertweet *)base;
    size_t first_id = ids->len, enough = mur_frame_begin(&base->frame, ids, n_full);
    mur_added_scan scan = {.added = &t->added, .text = text};
    while (ids->len < enough && mur_added_scan_next(&scan)) {
        if (scan.token) {
            mur_ids_append(ids, scan.token->id);
            continue;
        }
        const mur_points *points = points_of_piece(t, scan.piece);
        size_t first, end = 0;
        while (ids->len < enough && next_word(points, &first, &end)) {
            /* In raw text a newline belongs to the word before it; normalised text has none but as white space. */
            if (!t->has_normalization && end < points->len && points->ptr[end] == '\n')
                end++;
            encode_word(t, points->ptr + first, end - first, ids);
        }
    }
    mur_frame_end(&base->frame, ids, first_id, n_full);
}

/* A surrogate, which the ids know from U+FFFD, comes out as that: UTF-8 has nothing else. */
static void append_run(mur_buf *out, const uint32_t *run, size_t len)
{
    for (size_t i = 0; i < len; i++)
        mur_utf8_append(out, run[i]);
}

static void bertweet_normalize(mur_tokenizer *base, mur_view text, mur_buf *out)
{
    bertweet *t = (bertweet *)base;
    if (!t->has_normalization) {
        const mur_points *points = points_of_piece(t, text);
        append_run(out, points->ptr, points->len);
        return;
    }
    mur_added_scan scan = {.added = &t->added, .text = text};
    for (bool is_first_piece = true; mur_added_scan_next(&scan); is_first_piece = false) {
        if (!is_first_piece)
            mur_buf_append_byte(out, ' ');
        if (scan.token) {
            mur_buf_append_view(out, scan.piece);
            continue;
        }
        const mur_points *points = points_of_piece(t, scan.piece);
        size_t first, end = 0;
        for (bool is_first = true; next_word(points, &first, &end); is_first = false) {
            if (!is_first)
                mur_buf_append_byte(out, ' ');
            append_run(out, points->ptr + first, end - first);
        }
    }
}

const tokenizer_class mur_bertweet_class = {
    .names = "BertweetTokenizer",
    .n_hidden_positions = 2, /* RoBERTa counts positions from padding_idx + 1 = 2 */
    .default_max_length = 128,
    .open = bertweet_open,
    .encode = bertweet_encode,
    .normalize = bertweet_normalize,
    .close = bertweet_close,
};
