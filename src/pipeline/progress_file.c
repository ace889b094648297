#include "progress_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "murmur/fault.h"
#include "murmur/file.h"
#include "murmur/mem.h"

#define NAME "progress.jsonl"
#define DIGITS 6
#define LAST_NUMBER 999999

char *mur_progress_path(const char *store, int number)
{
    return number > 0 ? mur_format("%s/" NAME ".%0*d", store, DIGITS, number) : mur_format("%s/" NAME, store);
}

/* 0 if it is no name of a rotated file. */
static int number_of(const char *name)
{
    size_t prefix = strlen(NAME ".");
    bool is_one = strncmp(name, NAME ".", prefix) == 0 && strspn(name + prefix, "0123456789") == DIGITS &&
                  name[prefix + DIGITS] == '\0';
    return is_one ? atoi(name + prefix) : 0;
}

static int by_number(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

int mur_progress_rotated(const char *store, int **numbers, size_t *n)
{
    *numbers = NULL;
    *n = 0;
    DIR *folder = opendir(store);
    if (!folder)
        return mur_fail_errno(MUR_EIO, "cannot list %s", store);
    size_t cap = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        int number = number_of(entry->d_name);
        if (number == 0)
            continue;
        if (*n == cap) {
            cap = mur_grown(cap, *n + 1);
            *numbers = mur_realloc(*numbers, cap, sizeof **numbers);
        }
        (*numbers)[(*n)++] = number;
    }
    closedir(folder);
    if (*n > 1)
        qsort(*numbers, *n, sizeof **numbers, by_number);
    return 0;
}

/* Gives the file the next number, and removes those that are too many. */
static int rotate(const char *store)
{
    int *numbers;
    size_t n;
    int rc = mur_progress_rotated(store, &numbers, &n);
    int next = rc == 0 && n > 0 ? numbers[n - 1] + 1 : 1;
    if (rc == 0 && next <= LAST_NUMBER) {
        char *from = mur_progress_path(store, 0), *to = mur_progress_path(store, next);
        if (rename(from, to) < 0)
            rc = mur_fail_errno(MUR_EIO, "cannot rename %s to %s", from, to);
        free(from);
        free(to);
    }
    for (size_t i = 0; rc == 0 && i + MUR_PROGRESS_FILES <= n; i++) {
        char *path = mur_progress_path(store, numbers[i]);
        unlink(path); /* one that stays harms nobody */
        free(path);
    }
    free(numbers);
    return rc;
}

/* One write(2), so that readers, and a writer that took the store over, never see half of it. Not mur_fd_write, which
 * goes on after a short one. */
static int write_once(int fd, mur_view bytes, const char *path)
{
    ssize_t n = mur_fault_write(fd, bytes) < 0 ? -1 : write(fd, bytes.ptr, bytes.len);
    if (n < 0)
        return mur_fail_errno(MUR_EIO, "cannot write %s", path);
    if ((size_t)n < bytes.len)
        return mur_fail(MUR_EIO, "cannot write %s: the disk is full", path);
    return 0;
}

static bool is_torn(int fd, off_t size)
{
    char last;
    return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

int mur_progress_append(const char *store, mur_view lines, int64_t limit)
{
    char *path = mur_progress_path(store, 0);
    struct stat about;
    mur_buf text = {0};
    int rc = mur_fault("progress.append");
    if (rc == 0 && stat(path, &about) == 0 && about.st_size >= limit)
        rc = rotate(store);
    int fd = rc == 0 ? open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666) : -1;
    if (rc == 0 && (fd < 0 || fstat(fd, &about) < 0))
        rc = mur_fail_errno(MUR_EIO, "cannot open %s", path);
    if (rc == 0) {
        if (is_torn(fd, about.st_size))
            mur_buf_append_byte(&text, '\n');
        mur_buf_append_view(&text, lines);
        rc = write_once(fd, mur_buf_view(&text), path);
    }
    if (fd >= 0 && close(fd) < 0 && rc == 0)
        rc = mur_fail_errno(MUR_EIO, "cannot close %s", path);
    mur_buf_clear(&text);
    free(path);
    return rc;
}

char *mur_progress_now_path(const char *store)
{
    return mur_path_join(store, "_progress");
}

int mur_progress_now_write(const char *store, mur_view text)
{
    char block[MUR_PROGRESS_NOW_BYTES];
    char *path = mur_progress_now_path(store);
    memset(block, ' ', sizeof block);
    memcpy(block, text.ptr, text.len < sizeof block ? text.len : sizeof block);
    block[sizeof block - 1] = '\n';
    /* Opened each time: a network file system shows what was written when the file is closed. */
    int rc = 0, fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (fd < 0 || write(fd, block, sizeof block) != (ssize_t)sizeof block)
        rc = mur_fail_errno(MUR_EIO, "cannot write %s", path);
    if (fd >= 0)
        close(fd);
    free(path);
    return rc;
}

void mur_progress_now_remove(const char *store)
{
    char *path = mur_progress_now_path(store);
    unlink(path);
    free(path);
}
