#include "layout.h"

#include <stdlib.h>

#include "murmur/buf.h"
#include "murmur/hash.h"
#include "murmur/mem.h"

/* Hashes are defined over little-endian elements, and frames are hashed as they lie in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "parts are written and hashed on little-endian machines only");

char *mur_layout_name(const char *column)
{
    mur_buf name = {0};
    bool is_taken = strcmp(column, "valid") == 0;
    for (const char *at = column; *at; at++) {
        bool is_special = *at == '/' || *at == '%' || (unsigned char)*at < 0x20;
        if (is_special || (at == column && (is_taken || *at == '.')))
            mur_buf_printf(&name, "%%%02x", (unsigned)(unsigned char)*at);
        else
            mur_buf_append_byte(&name, *at);
    }
    char *fresh = mur_strdup(mur_buf_text(&name));
    mur_buf_clear(&name);
    return fresh;
}

static void add(mur_layout *l, mur_dataset set)
{
    set.block = set.kind == MUR_DATASET_BYTES ? MUR_BLOCK_BYTES : MUR_BLOCK_ROWS;
    set.n_blocks = (set.n + set.block - 1) / set.block;
    set.first_block = l->n_blocks;
    l->n_blocks += set.n_blocks;
    l->sets[l->n_sets++] = set;
}

static mur_dataset number_of(mur_type type)
{
    mur_dataset set = {.kind = MUR_DATASET_NUMBER, .size = mur_type_size(type)};
    switch (type) {
    case MUR_INT8:
    case MUR_BOOL:
        set.disk_type = H5T_STD_I8LE;
        set.memory_type = H5T_NATIVE_INT8;
        break;
    case MUR_FLOAT32:
        set.disk_type = H5T_IEEE_F32LE;
        set.memory_type = H5T_NATIVE_FLOAT;
        break;
    case MUR_FLOAT64:
        set.disk_type = H5T_IEEE_F64LE;
        set.memory_type = H5T_NATIVE_DOUBLE;
        break;
    default: /* int64, timestamp */ set.disk_type = H5T_STD_I64LE; set.memory_type = H5T_NATIVE_INT64;
    }
    return set;
}

void mur_layout_init(mur_layout *l, const mur_schema *schema, int64_t n_rows, const int64_t *n_bytes)
{
    *l = (mur_layout){.sets = mur_alloc(1 + 2 * schema->n_columns, sizeof *l->sets)};
    add(l, (mur_dataset){.name = mur_strdup("valid"),
                         .kind = MUR_DATASET_VALID,
                         .size = sizeof(uint64_t),
                         .disk_type = H5T_STD_U64LE,
                         .memory_type = H5T_NATIVE_UINT64,
                         .n = n_rows});
    for (size_t c = 0; c < schema->n_columns; c++) {
        char *name = mur_layout_name(schema->columns[c].name);
        if (schema->columns[c].type == MUR_STRING) {
            add(l, (mur_dataset){.name = mur_format("%s/offsets", name),
                                 .kind = MUR_DATASET_OFFSETS,
                                 .column = c,
                                 .size = sizeof(int64_t),
                                 .disk_type = H5T_STD_I64LE,
                                 .memory_type = H5T_NATIVE_INT64,
                                 .n = n_rows + 1});
            add(l, (mur_dataset){.name = mur_format("%s/bytes", name),
                                 .kind = MUR_DATASET_BYTES,
                                 .column = c,
                                 .size = 1,
                                 .disk_type = H5T_STD_U8LE,
                                 .memory_type = H5T_NATIVE_UINT8,
                                 .n = n_bytes[c]});
        } else {
            mur_dataset set = number_of(schema->columns[c].type);
            set.name = mur_strdup(name);
            set.column = c;
            set.n = n_rows;
            add(l, set);
        }
        free(name);
    }
}

void mur_layout_clear(mur_layout *l)
{
    for (size_t i = 0; i < l->n_sets; i++)
        free(l->sets[i].name);
    free(l->sets);
    *l = (mur_layout){0};
}

void mur_layout_hash_blocks(const mur_dataset *d, const void *elements, int64_t n, uint64_t *hashes)
{
    const char *bytes = elements;
    for (int64_t first = 0; first < n; first += d->block) {
        int64_t len = n - first < d->block ? n - first : d->block;
        *hashes++ = mur_hash(bytes + (size_t)first * d->size, (size_t)len * d->size);
    }
}

uint64_t mur_layout_hash(const mur_layout *l, const uint64_t *blocks)
{
    uint64_t *of_sets = mur_alloc(l->n_sets, sizeof *of_sets);
    mur_buf text = {0};
    for (size_t i = 0; i < l->n_sets; i++) {
        const mur_dataset *d = &l->sets[i];
        uint64_t sizes[2] = {d->size, (uint64_t)d->n};
        mur_buf_reset(&text);
        mur_buf_append(&text, d->name, strlen(d->name) + 1);
        mur_buf_append(&text, sizes, sizeof sizes);
        mur_buf_append(&text, blocks + d->first_block, (size_t)d->n_blocks * sizeof *blocks);
        of_sets[i] = mur_hash(text.ptr, text.len);
    }
    uint64_t hash = mur_hash(of_sets, l->n_sets * sizeof *of_sets);
    mur_buf_clear(&text);
    free(of_sets);
    return hash;
}
