#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"
#include "murmur/file.h"
#include "murmur/mem.h"

int mur_output(mur_view bytes)
{
    int rc = mur_fd_write(STDOUT_FILENO, bytes, "standard output");
    return rc < 0 && errno == EPIPE ? 1 : rc;
}

/* The executable is BUILD/murmur in SOURCE/build/PRESET, or PREFIX/bin/murmur: the model is looked for from there,
 * never from the current folder. */
char *mur_model_or_default(const char *given)
{
    static const char *const places[] = {"../../weights/murmur-mini", "../share/murmur/weights/murmur-mini"};
    const char *usual = getenv("MURMUR_MODEL");
    if (given || (usual && *usual))
        return mur_strdup(given ? given : usual);

    char executable[4096];
    ssize_t len = readlink("/proc/self/exe", executable, sizeof executable - 1);
    executable[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(executable, '/');
    if (slash)
        *slash = '\0';
    char *path = NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        free(path);
        path = mur_path_join(executable, places[i]);
        char *config = mur_path_join(path, "config.json");
        bool is_there = mur_path_exists(config);
        free(config);
        if (is_there)
            break;
    }
    return path;
}
