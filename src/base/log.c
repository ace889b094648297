#include "murmur/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
    mur_log_level level;
    int rank;
} state = {MUR_LOG_INFO, 0};

void mur_log_level_set(mur_log_level level)
{
    state.level = level;
}

void mur_log_rank_set(int rank)
{
    state.rank = rank;
}

void mur_log(mur_log_level level, const char *format, ...)
{
    static const char *const names[] = {"error: ", "warning: ", "", ""};
    if (level > state.level || (state.rank != 0 && level > MUR_LOG_WARN))
        return;

    char line[4096];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    size_t used = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%SZ ", &utc);
    if (state.rank != 0)
        used += (size_t)snprintf(line + used, sizeof line - used, "[rank %d] ", state.rank);
    used += (size_t)snprintf(line + used, sizeof line - used, "murmur: %s", names[level]);

    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + used, sizeof line - used - 1, format, arguments);
    va_end(arguments);

    /* A path or a tweet may hold a line feed: one message stays one line. One write(2), so that lines of several
     * ranks do not mix. */
    used = strlen(line);
    for (size_t i = 0; i < used; i++)
        if ((unsigned char)line[i] < 0x20)
            line[i] = ' ';
    line[used++] = '\n';
    if (write(STDERR_FILENO, line, used) < 0)
        return; /* nowhere left to say so */
}
