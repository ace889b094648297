/* state.h: what a store's log comes to: the tables' versions and parts, and the files that were ingested.
 *
 * A log file is read once and folded in; its list of sources, by far the largest part of it, moves into the index.
 */
#ifndef MURMUR_STATE_H
#define MURMUR_STATE_H

#include "lock.h"
#include "log_folder.h"
#include "murmur/map.h"
#include "murmur/store.h"

typedef struct mur_table_state {
    char *name;
    struct mur_version {
        size_t record, change; /* by number: records move when their array grows */
    } * versions;
    size_t n_versions, cap_versions;
    const mur_part **parts; /* of the latest version, in row order; the entries are records' */
    size_t n_parts, cap_parts;
} mur_table_state;

struct mur_store {
    char *folder;
    char *log_folder;
    mur_record *records;
    size_t n_records, cap_records;
    mur_table_state *tables;
    size_t n_tables;
    mur_map part_paths;  /* all that were ever added: none is used twice */
    mur_map vacuumed;    /* those of them whose files are gone, or will be at the next murmur vacuum */
    size_t *vacuumed_by; /* by number in `vacuumed`: the record that says so */
    size_t cap_vacuumed;
    mur_map source_paths;
    mur_source_file *sources; /* by number in source_paths */
    size_t cap_sources;
    mur_segment *segments; /* the checkpoints that cover the log from record 0 on, one after the other */
    size_t n_segments, cap_segments;
    int64_t checkpoint_tried; /* the records that there were when one was last written or failed to be */
    mur_lock *lock;           /* NULL unless this process is the writer */
};

/* What murmur clear renames the log's folder to: whatever else is there, it is no store any more. */
#define MUR_CLEARING "_clearing"

/* Why a folder without a log's is no store. */
const char *mur_state_why_none(const char *folder);

/* Whether the folder is there and has no entries. */
bool mur_state_is_empty(const char *folder);

/* Whether the folder is a store; MUR_ENOINPUT saying why not. */
int mur_state_find(const char *folder) MUR_MUST_USE;

/* Frees what was folded: the store is as before its first record. */
void mur_state_clear(mur_store *s);

/* NULL if no record has changed the table. */
mur_table_state *mur_state_table(const mur_store *s, const char *name);

/* The latest version of a table; -1 without one. */
int64_t mur_state_version(const mur_store *s, const char *table);

/* Whether the record can follow the last one: its number, versions, paths, sources; computes its totals and compares or
 * (`is_new`) sets them. MUR_EDATA with the reason. */
int mur_state_check(mur_store *s, mur_record *r, bool is_new) MUR_MUST_USE;

/* The table's parts after a change: what is added takes the place of the first part that is removed, else it comes
 * last. Row order is kept that way when parts are compacted. */
void mur_state_apply(mur_table_state *t, const mur_change *c);

/* Takes a checked record over; `r` is emptied. */
void mur_state_fold(mur_store *s, mur_record *r);

/* The path of record `number`; fresh. */
char *mur_state_record_path(const char *log_folder, int64_t number);

/* Reads record `number` without folding it. MUR_ENOINPUT if there is none. */
int mur_state_read(const char *log_folder, int64_t number, mur_record *out) MUR_MUST_USE;

/* Adds a source to the index, under the number that follows; false if its path is there already. */
bool mur_state_add_source(mur_store *s, mur_view path, const mur_source_file *file);

/* Gives changes without a schema, as checkpoints have them, the one of the version before. MUR_EDATA if there is none.
 */
int mur_state_inherit_schemas(const mur_store *s, mur_record *r) MUR_MUST_USE;

/* Reads and folds the next record. MUR_ENOINPUT if there is none yet; MUR_EDATA if later ones are there. */
int mur_state_next(mur_store *s) MUR_MUST_USE;

/* Reads and folds all records from the first that is not known. */
int mur_state_catch_up(mur_store *s) MUR_MUST_USE;

/* The number in a record's file name; -1 if it is none. */
int64_t mur_state_number_of(const char *name);

/* One more than the highest number in the log's folder, whether or not all below are there; or a failure. */
int64_t mur_state_end_of_log(const char *log_folder);

#endif
