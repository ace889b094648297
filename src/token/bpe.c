#include "bpe.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "murmur/mem.h"

#define NO_RANK UINT32_MAX
#define NOWHERE SIZE_MAX
#define SHORT 64

struct mur_bpe_merge {
    uint32_t left, right; /* symbols */
    uint32_t merged;
    uint32_t rank; /* NO_RANK: a free slot */
};

/* A symbol of the word in hand: a node of a list, named by the position of its first symbol. */
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

void mur_bpe_init(mur_bpe *b, size_t n_merges)
{
    *b = (mur_bpe){.n_slots = 64};
    while (b->n_slots < 2 * n_merges)
        b->n_slots *= 2;
    b->merges = mur_alloc(b->n_slots, sizeof *b->merges);
    for (size_t i = 0; i < b->n_slots; i++)
        b->merges[i].rank = NO_RANK;
}

void mur_bpe_clear(mur_bpe *b)
{
    free(b->merges);
    free(b->word);
    free(b->heap);
    free(b->round);
    *b = (mur_bpe){0};
}

void mur_bpe_set(mur_bpe *b, uint32_t left, uint32_t right, uint32_t merged, uint32_t rank)
{
    *slot_of(b, left, right) = (mur_bpe_merge){left, right, merged, rank};
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

static void begin_word(mur_bpe *b, const uint32_t *symbols, size_t len)
{
    if (len > b->cap_word) {
        b->cap_word = mur_grown(b->cap_word, len);
        b->word = mur_realloc(b->word, b->cap_word, sizeof *b->word);
    }
    b->n_heap = 0;
    for (size_t i = 0; i < len; i++) {
        b->word[i] = (mur_bpe_symbol){
            .symbol = symbols[i], .previous = i ? i - 1 : NOWHERE, .next = i + 1 == len ? NOWHERE : i + 1};
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

/* A word of SHORT symbols at most needs neither heap nor list: the lowest rank is looked for again in each round. */
typedef struct short_word {
    uint32_t symbol[SHORT], rank[SHORT], merged[SHORT]; /* rank and result of the merge with the next one */
    uint8_t end[SHORT];
    size_t n;
} short_word;

static void look_up(const mur_bpe *b, short_word *w, size_t at)
{
    w->rank[at] = NO_RANK;
    if (at + 1 == w->n || w->symbol[at] == MUR_BPE_NO_SYMBOL || w->symbol[at + 1] == MUR_BPE_NO_SYMBOL)
        return;
    const mur_bpe_merge *merge = slot_of(b, w->symbol[at], w->symbol[at + 1]);
    w->rank[at] = merge->rank;
    w->merged[at] = merge->merged;
}

/* Merges the pair of this rank, which is somewhere, in all its places. */
static void merge_short(const mur_bpe *b, short_word *w, uint32_t rank)
{
    size_t from = 0, to;
    while (w->rank[from] != rank)
        from++;
    uint64_t is_new = 0;
    size_t first = from;
    for (to = from; from < w->n; to++) {
        bool is_pair = w->rank[from] == rank;
        w->symbol[to] = is_pair ? w->merged[from] : w->symbol[from];
        w->rank[to] = w->rank[from];
        w->merged[to] = w->merged[from];
        w->end[to] = w->end[from + is_pair];
        is_new |= (uint64_t)is_pair << to;
        from += is_pair ? 2 : 1;
    }
    w->n = to;
    uint64_t is_stale = is_new | is_new >> 1; /* a pair of which either symbol is new */
    for (size_t at = first > 0 ? first - 1 : 0; at < w->n; at++)
        if (is_stale >> at & 1)
            look_up(b, w, at);
}

static size_t split_short(const mur_bpe *b, mur_bpe_piece *pieces, const uint32_t *symbols, size_t len)
{
    short_word w;
    w.n = len;
    memcpy(w.symbol, symbols, len * sizeof *symbols);
    for (size_t i = 0; i < len; i++) {
        w.end[i] = (uint8_t)(i + 1);
        look_up(b, &w, i);
    }
    for (;;) {
        uint32_t best = NO_RANK;
        for (size_t i = 0; i < w.n; i++)
            best = w.rank[i] < best ? w.rank[i] : best;
        if (best == NO_RANK)
            break;
        merge_short(b, &w, best);
    }
    for (size_t i = 0; i < w.n; i++)
        pieces[i] = (mur_bpe_piece){w.end[i], w.symbol[i]};
    return w.n;
}

size_t mur_bpe_split(mur_bpe *b, mur_bpe_piece *pieces, const uint32_t *symbols, size_t len)
{
    if (len <= SHORT)
        return split_short(b, pieces, symbols, len);
    begin_word(b, symbols, len);
    while (b->n_heap > 0)
        merge_round(b);
    size_t n = 0;
    for (size_t at = 0; at != NOWHERE; at = b->word[at].next) {
        const mur_bpe_symbol *symbol = &b->word[at];
        pieces[n++] = (mur_bpe_piece){symbol->next == NOWHERE ? len : symbol->next, symbol->symbol};
    }
    return n;
}
