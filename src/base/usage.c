#include "murmur/usage.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "murmur/file.h"
#include "murmur/mem.h"

/* The bytes that "NAME:   123 kB" tells in a text of /proc. */
static int64_t field(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    return at ? (int64_t)strtoll(at + strlen(name), NULL, 10) * 1024 : 0;
}

void mur_usage_look(mur_usage *out)
{
    struct rusage usage = {0};
    mur_buf status = {0};
    *out = (mur_usage){0};
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        *out = (mur_usage){.peak_bytes = (int64_t)usage.ru_maxrss * 1024, .major_faults = usage.ru_majflt};
    if (mur_file_read(&status, "/proc/self/status") == 0) {
        /* ru_maxrss begins with what the parent had before exec: VmHWM is this program's own. */
        int64_t own = field(mur_buf_text(&status), "\nVmHWM:");
        out->peak_bytes = own > 0 ? own : out->peak_bytes;
        out->swapped_bytes = field(mur_buf_text(&status), "\nVmSwap:");
    }
    mur_buf_clear(&status);
}

static void lower(int64_t *limit, int64_t other)
{
    if (other > 0 && (*limit == 0 || other < *limit))
        *limit = other;
}

/* The whole number in a file; 0 for "max" and where there is none. */
static int64_t number_in(const char *path)
{
    mur_buf text = {0};
    int64_t number = mur_file_read(&text, path) == 0 ? strtoll(mur_buf_text(&text), NULL, 10) : 0;
    mur_buf_clear(&text);
    return number;
}

/* The limits of a control group and of all groups above it: `group` is its path, changed. */
static void lower_to_groups(int64_t *limit, const char *root, char *group, const char *file)
{
    for (;;) {
        char *path = mur_format("%s%s/%s", root, group, file);
        lower(limit, number_in(path));
        free(path);
        char *slash = strrchr(group, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
}

/* /proc/self/cgroup has a line "0::/path" for version 2, and "N:memory:/path" for version 1. */
static int64_t group_limit(void)
{
    int64_t limit = 0;
    mur_buf text = {0};
    char *rest, *line = NULL;
    if (mur_file_read(&text, "/proc/self/cgroup") == 0 && text.len > 0)
        line = strtok_r((char *)mur_buf_text(&text), "\n", &rest);
    for (; line; line = strtok_r(NULL, "\n", &rest)) {
        char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;
        if (!second)
            continue;
        if (strncmp(line, "0::", 3) == 0)
            lower_to_groups(&limit, "/sys/fs/cgroup", second + 1, "memory.max");
        else if ((size_t)(second - first) == sizeof ":memory" - 1 &&
                 strncmp(first, ":memory", sizeof ":memory" - 1) == 0)
            lower_to_groups(&limit, "/sys/fs/cgroup/memory", second + 1, "memory.limit_in_bytes");
    }
    mur_buf_clear(&text);
    return limit;
}

int64_t mur_memory_limit(int n_processes)
{
    int64_t limit = 0, shared = 0;
    static const int kinds[] = {RLIMIT_AS, RLIMIT_DATA, RLIMIT_RSS};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct rlimit own;
        if (getrlimit((__rlimit_resource_t)kinds[i], &own) == 0 && own.rlim_cur != RLIM_INFINITY)
            lower(&limit, own.rlim_cur < INT64_MAX ? (int64_t)own.rlim_cur : 0);
    }
    lower(&shared, group_limit());
    lower(&shared, (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE));
    lower(&limit, shared / (n_processes > 0 ? n_processes : 1));
    return limit;
}
