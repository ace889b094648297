#include <assert.h>
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "config.h"
#include "int8.h"
#include "model_internal.h"
#include "murmur/file.h"
#include "murmur/hash.h"
#include "murmur/mem.h"
#include "murmur/registry.h"
#include "stream.h"

#define CONFIG "config.json"
#define FP32_KERNEL "murmur-fma" /* mur_model_kernel, where BLAS does not multiply */

/* What decides a model's answers besides its weights, in the order in which it is hashed; files that a folder lacks are
 * passed over. */
static const char *const hashed_files[] = {
    CONFIG,           "added_tokens.json",     "bpe.codes",  "merges.txt", "special_tokens_map.json",
    "tokenizer.json", "tokenizer_config.json", "vocab.json", "vocab.txt",
};

/* NAME@VERSION in the registry, else the folder's last component; of ".", ".." and "/" that of the folder they stand
 * for. */
static char *name_of(const char *folder)
{
    char *registered = mur_registry_name(folder);
    if (registered)
        return registered;
    size_t end = strlen(folder);
    while (end > 0 && folder[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && folder[begin - 1] != '/')
        begin--;
    mur_view last = {folder + begin, end - begin};
    if (last.len > 0 && !mur_view_equal(last, mur_view_of(".")) && !mur_view_equal(last, mur_view_of("..")))
        return mur_strndup(last.ptr, last.len);
    char *absolute = mur_path_absolute(folder);
    char *name = mur_strdup(absolute ? strrchr(absolute, '/') + 1 : folder);
    free(absolute);
    return name;
}

static int read_config(mur_model *m, const char *label_map)
{
    char *path = mur_path_join(m->folder, CONFIG);
    int rc = mur_path_exists(path) ? mur_config_read(&m->config, path, label_map, &m->label_map)
                                   : mur_fail(MUR_ENOINPUT, "%s is no model: it has no " CONFIG, m->folder);
    free(path);
    return rc;
}

static bool is_random(const mur_model *m)
{
    return m->checkpoint.n_files == 0;
}

/* NULL: matrices stay as they are in the file, for BLAS. */
static const mur_packing *packing_of(const mur_model *m)
{
    switch (m->precision) {
    case MUR_PRECISION_BF16: return &mur_packing_bf16;
    case MUR_PRECISION_INT8: return &mur_packing_int8;
    default: return m->kernels->fp32_tile ? &mur_packing_fp32 : NULL;
    }
}

static int find_weights(mur_model *m)
{
    mur_weights_clear(&m->weights);
    mur_weights_plan(&m->weights, &m->config, packing_of(m));
    return is_random(m) ? 0 : mur_weights_locate(&m->weights, &m->checkpoint);
}

int mur_model_open(mur_model **out, const char *folder, const char *label_map)
{
    *out = NULL;
    if (!mur_path_is_folder(folder))
        return mur_fail(MUR_ENOINPUT, "%s is no model: it is not a folder", folder);
    /* With more threads sgemm's last bits depend on their number. */
    openblas_set_num_threads(1);
    mur_model *m = mur_alloc(1, sizeof *m);
    m->folder = mur_strdup(folder);
    m->name = name_of(folder);
    int rc = mur_kernels_choose(&m->kernels);
    if (rc == 0)
        rc = read_config(m, label_map);
    if (rc == 0)
        rc = mur_checkpoint_open(&m->checkpoint, m->folder);
    if (rc == 0)
        rc = find_weights(m);
    if (rc < 0)
        mur_model_close(&m);
    *out = m;
    return rc;
}

int mur_model_open_random(mur_model **out, const mur_model_shape *shape)
{
    openblas_set_num_threads(1);
    mur_model *m = mur_alloc(1, sizeof *m);
    mur_model_config *c = &m->config;
    assert(shape->hidden_size % shape->n_heads == 0);
    *c = (mur_model_config){
        .architecture = "RobertaForSequenceClassification",
        .hidden_size = shape->hidden_size,
        .n_layers = shape->n_layers,
        .n_heads = shape->n_heads,
        .intermediate_size = shape->intermediate_size,
        .vocab_size = shape->vocab_size,
        .max_positions = shape->max_positions,
        .first_position = 2, /* behind RoBERTa's padding id, 1 */
        .padding_id = 1,
        .type_vocab_size = 1,
        .activation = MUR_GELU,
        .head_activation = MUR_TANH,
        .layer_norm_eps = 1e-5f,
        .n_labels = MUR_N_SENTIMENTS,
        .labels = mur_alloc(MUR_N_SENTIMENTS, sizeof *c->labels),
        .sentiments = mur_alloc(MUR_N_SENTIMENTS, sizeof *c->sentiments),
    };
    for (int i = 0; i < c->n_labels; i++) {
        c->sentiments[i] = (mur_sentiment)i;
        snprintf(c->labels[i], sizeof c->labels[i], "%s", mur_sentiment_name(c->sentiments[i]));
    }
    m->folder = mur_strdup(shape->name);
    m->name = mur_strdup(shape->name);
    int rc = mur_kernels_choose(&m->kernels);
    if (rc == 0)
        rc = find_weights(m);
    if (rc < 0)
        mur_model_close(&m);
    *out = m;
    return rc;
}

int mur_model_set_precision(mur_model *m, mur_precision p)
{
    assert(!m->block);
    const mur_model_config *c = &m->config;
    size_t most = (size_t)(c->hidden_size > c->intermediate_size ? c->hidden_size : c->intermediate_size);
    if (p == MUR_PRECISION_INT8 && most > MUR_INT8_INPUTS)
        return mur_fail(MUR_EDATA, "%s: int8 takes layers of up to %zu inputs, the model has %zu; use fp32", m->folder,
                        MUR_INT8_INPUTS, most);
    m->precision = p;
    return find_weights(m);
}

mur_precision mur_model_precision(const mur_model *m)
{
    return m->precision;
}

void mur_model_close(mur_model **model)
{
    mur_model *m = *model;
    if (!m)
        return;
    mur_weights_clear(&m->weights);
    mur_checkpoint_clear(&m->checkpoint);
    mur_config_clear(&m->config);
    mur_buf_clear(&m->label_map);
    free(m->name);
    free(m->folder);
    free(m);
    *model = NULL;
}

const mur_model_config *mur_model_config_of(const mur_model *m)
{
    return &m->config;
}

const char *mur_model_name(const mur_model *m)
{
    return m->name;
}

const char *mur_model_folder(const mur_model *m)
{
    return m->folder;
}

const char *mur_model_label_map(const mur_model *m)
{
    return m->label_map.ptr;
}

void mur_model_summarize(const mur_model *m, mur_model_summary *out)
{
    *out = (mur_model_summary){.n_files = m->checkpoint.n_files, .file = m->checkpoint.files[0].name};
    bool is_seen[MUR_DTYPE_OTHER + 1] = {false};
    for (size_t i = 0; i < m->checkpoint.n_files; i++)
        out->n_bytes += m->checkpoint.files[i].len;
    for (size_t i = 0; i < m->weights.n_parts; i++) {
        const mur_part *part = &m->weights.parts[i];
        if (!part->name)
            continue;
        out->n_parameters += (int64_t)(part->rows * part->columns);
        if (!is_seen[part->tensor->dtype]) {
            is_seen[part->tensor->dtype] = true;
            size_t len = strlen(out->dtypes);
            snprintf(out->dtypes + len, sizeof out->dtypes - len, "%s%s", len ? ", " : "", part->tensor->dtype_name);
        }
    }
}

size_t mur_model_block_bytes(const mur_model *m)
{
    return m->weights.block_bytes;
}

/* Appends a file's name and contents to what the model's hash is taken of; a file that is not there adds nothing. */
static int hash_small_file(mur_buf *hashes, const mur_model *m, const char *name)
{
    char *path = mur_path_join(m->folder, name);
    struct stat about;
    int rc = 0;
    if (stat(path, &about) == 0) {
        uint64_t pair[2] = {mur_hash(name, strlen(name)), 0};
        rc = mur_stream_file(path, about.st_size, NULL, NULL, &pair[1]);
        mur_buf_append(hashes, pair, sizeof pair);
    }
    free(path);
    return rc;
}

int mur_model_load(mur_model *m, void *block)
{
    mur_buf hashes = {0};
    int rc = is_random(m) ? mur_weights_randomize(&m->weights, block) : 0;
    for (size_t i = 0; !is_random(m) && i < sizeof hashed_files / sizeof *hashed_files && rc == 0; i++)
        rc = hash_small_file(&hashes, m, hashed_files[i]);
    if (rc == 0 && !is_random(m))
        rc = mur_weights_load(&m->weights, &m->checkpoint, block, &hashes);
    uint64_t hash = mur_hash(hashes.ptr, hashes.len);
    memcpy(block, &hash, sizeof hash);
    mur_buf_clear(&hashes);
    return rc;
}

void mur_model_bind(mur_model *m, const void *block)
{
    assert((uintptr_t)block % MUR_BLOCK_ALIGNMENT == 0);
    m->block = block;
    mur_weights_bind(&m->weights, block);
}

uint64_t mur_model_hash(const mur_model *m)
{
    uint64_t hash;
    assert(m->block);
    memcpy(&hash, m->block, sizeof hash);
    return hash;
}

const char *mur_model_kernel(const mur_model *m)
{
    switch (m->precision) {
    case MUR_PRECISION_BF16: return m->kernels->bf16_name;
    case MUR_PRECISION_INT8: return "murmur-int8";
    default: return m->kernels->fp32_tile ? FP32_KERNEL : mur_blas_kernel();
    }
}

const char *mur_fp32_kernel(void)
{
    const mur_kernels *k;
    return mur_kernels_choose(&k) == 0 && k->fp32_tile ? FP32_KERNEL : mur_blas_kernel();
}

const char *mur_blas_kernel(void)
{
    return openblas_get_corename();
}
