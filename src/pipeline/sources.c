#include "murmur/sources.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "murmur/file.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/utf8.h"

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

static void refuse(mur_sources *s, bool is_quiet, const char *path, const char *why)
{
    s->n_refused++;
    if (!is_quiet)
        mur_log_warn("skipped %s: %s", path, why);
}

static void add(mur_sources *s, const char *path, const struct stat *about)
{
    if (s->n == s->cap) {
        s->cap = mur_grown(s->cap, s->n + 1);
        s->items = mur_realloc(s->items, s->cap, sizeof *s->items);
    }
    int64_t mtime_ns = (int64_t)about->st_mtim.tv_sec * 1000000000 + about->st_mtim.tv_nsec;
    s->items[s->n++] = (mur_source){mur_strdup(path), about->st_size, mtime_ns};
}

static void take_file(mur_sources *s, const char *path, const struct stat *about, bool is_quiet)
{
    if (!S_ISREG(about->st_mode))
        refuse(s, is_quiet, path, "not a regular file");
    else if (!mur_utf8_is_valid(mur_view_of(path)))
        refuse(s, is_quiet, path, "its name is not UTF-8; rename it");
    else
        add(s, path, about);
}

static void walk(mur_sources *s, const char *folder, bool is_quiet)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        refuse(s, is_quiet, folder, strerror(errno));
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.' || entry->d_name[0] == '_')
            continue;
        char *path = mur_path_join(folder, entry->d_name);
        struct stat link, about;
        if (lstat(path, &link) < 0) {
            if (errno != ENOENT) /* gone since the folder was read: nothing to say */
                refuse(s, is_quiet, path, strerror(errno));
        } else if (S_ISDIR(link.st_mode)) {
            walk(s, path, is_quiet);
        } else if (is_source_name(entry->d_name)) {
            if (stat(path, &about) < 0)
                refuse(s, is_quiet, path, strerror(errno));
            else
                take_file(s, path, &about, is_quiet);
        }
        free(path);
    }
    closedir(dir);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const mur_source *)a)->path, ((const mur_source *)b)->path);
}

int mur_sources_list(mur_sources *out, char *const *paths, size_t n_paths, bool is_quiet)
{
    *out = (mur_sources){0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n_paths; i++) {
        char *absolute = mur_path_absolute(paths[i]);
        struct stat about;
        if (!absolute)
            rc = MUR_ENOINPUT;
        else if (stat(absolute, &about) < 0)
            rc = mur_fail_errno(MUR_ENOINPUT, "cannot stat %s", absolute);
        else if (S_ISDIR(about.st_mode))
            walk(out, absolute, is_quiet);
        else if (is_source_name(absolute))
            take_file(out, absolute, &about, is_quiet);
        else
            rc = mur_fail(MUR_ENOINPUT,
                          "%s is no source file: its name must end in .json, .jsonl or .ndjson, or one of "
                          "these with .gz",
                          paths[i]);
        free(absolute);
    }
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
