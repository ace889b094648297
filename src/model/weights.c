#include "weights.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "architecture.h"
#include "murmur/hash.h"
#include "murmur/mem.h"
#include "stream.h"
#include "torch_file.h"

#define MOST_MODULES 3 /* tensors of the file in one of the block */

typedef enum { ONE, H, I, V, P, T, L } extent;

typedef enum { WEIGHT, BIAS } quantity;

typedef struct rule {
    size_t field; /* offset of the pointer in its struct */
    extent rows, columns;
    quantity kind;
    const char *modules[MOST_MODULES];
} rule;

#define X(field, rows, columns, kind, ...) {offsetof(mur_embedding_weights, field), rows, columns, kind, {__VA_ARGS__}},
static const rule embedding_rules[] = {MUR_EMBEDDING_TENSORS(X)};
#undef X
#define X(field, rows, columns, kind, ...) {offsetof(mur_layer_weights, field), rows, columns, kind, {__VA_ARGS__}},
static const rule layer_rules[] = {MUR_LAYER_TENSORS(X)};
#undef X
#define X(field, rows, columns, kind, ...) {offsetof(mur_head_weights, field), rows, columns, kind, {__VA_ARGS__}},
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

/* The tensor of a module, as the architecture writes it: `prefix` is what stands before the modules of this group. */
static void name_part(mur_part *part, const mur_architecture *a, const char *prefix, const char *module, quantity kind)
{
    const char *own = mur_own_name(a->modules, module);
    if (!own)
        return;
    part->name = mur_format("%s%s.%s", prefix, own, kind == WEIGHT ? "weight" : "bias");
    size_t base = strlen(a->base);
    part->bare = mur_strdup(part->name + (strncmp(part->name, a->base, base) == 0 ? base : 0));
}

static size_t count_modules(const rule *r)
{
    size_t n = 0;
    while (n < MOST_MODULES && r->modules[n])
        n++;
    return n;
}

/* Appends the parts of one struct of pointers. `packing` is that of its matrices. No sum can overflow: config bounds
 * an extent to 2^20 and the layers to 2^10, so the block stays below 2^58. */
static void plan_group(mur_weights *w, const mur_model_config *c, const rule *rules, size_t n_rules, const char *prefix,
                       void *group, const mur_packing *packing)
{
    const mur_architecture *architecture = mur_architecture_find(c->architecture);
    for (const rule *r = rules; r < rules + n_rules; r++) {
        w->block_bytes = (w->block_bytes + MUR_BLOCK_ALIGNMENT - 1) / MUR_BLOCK_ALIGNMENT * MUR_BLOCK_ALIGNMENT;
        const size_t begin = w->block_bytes, rows = extent_of(c, r->rows), columns = extent_of(c, r->columns);
        const size_t packed_rows = packing && r->columns != ONE ? count_modules(r) * rows : 0;
        for (size_t i = 0; i < MOST_MODULES && r->modules[i]; i++) {
            if (w->n_parts == w->cap_parts) {
                w->cap_parts = mur_grown(w->cap_parts, w->n_parts + 1);
                w->parts = mur_realloc(w->parts, w->cap_parts, sizeof *w->parts);
            }
            mur_part *part = &w->parts[w->n_parts++];
            *part = (mur_part){
                .rows = rows,
                .columns = columns,
                .is_vector = r->columns == ONE,
                .offset = packed_rows ? begin : w->block_bytes,
                .bound = i == 0 ? (const float **)((char *)group + r->field) : NULL,
                .packed_rows = packed_rows,
                .packed_first = i * rows,
            };
            name_part(part, architecture, prefix, r->modules[i], r->kind);
            w->block_bytes += packed_rows ? 0 : rows * columns * sizeof(float);
        }
        w->block_bytes += packed_rows ? packing->bytes(packed_rows, columns) : 0;
    }
}

void mur_weights_plan(mur_weights *w, const mur_model_config *c, const mur_packing *packing)
{
    const mur_architecture *a = mur_architecture_find(c->architecture);
    *w = (mur_weights){.block_bytes = sizeof(uint64_t) /* the hash */, .packing = packing};
    w->layers = mur_alloc((size_t)c->n_layers, sizeof *w->layers);
    plan_group(w, c, embedding_rules, N_RULES(embedding_rules), a->base, &w->embeddings, NULL);
    for (int layer = 0; layer < c->n_layers; layer++) {
        char prefix[64];
        snprintf(prefix, sizeof prefix, "%s%s%d.", a->base, a->layers, layer);
        plan_group(w, c, layer_rules, N_RULES(layer_rules), prefix, &w->layers[layer], packing);
    }
    plan_group(w, c, head_rules, N_RULES(head_rules), "", &w->head, NULL);
}

void mur_weights_clear(mur_weights *w)
{
    for (size_t i = 0; i < w->n_parts; i++) {
        free(w->parts[i].name);
        free(w->parts[i].bare);
    }
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

/* The tensor under the name that the architecture writes, without the base, or with what old checkpoints call the
 * weight and the bias of a LayerNorm: gamma and beta. */
static const mur_tensor *find_tensor(const mur_part *part, const mur_checkpoint *c, size_t *file)
{
    static const mur_rename old_names[] = {{"LayerNorm.weight", "LayerNorm.gamma"},
                                           {"LayerNorm.bias", "LayerNorm.beta"}};
    const char *names[] = {part->name, part->bare};
    const mur_tensor *found = NULL;
    for (size_t i = 0; i < 2 && !found; i++) {
        found = mur_checkpoint_find(c, names[i], file);
        for (size_t j = 0; j < sizeof old_names / sizeof *old_names && !found; j++) {
            size_t len = strlen(names[i]), end = strlen(old_names[j].from);
            if (len < end || strcmp(names[i] + len - end, old_names[j].from) != 0)
                continue;
            char *old = mur_format("%.*s%s", (int)(len - end), names[i], old_names[j].to);
            found = mur_checkpoint_find(c, old, file);
            free(old);
        }
    }
    return found;
}

int mur_weights_locate(mur_weights *w, const mur_checkpoint *c)
{
    for (mur_part *part = w->parts; part < w->parts + w->n_parts; part++) {
        if (!part->name)
            continue;
        const mur_tensor *t = part->tensor = find_tensor(part, c, &part->file);
        if (!t)
            return mur_fail(MUR_EDATA, "%s: tensor %s is missing", c->files[0].path, part->name);
        const char *path = c->files[part->file].path;
        if (t->n_dims != (part->is_vector ? 1 : 2) || t->shape[0] != (int64_t)part->rows ||
            (!part->is_vector && t->shape[1] != (int64_t)part->columns))
            return fail_shape(part, t, path);
        if (t->dtype == MUR_DTYPE_OTHER)
            return mur_fail(MUR_EDATA, "%s: tensor %s: its dtype is %s; murmur reads F32, F16 and BF16", path,
                            part->name, t->dtype_name);
    }
    return 0;
}

/* A tensor of the file in hand. */
typedef struct arrival {
    const mur_part *part;
    size_t n_done; /* elements */
    float *whole;  /* of a packed part that is under way: what is there of it */
} arrival;

typedef struct loading {
    arrival *arrivals; /* in file order */
    size_t n;
    size_t first; /* all before it are done */
    char *block;
    const char *path;
    const mur_packing *packing;
} loading;

static int by_begin(const void *a, const void *b)
{
    const mur_tensor *x = ((const arrival *)a)->part->tensor, *y = ((const arrival *)b)->part->tensor;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

static size_t part_count(const mur_part *part)
{
    return part->rows * part->columns;
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

/* Converts the next `n` elements of a part. */
static int convert(const loading *l, arrival *a, const char *bytes, size_t n)
{
    const mur_part *part = a->part;
    if (part->packed_rows && !a->whole) {
        a->whole = mur_try_alloc(part_count(part), sizeof *a->whole);
        if (!a->whole)
            return mur_error_last()->code;
    }
    float *out = (part->packed_rows ? a->whole : (float *)(l->block + part->offset)) + a->n_done;
    mur_dtype_to_f32(out, bytes, part->tensor->dtype, n);
    if (!all_finite(out, n))
        return mur_fail(MUR_EDATA, "%s: tensor %s: it holds infinities or NaN", l->path, part->name);
    a->n_done += n;
    if (part->packed_rows && a->n_done == part_count(part)) {
        l->packing->pack(l->block + part->offset, part->packed_rows, part->columns, part->packed_first, a->whole,
                         part->rows);
        free(a->whole);
        a->whole = NULL;
    }
    return 0;
}

/* Converts the elements that lie whole in these bytes and are not converted yet. Tensors may share bytes. */
static int load_chunk(void *context, const char *bytes, int64_t begin, int64_t end)
{
    loading *l = context;
    int rc = 0;
    for (size_t i = l->first; rc == 0 && i < l->n && l->arrivals[i].part->tensor->begin < end; i++) {
        arrival *a = &l->arrivals[i];
        size_t size = mur_dtype_size(a->part->tensor->dtype), n = part_count(a->part) - a->n_done;
        int64_t first = a->part->tensor->begin + (int64_t)(a->n_done * size);
        size_t here = first < end ? (size_t)(end - first) / size : 0;
        if (here < n)
            n = here;
        if (n > 0)
            rc = convert(l, a, bytes + (first - begin), n);
    }
    while (l->first < l->n && l->arrivals[l->first].n_done == part_count(l->arrivals[l->first].part))
        l->first++;
    return rc;
}

/* What cannot be taken from the stream, and what the architecture does not have. */
static int load_rest(const mur_weights *w, loading *l, size_t file)
{
    int rc = 0;
    for (const mur_part *part = w->parts; rc == 0 && part < w->parts + w->n_parts; part++) {
        mur_buf bytes = {0};
        if (!part->name && !part->packed_rows) {
            memset(l->block + part->offset, 0, part_count(part) * sizeof(float));
        } else if (part->name && part->file == file && part->tensor->is_indirect) {
            arrival a = {.part = part};
            rc = mur_torch_fetch(&bytes, part->tensor, l->path);
            if (rc == 0)
                rc = convert(l, &a, bytes.ptr, part_count(part));
            free(a.whole);
        }
        mur_buf_clear(&bytes);
    }
    return rc;
}

/* Panels have places that no part fills. */
static void clear_packed(const mur_weights *w, void *block)
{
    for (const mur_part *part = w->parts; part < w->parts + w->n_parts; part++)
        if (part->packed_rows && part->bound)
            memset((char *)block + part->offset, 0, w->packing->bytes(part->packed_rows, part->columns));
}

int mur_weights_load(const mur_weights *w, const mur_checkpoint *c, void *block, mur_buf *hashes)
{
    loading l = {
        .arrivals = mur_alloc(w->n_parts, sizeof *l.arrivals),
        .block = block,
        .packing = w->packing,
    };
    int rc = 0;
    clear_packed(w, block);
    for (size_t file = 0; rc == 0 && file < c->n_files; file++) {
        const mur_weight_file *f = &c->files[file];
        l.path = f->path;
        l.n = l.first = 0;
        for (const mur_part *part = w->parts; part < w->parts + w->n_parts; part++)
            if (part->name && part->file == file && !part->tensor->is_indirect)
                l.arrivals[l.n++] = (arrival){.part = part};
        qsort(l.arrivals, l.n, sizeof *l.arrivals, by_begin);
        uint64_t pair[2] = {mur_hash(f->name, strlen(f->name)), 0};
        rc = mur_stream_file(f->path, f->len, load_chunk, &l, &pair[1]);
        if (rc == 0)
            rc = load_rest(w, &l, file);
        for (size_t i = 0; i < l.n; i++)
            free(l.arrivals[i].whole);
        mur_buf_append(hashes, pair, sizeof pair);
    }
    free(l.arrivals);
    return rc;
}

#define RANDOM_PIECE ((size_t)1 << 16) /* elements */

/* The next of a sequence of uniform numbers in -1 to 1 (splitmix64, https://prng.di.unimi.it/splitmix64.c). */
static float next_uniform(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (float)((z ^ z >> 31) >> 40) * 0x1p-23f - 1.0f;
}

int mur_weights_randomize(const mur_weights *w, void *block)
{
    static const mur_tensor made = {.dtype = MUR_DTYPE_F32};
    const float spread = 0.02f * 1.7320508f; /* of a uniform distribution, for a standard deviation of 0.02 */
    loading l = {.block = block, .path = "random weights", .packing = w->packing};
    float *piece = mur_alloc(RANDOM_PIECE, sizeof *piece);
    uint64_t state = 0;
    int rc = 0;
    clear_packed(w, block);
    for (size_t i = 0; i < w->n_parts && rc == 0; i++) {
        mur_part part = w->parts[i];
        float constant = strstr(part.name, "LayerNorm.weight") ? 1.0f : 0.0f;
        part.tensor = &made;
        arrival a = {.part = &part};
        for (size_t count = part_count(&part); a.n_done < count && rc == 0;) {
            size_t n = count - a.n_done < RANDOM_PIECE ? count - a.n_done : RANDOM_PIECE;
            for (size_t k = 0; k < n; k++)
                piece[k] = part.is_vector ? constant : spread * next_uniform(&state);
            rc = convert(&l, &a, (const char *)piece, n);
        }
        free(a.whole);
    }
    free(piece);
    return rc;
}

void mur_weights_bind(mur_weights *w, const void *block)
{
    for (size_t i = 0; i < w->n_parts; i++)
        if (w->parts[i].bound)
            *w->parts[i].bound = (const float *)((const char *)block + w->parts[i].offset);
}
