#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "murmur/file.h"
#include "murmur/mem.h"

#define MAX_DEPTH 16 /* of folders in a run; MLflow's own have two or three */

static int is_no_dots(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int mur_walk_entries(const char *path, bool is_of_folders,
                     int (*take)(void *context, const char *name, const char *path), void *context)
{
    struct dirent **entries = NULL;
    int rc = 0, n = scandir(path, &entries, is_no_dots, by_bytes);
    if (n < 0)
        return mur_fail_errno(errno == ENOENT || errno == ENOTDIR ? MUR_ENOINPUT : MUR_EIO, "cannot list %s", path);
    for (int i = 0; i < n; i++) {
        char *child = mur_path_join(path, entries[i]->d_name);
        struct stat about;
        if (rc == 0 && lstat(child, &about) == 0 && (is_of_folders ? S_ISDIR(about.st_mode) : S_ISREG(about.st_mode)))
            rc = take(context, entries[i]->d_name, child);
        free(child);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

typedef struct descent {
    const char *prefix;
    int depth;
    int (*take)(void *context, const char *name, const char *path);
    void *context;
} descent;

static int take_file(void *context, const char *name, const char *path)
{
    const descent *d = context;
    char *full = mur_format("%s%s", d->prefix, name);
    int rc = d->take(d->context, full, path);
    free(full);
    return rc;
}

static int take_folder(void *context, const char *name, const char *path)
{
    const descent *d = context;
    if (d->depth == MAX_DEPTH)
        return mur_fail(MUR_EDATA, "%s lies too deep", path);
    char *prefix = mur_format("%s%s/", d->prefix, name);
    descent below = {prefix, d->depth + 1, d->take, d->context};
    int rc = mur_walk_entries(path, false, take_file, &below);
    if (rc == 0)
        rc = mur_walk_entries(path, true, take_folder, &below);
    free(prefix);
    return rc;
}

int mur_walk_files(const char *path, int (*take)(void *context, const char *name, const char *path), void *context)
{
    if (!mur_path_is_folder(path))
        return 0;
    descent d = {"", 0, take, context};
    int rc = mur_walk_entries(path, false, take_file, &d);
    return rc == 0 ? mur_walk_entries(path, true, take_folder, &d) : rc;
}
