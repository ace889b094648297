#include "amx.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "approx.h"

#define COLUMNS ((size_t)MUR_TILE_COLUMNS)
#define LINE ((size_t)64)
#define TILE_ROWS ((size_t)16)
#define ROWS (2 * TILE_ROWS)              /* of a product: two tiles of rows by two of outputs are four of sums */
#define STEP_BYTES (TILE_ROWS * 2 * LINE) /* of a panel: one tile for each half of the outputs */
#define STEP_LINES (STEP_BYTES / LINE)

/* Rows that go through all panels before the next ones do, at most so many bytes of them: a fourth of the second-level
 * cache of all processors that have tiles. */
#define BLOCK_BYTES ((size_t)512 << 10)

#define INLINE static inline __attribute__((always_inline))
#define AMX __attribute__((target("amx-tile,amx-int8,amx-bf16,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))

/* ---- whether ---- */

/* Intel's manual: CPUID leaf 7, EDX; XCR0; and Linux's Documentation/x86/xstate.rst. */
#define HAS_TILES (1u << 24 | 1u << 25 | 1u << 22) /* and products of 8-bit integers, and of bf16 */
#define HAS_XGETBV (1u << 27)
#define TILES_ENABLED (1u << 17 | 1u << 18)
#define ARCH_REQ_XCOMP_PERM 0x1023
#define XFEATURE_XTILEDATA 18

static bool is_permitted(void)
{
    unsigned a, b, c, d, enabled, high;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & HAS_TILES) != HAS_TILES)
        return false;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & HAS_XGETBV))
        return false;
    __asm__ volatile("xgetbv" : "=a"(enabled), "=d"(high) : "c"(0));
    return (enabled & TILES_ENABLED) == TILES_ENABLED &&
           syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

bool mur_amx_is_there(void)
{
    static enum { UNKNOWN, NO, YES } answer = UNKNOWN;
    if (answer == UNKNOWN)
        answer = is_permitted() ? YES : NO;
    return answer == YES;
}

/* ---- products ---- */

/* What becomes of sums: how the product ends. */
typedef enum ending {
    OTHER, /* none of these, or there are no sums */
    SET,   /* y = v */
    ADD,   /* y += v */
    GELU,  /* y = gelu_coarse(v); bf16 where sums are of bf16 */
} ending;

/* y[n, outputs first to end] of both kinds. Sums c become numbers v = c · row_scale · column_scale + bias, or
 * c + bias. */
typedef struct product {
    const char *x; /* rows, ld_x bytes apart */
    size_t ld_x, n;
    const char *panels, *next;
    size_t n_steps; /* of a panel */
    size_t first, end;
    const int32_t *offsets;
    const float *row_scales, *column_scales;
    const float *bias; /* of `first` and following, as y is */
    void *y;
    size_t ld_y;
    ending ending;
    const mur_panels_product *whole; /* of bf16: the product itself */
    const mur_kernels *kernels;
} product;

/* Sums of ROWS rows by a panel, of which those from `skipped` on are wanted: rows from `row` on, outputs from `output`
 * on. */
typedef struct sums {
    const char *c;
    ending ending;
    size_t row, skipped, n_rows, output;
} sums;

#define SMALLER_SIZE 2 /* vrangeps: of two numbers, with the sign of the first */

/* mur_gelu_coarse of 16. */
AMX INLINE __m512 gelu(__m512 x)
{
    const __m512 limit = _mm512_castsi512_ps(_mm512_set1_epi32(MUR_GELU_COARSE_LIMIT));
    __m512 c = _mm512_range_ps(x, limit, SMALLER_SIZE), t = _mm512_mul_ps(c, c);
    __m512 p = _mm512_set1_ps(MUR_GELU_COARSE_FIRST);
#define NEXT(term) p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(term));
    MUR_GELU_COARSE_REST(NEXT)
#undef NEXT
    return _mm512_mul_ps(x, _mm512_fmadd_ps(c, p, _mm512_set1_ps(0.5f)));
}

/* The sums of row `r`, half of the outputs. */
AMX INLINE void place_half(const product *p, const sums *s, size_t r, const size_t half, const ending e,
                           const bool is_int8)
{
    const size_t row = s->row + r - s->skipped, output = s->output + half * TILE_ROWS,
                 at = row * p->ld_y + output - p->first;
    const char *c = s->c + (r * COLUMNS + half * TILE_ROWS) * sizeof(float);
    __m512 v = _mm512_load_ps(c);
    if (is_int8)
        v = _mm512_mul_ps(
            _mm512_cvtepi32_ps(_mm512_castps_si512(v)),
            _mm512_mul_ps(_mm512_set1_ps(p->row_scales[row]), _mm512_loadu_ps(p->column_scales + output)));
    v = _mm512_add_ps(v, _mm512_loadu_ps(p->bias + output - p->first));
    float *y = (float *)p->y + at;
    if (e == GELU && !is_int8)
        _mm256_storeu_si256((__m256i *)((uint16_t *)p->y + at), (__m256i)_mm512_cvtneps_pbh(gelu(v)));
    else if (e == GELU)
        _mm512_storeu_ps(y, gelu(v));
    else
        _mm512_storeu_ps(y, e == ADD ? _mm512_add_ps(_mm512_loadu_ps(y), v) : v);
}

/* Rows `from` to `end`. */
AMX INLINE void place(const product *p, const sums *s, size_t from, size_t end, const ending e, const bool is_int8)
{
    for (size_t r = from; r < end && e != OTHER; r++) {
        place_half(p, s, r, 0, e, is_int8);
        place_half(p, s, r, 1, e, is_int8);
    }
}

#define DOT(is_int8, sums, rows, weights)                                                                              \
    do {                                                                                                               \
        if (is_int8)                                                                                                   \
            _tile_dpbusd(sums, rows, weights);                                                                         \
        else                                                                                                           \
            _tile_dpbf16ps(sums, rows, weights);                                                                       \
    } while (0)

/* c[ROWS,32] = rows at x · panelᵀ, the second half of the rows only if `is_whole`; meanwhile, as tiles are multiplied
 * outside of the vector units, the sums `before` are placed, whose ending is `e`, and `n_lines` lines at `next` come
 * into the second-level cache with each step. */
AMX INLINE void multiply(const product *p, void *c, const char *x, const char *panel, const int32_t *offsets,
                         const bool is_whole, const sums *before, const ending e, const char *next, size_t n_lines,
                         const bool is_int8)
{
    if (is_int8) {
        _tile_loadd(0, offsets, 0);
        _tile_loadd(1, offsets + TILE_ROWS, 0);
        if (is_whole) {
            _tile_loadd(2, offsets, 0);
            _tile_loadd(3, offsets + TILE_ROWS, 0);
        }
    } else {
        _tile_zero(0);
        _tile_zero(1);
        if (is_whole) {
            _tile_zero(2);
            _tile_zero(3);
        }
    }
    const size_t begin = before->skipped, end = begin + before->n_rows,
                 share = (before->n_rows + p->n_steps - 1) / p->n_steps;
    size_t placed = begin;
    for (size_t step = 0; step < p->n_steps; step++, x += LINE, panel += STEP_BYTES) {
        _tile_loadd(4, x, p->ld_x);
        _tile_loadd(6, panel, 2 * LINE);
        DOT(is_int8, 0, 4, 6);
        _tile_loadd(7, panel + LINE, 2 * LINE);
        DOT(is_int8, 1, 4, 7);
        if (is_whole) {
            _tile_loadd(5, x + TILE_ROWS * p->ld_x, p->ld_x);
            DOT(is_int8, 2, 5, 6);
            DOT(is_int8, 3, 5, 7);
        }
        for (size_t i = 0; i < n_lines; i++, next += LINE)
            _mm_prefetch(next, _MM_HINT_T1);
        const size_t until = placed + share < end ? placed + share : end;
        place(p, before, placed, until, e, is_int8);
        placed = until;
    }
    const size_t half = TILE_ROWS * COLUMNS * sizeof(float), stride = COLUMNS * sizeof(float);
    _tile_stored(0, c, stride);
    _tile_stored(1, (char *)c + LINE, stride);
    if (is_whole) {
        _tile_stored(2, (char *)c + half, stride);
        _tile_stored(3, (char *)c + half + LINE, stride);
    }
}

/* Sums that are not all of a panel's, or become what no ending above is. */
static void place_others(const product *p, const sums *s, bool is_int8)
{
    const size_t left = s->output < p->first ? p->first - s->output : 0;
    const size_t right = s->output + COLUMNS < p->end ? COLUMNS : p->end - s->output, n = right - left;
    const size_t output = s->output + left, column = output - p->first;
    const char *c = s->c + (s->skipped * COLUMNS + left) * sizeof(float);

    if (is_int8) {
        p->kernels->scale_tile(&(mur_scaling){
            .y = (float *)p->y + s->row * p->ld_y + column,
            .ld_y = p->ld_y,
            .c = (const int32_t *)(const void *)c,
            .n_rows = s->n_rows,
            .n_columns = n,
            .row_scales = p->row_scales + s->row,
            .column_scales = p->column_scales + output,
            .bias = p->bias + column,
            .then = s->ending == ADD    ? MUR_THEN_ADD
                    : s->ending == GELU ? MUR_THEN_GELU
                                        : MUR_THEN_SET,
        });
        return;
    }
    for (size_t r = 0; r < s->n_rows; r++, c += COLUMNS * sizeof(float)) {
        const size_t at = (s->row + r) * p->ld_y + column;
        float v[MUR_TILE_COLUMNS], *y = (float *)p->y + at;
        for (size_t j = 0; j < n; j++) {
            memcpy(&v[j], c + j * sizeof *v, sizeof *v);
            v[j] += p->bias[column + j];
        }
        if (p->whole->f)
            p->whole->f(v, n);
        if (p->whole->is_rounded)
            p->kernels->round_bf16((uint16_t *)p->y + at, v, n);
        else
            for (size_t j = 0; j < n; j++)
                y[j] = p->whole->is_added ? y[j] + v[j] : v[j];
    }
}

/* Tiles are as high as there are rows, up to 16 each: those of the second half may have none. */
AMX static void begin(size_t n)
{
    struct {
        uint8_t palette, start, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shape = {.palette = 1};
    const size_t low = n < TILE_ROWS ? n : TILE_ROWS, high = n < ROWS ? n - low : TILE_ROWS;
    const size_t rows[] = {low, low, high, high, low, high, TILE_ROWS, TILE_ROWS};
    for (size_t tile = 0; tile < 8; tile++) {
        shape.rows[tile] = (uint8_t)rows[tile];
        shape.bytes[tile] = rows[tile] ? (uint16_t)LINE : 0;
    }
    __asm__ volatile("ldtilecfg %0" ::"m"(shape) : "memory");
}

/* Sums of ROWS rows; where fewer are left, earlier ones are computed again, as tiles are of one height. */
AMX INLINE void run(const product *p, const bool is_int8)
{
    _Alignas(64) char buffers[2][ROWS * MUR_TILE_COLUMNS * sizeof(float)];
    const size_t panel_bytes = p->n_steps * STEP_BYTES, first = p->first / COLUMNS,
                 end = (p->end + COLUMNS - 1) / COLUMNS;
    size_t block = BLOCK_BYTES / p->ld_x / ROWS * ROWS, turn = 0;
    block = block > ROWS ? block : ROWS;
    sums before = {.ending = OTHER};
    if (p->n == 0)
        return;
    begin(p->n);
    for (size_t from = 0; from < p->n; from += block) {
        const size_t until = from + block < p->n ? from + block : p->n;
        const size_t n_lines = (STEP_LINES * ROWS + until - from - 1) / (until - from);
        for (size_t panel = first; panel < end; panel++) {
            const char *here = p->panels + panel * panel_bytes;
            const char *next = panel + 1 < end ? here + panel_bytes
                               : until < p->n  ? p->panels + first * panel_bytes
                                               : p->next;
            const int32_t *offsets = is_int8 ? p->offsets + panel * COLUMNS : NULL;
            const bool is_all = panel * COLUMNS >= p->first && (panel + 1) * COLUMNS <= p->end;
            for (size_t row = from; row < until; row += ROWS) {
                const size_t start = row + ROWS <= p->n || p->n < ROWS ? row : p->n - ROWS;
                const size_t ahead = next ? n_lines : 0;
                const char *x = p->x + start * p->ld_x;
                const sums now = {
                    .c = buffers[turn],
                    .ending = p->ending,
                    .row = row,
                    .skipped = row - start,
                    .n_rows = row + ROWS < until ? ROWS : until - row,
                    .output = panel * COLUMNS,
                };
                switch (before.ending) {
#define CASE(e)                                                                                                        \
    case e: multiply(p, buffers[turn], x, here, offsets, true, &before, e, next, ahead, is_int8); break
                    CASE(SET);
                    CASE(ADD);
                    CASE(GELU);
#undef CASE
                default:
                    multiply(p, buffers[turn], x, here, offsets, p->n > TILE_ROWS, &before, OTHER, next, ahead,
                             is_int8);
                }
                if (next)
                    next += ahead * p->n_steps * LINE;
                before = now;
                if (!is_all || p->ending == OTHER || p->n <= TILE_ROWS) {
                    place_others(p, &now, is_int8);
                    before.ending = OTHER;
                }
                turn = 1 - turn;
            }
        }
    }
    if (before.ending != OTHER)
        place_others(p, &before, is_int8);
    _tile_release();
}

AMX void mur_amx_int8_linear(const mur_kernels *k, const mur_int8_product *p)
{
    static const ending endings[] = {[MUR_THEN_SET] = SET, [MUR_THEN_ADD] = ADD, [MUR_THEN_GELU] = GELU};
    run(
        &(product){
            .x = (const char *)p->x->values,
            .ld_x = mur_int8_stride(p->w->n_inputs),
            .n = p->n,
            .panels = (const char *)p->w->panels,
            .next = (const char *)p->next,
            .n_steps = mur_int8_panel_bytes(p->w->n_inputs) / STEP_BYTES,
            .first = p->first,
            .end = p->first + p->n_outputs,
            .offsets = p->w->offsets,
            .row_scales = p->x->scales,
            .column_scales = p->w->scales,
            .bias = p->bias,
            .y = p->y,
            .ld_y = p->ld_y,
            .ending = endings[p->then],
            .kernels = k,
        },
        true);
}

AMX void mur_amx_bf16_linear(const mur_kernels *k, const mur_panels_product *p)
{
    ending e = p->f || p->is_rounded ? OTHER : p->is_added ? ADD : SET;
    if (p->f == k->gelu_coarse && p->is_rounded)
        e = GELU;
    run(
        &(product){
            .x = p->x,
            .ld_x = p->ld_x,
            .n = p->n,
            .panels = p->w->words,
            .n_steps = p->w->n_words * COLUMNS * sizeof(uint32_t) / STEP_BYTES,
            .first = p->first,
            .end = p->first + p->n_outputs,
            .bias = p->bias,
            .y = p->y,
            .ld_y = p->ld_y,
            .ending = e,
            .whole = p,
            .kernels = k,
        },
        false);
}

#endif
