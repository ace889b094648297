#include "murmur/log.h"

#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "murmur/utf8.h"

/* Bytes of a message: the longest path (PATH_MAX is 4096) and what is said of it. */
#define LONGEST 8192

/* To the begin of the line, and everything behind it away: ECMA-48, which all terminals of today know. */
#define CLEAR_LINE "\r\033[K"

/* Set by a signal's handler, which may not wait for the mutex. */
static volatile sig_atomic_t is_ending;

static struct {
    mur_log_level level;
    int rank;
    bool is_sharing;              /* some rank has a status on the terminal that this one writes to */
    char status[MUR_STATUS_TEXT]; /* empty: none */
    pthread_mutex_t mutex;        /* of these two: helper threads speak too */
} state = {.level = MUR_LOG_INFO, .mutex = PTHREAD_MUTEX_INITIALIZER};

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

/* One write(2), so that lines of several ranks do not mix. */
static void put(const char *bytes, size_t len)
{
    if (write(STDERR_FILENO, bytes, len) < 0)
        return; /* nowhere left to say so */
}

static size_t append(char *line, size_t used, const char *text)
{
    size_t len = strlen(text);
    memcpy(line + used, text, len);
    return used + len;
}

void mur_log_status_share(bool is_sharing)
{
    pthread_mutex_lock(&state.mutex);
    state.is_sharing = is_sharing;
    pthread_mutex_unlock(&state.mutex);
}

void mur_log_status(const char *text)
{
    char line[MUR_STATUS_TEXT + sizeof CLEAR_LINE];
    pthread_mutex_lock(&state.mutex);
    bool is_new = strncmp(text, state.status, sizeof state.status - 1) != 0;
    if (is_new && !is_ending && state.level >= MUR_LOG_INFO) {
        snprintf(state.status, sizeof state.status, "%s", text);
        put(line, append(line, append(line, 0, CLEAR_LINE), state.status));
    }
    pthread_mutex_unlock(&state.mutex);
}

void mur_log_status_end(void)
{
    is_ending = 1;
    if (*state.status)
        put(CLEAR_LINE, sizeof CLEAR_LINE - 1);
}

void mur_log(mur_log_level level, const char *format, ...)
{
    static const char *const names[] = {"error: ", "warning: ", "", ""};
    if (level > state.level || (state.rank != 0 && level > MUR_LOG_WARN))
        return;

    char text[LONGEST], line[LONGEST + MUR_STATUS_TEXT + 128];
    size_t used = 0, room = LONGEST + 128;
    pthread_mutex_lock(&state.mutex);
    if (state.is_sharing)
        used = append(line, used, CLEAR_LINE);
    time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    used += strftime(line + used, room - used, "%Y-%m-%dT%H:%M:%SZ ", &utc);
    if (state.rank != 0)
        used += (size_t)snprintf(line + used, room - used, "[rank %d] ", state.rank);
    used += (size_t)snprintf(line + used, room - used, "murmur: %s", names[level]);

    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);

    /* A path or a tweet may hold anything: one message stays one line. */
    used += mur_utf8_show(line + used, room - used - 1, mur_view_of(text));
    line[used++] = '\n';
    if (level == MUR_LOG_ERROR || is_ending)
        *state.status = '\0'; /* perhaps the last words: a shell's prompt follows them */
    put(line, append(line, used, state.status));
    pthread_mutex_unlock(&state.mutex);
}
