#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/model/approx.h"
#include "../../src/model/dtype.h"
#include "../../src/model/kernels.h"
#include "murmur/mem.h"

static uint32_t random_state = 2463534242u;

/* xorshift32, in [-range, range] */
static float random_float(float range)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return ((float)(random_state >> 8) * 0x1p-23f - 1.0f) * range;
}

/* `n` floats at an address that is `off` floats behind a multiple of 64 bytes. */
typedef struct floats {
    float *whole, *at;
} floats;

static floats make_floats(size_t n, size_t off)
{
    floats f = {.whole = mur_try_alloc(n + off, sizeof(float))};
    assert_non_null(f.whole);
    f.at = f.whole + off;
    return f;
}

static floats random_floats(size_t n, size_t off, float range)
{
    floats f = make_floats(n, off);
    for (size_t i = 0; i < n; i++)
        f.at[i] = random_float(range);
    return f;
}

static floats copy_floats(const floats *from, size_t n, size_t off)
{
    floats f = make_floats(n, off);
    memcpy(f.at, from->at, n * sizeof(float));
    return f;
}

/* ---- functions against libm in double precision; the bounds are those that approx.h states ---- */

static void exp_is_within_its_bound(void **state)
{
    (void)state;
    double worst = 0;
    for (float x = -86.9f; x < 87.9f; x += 0.00037f) {
        double exact = exp((double)x), error = fabs((double)mur_exp(x) - exact) / exact;
        worst = error > worst ? error : worst;
    }
    assert_true(worst < 2e-7);
    assert_true(mur_exp(0.0f) == 1.0f);
    assert_true(mur_exp(-87.0f) > 0 && mur_exp(-INFINITY) == mur_exp(-87.0f));
    assert_true(isnan(mur_exp(NAN)) && isnan(mur_exp(-NAN)));
}

static void tanh_is_within_its_bound(void **state)
{
    (void)state;
    double worst = 0;
    for (float x = -12.0f; x < 12.0f; x += 0.000031f) {
        double error = fabs((double)mur_tanh(x) - tanh((double)x));
        worst = error > worst ? error : worst;
    }
    assert_true(worst < 2e-7);
    assert_true(mur_tanh(INFINITY) == 1.0f && mur_tanh(-INFINITY) == -1.0f);
    assert_true(mur_tanh(0.0f) == 0.0f && isnan(mur_tanh(NAN)));
}

static void erf_is_within_its_bound(void **state)
{
    (void)state;
    double worst = 0;
    for (float x = -6.0f; x < 6.0f; x += 0.000017f) {
        double exact = erf((double)x), error = exact == 0 ? 0 : fabs((double)mur_erf(x) / exact - 1);
        worst = error > worst ? error : worst;
    }
    assert_true(worst < 4e-7);
    assert_true(mur_erf(0.0f) == 0.0f && isnan(mur_erf(NAN)) && isnan(mur_erf(-NAN)));
    assert_true(fabsf(mur_erf(1e30f) - 1.0f) < 2e-7f && fabsf(mur_erf(-INFINITY) + 1.0f) < 2e-7f);
}

static void activations_are_transformers(void **state)
{
    (void)state;
    for (float x = -9.0f; x < 9.0f; x += 0.00093f) {
        double exact = (double)x, cube = exact * exact * exact;
        double by_erf = 0.5 * exact * (1 + erf(exact / sqrt(2)));
        double by_tanh = 0.5 * exact * (1 + tanh(sqrt(2 / acos(-1)) * (exact + 0.044715 * cube)));
        assert_true(fabs((double)mur_gelu(x) - by_erf) < 4e-7 * (1 + fabs(exact)));
        assert_true(fabs((double)mur_gelu_fused(x) - by_erf) < 2e-7 * (1 + fabs(exact)));
        assert_true(fabs((double)mur_gelu_coarse(x) - by_erf) <= 7e-5 * fabs(exact));
        assert_true(fabs((double)mur_gelu_tanh(x) - by_tanh) < 4e-7 * (1 + fabs(exact)));
        assert_true(mur_relu(x) == (x > 0 ? x : 0));
    }
}

/* ---- loops: against double precision, and every instruction set against the portable one ---- */

static void layer_norm_agrees_with_double_precision(void **state)
{
    (void)state;
    for (size_t width = 1; width < 100; width += width < 40 ? 1 : 17) {
        const size_t n = 3;
        floats x = random_floats(n * width, 3, 2), w = random_floats(width, 1, 1), b = random_floats(width, 2, 1);
        floats y = copy_floats(&x, n * width, 5);
        mur_kernels_at(0)->layer_norm(y.at, w.at, b.at, n, width, 1e-5f);
        for (size_t i = 0; i < n; i++) {
            double mean = 0, variance = 0;
            for (size_t j = 0; j < width; j++)
                mean += (double)x.at[i * width + j] / (double)width;
            for (size_t j = 0; j < width; j++)
                variance += pow((double)x.at[i * width + j] - mean, 2) / (double)width;
            for (size_t j = 0; j < width; j++) {
                double expected =
                    ((double)x.at[i * width + j] - mean) / sqrt(variance + 1e-5) * (double)w.at[j] + (double)b.at[j];
                assert_true(fabs((double)y.at[i * width + j] - expected) < 1e-5);
            }
        }
        free(x.whole);
        free(w.whole);
        free(b.whole);
        free(y.whole);
    }
}

typedef struct attention_case {
    size_t n_queries, n_keys, d, ld;
    floats q, k, v, out;
} attention_case;

static attention_case make_attention(size_t n_queries, size_t n_keys, size_t d)
{
    size_t ld = d + 5;
    return (attention_case){n_queries,
                            n_keys,
                            d,
                            ld,
                            random_floats(n_queries * ld, 1, 3),
                            random_floats(n_keys * ld, 2, 3),
                            random_floats(n_keys * ld, 3, 3),
                            random_floats(n_queries * ld, 4, 3)};
}

static void clear_attention(attention_case *a)
{
    free(a->q.whole);
    free(a->k.whole);
    free(a->v.whole);
    free(a->out.whole);
}

static void run_attention(const mur_kernels *k, attention_case *a)
{
    size_t n_scratch = mur_attention_scratch(a->n_keys, a->d);
    floats scratch = make_floats(n_scratch, 0);
    for (size_t i = 0; i < n_scratch; i++)
        scratch.at[i] = NAN; /* what an earlier text left behind must not matter */
    k->attention(&(mur_attention){.out = a->out.at,
                                  .q = a->q.at,
                                  .k = a->k.at,
                                  .v = a->v.at,
                                  .n_queries = a->n_queries,
                                  .n_keys = a->n_keys,
                                  .d = a->d,
                                  .ld_out = a->ld,
                                  .ld_qkv = a->ld,
                                  .scratch = scratch.at});
    free(scratch.whole);
}

static const size_t head_sizes[] = {1, 3, 16, 20, 64, 70}, key_counts[] = {1, 2, 5, 16, 17, 33, 50};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static void attention_agrees_with_double_precision(void **state)
{
    (void)state;
    for (size_t h = 0; h < COUNT(head_sizes); h++) {
        for (size_t m = 0; m < 2 * COUNT(key_counts); m++) {
            size_t n_keys = key_counts[m / 2], d = head_sizes[h];
            attention_case a = make_attention(m % 2 ? 1 : n_keys, n_keys, d);
            floats before = copy_floats(&a.out, a.n_queries * a.ld, 0);
            run_attention(mur_kernels_at(0), &a);
            double s[50];
            for (size_t i = 0; i < a.n_queries; i++) {
                double most = -INFINITY, sum = 0;
                for (size_t j = 0; j < n_keys; j++) {
                    s[j] = 0;
                    for (size_t c = 0; c < d; c++)
                        s[j] += (double)a.q.at[i * a.ld + c] * (double)a.k.at[j * a.ld + c] / sqrt((double)d);
                    most = s[j] > most ? s[j] : most;
                }
                for (size_t j = 0; j < n_keys; j++)
                    sum += s[j] = exp(s[j] - most);
                for (size_t c = 0; c < a.ld; c++) {
                    double expected = 0;
                    for (size_t j = 0; j < n_keys && c < d; j++)
                        expected += s[j] / sum * (double)a.v.at[j * a.ld + c];
                    if (c < d)
                        assert_true(fabs((double)a.out.at[i * a.ld + c] - expected) < 3e-5);
                    else /* between the rows nothing is written */
                        assert_true(a.out.at[i * a.ld + c] == before.at[i * a.ld + c]);
                }
            }
            free(before.whole);
            clear_attention(&a);
        }
    }
}

/* Far apart scores: all weight on one key, nothing overflows. */
static void attention_survives_large_scores(void **state)
{
    (void)state;
    attention_case a = make_attention(5, 5, 4);
    for (size_t i = 0; i < 5 * a.ld; i++)
        a.q.at[i] = a.k.at[i] = 0;
    for (size_t i = 0; i < 5; i++) {
        a.q.at[i * a.ld] = 1e15f;
        a.k.at[i * a.ld] = i == 3 ? 1e15f : -1e15f;
    }
    run_attention(mur_kernels_at(0), &a);
    for (size_t i = 0; i < 5; i++)
        for (size_t c = 0; c < 4; c++)
            assert_float_equal(a.out.at[i * a.ld + c], a.v.at[3 * a.ld + c], 1e-6f);
    clear_attention(&a);
}

static void check_same_bits(const mur_kernels *k, const mur_kernels *portable, size_t n, size_t off)
{
    floats x = random_floats(3 * n, off, 5), w = random_floats(n, off + 1, 2), b = random_floats(n, off + 2, 2);
    struct {
        void (*one)(float *, size_t), (*other)(float *, size_t);
    } each[] = {{k->gelu, k == portable ? k->gelu : mur_kernels_at(0)->gelu}, /* portably another approximation */
                {k->gelu_tanh, portable->gelu_tanh},
                {k->relu, portable->relu},
                {k->tanh, portable->tanh}};
    for (size_t f = 0; f < COUNT(each); f++) {
        floats y = copy_floats(&x, 3 * n, off + 3), z = copy_floats(&x, 3 * n, 0);
        each[f].one(y.at, 3 * n);
        each[f].other(z.at, 3 * n);
        assert_memory_equal(y.at, z.at, 3 * n * sizeof(float));
        free(y.whole);
        free(z.whole);
    }
    floats y = copy_floats(&x, 3 * n, off + 3), z = copy_floats(&x, 3 * n, 0);
    k->layer_norm(y.at, w.at, b.at, 3, n, 1e-5f);
    portable->layer_norm(z.at, w.at, b.at, 3, n, 1e-5f);
    assert_memory_equal(y.at, z.at, 3 * n * sizeof(float));
    k->add_to_rows(y.at, w.at, 3, n);
    portable->add_to_rows(z.at, w.at, 3, n);
    assert_memory_equal(y.at, z.at, 3 * n * sizeof(float));
    k->add_three(y.at, x.at, w.at, b.at, n);
    portable->add_three(z.at, x.at, w.at, b.at, n);
    assert_memory_equal(y.at, z.at, 3 * n * sizeof(float));
    free(y.whole);
    free(z.whole);
    free(x.whole);
    free(w.whole);
    free(b.whole);
}

/* Also the portable one against itself, at other addresses. */
static void every_instruction_set_gives_the_same_bits_at_any_address(void **state)
{
    (void)state;
    const mur_kernels *portable = NULL;
    size_t n_sets = 0;
    while (mur_kernels_at(n_sets))
        portable = mur_kernels_at(n_sets++);
    assert_non_null(portable);
    print_message("instruction sets here: %zu\n", n_sets);
    for (size_t set = 0; set < n_sets; set++) {
        const mur_kernels *k = mur_kernels_at(set);
        for (size_t n = 1; n < 150; n += n < 40 ? 1 : 13)
            check_same_bits(k, portable, n, n % 16);
        for (size_t h = 0; h < COUNT(head_sizes); h++) {
            for (size_t m = 0; m < COUNT(key_counts); m++) {
                attention_case a = make_attention(key_counts[m], key_counts[m], head_sizes[h]), other = a;
                size_t n = a.n_queries * a.ld;
                other.q = copy_floats(&a.q, n, 7);
                other.k = copy_floats(&a.k, n, 9);
                other.v = copy_floats(&a.v, n, 11);
                other.out = copy_floats(&a.out, n, 13);
                run_attention(k, &a);
                run_attention(portable, &other);
                assert_memory_equal(a.out.at, other.out.at, n * sizeof(float));
                clear_attention(&a);
                clear_attention(&other);
            }
        }
    }
}

static void linear_adds_the_bias_and_leaves_the_rest_of_the_rows(void **state)
{
    (void)state;
    const size_t n = 5, in = 7, out = 3, ld = 4;
    floats x = random_floats(n * in, 0, 1), w = random_floats(out * in, 0, 1), b = random_floats(out, 0, 1);
    floats y = random_floats(n * ld, 0, 1), sum = random_floats(n * out, 0, 1);
    floats y0 = copy_floats(&y, n * ld, 0), sum0 = copy_floats(&sum, n * out, 0);
    mur_linear(y.at, ld, x.at, w.at, b.at, n, in, out);
    mur_linear_add(mur_kernels_at(0), sum.at, x.at, w.at, b.at, n, in, out);
    for (size_t i = 0; i < n; i++) {
        for (size_t o = 0; o < out; o++) {
            double expected = (double)b.at[o];
            for (size_t k = 0; k < in; k++)
                expected += (double)x.at[i * in + k] * (double)w.at[o * in + k];
            assert_true(fabs((double)y.at[i * ld + o] - expected) < 1e-5);
            assert_true(fabs((double)sum.at[i * out + o] - (double)sum0.at[i * out + o] - expected) < 1e-5);
        }
        assert_true(y.at[i * ld + out] == y0.at[i * ld + out]);
    }
    floats *all[] = {&x, &w, &b, &y, &sum, &y0, &sum0};
    for (size_t i = 0; i < COUNT(all); i++)
        free(all[i]->whole);
}

/* ---- number formats ---- */

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* All 65,536 of each, at an odd address, against their definition. */
static void every_half_converts_exactly(void **state)
{
    (void)state;
    char *bytes = mur_alloc(65536 + 1, 2);
    float *f16 = mur_alloc(65536, sizeof *f16), *bf16 = mur_alloc(65536, sizeof *bf16);
    for (uint32_t i = 0; i < 65536; i++) {
        uint16_t half = (uint16_t)i;
        memcpy(bytes + 1 + 2 * i, &half, sizeof half);
    }
    mur_dtype_to_f32(f16, bytes + 1, MUR_DTYPE_F16, 65536);
    mur_dtype_to_f32(bf16, bytes + 1, MUR_DTYPE_BF16, 65536);
    for (uint32_t i = 0; i < 65536; i++) {
        assert_int_equal(bits_of(bf16[i]), i << 16);
        int exponent = i >> 10 & 31, mantissa = i & 1023;
        double magnitude = exponent == 0 ? ldexp(mantissa, -24) : ldexp(1024 + mantissa, exponent - 25);
        if (exponent == 31 && mantissa != 0) {
            assert_true(isnan(f16[i]));
            continue;
        }
        if (exponent == 31)
            magnitude = INFINITY;
        assert_true((double)f16[i] == (i >> 15 ? -magnitude : magnitude));
        assert_int_equal(bits_of(f16[i]) >> 31, i >> 15);
    }
    free(bytes);
    free(f16);
    free(bf16);
}

static void known_halves_have_their_known_values(void **state)
{
    (void)state;
    const uint16_t halves[] = {0x3C00, 0xC000, 0x7BFF, 0x0400, 0x03FF, 0x0001, 0x3555, 0x7C00};
    const float values[] = {1, -2, 65504, 0x1p-14f, 0x1.ff8p-15f, 0x1p-24f, 0x1.554p-2f, INFINITY};
    float out[8];
    mur_dtype_to_f32(out, halves, MUR_DTYPE_F16, 8);
    assert_memory_equal(out, values, sizeof values);
    const uint16_t brains[] = {0x3F80, 0xC000, 0x0001, 0x7F80, 0x4049};
    const float brain_values[] = {1, -2, 0x1p-133f, INFINITY, 3.140625f};
    mur_dtype_to_f32(out, brains, MUR_DTYPE_BF16, 5);
    assert_memory_equal(out, brain_values, sizeof brain_values);
    mur_dtype_to_f32(out, values, MUR_DTYPE_F32, 8);
    assert_memory_equal(out, values, sizeof values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_is_within_its_bound),
        cmocka_unit_test(tanh_is_within_its_bound),
        cmocka_unit_test(erf_is_within_its_bound),
        cmocka_unit_test(activations_are_transformers),
        cmocka_unit_test(layer_norm_agrees_with_double_precision),
        cmocka_unit_test(attention_agrees_with_double_precision),
        cmocka_unit_test(attention_survives_large_scores),
        cmocka_unit_test(every_instruction_set_gives_the_same_bits_at_any_address),
        cmocka_unit_test(linear_adds_the_bias_and_leaves_the_rest_of_the_rows),
        cmocka_unit_test(every_half_converts_exactly),
        cmocka_unit_test(known_halves_have_their_known_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
