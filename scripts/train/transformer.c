/* The forward and backward pass of a RoBERTa classifier with a masked-word head, and AdamW: what train.py calls.
 *
 * Products are in bf16 with fp32 sums, by AMX tiles where the processor has them and by plain loops that do the same
 * where not; all else is fp32. Texts lie end to end, so no padding is computed. A batch is cut into PARTS of whole
 * texts, each with its own workspace and gradient; parts run in parallel, and their gradients are added in order, so
 * the weights that come out depend on the number of parts and the kind of processor, not on how the threads run.
 *
 * Compiled by library.py with -march=native, for the machine that trains. Matrices are [rows][columns], rows
 * contiguous. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__AMX_BF16__) && defined(__AMX_TILE__) && !defined(NO_TILES)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#define HAS_TILES 1
#else
#define HAS_TILES 0
#endif

#define CLASSES 3
#define LONGEST 128 /* tokens of a text */
#define HEAD 64     /* features of an attention head */
#define SCORED 64   /* masked words whose scores for all words are in memory at a time */
#define EPSILON 1e-5f

typedef uint16_t bf16;
/* As wide as registers are: gcc 12 takes wider ones apart by way of memory. */
#ifdef __AVX512F__
#define LANES ((size_t)16)
#else
#define LANES ((size_t)8)
#endif
typedef float vector __attribute__((vector_size(4 * LANES), aligned(4)));
typedef uint32_t words __attribute__((vector_size(4 * LANES), aligned(4)));

typedef struct shape {
    int32_t vocabulary, hidden, layers, ffn, positions; /* all but positions: multiples of 32; hidden of HEAD */
} shape;

typedef struct batch {
    int32_t n_texts, n_masked;
    const int32_t *ids;       /* texts end to end, masked words replaced */
    const int32_t *starts;    /* [n_texts + 1] into ids */
    const float *targets;     /* [n_texts][CLASSES], probabilities */
    const float *weights;     /* [n_texts], of a text in the loss; 0: no label */
    const uint8_t *is_binary; /* [n_texts]: class 1 takes no part */
    const int32_t *masked;    /* [n_masked] positions in ids, rising */
    const int32_t *words;     /* [n_masked] what stood there */
    float mask_weight;        /* of a masked word in the loss */
    float dropout;
    uint32_t seed;
} batch;

/* ---- parameters: one array of floats, in this order, with gradients alike ---- */

typedef struct layer_parameters {
    float *qkv, *qkv_bias, *out, *out_bias, *norm1, *norm1_bias, *up, *up_bias, *down, *down_bias, *norm2, *norm2_bias;
} layer_parameters;

#define MOST_LAYERS 24

typedef struct parameters {
    float *word, *position, *type, *norm, *norm_bias;
    layer_parameters layer[MOST_LAYERS];
    float *dense, *dense_bias, *label, *label_bias;
    float *guess, *guess_bias, *guess_norm, *guess_norm_bias, *word_bias;
    size_t n;
} parameters;

static float *take(float **next, size_t n)
{
    float *here = *next;
    *next += n;
    return here;
}

static parameters parameters_of(const shape *s, float *all)
{
    parameters p;
    float *next = all;
    size_t h = (size_t)s->hidden, f = (size_t)s->ffn, v = (size_t)s->vocabulary;
    p.word = take(&next, v * h);
    p.position = take(&next, (size_t)s->positions * h);
    p.type = take(&next, h);
    p.norm = take(&next, h);
    p.norm_bias = take(&next, h);
    for (int i = 0; i < s->layers; i++) {
        layer_parameters *l = &p.layer[i];
        l->qkv = take(&next, 3 * h * h);
        l->qkv_bias = take(&next, 3 * h);
        l->out = take(&next, h * h);
        l->out_bias = take(&next, h);
        l->norm1 = take(&next, h);
        l->norm1_bias = take(&next, h);
        l->up = take(&next, f * h);
        l->up_bias = take(&next, f);
        l->down = take(&next, h * f);
        l->down_bias = take(&next, h);
        l->norm2 = take(&next, h);
        l->norm2_bias = take(&next, h);
    }
    p.dense = take(&next, h * h);
    p.dense_bias = take(&next, h);
    p.label = take(&next, CLASSES * h);
    p.label_bias = take(&next, CLASSES);
    p.guess = take(&next, h * h);
    p.guess_bias = take(&next, h);
    p.guess_norm = take(&next, h);
    p.guess_norm_bias = take(&next, h);
    p.word_bias = take(&next, v);
    p.n = (size_t)(next - all);
    return p;
}

/* ---- bf16 ---- */

static inline bf16 to_bf16(float x)
{
    union {
        float f;
        uint32_t u;
    } w = {x};
    return (bf16)((w.u + 0x7FFF + ((w.u >> 16) & 1)) >> 16); /* to the nearest, ties to even; no NaN comes here */
}

static inline float from_bf16(bf16 x)
{
    union {
        uint32_t u;
        float f;
    } w = {(uint32_t)x << 16};
    return w.f;
}

static void round_all(bf16 *to, const float *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = to_bf16(from[i]);
}

/* ---- products ---- */

/* The left operand: blocks of 16 rows, in pieces of 32 values of k. */
typedef struct left {
    const bf16 *at;
    size_t row, piece, block; /* steps in elements: to the next row, the next 32 values of k, the next 16 rows */
} left;

static left rows_of(const bf16 *at, size_t k)
{
    return (left){at, k, 32, 16 * k};
}

/* The right operand is packed: panels of 32 columns; in a panel, for each 32 values of k, two tiles of 16 columns; in a
 * tile, for each pair of k, 16 columns, the pair side by side. */
static inline size_t packed_at(size_t k, size_t column, size_t depth)
{
    return column / 32 * (depth * 32) + k / 32 * 1024 + column % 32 / 16 * 512 + k % 32 / 2 * 32 + column % 16 * 2 +
           k % 2;
}

/* From [k][columns]; rows from `rows` to `depth` are 0. */
static void pack_rows(bf16 *to, const bf16 *from, size_t columns, size_t rows, size_t depth)
{
    static const bf16 nothing[16];
    for (size_t c = 0; c < columns; c += 16)
        for (size_t k = 0; k < depth; k += 2) {
            const bf16 *even = k < rows ? from + k * columns + c : nothing;
            const bf16 *odd = k + 1 < rows ? from + (k + 1) * columns + c : nothing;
            uint32_t *pairs = (uint32_t *)(to + packed_at(k, c, depth));
            for (int i = 0; i < 16; i++)
                pairs[i] = even[i] | (uint32_t)odd[i] << 16;
        }
}

static void pack_float_rows(bf16 *to, const float *from, size_t columns, size_t depth)
{
    for (size_t c = 0; c < columns; c += 16)
        for (size_t k = 0; k < depth; k += 2) {
            const float *even = from + k * columns + c, *odd = even + columns;
            uint32_t *pairs = (uint32_t *)(to + packed_at(k, c, depth));
            for (int i = 0; i < 16; i++)
                pairs[i] = to_bf16(even[i]) | (uint32_t)to_bf16(odd[i]) << 16;
        }
}

/* From [columns][k]: the product is with the transposed. */
static void pack_float_columns(bf16 *to, const float *from, size_t columns, size_t depth)
{
    for (size_t c = 0; c < columns; c += 16)
        for (size_t k = 0; k < depth; k += 32) {
            uint32_t pairs[16][16]; /* [column][pair] */
            for (int i = 0; i < 16; i++)
                for (int j = 0; j < 16; j++) {
                    const float *two = from + (c + (size_t)i) * depth + k + 2 * (size_t)j;
                    pairs[i][j] = to_bf16(two[0]) | (uint32_t)to_bf16(two[1]) << 16;
                }
            uint32_t *out = (uint32_t *)(to + packed_at(k, c, depth));
            for (int j = 0; j < 16; j++)
                for (int i = 0; i < 16; i++)
                    out[j * 16 + i] = pairs[i][j];
        }
}

/* The transposed of [k][columns] as a left operand of `columns` rows; depth is rows rounded up to 32. */
static left pack_transposed(bf16 *to, const bf16 *from, size_t columns, size_t rows, size_t depth)
{
    static const bf16 nothing[16];
    for (size_t c = 0; c < columns; c += 16)
        for (size_t k = 0; k < depth; k += 32) {
            uint32_t pairs[16][16]; /* [pair][column] */
            for (size_t j = 0; j < 16; j++) {
                size_t at = k + 2 * j;
                const bf16 *even = at < rows ? from + at * columns + c : nothing;
                const bf16 *odd = at + 1 < rows ? from + (at + 1) * columns + c : nothing;
                for (int i = 0; i < 16; i++)
                    pairs[j][i] = even[i] | (uint32_t)odd[i] << 16;
            }
            uint32_t *out = (uint32_t *)(to + c * depth + k * 16);
            for (int i = 0; i < 16; i++)
                for (int j = 0; j < 16; j++)
                    out[i * 16 + j] = pairs[j][i];
        }
    return (left){to, 32, 512, 16 * depth};
}

#if HAS_TILES
static void begin_tiles(void)
{
    /* Volatile: gcc 12 knows of the first eight bytes only that the instruction reads, and leaves the others out. */
    static volatile struct {
        uint8_t palette, start, reserved[14];
        uint16_t bytes[16]; /* of a row */
        uint8_t rows[16];
    } layout = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};
    _tile_loadconfig((const void *)&layout);
}

static void end_tiles(void)
{
    _tile_release();
}

/* 32 rows, 32 columns. */
static void block(float *c, size_t row, const left *a, const bf16 *panel, size_t pieces, bool adds)
{
    const bf16 *low = a->at, *high = a->at + a->block;
    size_t step = row * sizeof *c, a_row = a->row * sizeof *low;
    if (adds) {
        _tile_loadd(0, c, step);
        _tile_loadd(1, c + 16, step);
        _tile_loadd(2, c + 16 * row, step);
        _tile_loadd(3, c + 16 * row + 16, step);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (size_t k = 0; k < pieces; k++) {
        _tile_loadd(4, low + k * a->piece, a_row);
        _tile_loadd(6, panel + k * 1024, 64);
        _tile_loadd(7, panel + k * 1024 + 512, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, high + k * a->piece, a_row);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, c, step);
    _tile_stored(1, c + 16, step);
    _tile_stored(2, c + 16 * row, step);
    _tile_stored(3, c + 16 * row + 16, step);
}
#else
static void begin_tiles(void)
{
}

static void end_tiles(void)
{
}

/* 4 rows by two vectors at a time. */
static void block(float *c, size_t row, const left *a, const bf16 *panel, size_t pieces, bool adds)
{
    for (size_t r = 0; r < 32; r += 4) {
        const bf16 *from = a->at + r / 16 * a->block + r % 16 * a->row;
        for (size_t column = 0; column < 32; column += 2 * LANES) {
            float *to = c + r * row + column;
            vector sum[4][2];
            for (size_t i = 0; i < 4; i++)
                for (size_t j = 0; j < 2; j++)
                    sum[i][j] = adds ? *(const vector *)(to + i * row + j * LANES) : (vector){0};
            for (size_t k = 0; k < pieces; k++)
                for (size_t pair = 0; pair < 16; pair++) {
                    vector even[2], odd[2];
                    for (size_t j = 0; j < 2; j++) {
                        size_t at = column + j * LANES;
                        words both = *(const words *)(panel + k * 1024 + at / 16 * 512 + pair * 32 + at % 16 * 2);
                        even[j] = (vector)(both << 16);
                        odd[j] = (vector)(both & 0xFFFF0000u);
                    }
                    for (size_t i = 0; i < 4; i++) {
                        const bf16 *two = from + i * a->row + k * a->piece + 2 * pair;
                        float first = from_bf16(two[0]), second = from_bf16(two[1]);
                        for (size_t j = 0; j < 2; j++)
                            sum[i][j] += first * even[j];
                        for (size_t j = 0; j < 2; j++)
                            sum[i][j] += second * odd[j];
                    }
                }
            for (size_t i = 0; i < 4; i++)
                for (size_t j = 0; j < 2; j++)
                    *(vector *)(to + i * row + j * LANES) = sum[i][j];
        }
    }
}
#endif

#define MACRO_ROWS 256
#define MACRO_DEPTH 2048

/* c[rows][columns] = (or +=) a b, for rows, columns and depth that are multiples of 32. MACRO_ROWS times MACRO_DEPTH of
 * a stay in the second level cache while panels as deep pass through the first. `pieces` has room for that much: rows
 * of a that are a power of two apart share few places of the first level cache, so they are copied into tiles. */
static void multiply(float *c, left a, const bf16 *b, size_t rows, size_t columns, size_t depth, bool adds,
                     bf16 *pieces)
{
    for (size_t k = 0; k < depth; k += MACRO_DEPTH)
        for (size_t begin = 0; begin < rows; begin += MACRO_ROWS) {
            size_t end = begin + MACRO_ROWS < rows ? begin + MACRO_ROWS : rows;
            size_t deep = depth - k < MACRO_DEPTH ? depth - k : MACRO_DEPTH;
            left from = a;
            from.at += begin / 16 * a.block + k / 32 * a.piece;
            if (a.row != 32) {
                for (size_t r = 0; r < end - begin; r++)
                    for (size_t i = 0; i < deep; i += 32)
                        memcpy(pieces + r / 16 * 16 * deep + i * 16 + r % 16 * 32,
                               from.at + r / 16 * a.block + r % 16 * a.row + i, 32 * sizeof *pieces);
                from = (left){pieces, 32, 512, 16 * deep};
            }
            for (size_t column = 0; column < columns; column += 32) {
                left next = from;
                for (size_t r = begin; r < end; r += 32, next.at += 2 * from.block)
                    block(c + r * columns + column, columns, &next, b + column * depth + k * 32, deep / 32,
                          adds || k > 0);
            }
        }
}

/* ---- weights, packed for both directions once a step ---- */

typedef struct packed {
    bf16 *forward, *backward;
} packed;

typedef struct packed_layer {
    packed qkv, out, up, down;
} packed_layer;

/* ---- one part's workspace ---- */

typedef struct saved_layer {
    bf16 *input, *qkv, *context, *middle, *gelu, *gelu_slope; /* rounded inputs of products; slope: gelu's derivative */
    bf16 *norm1, *norm2;                                      /* normalised, before scale and shift */
    float *deviation1, *deviation2;                           /* 1 / standard deviation, of each token */
} saved_layer;

typedef struct part {
    size_t room, masked_room; /* tokens, masked words; multiples of 32 */
    saved_layer layer[MOST_LAYERS];
    bf16 *embedded;
    float *embedded_deviation;
    float *x, *y, *gradient_x; /* [room][hidden] */
    float *wide;               /* [MACRO_ROWS][the larger of ffn and 3 hidden] */
    bf16 *narrow_bits, *wide_bits, *transposed, *paired;
    float *head_in, *head_out, *head_gradient; /* [texts rounded up][hidden] */
    bf16 *head_bits, *head_in_bits;
    float *guess, *guess_gradient; /* [masked][hidden] */
    bf16 *guess_bits, *guess_in_bits, *guess_norm, *guess_slope;
    float *guess_deviation;
    float *scores;    /* [SCORED][vocabulary] */
    bf16 *score_bits; /* [masked][vocabulary] */
    float *gradients; /* of all parameters */
    float *scratch;   /* attention */
    bf16 *pieces;     /* [MACRO_ROWS][MACRO_DEPTH] */
    double label_loss, word_loss;
} part;

typedef struct transformer {
    shape s;
    int n_parts;
    part *parts;
    packed_layer layer[MOST_LAYERS];
    packed word, dense, guess;
    size_t n_parameters;
} transformer;

#define LARGE_PAGE ((size_t)2 << 20)

static size_t up32(size_t n)
{
    return (n + 31) / 32 * 32;
}

static void *room_for(size_t n, size_t size)
{
    size_t bytes = (n * size + LARGE_PAGE) / LARGE_PAGE * LARGE_PAGE;
    void *p = aligned_alloc(LARGE_PAGE, bytes);
    if (!p)
        abort();
    madvise(p, bytes, MADV_HUGEPAGE); /* as many pages as rows would not fit the TLB */
    memset(p, 0, n * size);
    return p;
}

/* ---- elementwise ---- */

/* exp, by 2^n (1 + ...): relative error below 2e-7 for -87 <= x <= 88 */
static inline float fast_exp(float x)
{
    x = x < -87 ? -87 : x > 88 ? 88 : x;
    float n = (float)(int)(x * 1.44269504f + (x < 0 ? -0.5f : 0.5f));
    float r = x - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1;
    union {
        int32_t i;
        float f;
    } scale = {((int32_t)n + 127) << 23};
    return p * scale.f;
}

/* GELU with the error function of Abramowitz and Stegun 7.1.26 (error below 1.5e-7), and its derivative. */
static inline float gelu(float u, float *slope)
{
    float x = fabsf(u) * 0.70710678f, e = fast_exp(-x * x), t = 1 / (1 + 0.3275911f * x);
    float tail =
        ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t * e;
    float phi = u < 0 ? 0.5f * tail : 1 - 0.5f * tail;
    *slope = phi + u * 0.39894228f * e;
    return u * phi;
}

/* 0 or 1 / (1 - rate); a hash of what is dropped, so that the way back knows it again. */
static inline float kept(uint32_t seed, uint32_t index, uint32_t threshold, float scale)
{
    uint32_t h = index * 0x9E3779B1u ^ seed;
    h ^= h >> 15;
    h *= 0x85EBCA77u;
    h ^= h >> 13;
    h *= 0xC2B2AE3Du;
    h ^= h >> 16;
    return h < threshold ? 0 : scale;
}

typedef struct dropper {
    uint32_t seed, threshold;
    float scale;
} dropper;

static dropper dropper_of(const batch *b, uint32_t site)
{
    return (dropper){b->seed * 0x9E3779B1u + site * 0x7FEB352Du + 1, (uint32_t)(b->dropout * 4294967296.0),
                     1 / (1 - b->dropout)};
}

static void drop(float *x, size_t n, dropper d, size_t from)
{
    if (d.threshold)
        for (size_t i = 0; i < n; i++)
            x[i] *= kept(d.seed, (uint32_t)(from + i), d.threshold, d.scale);
}

/* LayerNorm of a row; the normalised row is kept for the way back. */
static void norm_row(float *x, bf16 *normal, float *deviation, const float *scale, const float *shift, size_t n)
{
    float sum = 0, squares = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    float mean = sum / (float)n;
#pragma omp simd reduction(+ : squares)
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    float factor = 1 / sqrtf(squares / (float)n + EPSILON);
    *deviation = factor;
    for (size_t i = 0; i < n; i++) {
        float y = (x[i] - mean) * factor;
        normal[i] = to_bf16(y);
        x[i] = y * scale[i] + shift[i];
    }
}

/* dx = LayerNorm's gradient from dy, in place; gradients of scale and shift are added. */
static void norm_row_back(float *dy, const bf16 *normal, float deviation, const float *scale, float *dscale,
                          float *dshift, size_t n)
{
    float sum = 0, along = 0;
#pragma omp simd reduction(+ : sum, along)
    for (size_t i = 0; i < n; i++) {
        float y = from_bf16(normal[i]), g = dy[i] * scale[i];
        dscale[i] += dy[i] * y;
        dshift[i] += dy[i];
        sum += g;
        along += g * y;
    }
    sum /= (float)n;
    along /= (float)n;
    for (size_t i = 0; i < n; i++)
        dy[i] = (dy[i] * scale[i] - sum - from_bf16(normal[i]) * along) * deviation;
}

static void add_bias(float *x, const float *bias, size_t rows, size_t columns)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < columns; i++)
            x[r * columns + i] += bias[i];
}

static void add_columns(float *sum, const bf16 *x, size_t rows, size_t columns)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < columns; i++)
            sum[i] += from_bf16(x[r * columns + i]);
}

/* ---- attention, text by text, head by head ---- */

/* c[m][LANES n] = (a or its transposed) b, where a's element (i, k) is at i * row + k * step. */
static inline void small_multiply(float *c, size_t c_row, const float *a, size_t row, size_t step, const float *b,
                                  size_t b_row, size_t m, size_t depth, size_t n)
{
    for (size_t j = 0; j < n; j += 2) {
        size_t second = j + 1 < n ? LANES : 0; /* the last vector twice where there is one */
        for (size_t i = 0; i < m; i += 4) {
            size_t rows = m - i < 4 ? m - i : 4;
            const float *r0 = a + i * row, *r1 = r0 + (rows > 1 ? row : 0), *r2 = r0 + (rows > 2 ? 2 * row : 0),
                        *r3 = r0 + (rows > 3 ? 3 * row : 0);
            vector s[4][2] = {{{0}}};
            for (size_t k = 0; k < depth; k++) {
                vector x = *(const vector *)(b + k * b_row + LANES * j),
                       y = *(const vector *)(b + k * b_row + LANES * j + second);
                s[0][0] += r0[k * step] * x;
                s[0][1] += r0[k * step] * y;
                s[1][0] += r1[k * step] * x;
                s[1][1] += r1[k * step] * y;
                s[2][0] += r2[k * step] * x;
                s[2][1] += r2[k * step] * y;
                s[3][0] += r3[k * step] * x;
                s[3][1] += r3[k * step] * y;
            }
            for (size_t r = 0; r < rows; r++) {
                *(vector *)(c + (i + r) * c_row + LANES * j) = s[r][0];
                if (second)
                    *(vector *)(c + (i + r) * c_row + LANES * j + LANES) = s[r][1];
            }
        }
    }
}

typedef struct attention {
    float q[LONGEST * HEAD], k[LONGEST * HEAD], v[LONGEST * HEAD];
    float turned[HEAD * LONGEST]; /* keys, or values on the way back: [feature][token] */
    float p[LONGEST * LONGEST], dp[LONGEST * LONGEST];
    float o[LONGEST * HEAD], dq[LONGEST * HEAD], dk[LONGEST * HEAD], dv[LONGEST * HEAD];
} attention;

static void turn(float *to, const float *from, size_t tokens, size_t wide)
{
    for (size_t d = 0; d < HEAD; d++) {
        for (size_t j = 0; j < tokens; j++)
            to[d * wide + j] = from[j * HEAD + d];
        for (size_t j = tokens; j < wide; j++)
            to[d * wide + j] = 0;
    }
}

/* Reads a head and leaves its probabilities in p; rows of p have `wide` columns. */
static void attend(attention *w, const bf16 *qkv, size_t hidden, size_t head, size_t tokens, size_t wide)
{
    for (size_t i = 0; i < tokens; i++) {
        const bf16 *row = qkv + i * 3 * hidden + head * HEAD;
        for (size_t d = 0; d < HEAD; d++) {
            w->q[i * HEAD + d] = from_bf16(row[d]) * 0.125f; /* 1 / sqrt(HEAD) */
            w->k[i * HEAD + d] = from_bf16(row[hidden + d]);
            w->v[i * HEAD + d] = from_bf16(row[2 * hidden + d]);
        }
    }
    turn(w->turned, w->k, tokens, wide);
    small_multiply(w->p, wide, w->q, HEAD, 1, w->turned, wide, tokens, HEAD, wide / LANES);
    for (size_t i = 0; i < tokens; i++) {
        float *p = w->p + i * wide, most = p[0], sum = 0;
        for (size_t j = 1; j < tokens; j++)
            most = p[j] > most ? p[j] : most;
#pragma omp simd reduction(+ : sum)
        for (size_t j = 0; j < tokens; j++) {
            p[j] = fast_exp(p[j] - most);
            sum += p[j];
        }
        for (size_t j = 0; j < tokens; j++)
            p[j] /= sum;
        for (size_t j = tokens; j < wide; j++)
            p[j] = 0;
    }
}

/* context: [tokens][hidden]. */
static void head_forward(attention *a, bf16 *context, size_t hidden, size_t tokens, size_t wide)
{
    small_multiply(a->o, HEAD, a->p, wide, 1, a->v, HEAD, tokens, tokens, HEAD / LANES);
    for (size_t i = 0; i < tokens; i++)
        round_all(context + i * hidden, a->o + i * HEAD, HEAD);
}

/* gradient: [tokens][hidden] of the context; out: [tokens][3 hidden] of queries, keys and values. */
static void head_backward(attention *a, bf16 *out, const float *gradient, size_t hidden, size_t tokens, size_t wide)
{
    small_multiply(a->dv, HEAD, a->p, 1, wide, gradient, hidden, tokens, tokens, HEAD / LANES);
    turn(a->turned, a->v, tokens, wide);
    small_multiply(a->dp, wide, gradient, hidden, 1, a->turned, wide, tokens, HEAD, wide / LANES);
    for (size_t i = 0; i < tokens; i++) {
        float *dp = a->dp + i * wide, *p = a->p + i * wide, sum = 0;
#pragma omp simd reduction(+ : sum)
        for (size_t j = 0; j < wide; j++)
            sum += p[j] * dp[j];
        for (size_t j = 0; j < wide; j++)
            dp[j] = p[j] * (dp[j] - sum);
    }
    small_multiply(a->dq, HEAD, a->dp, wide, 1, a->k, HEAD, tokens, tokens, HEAD / LANES);
    small_multiply(a->dk, HEAD, a->dp, 1, wide, a->q, HEAD, tokens, tokens, HEAD / LANES);
    for (size_t i = 0; i < tokens; i++) {
        bf16 *row = out + i * 3 * hidden;
        for (size_t d = 0; d < HEAD; d++) {
            row[d] = to_bf16(a->dq[i * HEAD + d] * 0.125f);
            row[hidden + d] = to_bf16(a->dk[i * HEAD + d]); /* q had the factor */
            row[2 * hidden + d] = to_bf16(a->dv[i * HEAD + d]);
        }
    }
}

/* Forward where there is no gradient: then out is the context; else that of queries, keys and values. */
static void each_head(part *w, bf16 *out, const float *gradient, const bf16 *qkv, const batch *b, int from, int to,
                      size_t hidden)
{
    attention *a = (attention *)w->scratch;
    size_t origin = (size_t)b->starts[from];
    for (int t = from; t < to; t++) {
        size_t at = (size_t)b->starts[t] - origin, tokens = (size_t)(b->starts[t + 1] - b->starts[t]);
        size_t wide = (tokens + 15) / 16 * 16;
        for (size_t head = 0; head < hidden / HEAD; head++) {
            const size_t first = head * HEAD; /* its features */
            attend(a, qkv + at * 3 * hidden, hidden, head, tokens, wide);
            if (gradient)
                head_backward(a, out + at * 3 * hidden + first, gradient + at * hidden + first, hidden, tokens, wide);
            else
                head_forward(a, out + at * hidden + first, hidden, tokens, wide);
        }
    }
}

/* ---- forward ---- */

static void embed(part *w, const shape *s, const parameters *p, const batch *b, int from, int to)
{
    size_t h = (size_t)s->hidden, row = 0;
    dropper d = dropper_of(b, 0);
    for (int t = from; t < to; t++)
        for (int i = b->starts[t]; i < b->starts[t + 1]; i++, row++) {
            float *x = w->x + row * h;
            const float *word = p->word + (size_t)b->ids[i] * h,
                        *position = p->position + (size_t)(i - b->starts[t] + 2) * h;
            for (size_t j = 0; j < h; j++)
                x[j] = word[j] + position[j] + p->type[j];
            norm_row(x, w->embedded + row * h, &w->embedded_deviation[row], p->norm, p->norm_bias, h);
            drop(x, h, d, (size_t)i * h);
        }
}

/* x = LayerNorm(x + dropout(y + bias)), rows from `begin` to `end` of x; y begins with the first of them. */
static void add_and_norm(float *x, float *y, size_t begin, size_t end, const float *bias, dropper d, size_t first,
                         bf16 *normal, float *deviation, const float *scale, const float *shift, size_t h)
{
    for (size_t r = begin; r < end; r++) {
        float *row = x + r * h, *added = y + (r - begin) * h;
        add_bias(added, bias, 1, h);
        drop(added, h, d, (first + r) * h);
        for (size_t j = 0; j < h; j++)
            row[j] += added[j];
        norm_row(row, normal + r * h, &deviation[r], scale, shift, h);
    }
}

static void forward(transformer *m, part *w, const parameters *p, const batch *b, int from, int to)
{
    const shape *s = &m->s;
    size_t h = (size_t)s->hidden, f = (size_t)s->ffn, first = (size_t)b->starts[from];
    size_t n = (size_t)b->starts[to] - first;
    embed(w, s, p, b, from, to);
    for (int i = 0; i < s->layers; i++) {
        saved_layer *l = &w->layer[i];
        const layer_parameters *q = &p->layer[i];
        const packed_layer *k = &m->layer[i];
        dropper after_attention = dropper_of(b, (uint32_t)(2 * i + 1)),
                after_ffn = dropper_of(b, (uint32_t)(2 * i + 2));
        round_all(l->input, w->x, n * h);
        for (size_t r = 0; r < n; r += MACRO_ROWS) { /* what is between two products stays in the cache */
            size_t rows = n - r < MACRO_ROWS ? n - r : MACRO_ROWS;
            multiply(w->wide, rows_of(l->input + r * h, h), k->qkv.forward, up32(rows), 3 * h, h, false, w->pieces);
            add_bias(w->wide, q->qkv_bias, rows, 3 * h);
            round_all(l->qkv + r * 3 * h, w->wide, rows * 3 * h);
        }
        each_head(w, l->context, NULL, l->qkv, b, from, to, h);
        for (size_t r = 0; r < n; r += MACRO_ROWS) {
            size_t rows = n - r < MACRO_ROWS ? n - r : MACRO_ROWS;
            multiply(w->y, rows_of(l->context + r * h, h), k->out.forward, up32(rows), h, h, false, w->pieces);
            add_and_norm(w->x, w->y, r, r + rows, q->out_bias, after_attention, first, l->norm1, l->deviation1,
                         q->norm1, q->norm1_bias, h);
            round_all(l->middle + r * h, w->x + r * h, rows * h);
            multiply(w->wide, rows_of(l->middle + r * h, h), k->up.forward, up32(rows), f, h, false, w->pieces);
            for (size_t row = 0; row < rows; row++) {
                const float *u = w->wide + row * f;
                bf16 *y = l->gelu + (r + row) * f, *dy = l->gelu_slope + (r + row) * f;
                for (size_t j = 0; j < f; j++) {
                    float slope;
                    y[j] = to_bf16(gelu(u[j] + q->up_bias[j], &slope));
                    dy[j] = to_bf16(slope);
                }
            }
            multiply(w->y, rows_of(l->gelu + r * f, f), k->down.forward, up32(rows), h, f, false, w->pieces);
            add_and_norm(w->x, w->y, r, r + rows, q->down_bias, after_ffn, first, l->norm2, l->deviation2, q->norm2,
                         q->norm2_bias, h);
        }
    }
}

/* head_in: first tokens' states after dropout; head_out: tanh(dense) after dropout; logits: [texts][CLASSES]. */
static void classify(transformer *m, part *w, const parameters *p, const batch *b, int from, int to, float *logits)
{
    size_t h = (size_t)m->s.hidden, texts = (size_t)(to - from), first = (size_t)b->starts[from];
    dropper in = dropper_of(b, 1001), out = dropper_of(b, 1002);
    for (size_t t = 0; t < texts; t++) {
        memcpy(w->head_in + t * h, w->x + ((size_t)b->starts[from + (int)t] - first) * h, h * sizeof(float));
        drop(w->head_in + t * h, h, in, ((size_t)from + t) * h);
    }
    round_all(w->head_in_bits, w->head_in, texts * h);
    multiply(w->head_out, rows_of(w->head_in_bits, h), m->dense.forward, up32(texts), h, h, false, w->pieces);
    for (size_t t = 0; t < texts; t++) {
        float *y = w->head_out + t * h;
        for (size_t j = 0; j < h; j++)
            y[j] = tanhf(y[j] + p->dense_bias[j]);
        for (int c = 0; c < CLASSES; c++) {
            float sum = p->label_bias[c];
            for (size_t j = 0; j < h; j++)
                sum += y[j] *
                       (out.threshold ? kept(out.seed, (uint32_t)(((size_t)from + t) * h + j), out.threshold, out.scale)
                                      : 1) *
                       p->label[(size_t)c * h + j];
            logits[t * CLASSES + (size_t)c] = sum;
        }
    }
}

/* ---- backward ---- */

/* gradient[out][in] += dy' x, for dy [rows][out] and x [rows][in]. */
static void add_weight_gradient(part *w, float *gradient, const bf16 *dy, const bf16 *x, size_t rows, size_t out,
                                size_t in)
{
    for (size_t k = 0; k < rows; k += MACRO_DEPTH) {
        size_t n = rows - k < MACRO_DEPTH ? rows - k : MACRO_DEPTH, depth = up32(n);
        left turned = pack_transposed(w->transposed, dy + k * out, out, n, depth);
        pack_rows(w->paired, x + k * in, in, n, depth);
        multiply(gradient, turned, w->paired, out, in, depth, true, w->pieces);
    }
}

static void label_loss(part *w, const batch *b, int from, int texts, float *logits)
{
    for (int t = 0; t < texts; t++) {
        float *z = logits + t * CLASSES, most = -1e30f, sum = 0, weight = b->weights[from + t];
        const float *target = b->targets + (size_t)(from + t) * CLASSES;
        bool is_binary = b->is_binary[from + t];
        float e[CLASSES];
        for (int c = 0; c < CLASSES; c++)
            if (!(is_binary && c == 1) && z[c] > most)
                most = z[c];
        for (int c = 0; c < CLASSES; c++) {
            e[c] = is_binary && c == 1 ? 0 : expf(z[c] - most);
            sum += e[c];
        }
        for (int c = 0; c < CLASSES; c++) {
            if (target[c] > 0)
                w->label_loss += weight * target[c] * (logf(sum) - (z[c] - most));
            z[c] = weight * (e[c] / sum - target[c]);
        }
    }
}

static void classify_back(transformer *m, part *w, const parameters *p, parameters *g, const batch *b, int from, int to,
                          const float *dlogits)
{
    size_t h = (size_t)m->s.hidden, texts = (size_t)(to - from), first = (size_t)b->starts[from];
    dropper in = dropper_of(b, 1001), out = dropper_of(b, 1002);
    for (size_t t = 0; t < texts; t++) {
        const float *y = w->head_out + t * h, *dz = dlogits + t * CLASSES;
        for (int c = 0; c < CLASSES; c++)
            g->label_bias[c] += dz[c];
        for (size_t j = 0; j < h; j++) {
            float scale =
                out.threshold ? kept(out.seed, (uint32_t)(((size_t)from + t) * h + j), out.threshold, out.scale) : 1;
            float dy = 0;
            for (int c = 0; c < CLASSES; c++) {
                dy += dz[c] * p->label[(size_t)c * h + j];
                g->label[(size_t)c * h + j] += dz[c] * y[j] * scale;
            }
            w->head_bits[t * h + j] = to_bf16(dy * scale * (1 - y[j] * y[j]));
        }
    }
    add_columns(g->dense_bias, w->head_bits, texts, h);
    add_weight_gradient(w, g->dense, w->head_bits, w->head_in_bits, texts, h, h);
    multiply(w->head_gradient, rows_of(w->head_bits, h), m->dense.backward, up32(texts), h, h, false, w->pieces);
    for (size_t t = 0; t < texts; t++) {
        float *d = w->head_gradient + t * h;
        drop(d, h, in, ((size_t)from + t) * h);
        float *x = w->gradient_x + ((size_t)b->starts[from + (int)t] - first) * h;
        for (size_t j = 0; j < h; j++)
            x[j] += d[j];
    }
}

/* Masked words of texts from..to: loss and gradients, down to gradient_x. */
static void guess_words(transformer *m, part *w, const parameters *p, parameters *g, const batch *b, int from, int to)
{
    size_t h = (size_t)m->s.hidden, v = (size_t)m->s.vocabulary;
    int first = b->starts[from], end = b->starts[to], begin = 0;
    while (begin < b->n_masked && b->masked[begin] < first)
        begin++;
    size_t n = 0;
    while (begin + (int)n < b->n_masked && b->masked[begin + (int)n] < end)
        n++;
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        round_all(w->guess_in_bits + i * h, w->x + (size_t)(b->masked[begin + (int)i] - first) * h, h);
    multiply(w->guess, rows_of(w->guess_in_bits, h), m->guess.forward, up32(n), h, h, false, w->pieces);
    for (size_t i = 0; i < n; i++) {
        float *x = w->guess + i * h;
        for (size_t j = 0; j < h; j++) {
            float slope;
            x[j] = gelu(x[j] + p->guess_bias[j], &slope);
            w->guess_slope[i * h + j] = to_bf16(slope);
        }
        norm_row(x, w->guess_norm + i * h, &w->guess_deviation[i], p->guess_norm, p->guess_norm_bias, h);
        round_all(w->guess_bits + i * h, x, h);
    }
    for (size_t r = 0; r < n; r += SCORED) {
        left rows = rows_of(w->guess_bits + r * h, h);
        multiply(w->scores, rows, m->word.forward, up32(n - r < SCORED ? n - r : SCORED), v, h, false, w->pieces);
        for (size_t i = r; i < r + SCORED && i < n; i++) {
            float *z = w->scores + (i - r) * v, most = -1e30f, sum = 0;
#pragma omp simd reduction(max : most)
            for (size_t j = 0; j < v; j++) {
                z[j] += p->word_bias[j];
                most = z[j] > most ? z[j] : most;
            }
            float of_word = z[b->words[begin + (int)i]] - most;
#pragma omp simd reduction(+ : sum)
            for (size_t j = 0; j < v; j++) {
                z[j] = fast_exp(z[j] - most);
                sum += z[j];
            }
            w->word_loss += logf(sum) - of_word;
            float scale = b->mask_weight / sum;
            z[b->words[begin + (int)i]] -= sum;
            bf16 *bits = w->score_bits + i * v;
            for (size_t j = 0; j < v; j++) {
                float d = z[j] * scale;
                g->word_bias[j] += d;
                bits[j] = to_bf16(d);
            }
        }
    }
    memset(w->score_bits + n * v, 0, (up32(n) - n) * v * sizeof(bf16));
    multiply(w->guess_gradient, rows_of(w->score_bits, v), m->word.backward, up32(n), h, v, false, w->pieces);
    /* The scores' gradient is large: its transposed is made a block of words at a time. */
    pack_rows(w->paired, w->guess_bits, h, n, up32(n));
    for (size_t c = 0; c < v; c += 32) {
        size_t depth = up32(n);
        bf16 *turned = w->transposed;
        static const bf16 nothing[32];
        for (size_t k = 0; k < depth; k += 2) {
            const bf16 *even = k < n ? w->score_bits + k * v + c : nothing;
            const bf16 *odd = k + 1 < n ? w->score_bits + (k + 1) * v + c : nothing;
            for (size_t i = 0; i < 32; i++)
                ((uint32_t *)turned)[i / 16 * (8 * depth) + k / 32 * 256 + i % 16 * 16 + k % 32 / 2] =
                    even[i] | (uint32_t)odd[i] << 16;
        }
        multiply(g->word + c * h, (left){turned, 32, 512, 16 * depth}, w->paired, 32, h, depth, true, w->pieces);
    }
    for (size_t i = 0; i < n; i++) {
        float *d = w->guess_gradient + i * h;
        norm_row_back(d, w->guess_norm + i * h, w->guess_deviation[i], p->guess_norm, g->guess_norm, g->guess_norm_bias,
                      h);
        for (size_t j = 0; j < h; j++)
            w->guess_bits[i * h + j] = to_bf16(d[j] * from_bf16(w->guess_slope[i * h + j]));
    }
    add_columns(g->guess_bias, w->guess_bits, n, h);
    add_weight_gradient(w, g->guess, w->guess_bits, w->guess_in_bits, n, h, h);
    multiply(w->guess_gradient, rows_of(w->guess_bits, h), m->guess.backward, up32(n), h, h, false, w->pieces);
    for (size_t i = 0; i < n; i++) {
        float *x = w->gradient_x + (size_t)(b->masked[begin + (int)i] - first) * h;
        for (size_t j = 0; j < h; j++)
            x[j] += w->guess_gradient[i * h + j];
    }
}

/* Rows from `begin` to `end` of dx back through LayerNorm, and of that, through dropout, to `bits`: the product's
 * gradient. */
static void norm_back(float *dx, bf16 *bits, size_t begin, size_t end, dropper d, size_t first, const bf16 *normal,
                      const float *deviation, const float *scale, float *dscale, float *dshift, float *scratch,
                      size_t h)
{
    for (size_t r = begin; r < end; r++) {
        float *x = dx + r * h;
        norm_row_back(x, normal + r * h, deviation[r], scale, dscale, dshift, h);
        memcpy(scratch, x, h * sizeof *scratch);
        drop(scratch, h, d, (first + r) * h);
        round_all(bits + r * h, scratch, h);
    }
}

/* From gradient_x, the gradient of the last layer's output, to all weights. */
static void backward(transformer *m, part *w, const parameters *p, parameters *g, const batch *b, int from, int to)
{
    const shape *s = &m->s;
    size_t h = (size_t)s->hidden, f = (size_t)s->ffn, first = (size_t)b->starts[from];
    size_t n = (size_t)b->starts[to] - first, rows = up32(n);
    float *dx = w->gradient_x;
    for (int i = s->layers - 1; i >= 0; i--) {
        saved_layer *l = &w->layer[i];
        const layer_parameters *q = &p->layer[i];
        layer_parameters *o = &g->layer[i];
        const packed_layer *k = &m->layer[i];
        dropper after_attention = dropper_of(b, (uint32_t)(2 * i + 1)),
                after_ffn = dropper_of(b, (uint32_t)(2 * i + 2));
        for (size_t r = 0; r < n; r += MACRO_ROWS) {
            size_t some = n - r < MACRO_ROWS ? n - r : MACRO_ROWS;
            norm_back(dx, w->narrow_bits, r, r + some, after_ffn, first, l->norm2, l->deviation2, q->norm2, o->norm2,
                      o->norm2_bias, w->y, h);
            multiply(w->wide, rows_of(w->narrow_bits + r * h, h), k->down.backward, up32(some), f, h, false, w->pieces);
            for (size_t j = 0; j < some * f; j++)
                w->wide_bits[r * f + j] = to_bf16(w->wide[j] * from_bf16(l->gelu_slope[r * f + j]));
            multiply(dx + r * h, rows_of(w->wide_bits + r * f, f), k->up.backward, up32(some), h, f, true, w->pieces);
        }
        add_columns(o->down_bias, w->narrow_bits, n, h);
        add_weight_gradient(w, o->down, w->narrow_bits, l->gelu, n, h, f);
        add_columns(o->up_bias, w->wide_bits, n, f);
        add_weight_gradient(w, o->up, w->wide_bits, l->middle, n, f, h);
        norm_back(dx, w->narrow_bits, 0, n, after_attention, first, l->norm1, l->deviation1, q->norm1, o->norm1,
                  o->norm1_bias, w->y, h);
        add_columns(o->out_bias, w->narrow_bits, n, h);
        add_weight_gradient(w, o->out, w->narrow_bits, l->context, n, h, h);
        multiply(w->y, rows_of(w->narrow_bits, h), k->out.backward, rows, h, h, false, w->pieces);
        each_head(w, w->wide_bits, w->y, l->qkv, b, from, to, h);
        add_columns(o->qkv_bias, w->wide_bits, n, 3 * h);
        add_weight_gradient(w, o->qkv, w->wide_bits, l->input, n, 3 * h, h);
        multiply(dx, rows_of(w->wide_bits, 3 * h), k->qkv.backward, rows, h, 3 * h, true, w->pieces);
    }
    dropper d = dropper_of(b, 0);
    size_t row = 0;
    for (int t = from; t < to; t++)
        for (int i = b->starts[t]; i < b->starts[t + 1]; i++, row++) {
            float *x = dx + row * h;
            drop(x, h, d, (size_t)i * h);
            norm_row_back(x, w->embedded + row * h, w->embedded_deviation[row], p->norm, g->norm, g->norm_bias, h);
            float *word = g->word + (size_t)b->ids[i] * h, *position = g->position + (size_t)(i - b->starts[t] + 2) * h;
            for (size_t j = 0; j < h; j++) {
                word[j] += x[j];
                position[j] += x[j];
                g->type[j] += x[j];
            }
        }
}

/* ---- what Python calls ---- */

size_t transformer_parameters(const shape *s)
{
    return parameters_of(s, NULL).n;
}

int transformer_has_tiles(void)
{
#if HAS_TILES
    return syscall(SYS_arch_prctl, 0x1023 /* ARCH_REQ_XCOMP_PERM */, 18 /* tile data */) == 0;
#else
    return 0;
#endif
}

static packed new_packed(size_t n)
{
    return (packed){room_for(n, sizeof(bf16)), room_for(n, sizeof(bf16))};
}

static void size_part(transformer *m, part *w, size_t tokens, size_t texts, size_t masked)
{
    size_t h = (size_t)m->s.hidden, f = (size_t)m->s.ffn, v = (size_t)m->s.vocabulary;
    size_t rows = up32(tokens), wide = f > 3 * h ? f : 3 * h, heads = up32(texts), words = up32(masked);
    size_t most_rows = rows > words ? rows : words;
    for (int i = 0; i < m->s.layers; i++) {
        saved_layer *l = &w->layer[i];
        l->input = room_for(rows * h, sizeof(bf16));
        l->qkv = room_for(rows * 3 * h, sizeof(bf16));
        l->context = room_for(rows * h, sizeof(bf16));
        l->middle = room_for(rows * h, sizeof(bf16));
        l->gelu = room_for(rows * f, sizeof(bf16));
        l->gelu_slope = room_for(rows * f, sizeof(bf16));
        l->norm1 = room_for(rows * h, sizeof(bf16));
        l->norm2 = room_for(rows * h, sizeof(bf16));
        l->deviation1 = room_for(rows, sizeof(float));
        l->deviation2 = room_for(rows, sizeof(float));
    }
    w->embedded = room_for(rows * h, sizeof(bf16));
    w->embedded_deviation = room_for(rows, sizeof(float));
    w->x = room_for(rows * h, sizeof(float));
    w->y = room_for(rows * h, sizeof(float));
    w->wide = room_for(MACRO_ROWS * wide, sizeof(float));
    w->gradient_x = room_for(rows * h, sizeof(float));
    w->narrow_bits = room_for(rows * h, sizeof(bf16));
    w->wide_bits = room_for(rows * wide, sizeof(bf16));
    w->transposed = room_for(most_rows * wide, sizeof(bf16));
    w->paired = room_for(most_rows * wide, sizeof(bf16));
    w->head_in = room_for(heads * h, sizeof(float));
    w->head_out = room_for(heads * h, sizeof(float));
    w->head_gradient = room_for(heads * h, sizeof(float));
    w->head_bits = room_for(heads * h, sizeof(bf16));
    w->head_in_bits = room_for(heads * h, sizeof(bf16));
    w->guess = room_for(words * h, sizeof(float));
    w->guess_gradient = room_for(words * h, sizeof(float));
    w->guess_bits = room_for(words * h, sizeof(bf16));
    w->guess_in_bits = room_for(words * h, sizeof(bf16));
    w->guess_norm = room_for(words * h, sizeof(bf16));
    w->guess_slope = room_for(words * h, sizeof(bf16));
    w->guess_deviation = room_for(words, sizeof(float));
    w->scores = room_for(words ? SCORED * v : 0, sizeof(float));
    w->score_bits = room_for(words * v, sizeof(bf16));
    w->gradients = room_for(m->n_parameters, sizeof(float));
    w->scratch = room_for(1, sizeof(attention));
    w->pieces = room_for(MACRO_ROWS * MACRO_DEPTH, sizeof(bf16));
}

/* Room for batches whose parts have at most so many tokens, texts and masked words. */
transformer *transformer_open(const shape *s, int n_parts, int tokens, int texts, int masked)
{
    transformer *m = room_for(1, sizeof *m);
    size_t h = (size_t)s->hidden, f = (size_t)s->ffn, v = (size_t)s->vocabulary;
    m->s = *s;
    m->n_parts = n_parts;
    m->n_parameters = transformer_parameters(s);
    m->parts = room_for((size_t)n_parts, sizeof *m->parts);
    for (int i = 0; i < n_parts; i++)
        size_part(m, &m->parts[i], (size_t)tokens, (size_t)texts, (size_t)masked);
    for (int i = 0; i < s->layers; i++) {
        m->layer[i].qkv = new_packed(3 * h * h);
        m->layer[i].out = new_packed(h * h);
        m->layer[i].up = new_packed(f * h);
        m->layer[i].down = new_packed(h * f);
    }
    m->word = new_packed(v * h);
    m->dense = new_packed(h * h);
    m->guess = new_packed(h * h);
    return m;
}

/* The product's forward weights are [out][in]. */
static void pack_weight(packed *to, const float *weight, size_t out, size_t in, bool goes_back)
{
    pack_float_columns(to->forward, weight, out, in);
    if (goes_back)
        pack_float_rows(to->backward, weight, in, out);
}

static void pack_weights(transformer *m, const parameters *p, bool goes_back, bool guesses)
{
    size_t h = (size_t)m->s.hidden, f = (size_t)m->s.ffn, v = (size_t)m->s.vocabulary;
    int jobs = m->s.layers + 1;
#pragma omp parallel for schedule(dynamic) num_threads(m->n_parts)
    for (int i = 0; i < jobs; i++) {
        if (i == m->s.layers) {
            pack_weight(&m->dense, p->dense, h, h, goes_back);
            if (guesses) {
                pack_weight(&m->guess, p->guess, h, h, goes_back);
                pack_weight(&m->word, p->word, v, h, goes_back);
            }
            continue;
        }
        pack_weight(&m->layer[i].qkv, p->layer[i].qkv, 3 * h, h, goes_back);
        pack_weight(&m->layer[i].out, p->layer[i].out, h, h, goes_back);
        pack_weight(&m->layer[i].up, p->layer[i].up, f, h, goes_back);
        pack_weight(&m->layer[i].down, p->layer[i].down, h, f, goes_back);
    }
}

/* Part i has the texts from cut(i) to cut(i + 1): as even in tokens as whole texts allow. */
static int cut(const batch *b, int i, int n_parts)
{
    int64_t total = b->starts[b->n_texts], goal = total * i / n_parts;
    int t = 0;
    while (t < b->n_texts && b->starts[t] < goal)
        t++;
    return t;
}

/* gradients = the batch's; losses[0]: of labels, [1]: of masked words, sums over the batch. logits may be NULL. */
void transformer_learn(transformer *m, float *all, float *gradients, const batch *b, double *losses, float *logits)
{
    parameters p = parameters_of(&m->s, all);
    pack_weights(m, &p, true, b->n_masked > 0);
#pragma omp parallel for schedule(static, 1) num_threads(m->n_parts)
    for (int i = 0; i < m->n_parts; i++) {
        part *w = &m->parts[i];
        parameters g = parameters_of(&m->s, w->gradients);
        int from = cut(b, i, m->n_parts), to = cut(b, i + 1, m->n_parts);
        memset(w->gradients, 0, m->n_parameters * sizeof(float));
        w->label_loss = w->word_loss = 0;
        if (from == to)
            continue;
        float *own = malloc((size_t)(to - from) * CLASSES * sizeof *own);
        begin_tiles();
        forward(m, w, &p, b, from, to);
        memset(w->gradient_x, 0, up32((size_t)(b->starts[to] - b->starts[from])) * (size_t)m->s.hidden * sizeof(float));
        classify(m, w, &p, b, from, to, own);
        if (logits)
            memcpy(logits + (size_t)from * CLASSES, own, (size_t)(to - from) * CLASSES * sizeof *own);
        label_loss(w, b, from, to - from, own);
        classify_back(m, w, &p, &g, b, from, to, own);
        guess_words(m, w, &p, &g, b, from, to);
        backward(m, w, &p, &g, b, from, to);
        end_tiles();
        free(own);
    }
    losses[0] = losses[1] = 0;
    for (int i = 0; i < m->n_parts; i++) {
        losses[0] += m->parts[i].label_loss;
        losses[1] += m->parts[i].word_loss;
    }
#pragma omp parallel for num_threads(m->n_parts)
    for (size_t j = 0; j < m->n_parameters; j++) {
        float sum = m->parts[0].gradients[j];
        for (int i = 1; i < m->n_parts; i++)
            sum += m->parts[i].gradients[j];
        gradients[j] = sum;
    }
}

/* logits [n_texts][CLASSES]; what targets, weights and masked words there are is not looked at. */
void transformer_predict(transformer *m, float *all, const batch *b, float *logits)
{
    parameters p = parameters_of(&m->s, all);
    pack_weights(m, &p, false, false);
#pragma omp parallel for schedule(static, 1) num_threads(m->n_parts)
    for (int i = 0; i < m->n_parts; i++) {
        int from = cut(b, i, m->n_parts), to = cut(b, i + 1, m->n_parts);
        if (from == to)
            continue;
        begin_tiles();
        forward(m, &m->parts[i], &p, b, from, to);
        classify(m, &m->parts[i], &p, b, from, to, logits + (size_t)from * CLASSES);
        end_tiles();
    }
}

double squared_norm(const float *x, size_t n)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * x[i];
    return sum;
}

/* AdamW (Loshchilov and Hutter 2019) on a range of parameters; the gradient is multiplied by `scale` first. */
void adamw(float *x, const float *gradient, float *mean, float *square, size_t n, float scale, float rate, float decay,
           float beta1, float beta2, int step)
{
    float correction1 = 1 - powf(beta1, (float)step), correction2 = 1 - powf(beta2, (float)step);
    for (size_t i = 0; i < n; i++) {
        float g = gradient[i] * scale;
        mean[i] += (1 - beta1) * (g - mean[i]);
        square[i] += (1 - beta2) * (g * g - square[i]);
        x[i] -= rate * (mean[i] / correction1 / (sqrtf(square[i] / correction2) + 1e-6f) + decay * x[i]);
    }
}
