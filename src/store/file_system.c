#include "murmur/file_system.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/mem.h"
#include "murmur/record.h"

/* Network file systems show a new file to other hosts within seconds. */
#define SEEN_SECONDS 5.0
#define LOOK_SECONDS 0.1

/* The mount with the longest path that `folder`, absolute, is below; the last of several on one place is the one on
 * top. */
static void find_type(char type[MUR_FILE_SYSTEM_TEXT], const char *folder)
{
    size_t longest = 0;
    snprintf(type, MUR_FILE_SYSTEM_TEXT, "unknown");
    FILE *mounts = setmntent("/proc/self/mounts", "r");
    for (struct mntent *mount; mounts && (mount = getmntent(mounts)) != NULL;) {
        size_t len = strlen(mount->mnt_dir);
        bool is_root = len == 1;
        if (len >= longest && strncmp(folder, mount->mnt_dir, len) == 0 &&
            (is_root || folder[len] == '/' || folder[len] == '\0')) {
            longest = len;
            snprintf(type, MUR_FILE_SYSTEM_TEXT, "%s", mount->mnt_type);
        }
    }
    if (mounts)
        endmntent(mounts);
}

/* A fresh string: the folder, or the nearest of its parents that is there, absolute. */
static char *nearest(const char *folder)
{
    char *at = mur_strdup(*folder ? folder : ".");
    while (!mur_path_is_folder(at)) {
        char *slash = strrchr(at, '/');
        if (!slash || slash == at) {
            free(at);
            at = mur_strdup(slash ? "/" : ".");
            break;
        }
        *slash = '\0';
    }
    char *absolute = mur_path_absolute(at);
    free(at);
    return absolute;
}

/* Rank 0's files. What cannot be made at all is an error, what else fails is a finding. */
static int try_files(mur_file_system *out, const char *path, const char *other)
{
    struct stat about;
    int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
    if (fd < 0)
        return mur_fail_errno(MUR_ECREATE, "cannot make a file %s", path);
    int again = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
    out->has_exclusive = again < 0 && errno == EEXIST;
    if (again >= 0)
        close(again);
    int rc = mur_fd_write(fd, mur_view_of("murmur\n"), path);
    if (rc == 0) {
        out->has_sync = fsync(fd) == 0;
        out->has_locks = flock(fd, LOCK_EX | LOCK_NB) == 0;
        int64_t now = mur_now_ms();
        if (fstat(fd, &about) == 0)
            out->clock_skew = (double)about.st_mtim.tv_sec + (double)about.st_mtim.tv_nsec / 1e9 - (double)now / 1e3;
        /* What a commit relies on: a second name, and none if the name is taken. */
        out->has_links = link(path, other) == 0 && stat(other, &about) == 0 && about.st_nlink == 2 &&
                         link(path, other) < 0 && errno == EEXIST;
    }
    close(fd);
    return rc;
}

static bool is_seen(const char *path)
{
    double end = mur_monotonic() + SEEN_SECONDS;
    while (!mur_path_exists(path)) {
        if (mur_monotonic() > end)
            return false;
        mur_sleep(LOOK_SECONDS);
    }
    return true;
}

int mur_file_system_try(mur_file_system *out, const mur_comm *c, const char *folder)
{
    mur_buf name = {0};
    char *place = NULL, *other = NULL;
    int rc = 0;
    *out = (mur_file_system){.first_blind = -1};
    if (c->rank == 0) {
        char id[MUR_RUN_ID];
        mur_run_id_make(id);
        place = nearest(folder);
        if (!place)
            rc = mur_error_last()->code;
        if (rc == 0) {
            find_type(out->type, place);
            if (mur_path_space(&out->available, place) < 0)
                out->available = 0; /* not told */
            mur_buf_printf(&name, "%s/.murmur-doctor-%s", place, id);
            other = mur_format("%s.link", mur_buf_text(&name));
            rc = try_files(out, mur_buf_text(&name), other);
        }
    }
    rc = mur_agree(c, rc);
    if (rc == 0) {
        mur_broadcast(c, &name);
        bool sees = c->node_rank != 0 || is_seen(mur_buf_text(&name));
        int64_t first = mur_min(c, sees ? c->n_ranks : c->rank);
        mur_buf found = {0};
        mur_buf_append(&found, out, sizeof *out);
        mur_broadcast(c, &found);
        memcpy(out, found.ptr, sizeof *out);
        mur_buf_clear(&found);
        out->first_blind = first < c->n_ranks ? (int)first : -1;
    }
    if (c->rank == 0 && name.len > 0) {
        unlink(mur_buf_text(&name));
        unlink(other);
    }
    mur_buf_clear(&name);
    free(place);
    free(other);
    return rc;
}

const char *mur_hdf5_version(void)
{
    static char text[32];
    unsigned major = 0, minor = 0, release = 0;
    if (!*text && H5get_libversion(&major, &minor, &release) >= 0)
        snprintf(text, sizeof text, "%u.%u.%u", major, minor, release);
    return text;
}
