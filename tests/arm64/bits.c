/* Prints a hash of what each kernel of the best set of instructions makes of the same numbers: equal on every machine.
 * Compiled for two machines by check_arm64.py, without any library: BLAS, which has no part in it, is a stand-in. */
#include <cblas.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "int8.h"
#include "murmur/mem.h"

/* Never called: fp32 products are BLAS's, whose bits are its own. */
void cblas_sgemm(OPENBLAS_CONST enum CBLAS_ORDER order, OPENBLAS_CONST enum CBLAS_TRANSPOSE transpose_a,
                 OPENBLAS_CONST enum CBLAS_TRANSPOSE transpose_b, OPENBLAS_CONST blasint m, OPENBLAS_CONST blasint n,
                 OPENBLAS_CONST blasint k, OPENBLAS_CONST float alpha, OPENBLAS_CONST float *a,
                 OPENBLAS_CONST blasint lda, OPENBLAS_CONST float *b, OPENBLAS_CONST blasint ldb,
                 OPENBLAS_CONST float beta, float *c, OPENBLAS_CONST blasint ldc)
{
    (void)order, (void)transpose_a, (void)transpose_b, (void)m, (void)n, (void)k, (void)alpha, (void)a, (void)lda;
    (void)b, (void)ldb, (void)beta, (void)c, (void)ldc;
    abort();
}

static uint32_t random_state = 2463534242u;

static float *numbers(size_t n, float range)
{
    float *x = mur_alloc(n, sizeof *x);
    for (size_t i = 0; i < n; i++) {
        random_state ^= random_state << 13;
        random_state ^= random_state >> 17;
        random_state ^= random_state << 5;
        x[i] = ((float)(random_state >> 8) * 0x1p-23f - 1.0f) * range;
    }
    return x;
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv */
static void tell(const char *what, const void *bytes, size_t len)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001B3);
    printf("%s %016" PRIx64 "\n", what, hash);
}

/* All but gelu, which is another approximation where nothing fuses (kernels.h). */
static void tell_activations(const mur_kernels *k)
{
    const struct {
        const char *name;
        void (*f)(float *x, size_t n);
    } all[] = {{"gelu_coarse", k->gelu_coarse}, {"gelu_tanh", k->gelu_tanh}, {"relu", k->relu}, {"tanh", k->tanh}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        float *x = numbers(5003, 6);
        all[i].f(x, 5003);
        tell(all[i].name, x, 5003 * sizeof *x);
        free(x);
    }
}

static void tell_rows(const mur_kernels *k)
{
    float *x = numbers(9 * 301, 3), *w = numbers(12 * 301, 1), *b = numbers(301, 1), y[9 * 12];
    k->add_to_rows(x, b, 9, 301);
    k->layer_norm(x, w, b, 9, 301, 1e-5f);
    tell("layer_norm", x, 9 * 301 * sizeof *x);
    k->linear_by_rows(y, 12, x, w, b, 9, 301, 12);
    tell("linear_by_rows", y, sizeof y);
    free(x);
    free(w);
    free(b);
}

static void tell_attention(const mur_kernels *k, size_t n, size_t d)
{
    float *qkv = numbers(n * 3 * d, 2), *out = mur_alloc(n, d * sizeof *out);
    float *scratch = mur_try_alloc(mur_attention_scratch(n, d), sizeof *scratch);
    if (!scratch)
        abort();
    k->attention(&(mur_attention){out, qkv, qkv + d, qkv + 2 * d, n, n, d, d, 3 * d, scratch});
    tell("attention", out, n * d * sizeof *out);
    free(qkv);
    free(out);
    free(scratch);
}

static void tell_int8(const mur_kernels *k, size_t n, size_t in, size_t out)
{
    float *x = numbers(n * in, 3), *weights = numbers(out * in, 0.2f), *bias = numbers(out, 1);
    void *packed = mur_try_alloc(1, mur_packing_int8.bytes(out, in));
    mur_int8_rows rows = {mur_try_alloc(n, mur_int8_stride(in)), mur_alloc(n, sizeof(float)), in};
    if (!packed || !rows.values)
        abort();
    memset(rows.values, 0, n * mur_int8_stride(in));
    memset(packed, 0, mur_packing_int8.bytes(out, in));
    mur_packing_int8.pack(packed, out, in, 0, weights, out);
    const mur_int8_matrix w = mur_int8_matrix_at(packed, out, in);
    mur_int8_round(k, &rows, x, n);
    for (int then = MUR_THEN_SET; then <= MUR_THEN_GELU; then++) {
        float *y = numbers(n * out, 1);
        mur_int8_linear(k, &(mur_int8_product){&rows, n, &w, 0, out, bias, y, out, (mur_then)then, NULL});
        tell("int8", y, n * out * sizeof *y);
        free(y);
    }
    free(x);
    free(weights);
    free(bias);
    free(packed);
    free(rows.values);
    free(rows.scales);
}

int main(void)
{
    const mur_kernels *k = mur_kernels_at(0);
    tell_activations(k);
    tell_rows(k);
    tell_attention(k, 21, 64);
    tell_attention(k, 50, 20);
    tell_int8(k, 30, 256, 96);
    tell_int8(k, 13, 70, 37);
    fprintf(stderr, "%s\n", k->name);
    return 0;
}
