#include "murmur/sources.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "murmur/file.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/utf8.h"

typedef struct lister {
    mur_sources *to;
    mur_map *told;
} lister;

static bool ends_with(const char *name, size_t len, const char *suffix)
{
    size_t n = strlen(suffix);
    return len > n && memcmp(name + len - n, suffix, n) == 0;
}

static bool is_source_name(const char *name)
{
    size_t len = strlen(name);
    if (ends_with(name, len, ".gz"))
        len -= 3;
    return ends_with(name, len, ".json") || ends_with(name, len, ".jsonl") || ends_with(name, len, ".ndjson");
}

static void tell(const lister *l, const char *path, const char *why)
{
    bool is_new = true;
    if (l->told)
        mur_map_add(l->told, mur_view_of(path), &is_new);
    if (is_new)
        mur_log_warn("skipped %s: %s", path, why);
}

static void refuse(const lister *l, const char *path, const char *why)
{
    l->to->n_refused++;
    tell(l, path, why);
}

static int64_t mtime_ns(const struct stat *about)
{
    return (int64_t)about->st_mtim.tv_sec * 1000000000 + about->st_mtim.tv_nsec;
}

static void add(mur_sources *s, const char *path, const struct stat *about)
{
    if (s->n == s->cap) {
        s->cap = mur_grown(s->cap, s->n + 1);
        s->items = mur_realloc(s->items, s->cap, sizeof *s->items);
    }
    s->items[s->n++] = (mur_source){mur_strdup(path), about->st_size, mtime_ns(about)};
}

static void take_file(const lister *l, const char *path, const struct stat *about)
{
    char why[64];
    if (!S_ISREG(about->st_mode)) {
        snprintf(why, sizeof why, "%s, not a file", mur_file_kind(about->st_mode));
        refuse(l, path, why);
    } else if (!mur_utf8_is_valid(mur_view_of(path))) {
        refuse(l, path, "its name is not UTF-8; rename it");
    } else {
        add(l->to, path, about);
    }
}

/* Files are followed, so that a folder of links to chosen files is a source; folders are not, so that there are no
 * loops and no file comes twice by accident. */
static void take_link(const lister *l, const char *path, const char *name)
{
    struct stat about;
    if (stat(path, &about) < 0) {
        if (is_source_name(name))
            refuse(l, path, errno == ENOENT ? "a symbolic link to nothing" : strerror(errno));
    } else if (S_ISDIR(about.st_mode)) {
        tell(l, path, "a symbolic link to a folder is not followed; name it as a source to read what is in it");
    } else if (is_source_name(name)) {
        take_file(l, path, &about);
    }
}

static void walk(const lister *l, const char *folder)
{
    char **subfolders = NULL;
    size_t n_subfolders = 0, cap = 0;
    DIR *dir = opendir(folder);
    if (!dir) {
        if (errno != ENOENT) /* gone since its parent was read: nothing to say */
            refuse(l, folder, strerror(errno));
        return;
    }
    struct dirent *entry;
    while ((void)(errno = 0), (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.' || entry->d_name[0] == '_')
            continue;
        char *path = mur_path_join(folder, entry->d_name);
        struct stat about; /* by the folder's handle: a path from the root is looked up name by name, a million times */
        if (fstatat(dirfd(dir), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) < 0) {
            if (errno != ENOENT)
                refuse(l, path, strerror(errno));
        } else if (S_ISDIR(about.st_mode)) {
            if (n_subfolders == cap) {
                cap = mur_grown(cap, n_subfolders + 1);
                subfolders = mur_realloc(subfolders, cap, sizeof *subfolders);
            }
            subfolders[n_subfolders++] = path;
            continue;
        } else if (S_ISLNK(about.st_mode)) {
            take_link(l, path, entry->d_name);
        } else if (is_source_name(entry->d_name)) {
            take_file(l, path, &about);
        }
        free(path);
    }
    if (errno != 0)
        refuse(l, folder, strerror(errno));
    closedir(dir); /* before what is below: a thousand levels would be a thousand open folders */
    for (size_t i = 0; i < n_subfolders; i++) {
        walk(l, subfolders[i]);
        free(subfolders[i]);
    }
    free(subfolders);
}

/* The absolute path that a source is known by: folders without symbolic links, a file's own name as it is, also where
 * that is a link, so that it is the same file by itself and as found in its folder. */
static char *known_path(const char *path, const struct stat *about)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (S_ISDIR(about->st_mode))
        return mur_path_absolute(path);
    char *folder = slash ? mur_strndup(path, (size_t)(name - path)) : mur_strdup(".");
    char *absolute = mur_path_absolute(folder), *known = absolute ? mur_path_join(absolute, name) : NULL;
    free(absolute);
    free(folder);
    return known;
}

static int take_operand(const lister *l, const char *operand)
{
    struct stat about;
    if (stat(operand, &about) < 0)
        return mur_fail_errno(MUR_ENOINPUT, "cannot find %s", operand);
    char *path = known_path(operand, &about);
    int rc = 0;
    if (!path)
        rc = MUR_ENOINPUT;
    else if (S_ISDIR(about.st_mode))
        walk(l, path);
    else if (is_source_name(path))
        take_file(l, path, &about);
    else
        rc = mur_fail(MUR_ENOINPUT,
                      "%s is no source file: its name must end in .json, .jsonl or .ndjson, or one of these with .gz",
                      operand);
    free(path);
    return rc;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const mur_source *)a)->path, ((const mur_source *)b)->path);
}

int mur_sources_list(mur_sources *out, char *const *paths, size_t n_paths, mur_map *told)
{
    *out = (mur_sources){0};
    lister l = {out, told};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n_paths; i++)
        rc = take_operand(&l, paths[i]);
    if (rc < 0) {
        mur_sources_clear(out);
        return rc;
    }

    if (out->n > 1)
        qsort(out->items, out->n, sizeof *out->items, by_path);
    size_t kept = 0;
    for (size_t i = 0; i < out->n; i++) {
        if (kept > 0 && strcmp(out->items[kept - 1].path, out->items[i].path) == 0)
            free(out->items[i].path);
        else
            out->items[kept++] = out->items[i];
    }
    out->n = kept;
    return 0;
}

void mur_sources_clear(mur_sources *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->items[i].path);
    free(s->items);
    *s = (mur_sources){0};
}

int mur_source_read(mur_buf *out, const mur_source *file, int64_t offset, int64_t len)
{
    struct stat about;
    int rc = mur_file_read_range(out, file->path, offset, len);
    bool is_there = stat(file->path, &about) == 0; /* behind the reading: what it found was so until now */
    if (rc == MUR_ENOINPUT || (!is_there && errno == ENOENT))
        return mur_fail(MUR_ENOINPUT, "%s vanished before it was read", file->path);
    if (is_there && (about.st_size != file->size || mtime_ns(&about) != file->mtime_ns))
        return mur_fail(MUR_EAGAIN, "%s changed while it was to be read", file->path);
    return rc;
}
