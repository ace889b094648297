#include "murmur/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "murmur/utf8.h"

/* Bytes of a message: the longest path (PATH_MAX is 4096) and what is said of it. */
#define LONGEST 8192

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

int mur_log_rank(void)
{
    return state.rank;
}

void mur_log(mur_log_level level, const char *format, ...)
{
    static const char *const names[] = {"error: ", "warning: ", "", ""};
    if (level > state.level || (state.rank != 0 && level > MUR_LOG_WARN))
        return;

    char text[LONGEST], line[LONGEST + 128];
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    size_t used = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%SZ ", &utc);
    if (state.rank != 0)
        used += (size_t)snprintf(line + used, sizeof line - used, "[rank %d] ", state.rank);
    used += (size_t)snprintf(line + used, sizeof line - used, "murmur: %s", names[level]);

    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);

    /* A path or a tweet may hold anything: one message stays one line. One write(2), so that lines of several ranks do
     * not mix. */
    used += mur_utf8_show(line + used, sizeof line - used - 1, mur_view_of(text));
    line[used++] = '\n';
    if (write(STDERR_FILENO, line, used) < 0)
        return; /* nowhere left to say so */
}
