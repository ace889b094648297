/* attention_body.h: attention's loops, for kernels.c: included behind kernels_body.h once for each instruction set,
 * with the same macros and more. Tweets have some 20 tokens, so a head is a few small products, and what counts is that
 * none of it passes through memory without need.
 *
 * A product and its addition are fused here, on every machine: lanes are elements of results, each summed one by one,
 * so this too gives the same bits everywhere. */

/* c[ROWS][LANES · blocks] = a[ROWS][depth] · b[depth], each row times its `factor` if there are any. Rows of a and of c
 * are anywhere, those of b ld_b apart. `blocks` and whether there are factors are constants. */
TARGET static inline __attribute__((always_inline)) void NAME(multiply_block)(float *const c[ROWS],
                                                                              const float *const a[ROWS],
                                                                              const float *b, size_t ld_b, size_t depth,
                                                                              const float *factor, const size_t blocks)
{
    VECTOR sum[ROWS][MAX_BLOCKS * PARTS];
#pragma GCC unroll 4
    for (size_t r = 0; r < ROWS; r++)
#pragma GCC unroll 4
        for (size_t p = 0; p < blocks * PARTS; p++)
            sum[r][p] = SPREAD(0);
    for (size_t k = 0; k < depth; k++, b += ld_b) {
        VECTOR row[MAX_BLOCKS * PARTS];
#pragma GCC unroll 4
        for (size_t p = 0; p < blocks * PARTS; p++)
            row[p] = *(const VECTOR *)(b + p * WIDTH);
#pragma GCC unroll 4
        for (size_t r = 0; r < ROWS; r++) {
            VECTOR x = SPREAD(a[r][k]);
#pragma GCC unroll 4
            for (size_t p = 0; p < blocks * PARTS; p++)
                sum[r][p] = FUSED(x, row[p], sum[r][p]);
        }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < ROWS; r++) {
#pragma GCC unroll 4
        for (size_t p = 0; p < blocks * PARTS; p++) {
            VECTOR *to = (VECTOR *)(c[r] + p * WIDTH);
            if (factor)
                sum[r][p] *= factor[r];
            *to = sum[r][p];
        }
    }
}

/* The same for n columns, a multiple of LANES. */
TARGET static inline __attribute__((always_inline)) void NAME(multiply)(float *const c[ROWS],
                                                                        const float *const a[ROWS], const float *b,
                                                                        size_t ld_b, size_t depth, size_t n,
                                                                        const float *factor)
{
    float *to[ROWS] = {c[0], c[1], c[2], c[3]};
    while (n > 0) {
        size_t blocks = n / LANES < MAX_BLOCKS ? n / LANES : MAX_BLOCKS;
#if MAX_BLOCKS == 4
        blocks = blocks == 3 ? 2 : blocks;
        if (blocks == 4)
            NAME(multiply_block)(to, a, b, ld_b, depth, factor, 4);
        else if (blocks == 2)
            NAME(multiply_block)(to, a, b, ld_b, depth, factor, 2);
        else
#endif
            NAME(multiply_block)(to, a, b, ld_b, depth, factor, 1);
        for (size_t r = 0; r < ROWS; r++)
            to[r] += blocks * LANES;
        b += blocks * LANES;
        n -= blocks * LANES;
    }
}

/* e^x of numbers up to 88, as mur_exp but by fused operations; below -87 e^-87. NaN stays NaN. */
TARGET static inline __attribute__((always_inline)) VECTOR NAME(exponential)(VECTOR x)
{
    const VECTOR round = SPREAD(0x1.8p23f);
    x = GREATER(SPREAD(-87.0f), x);
    VECTOR shifted = FUSED(x, SPREAD(1.44269504f), round), whole = shifted - round;
    INTEGERS n = (INTEGERS)shifted - (INTEGERS)round;
    VECTOR r = FUSED(whole, SPREAD(-0x1.62e43p-1f), x); /* ln 2 in two parts */
    r = FUSED(whole, SPREAD(1.90465421e-9f), r);
    VECTOR p = SPREAD(MUR_EXP_FIRST);
#define NEXT(term) p = FUSED(p, r, SPREAD(term));
    MUR_EXP_REST(NEXT)
#undef NEXT
    return (SPREAD(1.0f) + FUSED(r * r, p, r)) * (VECTOR)((n + 127) << 23);
}

/* Rows s[ROWS][padded] become e^((s - the row's greatest) scale), of which the first n count: what stands behind them
 * on the way in is ignored, on the way out it is too small to count in the sum. share[r] = 1 / the sum of row r.
 * `padded` is the next multiple of LANES. */
TARGET static inline void NAME(soften)(float *s, size_t n, size_t padded, float scale, float share[ROWS])
{
    static const int32_t is_kept[2 * LANES] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    const size_t last = padded - LANES;
    const int32_t *kept = is_kept + padded - n;
    vector4 four[ROWS];
#pragma GCC unroll 4
    for (size_t r = 0; r < ROWS; r++) {
        VECTOR most[PARTS];
        float *row = s + r * padded;
        for (size_t p = 0; p < PARTS; p++) {
            INTEGERS here = *(const INTEGERS *)(kept + p * WIDTH);
            VECTOR *at = (VECTOR *)(row + last + p * WIDTH);
            most[p] = *at = (VECTOR)(((INTEGERS)*at & here) | ((INTEGERS)SPREAD(-FLT_MAX) & ~here));
        }
        for (size_t j = 0; j < last; j += LANES)
            for (size_t p = 0; p < PARTS; p++)
                most[p] = GREATER(*(const VECTOR *)(row + j + p * WIDTH), most[p]);
        four[r] = greater_of_four(greater_of_four(FOURTH(most, 0), FOURTH(most, 2)),
                                  greater_of_four(FOURTH(most, 1), FOURTH(most, 3)));
    }
    const quartet across_most = turned(four);
    const vector4 greatest = greater_of_four(greater_of_four(across_most.row[0], across_most.row[2]),
                                             greater_of_four(across_most.row[1], across_most.row[3]));
    const vector4 offset = -(greatest * scale);
#pragma GCC unroll 4
    for (size_t r = 0; r < ROWS; r++) {
        VECTOR sum[PARTS];
        float *row = s + r * padded;
        for (size_t p = 0; p < PARTS; p++)
            sum[p] = SPREAD(0);
        for (size_t j = 0; j < padded; j += LANES) {
            for (size_t p = 0; p < PARTS; p++) {
                VECTOR *at = (VECTOR *)(row + j + p * WIDTH);
                *at = NAME(exponential)(FUSED(*at, SPREAD(scale), SPREAD(offset[r])));
                sum[p] += *at;
            }
        }
        four[r] = (FOURTH(sum, 0) + FOURTH(sum, 2)) + (FOURTH(sum, 1) + FOURTH(sum, 3));
    }
    const quartet across = turned(four);
    const vector4 total = (across.row[0] + across.row[2]) + (across.row[1] + across.row[3]), shares = 1.0f / total;
    memcpy(share, &shares, sizeof shares);
}

/* kt[d][keys]: keys side by side, four at a time, where fewer are left the last one again. */
TARGET static void NAME(turn_keys)(float *kt, size_t keys, const mur_attention *a)
{
    for (size_t j = 0; j < a->n_keys; j += ROWS) {
        const float *row[ROWS];
        for (size_t r = 0; r < ROWS; r++)
            row[r] = a->k + (j + r < a->n_keys ? j + r : a->n_keys - 1) * a->ld_qkv;
        size_t c = 0;
        for (; c + WIDTH <= a->d; c += WIDTH) {
            VECTOR r0 = *(const VECTOR *)(row[0] + c), r1 = *(const VECTOR *)(row[1] + c);
            VECTOR r2 = *(const VECTOR *)(row[2] + c), r3 = *(const VECTOR *)(row[3] + c);
            VECTOR low02 = LOW(r0, r2), high02 = HIGH(r0, r2), low13 = LOW(r1, r3), high13 = HIGH(r1, r3);
            VECTOR across[4] = {LOW(low02, low13), HIGH(low02, low13), LOW(high02, high13), HIGH(high02, high13)};
            float *to = kt + c * keys + j;
#pragma GCC unroll 4
            for (size_t i = 0; i < 4; i++)
                PUT_FOURS(to + i * keys, 4 * keys, across[i]);
        }
        for (; c < a->d; c++) {
            float across[ROWS] = {row[0][c], row[1][c], row[2][c], row[3][c]};
            memcpy(kt + c * keys + j, across, sizeof across);
        }
    }
}

/* Lanes are keys in the first product and parts of the head in the second: so keys are turned, and values taken as they
 * are, or filled up to whole lanes. Queries are taken four by four; where fewer are left, the last one stands in for
 * the missing. What kᵀ holds behind the last key does not matter. */
TARGET static void NAME(attention)(const mur_attention *a)
{
    const size_t keys = round_up(a->n_keys, LANES), width = round_up(a->d, LANES), d = a->d;
    float *kt = a->scratch, *padded = kt + d * keys, *s = padded + a->n_keys * width, *o = s + ROWS * keys;
    const float *v = a->v;
    size_t ld_v = a->ld_qkv;
    NAME(turn_keys)(kt, keys, a);
    if (width > d) {
        for (size_t j = 0; j < a->n_keys; j++) {
            memcpy(padded + j * width, a->v + j * a->ld_qkv, d * sizeof *v);
            memset(padded + j * width + d, 0, (width - d) * sizeof *v);
        }
        v = padded;
        ld_v = width;
    }

    const float scale = 1.0f / sqrtf((float)d);
    for (size_t first = 0; first < a->n_queries; first += ROWS) {
        size_t n = a->n_queries - first < ROWS ? a->n_queries - first : ROWS;
        const float *query[ROWS], *weights[ROWS];
        float *scores[ROWS], *out[ROWS], share[ROWS];
        for (size_t r = 0; r < ROWS; r++) {
            query[r] = a->q + (first + (r < n ? r : n - 1)) * a->ld_qkv;
            weights[r] = scores[r] = s + r * keys;
            out[r] = width > d || r >= n ? o + r * width : a->out + (first + r) * a->ld_out;
        }
        NAME(multiply)(scores, query, kt, keys, d, keys, NULL);
        NAME(soften)(s, a->n_keys, keys, scale, share);
        NAME(multiply)(out, weights, v, ld_v, a->n_keys, width, share);
        for (size_t r = 0; r < n && width > d; r++)
            memcpy(a->out + (first + r) * a->ld_out, o + r * width, d * sizeof *o);
    }
}
