/* when.h: --version N and --as-of TIME, for every command that reads tables.
 *
 *     static const mur_option options[] = {MUR_WHEN_OPTIONS("the table"), …};
 *     if (mur_when_takes(name))                          in `set`
 *         return mur_when_set(&s->when, name, value);
 *     rc = mur_when_find(&record, &s.when, store, "gold");
 *
 * Either comes to a record of the log, and a command reads all its tables as of that one record.
 */
#ifndef MURMUR_WHEN_H
#define MURMUR_WHEN_H

#include "cmd.h"
#include "murmur/clock.h"
#include "murmur/store.h"

#define MUR_WHEN_OPTIONS(table)                                                                                        \
    {"version", "N", "as of version N of " table " (default: the latest)", NULL},                                      \
    {                                                                                                                  \
        "as-of", "TIME", "as of an instant: ISO 8601, UTC where it names no zone", NULL                                \
    }

/* Zeroed: the latest. */
typedef struct mur_when {
    bool has_version, has_time;
    int64_t version;
    int64_t as_of; /* milliseconds */
} mur_when;

/* Whether the option is one of the two; and takes its value: MUR_EUSAGE for one that is none, or for both. */
bool mur_when_takes(const char *name);
int mur_when_set(mur_when *w, const char *name, const char *value) MUR_MUST_USE;

/* The record to read at: that of the table's version, the last one at or before the instant, or the last. -1 in a store
 * without records. MUR_EUSAGE naming the versions there are, or the first one's time, where the table had none. */
int mur_when_find(int64_t *record, const mur_when *w, const mur_store *store, const char *table) MUR_MUST_USE;

#endif
