#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/model/approx.h"
#include "../../src/model/panels.h"
#include "murmur/mem.h"

static uint32_t random_state = 2463534242u;

static uint32_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

static size_t random_between(size_t low, size_t high)
{
    return low + random_bits() % (high - low + 1);
}

static float *random_floats(size_t n)
{
    float *x = mur_try_alloc(n, sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(random_bits() >> 8) * 0x1p-23f - 1.0f;
    return x;
}

static float widen(uint16_t bf16)
{
    return mur_float_of_bits((uint32_t)bf16 << 16);
}

/* One product, and its operands as the triple loop takes them. */
typedef struct layer {
    bool is_bf16;
    size_t n, in, out, words, stride;
    float *x, *w, *bias; /* [n,in], [out,in], [out]; in bf16 they are numbers of that kind */
    char *rows;          /* x as words */
    void *packed;
} layer;

static layer make_layer(bool is_bf16, size_t n, size_t in, size_t out)
{
    layer l = {is_bf16, n, in, out, mur_panels_words(in, is_bf16), 0, NULL, NULL, NULL, NULL, NULL};
    const mur_packing *packing = is_bf16 ? &mur_packing_bf16 : &mur_packing_fp32;
    l.stride = mur_panels_stride(l.words);
    l.x = random_floats(n * in);
    l.w = random_floats(out * in);
    l.bias = random_floats(out);
    l.rows = mur_alloc(n, l.stride);
    l.packed = mur_try_alloc(1, packing->bytes(out, in));
    assert_non_null(l.packed);
    assert_int_equal(packing->bytes(out, in) % 64, 0);
    assert_true(l.stride % 128 == 64 && l.stride >= 4 * l.words);
    memset(l.packed, 0, packing->bytes(out, in));
    size_t half = out / 2; /* as the tensors of a matrix may come: in any order */
    packing->pack(l.packed, out, in, half, l.w + half * in, out - half);
    packing->pack(l.packed, out, in, 0, l.w, half);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < in; k++) {
            uint16_t nearest = mur_bf16_nearest(l.x[i * in + k]);
            if (is_bf16) {
                memcpy(l.rows + i * l.stride + 2 * k, &nearest, sizeof nearest);
                l.x[i * in + k] = widen(nearest);
            } else {
                memcpy(l.rows + i * l.stride + 4 * k, &l.x[i * in + k], sizeof(float));
            }
        }
    }
    for (size_t i = 0; is_bf16 && i < out * in; i++)
        l.w[i] = widen(mur_bf16_nearest(l.w[i]));
    return l;
}

static void clear_layer(layer *l)
{
    free(l->x);
    free(l->w);
    free(l->bias);
    free(l->rows);
    free(l->packed);
}

/* fp32 is BLAS's where a set has no tile. */
static bool has_panels(const layer *l, size_t set)
{
    return l->is_bf16 || mur_kernels_at(set)->fp32_tile;
}

static double exact(const layer *l, size_t row, size_t output)
{
    double sum = (double)l->bias[output];
    for (size_t k = 0; k < l->in; k++)
        sum += (double)l->x[row * l->in + k] * (double)l->w[output * l->in + k];
    return sum;
}

/* What `tdpbf16ps` makes of a row without a bias, where no number is subnormal: of each 32 inputs the sums of the
 * earlier and of the later ones of pairs. */
static float by_tiles(const layer *l, size_t row, size_t output)
{
    float sum = 0;
    for (size_t begin = 0; begin < l->in; begin += 32) {
        float parts[2] = {0, 0};
        for (size_t k = begin; k < begin + 32 && k < l->in; k++)
            parts[k % 2] = fmaf(l->x[row * l->in + k], l->w[output * l->in + k], parts[k % 2]);
        sum += parts[0] + parts[1];
    }
    return sum;
}

static float half_of(float x)
{
    return 0.5f * x;
}

static mur_activate *gelu;

static void same_gelu(float *x, size_t n)
{
    gelu(x, n);
}

static void halve(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = half_of(x[i]);
}

/* Outputs `first` to `end` by every set, in all the ways that a product may end, within a frame that must stay. */
static void check_layer(const layer *l, size_t first, size_t end)
{
    const mur_panels w = mur_panels_at(l->packed, l->out, l->in, l->is_bf16);
    const size_t n_outputs = end - first, ld = n_outputs + 3;
    float *before = random_floats(l->n * ld), *y = mur_alloc(l->n * ld, sizeof *y);
    float *by_first_set = NULL, *alone = mur_alloc(ld, sizeof *alone);
    uint16_t *rounded = mur_alloc(l->n * ld, sizeof *rounded);
    const char *first_name = NULL;
    const double near = 1e-6 * (1 + (double)l->in);
    for (size_t set = 0; mur_kernels_at(set); set++) {
        const mur_kernels *k = mur_kernels_at(set);
        if (!has_panels(l, set))
            continue;
        void *scratch = mur_alloc(1, mur_panels_scratch(k, l->in, l->is_bf16) + 1);
        mur_panels_product p = {
            .x = l->rows,
            .ld_x = l->stride,
            .n = l->n,
            .w = &w,
            .first = first,
            .n_outputs = n_outputs,
            .bias = l->bias + first,
            .y = y,
            .ld_y = ld,
            .scratch = scratch,
        };
        memcpy(y, before, l->n * ld * sizeof *y);
        mur_panels_linear(k, &p);
        for (size_t i = 0; i < l->n; i++) {
            for (size_t o = 0; o < n_outputs; o++)
                assert_true(fabs((double)y[i * ld + o] - exact(l, i, first + o)) < near);
            assert_memory_equal(y + i * ld + n_outputs, before + i * ld + n_outputs, 3 * sizeof *y);
        }

        for (size_t i = 0; l->is_bf16 && strcmp(k->bf16_name, "murmur-tdpbf16ps") == 0 && i < l->n; i++)
            for (size_t o = 0; o < n_outputs; o++)
                assert_true(y[i * ld + o] == by_tiles(l, i, first + o) + l->bias[first + o]);

        /* A row alone has the same bits, and so has every set of the same arithmetic. */
        mur_panels_product one = p;
        one.n = 1;
        one.x = l->rows + (l->n - 1) * l->stride;
        one.y = alone;
        mur_panels_linear(k, &one);
        assert_memory_equal(alone, y + (l->n - 1) * ld, n_outputs * sizeof *y);
        const char *name = l->is_bf16 ? k->bf16_name : "";
        if (by_first_set && strcmp(name, first_name) == 0) {
            assert_memory_equal(by_first_set, y, l->n * ld * sizeof *y);
        } else if (!by_first_set) {
            by_first_set = mur_alloc(l->n * ld, sizeof *y);
            memcpy(by_first_set, y, l->n * ld * sizeof *y);
            first_name = name;
        }

        /* GELU has a way of its own for whole tiles: the same bits as that of other functions. */
        p.f = k->gelu;
        mur_panels_linear(k, &p);
        float *plain = mur_alloc(l->n * ld, sizeof *plain);
        p.f = same_gelu;
        gelu = k->gelu;
        p.y = plain;
        memcpy(plain, y, l->n * ld * sizeof *y);
        mur_panels_linear(k, &p);
        assert_memory_equal(plain, y, l->n * ld * sizeof *y);
        free(plain);
        p.y = y;

        /* f, which sees whole numbers, then rounded ones; in one piece of sums, so last bits may differ. */
        p.f = halve;
        mur_panels_linear(k, &p);
        memset(rounded, 0x55, l->n * ld * sizeof *rounded);
        mur_panels_product in_bf16 = p;
        in_bf16.y = rounded;
        in_bf16.is_rounded = true;
        mur_panels_linear(k, &in_bf16);
        for (size_t i = 0; i < l->n; i++) {
            for (size_t o = 0; o < n_outputs; o++) {
                assert_true(fabs((double)y[i * ld + o] - 0.5 * exact(l, i, first + o)) < near);
                assert_int_equal(rounded[i * ld + o], mur_bf16_nearest(y[i * ld + o]));
            }
            assert_int_equal(rounded[i * ld + n_outputs], 0x5555);
        }

        p.f = NULL;
        p.is_added = true;
        memcpy(y, before, l->n * ld * sizeof *y);
        mur_panels_linear(k, &p);
        for (size_t i = 0; i < l->n; i++) {
            for (size_t o = 0; o < n_outputs; o++)
                assert_true(fabs((double)y[i * ld + o] - exact(l, i, first + o) - (double)before[i * ld + o]) < near);
            assert_memory_equal(y + i * ld + n_outputs, before + i * ld + n_outputs, 3 * sizeof *y);
        }
        free(scratch);
    }
    assert_true(by_first_set || !l->is_bf16);
    free(before);
    free(y);
    free(by_first_set);
    free(alone);
    free(rounded);
}

static void linear_is_the_plain_triple_loop_on_every_instruction_set(void **state)
{
    (void)state;
    for (int round = 0; round < 120; round++) {
        size_t out = random_between(1, round % 3 ? 70 : 150), first = round % 2 ? random_between(0, out - 1) : 0;
        layer l = make_layer(round / 2 % 2, random_between(1, round % 5 ? 15 : 60), random_between(1, 90), out);
        check_layer(&l, first, round % 2 ? random_between(first + 1, out) : out);
        clear_layer(&l);
    }
}

/* More rows than a block has, and sums of several pieces. */
static void linear_takes_many_inputs(void **state)
{
    (void)state;
    for (int is_bf16 = 0; is_bf16 < 2; is_bf16++) {
        layer l = make_layer(is_bf16, 131, is_bf16 ? 3079 : 1543, 33);
        check_layer(&l, 0, 33);
        clear_layer(&l);
    }
}

static void infinities_and_nan_come_out_as_such(void **state)
{
    (void)state;
    for (int is_bf16 = 0; is_bf16 < 2; is_bf16++) {
        layer l = make_layer(is_bf16, 2, 5, 4);
        const uint32_t infinite = 0x7F800000u, not_a_number = 0x7FC00000u;
        memcpy(l.rows, &infinite, sizeof infinite); /* as a pair: 0 and infinity */
        memcpy(l.rows + l.stride + 4, &not_a_number, sizeof not_a_number);
        const mur_panels w = mur_panels_at(l.packed, l.out, l.in, is_bf16);
        for (size_t set = 0; mur_kernels_at(set); set++) {
            float y[8] = {0};
            if (!has_panels(&l, set))
                continue;
            void *scratch = mur_alloc(1, mur_panels_scratch(mur_kernels_at(set), l.in, is_bf16) + 1);
            mur_panels_linear(mur_kernels_at(set), &(mur_panels_product){
                                                       .x = l.rows,
                                                       .ld_x = l.stride,
                                                       .n = 2,
                                                       .w = &w,
                                                       .n_outputs = 4,
                                                       .bias = l.bias,
                                                       .y = y,
                                                       .ld_y = 4,
                                                       .scratch = scratch,
                                                   });
            free(scratch);
            for (size_t i = 0; i < 8; i++)
                assert_false(isfinite(y[i]));
        }
        clear_layer(&l);
    }
}

/* Every bf16 is its own nearest; between two neighbours the nearer one, and of equals the even one. */
static void bf16_is_rounded_to_the_nearest_and_to_even(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 0x10000; i++) {
        uint32_t exponent = i >> 7 & 0xFF, fraction = i & 0x7F;
        uint32_t bits = i << 16;
        if (exponent == 0xFF && fraction) {
            assert_true(isnan(widen(mur_bf16_nearest(mur_float_of_bits(bits)))));
            assert_true(isnan(widen(mur_bf16_nearest(mur_float_of_bits(bits | 0xFFFF)))));
            continue;
        }
        assert_int_equal(mur_bf16_nearest(mur_float_of_bits(bits)), i);
        if (exponent == 0xFF)
            continue;
        assert_int_equal(mur_bf16_nearest(mur_float_of_bits(bits | 0x7FFF)), i);
        assert_int_equal(mur_bf16_nearest(mur_float_of_bits(bits | 0x8000)), i % 2 ? i + 1 : i);
        assert_int_equal(mur_bf16_nearest(mur_float_of_bits(bits | 0x8001)), i + 1); /* the last one: infinity */
    }
    assert_true(isnan(widen(mur_bf16_nearest(mur_float_of_bits(0x7F800001u))))); /* told by its last bits alone */
    for (size_t n = 1; n < 70; n++) {
        float *x = random_floats(n);
        uint16_t y[70];
        x[n / 2] = n % 2 ? NAN : INFINITY;
        for (size_t set = 0; mur_kernels_at(set); set++) {
            mur_kernels_at(set)->round_bf16(y, x, n);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(y[i], mur_bf16_nearest(x[i]));
        }
        free(x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_is_the_plain_triple_loop_on_every_instruction_set),
        cmocka_unit_test(linear_takes_many_inputs),
        cmocka_unit_test(infinities_and_nan_come_out_as_such),
        cmocka_unit_test(bf16_is_rounded_to_the_nearest_and_to_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
