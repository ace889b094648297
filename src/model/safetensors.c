#include "safetensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "murmur/file.h"
#include "murmur/json.h"
#include "murmur/mem.h"

/* cJSON's numbers are doubles: whole ones are exact below 2^53, and no file is longer. */
static bool whole_number(int64_t *out, const cJSON *number)
{
    if (!cJSON_IsNumber(number) || !(number->valuedouble >= 0 && number->valuedouble < 0x1p53))
        return false;
    *out = (int64_t)number->valuedouble;
    return (double)*out == number->valuedouble;
}

/* The header's members are checked in file order, so messages are the same for the same file. */
static int fail_in(const char *what, const char *name, const char *problem)
{
    return mur_fail(MUR_EDATA, "%s: tensor %.*s: %s", what, MUR_TENSOR_SHOWN, name, problem);
}

/* Fills shape and dtype; `*len` is the bytes they make, or -1 for a dtype of unknown size. */
static int parse_shape(mur_tensor *t, int64_t *len, const cJSON *entry, const char *what, const char *name)
{
    const char *dtype_name = mur_json_string(entry, "dtype", NULL);
    if (!dtype_name)
        return fail_in(what, name, "it has no dtype");
    size_t element;
    t->dtype = mur_dtype_from_name(dtype_name, &element);
    snprintf(t->dtype_name, sizeof t->dtype_name, "%s", dtype_name);

    const cJSON *shape = mur_json_member(entry, "shape"), *extent;
    if (!cJSON_IsArray(shape))
        return fail_in(what, name, "it has no shape");
    int64_t bytes = element ? (int64_t)element : 1;
    bool is_empty = false;
    cJSON_ArrayForEach(extent, shape)
    {
        int64_t n;
        if (!whole_number(&n, extent))
            return fail_in(what, name, "its shape holds something that is no whole number below 2^53");
        if (t->n_dims < MUR_TENSOR_DIMS)
            t->shape[t->n_dims] = n;
        t->n_dims++;
        is_empty |= n == 0;
        if (n != 0 && __builtin_mul_overflow(bytes, n, &bytes))
            return fail_in(what, name, "its shape is larger than any file");
    }
    *len = element == 0 ? -1 : is_empty ? 0 : bytes;
    return 0;
}

static int parse_tensor(mur_tensor *t, const cJSON *entry, int64_t data, int64_t data_len, const char *what)
{
    const char *name = entry->string;
    if (!cJSON_IsObject(entry))
        return fail_in(what, name, "it is described by something that is no object");
    int64_t len = 0, begin, end;
    int rc = parse_shape(t, &len, entry, what, name);
    if (rc < 0)
        return rc;

    const cJSON *offsets = mur_json_member(entry, "data_offsets");
    if (cJSON_GetArraySize(offsets) != 2 || !whole_number(&begin, offsets->child) ||
        !whole_number(&end, offsets->child->next))
        return fail_in(what, name, "its data_offsets are not two whole numbers below 2^53");
    if (end < begin)
        return mur_fail(MUR_EDATA, "%s: tensor %.*s: its bytes end at %" PRId64 ", before they begin at %" PRId64, what,
                        MUR_TENSOR_SHOWN, name, end, begin);
    if (end > data_len)
        return mur_fail(MUR_EDATA, "%s: tensor %.*s: its bytes end at %" PRId64 ", the file's data at %" PRId64, what,
                        MUR_TENSOR_SHOWN, name, end, data_len);
    if (len >= 0 && end - begin != len)
        return mur_fail(MUR_EDATA, "%s: tensor %.*s: it has %" PRId64 " bytes, its dtype and shape make %" PRId64, what,
                        MUR_TENSOR_SHOWN, name, end - begin, len);
    t->begin = data + begin;
    t->end = data + end;
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const mur_tensor *x = *(const mur_tensor *const *)a, *y = *(const mur_tensor *const *)b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* The tensors cover the data once: none overlaps another, no byte is left over. */
static int check_cover(const mur_tensors *s, int64_t data, const char *what)
{
    size_t n = s->names.n_keys;
    const mur_tensor **sorted = mur_alloc(n, sizeof *sorted);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &s->tensors[i];
    qsort(sorted, n, sizeof *sorted, by_place);

    int rc = 0;
    int64_t covered = data;
    for (size_t i = 0; i < n && rc == 0; i++) {
        const mur_tensor *t = sorted[i];
        mur_view name = mur_map_key(&s->names, (size_t)(t - s->tensors));
        int shown = name.len < MUR_TENSOR_SHOWN ? (int)name.len : MUR_TENSOR_SHOWN;
        if (t->begin != covered)
            rc = mur_fail(MUR_EDATA, "%s: tensor %.*s: its bytes begin at %" PRId64 ", %s at %" PRId64, what, shown,
                          name.ptr, t->begin - data,
                          t->begin < covered ? "inside those of the tensor before it, which end"
                                             : "behind a hole: those of the tensor before it end",
                          covered - data);
        covered = t->end;
    }
    if (rc == 0 && covered != s->file_len)
        rc = mur_fail(MUR_EDATA, "%s: the tensors end at byte %" PRId64 ", the file at %" PRId64, what, covered,
                      s->file_len);
    free(sorted);
    return rc;
}

int mur_safetensors_parse(mur_tensors *out, mur_view header, int64_t file_len, const char *what)
{
    *out = (mur_tensors){.file_len = file_len};
    int64_t data = MUR_SAFETENSORS_PREFIX + (int64_t)header.len;
    int rc = 0;
    cJSON *root = NULL;
    if (header.len == 0 || header.ptr[0] != '{') {
        rc = mur_fail(MUR_EDATA, "%s: its header is no JSON object: not a safetensors file", what);
        goto done;
    }
    root = mur_json_parse(header, what);
    if (!root) {
        rc = mur_error_last()->code;
        goto done;
    }

    out->tensors = mur_alloc((size_t)cJSON_GetArraySize(root), sizeof *out->tensors);
    const cJSON *entry;
    cJSON_ArrayForEach(entry, root)
    {
        if (strcmp(entry->string, "__metadata__") == 0)
            continue;
        bool is_new;
        size_t number = mur_map_add(&out->names, mur_view_of(entry->string), &is_new);
        rc = is_new ? parse_tensor(&out->tensors[number], entry, data, file_len - data, what)
                    : fail_in(what, entry->string, "the header has it twice");
        if (rc < 0)
            goto done;
    }
    rc = check_cover(out, data, what);
done:
    cJSON_Delete(root);
    if (rc < 0)
        mur_tensors_clear(out);
    return rc;
}

int mur_safetensors_header_len(int64_t *len, const unsigned char prefix[MUR_SAFETENSORS_PREFIX], int64_t file_len,
                               const char *what)
{
    uint64_t n = 0;
    for (int i = MUR_SAFETENSORS_PREFIX - 1; i >= 0; i--)
        n = n << 8 | prefix[i];
    if (n > MUR_SAFETENSORS_HEADER)
        return mur_fail(MUR_EDATA, "%s: a header of %" PRIu64 " bytes (at most %ld): not a safetensors file", what, n,
                        MUR_SAFETENSORS_HEADER);
    if ((int64_t)n > file_len - MUR_SAFETENSORS_PREFIX)
        return mur_fail(MUR_EDATA, "%s: its header ends at byte %" PRIu64 ", the file at %" PRId64 ": it was cut", what,
                        n + MUR_SAFETENSORS_PREFIX, file_len);
    *len = (int64_t)n;
    return 0;
}

int mur_safetensors_read(mur_tensors *out, const char *path)
{
    *out = (mur_tensors){0};
    mur_buf bytes = {0};
    struct stat about;
    int64_t len = 0;
    if (stat(path, &about) < 0)
        return mur_fail_errno(MUR_ENOINPUT, "cannot find %s", path);
    if (!S_ISREG(about.st_mode) || about.st_size < MUR_SAFETENSORS_PREFIX)
        return mur_fail(MUR_EDATA, "%s: not a safetensors file", path);

    int rc = mur_file_read_range(&bytes, path, 0, MUR_SAFETENSORS_PREFIX);
    if (rc == 0)
        rc = mur_safetensors_header_len(&len, (const unsigned char *)bytes.ptr, about.st_size, path);
    mur_buf_reset(&bytes);
    if (rc == 0)
        rc = mur_file_read_range(&bytes, path, MUR_SAFETENSORS_PREFIX, len);
    if (rc == 0)
        rc = mur_safetensors_parse(out, mur_buf_view(&bytes), about.st_size, path);
    mur_buf_clear(&bytes);
    return rc;
}
