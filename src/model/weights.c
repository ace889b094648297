#include "weights.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "murmur/mem.h"
#include "stream.h"

#define MOST_NAMES 3 /* tensors of the file in one of the block */

typedef enum { ONE, H, I, V, P, T, L } extent;

typedef struct rule {
    size_t field; /* offset of the pointer in its struct */
    extent rows, columns;
    const char *names[MOST_NAMES];
} rule;

#define X(field, rows, columns, ...) {offsetof(mur_embedding_weights, field), rows, columns, {__VA_ARGS__}},
static const rule embedding_rules[] = {MUR_EMBEDDING_TENSORS(X)};
#undef X
#define X(field, rows, columns, ...) {offsetof(mur_layer_weights, field), rows, columns, {__VA_ARGS__}},
static const rule layer_rules[] = {MUR_LAYER_TENSORS(X)};
#undef X
#define X(field, rows, columns, ...) {offsetof(mur_head_weights, field), rows, columns, {__VA_ARGS__}},
static const rule head_rules[] = {MUR_HEAD_TENSORS(X)};
#undef X

#define N_RULES(rules) (sizeof(rules) / sizeof *(rules))

static size_t extent_of(const mur_model_config *c, extent e)
{
    switch (e) {
    case ONE: return 1;
    case H: return (size_t)c->hidden_size;
    case I: return (size_t)c->intermediate_size;
    case V: return (size_t)c->vocab_size;
    case P: return (size_t)c->max_positions;
    case T: return (size_t)c->type_vocab_size;
    case L: return (size_t)c->n_labels;
    }
    return 0;
}

/* Appends the parts of one struct of pointers. No sum can overflow: config bounds an extent to 2^20 and the layers to
 * 2^10, so the block stays below 2^58. */
static void plan_group(mur_weights *w, const mur_model_config *c, const rule *rules, size_t n_rules, const char *prefix,
                       void *group)
{
    for (const rule *r = rules; r < rules + n_rules; r++) {
        w->block_bytes = (w->block_bytes + MUR_BLOCK_ALIGNMENT - 1) / MUR_BLOCK_ALIGNMENT * MUR_BLOCK_ALIGNMENT;
        for (size_t i = 0; i < MOST_NAMES && r->names[i]; i++) {
            if (w->n_parts == w->cap_parts) {
                w->cap_parts = mur_grown(w->cap_parts, w->n_parts + 1);
                w->parts = mur_realloc(w->parts, w->cap_parts, sizeof *w->parts);
            }
            mur_part *part = &w->parts[w->n_parts++];
            *part = (mur_part){
                .name = mur_format("%s%s", prefix, r->names[i]),
                .rows = extent_of(c, r->rows),
                .columns = extent_of(c, r->columns),
                .is_vector = r->columns == ONE,
                .offset = w->block_bytes,
                .bound = i == 0 ? (const float **)((char *)group + r->field) : NULL,
            };
            w->block_bytes += part->rows * part->columns * sizeof(float);
        }
    }
}

void mur_weights_plan(mur_weights *w, const mur_model_config *c)
{
    *w = (mur_weights){.block_bytes = sizeof(uint64_t)}; /* the hash */
    w->layers = mur_alloc((size_t)c->n_layers, sizeof *w->layers);
    plan_group(w, c, embedding_rules, N_RULES(embedding_rules), "", &w->embeddings);
    for (int layer = 0; layer < c->n_layers; layer++) {
        char prefix[48];
        snprintf(prefix, sizeof prefix, "roberta.encoder.layer.%d.", layer);
        plan_group(w, c, layer_rules, N_RULES(layer_rules), prefix, &w->layers[layer]);
    }
    plan_group(w, c, head_rules, N_RULES(head_rules), "", &w->head);
}

void mur_weights_clear(mur_weights *w)
{
    for (size_t i = 0; i < w->n_parts; i++)
        free(w->parts[i].name);
    free(w->parts);
    free(w->layers);
    *w = (mur_weights){0};
}

static int fail_shape(const mur_part *part, const mur_tensor *t, const char *path)
{
    mur_buf got = {0}, want = {0};
    for (size_t d = 0; d < t->n_dims && d < MUR_TENSOR_DIMS; d++)
        mur_buf_printf(&got, "%s%" PRId64, d ? ", " : "", t->shape[d]);
    if (t->n_dims > MUR_TENSOR_DIMS)
        mur_buf_append_text(&got, ", …");
    mur_buf_printf(&want, part->is_vector ? "%zu" : "%zu, %zu", part->rows, part->columns);
    int rc = mur_fail(MUR_EDATA, "%s: tensor %s: its shape is [%s], config.json makes it [%s]", path, part->name,
                      mur_buf_text(&got), mur_buf_text(&want));
    mur_buf_clear(&got);
    mur_buf_clear(&want);
    return rc;
}

int mur_weights_locate(mur_weights *w, const mur_safetensors *file, const char *path)
{
    w->file_len = file->file_len;
    for (mur_part *part = w->parts; part < w->parts + w->n_parts; part++) {
        const mur_tensor *t = mur_safetensors_find(file, part->name);
        if (!t)
            return mur_fail(MUR_EDATA, "%s: tensor %s is missing", path, part->name);
        if (t->n_dims != (part->is_vector ? 1 : 2) || t->shape[0] != (int64_t)part->rows ||
            (!part->is_vector && t->shape[1] != (int64_t)part->columns))
            return fail_shape(part, t, path);
        if (t->dtype == MUR_DTYPE_OTHER)
            return mur_fail(MUR_EDATA, "%s: tensor %s: its dtype is %s; murmur reads F32, F16 and BF16", path,
                            part->name, t->dtype_name);
        part->dtype = t->dtype;
        part->begin = t->begin;
    }
    return 0;
}

typedef struct loading {
    const mur_part **parts; /* in file order */
    size_t n_parts;
    size_t current; /* the part being filled */
    size_t done;    /* elements of it that are */
    char *block;
    const char *path;
} loading;

static int by_begin(const void *a, const void *b)
{
    const mur_part *x = *(const mur_part *const *)a, *y = *(const mur_part *const *)b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

static bool all_finite(const float *x, size_t n)
{
    const uint32_t exponent = 0x7F800000u;
    bool is_finite = true;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        is_finite &= (bits & exponent) != exponent;
    }
    return is_finite;
}

/* Converts the elements that lie whole in these bytes and are not converted yet. */
static int load_chunk(void *context, const char *bytes, int64_t begin, int64_t end)
{
    loading *l = context;
    while (l->current < l->n_parts) {
        const mur_part *part = l->parts[l->current];
        size_t size = mur_dtype_size(part->dtype), n = part->rows * part->columns - l->done;
        int64_t first = part->begin + (int64_t)(l->done * size);
        size_t here = first < end ? (size_t)(end - first) / size : 0;
        if (here < n)
            n = here;
        if (n == 0)
            break;
        float *out = (float *)(l->block + part->offset) + l->done;
        mur_dtype_to_f32(out, bytes + (first - begin), part->dtype, n);
        if (!all_finite(out, n))
            return mur_fail(MUR_EDATA, "%s: tensor %s: it holds infinities or NaN", l->path, part->name);
        l->done += n;
        if (l->done == part->rows * part->columns) {
            l->current++;
            l->done = 0;
        }
    }
    return 0;
}

int mur_weights_load(const mur_weights *w, const char *path, void *block, uint64_t *hash)
{
    loading l = {.parts = mur_alloc(w->n_parts, sizeof *l.parts), .n_parts = w->n_parts, .block = block, .path = path};
    for (size_t i = 0; i < w->n_parts; i++)
        l.parts[i] = &w->parts[i];
    qsort(l.parts, l.n_parts, sizeof *l.parts, by_begin);
    int rc = mur_stream_file(path, w->file_len, load_chunk, &l, hash);
    free(l.parts);
    return rc;
}

void mur_weights_bind(mur_weights *w, const void *block)
{
    for (size_t i = 0; i < w->n_parts; i++)
        if (w->parts[i].bound)
            *w->parts[i].bound = (const float *)((const char *)block + w->parts[i].offset);
}
