#include "murmur/writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lock_holder.h"
#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/mem.h"
#include "state.h"
#include "stop.h"

/* Three renewals. */
#define SILENT_SECONDS 30.0

const char *mur_writer_state_name(mur_writer_state state)
{
    static const char *const names[] = {"none", "running", "silent", "gone"};
    return names[state];
}

static int64_t milliseconds(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int mur_writer_look_file(mur_writer *w, const char *path)
{
    *w = (mur_writer){.since = MUR_NO_TIME, .renewed = MUR_NO_TIME, .stop_asked = MUR_NO_TIME, .pid = -1};
    mur_buf text = {0};
    mur_holder holder = {0}, self = {0};
    struct stat about;
    int rc = mur_file_read(&text, path);
    if (rc == 0 && stat(path, &about) < 0)
        rc = mur_fail_errno(errno == ENOENT ? MUR_ENOINPUT : MUR_EIO, "cannot stat %s", path);
    if (rc < 0) {
        rc = rc == MUR_ENOINPUT ? 0 : rc; /* nobody writes */
        goto done;
    }
    mur_holder_self(&self, "");
    mur_holder_parse(&holder, mur_buf_view(&text));
    w->renewed = milliseconds(about.st_mtim);
    w->silence = 1e-3 * (double)(mur_now_ms() - w->renewed);
    w->reason = mur_holder_is_gone(&holder, &self, w->silence);
    w->state = w->reason                                                                    ? MUR_WRITER_GONE
               : w->silence <= SILENT_SECONDS || mur_holder_is_running_here(&holder, &self) ? MUR_WRITER_RUNNING
                                                                                            : MUR_WRITER_SILENT;
    w->host = mur_strdup(holder.host);
    w->job = mur_strdup(holder.job);
    w->run_id = mur_strdup(holder.run_id);
    w->pid = holder.pid;
    w->since = holder.time;
done:
    mur_holder_clear(&holder);
    mur_holder_clear(&self);
    mur_buf_clear(&text);
    return rc;
}

int mur_writer_look(mur_writer *w, const char *store)
{
    *w = (mur_writer){0};
    int rc = mur_state_find(store);
    if (rc < 0)
        return rc;
    struct stat about;
    char *path = mur_path_join(store, "_lock"), *request = NULL;
    rc = mur_writer_look_file(w, path);
    if (rc == 0 && w->state != MUR_WRITER_NONE)
        request = mur_stop_path(store, w->run_id);
    w->is_asked_to_stop = request && stat(request, &about) == 0;
    if (w->is_asked_to_stop)
        w->stop_asked = milliseconds(about.st_mtim);
    free(request);
    free(path);
    return rc;
}

void mur_writer_clear(mur_writer *w)
{
    free(w->host);
    free(w->job);
    free(w->run_id);
    *w = (mur_writer){0};
}

int mur_writer_is_over(const mur_writer *w, const char *store, bool *is_over)
{
    mur_writer now;
    int rc = mur_writer_look(&now, store);
    *is_over =
        rc == 0 && (now.state == MUR_WRITER_NONE || now.state == MUR_WRITER_GONE || strcmp(now.run_id, w->run_id) != 0);
    mur_writer_clear(&now);
    return rc;
}

int mur_writer_ask_to_stop(const mur_writer *w, const char *store, bool *is_over)
{
    *is_over = false;
    char *path = mur_stop_path(store, w->run_id);
    if (!path)
        return mur_fail(MUR_EDATA, "%s/_lock names no run, so no run can be asked: murmur did not write it", store);
    int rc = 0, fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        rc = mur_fail_errno(MUR_ECREATE, "cannot create %s", path);
    } else {
        close(fd);
        rc = mur_writer_is_over(w, store, is_over);
        if (*is_over)
            unlink(path);
    }
    free(path);
    return rc;
}

/* A store is a folder of folders of files. What vanishes meanwhile is not counted. */
static int count_folder(const char *path, int depth, mur_disk_use *use)
{
    DIR *folder = opendir(path);
    if (!folder)
        return errno == ENOENT ? 0 : mur_fail_errno(MUR_EIO, "cannot list %s", path);
    int rc = 0;
    struct dirent *entry;
    while (rc == 0 && (entry = readdir(folder))) {
        struct stat about;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fstatat(dirfd(folder), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (S_ISDIR(about.st_mode) && depth > 0) {
            char *inner = mur_path_join(path, entry->d_name);
            rc = count_folder(inner, depth - 1, use);
            free(inner);
        } else if (S_ISREG(about.st_mode)) {
            use->bytes += (int64_t)about.st_blocks * 512;
            use->n_files++;
        }
    }
    closedir(folder);
    return rc;
}

int mur_store_disk_use(const char *store, mur_disk_use *out)
{
    *out = (mur_disk_use){0};
    int rc = mur_path_space(&out->available, store);
    return rc < 0 ? rc : count_folder(store, 1, out);
}
