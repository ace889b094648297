#include "murmur/tracked_run.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "murmur/clock.h"
#include "murmur/mem.h"
#include "murmur/utf8.h"

const char *mur_pairs_find(const mur_pairs *p, const char *key)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->items[i].key, key) == 0)
            return p->items[i].value;
    return NULL;
}

void mur_pairs_add(mur_pairs *p, const char *key, mur_view value)
{
    if (p->n == p->cap) {
        p->cap = mur_grown(p->cap, p->n + 1);
        p->items = mur_realloc(p->items, p->cap, sizeof *p->items);
    }
    p->items[p->n++] = (mur_pair){mur_strdup(key), mur_strndup(value.ptr ? value.ptr : "", value.len)};
}

void mur_pairs_clear(mur_pairs *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->items[i].key);
        free(p->items[i].value);
    }
    free(p->items);
    *p = (mur_pairs){0};
}

/* A fresh string of valid UTF-8. */
static char *mended(const char *text)
{
    mur_buf b = {0};
    mur_utf8_append_mended(&b, mur_view_of(text));
    char *out = mur_strdup(mur_buf_text(&b));
    mur_buf_clear(&b);
    return out;
}

static void add_mended(mur_pairs *p, const char *key, const char *value, bool is_one_line)
{
    char *text = mended(value);
    for (char *c = text; is_one_line && *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7F)
            *c = ' ';
    mur_pairs_add(p, key, mur_view_of(text));
    free(text);
}

/* As Python's getpass.getuser finds it, which MLflow asks. */
static char *find_user(void)
{
    static const char *const variables[] = {"LOGNAME", "USER", "LNAME", "USERNAME"};
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        if (value && *value)
            return mended(value);
    }
    const struct passwd *entry = getpwuid(getuid());
    return entry && *entry->pw_name ? mended(entry->pw_name) : mur_format("uid-%ld", (long)getuid());
}

void mur_tracked_run_init(mur_tracked_run *r, const char *id, const char *experiment, const char *name)
{
    *r = (mur_tracked_run){.experiment = mended(experiment),
                           .name = mended(name),
                           .user = find_user(),
                           .status = MUR_FINISHED,
                           .start = mur_now_ms()};
    snprintf(r->id, sizeof r->id, "%s", id);
    r->end = r->start;
    mur_tracked_run_tag(r, "mlflow.runName", r->name);
    mur_tracked_run_tag(r, "mlflow.user", r->user);
    mur_tracked_run_tag(r, "mlflow.source.type", "LOCAL");
}

void mur_tracked_run_clear(mur_tracked_run *r)
{
    free(r->experiment);
    free(r->name);
    free(r->user);
    for (size_t i = 0; i < r->n_metrics; i++)
        free(r->metrics[i].key);
    free(r->metrics);
    mur_pairs_clear(&r->params);
    mur_pairs_clear(&r->tags);
    mur_pairs_clear(&r->artifacts);
    *r = (mur_tracked_run){0};
}

void mur_tracked_run_point(mur_tracked_run *r, const char *key, double value, int64_t time, int64_t step)
{
    if (r->n_metrics == r->cap_metrics) {
        r->cap_metrics = mur_grown(r->cap_metrics, r->n_metrics + 1);
        r->metrics = mur_realloc(r->metrics, r->cap_metrics, sizeof *r->metrics);
    }
    r->metrics[r->n_metrics++] = (mur_metric){mur_strdup(key), value, time, step};
}

void mur_tracked_run_metric(mur_tracked_run *r, const char *key, double value)
{
    mur_tracked_run_point(r, key, value, r->end, 0);
}

void mur_tracked_run_param(mur_tracked_run *r, const char *key, const char *value)
{
    add_mended(&r->params, key, value, true);
}

void mur_tracked_run_param_int64(mur_tracked_run *r, const char *key, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    mur_tracked_run_param(r, key, text);
}

void mur_tracked_run_tag(mur_tracked_run *r, const char *key, const char *value)
{
    add_mended(&r->tags, key, value, false);
}

void mur_tracked_run_artifact(mur_tracked_run *r, const char *name, const char *path)
{
    mur_pairs_add(&r->artifacts, name, mur_view_of(path));
}
