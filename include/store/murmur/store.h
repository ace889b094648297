/* store.h: one log over all tables of a store folder. What no record names does not exist.
 *
 *     STORE/_log/00000000000000000007.json          record 7
 *     STORE/bronze/ silver/ gold/ application/ rejects/   parts
 *     STORE/_lock                                   held by the one writer
 *     STORE/_stop-RUN                               a request to that writer to end
 *
 * All functions are Local: in a job rank 0 alone holds the store and tells the others what they need.
 */
#ifndef MURMUR_STORE_H
#define MURMUR_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "murmur/record.h"
#include "murmur/schema.h"

typedef struct mur_store mur_store;

/* Makes the folders; fine if they are there. MUR_ECREATE. A folder that holds other things than a store is refused. */
int mur_store_create(const char *folder) MUR_MUST_USE;

/* Reads the whole log and checks it: names gapless from 0, checksums, versions +1. MUR_ENOINPUT if `folder` is no
 * store, MUR_EDATA naming the record that is damaged. */
int mur_store_open(mur_store **out, const char *folder) MUR_MUST_USE;
void mur_store_close(mur_store **s);

const char *mur_store_folder(const mur_store *s);
size_t mur_store_n_records(const mur_store *s);

/* NULL if there is none. What these functions return is borrowed; a pointer to a record (not what it holds) lasts until
 * the next mur_store_publish or mur_store_lock. */
const mur_record *mur_store_record(const mur_store *s, size_t number);

/* The change that made `version` of the table (-1: the latest); NULL if there is none. */
const mur_change *mur_store_change(const mur_store *s, const char *table, int64_t version);

/* The record that holds it. */
const mur_record *mur_store_record_of(const mur_store *s, const mur_change *change);

/* Whether the change left the table's rows and their order as they were and only put them into other parts: operation
 * OPTIMIZE. Who follows a table by its versions passes over such changes. */
bool mur_store_is_rewrite(const mur_store *s, const mur_change *change);

/* The record of the newest change of the table, up to this one, that is no rewrite: it has the model and the options
 * that made the newest rows. */
const mur_record *mur_store_maker(const mur_store *s, const mur_change *change);

/* A reader keeps to one record, and sees every table as of it: the last record that is not later than an instant (-1:
 * none), and the table's version at a record (-1: it had none yet). */
int64_t mur_store_record_as_of(const mur_store *s, int64_t time);
int64_t mur_store_version_at(const mur_store *s, const char *table, int64_t record);

/* The schema of a version (-1: the latest), without the table's description; NULL if the table has no such version.
 * Older parts may lack columns of it: they read as null. Free with mur_schema_free. MUR_EDATA. */
int mur_store_schema(mur_schema **out, const mur_store *s, const char *table, int64_t version) MUR_MUST_USE;

/* The parts of a version (-1: latest; none if the table has no version yet), in row order: borrowed entries in a fresh
 * array that the caller frees. MUR_EUSAGE naming the versions there are, if it does not exist or was vacuumed. */
int mur_store_parts(const mur_store *s, const char *table, int64_t version, const mur_part ***parts,
                    size_t *n) MUR_MUST_USE;

/* Whether murmur vacuum has taken the part's file away. */
bool mur_store_is_vacuumed(const mur_store *s, const char *path);

/* What was ingested under this path, or NULL. Its `path` is NULL: the caller has it. */
const mur_source_file *mur_store_source(const mur_store *s, mur_view path);
size_t mur_store_n_sources(const mur_store *s);

/* The work units of a record, read from its file: a fresh array that the caller frees. MUR_EUSAGE if there is no such
 * record; MUR_EDATA, MUR_EIO. */
int mur_store_units(const mur_store *s, size_t number, mur_unit_rows **units, size_t *n) MUR_MUST_USE;

/* The writer's lock: taken before anything is written, kept alive by a thread that renews its time every 10 s. Waits 5
 * s for a holder that is going away, then MUR_ECREATE naming the holder and the cure. A lock whose holder is proved
 * gone or was silent for 120 s by the file system's clock (docs/FORMAT.md, "The lock") is broken; `is_forced` breaks
 * any. Then reads what was published since mur_store_open. */
int mur_store_lock(mur_store *s, const char *run_id, bool is_forced) MUR_MUST_USE;
void mur_store_unlock(mur_store *s);

/* Now, nanoseconds since 1970, by the clock of the store's file system; the store is locked. MUR_EIO. */
int mur_store_clock(const mur_store *s, int64_t *now_ns) MUR_MUST_USE;

/* Whether somebody asked this writer to end after the batch in hand (murmur/writer.h). Cheap: one access(). */
bool mur_store_is_stop_asked(const mur_store *s);

/* Steps 6 to 8 of a commit: the lock is still ours, the record is written, synced, linked to its final name. After
 * success the record is the store's (`r` is emptied) and readers see it. MUR_EIO; MUR_ECREATE when another writer won.
 * Where it cannot be written, the files of the parts that `r` adds are removed; from the link on they stay, since the
 * record may be there in spite of the failure, and where the record is refused as wrong they may be another one's. */
int mur_store_publish(mur_store *s, mur_record *r) MUR_MUST_USE;

/* Checks every part of every version against the log: presence, size, rows, content and file hash; lists what no record
 * names. Calls `say` for each finding; `is_damage` false for litter. 0, also with litter, for a store without records
 * and for an empty folder; MUR_EDATA with damage (also of the log). `*n_rows` counts sound parts. */
int mur_store_verify(const char *folder, void (*say)(void *context, bool is_damage, const char *text), void *context,
                     int64_t *n_parts, int64_t *n_rows) MUR_MUST_USE;

#endif
