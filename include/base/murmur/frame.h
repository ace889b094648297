/* frame.h: rows of one table in memory, column by column, in the layout that parts have on disk.
 *
 *     mur_frame f;
 *     mur_frame_init(&f, &mur_silver_schema);
 *     mur_frame_add_row(&f);                                every column null
 *     mur_frame_set_string(&f, MUR_SILVER_MENTION, view);   in the last row
 *     mur_frame_clear(&f);
 *
 * Strings are Arrow's variable-size layout: offsets[n_rows + 1] into one run of UTF-8 bytes. A null string takes no
 * bytes, a null number is 0, a null timestamp MUR_NO_TIME. valid[row] has bit c set where column c is present.
 */
#ifndef MURMUR_FRAME_H
#define MURMUR_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/view.h"

typedef enum { MUR_STRING, MUR_INT64, MUR_INT8, MUR_FLOAT32, MUR_FLOAT64, MUR_BOOL, MUR_TIMESTAMP } mur_type;

#define MUR_MAX_COLUMNS 64 /* bits of the validity word */

typedef struct mur_column {
    const char *name;
    mur_type type;
    const char *description;
} mur_column;

typedef struct mur_schema {
    const char *table;
    const char *description;
    const mur_column *columns;
    size_t n_columns;
} mur_schema;

/* "string", "int64" …, as schemas are written in parts and log records; and back (false: no such type). */
const char *mur_type_name(mur_type type);
bool mur_type_from_name(mur_type *type, mur_view name);

/* Bytes of one value: 8, 1, 4, 8, 1, 8; 1 for strings, whose element is a byte. */
size_t mur_type_size(mur_type type);

/* The column's position, or -1. */
int mur_schema_find(const mur_schema *schema, mur_view name);

typedef struct mur_values {
    int64_t *offsets; /* strings only: n_rows + 1, the first 0 */
    mur_buf bytes;    /* strings: the text; else n_rows elements of mur_type_size */
} mur_values;

typedef struct mur_frame {
    const mur_schema *schema; /* borrowed; outlives the frame */
    size_t n_rows;
    size_t cap_rows;
    uint64_t *valid;
    mur_values *columns; /* schema->n_columns */
} mur_frame;

void mur_frame_init(mur_frame *f, const mur_schema *schema);
void mur_frame_clear(mur_frame *f);

/* Forgets the rows and keeps the memory. */
void mur_frame_reset(mur_frame *f);

/* Appends a row of nulls; the setters below fill the last row, each column at most once. */
void mur_frame_add_row(mur_frame *f);
void mur_frame_set_string(mur_frame *f, size_t column, mur_view text);
void mur_frame_set_int64(mur_frame *f, size_t column, int64_t value); /* also timestamps; MUR_NO_TIME stays null */
void mur_frame_set_int8(mur_frame *f, size_t column, int8_t value);   /* also booleans */
void mur_frame_set_float32(mur_frame *f, size_t column, float value);
void mur_frame_set_float64(mur_frame *f, size_t column, double value);

/* Appends row `row` of `from`, a frame of the same schema. */
void mur_frame_append_row(mur_frame *f, const mur_frame *from, size_t row);

/* Appends all rows of `from`, a frame of the same schema. */
void mur_frame_append(mur_frame *f, const mur_frame *from);

bool mur_frame_is_present(const mur_frame *f, size_t row, size_t column);

/* Values; empty, 0 or MUR_NO_TIME where null. Views are borrowed until the frame changes. */
mur_view mur_frame_string(const mur_frame *f, size_t row, size_t column);
int64_t mur_frame_int64(const mur_frame *f, size_t row, size_t column);
int8_t mur_frame_int8(const mur_frame *f, size_t row, size_t column);
float mur_frame_float32(const mur_frame *f, size_t row, size_t column);
double mur_frame_float64(const mur_frame *f, size_t row, size_t column);

/* Bytes of all values, validity words and offsets: what an uncompressed part would take. */
int64_t mur_frame_bytes(const mur_frame *f);

#endif
