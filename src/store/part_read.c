#include "part_read.h"

#include <inttypes.h>
#include <stdlib.h>

#include "h5.h"
#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/mem.h"
#include "murmur/schema.h"

struct mur_part_reader {
    char *path; /* as in the log, for messages */
    hid_t file;
    hid_t *sets; /* by number in the layout; 0 where not open */
    char *table;
    int64_t version;
    int64_t n_rows;
    mur_schema *schema;
    unsigned *valid_bits; /* by column */
    mur_layout layout;
};

/* The number of elements of a dataset with one dimension. */
static int length_of(hid_t dataset, int64_t *n)
{
    mur_h5scope scope = {0};
    hsize_t length = 0;
    hid_t space = mur_h5_hold(&scope, H5Dget_space(dataset));
    int rc = 0;
    if (space < 0 || H5Sget_simple_extent_ndims(space) != 1 || H5Sget_simple_extent_dims(space, &length, NULL) != 1 ||
        length > INT64_MAX)
        rc = mur_fail(MUR_EDATA, "it does not have one dimension");
    *n = (int64_t)length;
    return mur_h5_leave(&scope, rc);
}

/* Opens dataset `d` of the file; `*n` is its length. MUR_EDATA if it is not of the type that the schema says. */
static int open_set(const mur_part_reader *r, const mur_dataset *d, hid_t *dataset, int64_t *n)
{
    mur_h5scope scope = {0};
    *dataset = H5Dopen2(r->file, d->name, H5P_DEFAULT);
    if (*dataset < 0) {
        *dataset = 0;
        return mur_h5_fail("%s: cannot open dataset %s", r->path, d->name);
    }
    hid_t type = mur_h5_hold(&scope, H5Dget_type(*dataset));
    int rc = length_of(*dataset, n);
    if (rc == 0 && (type < 0 || H5Tequal(type, d->disk_type) <= 0))
        rc = mur_fail(MUR_EDATA, "it is not of the type that the schema says");
    if (rc < 0)
        mur_error_add("%s: dataset %s", r->path, d->name);
    return mur_h5_leave(&scope, rc);
}

/* The text bytes of each string column. */
static int measure_text(const mur_part_reader *r, int64_t *n_bytes)
{
    mur_layout unmeasured;
    mur_layout_init(&unmeasured, r->schema, r->n_rows, n_bytes);
    int rc = 0;
    for (size_t i = 0; i < unmeasured.n_sets && rc == 0; i++) {
        const mur_dataset *d = &unmeasured.sets[i];
        hid_t dataset = 0;
        if (d->kind == MUR_DATASET_BYTES)
            rc = open_set(r, d, &dataset, &n_bytes[d->column]);
        if (dataset > 0)
            H5Dclose(dataset);
    }
    mur_layout_clear(&unmeasured);
    return rc;
}

static int open_sets(mur_part_reader *r)
{
    int64_t *n_bytes = mur_alloc(r->schema->n_columns, sizeof *n_bytes);
    int rc = measure_text(r, n_bytes);
    mur_layout_init(&r->layout, r->schema, r->n_rows, n_bytes);
    r->sets = mur_alloc(r->layout.n_sets, sizeof *r->sets);
    for (size_t i = 0; i < r->layout.n_sets && rc == 0; i++) {
        const mur_dataset *d = &r->layout.sets[i];
        int64_t n = 0;
        rc = open_set(r, d, &r->sets[i], &n);
        if (rc == 0 && n != d->n)
            rc = mur_fail(MUR_EDATA, "%s: dataset %s has %" PRId64 " elements instead of %" PRId64, r->path, d->name, n,
                          d->n);
    }
    free(n_bytes);
    return rc;
}

static int read_valid_bits(mur_part_reader *r)
{
    r->valid_bits = mur_alloc(r->schema->n_columns, sizeof *r->valid_bits);
    int rc = 0;
    for (size_t c = 0; c < r->schema->n_columns && rc == 0; c++) {
        int64_t bit = -1;
        char *name = mur_layout_name(r->schema->columns[c].name);
        hid_t object = H5Oopen(r->file, name, H5P_DEFAULT);
        rc = object < 0 ? mur_h5_fail("cannot open") : mur_h5_get_int64(object, "valid_bit", &bit);
        if (rc == 0 && (bit < 0 || bit >= MUR_MAX_COLUMNS))
            rc = mur_fail(MUR_EDATA, "valid_bit is %" PRId64, bit);
        if (object >= 0)
            H5Oclose(object);
        if (rc < 0)
            mur_error_add("%s: column %s", r->path, name);
        free(name);
        r->valid_bits[c] = (unsigned)bit;
    }
    return rc;
}

static int read_head(mur_part_reader *r)
{
    int64_t format = 0;
    char *schema = NULL;
    int rc = mur_h5_get_int64(r->file, "murmur_format", &format);
    if (rc == 0 && format != MUR_PART_FORMAT)
        rc = mur_fail(MUR_EDATA, "format %" PRId64 " is not known to this murmur, which reads format %d", format,
                      MUR_PART_FORMAT);
    if (rc == 0)
        rc = mur_h5_get_text(r->file, "table", &r->table);
    if (rc == 0)
        rc = mur_h5_get_int64(r->file, "version", &r->version);
    if (rc == 0)
        rc = mur_h5_get_int64(r->file, "n_rows", &r->n_rows);
    if (rc == 0 && (r->n_rows < 0 || r->n_rows == INT64_MAX))
        rc = mur_fail(MUR_EDATA, "n_rows is %" PRId64, r->n_rows);
    if (rc == 0)
        rc = mur_h5_get_text(r->file, "schema", &schema);
    if (rc == 0)
        rc = mur_schema_parse(&r->schema, mur_view_of(schema), "schema");
    free(schema);
    if (rc < 0)
        mur_error_add("%s", r->path);
    return rc;
}

int mur_part_open_file(mur_part_reader **out, const char *store, const char *path)
{
    mur_h5_start();
    mur_h5scope scope = {0};
    mur_part_reader *r = mur_alloc(1, sizeof *r);
    char *full = mur_path_join(store, path);
    int rc;
    r->path = mur_strdup(path);
    if (!mur_path_exists(full)) {
        rc = mur_fail_errno(MUR_ENOINPUT, "%s", full);
        goto done;
    }
    hid_t access = mur_h5_hold(&scope, mur_h5_access_alone());
    r->file = H5Fopen(full, H5F_ACC_RDONLY, access);
    if (r->file < 0) {
        r->file = 0;
        rc = mur_h5_fail("%s: not a readable HDF5 file", path);
        goto done;
    }
    rc = read_head(r);
    if (rc < 0)
        goto done;
    rc = open_sets(r);
    if (rc == 0)
        rc = read_valid_bits(r);
done:
    rc = mur_h5_leave(&scope, rc);
    free(full);
    if (rc < 0)
        mur_part_close(&r);
    *out = r;
    return rc;
}

int mur_part_open(mur_part_reader **out, const char *store, const mur_part *part)
{
    *out = NULL;
    int rc = mur_part_check(store, part);
    return rc < 0 ? rc : mur_part_open_file(out, store, part->path);
}

int mur_part_open_checked(mur_part_reader **out, const char *store, const mur_part *part)
{
    return mur_part_open_file(out, store, part->path);
}

void mur_part_close(mur_part_reader **out)
{
    mur_part_reader *r = *out;
    *out = NULL;
    if (!r)
        return;
    for (size_t i = 0; r->sets && i < r->layout.n_sets; i++)
        if (r->sets[i] > 0)
            H5Dclose(r->sets[i]);
    if (r->file > 0)
        H5Fclose(r->file);
    mur_layout_clear(&r->layout);
    mur_schema_free(&r->schema);
    free(r->sets);
    free(r->valid_bits);
    free(r->table);
    free(r->path);
    free(r);
}

int64_t mur_part_n_rows(const mur_part_reader *r)
{
    return r->n_rows;
}

int64_t mur_part_raw_bytes(const mur_part_reader *r)
{
    int64_t sum = 0;
    for (size_t i = 0; i < r->layout.n_sets; i++) {
        const mur_dataset *d = &r->layout.sets[i];
        int64_t n = d->kind == MUR_DATASET_OFFSETS ? d->n - 1 : d->n; /* the last offset is not a row's */
        sum += n * (int64_t)d->size;
    }
    return sum;
}

const mur_schema *mur_part_schema(const mur_part_reader *r)
{
    return r->schema;
}

const mur_layout *mur_part_layout(const mur_part_reader *r)
{
    return &r->layout;
}

const char *mur_part_table(const mur_part_reader *r)
{
    return r->table;
}

int64_t mur_part_version(const mur_part_reader *r)
{
    return r->version;
}

/* Appends elements [first, first + n) of dataset `set`. */
static int read_elements(mur_part_reader *r, size_t set, int64_t first, int64_t n, mur_buf *out)
{
    const mur_dataset *d = &r->layout.sets[set];
    if (n == 0)
        return 0;
    mur_h5scope scope = {0};
    hsize_t start = (hsize_t)first, count = (hsize_t)n;
    hid_t in_file = mur_h5_hold(&scope, H5Dget_space(r->sets[set]));
    hid_t in_memory = mur_h5_hold(&scope, H5Screate_simple(1, &count, NULL));
    size_t len = (size_t)n * d->size;
    void *to = mur_buf_reserve(out, len);
    int rc = 0;
    if (in_file < 0 || in_memory < 0 || H5Sselect_hyperslab(in_file, H5S_SELECT_SET, &start, NULL, &count, NULL) < 0 ||
        H5Dread(r->sets[set], d->memory_type, in_memory, in_file, H5P_DEFAULT, to) < 0)
        rc = mur_h5_fail("%s: cannot read %s", r->path, d->name);
    else
        out->len += len;
    return mur_h5_leave(&scope, rc);
}

/* Bounds what is held while a large part is hashed. */
#define HASH_SLAB_BYTES (8 << 20)

int mur_part_hash_blocks(mur_part_reader *r, size_t set, int64_t first, int64_t n, uint64_t *hashes)
{
    const mur_dataset *d = &r->layout.sets[set];
    int64_t step = HASH_SLAB_BYTES / (d->block * (int64_t)d->size);
    mur_buf elements = {0};
    int rc = 0;
    for (int64_t done = 0; done < n && rc == 0; done += step) {
        int64_t low = (first + done) * d->block;
        int64_t high = (first + (done + step < n ? done + step : n)) * d->block;
        high = high < d->n ? high : d->n;
        mur_buf_reset(&elements);
        rc = read_elements(r, set, low, high - low, &elements);
        if (rc == 0)
            mur_layout_hash_blocks(d, elements.ptr, high - low, hashes + done);
    }
    mur_buf_clear(&elements);
    return rc;
}

int mur_part_hash(mur_part_reader *r, uint64_t *hash)
{
    uint64_t *blocks = mur_alloc((size_t)r->layout.n_blocks, sizeof *blocks);
    int rc = 0;
    for (size_t i = 0; i < r->layout.n_sets && rc == 0; i++) {
        const mur_dataset *d = &r->layout.sets[i];
        rc = mur_part_hash_blocks(r, i, 0, d->n_blocks, blocks + d->first_block);
    }
    if (rc == 0)
        *hash = mur_layout_hash(&r->layout, blocks);
    free(blocks);
    return rc;
}

/* Rows as offsets into text that begins at 0. The file's offsets are not trusted: they decide what is read. */
static int read_strings(mur_part_reader *r, size_t offsets_set, int64_t first, int64_t n, mur_values *out)
{
    const mur_dataset *bytes = &r->layout.sets[offsets_set + 1];
    mur_buf offsets = {0};
    int rc = read_elements(r, offsets_set, first, n + 1, &offsets);
    if (rc < 0)
        goto done;
    const int64_t *from = (const int64_t *)(const void *)offsets.ptr;
    out->offsets = mur_realloc(out->offsets, (size_t)n + 1, sizeof *out->offsets);
    for (int64_t i = 0; i <= n; i++) {
        if (from[i] < (i ? from[i - 1] : 0) || from[i] > bytes->n) {
            rc = mur_fail(MUR_EDATA, "%s: %s: element %" PRId64 " is %" PRId64 ", out of order or beyond the text",
                          r->path, r->layout.sets[offsets_set].name, first + i, from[i]);
            goto done;
        }
        out->offsets[i] = from[i] - from[0];
    }
    rc = read_elements(r, offsets_set + 1, from[0], from[n] - from[0], &out->bytes);
done:
    mur_buf_clear(&offsets);
    return rc;
}

/* Values of a column that the part lacks: as mur_frame_add_row leaves them. */
static void fill_null(mur_type type, int64_t n, mur_values *out)
{
    if (type == MUR_STRING) {
        out->offsets = mur_realloc(out->offsets, (size_t)n + 1, sizeof *out->offsets);
        memset(out->offsets, 0, ((size_t)n + 1) * sizeof *out->offsets);
        return;
    }
    size_t len = (size_t)n * mur_type_size(type);
    void *to = mur_buf_reserve(&out->bytes, len);
    if (len > 0)
        memset(to, 0, len);
    for (int64_t i = 0; type == MUR_TIMESTAMP && i < n; i++)
        ((int64_t *)to)[i] = MUR_NO_TIME;
    out->bytes.len += len;
}

static int read_column(mur_part_reader *r, const mur_column *wanted, int64_t first, int64_t n, mur_values *out,
                       int *valid_bit)
{
    *valid_bit = -1;
    int column = mur_schema_find(r->schema, mur_view_of(wanted->name));
    if (column < 0) {
        fill_null(wanted->type, n, out);
        return 0;
    }
    mur_type have = r->schema->columns[column].type;
    if (have != wanted->type)
        return mur_fail(MUR_EDATA, "%s: column %s is %s, not %s", r->path, wanted->name, mur_type_name(have),
                        mur_type_name(wanted->type));
    *valid_bit = (int)r->valid_bits[column];
    size_t set = 0;
    while (r->layout.sets[set].kind == MUR_DATASET_VALID || r->layout.sets[set].column != (size_t)column)
        set++;
    return have == MUR_STRING ? read_strings(r, set, first, n, out) : read_elements(r, set, first, n, &out->bytes);
}

int mur_part_read(mur_part_reader *r, int64_t first, int64_t n, mur_frame *out)
{
    if (first < 0 || n < 0 || first > r->n_rows || n > r->n_rows - first)
        return mur_fail(MUR_EINTERNAL, "%s: rows %" PRId64 " to %" PRId64 " of %" PRId64 " were asked for", r->path,
                        first, first + n, r->n_rows);
    mur_buf valid = {0};
    mur_frame rows;
    mur_frame_init(&rows, out->schema);
    int rc = read_elements(r, 0, first, n, &valid);
    if (rc < 0)
        goto done;
    rows.valid = mur_realloc(rows.valid, (size_t)n, sizeof *rows.valid);
    memset(rows.valid, 0, (size_t)n * sizeof *rows.valid);
    const uint64_t *from = (const uint64_t *)(const void *)valid.ptr;
    for (size_t c = 0; c < out->schema->n_columns; c++) {
        int bit;
        rc = read_column(r, &out->schema->columns[c], first, n, &rows.columns[c], &bit);
        if (rc < 0)
            goto done;
        for (int64_t i = 0; bit >= 0 && i < n; i++)
            rows.valid[i] |= (from[i] >> bit & 1) << c;
    }
    rows.n_rows = rows.cap_rows = (size_t)n;
    mur_frame_append(out, &rows);
done:
    mur_buf_clear(&valid);
    mur_frame_clear(&rows);
    return rc;
}
