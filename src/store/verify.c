/* Everything in a store held against its log. Goes on after damage: each damaged thing is named. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "checkpoint.h"
#include "file_hash.h"
#include "murmur/file.h"
#include "murmur/hash.h"
#include "murmur/mem.h"
#include "murmur/schema.h"
#include "murmur/writer.h"
#include "part_read.h"
#include "state.h"

/* A part that some record added. */
typedef struct named_part {
    mur_part part;
    char *table;
    int64_t version;
    size_t schema; /* of the version: its number in the verifier's `schemas` */
} named_part;

typedef struct verifier {
    const char *folder;
    char *log_folder;
    void (*say)(void *context, bool is_damage, const char *text);
    void *context;
    size_t n_damaged;
    mur_map paths;    /* of the parts below, by number */
    mur_map vacuumed; /* those of them that need not be there any more */
    mur_map schemas;  /* JSON texts: there are few */
    named_part *parts;
    size_t cap_parts;
    int64_t end; /* of the log as it was read: later records are a running writer's */
    int64_t n_parts, n_rows;
    mur_writer writers[2]; /* when the log was read, and when what it does not name is listed */
} verifier;

MUR_PRINTF(3, 4)
static void say(verifier *v, bool is_damage, const char *format, ...)
{
    char text[sizeof mur_error_last()->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    v->n_damaged += is_damage;
    v->say(v->context, is_damage, text);
}

static void note_parts(verifier *v, const mur_record *r)
{
    for (size_t i = 0; i < r->n_vacuumed; i++)
        mur_map_add(&v->vacuumed, mur_view_of(r->vacuumed[i]), NULL);
    for (size_t i = 0; i < r->n_changes; i++) {
        const mur_change *c = &r->changes[i];
        size_t schema = mur_map_add(&v->schemas, mur_view_of(c->schema), NULL);
        for (size_t k = 0; k < c->n_added; k++) {
            bool is_new;
            size_t number = mur_map_add(&v->paths, mur_view_of(c->added[k].path), &is_new);
            if (!is_new)
                continue; /* the log is damaged, and that is said elsewhere */
            if (number >= v->cap_parts) {
                v->cap_parts = mur_grown(v->cap_parts, number + 1);
                v->parts = mur_realloc(v->parts, v->cap_parts, sizeof *v->parts);
            }
            v->parts[number] = (named_part){c->added[k], mur_strdup(c->table), c->version, schema};
            v->parts[number].part.path = mur_strdup(c->added[k].path);
        }
    }
}

/* Reads record `number` on its own. Only a log without damage so far can be held against itself: what follows a missing
 * record would be blamed for it. */
static void verify_record(verifier *v, mur_store *so_far, int64_t number)
{
    mur_record r;
    if (mur_state_read(v->log_folder, number, &r) < 0) {
        say(v, true, "%s", mur_error_last()->message);
        return;
    }
    note_parts(v, &r);
    int rc = 0;
    if (r.number != number)
        rc = mur_fail(MUR_EDATA, "it says that it is record %" PRId64, r.number);
    else if (v->n_damaged == 0)
        rc = mur_state_check(so_far, &r, false);
    if (rc < 0)
        say(v, true, "%s/%020" PRId64 ".json is damaged: %s", v->log_folder, number, mur_error_last()->message);
    if (v->n_damaged == 0)
        mur_state_fold(so_far, &r);
    mur_record_clear(&r);
}

/* The records, then the checkpoints, which say the same if the records are whole. Checkpoints are listed first: beside
 * a writer, what they hold is in the later listing of the records. */
static int verify_log(verifier *v)
{
    mur_log_listing early, l = {0};
    int rc = mur_log_list(&early, v->log_folder);
    if (rc == 0)
        rc = mur_log_list(&l, v->log_folder);
    mur_store so_far = {0}; /* folds records as mur_store_open does */
    int64_t next = 0;
    for (size_t i = 0; i < l.n_records; next = l.records[i++] + 1) {
        if (l.records[i] == next + 1)
            say(v, true, "record %" PRId64 " is missing in %s", next, v->log_folder);
        else if (l.records[i] > next)
            say(v, true, "records %" PRId64 " to %" PRId64 " are missing in %s", next, l.records[i] - 1, v->log_folder);
        verify_record(v, &so_far, l.records[i]);
    }
    bool is_whole = v->n_damaged == 0;
    for (size_t i = 0; i < early.n_segments; i++) {
        char *name = mur_segment_name(&early.segments[i]);
        int is = mur_checkpoint_verify(is_whole ? &so_far : NULL, v->folder, &early.segments[i]);
        if (is < 0 && is != MUR_ENOINPUT) /* not there any more: merged by a writer */
            say(v, true, "checkpoint _log/%s is damaged: %s (nothing is lost: remove it, and the records are read)",
                name, mur_error_last()->message);
        free(name);
    }
    mur_log_listing_clear(&early);
    mur_log_listing_clear(&l);
    mur_state_clear(&so_far);
    v->end = next;
    return rc;
}

/* Whether a part has the columns that the record says. */
static int check_schema(const verifier *v, const named_part *named, const mur_schema *is)
{
    mur_schema *was;
    int rc = mur_schema_parse(&was, mur_map_key(&v->schemas, named->schema), "the record's schema");
    if (rc < 0)
        return rc;
    if (is->n_columns != was->n_columns)
        rc = mur_fail(MUR_EDATA, "it has %zu columns instead of %zu", is->n_columns, was->n_columns);
    for (size_t c = 0; rc == 0 && c < is->n_columns; c++) {
        const mur_column *a = &is->columns[c], *b = &was->columns[c];
        if (strcmp(a->name, b->name) != 0 || a->type != b->type)
            rc = mur_fail(MUR_EDATA, "its column %zu is %s (%s) instead of %s (%s)", c, a->name, mur_type_name(a->type),
                          b->name, mur_type_name(b->type));
    }
    mur_schema_free(&was);
    return rc;
}

/* MUR_EDATA saying what is wrong with the part. */
static int check_contents(const verifier *v, const named_part *named)
{
    const mur_part *part = &named->part;
    char is[MUR_HASH_HEX], was[MUR_HASH_HEX];
    mur_part_reader *r;
    uint64_t hash = 0;
    int rc = mur_part_open_file(&r, v->folder, part->path);
    if (rc < 0)
        return rc;
    if (mur_part_n_rows(r) != part->n_rows)
        rc = mur_fail(MUR_EDATA, "it has %" PRId64 " rows instead of %" PRId64, mur_part_n_rows(r), part->n_rows);
    else if (strcmp(mur_part_table(r), named->table) != 0 || mur_part_version(r) != named->version)
        rc = mur_fail(MUR_EDATA, "it says that it is of version %" PRId64 " of table %s", mur_part_version(r),
                      mur_part_table(r));
    else
        rc = check_schema(v, named, mur_part_schema(r));
    if (rc == 0)
        rc = mur_part_hash(r, &hash);
    if (rc == 0 && hash != part->hash)
        rc = mur_fail(MUR_EDATA, "the hash of its contents is %s instead of %s", mur_hash_hex(is, hash),
                      mur_hash_hex(was, part->hash));
    mur_part_close(&r);
    return rc;
}

/* HDF5 1.10 can crash on a file with a flipped bit, so it only sees files whose bytes are those that were written. */
static int check_part(const verifier *v, const named_part *named)
{
    int rc = mur_part_check_file(v->folder, &named->part);
    return rc < 0 ? rc : check_contents(v, named);
}

/* Whether the part's file need not be there. A part that is gone may have been vacuumed while others were read. */
static bool is_vacuumed(verifier *v, const named_part *named)
{
    mur_view path = mur_view_of(named->part.path);
    char *file = mur_path_join(v->folder, named->part.path);
    bool is_there = mur_path_exists(file);
    free(file);
    for (mur_record r; !is_there && mur_map_find(&v->vacuumed, path) == MUR_MAP_NONE; v->end++) {
        if (mur_state_read(v->log_folder, v->end, &r) < 0)
            break;
        for (size_t i = 0; i < r.n_vacuumed; i++)
            mur_map_add(&v->vacuumed, mur_view_of(r.vacuumed[i]), NULL);
        mur_record_clear(&r);
    }
    return mur_map_find(&v->vacuumed, path) != MUR_MAP_NONE;
}

static void verify_parts(verifier *v)
{
    for (size_t i = 0; i < v->paths.n_keys; i++) {
        const named_part *named = &v->parts[i];
        if (is_vacuumed(v, named))
            continue;
        v->n_parts++;
        if (check_part(v, named) < 0)
            say(v, true, "part %s (table %s, version %" PRId64 ") is damaged: %s", named->part.path, named->table,
                named->version, mur_error_last()->message);
        else
            v->n_rows += named->part.n_rows;
    }
}

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Whether it is a run, and not known to be over. */
static bool is_alive(const mur_writer *w)
{
    bool is_there = w->state == MUR_WRITER_RUNNING || w->state == MUR_WRITER_SILENT;
    return is_there && strlen(w->run_id) == MUR_RUN_ID - 1;
}

/* Whether a writer beside us made the file: it carries its run's name, and a record may be about to name it. */
static bool is_in_hand(const verifier *v, const char *name)
{
    for (int i = 0; i < 2; i++)
        if (is_alive(&v->writers[i]) && strstr(name, v->writers[i].run_id))
            return true;
    return false;
}

/* Whether `path` is the file of a run that waits for the lock. */
static bool is_waiting(const char *path)
{
    mur_writer w;
    bool is_there = mur_writer_look_file(&w, path) == 0 && is_alive(&w);
    mur_writer_clear(&w);
    return is_there;
}

/* Names what a table's folder or the log holds and no record does. `table` is NULL for the log. */
static void list_folder(verifier *v, const char *path, const char *table)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        char *relative = mur_path_join(table ? table : "_log", name);
        mur_segment segment;
        bool is_known = table ? mur_map_find(&v->paths, mur_view_of(relative)) != MUR_MAP_NONE
                              : mur_state_number_of(name) >= 0 || mur_segment_parse(&segment, name);
        if (!is_known && !is_in_hand(v, name))
            say(v, false, "%s is left over: no record names it", relative);
        else if (is_known && table && mur_map_find(&v->vacuumed, mur_view_of(relative)) != MUR_MAP_NONE)
            say(v, false, "%s is left over: the next murmur vacuum removes it", relative);
        free(relative);
    }
    if (folder)
        closedir(folder);
}

static void list_litter(verifier *v)
{
    DIR *folder = opendir(v->folder);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        const char *name = entry->d_name;
        char *path = mur_path_join(v->folder, name);
        bool is_lock = begins_with(name, "_lock-");
        if ((is_lock || begins_with(name, "_tmp-")) && !is_in_hand(v, name) && !(is_lock && is_waiting(path)))
            say(v, false, "%s is left over: no record names it", name);
        else if (name[0] != '.' && name[0] != '_' && mur_path_is_folder(path))
            list_folder(v, path, name);
        free(path);
    }
    if (folder)
        closedir(folder);
    list_folder(v, v->log_folder, NULL);
}

int mur_store_verify(const char *folder, void (*tell)(void *context, bool is_damage, const char *text), void *context,
                     int64_t *n_parts, int64_t *n_rows)
{
    verifier v = {.folder = folder, .log_folder = mur_path_join(folder, "_log"), .say = tell, .context = context};
    *n_parts = *n_rows = 0;
    int rc = 0;
    if (mur_path_is_folder(v.log_folder)) {
        rc = mur_writer_look(&v.writers[0], folder);
        if (rc == 0)
            rc = verify_log(&v);
        if (rc == 0) {
            verify_parts(&v);
            rc = mur_writer_look(&v.writers[1], folder);
        }
        if (rc == 0) {
            list_litter(&v);
            *n_parts = v.n_parts;
            *n_rows = v.n_rows;
            if (v.n_damaged > 0)
                rc = mur_fail(MUR_EDATA, "%s is damaged: %zu finding%s", folder, v.n_damaged,
                              v.n_damaged == 1 ? "" : "s");
        }
    } else if (!mur_state_is_empty(folder)) { /* an empty folder is a store that was not begun */
        rc = mur_state_find(folder);
    }
    for (size_t i = 0; i < v.paths.n_keys; i++) {
        mur_part_clear(&v.parts[i].part);
        free(v.parts[i].table);
    }
    free(v.parts);
    mur_writer_clear(&v.writers[0]);
    mur_writer_clear(&v.writers[1]);
    mur_map_clear(&v.paths);
    mur_map_clear(&v.vacuumed);
    mur_map_clear(&v.schemas);
    free(v.log_folder);
    return rc;
}
