/* word_tile_body.h: the tile of word_tile.c. Included once for each set of instructions and kind of words, hence no
 * include guard: VECTOR holds LANES sums, REGISTERS of them for each of ROWS_AT_ONCE rows are all that fit the
 * registers, and OPERAND is a VECTOR of words that is ready to be multiplied. FETCH_WORDS: so many words ahead a panel
 * is fetched into the first-level cache, 0: the processor looks ahead far enough. */

#define PART_COLUMNS ((size_t)REGISTERS * LANES) /* outputs at a time */
#define LINE_WORDS ((size_t)4)                   /* for each line of `next` */

/* One word of all rows. Rows are reached from every third one, so that their addresses need few registers. */
TARGET INLINE void NAME(step_)(VECTOR sum[ROWS_AT_ONCE][REGISTERS], const char *const third[], size_t ld,
                               const size_t n_rows, const char *const panel[], const size_t n_registers, size_t k)
{
    OPERAND w[REGISTERS];
#pragma GCC unroll 4
    for (size_t v = 0; v < n_registers; v++) {
        const char *words = panel[v * LANES / COLUMNS] + k * WORD_BYTES + v * LANES % COLUMNS * sizeof(float);
        if (FETCH_WORDS)
            _mm_prefetch(words + FETCH_WORDS * WORD_BYTES, _MM_HINT_T0);
        w[v] = NAME(prepare_)(LOAD_WORDS(words));
    }
#pragma GCC unroll 12
    for (size_t r = 0; r < n_rows; r++) {
        const OPERAND a = NAME(prepare_)(SPREAD((int32_t)word_at(third[r / 3] + r % 3 * ld + 4 * k)));
#pragma GCC unroll 4
        for (size_t v = 0; v < n_registers; v++)
            sum[r][v] = NAME(add_)(sum[r][v], a, w[v]);
    }
}

/* Rows from `row` on by outputs from `column` on. What comes from y, and goes there, is far away at first. */
TARGET INLINE void NAME(part_)(const mur_word_product *p, size_t row, size_t column, const char *next,
                               const size_t n_rows, const size_t n_registers)
{
    VECTOR sum[ROWS_AT_ONCE][REGISTERS];
    const size_t ld = p->ld_x, n_words = p->n_words;
    const char *x = p->x + row * ld, *first = p->panel + column / COLUMNS * p->panel_step + column % COLUMNS * 4;
    const char *const third[] = {x, x + 3 * ld, x + 6 * ld, x + 9 * ld}, *const panel[] = {first,
                                                                                           first + p->panel_step};
    float *y = p->y + row * p->ld_y + column;
#pragma GCC unroll 12
    for (size_t r = 0; r < n_rows; r++) {
#pragma GCC unroll 4
        for (size_t v = 0; v < n_registers; v++) {
            sum[r][v] = ZERO();
            _mm_prefetch((const char *)(y + r * p->ld_y + v * LANES), _MM_HINT_T0);
        }
    }
    size_t k = 0;
    for (; k + LINE_WORDS <= n_words; k += LINE_WORDS, next += LINE) {
        _mm_prefetch(next, _MM_HINT_T1);
#pragma GCC unroll 4
        for (size_t i = 0; i < LINE_WORDS; i++)
            NAME(step_)(sum, third, ld, n_rows, panel, n_registers, k + i);
    }
    for (; k < n_words; k++)
        NAME(step_)(sum, third, ld, n_rows, panel, n_registers, k);
    const float *bias = p->bias ? p->bias + column : NULL;
    const bool is_added = p->is_added;
#pragma GCC unroll 12
    for (size_t r = 0; r < n_rows; r++, y += p->ld_y) {
#pragma GCC unroll 4
        for (size_t v = 0; v < n_registers; v++) {
            VECTOR value = sum[r][v];
            if (bias)
                value += LOAD(bias + v * LANES);
            if (is_added)
                value = LOAD(y + v * LANES) + value;
            STORE(y + v * LANES, value);
        }
    }
}

/* n_rows and n_registers become constants. */
TARGET INLINE void NAME(rows_)(const mur_word_product *p, size_t row, size_t column, const char *next, size_t n_rows,
                               const size_t n_registers)
{
    switch (n_rows) {
#define PART(n)                                                                                                        \
    case n: NAME(part_)(p, row, column, next, n, n_registers); break;
        PART(1)
        PART(2)
        PART(3)
        PART(4)
        PART(5)
#if ROWS_AT_ONCE > 6
        PART(6)
        PART(7)
        PART(8)
        PART(9)
        PART(10)
        PART(11)
#endif
#undef PART
    default: NAME(part_)(p, row, column, next, ROWS_AT_ONCE, n_registers); break;
    }
}

TARGET void NAME(mur_tile_)(const mur_word_product *p)
{
    const size_t share = p->n_words / LINE_WORDS * LINE, n_columns = p->n_panels * COLUMNS;
    size_t turn = 0; /* two shares are fetched, in turns if there are more parts */
    for (size_t row = 0; row < p->n_rows; row += ROWS_AT_ONCE) {
        const size_t left = p->n_rows - row, n_rows = left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;
        for (size_t column = 0; column < n_columns; column += PART_COLUMNS, turn++) {
            const char *next = p->next + turn % 2 * share;
#if REGISTERS * LANES > MUR_TILE_COLUMNS
            if (n_columns - column < PART_COLUMNS) { /* a panel alone */
                NAME(rows_)(p, row, column, next, n_rows, REGISTERS / MUR_WORD_PANELS);
                continue;
            }
#endif
            NAME(rows_)(p, row, column, next, n_rows, REGISTERS);
        }
    }
}

#undef PART_COLUMNS
#undef LINE_WORDS
