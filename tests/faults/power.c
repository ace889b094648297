/* power.c: a library to be preloaded (LD_PRELOAD) that notes in a journal what a program writes, syncs and names below
 * one folder, so that power.py can take back what a loss of power may take: a killed process leaves the page cache as
 * it is, so killing alone cannot show that anything needs to be synced.
 *
 *     MURMUR_POWER_ROOT=DIR  MURMUR_POWER_JOURNAL=FILE  MURMUR_POWER_GRAVES=DIR (of the same file system)
 *
 * One line an event, fields parted by tabs, appended by one write, so that the lines of several processes are in one
 * order. What may be lost is noted before it is done, what makes it safe behind it. Removed files get a name in GRAVES.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* The library's own function of this name, behind this one. */
#define NEXT(result, name, ...) ((result(*)(__VA_ARGS__))next(#name))

static void (*next(const char *name))(void)
{
    void *found = dlsym(RTLD_NEXT, name);
    void (*function)(void);
    if (!found)
        abort();
    memcpy(&function, &found, sizeof function); /* POSIX lets it; ISO C has no conversion */
    return function;
}

/* The root, or below it. */
static bool is_below(const char *path)
{
    const char *root = getenv("MURMUR_POWER_ROOT");
    size_t len = root ? strlen(root) : 0;
    return len > 0 && strncmp(path, root, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* The absolute path of a name below the root, its folder resolved; false for all others. */
static bool resolve(char out[PATH_MAX], const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    if (len >= sizeof folder)
        return false;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(len > 0 ? len : 1) : 1, slash ? path : ".");
    char resolved[PATH_MAX];
    if (!realpath(folder, resolved))
        return false;
    return snprintf(out, PATH_MAX, "%s/%s", resolved, slash ? slash + 1 : path) < PATH_MAX && is_below(out);
}

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
    static atomic_int journal = -1;
    if (journal < 0)
        journal = NEXT(int, open, const char *, int, ...)(getenv("MURMUR_POWER_JOURNAL"),
                                                          O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    char line[3 * PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (NEXT(ssize_t, write, int, const void *, size_t)(journal, line, (size_t)len) != len)
        abort();
}

/* "WRITE inode size-before offset length" for a file below the root. */
static void note_write(int fd, off_t offset, size_t len)
{
    char link[64], path[PATH_MAX];
    struct stat about;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0)
        return;
    path[n] = '\0';
    if (!is_below(path) || fstat(fd, &about) < 0)
        return;
    if (offset < 0)
        offset = fcntl(fd, F_GETFL) & O_APPEND ? about.st_size : lseek(fd, 0, SEEK_CUR);
    note("WRITE\t%lu\t%ld\t%ld\t%zu\n", (unsigned long)about.st_ino, (long)about.st_size, (long)offset, len);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    note_write(fd, -1, len);
    return NEXT(ssize_t, write, int, const void *, size_t)(fd, bytes, len);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    note_write(fd, offset, len);
    return NEXT(ssize_t, pwrite, int, const void *, size_t, off_t)(fd, bytes, len, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t offset)
{
    return pwrite(fd, bytes, len, offset);
}

static size_t sum_of(const struct iovec *parts, int n)
{
    size_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += parts[i].iov_len;
    return sum;
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    note_write(fd, -1, sum_of(parts, n));
    return NEXT(ssize_t, writev, int, const struct iovec *, int)(fd, parts, n);
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t offset)
{
    note_write(fd, offset, sum_of(parts, n));
    return NEXT(ssize_t, pwritev, int, const struct iovec *, int, off_t)(fd, parts, n, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int n, off_t offset)
{
    return pwritev(fd, parts, n, offset);
}

/* A file's new length is as little safe as its bytes. */
int ftruncate(int fd, off_t len)
{
    note_write(fd, len, 0);
    return NEXT(int, ftruncate, int, off_t)(fd, len);
}

int ftruncate64(int fd, off_t len)
{
    return ftruncate(fd, len);
}

static int note_sync(int fd, int rc)
{
    char link[64], path[PATH_MAX] = "";
    struct stat about;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (rc == 0 && readlink(link, path, sizeof path - 1) > 0 && is_below(path) && fstat(fd, &about) == 0)
        note("SYNC\t%lu\t%s\n", (unsigned long)about.st_ino, path);
    return rc;
}

int fsync(int fd)
{
    return note_sync(fd, NEXT(int, fsync, int)(fd));
}

int fdatasync(int fd)
{
    return note_sync(fd, NEXT(int, fdatasync, int)(fd));
}

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    char full[PATH_MAX];
    struct stat about;
    if (flags & O_CREAT) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    bool is_ours = flags & O_CREAT && resolve(full, path), was_there = is_ours && lstat(full, &about) == 0;
    int fd = NEXT(int, open, const char *, int, ...)(path, flags, mode);
    if (is_ours && !was_there && fd >= 0)
        note("CREATE\t%s\n", full);
    else if (is_ours && fd >= 0 && flags & O_TRUNC && about.st_size > 0)
        note_write(fd, 0, (size_t)about.st_size);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open(path, flags, mode);
}

int mkdir(const char *path, mode_t mode)
{
    char full[PATH_MAX];
    int rc = NEXT(int, mkdir, const char *, mode_t)(path, mode);
    if (rc == 0 && resolve(full, path))
        note("MKDIR\t%s\n", full);
    return rc;
}

int link(const char *from, const char *to)
{
    char full[PATH_MAX];
    struct stat about;
    if (resolve(full, to) && lstat(full, &about) < 0)
        note("LINK\t%s\n", full);
    return NEXT(int, link, const char *, const char *)(from, to);
}

/* Keeps what a name stands for; `grave` is empty where it stands for nothing. */
static void bury(char grave[PATH_MAX], const char *path)
{
    static atomic_int n;
    snprintf(grave, PATH_MAX, "%s/%d-%d", getenv("MURMUR_POWER_GRAVES"), (int)getpid(), n++);
    if (NEXT(int, link, const char *, const char *)(path, grave) < 0)
        *grave = '\0';
}

int rename(const char *from, const char *to)
{
    char full_from[PATH_MAX], full_to[PATH_MAX], moved[PATH_MAX], replaced[PATH_MAX];
    if (resolve(full_from, from) && resolve(full_to, to)) {
        bury(moved, full_from);
        bury(replaced, full_to);
        note("RENAME\t%s\t%s\t%s\t%s\n", full_from, full_to, moved, replaced);
    }
    return NEXT(int, rename, const char *, const char *)(from, to);
}

int unlink(const char *path)
{
    char full[PATH_MAX], grave[PATH_MAX];
    if (resolve(full, path)) {
        bury(grave, full);
        note("UNLINK\t%s\t%s\n", full, grave);
    }
    return NEXT(int, unlink, const char *)(path);
}
