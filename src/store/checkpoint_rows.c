#include "checkpoint_rows.h"

#include <inttypes.h>
#include <stdlib.h>

#include "layout.h"
#include "murmur/mem.h"

enum { RECORD, DOCUMENT, PATH, SIZE, MTIME_NS, ROWS, REJECTS };

static const mur_column columns[] = {
    [RECORD] = {"record", MUR_INT64, "the number of the record that the row is of"},
    [DOCUMENT] = {"document", MUR_STRING,
                  "the record's JSON without sources and units, and with null for a schema that is the same as the "
                  "table's last one in this file; null in a source file's row"},
    [PATH] = {"path", MUR_STRING, "a source file that the record ingested; null in the record's own row"},
    [SIZE] = {"size", MUR_INT64, "the source file's bytes"},
    [MTIME_NS] = {"mtime_ns", MUR_INT64, "when the source file was modified, nanoseconds since 1970-01-01T00:00:00Z"},
    [ROWS] = {"rows", MUR_INT64, "the source file's rows in bronze"},
    [REJECTS] = {"rejects", MUR_INT64, "the source file's rows in rejects"},
};

/* Tables begin with no underscore, so no record can claim this one. */
const mur_schema mur_checkpoint_schema = {"_log", "What records of the log say: a cache, made from them.", columns,
                                          sizeof columns / sizeof *columns};

/* `schemas` has the last schema that was written of each table, by the table's number in the state. */
static void add_document(mur_frame *f, const mur_store *s, const mur_record *r, const char **schemas)
{
    mur_record brief = *r;
    brief.sources = NULL;
    brief.units = NULL;
    brief.n_sources = brief.n_units = 0;
    brief.changes = mur_alloc(r->n_changes, sizeof *brief.changes);
    for (size_t i = 0; i < r->n_changes; i++) {
        size_t table = (size_t)(mur_state_table(s, r->changes[i].table) - s->tables);
        brief.changes[i] = r->changes[i];
        if (schemas[table] && strcmp(schemas[table], r->changes[i].schema) == 0)
            brief.changes[i].schema = NULL;
        schemas[table] = r->changes[i].schema;
    }
    mur_buf text = {0};
    mur_record_format(&text, &brief);
    mur_frame_set_string(f, DOCUMENT, mur_buf_view(&text));
    mur_buf_clear(&text);
    free(brief.changes);
}

void mur_checkpoint_rows_add(mur_frame *f, const mur_store *s, int64_t from, int64_t to, size_t first_source)
{
    const char **schemas = mur_alloc(s->n_tables, sizeof *schemas);
    for (int64_t number = from; number < to; number++) {
        const mur_record *r = &s->records[number];
        mur_frame_add_row(f);
        mur_frame_set_int64(f, RECORD, number);
        add_document(f, s, r, schemas);
        for (size_t i = first_source; i < first_source + r->n_sources; i++) {
            mur_frame_add_row(f);
            mur_frame_set_int64(f, RECORD, number);
            mur_frame_set_string(f, PATH, mur_map_key(&s->source_paths, i));
            mur_frame_set_int64(f, SIZE, s->sources[i].size);
            mur_frame_set_int64(f, MTIME_NS, s->sources[i].mtime_ns);
            mur_frame_set_int64(f, ROWS, s->sources[i].n_rows);
            mur_frame_set_int64(f, REJECTS, s->sources[i].n_rejects);
        }
        first_source += r->n_sources;
    }
    free(schemas);
}

static int fold_document(mur_store *s, mur_view document, const char *what)
{
    mur_record r;
    int rc = mur_record_parse(&r, document, what);
    if (rc == 0)
        rc = mur_state_inherit_schemas(s, &r);
    if (rc == 0)
        rc = mur_state_check(s, &r, false);
    if (rc == 0)
        mur_state_fold(s, &r);
    mur_record_clear(&r);
    return rc;
}

static int fold_source(mur_store *s, const mur_frame *f, size_t row)
{
    mur_source_file file = {.size = mur_frame_int64(f, row, SIZE),
                            .mtime_ns = mur_frame_int64(f, row, MTIME_NS),
                            .n_rows = mur_frame_int64(f, row, ROWS),
                            .n_rejects = mur_frame_int64(f, row, REJECTS)};
    mur_view path = mur_frame_string(f, row, PATH);
    if (s->n_records == 0 || mur_frame_int64(f, row, RECORD) != (int64_t)s->n_records - 1)
        return mur_fail(MUR_EDATA, "a source file is not after its record");
    if (!mur_state_add_source(s, path, &file))
        return mur_fail(MUR_EDATA, "source file %.*s is ingested a second time", (int)path.len, path.ptr);
    s->records[s->n_records - 1].n_sources++;
    return 0;
}

int mur_checkpoint_rows_fold(mur_store *s, const mur_frame *f, const char *what)
{
    int rc = 0;
    for (size_t row = 0; row < f->n_rows && rc == 0; row++)
        rc = mur_frame_is_present(f, row, PATH) ? fold_source(s, f, row)
                                                : fold_document(s, mur_frame_string(f, row, DOCUMENT), what);
    return rc;
}

/* The elements of a dataset as the frame holds them. */
static const void *elements_of(const mur_frame *f, const mur_dataset *d)
{
    static const int64_t no_rows = 0;
    switch (d->kind) {
    case MUR_DATASET_VALID: return f->valid;
    case MUR_DATASET_OFFSETS: return f->n_rows > 0 ? f->columns[d->column].offsets : &no_rows;
    default: return f->columns[d->column].bytes.ptr;
    }
}

uint64_t mur_checkpoint_rows_hash(const mur_frame *f)
{
    int64_t n_bytes[sizeof columns / sizeof *columns];
    for (size_t c = 0; c < f->schema->n_columns; c++)
        n_bytes[c] = (int64_t)f->columns[c].bytes.len;
    mur_layout layout;
    mur_layout_init(&layout, f->schema, (int64_t)f->n_rows, n_bytes);
    uint64_t *blocks = mur_alloc((size_t)layout.n_blocks, sizeof *blocks);
    for (size_t i = 0; i < layout.n_sets; i++)
        mur_layout_hash_blocks(&layout.sets[i], elements_of(f, &layout.sets[i]), layout.sets[i].n,
                               blocks + layout.sets[i].first_block);
    uint64_t hash = mur_layout_hash(&layout, blocks);
    free(blocks);
    mur_layout_clear(&layout);
    return hash;
}
