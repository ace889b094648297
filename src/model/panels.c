#include "panels.h"

#include <string.h>

#include "approx.h"

#define COLUMNS ((size_t)MUR_TILE_COLUMNS)
#define ROWS ((size_t)MUR_TILE_ROWS)
#define LINE ((size_t)64)

/* Rows that go through all panels before the next ones do, at most so many bytes of them: they stay in a second-level
 * cache, beside the panel in hand and the next. */
#define BLOCK_BYTES ((size_t)320 << 10)

/* Inputs that are taken at a time, where sums can wait in y: so that rows of many inputs make blocks of many rows. */
#define MOST_INPUTS ((size_t)768)

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

size_t mur_panels_words(size_t n_inputs, bool is_bf16)
{
    return is_bf16 ? (n_inputs + BF16_INPUTS - 1) / BF16_INPUTS * (BF16_INPUTS / 2) : n_inputs;
}

mur_panels mur_panels_at(const void *packed, size_t n_outputs, size_t n_inputs, bool is_bf16)
{
    return (mur_panels){n_outputs, mur_panels_words(n_inputs, is_bf16), is_bf16, packed};
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
    return count_panels(n_outputs) * panel_bytes(mur_panels_words(n_inputs, true));
}

static void bf16_pack(void *packed, size_t n_outputs, size_t n_inputs, size_t first, const float *weights, size_t n)
{
    (void)n_outputs;
    uint16_t *panels = packed;
    const size_t panel = 2 * COLUMNS * mur_panels_words(n_inputs, true);
    for (size_t o = first; o < first + n; o++, weights += n_inputs) {
        uint16_t *to = panels + o / COLUMNS * panel + o % COLUMNS * 2;
        for (size_t k = 0; k < n_inputs; k++)
            to[k / 2 * 2 * COLUMNS + k % 2] = mur_bf16_nearest(weights[k]);
    }
}

const mur_packing mur_packing_fp32 = {fp32_bytes, fp32_pack};
const mur_packing mur_packing_bf16 = {bf16_bytes, bf16_pack};

/* ---- multiplication ---- */

/* A piece of a product: rows `from` to `end`, and as many of their words as are taken at a time. Words are those that
 * the tile takes: floats where bf16 was widened. */
typedef struct piece {
    const char *x; /* of row `from` the first word that is taken */
    size_t ld_x;
    size_t from, end, n_words;
    bool is_first; /* of the pieces of these rows */
} piece;

/* Panels that are multiplied at once: outputs `column` and following of y, of which the sums from `left` on are. */
typedef struct panels_at_once {
    const char *words, *next; /* the first panel, and the first of those after them, as it is packed */
    size_t step;              /* bytes from one panel to the next */
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
        .ld_x = part->ld_x,
        .panel = at->words,
        .panel_step = at->step,
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
        product.x = part->x + (row - part->from) * part->ld_x;
        product.n_rows = part->end - row < ROWS ? part->end - row : ROWS;
        product.next =
            at->next + turn / half * panel_bytes(p->w->n_words) + turn % half * MUR_WORD_AHEAD(part->n_words);
        if (is_direct)
            product.y = (float *)p->y + row * p->ld_y + at->column;
        tile(&product);
        if (!is_direct)
            place(k, p, part, at, c, row, product.n_rows);
    }
}

/* Where words of bf16 become floats: a block of rows, and then the panels that are multiplied at once. */
typedef struct widened {
    float *rows, *panels;
    size_t stride;     /* bytes from one row to the next */
    size_t panel_step; /* likewise of panels */
} widened;

static size_t block_rows(size_t n_words)
{
    const size_t rows = BLOCK_BYTES / (n_words * sizeof(uint32_t)) / ROWS * ROWS;
    return rows > ROWS ? rows : ROWS;
}

static widened widened_at(void *scratch, size_t n_words)
{
    const size_t stride = mur_panels_stride(2 * n_words), rows = block_rows(2 * n_words);
    return (widened){scratch, (float *)scratch + rows * stride / sizeof(float), stride, panel_bytes(2 * n_words)};
}

static bool is_widening(const mur_kernels *k, bool is_bf16)
{
    return is_bf16 && !k->bf16_tile && !k->bf16_linear;
}

size_t mur_panels_scratch(const mur_kernels *k, size_t n_inputs, bool is_bf16)
{
    if (!is_widening(k, is_bf16))
        return 0;
    size_t most = 0;
    for (size_t n = BF16_INPUTS / 2; n <= mur_panels_words(n_inputs, true); n++) {
        const size_t bytes = block_rows(2 * n) * mur_panels_stride(2 * n);
        most = bytes > most ? bytes : most;
    }
    return most + MUR_WORD_PANELS * panel_bytes(2 * mur_panels_words(n_inputs, true));
}

/* Words `word` to `word` + n of rows `part->from` to `part->end`. */
static void widen_rows(const widened *w, const mur_kernels *k, const mur_panels_product *p, piece *part, size_t word,
                       size_t n)
{
    const char *x = (const char *)p->x + part->from * p->ld_x + word * sizeof(uint32_t);
    for (size_t row = part->from; row < part->end; row++, x += p->ld_x)
        k->widen_row(w->rows + (row - part->from) * (w->stride / sizeof(float)), x, n);
    part->x = (const char *)w->rows;
    part->ld_x = w->stride;
    part->n_words = 2 * n;
}

static void widen_panels(const widened *w, const mur_kernels *k, panels_at_once *at, size_t n_words)
{
    for (size_t i = 0; i < at->n; i++)
        k->widen_panel(w->panels + i * (w->panel_step / sizeof(float)), at->words + i * at->step, n_words);
    at->words = (const char *)w->panels;
    at->step = w->panel_step;
}

void mur_panels_linear(const mur_kernels *k, const mur_panels_product *p)
{
    const bool is_bf16 = p->w->is_bf16, is_wider = is_widening(k, is_bf16);
    if (is_bf16 && k->bf16_linear) {
        k->bf16_linear(k, p);
        return;
    }
    mur_word_tile *tile = is_bf16 && !is_wider ? k->bf16_tile : k->fp32_tile;
    const size_t n_words = p->w->n_words, end = p->first + p->n_outputs;
    const size_t first_panel = p->first / COLUMNS, end_panel = count_panels(end);
    const size_t most_words = is_bf16 ? MOST_INPUTS / 2 : MOST_INPUTS;
    const size_t n_pieces = p->f || p->is_rounded ? 1 : (n_words + most_words - 1) / most_words;
    const size_t most = (n_words + n_pieces - 1) / n_pieces, block = block_rows(is_wider ? 2 * most : most);
    const widened wide = is_wider ? widened_at(p->scratch, most) : (widened){0};
    for (size_t row = 0; row < p->n; row += block) {
        for (size_t word = 0; word < n_words; word += most) {
            const size_t n_taken = word + most < n_words ? most : n_words - word;
            piece part = {
                .x = (const char *)p->x + row * p->ld_x + word * sizeof(uint32_t),
                .ld_x = p->ld_x,
                .from = row,
                .end = row + block < p->n ? row + block : p->n,
                .n_words = n_taken,
                .is_first = word == 0,
            };
            if (is_wider)
                widen_rows(&wide, k, p, &part, word, n_taken);
            for (size_t panel = first_panel; panel < end_panel; panel += MUR_WORD_PANELS) {
                const size_t after = panel + MUR_WORD_PANELS, begin = panel * COLUMNS;
                const size_t next_word = after < end_panel ? word : word + most < n_words ? word + most : 0;
                const size_t next_panel = after < end_panel ? after : first_panel;
                const size_t n = after < end_panel ? MUR_WORD_PANELS : end_panel - panel;
                const size_t left = begin < p->first ? p->first - begin : 0;
                const size_t right = begin + n * COLUMNS < end ? n * COLUMNS : end - begin;
                panels_at_once at = {
                    .words = p->w->words + panel * panel_bytes(n_words) + panel_bytes(word),
                    .next = p->w->words + next_panel * panel_bytes(n_words) + panel_bytes(next_word),
                    .step = panel_bytes(n_words),
                    .n = n,
                    .left = left,
                    .n_columns = right - left,
                    .column = begin + left - p->first,
                };
                if (is_wider)
                    widen_panels(&wide, k, &at, n_taken);
                multiply_panels(tile, k, p, &part, &at);
            }
        }
    }
}
