#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include "../../src/model/approx.h"
#include "../../src/model/int8.h"
#include "murmur/error.h"
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

static float *random_floats(size_t n, float range)
{
    float *x = mur_try_alloc(n, sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = ((float)(random_bits() >> 8) * 0x1p-23f - 1.0f) * range;
    return x;
}

static mur_int8_rows make_rows(size_t n, size_t width)
{
    mur_int8_rows r = {mur_try_alloc(n, mur_int8_stride(width)), mur_alloc(n, sizeof(float)), width};
    assert_non_null(r.values);
    memset(r.values, 0xA5, n * mur_int8_stride(width)); /* what is behind a row does not matter */
    return r;
}

static void clear_rows(mur_int8_rows *r)
{
    free(r->values);
    free(r->scales);
}

/* What a layer is rounded to, by rule: q = round(x · 127 / max|x|) to even, scale = max|x| / 127. */
static float round_plainly(int *q, const float *x, size_t n)
{
    float most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmaxf(most, fabsf(x[i]));
    for (size_t i = 0; i < n; i++)
        q[i] = most > 0 ? (int)nearbyintf(x[i] * (127.0f / most)) : 0;
    return most * (1.0f / 127);
}

typedef struct layer {
    size_t n, in, out;
    float *x, *w, *bias;
    void *packed;
} layer;

static layer make_layer(size_t n, size_t in, size_t out)
{
    layer l = {n, in, out, random_floats(n * in, 3), random_floats(out * in, 0.2f), random_floats(out, 1), NULL};
    l.packed = mur_try_alloc(1, mur_packing_int8.bytes(out, in));
    assert_non_null(l.packed);
    return l;
}

static void pack(layer *l)
{
    size_t half = l->out / 2; /* in two pieces, as queries, keys and values come */
    memset(l->packed, 0, mur_packing_int8.bytes(l->out, l->in));
    mur_packing_int8.pack(l->packed, l->out, l->in, half, l->w + half * l->in, l->out - half);
    mur_packing_int8.pack(l->packed, l->out, l->in, 0, l->w, half);
}

static void clear_layer(layer *l)
{
    free(l->x);
    free(l->w);
    free(l->bias);
    free(l->packed);
}

/* The whole layer as three loops; y[n,out]. */
static void multiply_plainly(float *y, const layer *l)
{
    int *q = mur_alloc(l->in, sizeof *q), *p = mur_alloc(l->in, sizeof *p);
    for (size_t i = 0; i < l->n; i++) {
        float row_scale = round_plainly(q, l->x + i * l->in, l->in);
        for (size_t o = 0; o < l->out; o++) {
            float scale = round_plainly(p, l->w + o * l->in, l->in);
            int64_t sum = 0;
            for (size_t k = 0; k < l->in; k++)
                sum += q[k] * p[k];
            y[i * l->out + o] = (float)sum * (row_scale * scale) + l->bias[o];
        }
    }
    free(q);
    free(p);
}

static float become(mur_then then, float y, float v)
{
    switch (then) {
    case MUR_THEN_SET: return v;
    case MUR_THEN_ADD: return y + v;
    case MUR_THEN_GELU: break;
    }
    return mur_gelu_coarse(v);
}

/* With every set of instructions, into rows that are wider than the result, for a range of the outputs, added or not.
 */
static void check_layer(layer *l)
{
    pack(l);
    float *expected = mur_alloc(l->n * l->out, sizeof *expected);
    multiply_plainly(expected, l);
    const mur_int8_matrix w = mur_int8_matrix_at(l->packed, l->out, l->in);
    size_t first = random_between(0, l->out - 1), n_outputs = random_between(1, l->out - first), ld = l->out + 3;
    for (size_t set = 0; mur_kernels_at(set); set++) {
        const mur_kernels *k = mur_kernels_at(set);
        mur_int8_rows x = make_rows(l->n, l->in);
        mur_int8_round(k, &x, l->x, l->n);
        for (int then = MUR_THEN_SET; then <= MUR_THEN_GELU; then++) {
            float *y = random_floats(l->n * ld, 1), *before = mur_alloc(l->n * ld, sizeof *before);
            memcpy(before, y, l->n * ld * sizeof *y);
            mur_int8_linear(k, &(mur_int8_product){.x = &x,
                                                   .n = l->n,
                                                   .w = &w,
                                                   .first = first,
                                                   .n_outputs = n_outputs,
                                                   .bias = l->bias + first,
                                                   .y = y,
                                                   .ld_y = ld,
                                                   .then = (mur_then)then,
                                                   .next = w.panels});
            for (size_t i = 0; i < l->n; i++) {
                for (size_t c = 0; c < ld; c++) {
                    float want = before[i * ld + c];
                    if (c < n_outputs)
                        want = become((mur_then)then, want, expected[i * l->out + first + c]);
                    assert_true(y[i * ld + c] == want);
                }
            }
            free(y);
            free(before);
        }
        clear_rows(&x);
    }
    free(expected);
}

static void linear_is_the_plain_triple_loop_on_every_instruction_set(void **state)
{
    (void)state;
    for (int round = 0; round < 120; round++) {
        layer l = make_layer(random_between(1, round % 3 ? 14 : 40), random_between(1, round % 4 ? 70 : 700),
                             random_between(1, round % 5 ? 70 : 200));
        check_layer(&l);
        clear_layer(&l);
    }
}

static void linear_takes_more_rows_than_a_block_has(void **state)
{
    (void)state;
    layer l = make_layer(171, 3001, 33);
    check_layer(&l);
    clear_layer(&l);
}

/* Where every product is the greatest: 16 bits would saturate, and 32 would pass without the offset. */
static void sums_of_the_greatest_products_are_exact(void **state)
{
    (void)state;
    for (int signs = 0; signs < 4; signs++) {
        layer l = make_layer(5, 60001, 3);
        for (size_t i = 0; i < l.n * l.in; i++)
            l.x[i] = signs & 1 ? -2.0f : 2.0f;
        for (size_t i = 0; i < l.out * l.in; i++)
            l.w[i] = signs & 2 ? -0.5f : 0.5f;
        check_layer(&l);
        clear_layer(&l);
    }
}

static void rounding_is_within_half_a_step_and_the_same_everywhere(void **state)
{
    (void)state;
    for (size_t width = 1; width < 200; width += width < 70 ? 1 : 31) {
        float *x = random_floats(width, 5);
        x[random_between(0, width - 1)] *= width % 3 ? 1 : 100; /* one far from the rest */
        int *q = mur_alloc(width, sizeof *q);
        float scale = round_plainly(q, x, width);
        for (size_t set = 0; mur_kernels_at(set); set++) {
            mur_int8_rows r = make_rows(1, width);
            mur_int8_round(mur_kernels_at(set), &r, x, 1);
            assert_true(r.scales[0] == scale);
            for (size_t i = 0; i < width; i++) {
                assert_int_equal(r.values[i] - 128, q[i]);
                assert_true(fabsf((float)(r.values[i] - 128) * r.scales[0] - x[i]) <= 0.5001f * r.scales[0]);
            }
            clear_rows(&r);
        }
        free(q);
        free(x);
    }
}

static void rows_of_nothing_are_zeros(void **state)
{
    (void)state;
    const float rows[][3] = {{0, 0, 0}, {0, -0.0f, 1e-38f}, {1e-40f, -1e-44f, 0}};
    for (size_t set = 0; mur_kernels_at(set); set++) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            mur_int8_rows r = make_rows(1, 3);
            mur_int8_round(mur_kernels_at(set), &r, rows[i], 1);
            assert_true(r.values[0] == 128 && r.values[1] == 128 && r.values[2] == 128);
            assert_true(r.scales[0] >= 0 && r.scales[0] < 1e-38f);
            clear_rows(&r);
        }
    }
}

/* A network that runs over must not take the program with it. */
static void infinities_and_nan_come_out_as_such(void **state)
{
    (void)state;
    layer l = make_layer(2, 5, 4);
    l.x[1] = INFINITY;
    l.x[7] = NAN;
    pack(&l);
    const mur_int8_matrix w = mur_int8_matrix_at(l.packed, l.out, l.in);
    for (size_t set = 0; mur_kernels_at(set); set++) {
        mur_int8_rows x = make_rows(2, 5);
        float y[8];
        mur_int8_round(mur_kernels_at(set), &x, l.x, 2);
        mur_int8_linear(mur_kernels_at(set), &(mur_int8_product){&x, 2, &w, 0, 4, l.bias, y, 4, MUR_THEN_SET, NULL});
        for (size_t i = 0; i < 8; i++)
            assert_false(isfinite(y[i]));
        clear_rows(&x);
    }
    clear_layer(&l);
}

static void linear_by_rows_gives_a_row_the_same_bits_in_any_company(void **state)
{
    (void)state;
    for (int round = 0; round < 40; round++) {
        size_t n = random_between(1, 9), in = random_between(1, 90), out = random_between(1, 20), ld = out + 2;
        float *x = random_floats(n * in, 1), *w = random_floats(out * in, 1), *b = random_floats(out, 1);
        float *y = mur_alloc(n * ld, sizeof *y), *alone = mur_alloc(out, sizeof *alone);
        for (size_t set = 0; mur_kernels_at(set); set++) {
            mur_kernels_at(set)->linear_by_rows(y, ld, x, w, b, n, in, out);
            for (size_t i = 0; i < n; i++) {
                mur_kernels_at(0)->linear_by_rows(alone, out, x + i * in, w, b, 1, in, out);
                assert_memory_equal(alone, y + i * ld, out * sizeof *y);
                for (size_t o = 0; o < out; o++) {
                    double sum = (double)b[o];
                    for (size_t k = 0; k < in; k++)
                        sum += (double)x[i * in + k] * (double)w[o * in + k];
                    assert_true(fabs(sum - (double)alone[o]) < 1e-5);
                }
                assert_true(y[i * ld + out] == 0 && y[i * ld + out + 1] == 0);
            }
        }
        free(x);
        free(w);
        free(b);
        free(y);
        free(alone);
    }
}

static void the_environment_names_an_instruction_set(void **state)
{
    (void)state;
    const mur_kernels *k = NULL;
    for (size_t set = 0; mur_kernels_at(set); set++) {
        setenv("MURMUR_ISA", mur_kernels_at(set)->name, 1);
        assert_int_equal(mur_kernels_choose(&k), 0);
        assert_ptr_equal(k, mur_kernels_at(set));
    }
    assert_string_equal(k->name, "portable");
    setenv("MURMUR_ISA", "", 1);
    assert_int_equal(mur_kernels_choose(&k), 0);
    assert_ptr_equal(k, mur_kernels_at(0));
    setenv("MURMUR_ISA", "sparc", 1);
    assert_int_equal(mur_kernels_choose(&k), MUR_EUSAGE);
    assert_non_null(strstr(mur_error_last()->message, "MURMUR_ISA=sparc"));
    assert_non_null(strstr(mur_error_last()->message, "portable"));
    unsetenv("MURMUR_ISA");
}

#if defined(__x86_64__)
/* From here on the system refuses tiles: arch_prctl(ARCH_REQ_XCOMP_PERM, …). */
static int refuse_tiles(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_arch_prctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x1023, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Comes first: the system is asked once in a process. */
static void where_the_system_refuses_tiles_there_are_none(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (refuse_tiles())
            _exit(77);
        size_t n = 0;
        bool has_amx = false;
        for (; mur_kernels_at(n); n++)
            has_amx |= strcmp(mur_kernels_at(n)->name, "amx") == 0;
        _exit(has_amx || n == 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#if defined(__x86_64__)
        cmocka_unit_test(where_the_system_refuses_tiles_there_are_none),
#endif
        cmocka_unit_test(linear_is_the_plain_triple_loop_on_every_instruction_set),
        cmocka_unit_test(linear_takes_more_rows_than_a_block_has),
        cmocka_unit_test(sums_of_the_greatest_products_are_exact),
        cmocka_unit_test(rounding_is_within_half_a_step_and_the_same_everywhere),
        cmocka_unit_test(rows_of_nothing_are_zeros),
        cmocka_unit_test(infinities_and_nan_come_out_as_such),
        cmocka_unit_test(linear_by_rows_gives_a_row_the_same_bits_in_any_company),
        cmocka_unit_test(the_environment_names_an_instruction_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
