#include "murmur/frame.h"

#include <assert.h>
#include <stdlib.h>

#include "murmur/clock.h"
#include "murmur/mem.h"

static const struct {
    const char *name;
    size_t size;
} types[] = {
    [MUR_STRING] = {"string", 1},       [MUR_INT64] = {"int64", 8},     [MUR_INT8] = {"int8", 1},
    [MUR_FLOAT32] = {"float32", 4},     [MUR_FLOAT64] = {"float64", 8}, [MUR_BOOL] = {"bool", 1},
    [MUR_TIMESTAMP] = {"timestamp", 8},
};

const char *mur_type_name(mur_type type)
{
    return types[type].name;
}

bool mur_type_from_name(mur_type *type, mur_view name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (mur_view_equal(name, mur_view_of(types[i].name))) {
            *type = (mur_type)i;
            return true;
        }
    }
    return false;
}

size_t mur_type_size(mur_type type)
{
    return types[type].size;
}

int mur_schema_find(const mur_schema *schema, mur_view name)
{
    for (size_t c = 0; c < schema->n_columns; c++)
        if (mur_view_equal(name, mur_view_of(schema->columns[c].name)))
            return (int)c;
    return -1;
}

void mur_frame_init(mur_frame *f, const mur_schema *schema)
{
    assert(schema->n_columns <= MUR_MAX_COLUMNS);
    *f = (mur_frame){.schema = schema, .columns = mur_alloc(schema->n_columns, sizeof(mur_values))};
    for (size_t c = 0; c < schema->n_columns; c++)
        if (schema->columns[c].type == MUR_STRING)
            f->columns[c].offsets = mur_alloc(1, sizeof(int64_t));
}

void mur_frame_clear(mur_frame *f)
{
    for (size_t c = 0; f->columns && c < f->schema->n_columns; c++) {
        free(f->columns[c].offsets);
        mur_buf_clear(&f->columns[c].bytes);
    }
    free(f->columns);
    free(f->valid);
    *f = (mur_frame){0};
}

void mur_frame_reset(mur_frame *f)
{
    f->n_rows = 0;
    for (size_t c = 0; c < f->schema->n_columns; c++)
        mur_buf_reset(&f->columns[c].bytes);
}

static void grow(mur_frame *f, size_t n_rows)
{
    if (n_rows <= f->cap_rows)
        return;
    f->cap_rows = mur_grown(f->cap_rows, n_rows);
    f->valid = mur_realloc(f->valid, f->cap_rows, sizeof *f->valid);
    for (size_t c = 0; c < f->schema->n_columns; c++)
        if (f->columns[c].offsets)
            f->columns[c].offsets = mur_realloc(f->columns[c].offsets, f->cap_rows + 1, sizeof(int64_t));
}

void mur_frame_add_row(mur_frame *f)
{
    grow(f, f->n_rows + 1);
    f->valid[f->n_rows] = 0;
    for (size_t c = 0; c < f->schema->n_columns; c++) {
        mur_values *v = &f->columns[c];
        mur_type type = f->schema->columns[c].type;
        if (type == MUR_STRING) {
            v->offsets[f->n_rows + 1] = v->offsets[f->n_rows];
        } else if (type == MUR_TIMESTAMP) {
            int64_t none = MUR_NO_TIME;
            mur_buf_append(&v->bytes, &none, sizeof none);
        } else {
            static const char zeros[8];
            mur_buf_append(&v->bytes, zeros, mur_type_size(type));
        }
    }
    f->n_rows++;
}

static void mark_present(mur_frame *f, size_t column)
{
    assert(f->n_rows > 0 && column < f->schema->n_columns);
    f->valid[f->n_rows - 1] |= UINT64_C(1) << column;
}

static void set_number(mur_frame *f, size_t column, const void *value, size_t size)
{
    assert(mur_type_size(f->schema->columns[column].type) == size);
    mark_present(f, column);
    memcpy(f->columns[column].bytes.ptr + (f->n_rows - 1) * size, value, size);
}

void mur_frame_set_string(mur_frame *f, size_t column, mur_view text)
{
    assert(f->schema->columns[column].type == MUR_STRING && !mur_frame_is_present(f, f->n_rows - 1, column));
    mark_present(f, column);
    mur_buf_append_view(&f->columns[column].bytes, text);
    f->columns[column].offsets[f->n_rows] += (int64_t)text.len;
}

void mur_frame_set_int64(mur_frame *f, size_t column, int64_t value)
{
    if (f->schema->columns[column].type == MUR_TIMESTAMP && value == MUR_NO_TIME)
        return;
    set_number(f, column, &value, sizeof value);
}

void mur_frame_set_int8(mur_frame *f, size_t column, int8_t value)
{
    set_number(f, column, &value, sizeof value);
}

void mur_frame_set_float32(mur_frame *f, size_t column, float value)
{
    set_number(f, column, &value, sizeof value);
}

void mur_frame_set_float64(mur_frame *f, size_t column, double value)
{
    set_number(f, column, &value, sizeof value);
}

void mur_frame_append_row(mur_frame *f, const mur_frame *from, size_t row)
{
    assert(f->schema == from->schema);
    mur_frame_add_row(f);
    for (size_t c = 0; c < f->schema->n_columns; c++) {
        mur_type type = f->schema->columns[c].type;
        if (!mur_frame_is_present(from, row, c))
            continue;
        if (type == MUR_STRING)
            mur_frame_set_string(f, c, mur_frame_string(from, row, c));
        else
            set_number(f, c, from->columns[c].bytes.ptr + row * mur_type_size(type), mur_type_size(type));
    }
}

void mur_frame_append(mur_frame *f, const mur_frame *from)
{
    assert(f->schema == from->schema);
    if (from->n_rows == 0)
        return;
    grow(f, f->n_rows + from->n_rows);
    memcpy(f->valid + f->n_rows, from->valid, from->n_rows * sizeof *f->valid);
    for (size_t c = 0; c < f->schema->n_columns; c++) {
        mur_values *to = &f->columns[c];
        const mur_values *v = &from->columns[c];
        if (v->offsets)
            for (size_t r = 1; r <= from->n_rows; r++)
                to->offsets[f->n_rows + r] = to->offsets[f->n_rows] + v->offsets[r];
        mur_buf_append(&to->bytes, v->bytes.ptr, v->bytes.len);
    }
    f->n_rows += from->n_rows;
}

bool mur_frame_is_present(const mur_frame *f, size_t row, size_t column)
{
    assert(row < f->n_rows && column < f->schema->n_columns);
    return f->valid[row] >> column & 1;
}

mur_view mur_frame_string(const mur_frame *f, size_t row, size_t column)
{
    assert(row < f->n_rows && f->schema->columns[column].type == MUR_STRING);
    const mur_values *v = &f->columns[column];
    size_t len = (size_t)(v->offsets[row + 1] - v->offsets[row]);
    return (mur_view){len ? v->bytes.ptr + v->offsets[row] : "", len};
}

static void get_number(const mur_frame *f, size_t row, size_t column, void *value, size_t size)
{
    assert(row < f->n_rows && mur_type_size(f->schema->columns[column].type) == size);
    memcpy(value, f->columns[column].bytes.ptr + row * size, size);
}

int64_t mur_frame_int64(const mur_frame *f, size_t row, size_t column)
{
    int64_t value;
    get_number(f, row, column, &value, sizeof value);
    return value;
}

int8_t mur_frame_int8(const mur_frame *f, size_t row, size_t column)
{
    int8_t value;
    get_number(f, row, column, &value, sizeof value);
    return value;
}

float mur_frame_float32(const mur_frame *f, size_t row, size_t column)
{
    float value;
    get_number(f, row, column, &value, sizeof value);
    return value;
}

double mur_frame_float64(const mur_frame *f, size_t row, size_t column)
{
    double value;
    get_number(f, row, column, &value, sizeof value);
    return value;
}

int64_t mur_frame_bytes(const mur_frame *f)
{
    int64_t total = (int64_t)(f->n_rows * sizeof *f->valid);
    for (size_t c = 0; c < f->schema->n_columns; c++) {
        total += (int64_t)f->columns[c].bytes.len;
        if (f->columns[c].offsets)
            total += (int64_t)((f->n_rows + 1) * sizeof(int64_t));
    }
    return total;
}
