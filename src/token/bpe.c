#include "bpe.h"

#include <stdbool.h>
#include <stdlib.h>

#include "lines.h"
#include "murmur/mem.h"
#include "points.h"

#define NO_RANK UINT32_MAX
#define NOWHERE SIZE_MAX

struct mur_bpe_merge {
    uint32_t left, right; /* symbols */
    uint32_t merged;
    uint32_t rank; /* NO_RANK: a free slot */
};

/* A symbol of the word in hand: a node of a list, named by the position of its first code point. */
struct mur_bpe_symbol {
    uint32_t symbol;
    uint32_t rank;   /* of the merge with the next one, or NO_RANK */
    uint32_t merged; /* what that merge makes */
    bool is_dead;    /* merged into the one before */
    size_t previous, next;
};

struct mur_bpe_candidate {
    uint32_t rank;
    size_t at;
};

static mur_bpe_merge *slot_of(const mur_bpe *b, uint32_t left, uint32_t right)
{
    /* Fibonacci hashing: the upper half of the product is well mixed. */
    uint64_t hash = ((uint64_t)left << 32 | right) * UINT64_C(0x9E3779B97F4A7C15);
    size_t slot = (hash >> 32) & (b->n_slots - 1);
    while (b->merges[slot].rank != NO_RANK && (b->merges[slot].left != left || b->merges[slot].right != right))
        slot = (slot + 1) & (b->n_slots - 1);
    return &b->merges[slot];
}

static void add_merge(mur_bpe *b, mur_view left, mur_view right, uint32_t rank)
{
    uint32_t left_symbol = (uint32_t)mur_map_add(&b->symbols, left, NULL);
    uint32_t right_symbol = (uint32_t)mur_map_add(&b->symbols, right, NULL);
    mur_buf_reset(&b->key);
    mur_buf_append_view(&b->key, left);
    mur_buf_append_view(&b->key, right);
    uint32_t merged = (uint32_t)mur_map_add(&b->symbols, mur_buf_view(&b->key), NULL);
    /* Of a pair learned twice the later rank counts. */
    *slot_of(b, left_symbol, right_symbol) = (mur_bpe_merge){left_symbol, right_symbol, merged, rank};
}

/* Three fields, the last of which is dropped. */
static bool is_merge(mur_view line, mur_view *left, mur_view *right)
{
    mur_view count, more;
    return mur_view_next_field(left, &line) && mur_view_next_field(right, &line) &&
           mur_view_next_field(&count, &line) && !mur_view_next_field(&more, &line);
}

/* The symbol of one code point, or MUR_BPE_NO_SYMBOL. */
static uint32_t find_symbol(mur_bpe *b, uint32_t point, bool is_last)
{
    mur_buf_reset(&b->key);
    mur_points_to_key(&b->key, &point, 1);
    if (is_last)
        mur_buf_append_text(&b->key, MUR_BPE_END_OF_WORD);
    size_t number = mur_map_find(&b->symbols, mur_buf_view(&b->key));
    return number == MUR_MAP_NONE ? MUR_BPE_NO_SYMBOL : (uint32_t)number;
}

int mur_bpe_open(mur_bpe *b, const char *path)
{
    mur_buf text = {0};
    int rc = mur_text_file_read(&text, path);
    if (rc < 0)
        goto done;

    size_t n_lines = 0;
    for (mur_lines lines = mur_lines_of(mur_buf_view(&text)); mur_lines_next(&lines) && lines.is_ended;)
        n_lines++;
    if (n_lines > UINT32_MAX / 8) { /* three symbols a line, and MUR_BPE_NO_SYMBOL */
        rc = mur_fail(MUR_EDATA, "%s: %zu merges are too many", path, n_lines);
        goto done;
    }
    b->n_slots = 64;
    while (b->n_slots < 2 * n_lines)
        b->n_slots *= 2;
    b->merges = mur_alloc(b->n_slots, sizeof *b->merges);
    for (size_t i = 0; i < b->n_slots; i++)
        b->merges[i].rank = NO_RANK;

    for (mur_lines lines = mur_lines_of(mur_buf_view(&text)); mur_lines_next(&lines) && lines.is_ended;) {
        mur_view left, right;
        if (is_merge(lines.line, &left, &right))
            add_merge(b, left, right, (uint32_t)(lines.number - 1));
    }
    for (uint32_t point = 0; point < 0x80; point++)
        for (int is_last = 0; is_last < 2; is_last++)
            b->ascii[is_last][point] = find_symbol(b, point, is_last);
done:
    mur_buf_clear(&text);
    return rc;
}

void mur_bpe_clear(mur_bpe *b)
{
    mur_map_clear(&b->symbols);
    mur_buf_clear(&b->key);
    free(b->merges);
    free(b->word);
    free(b->heap);
    free(b->round);
    *b = (mur_bpe){0};
}

static bool comes_before(mur_bpe_candidate a, mur_bpe_candidate b)
{
    return a.rank < b.rank || (a.rank == b.rank && a.at < b.at);
}

static void heap_push(mur_bpe *b, mur_bpe_candidate candidate)
{
    if (b->n_heap == b->cap_heap) {
        b->cap_heap = mur_grown(b->cap_heap, b->n_heap + 1);
        b->heap = mur_realloc(b->heap, b->cap_heap, sizeof *b->heap);
    }
    size_t at = b->n_heap++;
    for (; at > 0 && comes_before(candidate, b->heap[(at - 1) / 2]); at = (at - 1) / 2)
        b->heap[at] = b->heap[(at - 1) / 2];
    b->heap[at] = candidate;
}

static mur_bpe_candidate heap_pop(mur_bpe *b)
{
    mur_bpe_candidate top = b->heap[0], last = b->heap[--b->n_heap];
    size_t at = 0, child;
    while ((child = 2 * at + 1) < b->n_heap) {
        if (child + 1 < b->n_heap && comes_before(b->heap[child + 1], b->heap[child]))
            child++;
        if (!comes_before(b->heap[child], last))
            break;
        b->heap[at] = b->heap[child];
        at = child;
    }
    b->heap[at] = last;
    return top;
}

/* Looks up the merge of the symbol at `at` with the next one, and makes it a candidate if there is one. */
static void consider(mur_bpe *b, size_t at)
{
    mur_bpe_symbol *symbol = &b->word[at];
    symbol->rank = NO_RANK;
    if (symbol->next == NOWHERE || symbol->symbol == MUR_BPE_NO_SYMBOL ||
        b->word[symbol->next].symbol == MUR_BPE_NO_SYMBOL)
        return;
    const mur_bpe_merge *merge = slot_of(b, symbol->symbol, b->word[symbol->next].symbol);
    symbol->rank = merge->rank;
    symbol->merged = merge->merged;
    if (merge->rank != NO_RANK)
        heap_push(b, (mur_bpe_candidate){merge->rank, at});
}

static void merge_at(mur_bpe *b, size_t at)
{
    mur_bpe_symbol *symbol = &b->word[at], *next = &b->word[symbol->next];
    symbol->symbol = symbol->merged;
    symbol->next = next->next;
    next->is_dead = true;
    if (symbol->next != NOWHERE)
        b->word[symbol->next].previous = at;
    consider(b, at);
    if (symbol->previous != NOWHERE)
        consider(b, symbol->previous);
}

static void begin_word(mur_bpe *b, const uint32_t *word, size_t len)
{
    if (len > b->cap_word) {
        b->cap_word = mur_grown(b->cap_word, len);
        b->word = mur_realloc(b->word, b->cap_word, sizeof *b->word);
    }
    b->n_heap = 0;
    for (size_t i = 0; i < len; i++) {
        bool is_last = i + 1 == len;
        b->word[i] =
            (mur_bpe_symbol){.symbol = word[i] < 0x80 ? b->ascii[is_last][word[i]] : find_symbol(b, word[i], is_last),
                             .previous = i ? i - 1 : NOWHERE,
                             .next = is_last ? NOWHERE : i + 1};
    }
    for (size_t i = 0; i < len; i++)
        consider(b, i);
}

/* One pair is merged in all its places before any other is looked at: what the merges make may have a lower rank, but
 * has to wait. The candidates of one rank leave the heap from left to right; one that overlaps a merge just made, or
 * that an earlier merge has undone, is known by its rank being no longer its symbol's. */
static void merge_round(mur_bpe *b)
{
    uint32_t rank = b->heap[0].rank;
    size_t n_round = 0;
    while (b->n_heap > 0 && b->heap[0].rank == rank) {
        if (n_round == b->cap_round) {
            b->cap_round = mur_grown(b->cap_round, n_round + 1);
            b->round = mur_realloc(b->round, b->cap_round, sizeof *b->round);
        }
        b->round[n_round++] = heap_pop(b).at;
    }
    for (size_t i = 0; i < n_round; i++) {
        const mur_bpe_symbol *symbol = &b->word[b->round[i]];
        if (!symbol->is_dead && symbol->rank == rank)
            merge_at(b, b->round[i]);
    }
}

size_t mur_bpe_split(mur_bpe *b, mur_bpe_piece *pieces, const uint32_t *word, size_t len)
{
    begin_word(b, word, len);
    while (b->n_heap > 0)
        merge_round(b);
    size_t n = 0;
    for (size_t at = 0; at != NOWHERE; at = b->word[at].next) {
        const mur_bpe_symbol *symbol = &b->word[at];
        pieces[n++] = (mur_bpe_piece){symbol->next == NOWHERE ? len : symbol->next, symbol->symbol};
    }
    return n;
}
