#include "stop.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "murmur/file.h"
#include "murmur/mem.h"

#define PREFIX "_stop-"
#define MAX_RUN_ID 64

static bool is_run_id(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t len = strlen(text);
    return len > 0 && len <= MAX_RUN_ID && strspn(text, allowed) == len;
}

char *mur_stop_path(const char *store, const char *run_id)
{
    return is_run_id(run_id) ? mur_format("%s/" PREFIX "%s", store, run_id) : NULL;
}

void mur_stop_clean(const char *store, const char *run_id)
{
    DIR *folder = opendir(store);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        const char *name = entry->d_name;
        if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || strcmp(name + strlen(PREFIX), run_id) == 0)
            continue;
        char *path = mur_path_join(store, name);
        unlink(path);
        free(path);
    }
    if (folder)
        closedir(folder);
}
