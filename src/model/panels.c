#include "panels.h"

#include <string.h>

#include "approx.h"

#define COLUMNS ((size_t)MUR_TILE_COLUMNS)
#define ROWS ((size_t)MUR_TILE_ROWS)
#define LINE ((size_t)64)

/* Rows that go through all panels before the next ones do, at most so many bytes of them: they stay in a second-level
 * cache, beside the panel in hand and the next. */
#define BLOCK_BYTES ((size_t)320 << 10)

/* Words of a panel that are taken at a time, where sums can wait in y: so that rows of many words make blocks of many
 * rows. */
#define MOST_WORDS ((size_t)768)

/* Of a row of bf16 that fill a line. */
#define BF16_INPUTS (LINE / sizeof(uint16_t))

/* After so many tiles the next two panels have been fetched. */
#define AHEAD_TILES ((size_t)8)

static size_t count_panels(size_t n_outputs)
{
    return (n_outputs + COLUMNS - 1) / COLUMNS;
}

static size_t panel_bytes(size_t n_words)
{
    return n_words * COLUMNS * sizeof(uint32_t);
}

mur_panels mur_panels_at(const void *packed, size_t n_outputs, size_t n_words)
{
    return (mur_panels){n_outputs, n_words, packed};
}

size_t mur_bf16_words(size_t n_inputs)
{
    return (n_inputs + BF16_INPUTS - 1) / BF16_INPUTS * (BF16_INPUTS / 2);
}

size_t mur_panels_stride(size_t n_words)
{
    return ((n_words * sizeof(uint32_t) + LINE - 1) / LINE | 1) * LINE;
}

/* ---- packing ---- */

static size_t fp32_bytes(size_t n_outputs, size_t n_inputs)
{
    return count_panels(n_outputs) * panel_bytes(n_inputs);
}

static void fp32_pack(void *packed, size_t n_outputs, size_t n_inputs, size_t first, const float *weights, size_t n)
{
    (void)n_outputs;
    float *panels = packed;
    for (size_t o = first; o < first + n; o++, weights += n_inputs) {
        float *to = panels + o / COLUMNS * COLUMNS * n_inputs + o % COLUMNS;
        for (size_t k = 0; k < n_inputs; k++)
            to[k * COLUMNS] = weights[k];
    }
}

static size_t bf16_bytes(size_t n_outputs, size_t n_inputs)
{
    return count_panels(n_outputs) * panel_bytes(mur_bf16_words(n_inputs));
}

static void bf16_pack(void *packed, size_t n_outputs, size_t n_inputs, size_t first, const float *weights, size_t n)
{
    (void)n_outputs;
    uint16_t *panels = packed;
    const size_t panel = 2 * COLUMNS * mur_bf16_words(n_inputs);
    for (size_t o = first; o < first + n; o++, weights += n_inputs) {
        uint16_t *to = panels + o / COLUMNS * panel + o % COLUMNS * 2;
        for (size_t k = 0; k < n_inputs; k++)
            to[k / 2 * 2 * COLUMNS + k % 2] = mur_bf16_nearest(weights[k]);
    }
}

const mur_packing mur_packing_fp32 = {fp32_bytes, fp32_pack};
const mur_packing mur_packing_bf16 = {bf16_bytes, bf16_pack};

/* ---- multiplication ---- */

/* A piece of a product: rows `from` to `end`, words `word` to `word` + n_words. */
typedef struct piece {
    size_t from, end, word, n_words;
    bool is_first; /* of the pieces of these rows */
} piece;

/* Panels that are multiplied at once: outputs `column` and following of y, of which the sums from `left` on are. */
typedef struct panels_at_once {
    const char *words, *next; /* the first panel, and the first of those after them */
    size_t n, left, n_columns, column;
} panels_at_once;

/* The sums of a tile that does not put them where they belong itself. */
static void place(const mur_kernels *k, const mur_panels_product *p, const piece *part, const panels_at_once *at,
                  float *c, size_t row, size_t n_rows)
{
    const size_t width = at->n * COLUMNS, n_columns = at->n_columns;
    const bool is_gelu = p->f == k->gelu && n_columns == width; /* nearly always, where there is an f in fp32 */
    if (!p->is_rounded && (!p->f || is_gelu)) {
        (is_gelu ? k->place_gelu : k->place_tile)(&(mur_placing){
            .y = (float *)p->y + row * p->ld_y + at->column,
            .ld_y = p->ld_y,
            .c = c + at->left,
            .ld_c = width,
            .n_rows = n_rows,
            .n_columns = n_columns,
            .bias = part->is_first ? p->bias + at->column : NULL,
            .is_added = p->is_added || !part->is_first,
        });
        return;
    }
    float bias[MUR_WORD_COLUMNS] = {0};
    memcpy(bias + at->left, p->bias + at->column, n_columns * sizeof *bias);
    k->add_to_rows(c, bias, n_rows, width);
    if (p->f)
        p->f(c, n_rows * width);
    for (size_t r = 0; r < n_rows; r++) {
        const float *from = c + r * width + at->left;
        if (p->is_rounded)
            k->round_bf16((uint16_t *)p->y + (row + r) * p->ld_y + at->column, from, n_columns);
        else
            memcpy((float *)p->y + (row + r) * p->ld_y + at->column, from, n_columns * sizeof *from);
    }
}

/* All rows of a piece, while the words of the next panels come nearer: a share with each tile, until all are there. */
static void multiply_panels(mur_word_tile *tile, const mur_kernels *k, const mur_panels_product *p, const piece *part,
                            const panels_at_once *at)
{
    _Alignas(64) float c[MUR_TILE_ROWS * MUR_WORD_COLUMNS];
    const bool is_direct = !p->f && !p->is_rounded && at->n_columns == at->n * COLUMNS;
    mur_word_product product = {
        .ld_x = p->ld_x,
        .panel = at->words,
        .panel_step = panel_bytes(p->w->n_words),
        .n_panels = at->n,
        .n_words = part->n_words,
        .y = c,
        .ld_y = at->n * COLUMNS,
    };
    if (is_direct) {
        product.ld_y = p->ld_y;
        product.bias = part->is_first ? p->bias + at->column : NULL;
        product.is_added = p->is_added || !part->is_first;
    }
    size_t turn = 0;
    for (size_t row = part->from; row < part->end; row += ROWS, turn = (turn + 1) % AHEAD_TILES) {
        const size_t half = AHEAD_TILES / 2; /* for each of two panels */
        product.x = (const char *)p->x + row * p->ld_x + part->word * sizeof(uint32_t);
        product.n_rows = part->end - row < ROWS ? part->end - row : ROWS;
        product.next = at->next + turn / half * product.panel_step + turn % half * MUR_WORD_AHEAD(part->n_words);
        if (is_direct)
            product.y = (float *)p->y + row * p->ld_y + at->column;
        tile(&product);
        if (!is_direct)
            place(k, p, part, at, c, row, product.n_rows);
    }
}

void mur_panels_linear(const mur_kernels *k, mur_word_tile *tile, const mur_panels_product *p)
{
    if (k->bf16_linear && tile == k->bf16_tile) {
        k->bf16_linear(k, p);
        return;
    }
    const size_t n_words = p->w->n_words, end = p->first + p->n_outputs;
    const size_t first_panel = p->first / COLUMNS, end_panel = count_panels(end);
    size_t n_pieces = p->f || p->is_rounded ? 1 : (n_words + MOST_WORDS - 1) / MOST_WORDS;
    size_t most = (n_words + n_pieces - 1) / n_pieces, block = BLOCK_BYTES / (most * sizeof(uint32_t)) / ROWS * ROWS;
    block = block > ROWS ? block : ROWS;
    for (size_t row = 0; row < p->n; row += block) {
        for (size_t word = 0; word < n_words; word += most) {
            const piece part = {
                .from = row,
                .end = row + block < p->n ? row + block : p->n,
                .word = word,
                .n_words = word + most < n_words ? most : n_words - word,
                .is_first = word == 0,
            };
            for (size_t panel = first_panel; panel < end_panel; panel += MUR_WORD_PANELS) {
                const size_t after = panel + MUR_WORD_PANELS, begin = panel * COLUMNS;
                const size_t next_word = after < end_panel ? word : word + most < n_words ? word + most : 0;
                const size_t next_panel = after < end_panel ? after : first_panel;
                const size_t n = after < end_panel ? MUR_WORD_PANELS : end_panel - panel;
                const size_t left = begin < p->first ? p->first - begin : 0;
                const size_t right = begin + n * COLUMNS < end ? n * COLUMNS : end - begin;
                multiply_panels(tile, k, p, &part,
                                &(panels_at_once){
                                    .words = p->w->words + panel * panel_bytes(n_words) + panel_bytes(word),
                                    .next = p->w->words + next_panel * panel_bytes(n_words) + panel_bytes(next_word),
                                    .n = n,
                                    .left = left,
                                    .n_columns = right - left,
                                    .column = begin + left - p->first,
                                });
            }
        }
    }
}
