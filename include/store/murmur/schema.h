/* schema.h: a table's columns as the JSON that parts and log records carry.
 *
 *     {"table":"silver","columns":[{"name":"mention","type":"string","description":"…"}, …]}
 */
#ifndef MURMUR_SCHEMA_H
#define MURMUR_SCHEMA_H

#include "murmur/buf.h"
#include "murmur/error.h"
#include "murmur/frame.h"

/* Appends the JSON text. All strings of the schema are UTF-8. */
void mur_schema_format(mur_buf *out, const mur_schema *schema);

/* A schema of its own memory from JSON text; its table description is empty, since the JSON has none. MUR_EDATA, the
 * message beginning with `what`, if the text is no such JSON or names a column twice. */
int mur_schema_parse(mur_schema **out, mur_view json, const char *what) MUR_MUST_USE;

/* A schema of its own memory without columns, with room for MUR_MAX_COLUMNS; and one more column, copied. */
mur_schema *mur_schema_new(const char *table, const char *description);
void mur_schema_add(mur_schema *s, const mur_column *column);

/* Of those that the three functions above made. */
void mur_schema_free(mur_schema **schema);

#endif
