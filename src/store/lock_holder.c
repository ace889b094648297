#include "lock_holder.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/json.h"
#include "murmur/mem.h"

/* A lock is renewed every 10 s: this many are a dead holder's, wherever it was. */
#define SILENCE_SECONDS 120

/* Host names are not always as unique as they should be: a lock of "the same host before it was started anew" must also
 * have missed some renewals. */
#define REBOOT_SECONDS 30

/* A small file's text without the line feed; empty where there is none. */
static char *first_line(const char *path)
{
    mur_buf text = {0};
    char *line = mur_strdup("");
    if (mur_file_read(&text, path) == 0) {
        free(line);
        line = mur_strndup(text.ptr, strcspn(mur_buf_text(&text), "\n"));
    }
    mur_buf_clear(&text);
    return line;
}

/* The start time of a process (field 22 of its stat), `*is_dead` if nothing of it is left but its entry; -1 if there is
 * no such process or /proc hides it. The second field, the command in parentheses, may hold blanks and parentheses. */
static int64_t start_of(int64_t pid, bool *is_dead)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
    char *stat = first_line(path), *at = strrchr(stat, ')');
    *is_dead = at && (strncmp(at, ") Z", 3) == 0 || strncmp(at, ") X", 3) == 0);
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    int64_t start = at ? strtoll(at, NULL, 10) : -1;
    free(stat);
    return start;
}

static bool is_running(int64_t pid, int64_t started)
{
    bool is_dead;
    int64_t start = start_of(pid, &is_dead);
    if (start < 0)
        return kill((pid_t)pid, 0) == 0 || errno != ESRCH;
    return start == started && !is_dead;
}

void mur_holder_self(mur_holder *h, const char *run_id)
{
    char host[256] = "", namespace[64] = "";
    bool is_dead;
    gethostname(host, sizeof host - 1);
    if (readlink("/proc/self/ns/pid", namespace, sizeof namespace - 1) < 0)
        *namespace = '\0';
    const char *job = getenv("SLURM_JOB_ID"), *cluster = getenv("SLURM_CLUSTER_NAME");
    const char *restarts = getenv("SLURM_RESTART_COUNT"); /* not set on the first start */
    *h = (mur_holder){.host = mur_strdup(host),
                      .boot_id = first_line("/proc/sys/kernel/random/boot_id"),
                      .pid_namespace = mur_strdup(namespace),
                      .pid = getpid(),
                      .pid_start = start_of(getpid(), &is_dead),
                      .job = job ? mur_format("%s/%s", cluster ? cluster : "", job) : mur_strdup(""),
                      .restarts = restarts ? strtoll(restarts, NULL, 10) : 0,
                      .run_id = mur_strdup(run_id),
                      .time = mur_now_ms()};
}

void mur_holder_clear(mur_holder *h)
{
    free(h->host);
    free(h->boot_id);
    free(h->pid_namespace);
    free(h->job);
    free(h->run_id);
    *h = (mur_holder){0};
}

static void append_text(mur_buf *out, const char *before, const char *text)
{
    mur_buf_append_text(out, before);
    mur_json_append_string(out, mur_view_of(text));
}

void mur_holder_format(mur_buf *out, const mur_holder *h)
{
    char time[MUR_TIME_TEXT];
    append_text(out, "{\"host\":", h->host);
    append_text(out, ",\"boot_id\":", h->boot_id);
    append_text(out, ",\"pid_namespace\":", h->pid_namespace);
    mur_buf_printf(out, ",\"pid\":%" PRId64 ",\"pid_start\":%" PRId64, h->pid, h->pid_start);
    append_text(out, ",\"job\":", h->job);
    mur_buf_printf(out, ",\"restarts\":%" PRId64, h->restarts);
    append_text(out, ",\"run_id\":", h->run_id);
    append_text(out, ",\"time\":", mur_time_format(time, h->time));
    mur_buf_append_text(out, "}\n");
}

static int64_t whole_number(const cJSON *json, const char *name)
{
    double number = mur_json_number(json, name, -1);
    return number >= 0 && number < 9e15 ? (int64_t)number : -1;
}

void mur_holder_parse(mur_holder *out, mur_view text)
{
    cJSON *json = mur_json_parse(text, "lock"); /* NULL reads as an empty object */
    *out = (mur_holder){.host = mur_strdup(mur_json_string(json, "host", "")),
                        .boot_id = mur_strdup(mur_json_string(json, "boot_id", "")),
                        .pid_namespace = mur_strdup(mur_json_string(json, "pid_namespace", "")),
                        .pid = whole_number(json, "pid"),
                        .pid_start = whole_number(json, "pid_start"),
                        .job = mur_strdup(mur_json_string(json, "job", "")),
                        .restarts = whole_number(json, "restarts"),
                        .run_id = mur_strdup(mur_json_string(json, "run_id", ""))};
    if (mur_time_parse(&out->time, mur_view_of(mur_json_string(json, "time", ""))) < 0)
        out->time = MUR_NO_TIME;
    cJSON_Delete(json);
}

/* Both are known, and equal. */
static bool is_same(const char *a, const char *b)
{
    return *a && strcmp(a, b) == 0;
}

/* Whether process ids mean the same to both. */
static bool is_here(const mur_holder *h, const mur_holder *self)
{
    return is_same(h->host, self->host) && is_same(h->boot_id, self->boot_id) &&
           is_same(h->pid_namespace, self->pid_namespace) && h->pid > 0 && h->pid_start >= 0;
}

bool mur_holder_is_running_here(const mur_holder *h, const mur_holder *self)
{
    return is_here(h, self) && is_running(h->pid, h->pid_start);
}

const char *mur_holder_is_gone(const mur_holder *h, const mur_holder *self, double silence)
{
    if (silence > SILENCE_SECONDS)
        return "it has not renewed its lock for two minutes";
    if (is_same(h->job, self->job) && h->restarts >= 0 && h->restarts < self->restarts)
        return "it was this SLURM job before its restart";
    bool is_of_another_boot = *h->boot_id && *self->boot_id && strcmp(h->boot_id, self->boot_id) != 0;
    if (is_same(h->host, self->host) && is_of_another_boot)
        return silence > REBOOT_SECONDS ? "its host was started anew" : NULL;
    return is_here(h, self) && !is_running(h->pid, h->pid_start) ? "its process is gone" : NULL;
}
