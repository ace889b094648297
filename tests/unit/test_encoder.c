#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "../../src/model/kernels.h"
#include "model_folder.h"
#include "murmur/encoder.h"
#include "murmur/json.h"

#define TOLERANCE 1e-4 /* of fp32 logits against double ones: DESIGN's promise */

/* ---- the network once more, in double precision, one text at a time, as docs/MODEL.md tells it ---- */

static const float *values_of(test_model *m, const char *format, int layer, const char *name)
{
    char full[128];
    snprintf(full, sizeof full, format, layer);
    snprintf(full + strlen(full), sizeof full - strlen(full), "%s", name);
    const test_tensor *t = test_find_tensor(m, full);
    assert_non_null(t);
    return t->values;
}

#define LAYER "roberta.encoder.layer.%d."

static void reference_linear(double *y, const double *x, const float *w, const float *b, size_t n, size_t in,
                             size_t out)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t o = 0; o < out; o++) {
            y[i * out + o] = (double)b[o];
            for (size_t k = 0; k < in; k++)
                y[i * out + o] += x[i * in + k] * (double)w[o * in + k];
        }
    }
}

static void reference_norm(double *x, const float *w, const float *b, size_t n, size_t width, double eps)
{
    for (size_t i = 0; i < n; i++, x += width) {
        double mean = 0, variance = 0;
        for (size_t j = 0; j < width; j++)
            mean += x[j] / (double)width;
        for (size_t j = 0; j < width; j++)
            variance += (x[j] - mean) * (x[j] - mean) / (double)width;
        for (size_t j = 0; j < width; j++)
            x[j] = (x[j] - mean) / sqrt(variance + eps) * (double)w[j] + (double)b[j];
    }
}

static double reference_activation(double x, const char *name)
{
    if (strcmp(name, "relu") == 0)
        return x > 0 ? x : 0;
    if (strcmp(name, "gelu") == 0)
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
}

/* context[n,h] of q, k, v[n,h] */
static void reference_attention(double *context, const double *q, const double *k, const double *v, size_t n, size_t h,
                                size_t heads)
{
    size_t d = h / heads;
    double *s = mur_alloc(n, sizeof *s);
    for (size_t head = 0; head < heads; head++) {
        for (size_t i = 0; i < n; i++) {
            double most = -INFINITY, sum = 0;
            for (size_t j = 0; j < n; j++) {
                s[j] = 0;
                for (size_t c = head * d; c < (head + 1) * d; c++)
                    s[j] += q[i * h + c] * k[j * h + c] / sqrt((double)d);
                most = s[j] > most ? s[j] : most;
            }
            for (size_t j = 0; j < n; j++)
                sum += s[j] = exp(s[j] - most);
            for (size_t c = head * d; c < (head + 1) * d; c++) {
                context[i * h + c] = 0;
                for (size_t j = 0; j < n; j++)
                    context[i * h + c] += s[j] / sum * v[j * h + c];
            }
        }
    }
    free(s);
}

static void reference_logits(double *logits, test_model *m, const int32_t *ids, size_t n)
{
    size_t h = (size_t)m->hidden, inner = (size_t)m->inner;
    double *x = mur_alloc(n * h, sizeof *x), *y = mur_alloc(n * h, sizeof *y), *wide = mur_alloc(n * inner, sizeof *x);
    double *q = mur_alloc(n * h, sizeof *q), *k = mur_alloc(n * h, sizeof *k), *v = mur_alloc(n * h, sizeof *v);

    const float *words = values_of(m, "roberta.embeddings.", 0, "word_embeddings.weight");
    const float *positions = values_of(m, "roberta.embeddings.", 0, "position_embeddings.weight");
    const float *types = values_of(m, "roberta.embeddings.", 0, "token_type_embeddings.weight");
    bool is_roberta = m->architecture == TEST_ROBERTA, is_distilbert = m->architecture == TEST_DISTILBERT;
    double eps = is_distilbert ? 1e-12 : m->eps;
    int next = m->pad + 1;
    for (size_t i = 0; i < n; i++) {
        size_t position = !is_roberta ? i : (size_t)(ids[i] == m->pad ? m->pad : next++);
        for (size_t c = 0; c < h; c++)
            x[i * h + c] = (double)words[(size_t)ids[i] * h + c] + (double)positions[position * h + c] +
                           (is_distilbert ? 0 : (double)types[c]);
    }
    reference_norm(x, values_of(m, "roberta.embeddings.", 0, "LayerNorm.weight"),
                   values_of(m, "roberta.embeddings.", 0, "LayerNorm.bias"), n, h, eps);

    for (int l = 0; l < m->layers; l++) {
#define WEIGHTS(name) values_of(m, LAYER, l, name ".weight"), values_of(m, LAYER, l, name ".bias")
        reference_linear(q, x, WEIGHTS("attention.self.query"), n, h, h);
        reference_linear(k, x, WEIGHTS("attention.self.key"), n, h, h);
        reference_linear(v, x, WEIGHTS("attention.self.value"), n, h, h);
        reference_attention(y, q, k, v, n, h, (size_t)m->heads);
        reference_linear(q, y, WEIGHTS("attention.output.dense"), n, h, h);
        for (size_t i = 0; i < n * h; i++)
            x[i] += q[i];
        reference_norm(x, WEIGHTS("attention.output.LayerNorm"), n, h, eps);
        reference_linear(wide, x, WEIGHTS("intermediate.dense"), n, h, inner);
        for (size_t i = 0; i < n * inner; i++)
            wide[i] = reference_activation(wide[i], m->activation);
        reference_linear(y, wide, WEIGHTS("output.dense"), n, inner, h);
        for (size_t i = 0; i < n * h; i++)
            x[i] += y[i];
        reference_norm(x, WEIGHTS("output.LayerNorm"), n, h, eps);
#undef WEIGHTS
    }
    reference_linear(y, x, values_of(m, "classifier.", 0, "dense.weight"), values_of(m, "classifier.", 0, "dense.bias"),
                     1, h, h);
    for (size_t c = 0; c < h; c++)
        y[c] = is_distilbert ? (y[c] > 0 ? y[c] : 0) : tanh(y[c]);
    reference_linear(logits, y, values_of(m, "classifier.", 0, "out_proj.weight"),
                     values_of(m, "classifier.", 0, "out_proj.bias"), 1, h, (size_t)m->labels);
    free(x);
    free(y);
    free(wide);
    free(q);
    free(k);
    free(v);
}

/* ---- batches ---- */

typedef struct batch {
    int32_t *ids;
    size_t *starts;
    size_t n_texts;
} batch;

static batch random_batch(const test_model *m, size_t n_texts)
{
    int longest = m->architecture == TEST_ROBERTA ? m->positions - m->pad - 1 : m->positions;
    batch b = {mur_alloc(n_texts * (size_t)longest, sizeof *b.ids), mur_alloc(n_texts + 1, sizeof *b.starts), n_texts};
    for (size_t text = 0; text < n_texts; text++) {
        size_t len = (size_t)(text == 0 ? longest : text == 1 ? 1 : test_between(1, longest));
        for (size_t i = 0; i < len; i++)
            b.ids[b.starts[text] + i] = (int32_t)test_between(0, m->vocab - 1);
        b.starts[text + 1] = b.starts[text] + len;
    }
    return b;
}

static void clear_batch(batch *b)
{
    free(b->ids);
    free(b->starts);
}

static void check_model(test_model *m)
{
    mur_model *model = NULL;
    void *block;
    assert_done(test_load_model(&model, &block, m->folder));
    batch b = random_batch(m, 7);
    size_t labels = (size_t)m->labels;
    mur_encoder *e = NULL;
    assert_int_equal(mur_encoder_open(&e, model, b.starts[b.n_texts]), 0);
    float *logits = mur_alloc(b.n_texts * labels, sizeof *logits);
    double *expected = mur_alloc(labels, sizeof *expected);
    mur_encoder_run(e, b.ids, b.starts, b.n_texts, logits);
    for (size_t text = 0; text < b.n_texts; text++) {
        reference_logits(expected, m, b.ids + b.starts[text], b.starts[text + 1] - b.starts[text]);
        for (size_t i = 0; i < labels; i++)
            assert_true(fabs((double)logits[text * labels + i] - expected[i]) < TOLERANCE);
    }
    mur_encoder_close(&e);
    mur_model_close(&model);
    free(block);
    free(expected);
    free(logits);
    clear_batch(&b);
}

/* ---- cases ---- */

static test_model random_model(int round)
{
    static const char *const activations[] = {"gelu", "gelu_new", "gelu_pytorch_tanh", "relu"};
    test_model m = test_small_model();
    m.architecture = (test_architecture)(round / 4 % 3);
    m.is_bare = test_random() % 3 == 0;
    m.is_old = test_random() % 3 == 0;
    m.heads = round % 4 == 0 ? 1 : test_between(1, 5);
    m.hidden = m.heads * test_between(1, 23);
    m.layers = test_between(1, 3);
    m.inner = test_between(1, 90);
    m.vocab = test_between(3, 200);
    m.pad = test_between(0, 2);
    m.positions = m.pad + 1 + test_between(2, 45);
    m.types = test_between(1, 2);
    m.labels = test_between(2, 3);
    m.activation = activations[round % 4];
    m.eps = round % 2 ? 1e-5 : 1e-12;
    if (m.labels == 2)
        snprintf(m.id2label, sizeof m.id2label, "{\"0\": \"NEGATIVE\", \"1\": \"POSITIVE\"}");
    return m;
}

static void any_shape_agrees_with_the_double_precision_network(void **state)
{
    (void)state;
    for (int round = 0; round < 48; round++) {
        test_model m = random_model(round);
        test_add_tensors(&m);
        test_shuffle_tensors(&m);
        for (size_t i = 0; i < m.n_tensors; i++)
            if (m.tensors[i].as != AS_I64)
                m.tensors[i].as = (stored_as)(test_random() % N_STORED);
        m.header_padding = (size_t)test_between(0, 9);
        assert_int_equal(test_write_model(&m), 0);
        check_model(&m);
        test_clear_model(&m);
    }
}

/* ---- all precisions, by every instruction set ---- */

/* Logits of the batch's texts, `per_batch` texts at a time, by the instruction set of that name; `kernel` is what
 * mur_model_kernel says of it. */
static float *logits_by(const test_model *m, mur_precision precision, const batch *b, size_t per_batch, const char *set,
                        char kernel[64])
{
    size_t labels = (size_t)m->labels;
    float *logits = mur_alloc(b->n_texts * labels, sizeof *logits);
    size_t *starts = mur_alloc(per_batch + 1, sizeof *starts);
    mur_model *model = NULL;
    mur_encoder *e = NULL;
    void *block;
    setenv("MURMUR_ISA", set, 1);
    assert_done(test_load_model_as(&model, &block, m->folder, precision));
    unsetenv("MURMUR_ISA");
    assert_int_equal(mur_model_precision(model), precision);
    snprintf(kernel, 64, "%s", mur_model_kernel(model));
    assert_int_equal(mur_encoder_open(&e, model, b->starts[b->n_texts]), 0);
    for (size_t first = 0; first < b->n_texts; first += per_batch) {
        size_t n = b->n_texts - first < per_batch ? b->n_texts - first : per_batch;
        for (size_t i = 0; i <= n; i++)
            starts[i] = b->starts[first + i] - b->starts[first];
        mur_encoder_run(e, b->ids + b->starts[first], starts, n, logits + first * labels);
    }
    mur_encoder_close(&e);
    mur_model_close(&model);
    free(block);
    free(starts);
    return logits;
}

/* How far logits may be from the double network's. fp32's bound is DESIGN's promise. The others' are in units of the
 * logits' root mean square, and for these shapes: of few numbers each rounding weighs more. Real models are wider and
 * closer (docs/MODEL.md). */
typedef struct bound {
    double absolute, relative;
} bound;
static const bound bounds[MUR_N_PRECISIONS] = {
    [MUR_PRECISION_FP32] = {TOLERANCE, INFINITY},
    [MUR_PRECISION_BF16] = {INFINITY, 0.05},
    [MUR_PRECISION_INT8] = {INFINITY, 0.15},
};

/* Every instruction set is within the bound, and sets of one kernel type give a text the same bits in any company;
 * where BLAS multiplies, only in the same. Returns the greatest difference, in units of the logits' root mean square.
 */
static double check_model_as(test_model *m, size_t n_texts, mur_precision precision)
{
    batch b = random_batch(m, n_texts);
    size_t labels = (size_t)m->labels, n = b.n_texts * labels;
    double *expected = mur_alloc(n, sizeof *expected), squares = 0, worst = 0;
    for (size_t text = 0; text < b.n_texts; text++)
        reference_logits(expected + text * labels, m, b.ids + b.starts[text], b.starts[text + 1] - b.starts[text]);
    for (size_t i = 0; i < n; i++)
        squares += expected[i] * expected[i];
    const double unit = sqrt(squares / (double)n);

    float *first = NULL;
    char first_kernel[64], kernel[64];
    for (size_t set = 0; mur_kernels_at(set); set++) {
        float *logits = logits_by(m, precision, &b, set == 0 ? n_texts : set, mur_kernels_at(set)->name, kernel);
        for (size_t i = 0; i < n; i++) {
            double off = fabs((double)logits[i] - expected[i]);
            assert_true(off < bounds[precision].absolute && off / unit < bounds[precision].relative);
            worst = off / unit > worst ? off / unit : worst;
        }
        if (!first) {
            first = logits;
            memcpy(first_kernel, kernel, sizeof kernel);
            continue;
        }
        if (strcmp(kernel, first_kernel) == 0 && strcmp(kernel, mur_blas_kernel()) != 0)
            assert_memory_equal(logits, first, n * sizeof *logits);
        free(logits);
    }
    free(first);
    free(expected);
    clear_batch(&b);
    return worst;
}

static void any_shape_is_near_and_has_the_same_bits_everywhere(mur_precision precision)
{
    double worst = 0;
    for (int round = 0; round < 48; round++) {
        test_model m = random_model(round);
        if (precision != MUR_PRECISION_FP32) {
            m.heads = m.heads > 3 ? 3 : m.heads;
            m.hidden = m.heads * test_between((24 + m.heads - 1) / m.heads, 45);
            m.inner += 24;
        }
        test_add_tensors(&m);
        test_shuffle_tensors(&m);
        assert_int_equal(test_write_model(&m), 0);
        double off = check_model_as(&m, 7, precision);
        worst = off > worst ? off : worst;
        test_clear_model(&m);
    }
    print_message("%s: %.6f of the logits' root mean square at most\n", mur_precision_name(precision), worst);
}

static void any_shape_in_fp32_is_near_and_has_the_same_bits_everywhere(void **state)
{
    (void)state;
    any_shape_is_near_and_has_the_same_bits_everywhere(MUR_PRECISION_FP32);
}

static void any_shape_in_bf16_is_near_and_has_the_same_bits_everywhere(void **state)
{
    (void)state;
    any_shape_is_near_and_has_the_same_bits_everywhere(MUR_PRECISION_BF16);
}

static void any_shape_in_int8_is_near_and_has_the_same_bits_everywhere(void **state)
{
    (void)state;
    any_shape_is_near_and_has_the_same_bits_everywhere(MUR_PRECISION_INT8);
}

/* More rows than go through the feed-forward at a time, and inside it more inputs than go into one piece of sums. */
static void every_precision_takes_texts_of_512_tokens(void **state)
{
    (void)state;
    test_model m = test_small_model();
    m.architecture = TEST_ROBERTA;
    m.hidden = 2 * 31;
    m.heads = 2;
    m.inner = 1601;
    m.layers = 1;
    m.pad = 1;
    m.positions = 514;
    test_add_tensors(&m);
    assert_int_equal(test_write_model(&m), 0);
    for (int p = 0; p < MUR_N_PRECISIONS; p++)
        check_model_as(&m, 2, (mur_precision)p);
    test_clear_model(&m);
}

/* A text may spell the padding token. transformers gives it the position before the first and does not count it. */
static void spelled_padding_does_not_move_the_positions(void **state)
{
    (void)state;
    test_model m = test_small_model();
    m.vocab = 3; /* so that every third id or so is the padding's */
    test_add_tensors(&m);
    assert_int_equal(test_write_model(&m), 0);
    check_model(&m);
    test_clear_model(&m);
}

static void same_batch_gives_the_same_bits_from_another_encoder(void **state)
{
    (void)state;
    test_model m = test_small_model();
    test_add_tensors(&m);
    assert_int_equal(test_write_model(&m), 0);
    mur_model *model = NULL;
    void *block;
    assert_int_equal(test_load_model(&model, &block, m.folder), 0);
    batch b = random_batch(&m, 9), other = random_batch(&m, 20);
    float first[27], again[27], between[60];
    mur_encoder *one = NULL, *two = NULL;
    assert_int_equal(mur_encoder_open(&one, model, b.starts[9]), 0);
    assert_int_equal(mur_encoder_open(&two, model, 1000), 0);
    mur_encoder_run(one, b.ids, b.starts, 9, first);
    mur_encoder_run(two, other.ids, other.starts, 20, between); /* leaves other scratch behind */
    mur_encoder_run(two, b.ids, b.starts, 9, again);
    assert_memory_equal(first, again, sizeof first);
    assert_true(memcmp(first, between, sizeof first) != 0);
    mur_encoder_run(two, b.ids, b.starts, 0, again); /* no texts: nothing is touched */
    assert_memory_equal(first, again, sizeof first);
    mur_encoder_close(&one);
    mur_encoder_close(&two);
    mur_model_close(&model);
    free(block);
    clear_batch(&b);
    clear_batch(&other);
    test_clear_model(&m);
}

static void impossible_scratch_is_refused_with_a_message(void **state)
{
    (void)state;
    test_model m = test_small_model();
    test_add_tensors(&m);
    assert_int_equal(test_write_model(&m), 0);
    mur_model *model = NULL;
    assert_int_equal(mur_model_open(&model, m.folder, NULL), 0);
    mur_encoder *e = NULL;
    assert_int_equal(mur_encoder_open(&e, model, SIZE_MAX / 8), MUR_EINTERNAL);
    assert_null(e);
    assert_non_null(strstr(mur_error_last()->message, "out of memory"));
    mur_model_close(&model);
    test_clear_model(&m);
}

static void measured_runs_give_the_same_bits_and_count_every_kernel(void **state)
{
    (void)state;
    const mur_model_shape shape = {"tiny", 50, 24, 3, 2, 40, 20};
    const int32_t ids[] = {0, 7, 49, 2, 0, 30, 2};
    const size_t starts[] = {0, 4, 7};
    float plain[2 * MUR_N_SENTIMENTS], measured[2 * MUR_N_SENTIMENTS];
    double seconds[MUR_N_KERNELS] = {0};
    for (int is_measured = 0; is_measured < 2; is_measured++) {
        mur_model *model;
        mur_encoder *e;
        assert_int_equal(mur_model_open_random(&model, &shape), 0);
        void *block = mur_try_alloc(1, mur_model_block_bytes(model));
        assert_non_null(block);
        assert_int_equal(mur_model_load(model, block), 0);
        mur_model_bind(model, block);
        assert_int_equal(mur_encoder_open(&e, model, 7), 0);
        if (is_measured)
            mur_encoder_measure(e, seconds);
        mur_encoder_run(e, ids, starts, 2, is_measured ? measured : plain);
        mur_encoder_close(&e);
        mur_model_close(&model);
        free(block);
    }
    assert_memory_equal(plain, measured, sizeof plain);
    assert_memory_not_equal(plain, plain + MUR_N_SENTIMENTS, MUR_N_SENTIMENTS * sizeof *plain);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_true(isfinite(plain[i]));
    for (int k = 0; k < MUR_N_KERNELS; k++) {
        assert_non_null(mur_kernel_name((mur_kernel)k));
        assert_true(seconds[k] > 0 || k == MUR_KERNEL_ACTIVATION); /* which may be part of a product */
    }
}

static void labels_of_one_class_are_summed(void **state)
{
    (void)state;
    test_model m = test_small_model();
    m.labels = 4;
    snprintf(m.id2label, sizeof m.id2label,
             "{\"0\": \"positive\", \"1\": \"negative\", \"2\": \"NEG\", \"3\": \"Neutral\"}");
    test_add_tensors(&m);
    assert_int_equal(test_write_model(&m), 0);
    mur_model *model = NULL;
    assert_int_equal(mur_model_open(&model, m.folder, NULL), 0);
    float probability;
    /* e^0 for each: two of four labels are NEG */
    assert_int_equal(mur_classify_logits(model, (float[]){1, 1, 1, 1}, &probability), MUR_NEG);
    assert_float_equal(probability, 0.5f, 1e-6f);
    /* 3 : 1 : 1 : 1 in favour of the first */
    assert_int_equal(mur_classify_logits(model, (float[]){logf(3), 0, 0, 0}, &probability), MUR_POS);
    assert_float_equal(probability, 0.5f, 1e-6f);
    /* of equals, the class whose label has the smallest id: 2 : 1 + 1 */
    assert_int_equal(mur_classify_logits(model, (float[]){900, -1000, -1000, 900}, &probability), MUR_POS);
    assert_float_equal(probability, 0.5f, 1e-6f);
    assert_int_equal(mur_classify_logits(model, (float[]){-300, -300, -300, 300}, &probability), MUR_NEU);
    assert_float_equal(probability, 1.0f, 1e-6f);
    assert_string_equal(mur_sentiment_name(MUR_NEG), "NEG");
    assert_string_equal(mur_sentiment_name(MUR_NEU), "NEU");
    assert_string_equal(mur_sentiment_name(MUR_POS), "POS");
    mur_model_close(&model);
    test_clear_model(&m);
}

/* 11 emotions, say: each has a sigmoid of its own, and the class that of its most certain label. */
static void labels_that_are_not_exclusive_have_sigmoids(void **state)
{
    (void)state;
    test_model m = test_small_model();
    m.labels = 4;
    snprintf(m.id2label, sizeof m.id2label,
             "{\"0\": \"positive\", \"1\": \"negative\", \"2\": \"NEG\", \"3\": \"Neutral\"}, "
             "\"problem_type\": \"multi_label_classification\"");
    test_add_tensors(&m);
    assert_int_equal(test_write_model(&m), 0);
    mur_model *model = NULL;
    assert_int_equal(mur_model_open(&model, m.folder, NULL), 0);
    assert_true(mur_model_config_of(model)->is_multi_label);
    float probability;
    assert_int_equal(mur_classify_logits(model, (float[]){0.5f, -1, 2, 1.9f}, &probability), MUR_NEG);
    assert_true(fabs((double)probability - 1 / (1 + exp(-2))) < 1e-6);
    /* two labels of one class are not added up */
    assert_int_equal(mur_classify_logits(model, (float[]){-0.4f, -0.5f, -0.5f, -3}, &probability), MUR_POS);
    assert_true(fabs((double)probability - 1 / (1 + exp(0.4))) < 1e-6);
    assert_int_equal(mur_classify_logits(model, (float[]){-500, -400, -300, -20}, &probability), MUR_NEU);
    assert_true(fabs((double)probability / exp(-20) - 1) < 1e-5);
    assert_int_equal(mur_classify_logits(model, (float[]){500, 1, 1, 1}, &probability), MUR_POS);
    assert_true(probability == 1.0f);
    mur_model_close(&model);
    test_clear_model(&m);
}

/* ---- the team's models and PyTorch's logits, where they are ---- */

typedef struct golden {
    int32_t *ids; /* of all texts, end to end */
    size_t *starts;
    double *logits;
    size_t n_texts, n_labels;
} golden;

static void read_golden(golden *g, const char *path, size_t n_labels)
{
    mur_buf text = {0};
    *g = (golden){.n_labels = n_labels};
    assert_int_equal(mur_file_read(&text, path), 0);
    size_t n_lines = 0;
    for (size_t i = 0; i < text.len; i++)
        n_lines += text.ptr[i] == '\n';
    g->ids = mur_alloc(text.len, sizeof *g->ids);
    g->starts = mur_alloc(n_lines + 2, sizeof *g->starts);
    g->logits = mur_alloc((n_lines + 1) * n_labels, sizeof *g->logits);
    for (size_t at = 0; at < text.len;) {
        const char *end = memchr(text.ptr + at, '\n', text.len - at);
        size_t len = end ? (size_t)(end - text.ptr) - at : text.len - at;
        cJSON *line = mur_json_parse((mur_view){text.ptr + at, len}, path);
        assert_non_null(line);
        const cJSON *value;
        size_t n = g->starts[g->n_texts], label = 0;
        cJSON_ArrayForEach(value, mur_json_member(line, "ids")) g->ids[n++] = (int32_t)value->valuedouble;
        cJSON_ArrayForEach(value, mur_json_member(line, "logits")) g->logits[g->n_texts * n_labels + label++] =
            value->valuedouble;
        assert_int_equal(label, n_labels);
        g->starts[++g->n_texts] = n;
        cJSON_Delete(line);
        at += len + 1;
    }
    mur_buf_clear(&text);
}

static void clear_golden(golden *g)
{
    free(g->ids);
    free(g->starts);
    free(g->logits);
}

/* Runs the texts in `order`, `per_batch` at a time, and compares each with its logits. */
static void check_golden(const golden *g, const mur_model *model, const size_t *order, size_t per_batch)
{
    size_t n_ids = g->starts[g->n_texts];
    int32_t *ids = mur_alloc(n_ids, sizeof *ids);
    size_t *starts = mur_alloc(g->n_texts + 1, sizeof *starts);
    float *logits = mur_alloc(g->n_texts * g->n_labels, sizeof *logits);
    mur_encoder *e = NULL;
    assert_int_equal(mur_encoder_open(&e, model, n_ids), 0);
    for (size_t first = 0; first < g->n_texts; first += per_batch) {
        size_t n = g->n_texts - first < per_batch ? g->n_texts - first : per_batch;
        for (size_t i = 0; i < n; i++) {
            size_t text = order[first + i], len = g->starts[text + 1] - g->starts[text];
            memcpy(ids + starts[i], g->ids + g->starts[text], len * sizeof *ids);
            starts[i + 1] = starts[i] + len;
        }
        mur_encoder_run(e, ids, starts, n, logits);
        for (size_t i = 0; i < n * g->n_labels; i++) {
            double want = g->logits[order[first + i / g->n_labels] * g->n_labels + i % g->n_labels];
            assert_true(fabs((double)logits[i] - want) < TOLERANCE);
        }
    }
    mur_encoder_close(&e);
    free(ids);
    free(starts);
    free(logits);
}

static void logits_are_pytorch_s(void **state)
{
    (void)state;
    static const char *const kinds[] = {"bertweet", "roberta", "bert", "distilbert"};
    const char *source = getenv("MURMUR_SOURCE"), *shared = getenv("MURMUR_SHARED");
    char *root = shared ? mur_strdup(shared) : mur_format("%s/../shared", source ? source : ".");
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        char *folder = mur_format("%s/golden/models/%s", root, kinds[k]);
        char *expected = mur_format("%s.expected.jsonl", folder);
        if (!mur_path_exists(folder)) {
            print_message("skipped: %s is not here\n", folder);
        } else {
            mur_model *model = NULL;
            void *block;
            golden g;
            assert_int_equal(test_load_model(&model, &block, folder), 0);
            read_golden(&g, expected, (size_t)mur_model_config_of(model)->n_labels);
            size_t *order = mur_alloc(g.n_texts, sizeof *order);
            for (size_t i = 0; i < g.n_texts; i++)
                order[i] = i;
            check_golden(&g, model, order, 1);
            check_golden(&g, model, order, g.n_texts);
            for (size_t i = g.n_texts; i > 1; i--) {
                size_t j = test_random() % i, kept = order[j];
                order[j] = order[i - 1];
                order[i - 1] = kept;
            }
            check_golden(&g, model, order, g.n_texts);
            check_golden(&g, model, order, 10);
            free(order);
            clear_golden(&g);
            mur_model_close(&model);
            free(block);
        }
        free(expected);
        free(folder);
    }
    free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_shape_agrees_with_the_double_precision_network),
        cmocka_unit_test(any_shape_in_fp32_is_near_and_has_the_same_bits_everywhere),
        cmocka_unit_test(any_shape_in_bf16_is_near_and_has_the_same_bits_everywhere),
        cmocka_unit_test(any_shape_in_int8_is_near_and_has_the_same_bits_everywhere),
        cmocka_unit_test(every_precision_takes_texts_of_512_tokens),
        cmocka_unit_test(spelled_padding_does_not_move_the_positions),
        cmocka_unit_test(same_batch_gives_the_same_bits_from_another_encoder),
        cmocka_unit_test(impossible_scratch_is_refused_with_a_message),
        cmocka_unit_test(measured_runs_give_the_same_bits_and_count_every_kernel),
        cmocka_unit_test(labels_of_one_class_are_summed),
        cmocka_unit_test(labels_that_are_not_exclusive_have_sigmoids),
        cmocka_unit_test(logits_are_pytorch_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
