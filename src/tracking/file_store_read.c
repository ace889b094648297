#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "meta.h"
#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/file_store.h"
#include "murmur/mem.h"
#include "murmur/utf8.h"
#include "number.h"
#include "walk.h"
#include "yaml.h"

int mur_meta_read(mur_buf *out, const char *folder)
{
    char *path = mur_path_join(folder, MUR_META);
    mur_buf_reset(out);
    int rc = mur_file_read(out, path);
    free(path);
    return rc;
}

int mur_meta_member(mur_buf *out, const mur_buf *meta, const char *key, const char *folder)
{
    char *path = mur_path_join(folder, MUR_META);
    int rc = mur_yaml_member(out, mur_buf_view(meta), key, path);
    if (rc == 1)
        rc = mur_fail(MUR_EDATA, "%s has no %s", path, key);
    free(path);
    return rc;
}

static int member_text(char **out, const mur_buf *meta, const char *key, const char *folder)
{
    mur_buf text = {0};
    int rc = mur_meta_member(&text, meta, key, folder);
    if (rc == 0)
        *out = mur_strdup(mur_buf_text(&text));
    mur_buf_clear(&text);
    return rc;
}

/* A whole number; `otherwise` where it is null. */
static int member_number(int64_t *out, const mur_buf *meta, const char *key, int64_t otherwise, const char *folder)
{
    mur_buf text = {0};
    int rc = mur_meta_member(&text, meta, key, folder);
    if (rc == 0 && mur_view_equal(mur_buf_view(&text), mur_view_of("null")))
        *out = otherwise;
    else if (rc == 0 && !mur_number_read_int64(out, mur_buf_view(&text)))
        rc = mur_fail(MUR_EDATA, "%s/%s: %s is '%s', which is no whole number", folder, MUR_META, key,
                      mur_buf_text(&text));
    mur_buf_clear(&text);
    return rc;
}

static int read_meta(mur_tracked_run *r, const char *folder)
{
    char *id = NULL, *parent = mur_format("%s/..", folder);
    int64_t status = 0;
    mur_buf meta = {0};
    int rc = mur_meta_read(&meta, folder);
    if (rc == 0)
        rc = member_text(&id, &meta, "run_id", folder);
    if (rc == 0 && (strlen(id) + 1 != sizeof r->id || strspn(id, "0123456789abcdef") != strlen(id)))
        rc = mur_fail(MUR_EDATA, "%s/%s: '%s' is no id of a run", folder, MUR_META, id);
    if (rc == 0)
        memcpy(r->id, id, strlen(id) + 1);
    if (rc == 0)
        rc = member_text(&r->name, &meta, "run_name", folder);
    if (rc == 0)
        rc = member_text(&r->user, &meta, "user_id", folder);
    if (rc == 0)
        rc = member_number(&r->start, &meta, "start_time", MUR_NO_TIME, folder);
    if (rc == 0)
        rc = member_number(&r->end, &meta, "end_time", MUR_NO_TIME, folder);
    if (rc == 0)
        rc = member_number(&status, &meta, "status", 0, folder);
    if (rc == 0 && (status < MUR_RUNNING || status > MUR_KILLED || r->start == MUR_NO_TIME))
        rc = mur_fail(MUR_EDATA, "%s/%s has a status or a start_time that MLflow does not know", folder, MUR_META);
    r->status = (mur_run_status)status;
    if (rc == 0)
        rc = mur_meta_read(&meta, parent);
    if (rc == 0)
        rc = member_text(&r->experiment, &meta, "name", parent);
    mur_buf_clear(&meta);
    free(id);
    free(parent);
    return rc;
}

static int take_pair(void *context, const char *key, const char *path)
{
    mur_buf value = {0}, text = {0};
    int rc = mur_file_read(&value, path);
    if (rc == 0) {
        mur_utf8_append_mended(&text, mur_buf_view(&value));
        mur_pairs_add(context, key, mur_buf_view(&text));
    }
    mur_buf_clear(&value);
    mur_buf_clear(&text);
    return rc;
}

/* The next field of a line, which is moved behind it. */
static mur_view next_field(mur_view *line)
{
    const char *space = memchr(line->ptr, ' ', line->len);
    mur_view field = {line->ptr, space ? (size_t)(space - line->ptr) : line->len};
    size_t used = field.len + (space ? 1 : 0);
    *line = (mur_view){line->ptr + used, line->len - used};
    return field;
}

/* "TIME VALUE STEP"; the step may be left out. */
static bool take_point(mur_tracked_run *r, const char *key, mur_view line)
{
    int64_t time, step = 0;
    double value;
    bool is_good = mur_number_read_int64(&time, next_field(&line));
    is_good = is_good && mur_number_read(&value, next_field(&line));
    if (is_good && line.len > 0)
        is_good = mur_number_read_int64(&step, line);
    if (is_good)
        mur_tracked_run_point(r, key, value, time, step);
    return is_good;
}

static int take_metric(void *context, const char *key, const char *path)
{
    mur_buf text = {0};
    int rc = mur_file_read(&text, path);
    for (size_t at = 0; rc == 0 && at < text.len;) {
        const char *feed = memchr(text.ptr + at, '\n', text.len - at);
        size_t end = feed ? (size_t)(feed - text.ptr) : text.len;
        if (!take_point(context, key, (mur_view){text.ptr + at, end - at}))
            rc = mur_fail(MUR_EDATA, "%s has a line that is not 'TIME VALUE STEP'", path);
        at = end + 1;
    }
    mur_buf_clear(&text);
    return rc;
}

static int take_artifact(void *context, const char *name, const char *path)
{
    mur_pairs_add(context, name, mur_view_of(path));
    return 0;
}

static int walk(const char *folder, const char *kind, int (*take)(void *, const char *, const char *), void *context)
{
    char *path = mur_path_join(folder, kind);
    int rc = mur_walk_files(path, take, context);
    free(path);
    return rc;
}

int mur_file_store_read(mur_tracked_run *out, const char *run_folder)
{
    *out = (mur_tracked_run){0};
    int rc = read_meta(out, run_folder);
    if (rc == 0)
        rc = walk(run_folder, "metrics", take_metric, out);
    if (rc == 0)
        rc = walk(run_folder, "params", take_pair, &out->params);
    if (rc == 0)
        rc = walk(run_folder, "tags", take_pair, &out->tags);
    if (rc == 0)
        rc = walk(run_folder, "artifacts", take_artifact, &out->artifacts);
    return rc;
}

typedef struct found_run {
    int64_t start;
    char *folder, *id;
} found_run;

typedef struct search {
    const char *tag, *value;
    found_run *runs;
    size_t n, cap;
} search;

static bool has_tag(const char *folder, const char *tag, const char *value)
{
    char *path = mur_format("%s/tags/%s", folder, tag);
    mur_buf text = {0};
    bool is_so = mur_file_read(&text, path) == 0 && mur_view_equal(mur_buf_view(&text), mur_view_of(value));
    mur_buf_clear(&text);
    free(path);
    return is_so;
}

static int look_at_run(void *context, const char *id, const char *path)
{
    search *s = context;
    mur_buf meta = {0}, stage = {0};
    int64_t start;
    if (has_tag(path, s->tag, s->value) && mur_meta_read(&meta, path) == 0 &&
        mur_meta_member(&stage, &meta, "lifecycle_stage", path) == 0 &&
        mur_view_equal(mur_buf_view(&stage), mur_view_of("active")) &&
        member_number(&start, &meta, "start_time", 0, path) == 0) {
        if (s->n == s->cap) {
            s->cap = mur_grown(s->cap, s->n + 1);
            s->runs = mur_realloc(s->runs, s->cap, sizeof *s->runs);
        }
        s->runs[s->n++] = (found_run){start, mur_strdup(path), mur_strdup(id)};
    }
    mur_buf_clear(&meta);
    mur_buf_clear(&stage);
    return 0;
}

static int look_at_experiment(void *context, const char *id, const char *path)
{
    return id[0] == '.' ? 0 : mur_walk_entries(path, true, look_at_run, context);
}

static int by_start(const void *a, const void *b)
{
    const found_run *x = a, *y = b;
    return x->start != y->start ? (x->start > y->start) - (x->start < y->start) : strcmp(x->id, y->id);
}

int mur_file_store_find(mur_pairs *out, const char *folder, const char *tag, const char *value)
{
    search s = {.tag = tag, .value = value};
    *out = (mur_pairs){0};
    int rc = mur_walk_entries(folder, true, look_at_experiment, &s);
    if (s.n > 1)
        qsort(s.runs, s.n, sizeof *s.runs, by_start);
    for (size_t i = 0; i < s.n; i++) {
        mur_pairs_add(out, s.runs[i].folder, mur_view_of(s.runs[i].id));
        free(s.runs[i].folder);
        free(s.runs[i].id);
    }
    free(s.runs);
    return rc;
}
