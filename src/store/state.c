#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "murmur/file.h"
#include "murmur/mem.h"

const char *mur_state_why_none(const char *folder)
{
    char *ended = mur_path_join(folder, MUR_CLEARING);
    const char *why = mur_path_is_folder(ended)    ? "murmur clear removes it, or was interrupted: run it again"
                      : mur_path_is_folder(folder) ? "it has no _log folder"
                                                   : "there is no such folder";
    free(ended);
    return why;
}

bool mur_state_is_empty(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        return false;
    size_t n = 0;
    while (readdir(folder))
        n++;
    closedir(folder);
    return n <= 2; /* . and .. */
}

int mur_state_find(const char *folder)
{
    char *log_folder = mur_path_join(folder, "_log");
    int rc = 0;
    if (!mur_path_is_folder(log_folder))
        rc = mur_fail(MUR_ENOINPUT, "%s is no store: %s", folder, mur_state_why_none(folder));
    free(log_folder);
    return rc;
}

void mur_state_clear(mur_store *s)
{
    for (size_t i = 0; i < s->n_records; i++)
        mur_record_clear(&s->records[i]);
    for (size_t i = 0; i < s->n_tables; i++) {
        free(s->tables[i].name);
        free(s->tables[i].versions);
        free(s->tables[i].parts);
    }
    mur_map_clear(&s->part_paths);
    mur_map_clear(&s->source_paths);
    mur_map_clear(&s->vacuumed);
    free(s->vacuumed_by);
    free(s->sources);
    free(s->records);
    free(s->tables);
    free(s->segments);
    s->segments = NULL;
    s->n_segments = s->cap_segments = 0;
    s->part_paths = s->source_paths = (mur_map){0};
    s->sources = NULL;
    s->records = NULL;
    s->tables = NULL;
    s->vacuumed_by = NULL;
    s->n_records = s->cap_records = s->n_tables = s->cap_sources = s->cap_vacuumed = 0;
}

mur_table_state *mur_state_table(const mur_store *s, const char *name)
{
    for (size_t i = 0; i < s->n_tables; i++)
        if (strcmp(s->tables[i].name, name) == 0)
            return &s->tables[i];
    return NULL;
}

int64_t mur_state_version(const mur_store *s, const char *table)
{
    const mur_table_state *t = mur_state_table(s, table);
    return t ? (int64_t)t->n_versions - 1 : -1;
}

/* The change that made the latest version of the table, or NULL. */
static const mur_change *latest(const mur_store *s, const mur_table_state *t)
{
    if (!t)
        return NULL;
    const struct mur_version *v = &t->versions[t->n_versions - 1];
    return &s->records[v->record].changes[v->change];
}

/* The paths that a change removes, as a set: compaction removes thousands at once. */
static mur_map removed_set(const mur_change *c)
{
    mur_map set = {0};
    for (size_t i = 0; i < c->n_removed; i++)
        mur_map_add(&set, mur_view_of(c->removed[i]), NULL);
    return set;
}

/* Takes what is removed off the totals. MUR_EDATA if some of it is not among the table's parts, or is twice. */
static int check_removed(const mur_table_state *t, const mur_change *c, int64_t *n_rows, int64_t *n_parts,
                         int64_t *bytes)
{
    if (c->n_removed == 0)
        return 0;
    mur_map set = removed_set(c), found = {0};
    for (size_t i = 0; t && i < t->n_parts; i++) {
        mur_view path = mur_view_of(t->parts[i]->path);
        if (mur_map_find(&set, path) == MUR_MAP_NONE)
            continue;
        mur_map_add(&found, path, NULL);
        *n_rows -= t->parts[i]->n_rows;
        *bytes -= t->parts[i]->bytes;
        --*n_parts;
    }
    int rc = set.n_keys < c->n_removed ? mur_fail(MUR_EDATA, "a part of table %s is removed twice", c->table) : 0;
    for (size_t i = 0; rc == 0 && i < c->n_removed; i++)
        if (mur_map_find(&found, mur_view_of(c->removed[i])) == MUR_MAP_NONE)
            rc = mur_fail(MUR_EDATA, "part %s is removed and is not in the table", c->removed[i]);
    mur_map_clear(&set);
    mur_map_clear(&found);
    return rc;
}

/* Adds what is added to the totals. MUR_EDATA if it is elsewhere, or there already. */
static int check_added(const mur_store *s, const mur_change *c, int64_t *n_rows, int64_t *bytes)
{
    size_t folder = strlen(c->table);
    mur_map seen = {0};
    int rc = 0;
    for (size_t i = 0; i < c->n_added && rc == 0; i++) {
        const mur_part *part = &c->added[i];
        mur_view path = mur_view_of(part->path);
        bool is_new;
        mur_map_add(&seen, path, &is_new);
        if (strncmp(part->path, c->table, folder) != 0 || part->path[folder] != '/')
            rc = mur_fail(MUR_EDATA, "part %s is not in the folder of table %s", part->path, c->table);
        else if (!is_new || mur_map_find(&s->part_paths, path) != MUR_MAP_NONE)
            rc = mur_fail(MUR_EDATA, "part %s is added a second time", part->path);
        else if (__builtin_add_overflow(*n_rows, part->n_rows, n_rows) ||
                 __builtin_add_overflow(*bytes, part->bytes, bytes))
            rc = mur_fail(MUR_EDATA, "part %s is larger than anything", part->path);
    }
    mur_map_clear(&seen);
    return rc;
}

static int check_change(const mur_store *s, mur_change *c, bool is_rewrite, bool is_new)
{
    const mur_table_state *t = mur_state_table(s, c->table);
    const mur_change *before = latest(s, t);
    int64_t version = before ? before->version + 1 : 0;
    if (c->version != version)
        return mur_fail(MUR_EDATA, "table %s has version %" PRId64 " where %" PRId64 " must follow", c->table,
                        c->version, version);
    if (!c->schema)
        return mur_fail(MUR_EDATA, "table %s has no schema", c->table);
    int64_t n_rows = before ? before->n_rows : 0, n_parts = before ? before->n_parts : 0;
    int64_t bytes = before ? before->bytes : 0;
    int rc = check_removed(t, c, &n_rows, &n_parts, &bytes);
    if (rc < 0)
        return rc;
    rc = check_added(s, c, &n_rows, &bytes);
    if (rc < 0)
        return rc;
    n_parts += (int64_t)c->n_added;
    if (!is_new && (n_rows != c->n_rows || bytes != c->bytes || n_parts != c->n_parts))
        return mur_fail(MUR_EDATA, "the totals of table %s are not those of its parts", c->table);
    if (is_rewrite && n_rows != (before ? before->n_rows : 0))
        return mur_fail(MUR_EDATA, "operation " MUR_OPERATION_REWRITE " changes the number of rows of table %s",
                        c->table);
    c->n_rows = n_rows;
    c->n_parts = n_parts;
    c->bytes = bytes;
    return 0;
}

/* The latest version of a table after the record. */
static int64_t version_after(const mur_store *s, const mur_record *r, const char *table)
{
    for (size_t i = 0; i < r->n_changes; i++)
        if (strcmp(r->changes[i].table, table) == 0)
            return r->changes[i].version;
    return mur_state_version(s, table);
}

/* A table stands for a version of its input that is there, and never for an older one than before. */
static int check_input(const mur_store *s, const mur_record *r, const mur_change *c)
{
    if (!c->input)
        return 0;
    const mur_change *before = latest(s, mur_state_table(s, c->table));
    int64_t last = version_after(s, r, c->input);
    if (c->input_version < 0 || c->input_version > last)
        return mur_fail(MUR_EDATA,
                        "table %s says that it is made from version %" PRId64 " of %s, whose last is %" PRId64,
                        c->table, c->input_version, c->input, last);
    if (before && before->input && strcmp(before->input, c->input) == 0 && before->input_version > c->input_version)
        return mur_fail(MUR_EDATA, "table %s goes back from version %" PRId64 " of %s to version %" PRId64, c->table,
                        before->input_version, c->input, c->input_version);
    return 0;
}

static int check_sources(const mur_store *s, const mur_record *r)
{
    mur_map seen = {0};
    int rc = 0;
    for (size_t i = 0; i < r->n_sources && rc == 0; i++) {
        mur_view path = mur_view_of(r->sources[i].path);
        bool is_new;
        mur_map_add(&seen, path, &is_new);
        if (!is_new || mur_map_find(&s->source_paths, path) != MUR_MAP_NONE)
            rc = mur_fail(MUR_EDATA, "source file %s is ingested a second time", r->sources[i].path);
    }
    mur_map_clear(&seen);
    return rc;
}

/* Only parts that no latest version has can be vacuumed, and each once. */
static int check_vacuumed(const mur_store *s, const mur_record *r)
{
    mur_map seen = {0};
    int rc = 0;
    for (size_t t = 0; r->n_vacuumed > 0 && t < s->n_tables; t++)
        for (size_t i = 0; i < s->tables[t].n_parts; i++)
            mur_map_add(&seen, mur_view_of(s->tables[t].parts[i]->path), NULL);
    for (size_t i = 0; rc == 0 && i < r->n_vacuumed; i++) {
        mur_view path = mur_view_of(r->vacuumed[i]);
        bool is_new;
        mur_map_add(&seen, path, &is_new);
        if (!is_new || mur_map_find(&s->vacuumed, path) != MUR_MAP_NONE)
            rc = mur_fail(MUR_EDATA, "part %s is vacuumed while a table has it, or a second time", r->vacuumed[i]);
        else if (mur_map_find(&s->part_paths, path) == MUR_MAP_NONE)
            rc = mur_fail(MUR_EDATA, "part %s is vacuumed and was never added", r->vacuumed[i]);
    }
    mur_map_clear(&seen);
    return rc;
}

int mur_state_check(mur_store *s, mur_record *r, bool is_new)
{
    if (r->number != (int64_t)s->n_records)
        return mur_fail(MUR_EDATA, "it says that it is record %" PRId64, r->number);
    for (size_t i = 0; i < r->n_changes; i++) {
        int rc = check_change(s, &r->changes[i], strcmp(r->operation, MUR_OPERATION_REWRITE) == 0, is_new);
        if (rc == 0)
            rc = check_input(s, r, &r->changes[i]);
        if (rc < 0)
            return rc;
    }
    int rc = check_sources(s, r);
    return rc < 0 ? rc : check_vacuumed(s, r);
}

void mur_state_apply(mur_table_state *t, const mur_change *c)
{
    size_t n_kept = 0, place = t->n_parts;
    mur_map removed = removed_set(c);
    for (size_t i = 0; c->n_removed > 0 && i < t->n_parts; i++) {
        if (mur_map_find(&removed, mur_view_of(t->parts[i]->path)) == MUR_MAP_NONE)
            t->parts[n_kept++] = t->parts[i];
        else if (place == t->n_parts)
            place = n_kept;
    }
    mur_map_clear(&removed);
    n_kept = c->n_removed > 0 ? n_kept : t->n_parts;
    place = place < n_kept ? place : n_kept;

    t->n_parts = n_kept + c->n_added;
    if (t->n_parts > t->cap_parts) {
        t->cap_parts = mur_grown(t->cap_parts, t->n_parts);
        t->parts = mur_realloc(t->parts, t->cap_parts, sizeof *t->parts);
    }
    if (n_kept > place)
        memmove(t->parts + place + c->n_added, t->parts + place, (n_kept - place) * sizeof *t->parts);
    for (size_t i = 0; i < c->n_added; i++)
        t->parts[place + i] = &c->added[i];
}

static mur_table_state *table_of(mur_store *s, const char *name)
{
    mur_table_state *t = mur_state_table(s, name);
    if (t)
        return t;
    s->tables = mur_realloc(s->tables, s->n_tables + 1, sizeof *s->tables);
    t = &s->tables[s->n_tables++];
    *t = (mur_table_state){.name = mur_strdup(name)};
    return t;
}

bool mur_state_add_source(mur_store *s, mur_view path, const mur_source_file *file)
{
    bool is_new;
    size_t number = mur_map_add(&s->source_paths, path, &is_new);
    if (!is_new)
        return false;
    if (number >= s->cap_sources) {
        s->cap_sources = mur_grown(s->cap_sources, number + 1);
        s->sources = mur_realloc(s->sources, s->cap_sources, sizeof *s->sources);
    }
    s->sources[number] = *file;
    s->sources[number].path = NULL; /* the map has it */
    return true;
}

static void fold_sources(mur_store *s, mur_record *r)
{
    for (size_t i = 0; i < r->n_sources; i++) {
        mur_state_add_source(s, mur_view_of(r->sources[i].path), &r->sources[i]);
        free(r->sources[i].path);
    }
    free(r->sources);
    r->sources = NULL;
}

int mur_state_inherit_schemas(const mur_store *s, mur_record *r)
{
    for (size_t i = 0; i < r->n_changes; i++) {
        mur_change *c = &r->changes[i];
        const mur_change *before = latest(s, mur_state_table(s, c->table));
        if (!c->schema && !before)
            return mur_fail(MUR_EDATA, "table %s has no schema", c->table);
        if (!c->schema) {
            c->schema = before->schema;
            c->is_schema_shared = true;
        }
    }
    return 0;
}

/* Schemas would be most of what records take in memory, and they hardly ever change. */
static void share_schema(const mur_store *s, mur_change *c)
{
    const mur_change *before = latest(s, mur_state_table(s, c->table));
    if (!before || c->is_schema_shared || strcmp(before->schema, c->schema) != 0)
        return;
    free(c->schema);
    c->schema = before->schema;
    c->is_schema_shared = true;
}

static void fold_vacuumed(mur_store *s, const mur_record *r)
{
    for (size_t i = 0; i < r->n_vacuumed; i++) {
        size_t number = mur_map_add(&s->vacuumed, mur_view_of(r->vacuumed[i]), NULL);
        if (number >= s->cap_vacuumed) {
            s->cap_vacuumed = mur_grown(s->cap_vacuumed, number + 1);
            s->vacuumed_by = mur_realloc(s->vacuumed_by, s->cap_vacuumed, sizeof *s->vacuumed_by);
        }
        s->vacuumed_by[number] = s->n_records;
    }
}

void mur_state_fold(mur_store *s, mur_record *r)
{
    fold_sources(s, r);
    fold_vacuumed(s, r);
    if (s->n_records == s->cap_records) {
        s->cap_records = mur_grown(s->cap_records, s->n_records + 1);
        s->records = mur_realloc(s->records, s->cap_records, sizeof *s->records);
    }
    free(r->units);
    r->units = NULL;
    r->n_units = 0;
    for (size_t i = 0; i < r->n_changes; i++) {
        share_schema(s, &r->changes[i]);
        mur_table_state *t = table_of(s, r->changes[i].table);
        mur_state_apply(t, &r->changes[i]);
        for (size_t k = 0; k < r->changes[i].n_added; k++)
            mur_map_add(&s->part_paths, mur_view_of(r->changes[i].added[k].path), NULL);
        if (t->n_versions == t->cap_versions) {
            t->cap_versions = mur_grown(t->cap_versions, t->n_versions + 1);
            t->versions = mur_realloc(t->versions, t->cap_versions, sizeof *t->versions);
        }
        t->versions[t->n_versions++] = (struct mur_version){s->n_records, i};
    }
    s->records[s->n_records++] = *r;
    *r = (mur_record){0};
}

char *mur_state_record_path(const char *log_folder, int64_t number)
{
    return mur_format("%s/%020" PRId64 ".json", log_folder, number);
}

int mur_state_read(const char *log_folder, int64_t number, mur_record *out)
{
    *out = (mur_record){0};
    char *path = mur_state_record_path(log_folder, number);
    mur_buf text = {0};
    int rc = mur_file_read(&text, path);
    if (rc == 0)
        rc = mur_record_parse(out, mur_buf_view(&text), path);
    mur_buf_clear(&text);
    free(path);
    return rc;
}

int64_t mur_state_number_of(const char *name)
{
    if (strspn(name, "0123456789") != 20 || strcmp(name + 20, ".json") != 0)
        return -1;
    errno = 0;
    long long number = strtoll(name, NULL, 10);
    return errno == 0 ? (int64_t)number : -1;
}

int64_t mur_state_end_of_log(const char *log_folder)
{
    DIR *folder = opendir(log_folder);
    if (!folder)
        return mur_fail_errno(errno == ENOENT ? MUR_ENOINPUT : MUR_EIO, "cannot list %s", log_folder);
    int64_t end = 0;
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        int64_t number = mur_state_number_of(entry->d_name);
        if (number >= end && number < INT64_MAX)
            end = number + 1;
    }
    closedir(folder);
    return end;
}

int mur_state_next(mur_store *s)
{
    mur_record r;
    int64_t number = (int64_t)s->n_records;
    int rc = mur_state_read(s->log_folder, number, &r);
    if (rc == MUR_ENOINPUT) {
        /* The end, or a gap; or it has just come, with others behind it, while the folder was listed. */
        int64_t end = mur_state_end_of_log(s->log_folder);
        if (end < 0)
            return MUR_EIO; /* MUR_ENOINPUT is kept for the end of the log */
        if (end <= number)
            return MUR_ENOINPUT;
        rc = mur_state_read(s->log_folder, number, &r);
        if (rc == MUR_ENOINPUT)
            rc = mur_fail(MUR_EDATA,
                          "%s: record %" PRId64 " is missing and record %" PRId64 " is there: the log is damaged",
                          s->log_folder, number, end - 1);
    }
    if (rc < 0)
        return rc;
    rc = mur_state_check(s, &r, false);
    if (rc == 0)
        mur_state_fold(s, &r);
    else
        mur_error_add("%s/%020" PRId64 ".json is damaged", s->log_folder, number);
    mur_record_clear(&r);
    return rc;
}

int mur_state_catch_up(mur_store *s)
{
    int rc;
    do
        rc = mur_state_next(s);
    while (rc == 0);
    return rc == MUR_ENOINPUT ? 0 : rc;
}
