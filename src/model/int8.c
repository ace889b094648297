#include "int8.h"

#include <math.h>
#include <string.h>

#include "approx.h"
#include "int8_tile.h"

#define COLUMNS ((size_t)MUR_TILE_COLUMNS)
#define ROWS ((size_t)MUR_TILE_ROWS)
#define LINE ((size_t)64)

/* After so many tiles of a panel the next panel has been fetched. */
#define AHEAD_TILES ((size_t)8)

/* Activations that go through all panels before the next rows do: they stay in a second-level cache, half of which they
 * may take, while a panel comes from it as well. */
#define BLOCK_BYTES ((size_t)256 << 10)

static size_t count_panels(size_t n_outputs)
{
    return (n_outputs + COLUMNS - 1) / COLUMNS;
}

static size_t count_groups(size_t n_inputs)
{
    return (n_inputs + LINE - 1) / LINE * (LINE / 4);
}

size_t mur_int8_panel_bytes(size_t n_inputs)
{
    return count_groups(n_inputs) * 4 * COLUMNS;
}

/* Scales, offsets, panels: all of them whole cache lines. */
static size_t matrix_bytes(size_t n_outputs, size_t n_inputs)
{
    return count_panels(n_outputs) * (COLUMNS * (sizeof(float) + sizeof(int32_t)) + mur_int8_panel_bytes(n_inputs));
}

mur_int8_matrix mur_int8_matrix_at(const void *packed, size_t n_outputs, size_t n_inputs)
{
    size_t n = count_panels(n_outputs) * COLUMNS;
    const float *scales = packed;
    const int32_t *offsets = (const int32_t *)(scales + n);
    return (mur_int8_matrix){n_outputs, n_inputs, scales, offsets, (const int8_t *)(offsets + n)};
}

static void pack(void *packed, size_t n_outputs, size_t n_inputs, size_t first, const float *weights, size_t n)
{
    size_t n_padded = count_panels(n_outputs) * COLUMNS;
    float *scales = packed;
    int32_t *offsets = (int32_t *)(scales + n_padded);
    int8_t *panels = (int8_t *)(offsets + n_padded);
    for (size_t i = 0; i < n; i++, weights += n_inputs) {
        size_t output = first + i;
        int8_t *to = panels + output / COLUMNS * mur_int8_panel_bytes(n_inputs) + output % COLUMNS * 4;
        float most = 0;
        for (size_t k = 0; k < n_inputs; k++)
            most = fabsf(weights[k]) > most ? fabsf(weights[k]) : most;
        float inverse = mur_int8_inverse(most);
        int32_t sum = 0;
        for (size_t k = 0; k < n_inputs; k++) {
            int32_t q = (int32_t)mur_int8_nearest(weights[k], inverse) - 128;
            to[k / 4 * 4 * COLUMNS + k % 4] = (int8_t)q;
            sum += q;
        }
        scales[output] = most * (1.0f / 127);
        offsets[output] = -128 * sum;
    }
}

const mur_packing mur_packing_int8 = {matrix_bytes, pack};

size_t mur_int8_stride(size_t width)
{
    return ((width + LINE - 1) / LINE | 1) * LINE;
}

mur_int8_rows mur_int8_rows_from(const mur_int8_rows *rows, size_t first)
{
    return (mur_int8_rows){rows->values + first * mur_int8_stride(rows->width), rows->scales + first, rows->width};
}

void mur_int8_round(const mur_kernels *k, const mur_int8_rows *rows, const float *x, size_t n)
{
    size_t stride = mur_int8_stride(rows->width);
    for (size_t i = 0; i < n; i++)
        rows->scales[i] = k->round_row(rows->values + i * stride, x + i * rows->width, rows->width);
}

/* One panel for rows `from` to `end`, while the panel at `next` comes nearer: a slice with each tile, until it is
 * there. */
static void multiply_panel(const mur_kernels *k, const mur_int8_product *p, size_t panel, size_t from, size_t end,
                           const int8_t *next)
{
    const mur_int8_matrix *w = p->w;
    size_t stride = mur_int8_stride(w->n_inputs), begin = panel * COLUMNS;
    size_t left = begin < p->first ? p->first - begin : 0;
    size_t right = begin + COLUMNS < p->first + p->n_outputs ? COLUMNS : p->first + p->n_outputs - begin;
    size_t column = begin + left - p->first; /* of y */
    size_t n_groups = count_groups(w->n_inputs), slice = MUR_TILE_AHEAD(n_groups);
    _Alignas(64) int32_t c[MUR_TILE_ROWS * MUR_TILE_COLUMNS];
    for (size_t row = from; row < end; row += ROWS) {
        const int8_t *ahead = next + (row - from) / ROWS % AHEAD_TILES * slice;
        size_t n_rows = end - row < ROWS ? end - row : ROWS;
        k->int8_tile(c, p->x->values + row * stride, stride, n_rows,
                     w->panels + panel * mur_int8_panel_bytes(w->n_inputs), w->offsets + begin, n_groups, ahead);
        k->scale_tile(&(mur_scaling){
            .y = p->y + row * p->ld_y + column,
            .ld_y = p->ld_y,
            .c = c + left,
            .n_rows = n_rows,
            .n_columns = right - left,
            .row_scales = p->x->scales + row,
            .column_scales = w->scales + begin + left,
            .bias = p->bias + column,
            .then = p->then,
        });
    }
}

void mur_int8_linear(const mur_kernels *k, const mur_int8_product *p)
{
    if (k->int8_linear) {
        k->int8_linear(k, p);
        return;
    }
    size_t block = BLOCK_BYTES / mur_int8_stride(p->w->n_inputs) / ROWS * ROWS;
    block = block > ROWS ? block : ROWS;
    size_t first = p->first / COLUMNS, end = count_panels(p->first + p->n_outputs),
           bytes = mur_int8_panel_bytes(p->w->n_inputs);
    for (size_t row = 0; row < p->n; row += block) {
        size_t row_end = row + block < p->n ? row + block : p->n;
        const int8_t *after = row_end < p->n ? p->w->panels + first * bytes : p->next;
        for (size_t panel = first; panel < end; panel++) {
            const int8_t *here = p->w->panels + panel * bytes;
            multiply_panel(k, p, panel, row, row_end, panel + 1 < end ? here + bytes : after ? after : here);
        }
    }
}
