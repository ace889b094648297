#include "murmur/plain_file.h"

#include <assert.h>
#include <errno.h>
#include <hdf5_hl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "h5.h"
#include "layout.h"
#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/mem.h"
#include "murmur/utf8.h"

/* Rows of a chunk: 128 KiB of numbers. */
#define CHUNK_ROWS 16384

typedef struct column {
    char *name; /* of its dataset */
    mur_type type;
    hid_t type_in_file, type_in_memory;
    hid_t set;
    hid_t present; /* NAME_present; 0 until a null comes */
    hid_t bytes;   /* NAME_bytes; 0 until a value comes that is no text */
} column;

struct mur_plain_file {
    char *path, *temporary;
    hid_t file; /* 0: not open */
    hid_t text_type, bytes_type;
    hid_t rows; /* the dimension scale */
    column *columns;
    size_t n_columns;
    int64_t n_rows, n_done;
};

/* Creates a dataset with an element for each row. `fill` may be NULL. Only numbers are compressed: what HDF5 keeps of a
 * string in its dataset is a reference, and netCDF refuses filters on those. */
static hid_t create_set(const mur_plain_file *f, const char *name, hid_t type, const void *fill)
{
    mur_h5scope scope = {0};
    hsize_t n = (hsize_t)f->n_rows, chunk = n < CHUNK_ROWS ? n : CHUNK_ROWS;
    hid_t space = mur_h5_hold(&scope, H5Screate_simple(1, &n, NULL));
    hid_t list = mur_h5_hold(&scope, H5Pcreate(H5P_DATASET_CREATE));
    bool is_number = H5Tget_class(type) == H5T_INTEGER || H5Tget_class(type) == H5T_FLOAT;
    herr_t done = H5Pset_obj_track_times(list, false); /* the same rows make the same file */
    if (done >= 0 && n > 0)
        done = H5Pset_chunk(list, 1, &chunk);
    if (done >= 0 && n > 0 && is_number)
        done = H5Pset_shuffle(list) < 0 ? -1 : H5Pset_deflate(list, 1);
    if (done >= 0 && fill)
        done = H5Pset_fill_value(list, type, fill);
    hid_t set = done < 0 ? -1 : H5Dcreate2(f->file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    if (set >= 0 && f->rows > 0 && H5DSattach_scale(set, f->rows, 0) < 0) {
        H5Dclose(set);
        set = -1;
    }
    int rc = set < 0 ? mur_h5_fail("cannot create dataset %s of %s", name, f->temporary) : 0;
    return mur_h5_leave(&scope, rc) < 0 ? -1 : set;
}

/* Writes the elements of the `n` rows in hand. */
static int write_rows(const mur_plain_file *f, hid_t set, hid_t memory_type, const void *elements, size_t n)
{
    mur_h5scope scope = {0};
    hsize_t first = (hsize_t)f->n_done, count = n;
    hid_t in_file = mur_h5_hold(&scope, H5Dget_space(set));
    hid_t in_memory = mur_h5_hold(&scope, H5Screate_simple(1, &count, NULL));
    int rc = 0;
    if (H5Sselect_hyperslab(in_file, H5S_SELECT_SET, &first, NULL, &count, NULL) < 0 ||
        H5Dwrite(set, memory_type, in_memory, in_file, H5P_DEFAULT, elements) < 0)
        rc = mur_h5_fail("cannot write %s", f->temporary);
    return mur_h5_leave(&scope, rc);
}

static int put_attribute(hid_t where, const char *name, hid_t type_in_file, hid_t type_in_memory, const void *values,
                         hsize_t n)
{
    mur_h5scope scope = {0};
    hid_t space = mur_h5_hold(&scope, H5Screate_simple(1, &n, NULL));
    hid_t attribute = mur_h5_hold(&scope, H5Acreate2(where, name, type_in_file, space, H5P_DEFAULT, H5P_DEFAULT));
    int rc = 0;
    if (attribute < 0 || H5Awrite(attribute, type_in_memory, values) < 0)
        rc = mur_h5_fail("cannot write attribute %s", name);
    return mur_h5_leave(&scope, rc);
}

/* CF's way to name the values of a small integer: http://cfconventions.org/cf-conventions/cf-conventions.html#flags */
static int put_flags(hid_t set, const char *meanings)
{
    int8_t values[128];
    hsize_t n = 0;
    for (const char *at = meanings; at; at = strchr(at + 1, ' ')) {
        values[n] = (int8_t)n;
        n++;
    }
    int rc = put_attribute(set, "flag_values", H5T_STD_I8LE, H5T_NATIVE_INT8, values, n);
    return rc < 0 ? rc : mur_h5_put_text(set, "flag_meanings", meanings);
}

static int put_column_order(const mur_plain_file *f)
{
    const char **names = mur_alloc(f->n_columns, sizeof *names);
    for (size_t k = 0; k < f->n_columns; k++)
        names[k] = f->columns[k].name;
    int rc = put_attribute(f->file, "column-order", f->text_type, f->text_type, names, f->n_columns);
    free(names);
    return rc;
}

static const char *find_flags(const mur_plain_flags *flags, const mur_column *c)
{
    for (; flags && flags->column; flags++)
        if (strcmp(flags->column, c->name) == 0)
            return flags->meanings;
    return c->type == MUR_BOOL ? "false true" : NULL;
}

static int create_column(mur_plain_file *f, column *out, const mur_column *c, const mur_plain_flags *flags)
{
    out->type = c->type;
    switch (c->type) {
    case MUR_STRING: out->type_in_file = out->type_in_memory = f->text_type; break;
    case MUR_INT8:
    case MUR_BOOL:
        out->type_in_file = H5T_STD_I8LE;
        out->type_in_memory = H5T_NATIVE_INT8;
        break;
    case MUR_FLOAT32:
        out->type_in_file = H5T_IEEE_F32LE;
        out->type_in_memory = H5T_NATIVE_FLOAT;
        break;
    case MUR_FLOAT64:
        out->type_in_file = H5T_IEEE_F64LE;
        out->type_in_memory = H5T_NATIVE_DOUBLE;
        break;
    default: /* int64, timestamp */ out->type_in_file = H5T_STD_I64LE; out->type_in_memory = H5T_NATIVE_INT64;
    }
    out->set = create_set(f, out->name, out->type_in_file, NULL);
    if (out->set < 0)
        return MUR_EIO;
    int rc = mur_h5_put_text(out->set, "long_name", c->description);
    const char *meanings = find_flags(flags, c);
    if (rc == 0 && meanings && (c->type == MUR_INT8 || c->type == MUR_BOOL))
        rc = put_flags(out->set, meanings);
    if (rc == 0 && c->type == MUR_TIMESTAMP)
        rc = mur_h5_put_text(out->set, "units", "milliseconds since 1970-01-01 00:00:00");
    if (rc == 0 && c->type == MUR_TIMESTAMP)
        rc = mur_h5_put_text(out->set, "calendar", "proleptic_gregorian");
    return rc;
}

static bool is_column(const mur_plain_file *f, const char *name)
{
    for (size_t k = 0; k < f->n_columns; k++)
        if (strcmp(f->columns[k].name, name) == 0)
            return true;
    return false;
}

/* A name that no column has: `stem` and as many underscores as it takes. Fresh string. */
static char *free_name(const mur_plain_file *f, const char *stem)
{
    mur_buf name = {0};
    mur_buf_append_text(&name, stem);
    while (is_column(f, mur_buf_text(&name)))
        mur_buf_append_byte(&name, '_');
    char *fresh = mur_strdup(mur_buf_text(&name));
    mur_buf_clear(&name);
    return fresh;
}

/* The dimension of all columns, which is also a column of row numbers. */
static int create_rows(mur_plain_file *f)
{
    char *name = free_name(f, "row");
    hid_t set = create_set(f, name, H5T_STD_I64LE, NULL);
    int rc = set < 0 ? MUR_EIO : 0;
    if (rc == 0 && H5DSset_scale(set, name) < 0)
        rc = mur_h5_fail("cannot make %s a dimension of %s", name, f->temporary);
    if (rc == 0)
        rc = mur_h5_put_text(set, "long_name", "number of the row, from 0");
    f->rows = set > 0 ? set : 0;
    free(name);
    return rc;
}

static int create_file(mur_plain_file *f)
{
    mur_h5scope scope = {0};
    hid_t access = mur_h5_hold(&scope, mur_h5_access_alone());
    hid_t list = mur_h5_hold(&scope, H5Pcreate(H5P_FILE_CREATE));
    int rc = 0;
    /* So that ncdump and netCDF show the columns in their order. */
    H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    f->file = H5Fcreate(f->temporary, H5F_ACC_EXCL, list, access);
    if (f->file < 0) {
        f->file = 0;
        mur_h5_fail("cannot create %s", f->temporary);
        rc = MUR_ECREATE;
    }
    f->text_type = H5Tcopy(H5T_C_S1);
    f->bytes_type = H5Tvlen_create(H5T_STD_U8LE);
    if (rc == 0 && (f->text_type < 0 || f->bytes_type < 0 || H5Tset_size(f->text_type, H5T_VARIABLE) < 0 ||
                    H5Tset_cset(f->text_type, H5T_CSET_UTF8) < 0))
        rc = mur_h5_fail("cannot make a type for text");
    return mur_h5_leave(&scope, rc);
}

int mur_plain_create(mur_plain_file **out, const char *path, const mur_schema *schema, int64_t n_rows,
                     const mur_plain_flags *flags)
{
    *out = NULL;
    for (size_t k = 0; k < schema->n_columns; k++)
        if ((size_t)mur_schema_find(schema, mur_view_of(schema->columns[k].name)) != k)
            return mur_fail(MUR_EUSAGE, "column %s is named twice: an HDF5 file holds it once",
                            schema->columns[k].name);
    if (mur_path_is_folder(path))
        return mur_fail(MUR_ECREATE, "%s is a folder: name a file", path);

    mur_h5_start();
    mur_plain_file *f = mur_alloc(1, sizeof *f);
    f->path = mur_strdup(path);
    f->temporary = mur_format("%s._tmp-%ld", path, (long)getpid());
    f->n_rows = n_rows;
    f->columns = mur_alloc(schema->n_columns, sizeof *f->columns);
    for (f->n_columns = 0; f->n_columns < schema->n_columns; f->n_columns++)
        f->columns[f->n_columns].name = mur_layout_name(schema->columns[f->n_columns].name);
    int rc = create_file(f);
    if (rc == 0)
        rc = create_rows(f);
    for (size_t k = 0; rc == 0 && k < f->n_columns; k++)
        rc = create_column(f, &f->columns[k], &schema->columns[k], flags);
    if (rc == 0)
        rc = put_column_order(f);
    if (rc < 0)
        rc = mur_plain_close(&f, rc);
    *out = f;
    return rc;
}

int mur_plain_put_text(mur_plain_file *f, const char *name, const char *text)
{
    return mur_h5_put_text(f->file, name, text);
}

int mur_plain_put_int64(mur_plain_file *f, const char *name, int64_t value)
{
    return mur_h5_put_int64(f->file, name, value);
}

/* Opens a companion of the column on first use: one of these only exists where it has something to tell. */
static int need_companion(const mur_plain_file *f, const column *c, hid_t *set, const char *suffix, hid_t type,
                          const void *fill, const char *long_name)
{
    if (*set > 0)
        return 0;
    char *stem = mur_format("%s%s", c->name, suffix), *name = free_name(f, stem);
    hid_t made = create_set(f, name, type, fill);
    int rc = made < 0 ? MUR_EIO : mur_h5_put_text(made, "long_name", long_name);
    *set = made > 0 ? made : 0;
    free(name);
    free(stem);
    return rc;
}

/* NAME_present: 0 in the rows in which the column is null. */
static int write_present(mur_plain_file *f, column *c, const mur_frame *rows, size_t k)
{
    const int8_t one = 1;
    bool is_new = c->present == 0;
    int rc = need_companion(f, c, &c->present, "_present", H5T_STD_I8LE, &one, "0 where the value is null, else 1");
    if (rc == 0 && is_new)
        rc = put_flags(c->present, "null present");
    int8_t *present = mur_alloc(rows->n_rows, sizeof *present);
    for (size_t row = 0; row < rows->n_rows; row++)
        present[row] = mur_frame_is_present(rows, row, k);
    if (rc == 0)
        rc = write_rows(f, c->present, H5T_NATIVE_INT8, present, rows->n_rows);
    free(present);
    return rc;
}

/* An HDF5 string is text and ends at its first NUL. */
static bool is_text(mur_view value)
{
    return (value.len == 0 || !memchr(value.ptr, '\0', value.len)) && mur_utf8_is_valid(value);
}

/* NAME_bytes: the values that are no text, as they are; none in the other rows. */
static int write_bytes(mur_plain_file *f, column *c, const mur_frame *rows, size_t k)
{
    int rc = need_companion(f, c, &c->bytes, "_bytes", f->bytes_type, NULL,
                            "the value's bytes where it is no UTF-8 text, else none");
    hvl_t *values = mur_alloc(rows->n_rows, sizeof *values);
    for (size_t row = 0; row < rows->n_rows; row++) {
        mur_view value = mur_frame_string(rows, row, k);
        if (!is_text(value))
            values[row] = (hvl_t){value.len, (void *)(uintptr_t)value.ptr}; /* only read */
    }
    if (rc == 0)
        rc = write_rows(f, c->bytes, f->bytes_type, values, rows->n_rows);
    free(values);
    return rc;
}

static int write_strings(mur_plain_file *f, column *c, const mur_frame *rows, size_t k)
{
    mur_buf text = {0};
    size_t *starts = mur_alloc(rows->n_rows, sizeof *starts);
    const char **values = mur_alloc(rows->n_rows, sizeof *values);
    bool are_all_text = true;
    for (size_t row = 0; row < rows->n_rows; row++) {
        mur_view value = mur_frame_string(rows, row, k);
        starts[row] = text.len;
        if (is_text(value)) {
            mur_buf_append_view(&text, value);
        } else {
            mur_utf8_append_escaped(&text, value, true);
            are_all_text = false;
        }
        mur_buf_append_byte(&text, '\0');
    }
    for (size_t row = 0; row < rows->n_rows; row++)
        values[row] = text.ptr + starts[row];
    int rc = write_rows(f, c->set, f->text_type, values, rows->n_rows);
    if (rc == 0 && !are_all_text)
        rc = write_bytes(f, c, rows, k);
    free(values);
    free(starts);
    mur_buf_clear(&text);
    return rc;
}

/* What stands for null among numbers. */
static void fill_of(mur_type type, void *fill)
{
    if (type == MUR_FLOAT32)
        memcpy(fill, &(float){NAN}, sizeof(float));
    else if (type == MUR_FLOAT64)
        memcpy(fill, &(double){NAN}, sizeof(double));
    else if (type == MUR_INT8 || type == MUR_BOOL)
        memcpy(fill, &(int8_t){INT8_MIN}, sizeof(int8_t));
    else
        memcpy(fill, &(int64_t){MUR_NO_TIME}, sizeof(int64_t));
}

static int write_numbers(mur_plain_file *f, column *c, const mur_frame *rows, size_t k, bool has_nulls)
{
    const char *values = rows->columns[k].bytes.ptr;
    if (!has_nulls)
        return write_rows(f, c->set, c->type_in_memory, values, rows->n_rows);
    char fill[sizeof(int64_t)];
    size_t size = mur_type_size(c->type);
    fill_of(c->type, fill);
    char *filled = mur_alloc(rows->n_rows, size);
    for (size_t row = 0; row < rows->n_rows; row++)
        memcpy(filled + row * size, mur_frame_is_present(rows, row, k) ? values + row * size : fill, size);
    int rc = write_rows(f, c->set, c->type_in_memory, filled, rows->n_rows);
    free(filled);
    /* Only where there is a null: readers of _FillValue make floating-point numbers of all that could be one. */
    if (rc == 0 && H5Aexists(c->set, "_FillValue") == 0)
        rc = put_attribute(c->set, "_FillValue", c->type_in_file, c->type_in_memory, fill, 1);
    return rc;
}

static int write_row_numbers(mur_plain_file *f, size_t n)
{
    int64_t *numbers = mur_alloc(n, sizeof *numbers);
    for (size_t i = 0; i < n; i++)
        numbers[i] = f->n_done + (int64_t)i;
    int rc = write_rows(f, f->rows, H5T_NATIVE_INT64, numbers, n);
    free(numbers);
    return rc;
}

int mur_plain_append(mur_plain_file *f, const mur_frame *rows)
{
    assert(rows->schema->n_columns == f->n_columns && (int64_t)rows->n_rows <= f->n_rows - f->n_done);
    if (rows->n_rows == 0)
        return 0;
    int rc = write_row_numbers(f, rows->n_rows);
    for (size_t k = 0; rc == 0 && k < f->n_columns; k++) {
        column *c = &f->columns[k];
        bool has_nulls = false;
        for (size_t row = 0; !has_nulls && row < rows->n_rows; row++)
            has_nulls = !mur_frame_is_present(rows, row, k);
        rc = c->type == MUR_STRING ? write_strings(f, c, rows, k) : write_numbers(f, c, rows, k, has_nulls);
        if (rc == 0 && has_nulls)
            rc = write_present(f, c, rows, k);
    }
    f->n_done += (int64_t)rows->n_rows;
    return rc;
}

/* CF's link from a column to what tells more about it. */
static int put_companions(const column *c)
{
    hid_t sets[] = {c->present, c->bytes};
    mur_buf names = {0};
    for (size_t i = 0; i < 2; i++) {
        char name[512];
        if (sets[i] > 0 && H5Iget_name(sets[i], name, sizeof name) > 0)
            mur_buf_printf(&names, "%s%s", names.len ? " " : "", name + 1); /* without the leading slash */
    }
    int rc = names.len ? mur_h5_put_text(c->set, "ancillary_variables", mur_buf_text(&names)) : 0;
    mur_buf_clear(&names);
    return rc;
}

static void close_all(mur_plain_file *f, int *rc)
{
    for (size_t k = 0; k < f->n_columns; k++) {
        column *c = &f->columns[k];
        hid_t sets[] = {c->set, c->present, c->bytes};
        if (*rc == 0)
            *rc = put_companions(c);
        for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
            if (sets[i] > 0 && H5Dclose(sets[i]) < 0 && *rc == 0)
                *rc = mur_h5_fail("cannot write %s", f->temporary);
        free(c->name);
    }
    if (f->rows > 0 && H5Dclose(f->rows) < 0 && *rc == 0)
        *rc = mur_h5_fail("cannot write %s", f->temporary);
    if (f->text_type > 0)
        H5Tclose(f->text_type);
    if (f->bytes_type > 0)
        H5Tclose(f->bytes_type);
    if (f->file > 0 && H5Fclose(f->file) < 0 && *rc == 0)
        *rc = mur_h5_fail("cannot write %s", f->temporary);
}

int mur_plain_close(mur_plain_file **out, int rc)
{
    mur_plain_file *f = *out;
    *out = NULL;
    if (!f)
        return rc;
    bool is_begun = f->file > 0;
    if (rc == 0 && f->n_done != f->n_rows)
        rc = mur_fail(MUR_EINTERNAL, "%s: %" PRId64 " rows came instead of %" PRId64, f->path, f->n_done, f->n_rows);
    close_all(f, &rc);
    if (rc == 0)
        rc = mur_file_sync(f->temporary);
    if (rc == 0 && rename(f->temporary, f->path) < 0)
        rc = mur_fail_errno(MUR_ECREATE, "cannot rename %s to %s", f->temporary, f->path);
    if (rc < 0 && is_begun)
        unlink(f->temporary);
    free(f->columns);
    free(f->temporary);
    free(f->path);
    free(f);
    return rc;
}
