/* BertweetTokenizer (https://huggingface.co/vinai/bertweet-base): literal special tokens are taken out of the text, the
 * pieces between them normalised where the configuration says so, cut into words, and those into BPE symbols.
 */
#include <stdlib.h>

#include "bpe.h"
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
#define MOST_SPECIALS 4096 /* added tokens are a handful; they are searched one by one */

/* Their ids are their places here, and the vocabulary begins behind them. */
static const char *const fixed_specials[N_FIXED] = {"<s>", "<pad>", "</s>", "<unk>"};

typedef struct bertweet {
    mur_tokenizer base;
    bool has_normalization;
    mur_vocab vocab;
    mur_bpe bpe;
    int32_t begin, end, unknown;
    int32_t *symbol_ids[2]; /* by number of the BPE symbol: id inside and at the end of a word, or NOT_LOOKED_UP */

    /* The strings that are taken literally, wherever they stand: by number, with their ids in the vocabulary. */
    mur_map specials;
    bool begins_special[256]; /* by first byte */

    mur_word_cache cache;
    mur_tweet_normalizer normalizer;
    mur_points raw;
    mur_ids word_ids;
    mur_bpe_piece *pieces;
    size_t cap_pieces;
    mur_buf key;
} bertweet;

static void add_special(bertweet *t, mur_view special)
{
    mur_map_add(&t->specials, special, NULL);
    t->begins_special[(unsigned char)special.ptr[0]] = true;
}

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
        else if (token->string[0] == '\0')
            rc = mur_fail(MUR_EDATA, "%s: an empty token", path);
        else if (t->specials.n_keys == MOST_SPECIALS)
            rc = mur_fail(MUR_EDATA, "%s: more than %d added tokens", path, MOST_SPECIALS);
        if (rc == 0) {
            mur_vocab_set(&t->vocab, mur_view_of(token->string), (int32_t)id);
            add_special(t, mur_view_of(token->string));
        }
    }
    cJSON_Delete(added);
    return rc;
}

static int read_vocab(bertweet *t, const char *folder)
{
    char *vocab_path = mur_path_join(folder, "vocab.txt"), *added_path = mur_path_join(folder, "added_tokens.json");
    for (int32_t i = 0; i < N_FIXED; i++) {
        mur_vocab_set(&t->vocab, mur_view_of(fixed_specials[i]), i);
        add_special(t, mur_view_of(fixed_specials[i]));
    }
    int rc = mur_vocab_read_counted(&t->vocab, vocab_path, N_FIXED);
    if (rc == 0)
        rc = read_added_tokens(t, added_path);
    if (rc == 0) {
        if (mur_vocab_id(&t->vocab, mur_view_of(MASK)) == MUR_VOCAB_NONE)
            mur_vocab_set(&t->vocab, mur_view_of(MASK), t->vocab.largest + 1);
        add_special(t, mur_view_of(MASK));
        t->begin = mur_vocab_id(&t->vocab, mur_view_of("<s>"));
        t->end = mur_vocab_id(&t->vocab, mur_view_of("</s>"));
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
    mur_bpe_clear(&t->bpe);
    mur_map_clear(&t->specials);
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
        rc = mur_bpe_open(&t->bpe, codes_path);
    for (int i = 0; rc == 0 && i < 2; i++) {
        t->symbol_ids[i] = mur_alloc(t->bpe.symbols.n_keys, sizeof(int32_t));
        memset(t->symbol_ids[i], 0xFF, t->bpe.symbols.n_keys * sizeof(int32_t)); /* NOT_LOOKED_UP */
    }
    free(codes_path);
    if (rc < 0) {
        bertweet_close(&t->base);
        t = NULL;
    }
    *out = t ? &t->base : NULL;
    return rc;
}

/* The length of the longest special token at the start of `text`, which is not empty; 0 when there is none. */
static size_t special_at_start(const bertweet *t, mur_view text)
{
    size_t longest = 0;
    for (size_t i = 0; i < t->specials.n_keys; i++) {
        mur_view special = mur_map_key(&t->specials, i);
        if (special.len > longest && special.len <= text.len && memcmp(special.ptr, text.ptr, special.len) == 0)
            longest = special.len;
    }
    return longest;
}

/* Takes the next piece off `*rest`, which is not empty: a special token, or the text before one. */
static mur_view next_piece(const bertweet *t, mur_view *rest, bool *is_special)
{
    size_t at = 0, special_len = 0;
    for (; at < rest->len; at++)
        if (t->begins_special[(unsigned char)rest->ptr[at]]) {
            special_len = special_at_start(t, (mur_view){rest->ptr + at, rest->len - at});
            if (special_len)
                break;
        }
    *is_special = at == 0 && special_len > 0;
    mur_view piece = {rest->ptr, *is_special ? special_len : at};
    rest->ptr += piece.len;
    rest->len -= piece.len;
    return piece;
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
    size_t n = mur_bpe_split(&t->bpe, t->pieces, word, len), first = 0;
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
    if (mur_word_cache_find(&t->cache, word, len, ids))
        return;
    encode_new_word(t, word, len);
    mur_word_cache_keep(&t->cache, word, len, t->word_ids.ptr, t->word_ids.len);
    for (size_t i = 0; i < t->word_ids.len; i++)
        mur_ids_append(ids, t->word_ids.ptr[i]);
}

static void bertweet_encode(mur_tokenizer *base, mur_view text, mur_ids *ids, size_t *n_full)
{
    bertweet *t = (bertweet *)base;
    size_t before = ids->len;
    /* What is cut off need not be known, unless its length is asked for. */
    size_t enough = n_full ? SIZE_MAX : before + base->max_length;
    mur_ids_append(ids, t->begin);
    while (text.len > 0 && ids->len < enough) {
        bool is_special;
        mur_view piece = next_piece(t, &text, &is_special);
        if (is_special) {
            mur_ids_append(ids, mur_vocab_id(&t->vocab, piece));
            continue;
        }
        const mur_points *points = points_of_piece(t, piece);
        size_t first, end = 0;
        while (ids->len < enough && next_word(points, &first, &end)) {
            /* In raw text a newline belongs to the word before it; normalised text has none but as white space. */
            if (!t->has_normalization && end < points->len && points->ptr[end] == '\n')
                end++;
            encode_word(t, points->ptr + first, end - first, ids);
        }
    }
    if (n_full)
        *n_full = ids->len - before + 1;
    if (ids->len - before > base->max_length - 1)
        ids->len = before + base->max_length - 1;
    mur_ids_append(ids, t->end);
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
    for (bool is_first_piece = true; text.len > 0; is_first_piece = false) {
        bool is_special;
        mur_view piece = next_piece(t, &text, &is_special);
        if (!is_first_piece)
            mur_buf_append_byte(out, ' ');
        if (is_special) {
            mur_buf_append_view(out, piece);
            continue;
        }
        const mur_points *points = points_of_piece(t, piece);
        size_t first, end = 0;
        for (bool is_first = true; next_word(points, &first, &end); is_first = false) {
            if (!is_first)
                mur_buf_append_byte(out, ' ');
            append_run(out, points->ptr + first, end - first);
        }
    }
}

const tokenizer_class mur_bertweet_class = {
    .name = "BertweetTokenizer",
    .n_hidden_positions = 2, /* RoBERTa counts positions from padding_idx + 1 = 2 */
    .default_max_length = 128,
    .open = bertweet_open,
    .encode = bertweet_encode,
    .normalize = bertweet_normalize,
    .close = bertweet_close,
};
