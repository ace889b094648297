#include "torch_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "murmur/file.h"
#include "murmur/mem.h"
#include "pickle.h"

#define PICKLE "/data.pkl"

/* Storage classes of torch, and safetensors' names of their elements, which messages use for both. */
static const struct {
    const char *class, *dtype;
} types[] = {
    {"FloatStorage", "F32"}, {"HalfStorage", "F16"},  {"BFloat16Storage", "BF16"}, {"DoubleStorage", "F64"},
    {"LongStorage", "I64"},  {"IntStorage", "I32"},   {"ShortStorage", "I16"},     {"CharStorage", "I8"},
    {"ByteStorage", "U8"},   {"BoolStorage", "BOOL"},
};

typedef struct reader {
    mur_zip zip;
    mur_buf root;    /* "archive", without NUL */
    int64_t *begins; /* of the entries that were located; 0: not yet */
} reader;

static int fail_in(const reader *r, mur_view name, const char *problem)
{
    return mur_fail(MUR_EDATA, "%s: tensor %.*s: %s", r->zip.source.path,
                    (int)(name.len < MUR_TENSOR_SHOWN ? name.len : MUR_TENSOR_SHOWN), name.ptr, problem);
}

/* The one entry ROOT/data.pkl. */
static int find_pickle(reader *r, size_t *pickle)
{
    size_t n_found = 0, suffix = strlen(PICKLE);
    for (size_t i = 0; i < r->zip.names.n_keys; i++) {
        mur_view name = mur_map_key(&r->zip.names, i);
        if (name.len > suffix && memcmp(name.ptr + name.len - suffix, PICKLE, suffix) == 0 &&
            !memchr(name.ptr, '/', name.len - suffix)) {
            mur_buf_reset(&r->root);
            mur_buf_append(&r->root, name.ptr, name.len - suffix);
            *pickle = i;
            n_found++;
        }
    }
    if (n_found != 1)
        return mur_fail(MUR_EDATA, "%s: a zip archive with %zu files data.pkl: not a file that torch.save wrote",
                        r->zip.source.path, n_found);
    return 0;
}

/* Entry ROOT/name or ROOT/data/KEY. */
static size_t find_entry(const reader *r, const char *folder, mur_view name)
{
    mur_buf full = {0};
    mur_buf_append_view(&full, mur_buf_view(&r->root));
    mur_buf_append_text(&full, folder);
    mur_buf_append_view(&full, name);
    size_t number = mur_map_find(&r->zip.names, mur_buf_view(&full));
    mur_buf_clear(&full);
    return number;
}

/* torch 2 says in which order bytes are; files without the entry are of machines that had only one. */
static int check_byte_order(const reader *r)
{
    mur_buf text = {0};
    size_t number = find_entry(r, "/", mur_view_of("byteorder"));
    int rc = number == MUR_MAP_NONE ? 0 : mur_zip_read(&text, &r->zip, number, 64);
    if (rc == 0 && number != MUR_MAP_NONE && !mur_view_equal(mur_buf_view(&text), mur_view_of("little")))
        rc = mur_fail(MUR_EDATA, "%s: its byte order is not little-endian", r->zip.source.path);
    mur_buf_clear(&text);
    return rc;
}

/* Whether all elements lie in the storage; `*is_plain` where they stand there in row-major order without holes. */
static bool check_extent(const mur_pickled_tensor *p, bool *is_plain)
{
    int64_t last = p->first, packed = 1;
    bool is_empty = false, is_inside = p->first <= p->storage_len;
    *is_plain = p->n_dims <= MUR_TENSOR_DIMS;
    for (size_t d = p->n_dims < MUR_TENSOR_DIMS ? p->n_dims : MUR_TENSOR_DIMS; d-- > 0;) {
        int64_t extent = p->shape[d], span;
        is_empty |= extent == 0;
        *is_plain &= extent == 1 || p->stride[d] == packed;
        if (extent == 0)
            continue;
        is_inside &= !__builtin_mul_overflow(extent - 1, p->stride[d], &span);
        is_inside = is_inside && !__builtin_add_overflow(last, span, &last);
        is_inside &= !__builtin_mul_overflow(packed, extent, &packed);
    }
    return is_inside && (is_empty || last < p->storage_len);
}

static int read_tensor(mur_tensor *t, reader *r, mur_view name, const mur_pickled_tensor *p)
{
    size_t size = 0, number = find_entry(r, "/data/", p->storage);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].class, p->type) == 0) {
            t->dtype = mur_dtype_from_name(types[i].dtype, &size);
            snprintf(t->dtype_name, sizeof t->dtype_name, "%s", types[i].dtype);
        }
    }
    if (number == MUR_MAP_NONE)
        return fail_in(r, name, "the archive does not hold its storage");
    const mur_zip_entry *e = &r->zip.entries[number];
    int64_t len;
    if (__builtin_mul_overflow(p->storage_len, (int64_t)size, &len) || len != e->len)
        return fail_in(r, name, "its storage is not as long as the pickle says");
    bool is_plain;
    if (!check_extent(p, &is_plain))
        return fail_in(r, name, "it reaches past its storage");
    int rc = r->begins[number] ? 0 : mur_zip_locate(&r->begins[number], &r->zip, number);
    if (rc < 0)
        return rc;

    t->n_dims = p->n_dims;
    memcpy(t->shape, p->shape, sizeof t->shape);
    memcpy(t->stride, p->stride, sizeof t->stride);
    t->is_indirect = e->is_deflated || !is_plain;
    t->begin = r->begins[number];
    t->end = t->begin + e->packed_len;
    t->raw_len = e->is_deflated ? e->len : 0;
    t->first = p->first;
    if (!t->is_indirect) {
        int64_t n = 1;
        for (size_t d = 0; d < t->n_dims; d++)
            n *= t->shape[d];
        t->begin += p->first * (int64_t)size;
        t->end = t->begin + n * (int64_t)size;
    }
    return 0;
}

static int by_begin(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (x[0] > y[0]) - (x[0] < y[0]);
}

/* Tensors may share a storage, entries no bytes. */
static int check_overlap(const reader *r)
{
    size_t n = 0;
    int64_t(*spans)[2] = mur_alloc(r->zip.names.n_keys + 1, sizeof *spans);
    for (size_t i = 0; i < r->zip.names.n_keys; i++) {
        if (r->begins[i]) {
            spans[n][0] = r->begins[i];
            spans[n++][1] = r->begins[i] + r->zip.entries[i].packed_len;
        }
    }
    qsort(spans, n, sizeof *spans, by_begin);
    int rc = 0;
    for (size_t i = 1; rc == 0 && i < n; i++)
        if (spans[i][0] < spans[i - 1][1])
            rc = mur_fail(MUR_EDATA, "%s: the storage at byte %" PRId64 " begins inside the one before it",
                          r->zip.source.path, spans[i][0]);
    free(spans);
    return rc;
}

int mur_torch_parse(mur_tensors *out, mur_zip_source source)
{
    *out = (mur_tensors){.file_len = source.len};
    reader r = {0};
    mur_buf pickle = {0};
    mur_state_dict dict = {0};
    size_t number = 0;
    int rc = mur_zip_open(&r.zip, source);
    if (rc == 0)
        rc = find_pickle(&r, &number);
    if (rc == 0)
        rc = check_byte_order(&r);
    if (rc == 0)
        rc = mur_zip_read(&pickle, &r.zip, number, (int64_t)MUR_PICKLE_MOST);
    if (rc == 0)
        rc = mur_pickle_read(&dict, mur_buf_view(&pickle), source.path);
    if (rc == 0) {
        r.begins = mur_alloc(r.zip.names.n_keys, sizeof *r.begins);
        out->tensors = mur_alloc(dict.names.n_keys, sizeof *out->tensors);
    }
    for (size_t i = 0; rc == 0 && i < dict.names.n_keys; i++) {
        mur_view name = mur_map_key(&dict.names, i);
        rc = read_tensor(&out->tensors[mur_map_add(&out->names, name, NULL)], &r, name, &dict.tensors[i]);
    }
    if (rc == 0)
        rc = check_overlap(&r);
    mur_state_dict_clear(&dict);
    mur_buf_clear(&pickle);
    mur_buf_clear(&r.root);
    free(r.begins);
    mur_zip_clear(&r.zip);
    if (rc < 0)
        mur_tensors_clear(out);
    return rc;
}

int mur_torch_read(mur_tensors *out, const char *path)
{
    *out = (mur_tensors){0};
    struct stat about;
    mur_buf start = {0};
    if (stat(path, &about) < 0)
        return mur_fail_errno(MUR_ENOINPUT, "cannot find %s", path);
    int rc = mur_file_read_range(&start, path, 0, about.st_size < 4 ? about.st_size : 4);
    if (rc == 0 && start.len >= 2 && (unsigned char)start.ptr[0] == 0x80) /* a bare pickle's PROTO */
        rc = mur_fail(MUR_EDATA,
                      "%s is in the format of torch before 1.6, which murmur does not read: fetch the model's "
                      "model.safetensors, or write the file again with "
                      "python3 -c 'import sys, torch; torch.save(torch.load(sys.argv[1], \"cpu\"), sys.argv[1])' FILE",
                      path);
    else if (rc == 0)
        rc = mur_torch_parse(out, (mur_zip_source){.path = path, .len = about.st_size});
    mur_buf_clear(&start);
    return rc;
}

int mur_torch_fetch(mur_buf *out, const mur_tensor *t, const char *path)
{
    mur_buf stored = {0};
    char *raw = NULL;
    int rc = mur_file_read_range(&stored, path, t->begin, t->end - t->begin);
    const char *from = stored.ptr;
    if (rc == 0 && t->raw_len) {
        raw = mur_try_alloc((size_t)t->raw_len, 1);
        rc = raw ? mur_inflate_raw(raw, (size_t)t->raw_len, mur_buf_view(&stored), path) : MUR_EINTERNAL;
        from = raw;
    }
    size_t size = mur_dtype_size(t->dtype);
    int64_t rows = t->n_dims > 0 ? t->shape[0] : 1, columns = t->n_dims > 1 ? t->shape[1] : 1;
    for (int64_t i = 0; rc == 0 && i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            mur_buf_append(out, from + (size_t)(t->first + i * t->stride[0] + j * t->stride[1]) * size, size);
    mur_buf_clear(&stored);
    free(raw);
    return rc;
}
