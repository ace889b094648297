/* schema_file.h: the columns that a user's schema file declares beside the four of every tweet.
 *
 * Two forms are read. murmur's own, as parts and records have it:
 *     {"columns":[{"name":"likes","type":"int64","description":"…"}, …]}
 * and Spark's, as StructType.json() writes it:
 *     {"type":"struct","fields":[{"name":"likes","type":"long","nullable":true,"metadata":{"comment":"…"}}, …]}
 */
#ifndef MURMUR_SCHEMA_FILE_H
#define MURMUR_SCHEMA_FILE_H

#include "murmur/schema.h"

/* The declared columns in the file's order, without bronze's own: `date`, `user`, `text` and `sentiment` may be listed
 * (as strings), the three that murmur adds only where the file says that it is bronze's schema ("table":"bronze").
 * Spark's integer types are int64 here, its floating ones float64, its dates timestamps. MUR_EDATA with `what`, line
 * and column; on success free with mur_schema_free. */
int mur_schema_file_parse(mur_schema **out, mur_view text, const char *what) MUR_MUST_USE;

/* The same of a file. MUR_ENOINPUT, MUR_EIO. */
int mur_schema_file_read(mur_schema **out, const char *path) MUR_MUST_USE;

/* What bronze becomes with the declared columns: `now` (borrowed) with those that it lacks behind it. MUR_EDATA where a
 * column is there with another type, where there are too many, and, unless `is_merging`, where one is new: the message
 * names `what` and shows the difference. */
int mur_schema_file_merge(mur_schema **out, const mur_schema *now, const mur_schema *declared, bool is_merging,
                          const char *what) MUR_MUST_USE;

#endif
