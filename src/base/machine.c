#include "murmur/machine.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "murmur/file.h"
#include "murmur/map.h"

#define SHARED_MEMORY "/dev/shm"
#define STALE_SECONDS 60

mur_cores mur_machine_cores(void)
{
    mur_cores c = {0};
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        for (int i = 0; i < MUR_MOST_CORES; i++)
            if (CPU_ISSET(i, &set))
                c.bits[i / 64] |= (uint64_t)1 << (i % 64);
    return c;
}

int mur_cores_count(const mur_cores *c)
{
    int n = 0;
    for (size_t i = 0; i < MUR_MOST_CORES / 64; i++)
        n += __builtin_popcountll(c->bits[i]);
    return n;
}

void mur_cores_add(mur_cores *to, const mur_cores *other)
{
    for (size_t i = 0; i < MUR_MOST_CORES / 64; i++)
        to->bits[i] |= other->bits[i];
}

void mur_machine_host(char out[MUR_HOST_TEXT])
{
    if (gethostname(out, MUR_HOST_TEXT) < 0)
        strcpy(out, "?");
    out[MUR_HOST_TEXT - 1] = '\0';
    out[strcspn(out, ".")] = '\0';
}

bool mur_machine_has_flag(const char *flag)
{
    mur_buf text = {0};
    bool has = false;
    if (mur_file_read(&text, "/proc/cpuinfo") == 0) {
        const char *line = strstr(mur_buf_text(&text), "\nflags");
        const char *end = line ? strchr(line + 1, '\n') : NULL;
        size_t len = strlen(flag);
        for (const char *at = line; end && at && at < end && !has; at = at ? at + 1 : NULL) {
            at = strstr(at, flag);
            has = at && at < end && at[-1] == ' ' && isspace((unsigned char)at[len]);
        }
    }
    mur_buf_clear(&text);
    return has;
}

/* Adds the files of /dev/shm that a process has mapped: the paths at the ends of lines of /proc/PID/maps. */
static void add_mapped(mur_map *mapped, const char *pid)
{
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/maps", pid);
    FILE *maps = fopen(path, "r");
    if (!maps)
        return; /* gone, or another user's */
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    while ((len = getline(&line, &cap, maps)) > 0) {
        const char *file = strstr(line, SHARED_MEMORY "/");
        if (file)
            mur_map_add(mapped, (mur_view){file, (size_t)(line + len - file) - (line[len - 1] == '\n')}, NULL);
    }
    free(line);
    fclose(maps);
}

static void find_mapped(mur_map *mapped)
{
    DIR *processes = opendir("/proc");
    if (!processes)
        return;
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;)
        if (isdigit((unsigned char)entry->d_name[0]))
            add_mapped(mapped, entry->d_name);
    closedir(processes);
}

/* Open MPI 4: vader_segment.HOST.…, osc_sm.HOST.…; 5: sm_segment.HOST.…. */
static bool is_segment(const char *name)
{
    static const char *const prefixes[] = {"vader_segment.", "sm_segment.", "osc_sm."};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

void mur_shared_memory_look(mur_shared_memory *out)
{
    struct statvfs about;
    *out = (mur_shared_memory){0};
    if (statvfs(SHARED_MEMORY, &about) != 0)
        return;
    *out = (mur_shared_memory){.is_there = true,
                               .size = (int64_t)about.f_blocks * (int64_t)about.f_frsize,
                               .available = (int64_t)about.f_bavail * (int64_t)about.f_frsize};
    mur_map mapped = {0};
    DIR *folder = opendir(SHARED_MEMORY);
    if (folder)
        find_mapped(&mapped);
    for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
        struct stat file;
        if (!is_segment(entry->d_name) || fstatat(dirfd(folder), entry->d_name, &file, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(file.st_mode) || time(NULL) - file.st_mtime < STALE_SECONDS)
            continue;
        /* The processes of other users, which only root sees, may have mapped theirs. */
        char path[sizeof SHARED_MEMORY + sizeof entry->d_name];
        snprintf(path, sizeof path, SHARED_MEMORY "/%s", entry->d_name);
        if ((file.st_uid != geteuid() && geteuid() != 0) || mur_map_find(&mapped, mur_view_of(path)) != MUR_MAP_NONE)
            continue;
        out->n_stale++;
        out->stale_bytes += (int64_t)file.st_blocks * 512;
        memcpy(out->example, path, strlen(path) + 1);
    }
    if (folder)
        closedir(folder);
    mur_map_clear(&mapped);
}
