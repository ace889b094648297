#include "murmur/clear.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lock.h"
#include "log_folder.h"
#include "murmur/fault.h"
#include "murmur/file.h"
#include "murmur/mem.h"
#include "names.h"
#include "state.h"

/* What a folder below the store holds that is a store's. */
typedef enum { ROOT, LOG, TABLE } folder_kind;

static bool is_ours(folder_kind kind, const char *name)
{
    mur_segment segment;
    if (mur_name_is_temporary(name))
        return true;
    switch (kind) {
    case LOG: return mur_state_number_of(name) >= 0 || mur_segment_parse(&segment, name);
    case TABLE: return mur_name_is_part(name);
    default: return mur_name_is_of_root(name);
    }
}

/* Calls `act` for each file in `folder` that is the store's, until it fails. */
static int each_file(const char *folder, folder_kind kind,
                     int (*act)(void *context, const char *path, const char *name), void *context)
{
    DIR *listing = opendir(folder);
    if (!listing)
        return mur_fail_errno(errno == ENOENT ? MUR_ENOINPUT : MUR_EIO, "cannot list %s", folder);
    struct dirent *entry;
    int rc = 0;
    while (rc == 0 && (entry = readdir(listing))) {
        struct stat about;
        char *path = mur_path_join(folder, entry->d_name);
        if (is_ours(kind, entry->d_name) && lstat(path, &about) == 0 && !S_ISDIR(about.st_mode))
            rc = act(context, path, entry->d_name);
        free(path);
    }
    closedir(listing);
    return rc;
}

/* Calls `act` for each folder of a table. */
static int each_table(const char *folder, int (*act)(void *context, const char *path), void *context)
{
    DIR *listing = opendir(folder);
    if (!listing)
        return mur_fail_errno(errno == ENOENT ? MUR_ENOINPUT : MUR_EIO, "cannot list %s", folder);
    struct dirent *entry;
    int rc = 0;
    while (rc == 0 && (entry = readdir(listing))) {
        char *path = mur_path_join(folder, entry->d_name);
        if (mur_name_is_table(entry->d_name) && mur_path_is_folder(path))
            rc = act(context, path);
        free(path);
    }
    closedir(listing);
    return rc;
}

static int count_file(void *context, const char *path, const char *name)
{
    mur_clear_survey *s = context;
    struct stat about;
    if (mur_state_number_of(name) >= 0)
        s->n_records++;
    else
        s->n_files++;
    s->bytes += lstat(path, &about) == 0 ? about.st_size : 0;
    return 0;
}

static int count_table(void *context, const char *path)
{
    return each_file(path, TABLE, count_file, context);
}

int mur_clear_look(mur_clear_survey *out, const char *folder)
{
    *out = (mur_clear_survey){0};
    char *log = mur_path_join(folder, "_log"), *ended = mur_path_join(folder, MUR_CLEARING);
    out->is_begun = mur_path_is_folder(ended);
    bool has_log = mur_path_is_folder(log);
    int rc = 0;
    if (has_log)
        rc = each_file(log, LOG, count_file, out);
    /* Someone else's folder may have a _log too; ours has a record, or was just created and is empty. */
    if (rc == 0 && !out->is_begun && (!has_log || (out->n_records == 0 && !mur_state_is_empty(log))))
        rc = mur_fail(MUR_ENOINPUT, "%s is no store, and nothing is removed: %s", folder,
                      !mur_path_is_folder(folder) ? "there is no such folder"
                      : has_log                   ? "there are no records in its _log folder"
                                                  : "it has no _log folder");
    if (rc == 0 && out->is_begun)
        rc = each_file(ended, LOG, count_file, out);
    if (rc == 0)
        rc = each_table(folder, count_table, out);
    free(log);
    free(ended);
    return rc;
}

static int remove_file(void *context, const char *path, const char *name)
{
    (void)context, (void)name;
    return MUR_STEP("clear.unlink", unlink(path)) < 0 && errno != ENOENT
               ? mur_fail_errno(MUR_EIO, "cannot remove %s", path)
               : 0;
}

static int remove_table(void *context, const char *path)
{
    int rc = each_file(path, TABLE, remove_file, context);
    if (rc == 0 && rmdir(path) < 0) /* what is left in it is not ours; that it is gone must outlast the marker */
        rc = mur_file_sync(path);
    return rc;
}

int mur_clear(const char *folder, const char *run_id, bool is_forced, bool *is_left)
{
    char *log = mur_path_join(folder, "_log"), *ended = mur_path_join(folder, MUR_CLEARING);
    mur_lock *lock = NULL;
    *is_left = false;
    int rc = mur_lock_take(&lock, folder, run_id, is_forced);
    /* From here on it is no store: to readers, to writers, and after a crash. A log that came to be beside the marker
     * cannot be: murmur run refuses a folder that is not empty. */
    if (rc == 0 && mur_path_is_folder(log) && MUR_STEP("clear.rename", rename(log, ended)) < 0)
        rc = mur_fail_errno(MUR_EIO, "cannot rename %s to %s", log, ended);
    if (rc == 0)
        rc = MUR_STEP("clear.folder", mur_file_sync(folder));
    if (rc == 0)
        rc = each_table(folder, remove_table, NULL);
    mur_lock_release(&lock); /* it lies in the folder too; without a log nobody takes it for long */
    if (rc == 0)
        rc = each_file(folder, ROOT, remove_file, NULL);
    if (rc == 0)
        rc = MUR_STEP("clear.folder", mur_file_sync(folder));
    if (rc == 0) /* the marker goes last */
        rc = each_file(ended, LOG, remove_file, NULL);
    if (rc == 0)
        rc = mur_fault("clear.end");
    if (rc == 0)
        *is_left = rmdir(ended) < 0 || rmdir(folder) < 0;
    free(log);
    free(ended);
    return rc;
}
