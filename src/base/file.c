#include "murmur/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "murmur/fault.h"
#include "murmur/mem.h"

const char *mur_file_kind(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG: return "a file";
    case S_IFDIR: return "a folder";
    case S_IFLNK: return "a symbolic link";
    case S_IFIFO: return "a FIFO";
    case S_IFSOCK: return "a socket";
    default: return "a device";
    }
}

static int open_to_read(const char *path)
{
    /* Nobody may ever write into a FIFO: to open one must not block. To files and folders O_NONBLOCK means nothing. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return mur_fail_errno(errno == ENOENT || errno == ENOTDIR ? MUR_ENOINPUT : MUR_EIO, "cannot open %s", path);
    return fd;
}

static int open_file(const char *path)
{
    int fd = open_to_read(path), rc = fd;
    struct stat about;
    if (fd >= 0 && fstat(fd, &about) < 0)
        rc = mur_fail_errno(MUR_EIO, "cannot stat %s", path);
    else if (fd >= 0 && !S_ISREG(about.st_mode))
        rc = mur_fail(MUR_EIO, "%s is %s, not a file", path, mur_file_kind(about.st_mode));
    if (rc < 0 && fd >= 0)
        close(fd);
    return rc;
}

/* Reads until `len` bytes are there or the file ends; returns how many, or MUR_EIO. */
static int64_t read_fully(int fd, char *into, int64_t len, int64_t offset, const char *path)
{
    int64_t got = 0;
    while (got < len) {
        ssize_t n = pread(fd, into + got, (size_t)(len - got), offset + got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return mur_fail_errno(MUR_EIO, "cannot read %s", path);
        if (n == 0)
            break;
        got += n;
    }
    return got;
}

int mur_file_read(mur_buf *out, const char *path)
{
    int fd = open_file(path);
    if (fd < 0)
        return fd;
    int rc = 0;
    struct stat about;
    if (fstat(fd, &about) < 0)
        rc = mur_fail_errno(MUR_EIO, "cannot stat %s", path);

    /* The size is a hint: /proc files say 0, growing ones lie. Read until the end. */
    int64_t offset = 0, step = rc == 0 && about.st_size > 0 ? about.st_size + 1 : 4096;
    while (rc == 0) {
        int64_t got = read_fully(fd, mur_buf_reserve(out, (size_t)step), step, offset, path);
        if (got < 0) {
            rc = (int)got;
            break;
        }
        out->len += (size_t)got;
        offset += got;
        if (got < step)
            break;
    }
    close(fd);
    return rc;
}

int mur_file_read_range(mur_buf *out, const char *path, int64_t offset, int64_t len)
{
    int fd = open_file(path);
    if (fd < 0)
        return fd;
    int rc = 0;
    int64_t got = read_fully(fd, mur_buf_reserve(out, (size_t)len), len, offset, path);
    if (got < 0)
        rc = (int)got;
    else if (got < len)
        rc = mur_fail(MUR_EIO, "%s became shorter while it was read", path);
    else
        out->len += (size_t)got;
    close(fd);
    return rc;
}

void mur_file_prefetch(const char *path, int64_t offset, int64_t len)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    posix_fadvise(fd, (off_t)offset, (off_t)len, POSIX_FADV_WILLNEED);
    close(fd);
}

int mur_fd_write(int fd, mur_view bytes, const char *path)
{
    size_t done = 0;
    if (mur_fault_write(fd, bytes) < 0)
        return mur_fail_errno(MUR_EIO, "cannot write %s", path);
    while (done < bytes.len) {
        ssize_t n = write(fd, bytes.ptr + done, bytes.len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return mur_fail_errno(MUR_EIO, "cannot write %s", path);
        done += (size_t)n;
    }
    return 0;
}

static int write_with(const char *path, mur_view bytes, int how)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | how, 0666);
    if (fd < 0)
        return mur_fail_errno(MUR_ECREATE, "cannot create %s", path);
    int rc = mur_fd_write(fd, bytes, path);
    if (close(fd) < 0 && rc == 0)
        rc = mur_fail_errno(MUR_EIO, "cannot close %s", path);
    return rc;
}

int mur_file_write(const char *path, mur_view bytes)
{
    return write_with(path, bytes, O_TRUNC);
}

int mur_file_append(const char *path, mur_view bytes)
{
    return write_with(path, bytes, O_APPEND);
}

int mur_fd_sync(int fd, const char *path)
{
    if (!mur_fault_disables("fsync") && fsync(fd) < 0)
        return mur_fail_errno(MUR_EIO, "cannot sync %s", path);
    return 0;
}

int mur_file_sync(const char *path)
{
    int fd = open_to_read(path);
    if (fd < 0)
        return fd;
    int rc = mur_fd_sync(fd, path);
    close(fd);
    return rc;
}

int mur_file_sync_name(const char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[len - 1] != '/')
        len--;
    char *folder = len > 0 ? mur_strndup(path, len) : mur_strdup(".");
    errno = 0;
    int rc = mur_file_sync(folder);
    if (rc < 0 && errno == EACCES)
        rc = 0;
    free(folder);
    return rc;
}

int mur_folder_make(const char *path)
{
    char *copy = mur_strdup(path);
    int rc = 0;
    for (char *at = copy + 1; rc == 0; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        char kept = *at;
        *at = '\0';
        if (mkdir(copy, 0777) == 0)
            rc = mur_file_sync_name(copy);
        else if (errno != EEXIST || !mur_path_is_folder(copy))
            rc = mur_fail_errno(MUR_ECREATE, "cannot create folder %s", copy);
        *at = kept;
        if (kept == '\0')
            break;
    }
    free(copy);
    return rc;
}

int mur_folder_make_temporary(char **path, const char *name)
{
    const char *root = getenv("TMPDIR");
    *path = mur_format("%s/murmur-%s-XXXXXX", root && *root ? root : "/tmp", name);
    if (mkdtemp(*path))
        return 0;
    int rc = mur_fail_errno(MUR_ECREATE, "cannot make a folder like %s", *path);
    free(*path);
    *path = NULL;
    return rc;
}

/* nftw's, whose walk goes on where this returns 0. */
static _Thread_local int failure;

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about, (void)kind, (void)where;
    if (remove(path) < 0 && errno != ENOENT)
        failure = errno;
    return 0;
}

bool mur_folder_remove(const char *path)
{
    failure = 0;
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
        failure = errno;
    errno = failure;
    return failure == 0;
}

int mur_path_space(int64_t *bytes, const char *path)
{
    struct statvfs about;
    if (statvfs(path, &about) < 0)
        return mur_fail_errno(MUR_EIO, "cannot ask for the space left at %s", path);
    *bytes = (int64_t)about.f_bavail * (int64_t)about.f_frsize;
    return 0;
}

bool mur_path_exists(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0;
}

bool mur_path_is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

char *mur_path_join(const char *folder, const char *name)
{
    size_t len = strlen(folder);
    return mur_format(len && folder[len - 1] == '/' ? "%s%s" : "%s/%s", folder, name);
}

char *mur_path_absolute(const char *path)
{
    char *resolved = realpath(path, NULL);
    if (!resolved)
        mur_fail_errno(MUR_ENOINPUT, "cannot find %s", path);
    return resolved;
}
