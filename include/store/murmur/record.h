/* record.h: one commit, in memory and as the JSON document that makes it exist (docs/FORMAT.md, "The log"). */
#ifndef MURMUR_RECORD_H
#define MURMUR_RECORD_H

#include "murmur/buf.h"
#include "murmur/part.h"

/* A table's change in one record, and its state after it. */
typedef struct mur_change {
    char *table;
    int64_t version;       /* +1 with each change; the first is 0 */
    char *schema;          /* JSON, as in the part: set by mur_store_publish from `columns` where that is given */
    bool is_schema_shared; /* `schema` is another change's and is not freed: versions of a table rarely differ in it */
    const mur_schema *columns; /* given by the writer; NULL in records that were read */
    char *input;           /* the table that this one is made from; NULL for bronze and rejects, made from sources */
    int64_t input_version; /* the version of it that this one stands for; -1 without an input */
    mur_part *added;
    size_t n_added;
    char **removed; /* paths of parts of earlier versions; what is added takes the place of the first of them */
    size_t n_removed;
    int64_t n_rows, n_parts, bytes; /* totals after the change: set by mur_store_publish */
} mur_change;

/* A source file that was ingested. */
typedef struct mur_source_file {
    char *path;
    int64_t size;
    int64_t mtime_ns;
    int64_t n_rows;
    int64_t n_rejects;
} mur_source_file;

/* Rows of one work unit in each table, in the unit's order: enough to redo a stage with the same batches. */
typedef struct mur_unit_rows {
    int64_t bronze, rejects, silver;
} mur_unit_rows;

/* The one operation that changes no rows: its changes have as many rows as the versions before. */
#define MUR_OPERATION_REWRITE "OPTIMIZE"

typedef struct mur_record {
    int64_t number;
    int64_t time;    /* milliseconds; set by mur_store_publish, never before the last record's */
    char *operation; /* "INGEST", "AGGREGATE", "OPTIMIZE", "VACUUM" … */
    char *run_id;
    char *murmur_version;
    char *blas_kernel;
    char *options; /* JSON object: the options that shaped the rows (mention_rule, text, fold_case …) */
    int ranks;
    char *model_name; /* NULL where no model was used */
    char *model_hash; /* 16 hexadecimal digits */
    char *precision;
    mur_change *changes;
    size_t n_changes;
    mur_source_file *sources; /* NULL in an open store: they are in its index (mur_store_source); n_sources stays */
    size_t n_sources;
    char **vacuumed; /* paths of parts that no kept version needs: their files go as soon as the record stands */
    size_t n_vacuumed;
    mur_unit_rows *units; /* NULL and 0 in an open store, which does not keep them: mur_store_units reads them */
    size_t n_units;
} mur_record;

/* A random name for a run: 32 hexadecimal digits. */
#define MUR_RUN_ID 33
void mur_run_id_make(char out[MUR_RUN_ID]);

/* Frees all that the record owns, which is every pointer in it but `columns`. */
void mur_record_clear(mur_record *r);

/* A change added to the record, zeroed but for `table` (copied) and `input_version` (-1). Borrowed until the next call.
 */
mur_change *mur_record_change(mur_record *r, const char *table);

/* Appends the document with its checksum and a line feed. Strings that may not be NULL are set and `options`, `schema`
 * (where not NULL) are JSON objects; all text is UTF-8. */
void mur_record_format(mur_buf *out, const mur_record *r);

/* Reads a document that may hold anything: checksum first, then every member by type and range; members that are not
 * known are left out. MUR_EDATA, the message beginning with `what`. */
int mur_record_parse(mur_record *out, mur_view text, const char *what) MUR_MUST_USE;

#endif
