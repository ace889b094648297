/* kernels_body.h: the loops of kernels.c. Included once for each instruction set, with TARGET (the attribute) and NAME
 * (the suffix) defined: hence no include guard. Plain loops vectorise by themselves; what sums or blocks is written in
 * lanes. */

/* The sum of the lanes, halves onto halves. */
TARGET static inline float NAME(total)(const VECTOR lanes[PARTS])
{
    vector4 sum = (FOURTH(lanes, 0) + FOURTH(lanes, 2)) + (FOURTH(lanes, 1) + FOURTH(lanes, 3));
    return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

/* Adds x[n], of fewer than LANES, or their squares, to the first lanes. */
TARGET static void NAME(add_rest)(VECTOR sum[PARTS], const float *x, size_t n, float mean, bool is_squared)
{
    float lane[LANES];
    memcpy(lane, sum, sizeof lane);
    for (size_t l = 0; l < n; l++)
        lane[l] += is_squared ? (x[l] - mean) * (x[l] - mean) : x[l];
    memcpy(sum, lane, sizeof lane);
}

/* Σ x[n]: each lane sums every 16th, then the lanes are summed. */
TARGET static inline float NAME(sum)(const float *x, size_t n)
{
    VECTOR sum[PARTS] = {{0}};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t p = 0; p < PARTS; p++)
            sum[p] += *(const VECTOR *)(x + i + p * WIDTH);
    if (i < n)
        NAME(add_rest)(sum, x + i, n - i, 0, false);
    return NAME(total)(sum);
}

/* Σ (x[n] - mean)², likewise. */
TARGET static inline float NAME(sum_of_squares)(const float *x, size_t n, float mean)
{
    VECTOR sum[PARTS] = {{0}};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t p = 0; p < PARTS; p++) {
            VECTOR off = *(const VECTOR *)(x + i + p * WIDTH) - mean;
            sum[p] += off * off;
        }
    }
    if (i < n)
        NAME(add_rest)(sum, x + i, n - i, mean, true);
    return NAME(total)(sum);
}

TARGET static void NAME(add_three)(float *restrict y, const float *a, const float *b, const float *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + b[i] + c[i];
}

TARGET static void NAME(add_to_rows)(float *restrict x, const float *b, size_t n, size_t width)
{
    for (size_t i = 0; i < n; i++, x += width)
        for (size_t j = 0; j < width; j++)
            x[j] += b[j];
}

TARGET static void NAME(layer_norm)(float *restrict x, const float *w, const float *b, size_t n, size_t width,
                                    float eps)
{
    for (size_t i = 0; i < n; i++, x += width) {
        float mean = NAME(sum)(x, width) / (float)width;
        float variance = NAME(sum_of_squares)(x, width, mean) / (float)width;
        float scale = 1.0f / sqrtf(variance + eps);
        for (size_t j = 0; j < width; j++)
            x[j] = (x[j] - mean) * scale * w[j] + b[j];
    }
}

TARGET static void NAME(gelu)(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = GELU(x[i]);
}

TARGET static void NAME(gelu_coarse)(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = mur_gelu_coarse(x[i]);
}

TARGET static void NAME(gelu_tanh)(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = mur_gelu_tanh(x[i]);
}

TARGET static void NAME(relu)(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = mur_relu(x[i]);
}

TARGET static void NAME(tanh)(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = mur_tanh(x[i]);
}

/* Each product is a sum over lanes, as in `sum`; four rows at a time, the last one again for those that are missing. */
TARGET static void NAME(linear_by_rows)(float *y, size_t ld_y, const float *x, const float *w, const float *b, size_t n,
                                        size_t in, size_t out)
{
    const float *row[ROWS];
    float lane[ROWS][LANES];
    for (size_t first = 0; first < n; first += ROWS) {
        size_t n_rows = n - first < ROWS ? n - first : ROWS, whole = in / LANES * LANES;
        for (size_t r = 0; r < ROWS; r++)
            row[r] = x + (first + (r < n_rows ? r : n_rows - 1)) * in;
        for (size_t o = 0; o < out; o++) {
            const float *weights = w + o * in;
            VECTOR s0[PARTS] = {{0}}, s1[PARTS] = {{0}}, s2[PARTS] = {{0}}, s3[PARTS] = {{0}};
            for (size_t k = 0; k < whole; k += LANES) {
                for (size_t p = 0; p < PARTS; p++) {
                    VECTOR here = *(const VECTOR *)(weights + k + p * WIDTH);
                    s0[p] += *(const VECTOR *)(row[0] + k + p * WIDTH) * here;
                    s1[p] += *(const VECTOR *)(row[1] + k + p * WIDTH) * here;
                    s2[p] += *(const VECTOR *)(row[2] + k + p * WIDTH) * here;
                    s3[p] += *(const VECTOR *)(row[3] + k + p * WIDTH) * here;
                }
            }
            memcpy(lane[0], s0, sizeof s0);
            memcpy(lane[1], s1, sizeof s1);
            memcpy(lane[2], s2, sizeof s2);
            memcpy(lane[3], s3, sizeof s3);
            for (size_t r = 0; r < n_rows; r++) {
                VECTOR sum[PARTS];
                for (size_t k = whole; k < in; k++)
                    lane[r][k - whole] += row[r][k] * weights[k];
                memcpy(sum, lane[r], sizeof sum);
                y[(first + r) * ld_y + o] = NAME(total)(sum) + b[o];
            }
        }
    }
}

#if WIDTH == 16
/* mur_int8_nearest of 64, each 16 of which are a fourth of each group of 16 bytes until they are put in order. */
TARGET static inline __m512i NAME(nearest)(const float *x, float inverse)
{
    const __m512 factor = _mm512_set1_ps(inverse);
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    __m512i q[4];
    for (size_t i = 0; i < 4; i++)
        q[i] = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x + 16 * i), factor));
    __m512i bytes = _mm512_packs_epi16(_mm512_packs_epi32(q[0], q[1]), _mm512_packs_epi32(q[2], q[3]));
    return _mm512_xor_si512(_mm512_permutexvar_epi32(order, bytes), _mm512_set1_epi8((char)0x80));
}
#endif

/* The greatest size is sought among whole numbers, as which sizes of floats are in the same order: in any order, so
 * that the loop vectorises. */
TARGET static float NAME(round_row)(uint8_t *restrict q, const float *x, size_t width)
{
    int32_t bits = 0;
    for (size_t j = 0; j < width; j++) {
        int32_t size = (int32_t)(mur_bits_of_float(x[j]) & 0x7FFFFFFFu);
        bits = size > bits ? size : bits;
    }
    const float most = mur_float_of_bits((uint32_t)bits), inverse = mur_int8_inverse(most);
    size_t j = 0;
#if WIDTH == 16 /* 64 at a time, which compilers do not find */
    for (; j + 64 <= width; j += 64)
        _mm512_storeu_si512(q + j, NAME(nearest)(x + j, inverse));
#endif
    for (; j < width; j++)
        q[j] = mur_int8_nearest(x[j], inverse);
    return most * (1.0f / 127);
}

/* A few columns, one by one. */
TARGET static void NAME(scale_some)(const mur_scaling *s)
{
    for (size_t r = 0; r < s->n_rows; r++) {
        for (size_t j = 0; j < s->n_columns; j++) {
            float *y = s->y + r * s->ld_y + j;
            float v = (float)s->c[r * MUR_TILE_COLUMNS + j] * (s->row_scales[r] * s->column_scales[j]) + s->bias[j];
            *y = s->then == MUR_THEN_ADD ? *y + v : s->then == MUR_THEN_GELU ? mur_gelu_coarse(v) : v;
        }
    }
}

/* All columns, 16 at a time, whose scales and biases stay in registers. `then` is a constant wherever it is inlined. */
TARGET static inline __attribute__((always_inline)) void NAME(scale_all)(const mur_scaling *s, const mur_then then)
{
    for (size_t j = 0; j < MUR_TILE_COLUMNS; j += LANES) {
        VECTOR scale[PARTS], bias[PARTS];
        memcpy(scale, s->column_scales + j, sizeof scale);
        memcpy(bias, s->bias + j, sizeof bias);
        const int32_t *c = s->c + j;
        float *restrict y = s->y + j;
        for (size_t r = 0; r < s->n_rows; r++, c += MUR_TILE_COLUMNS, y += s->ld_y) {
            for (size_t p = 0; p < PARTS; p++) {
                VECTOR v = __builtin_convertvector(*(const INTEGERS *)(c + p * WIDTH), VECTOR);
                v = v * (s->row_scales[r] * scale[p]) + bias[p];
                VECTOR *to = (VECTOR *)(y + p * WIDTH);
                if (then == MUR_THEN_ADD)
                    v += *to;
                *to = v;
            }
            if (then == MUR_THEN_GELU)
                for (size_t l = 0; l < LANES; l++)
                    y[l] = mur_gelu_coarse(y[l]);
        }
    }
}

TARGET static void NAME(scale_tile)(const mur_scaling *s)
{
    if (s->n_columns < MUR_TILE_COLUMNS)
        NAME(scale_some)(s);
    else if (s->then == MUR_THEN_ADD)
        NAME(scale_all)(s, MUR_THEN_ADD);
    else if (s->then == MUR_THEN_GELU)
        NAME(scale_all)(s, MUR_THEN_GELU);
    else
        NAME(scale_all)(s, MUR_THEN_SET);
}

TARGET static inline void NAME(place_row)(float *restrict y, const float *restrict c, const float *bias, size_t n,
                                          bool is_added)
{
    if (bias && is_added)
        for (size_t j = 0; j < n; j++)
            y[j] += c[j] + bias[j];
    else if (bias)
        for (size_t j = 0; j < n; j++)
            y[j] = c[j] + bias[j];
    else if (is_added)
        for (size_t j = 0; j < n; j++)
            y[j] += c[j];
    else
        memcpy(y, c, n * sizeof *y);
}

TARGET static void NAME(place_tile)(const mur_placing *p)
{
    for (size_t r = 0; r < p->n_rows; r++)
        NAME(place_row)(p->y + r * p->ld_y, p->c + r * p->ld_c, p->bias, p->n_columns, p->is_added);
}

TARGET static void NAME(place_gelu)(const mur_placing *p)
{
    for (size_t r = 0; r < p->n_rows; r++) {
        for (size_t first = 0; first < p->n_columns; first += MUR_TILE_COLUMNS) {
            float *restrict y = p->y + r * p->ld_y + first;
            const float *restrict c = p->c + r * p->ld_c + first, *restrict bias = p->bias + first;
            for (size_t j = 0; j < MUR_TILE_COLUMNS; j++)
                y[j] = GELU(c[j] + bias[j]);
        }
    }
}

TARGET static void NAME(round_bf16)(uint16_t *restrict y, const float *restrict x, size_t n)
{
    for (size_t j = 0; j < n; j++)
        y[j] = mur_bf16_nearest(x[j]);
}

TARGET static void NAME(widen_row)(float *restrict y, const char *words, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++) {
        uint32_t word;
        memcpy(&word, words + i * sizeof word, sizeof word);
        y[2 * i] = mur_later_of(word);
        y[2 * i + 1] = mur_earlier_of(word);
    }
}

TARGET static void NAME(widen_panel)(float *restrict y, const char *words, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++, y += 2 * MUR_TILE_COLUMNS, words += MUR_TILE_COLUMNS * sizeof(uint32_t)) {
        uint32_t word[MUR_TILE_COLUMNS];
        memcpy(word, words, sizeof word);
        for (size_t j = 0; j < MUR_TILE_COLUMNS; j++) {
            y[j] = mur_later_of(word[j]);
            y[j + MUR_TILE_COLUMNS] = mur_earlier_of(word[j]);
        }
    }
}
