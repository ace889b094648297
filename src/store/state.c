#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "murmur/file.h"
#include "murmur/mem.h"

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

void mur_state_clear(mur_store *s)
{
    for (size_t i = 0; i < s->n_records; i++)
        mur_record_clear(&s->records[i]);
    for (size_t i = 0; i < s->n_tables; i++) {
        free(s->tables[i].name);
        free(s->tables[i].versions);
        free(s->tables[i].parts);
    }
    for (size_t i = 0; i < s->source_paths.n_keys; i++)
        free(s->sources[i].path);
    mur_map_clear(&s->part_paths);
    mur_map_clear(&s->source_paths);
    free(s->sources);
    free(s->records);
    free(s->tables);
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

static const mur_part *find_part(const mur_table_state *t, const char *path)
{
    for (size_t i = 0; t && i < t->n_parts; i++)
        if (strcmp(t->parts[i]->path, path) == 0)
            return t->parts[i];
    return NULL;
}

static int check_change(const mur_store *s, mur_change *c, bool is_new)
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
    for (size_t i = 0; i < c->n_removed; i++) {
        const mur_part *part = find_part(t, c->removed[i]);
        if (!part)
            return mur_fail(MUR_EDATA, "part %s is removed and is not in the table", c->removed[i]);
        for (size_t k = 0; k < i; k++)
            if (strcmp(c->removed[k], c->removed[i]) == 0)
                return mur_fail(MUR_EDATA, "part %s is removed twice", c->removed[i]);
        n_rows -= part->n_rows;
        bytes -= part->bytes;
        n_parts--;
    }
    size_t folder = strlen(c->table);
    for (size_t i = 0; i < c->n_added; i++) {
        const mur_part *part = &c->added[i];
        if (strncmp(part->path, c->table, folder) != 0 || part->path[folder] != '/')
            return mur_fail(MUR_EDATA, "part %s is not in the folder of table %s", part->path, c->table);
        bool is_twice = mur_map_find(&s->part_paths, mur_view_of(part->path)) != MUR_MAP_NONE;
        for (size_t k = 0; k < i; k++)
            is_twice = is_twice || strcmp(c->added[k].path, part->path) == 0;
        if (is_twice)
            return mur_fail(MUR_EDATA, "part %s is added a second time", part->path);
        if (__builtin_add_overflow(n_rows, part->n_rows, &n_rows) || __builtin_add_overflow(bytes, part->bytes, &bytes))
            return mur_fail(MUR_EDATA, "part %s is larger than anything", part->path);
        n_parts++;
    }
    if (!is_new && (n_rows != c->n_rows || bytes != c->bytes || n_parts != c->n_parts))
        return mur_fail(MUR_EDATA, "the totals of table %s are not those of its parts", c->table);
    c->n_rows = n_rows;
    c->n_parts = n_parts;
    c->bytes = bytes;
    return 0;
}

int mur_state_check(mur_store *s, mur_record *r, bool is_new)
{
    if (r->number != (int64_t)s->n_records)
        return mur_fail(MUR_EDATA, "it says that it is record %" PRId64, r->number);
    for (size_t i = 0; i < r->n_changes; i++) {
        int rc = check_change(s, &r->changes[i], is_new);
        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; i < r->n_sources; i++)
        if (mur_map_find(&s->source_paths, mur_view_of(r->sources[i].path)) != MUR_MAP_NONE)
            return mur_fail(MUR_EDATA, "source file %s is ingested a second time", r->sources[i].path);
    return 0;
}

static bool is_removed(const mur_change *c, const mur_part *part)
{
    for (size_t i = 0; i < c->n_removed; i++)
        if (strcmp(c->removed[i], part->path) == 0)
            return true;
    return false;
}

void mur_state_apply(mur_table_state *t, const mur_change *c)
{
    size_t n_kept = 0, place = t->n_parts;
    for (size_t i = 0; c->n_removed > 0 && i < t->n_parts; i++) {
        if (!is_removed(c, t->parts[i]))
            t->parts[n_kept++] = t->parts[i];
        else if (place == t->n_parts)
            place = n_kept;
    }
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

static void fold_sources(mur_store *s, mur_record *r)
{
    for (size_t i = 0; i < r->n_sources; i++) {
        size_t number = mur_map_add(&s->source_paths, mur_view_of(r->sources[i].path), NULL);
        if (number >= s->cap_sources) {
            s->cap_sources = mur_grown(s->cap_sources, number + 1);
            s->sources = mur_realloc(s->sources, s->cap_sources, sizeof *s->sources);
        }
        s->sources[number] = r->sources[i];
    }
    free(r->sources); /* the paths moved */
    r->sources = NULL;
}

void mur_state_fold(mur_store *s, mur_record *r)
{
    fold_sources(s, r);
    if (s->n_records == s->cap_records) {
        s->cap_records = mur_grown(s->cap_records, s->n_records + 1);
        s->records = mur_realloc(s->records, s->cap_records, sizeof *s->records);
    }
    for (size_t i = 0; i < r->n_changes; i++) {
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

int mur_state_catch_up(mur_store *s)
{
    for (;;) {
        mur_record r;
        int64_t number = (int64_t)s->n_records, end;
        int rc = mur_state_read(s->log_folder, number, &r);
        if (rc == MUR_ENOINPUT) {
            /* The end, or a gap; or it has just come, with others behind it, while the folder was listed. */
            end = mur_state_end_of_log(s->log_folder);
            if (end < 0)
                return (int)end;
            if (end <= number)
                return 0;
            rc = mur_state_read(s->log_folder, number, &r);
            if (rc == MUR_ENOINPUT)
                rc = mur_fail(MUR_EDATA,
                              "%s: record %" PRId64 " is missing and record %" PRId64 " is there: the log is damaged",
                              s->log_folder, number, end - 1);
        }
        if (rc < 0)
            return rc;
        rc = mur_state_check(s, &r, false);
        if (rc < 0) {
            mur_error_add("%s/%020" PRId64 ".json is damaged", s->log_folder, number);
            mur_record_clear(&r);
            return rc;
        }
        mur_state_fold(s, &r);
    }
}
