/* word_tile_body.h: the tile of word_tile.c. Included once for each set of instructions and kind of words, hence no
 * include guard: VECTOR holds LANES sums, two of them for each of ROWS_AT_ONCE rows are all that fit the registers, and
 * OPERAND is a VECTOR of words that is ready to be multiplied. */

#define PART_COLUMNS ((size_t)2 * LANES) /* outputs at a time */
#define FETCH_WORDS ((size_t)4)          /* for each line of `next` */

/* One word of all rows. The panel comes from the second-level cache: it is fetched four words ahead. */
TARGET INLINE void NAME(step_)(VECTOR sum[ROWS_AT_ONCE][2], const char *const third[], size_t ld, const size_t n_rows,
                               const char *panel, size_t k)
{
    const char *words = panel + k * WORD_BYTES;
    _mm_prefetch(words + FETCH_WORDS * WORD_BYTES, _MM_HINT_T0);
    _mm_prefetch(words + FETCH_WORDS * WORD_BYTES + 4 * LANES, _MM_HINT_T0);
    const OPERAND w0 = NAME(prepare_)(LOAD_WORDS(words)), w1 = NAME(prepare_)(LOAD_WORDS(words + 4 * LANES));
#pragma GCC unroll 12
    for (size_t r = 0; r < n_rows; r++) {
        const OPERAND a = NAME(prepare_)(SPREAD((int32_t)word_at(third[r / 3] + r % 3 * ld + 4 * k)));
        sum[r][0] = NAME(add_)(sum[r][0], a, w0);
        sum[r][1] = NAME(add_)(sum[r][1], a, w1);
    }
}

/* Rows are reached from every third one, so that their addresses need few registers. */
TARGET INLINE void NAME(part_)(float *c, const char *x, size_t ld, const size_t n_rows, const char *panel,
                               size_t n_words, const char *next)
{
    VECTOR sum[ROWS_AT_ONCE][2];
#pragma GCC unroll 12
    for (size_t r = 0; r < n_rows; r++)
        sum[r][0] = sum[r][1] = ZERO();
    const char *const third[] = {x, x + 3 * ld, x + 6 * ld, x + 9 * ld};
    size_t k = 0;
    for (; k + FETCH_WORDS <= n_words; k += FETCH_WORDS, next += 64) {
        _mm_prefetch(next, _MM_HINT_T1);
#pragma GCC unroll 4
        for (size_t i = 0; i < FETCH_WORDS; i++)
            NAME(step_)(sum, third, ld, n_rows, panel, k + i);
    }
    for (; k < n_words; k++)
        NAME(step_)(sum, third, ld, n_rows, panel, k);
#pragma GCC unroll 12
    for (size_t r = 0; r < n_rows; r++) {
        STORE(c + r * COLUMNS, sum[r][0]);
        STORE(c + r * COLUMNS + LANES, sum[r][1]);
    }
}

TARGET void NAME(mur_tile_)(float *c, const char *x, size_t ld, size_t n_rows, const char *panel, size_t n_words,
                            const char *next)
{
    for (size_t first = 0; first < n_rows; first += ROWS_AT_ONCE) {
        for (size_t column = 0; column < COLUMNS; column += PART_COLUMNS) {
            float *to = c + first * COLUMNS + column;
            const char *rows = x + first * ld, *part = panel + 4 * column;
            switch (n_rows - first) {
#define PART(n)                                                                                                        \
    case n: NAME(part_)(to, rows, ld, n, part, n_words, next); break;
                PART(1)
                PART(2)
                PART(3)
#if ROWS_AT_ONCE > 4
                PART(4)
                PART(5)
#endif
#if ROWS_AT_ONCE > 6
                PART(6)
                PART(7)
                PART(8)
                PART(9)
                PART(10)
                PART(11)
#endif
#undef PART
            default: NAME(part_)(to, rows, ld, ROWS_AT_ONCE, part, n_words, next); break;
            }
        }
    }
}

#undef PART_COLUMNS
#undef FETCH_WORDS
