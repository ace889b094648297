#include "murmur/store.h"

#include <inttypes.h>
#include <stdlib.h>

#include "checkpoint.h"
#include "murmur/clock.h"
#include "murmur/fault.h"
#include "murmur/file.h"
#include "murmur/mem.h"

int mur_store_create(const char *folder)
{
    char *log_folder = mur_path_join(folder, "_log");
    int rc = 0;
    if (mur_path_is_folder(log_folder))
        goto done;
    if (mur_path_exists(folder) && !mur_state_is_empty(folder)) {
        rc = mur_fail(MUR_ECREATE, "%s is not a store and is not empty (%s): choose another folder, or a new one in it",
                      folder, mur_state_why_none(folder));
        goto done;
    }
    rc = MUR_STEP("store.create", mur_folder_make(log_folder));
done:
    free(log_folder);
    return rc;
}

int mur_store_open(mur_store **out, const char *folder)
{
    mur_store *s = mur_alloc(1, sizeof *s);
    s->folder = mur_strdup(folder);
    s->log_folder = mur_path_join(folder, "_log");
    int rc = mur_state_find(folder);
    if (rc == 0)
        rc = MUR_STEP("store.open", mur_checkpoint_load(s));
    if (rc < 0)
        mur_store_close(&s);
    *out = s;
    return rc;
}

void mur_store_close(mur_store **out)
{
    mur_store *s = *out;
    *out = NULL;
    if (!s)
        return;
    mur_store_unlock(s);
    mur_state_clear(s);
    free(s->log_folder);
    free(s->folder);
    free(s);
}

const char *mur_store_folder(const mur_store *s)
{
    return s->folder;
}

size_t mur_store_n_records(const mur_store *s)
{
    return s->n_records;
}

const mur_record *mur_store_record(const mur_store *s, size_t number)
{
    return number < s->n_records ? &s->records[number] : NULL;
}

static const struct mur_version *find_version(const mur_store *s, const char *table, int64_t version)
{
    const mur_table_state *t = mur_state_table(s, table);
    int64_t n = t ? (int64_t)t->n_versions : 0;
    version = version == -1 ? n - 1 : version;
    return version >= 0 && version < n ? &t->versions[version] : NULL;
}

const mur_change *mur_store_change(const mur_store *s, const char *table, int64_t version)
{
    const struct mur_version *v = find_version(s, table, version);
    return v ? &s->records[v->record].changes[v->change] : NULL;
}

const mur_record *mur_store_record_of(const mur_store *s, const mur_change *change)
{
    const struct mur_version *v = find_version(s, change->table, change->version);
    return v ? &s->records[v->record] : NULL;
}

bool mur_store_is_rewrite(const mur_store *s, const mur_change *change)
{
    const mur_record *r = mur_store_record_of(s, change);
    return r && strcmp(r->operation, MUR_OPERATION_REWRITE) == 0;
}

const mur_record *mur_store_maker(const mur_store *s, const mur_change *change)
{
    while (change->version > 0 && mur_store_is_rewrite(s, change))
        change = mur_store_change(s, change->table, change->version - 1);
    return mur_store_record_of(s, change);
}

bool mur_store_is_vacuumed(const mur_store *s, const char *path)
{
    return mur_map_find(&s->vacuumed, mur_view_of(path)) != MUR_MAP_NONE;
}

/* Versions from this one on have all their parts: the last that removed one which was vacuumed since. */
static int64_t first_kept(const mur_store *s, const mur_table_state *t)
{
    for (int64_t v = (int64_t)t->n_versions - 1; v > 0; v--) {
        const mur_change *c = mur_store_change(s, t->name, v);
        for (size_t i = 0; i < c->n_removed; i++)
            if (mur_store_is_vacuumed(s, c->removed[i]))
                return v;
    }
    return 0;
}

static int check_kept(const mur_store *s, const mur_table_state *t, int64_t version, const mur_table_state *then)
{
    for (size_t i = 0; i < then->n_parts; i++) {
        size_t number = mur_map_find(&s->vacuumed, mur_view_of(then->parts[i]->path));
        if (number == MUR_MAP_NONE)
            continue;
        char time[MUR_TIME_TEXT];
        return mur_fail(MUR_EUSAGE,
                        "version %" PRId64 " of table %s of %s was vacuumed at %s: versions %" PRId64 " to %zu can be "
                        "read",
                        version, t->name, s->folder, mur_time_format(time, s->records[s->vacuumed_by[number]].time),
                        first_kept(s, t), t->n_versions - 1);
    }
    return 0;
}

int mur_store_schema(mur_schema **out, const mur_store *s, const char *table, int64_t version)
{
    const mur_change *change = mur_store_change(s, table, version);
    *out = NULL;
    return change ? mur_schema_parse(out, mur_view_of(change->schema), table) : 0;
}

int mur_store_parts(const mur_store *s, const char *table, int64_t version, const mur_part ***parts, size_t *n)
{
    *parts = NULL;
    *n = 0;
    mur_table_state *t = mur_state_table(s, table);
    int64_t last = mur_state_version(s, table);
    if (version == -1 && last == -1)
        return 0;
    if (version < -1 || version > last) {
        if (last == -1)
            return mur_fail(MUR_EUSAGE, "table %s of %s has no version yet", table, s->folder);
        return mur_fail(MUR_EUSAGE, "table %s of %s has no version %" PRId64 ": it has versions 0 to %" PRId64, table,
                        s->folder, version, last);
    }
    if (version == -1 || version == last) {
        *parts = mur_alloc(t->n_parts, sizeof **parts);
        for (size_t i = 0; i < t->n_parts; i++)
            (*parts)[i] = t->parts[i];
        *n = t->n_parts;
        return 0;
    }
    mur_table_state then = {0};
    for (int64_t v = 0; v <= version; v++)
        mur_state_apply(&then, &s->records[t->versions[v].record].changes[t->versions[v].change]);
    int rc = check_kept(s, t, version, &then);
    if (rc < 0) {
        free(then.parts);
        return rc;
    }
    *parts = then.parts;
    *n = then.n_parts;
    return 0;
}

const mur_source_file *mur_store_source(const mur_store *s, mur_view path)
{
    size_t number = mur_map_find(&s->source_paths, path);
    return number == MUR_MAP_NONE ? NULL : &s->sources[number];
}

size_t mur_store_n_sources(const mur_store *s)
{
    return s->source_paths.n_keys;
}

int mur_store_units(const mur_store *s, size_t number, mur_unit_rows **units, size_t *n)
{
    *units = NULL;
    *n = 0;
    if (number >= s->n_records)
        return mur_fail(MUR_EUSAGE, "%s has no record %zu", s->folder, number);
    mur_record r;
    int rc = mur_state_read(s->log_folder, (int64_t)number, &r);
    if (rc < 0)
        return rc;
    *units = r.units;
    *n = r.n_units;
    r.units = NULL;
    mur_record_clear(&r);
    return 0;
}
