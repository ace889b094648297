/* The tweet tokenizer: by the first byte, any text through a small model; any bytes as vocab.txt, bpe.codes and a text;
 * or any merges in any order, whose symbols must be those of a slow merge loop. */
#include "token_files.h"

/* 't': a text. 'f': two files and a text, form feeds between them. 'm': merges, eight bits each, ':' and a word. */
const char *const mur_fuzz_seeds[] = {
    "tsee http://a_(b(c)d)e.f/?x=(y)! www.x.co me@b.co.uk #tag's @bob :-) 8pm <3 --> <b> +1 (555) 123-4567 1,000 ...",
    "t&amp;lt; &#x41; &x41; &#xD83D; &#128; &#; &rsquo; &hellip; don't can't I'm cannot 5 p.m. x a.m. ",
    "t<s>low<mask>\n\nlow\n<unk </s> \xE2\x9D\xA4\xEF\xB8\x8F \xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x9A\x80 \xD9\xA3 "
    "\xC4\xB0\xC5\xBF\xE2\x84\xAA \xEF\xBF\xBD\xFF",
    "tx.yz/((a)(b)c)(d a.b-c.com@d a.co/@x http:///.( http:/a<b> -5.5+ . . .. _a' #_- 3 \xC2\x85\x1C",
    "flow 9\nlo@@ 8\nw 7\n\xC3\xA9 1\n\fl o 9\nlo w</w> 8\n\flow lo\nw \xC3\xA9",
    "fa 1\r\nb  2\ra@@ 3\f#version\na b</w> 1\n\na b c d\na a 1\fabaab",
    "m\x01\x23\x45\x10\x62\x73\x21\x06\x61:abababcabcaabbcc",
    "mabcdefghijklmnopqrstuvwxyz:aaaaabbbbbcccccaaaaa",
    "mabcdefghijklmnopqrstuvwxyz:pababcaa",
    NULL,
};

static int open_model(mur_tokenizer **t, mur_view vocab, mur_view codes, bool has_normalization)
{
    const char *config = has_normalization ? "{\"tokenizer_class\":\"BertweetTokenizer\",\"normalization\":true}"
                                           : "{\"tokenizer_class\":\"BertweetTokenizer\"}";
    write_file("tokenizer_config.json", mur_view_of(config));
    write_file("vocab.txt", vocab);
    write_file("bpe.codes", codes);
    return mur_tokenizer_open(t, folder);
}

static void run_text(mur_view text)
{
    static mur_tokenizer *tokenizers[2];
    for (int i = 0; i < 2; i++) {
        if (!tokenizers[i])
            CHECK(open_model(&tokenizers[i], mur_view_of("low 3\nlo@@ 2\n@USER 1\n"),
                             mur_view_of("l o 9\nlo w</w> 8\n@ U 7\n@U S 6\n@US E 5\n@USE R</w> 4\n"), i == 1) == 0);
        check_text(tokenizers[i], text);
    }
}

static void run_files(mur_view input)
{
    mur_view vocab = next_part(&input), codes = next_part(&input);
    for (int i = 0; i < 2; i++) {
        mur_tokenizer *t;
        int rc = open_model(&t, vocab, codes, i == 1);
        CHECK(rc == 0 || rc == MUR_EDATA);
        CHECK((rc == 0) == (t != NULL));
        if (t)
            check_text(t, input);
        mur_tokenizer_close(&t);
    }
}

/* Words of the letters a, b and c; the vocabulary holds every piece of up to LONGEST of them. */
enum { LONGEST = 5, MOST_MERGES = 64, MOST_LETTERS = 72 };

static mur_buf pieces_vocab(void)
{
    mur_buf vocab = {0};
    for (int len = 1, n = 3; len <= LONGEST; len++, n *= 3)
        for (int k = 0; k < 2 * n; k++) {
            for (int i = 0, rest = k / 2; i < len; i++, rest /= 3)
                mur_buf_append_byte(&vocab, (char)('a' + rest % 3));
            mur_buf_append_text(&vocab, k % 2 ? " 1\n" : "@@ 1\n");
        }
    return vocab;
}

/* Its line there and the four fixed tokens, or 3 = <unk>. */
static int32_t id_of_piece(const char *piece, size_t len, bool is_last)
{
    int32_t id = 4, n = 3, k = 0;
    if (len > LONGEST)
        return 3;
    for (size_t shorter = 1; shorter < len; shorter++, n *= 3)
        id += 2 * n;
    for (size_t i = len; i-- > 0;)
        k = 3 * k + (piece[i] - 'a');
    return id + 2 * k + is_last;
}

typedef struct symbol {
    char text[MOST_LETTERS + 5]; /* with </w> where it ends a word */
} symbol;

typedef struct merge_list {
    symbol left[MOST_MERGES], right[MOST_MERGES];
    size_t n;
} merge_list;

/* A byte's halves choose among the letters and what has been merged so far, so that long symbols come about. */
static symbol chosen(const merge_list *merges, unsigned choice, bool may_end)
{
    symbol s = {{0}};
    if (choice < 8 || merges->n == 0)
        snprintf(s.text, sizeof s.text, "%c%s", 'a' + (int)(choice % 3), may_end && choice % 2 ? "</w>" : "");
    else {
        size_t i = (choice * 7) % merges->n;
        if (strlen(merges->left[i].text) + strlen(merges->right[i].text) < sizeof s.text - 5)
            snprintf(s.text, sizeof s.text, "%.24s%.24s", merges->left[i].text, merges->right[i].text);
        else
            s = merges->left[i];
    }
    return s;
}

static bool ends_word(const symbol *s)
{
    return strchr(s->text, '<') != NULL;
}

/* The rank of a pair: of the last line that holds it. */
static size_t rank_of(const merge_list *merges, const symbol *left, const symbol *right)
{
    for (size_t i = merges->n; i-- > 0;)
        if (strcmp(merges->left[i].text, left->text) == 0 && strcmp(merges->right[i].text, right->text) == 0)
            return i;
    return SIZE_MAX;
}

static size_t merge_slowly(const merge_list *merges, symbol *word, size_t n)
{
    while (n > 1) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i + 1 < n; i++) {
            size_t rank = rank_of(merges, &word[i], &word[i + 1]);
            best = rank < best ? rank : best;
        }
        if (best == SIZE_MAX)
            break;
        symbol left = merges->left[best], right = merges->right[best];
        size_t to = 0;
        for (size_t i = 0; i < n; to++) {
            word[to] = word[i];
            if (i + 1 < n && strcmp(word[i].text, left.text) == 0 && strcmp(word[i + 1].text, right.text) == 0) {
                strcat(word[to].text, right.text);
                i++;
            }
            i++;
        }
        n = to;
    }
    return n;
}

static void run_merges(mur_view input)
{
    merge_list merges = {.n = 0};
    size_t at = 0;
    bool is_reversed = input.len > 0 && input.ptr[0] % 2;
    for (; at < input.len && input.ptr[at] != ':' && merges.n < MOST_MERGES; at++) {
        unsigned byte = (unsigned char)input.ptr[at];
        symbol left = chosen(&merges, byte >> 4, false), right = chosen(&merges, byte & 15, true);
        if (ends_word(&left))
            continue;
        merges.left[merges.n] = left;
        merges.right[merges.n++] = right;
    }
    for (size_t i = 0; is_reversed && i < merges.n / 2; i++) { /* what merges make comes before what makes it */
        symbol left = merges.left[i], right = merges.right[i];
        merges.left[i] = merges.left[merges.n - 1 - i];
        merges.right[i] = merges.right[merges.n - 1 - i];
        merges.left[merges.n - 1 - i] = left;
        merges.right[merges.n - 1 - i] = right;
    }

    char letters[MOST_LETTERS + 1] = {0};
    symbol word[MOST_LETTERS] = {{{0}}};
    size_t n = 0;
    /* Words of more than 64 letters are merged in another way. */
    bool is_repeated = at + 1 < input.len && (input.ptr[at + 1] & 0xF0) == 0x70;
    for (; at < input.len && n < MOST_LETTERS; at++)
        letters[n++] = (char)('a' + (unsigned char)input.ptr[at] % 3);
    for (size_t i = 0; is_repeated && n < MOST_LETTERS; i++)
        letters[n++] = letters[i];
    for (size_t i = 0; i < n; i++)
        snprintf(word[i].text, sizeof word[i].text, "%c%s", letters[i], i + 1 < n ? "" : "</w>");

    mur_buf codes = {0}, vocab = pieces_vocab();
    for (size_t i = 0; i < merges.n; i++)
        mur_buf_printf(&codes, "%s %s 1\n", merges.left[i].text, merges.right[i].text);
    mur_tokenizer *t;
    mur_ids ids = {0};
    CHECK(open_model(&t, mur_buf_view(&vocab), mur_buf_view(&codes), false) == 0);
    mur_tokenizer_encode(t, (mur_view){letters, n}, &ids, NULL);

    size_t n_pieces = n ? merge_slowly(&merges, word, n) : 0;
    CHECK(ids.len == n_pieces + 2);
    for (size_t i = 0, first = 0; i < n_pieces; i++) {
        size_t len = strcspn(word[i].text, "<");
        CHECK(ids.ptr[1 + i] == id_of_piece(letters + first, len, i + 1 == n_pieces));
        first += len;
    }
    mur_tokenizer_close(&t);
    mur_ids_clear(&ids);
    mur_buf_clear(&codes);
    mur_buf_clear(&vocab);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    mur_view rest = {(const char *)bytes + (len > 0), len - (len > 0)};
    switch (len > 0 ? bytes[0] : 't') {
    case 'f': run_files(rest); break;
    case 'm': run_merges(rest); break;
    default: run_text(rest); break;
    }
    return 0;
}
