#include "checkpoint.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "murmur/file.h"
#include "murmur/json.h"
#include "murmur/mem.h"
#include "safetensors.h"
#include "torch_file.h"

/* No model has as many. It bounds the files that an index can make murmur open. */
#define MOST_SHARDS 10000

static const struct {
    const char *name;
    bool is_index;
    int (*read)(mur_tensors *out, const char *path);
} formats[] = {
    {"model.safetensors", false, mur_safetensors_read},
    {"model.safetensors.index.json", true, mur_safetensors_read},
    {"pytorch_model.bin", false, mur_torch_read},
    {"pytorch_model.bin.index.json", true, mur_torch_read},
};
#define N_FORMATS (sizeof formats / sizeof *formats)

static bool holds(const char *folder, const char *name)
{
    char *path = mur_path_join(folder, name);
    bool is_there = mur_path_exists(path);
    free(path);
    return is_there;
}

/* What git leaves where the large file was not fetched: a text of some 130 bytes. */
static int check_fetched(const mur_weight_file *f)
{
    static const char lfs[] = "version https://git-lfs";
    mur_buf start = {0};
    int rc = 0;
    if (f->len > (int64_t)sizeof lfs && f->len < 1024)
        rc = mur_file_read_range(&start, f->path, 0, sizeof lfs - 1);
    if (rc == 0 && mur_view_equal(mur_buf_view(&start), mur_view_of(lfs)))
        rc = mur_fail(MUR_EDATA, "%s is a pointer of git-lfs, not the file itself: fetch it with 'git lfs pull'",
                      f->path);
    mur_buf_clear(&start);
    return rc;
}

/* Appends a file; what is not a regular file of the folder is no weights. */
static int add_file(mur_checkpoint *c, const char *folder, const char *name)
{
    c->files = mur_realloc(c->files, c->n_files + 1, sizeof *c->files);
    mur_weight_file *f = &c->files[c->n_files++];
    *f = (mur_weight_file){.name = mur_strdup(name), .path = mur_path_join(folder, name)};
    struct stat about;
    if (stat(f->path, &about) < 0)
        return mur_fail_errno(MUR_ENOINPUT, "cannot find %s", f->path);
    if (!S_ISREG(about.st_mode))
        return mur_fail(MUR_EDATA, "%s is not a file", f->path);
    f->len = about.st_size;
    return check_fetched(f);
}

int mur_checkpoint_parse_index(mur_checkpoint *out, mur_view text, const char *what)
{
    cJSON *root = mur_json_parse(text, what);
    if (!root)
        return mur_error_last()->code;
    const cJSON *weights = mur_json_member(root, "weight_map"), *entry;
    int rc = cJSON_IsObject(weights) && weights->child
                 ? 0
                 : mur_fail(MUR_EDATA, "%s: it has no weight_map that names tensors and their shards", what);
    if (rc == 0)
        out->shard_of = mur_alloc((size_t)cJSON_GetArraySize(weights), sizeof *out->shard_of);
    cJSON_ArrayForEach(entry, weights)
    {
        if (rc < 0)
            break;
        const char *shard = cJSON_IsString(entry) ? entry->valuestring : "";
        if (!*shard || strchr(shard, '/') || strstr(shard, "..")) {
            rc = mur_fail(MUR_EDATA, "%s: tensor %.*s: its shard \"%.200s\" is not the name of a file of this folder",
                          what, MUR_TENSOR_SHOWN, entry->string, shard);
            break;
        }
        bool is_new;
        size_t number = mur_map_add(&out->names, mur_view_of(entry->string), &is_new);
        if (!is_new)
            rc = mur_fail(MUR_EDATA, "%s: tensor %.*s: it is there twice", what, MUR_TENSOR_SHOWN, entry->string);
        else
            out->shard_of[number] = mur_map_add(&out->shards, mur_view_of(shard), NULL);
        if (rc == 0 && out->shards.n_keys > MOST_SHARDS)
            rc = mur_fail(MUR_EDATA, "%s: it names more than %d shards", what, MOST_SHARDS);
    }
    cJSON_Delete(root);
    return rc;
}

static int by_bytes(const void *a, const void *b)
{
    return mur_view_compare(*(const mur_view *)a, *(const mur_view *)b);
}

/* Numbers the shards by their names, so that their order does not depend on that of the tensors. */
static void sort_shards(mur_checkpoint *c)
{
    size_t n = c->shards.n_keys;
    mur_view *sorted = mur_alloc(n, sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        sorted[i] = mur_map_key(&c->shards, i);
    qsort(sorted, n, sizeof *sorted, by_bytes);
    mur_map ordered = {0};
    for (size_t i = 0; i < n; i++)
        mur_map_add(&ordered, sorted[i], NULL);
    for (size_t i = 0; i < c->names.n_keys; i++)
        c->shard_of[i] = mur_map_find(&ordered, mur_map_key(&c->shards, c->shard_of[i]));
    mur_map_clear(&c->shards);
    c->shards = ordered;
    free(sorted);
}

/* What the index says of each tensor is so. */
static int check_index(const mur_checkpoint *c)
{
    for (size_t i = 0; i < c->names.n_keys; i++) {
        const mur_weight_file *shard = &c->files[1 + c->shard_of[i]];
        mur_view name = mur_map_key(&c->names, i);
        if (mur_map_find(&shard->tensors.names, name) == MUR_MAP_NONE)
            return mur_fail(MUR_EDATA, "%s: tensor %.*s is missing, and %s says it is there", shard->path,
                            (int)(name.len < MUR_TENSOR_SHOWN ? name.len : MUR_TENSOR_SHOWN), name.ptr,
                            c->files[0].name);
    }
    return 0;
}

static int open_shards(mur_checkpoint *c, const char *folder, int (*read)(mur_tensors *out, const char *path))
{
    mur_buf text = {0};
    int rc = mur_file_read(&text, c->files[0].path);
    if (rc == 0)
        rc = mur_checkpoint_parse_index(c, mur_buf_view(&text), c->files[0].path);
    mur_buf_clear(&text);
    if (rc == 0)
        sort_shards(c);
    for (size_t i = 0; rc == 0 && i < c->shards.n_keys; i++) {
        mur_view shard = mur_map_key(&c->shards, i);
        char *name = mur_strndup(shard.ptr, shard.len);
        rc = add_file(c, folder, name);
        if (rc == 0)
            rc = read(&c->files[1 + i].tensors, c->files[1 + i].path);
        else
            mur_error_add("shard of %s", c->files[0].name);
        free(name);
    }
    return rc < 0 ? rc : check_index(c);
}

/* The cure depends on what is there instead. */
static int fail_absent(const char *folder)
{
    static const char *const others[] = {"tf_model.h5", "flax_model.msgpack", "model.onnx", "rust_model.ot"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (holds(folder, others[i]))
            return mur_fail(MUR_ENOINPUT,
                            "%s has no weights that murmur reads, only %s: fetch model.safetensors or "
                            "pytorch_model.bin, perhaps from another revision of the model",
                            folder, others[i]);
    return mur_fail(MUR_ENOINPUT,
                    "%s has no weights: fetch model.safetensors or pytorch_model.bin (or the shards and their "
                    "index.json)",
                    folder);
}

int mur_checkpoint_open(mur_checkpoint *out, const char *folder)
{
    *out = (mur_checkpoint){0};
    size_t i = 0;
    while (i < N_FORMATS && !holds(folder, formats[i].name))
        i++;
    if (i == N_FORMATS)
        return fail_absent(folder);
    int rc = add_file(out, folder, formats[i].name);
    if (rc == 0)
        rc = formats[i].is_index ? open_shards(out, folder, formats[i].read)
                                 : formats[i].read(&out->files[0].tensors, out->files[0].path);
    if (rc < 0)
        mur_checkpoint_clear(out);
    return rc;
}

void mur_checkpoint_clear(mur_checkpoint *c)
{
    for (size_t i = 0; i < c->n_files; i++) {
        free(c->files[i].name);
        free(c->files[i].path);
        mur_tensors_clear(&c->files[i].tensors);
    }
    free(c->files);
    mur_map_clear(&c->shards);
    mur_map_clear(&c->names);
    free(c->shard_of);
    *c = (mur_checkpoint){0};
}

const mur_tensor *mur_checkpoint_find(const mur_checkpoint *c, const char *name, size_t *file)
{
    *file = 0;
    if (c->names.n_keys > 0) {
        size_t number = mur_map_find(&c->names, mur_view_of(name));
        if (number == MUR_MAP_NONE)
            return NULL;
        *file = 1 + c->shard_of[number];
    }
    return mur_tensors_find(&c->files[*file].tensors, name);
}
