#include "gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "murmur/buf.h"
#include "murmur/clock.h"
#include "murmur/picture.h"
#include "murmur/utf8.h"

#define KEPT_BYTES 4096 /* of what it says; the rest is read and dropped, so that it never waits for a reader */

extern char **environ;

static int start(pid_t *pid, int *from, const char *folder, char *const *arguments)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return mur_fail_errno(MUR_EIO, "cannot start gnuplot");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    posix_spawn_file_actions_addchdir_np(&actions, folder);
    int failed = posix_spawnp(pid, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *from = ends[0];
    if (!failed)
        return 0;
    close(ends[0]);
    errno = failed;
    if (failed == ENOENT)
        return mur_fail(MUR_ENOINPUT, "gnuplot, which draws the pictures, is not in PATH: apt-get install gnuplot-nox");
    return mur_fail_errno(MUR_EINTERNAL, "cannot start gnuplot");
}

/* What it says, until it closes its end or the time is over. */
static void listen(int from, double end, mur_buf *said)
{
    char bytes[1024];
    for (double left; (left = end - mur_monotonic()) > 0;) {
        struct pollfd ready = {.fd = from, .events = POLLIN};
        if (poll(&ready, 1, (int)(left * 1000) + 1) <= 0)
            continue;
        ssize_t n = read(from, bytes, sizeof bytes);
        if (n == 0 || (n < 0 && errno != EINTR))
            return;
        if (n > 0 && said->len < KEPT_BYTES)
            mur_buf_append(said, bytes, (size_t)n);
    }
}

/* The status of waitpid, or -1 after it was ended because its time was over. */
static int finish(pid_t pid, double end)
{
    int status;
    for (;;) {
        pid_t got = waitpid(pid, &status, WNOHANG);
        if (got == pid)
            return status;
        if (mur_monotonic() >= end) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            return -1;
        }
        mur_sleep(0.001);
    }
}

int mur_gnuplot_run(const char *folder, const char *script, bool is_png, double limit)
{
    const char *arguments[] = {"gnuplot", "--default-settings", "-e", is_png ? "png = 1" : "", script, NULL};
    double end = mur_monotonic() + limit;
    pid_t pid;
    int from = -1, rc = start(&pid, &from, folder, (char *const *)arguments);
    if (rc < 0)
        return rc;
    mur_buf said = {0};
    listen(from, end, &said);
    int status = finish(pid, end);
    close(from);
    if (status == -1) {
        rc = mur_fail(MUR_EINTERNAL, "%s/%s: gnuplot took longer than %.0f s", folder, script, limit);
    } else if (status != 0) {
        char shown[1024];
        mur_utf8_show(shown, sizeof shown, mur_buf_view(&said));
        rc = mur_fail(MUR_EINTERNAL, "%s/%s: gnuplot failed: %s", folder, script, shown);
    }
    mur_buf_clear(&said);
    return rc;
}

int mur_picture_gnuplot(mur_buf *version)
{
    char line[128] = "";
    FILE *said = popen("gnuplot --version 2>/dev/null", "r");
    if (!said)
        return mur_fail_errno(MUR_EINTERNAL, "cannot start a shell");
    bool is_there = fgets(line, sizeof line, said) != NULL;
    if (pclose(said) != 0 || !is_there)
        return mur_fail(MUR_ENOINPUT, "there is no gnuplot in PATH");
    line[strcspn(line, "\n")] = '\0';
    mur_buf_append_text(version, line);
    return 0;
}
