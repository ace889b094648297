/* Every step looks before it acts: a run is found by the tag that has the file store's id of it, what was logged before
 * is left out, and a file that is put twice is the same file. So when a request was cut and nobody knows whether the
 * server did it, all begins anew, and likewise in a later push. */
#include "murmur/push.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "http.h"
#include "meta.h"
#include "mlflow_api.h"
#include "murmur/file.h"
#include "murmur/file_store.h"
#include "murmur/hash.h"
#include "murmur/log.h"
#include "murmur/mem.h"

#define RUN_TAG "murmur.run_id"     /* on the server: the run's id in the file store */
#define PUSHED_TAG "murmur.pushed." /* in the file store, with the hash of a server's address: the run's id there */

struct mur_push_server {
    mur_http *http;
    char *pushed_tag;
};

int mur_push_open(mur_push_server **out, const char *uri)
{
    char digest[MUR_HASH_HEX];
    mur_push_server *s = mur_alloc(1, sizeof *s);
    int rc = mur_http_open(&s->http, uri);
    if (rc == 0) {
        const char *base = mur_http_base(s->http);
        s->pushed_tag = mur_format("%s%s", PUSHED_TAG, mur_hash_hex(digest, mur_hash(base, strlen(base))));
    } else {
        mur_push_close(&s);
    }
    *out = s;
    return rc;
}

void mur_push_close(mur_push_server **s)
{
    if (!*s)
        return;
    mur_http_close(&(*s)->http);
    free((*s)->pushed_tag);
    free(*s);
    *s = NULL;
}

const char *mur_push_address(const mur_push_server *s)
{
    return mur_http_base(s->http);
}

/* Whether `is` comes at or before `latest` in the order in which points are sent, MLflow's own of what is the latest.
 */
static bool is_sent(const mur_metric *is, const mur_metric *latest)
{
    if (is->step != latest->step)
        return is->step < latest->step;
    if (is->time != latest->time)
        return is->time < latest->time;
    return is->value <= latest->value;
}

static int by_step(const void *a, const void *b)
{
    const mur_metric *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    if (order != 0)
        return order;
    return is_sent(x, y) ? (is_sent(y, x) ? 0 : -1) : 1;
}

static void add_missing_pairs(mur_pairs *out, const mur_pairs *all, const mur_pairs *there)
{
    for (size_t i = 0; i < all->n; i++) {
        const mur_pair *p = &all->items[i];
        const char *value = mur_pairs_find(there, p->key);
        bool is_ours = strncmp(p->key, PUSHED_TAG, strlen(PUSHED_TAG)) == 0;
        if (!is_ours && (!value || strcmp(value, p->value) != 0))
            mur_pairs_add(out, p->key, mur_view_of(p->value));
    }
}

/* What `all` has and `there` lacks. */
static void find_missing(mur_tracked_run *out, const mur_tracked_run *all, const mur_tracked_run *there)
{
    *out = (mur_tracked_run){0};
    for (size_t i = 0; i < all->n_metrics; i++) {
        const mur_metric *m = &all->metrics[i], *latest = NULL;
        for (size_t k = 0; k < there->n_metrics; k++)
            if (strcmp(there->metrics[k].key, m->key) == 0)
                latest = &there->metrics[k];
        if (!latest || !is_sent(m, latest))
            mur_tracked_run_point(out, m->key, m->value, m->time, m->step);
    }
    add_missing_pairs(&out->params, &all->params, &there->params);
    add_missing_pairs(&out->tags, &all->tags, &there->tags);
}

/* Where the server wants artifacts. A folder is used only where server and murmur are surely on one machine. */
typedef enum { BY_PROXY, IN_FOLDER, NOWHERE } place_kind;

static place_kind find_place(char **place, const mur_http *h, const char *uri)
{
    static const char scheme[] = "mlflow-artifacts:", file[] = "file://";
    const char *base = mur_http_base(h), *authority = strstr(base, "://") + 3;
    *place = NULL;
    if (strncmp(uri, scheme, strlen(scheme)) == 0) {
        const char *path = uri + strlen(scheme);
        size_t len = strlen(authority);
        if (strncmp(path, "//", 2) == 0) { /* names a host: it is given no password but this server's own */
            if (strncmp(path + 2, authority, len) != 0 || path[2 + len] != '/')
                return NOWHERE;
            path += 2 + len;
        }
        while (*path == '/')
            path++;
        *place = mur_strdup(path);
        return BY_PROXY;
    }
    if (strncmp(uri, file, strlen(file)) == 0)
        uri += strlen(file);
    if (*uri != '/' || strchr(uri, '%') || !mur_http_is_loopback(h))
        return NOWHERE;
    char *root = mur_strdup(uri); /* ROOT/EXPERIMENT/RUN/artifacts: what is below ROOT is the client's to make */
    for (int i = 0; i < 3; i++) {
        char *slash = strrchr(root, '/');
        if (slash)
            *slash = '\0';
    }
    bool is_here = mur_path_is_folder(root);
    free(root);
    if (!is_here)
        return NOWHERE;
    *place = mur_strdup(uri);
    return IN_FOLDER;
}

static int copy_to(const char *folder, const char *name, const char *file)
{
    char *path = mur_path_join(folder, name), *slash = strrchr(path, '/');
    mur_buf bytes = {0};
    *slash = '\0';
    int rc = mur_folder_make(path);
    *slash = '/';
    if (rc == 0)
        rc = mur_file_read(&bytes, file);
    if (rc == 0)
        rc = mur_file_write(path, mur_buf_view(&bytes));
    mur_buf_clear(&bytes);
    free(path);
    return rc;
}

static int send_artifacts(mur_http *h, const char *uri, const mur_tracked_run *r, mur_pushed *out)
{
    char *place;
    int rc = 0;
    place_kind kind = find_place(&place, h, uri);
    out->n_artifacts = out->n_artifacts_kept = 0;
    if (kind == NOWHERE) {
        out->n_artifacts_kept = r->artifacts.n;
        if (r->artifacts.n > 0)
            mur_log_warn("%s keeps artifacts in '%s', which cannot be reached from here: they stay in the file store",
                         mur_http_base(h), uri);
    }
    for (size_t i = 0; kind != NOWHERE && rc == 0 && i < r->artifacts.n; i++) {
        const mur_pair *a = &r->artifacts.items[i];
        char *full = mur_format("%s/%s", place, a->key);
        rc = kind == BY_PROXY ? mur_api_put_artifact(h, full, a->value) : copy_to(place, a->key, a->value);
        out->n_artifacts += rc == 0;
        free(full);
    }
    free(place);
    return rc;
}

static int push_once(mur_push_server *s, const mur_tracked_run *r, mur_pushed *out)
{
    mur_tracked_run there = {0}, missing = {0};
    mur_buf experiment = {0}, uri = {0};
    mur_buf_reset(&out->run_id);
    int rc = mur_api_experiment(s->http, &experiment, r->experiment);
    if (rc == 0)
        rc = mur_api_find_run(s->http, &out->run_id, mur_buf_text(&experiment), RUN_TAG, r->id);
    if (rc == 1)
        rc = mur_api_create_run(s->http, &out->run_id, mur_buf_text(&experiment), r, RUN_TAG, r->id);
    const char *id = mur_buf_text(&out->run_id);
    if (rc == 0)
        rc = mur_api_get_run(s->http, &there, &uri, id);
    if (rc == 0) {
        find_missing(&missing, r, &there);
        rc = mur_api_log(s->http, id, &missing);
    }
    if (rc == 0)
        rc = send_artifacts(s->http, mur_buf_text(&uri), r, out);
    if (rc == 0)
        rc = mur_api_end_run(s->http, id, r);
    mur_tracked_run_clear(&there);
    mur_tracked_run_clear(&missing);
    mur_buf_clear(&experiment);
    mur_buf_clear(&uri);
    return rc;
}

/* Of two processes that push one run the second is turned away: both would find that the server does not have it. Where
 * the file system knows no such locks, they are not held. */
static int hold(int *fd, const char *run_folder)
{
    char *path = mur_path_join(run_folder, MUR_META);
    int rc = 0;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        rc = mur_fail_errno(errno == ENOENT ? MUR_ENOINPUT : MUR_EIO, "cannot open %s", path);
    else if (flock(*fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        rc = mur_fail(MUR_EAGAIN, "another process pushes the run in %s", run_folder);
    free(path);
    return rc;
}

int mur_push_run(mur_push_server *s, const char *run_folder, mur_pushed *out)
{
    int fd;
    mur_tracked_run r = {0};
    *out = (mur_pushed){0};
    int rc = hold(&fd, run_folder);
    if (rc == 0)
        rc = mur_file_store_read(&r, run_folder);
    const char *before = rc == 0 ? mur_pairs_find(&r.tags, s->pushed_tag) : NULL;
    if (before) {
        mur_buf_append_text(&out->run_id, before);
        out->was_there = true;
    } else if (rc == 0) {
        if (r.n_metrics > 1)
            qsort(r.metrics, r.n_metrics, sizeof *r.metrics, by_step);
        rc = push_once(s, &r, out);
        for (int attempt = 0; rc == MUR_EAGAIN && mur_http_wait(s->http, attempt); attempt++)
            rc = push_once(s, &r, out);
        if (rc == MUR_EAGAIN)
            rc = MUR_EIO;
        if (rc == 0)
            rc = mur_file_store_tag(run_folder, s->pushed_tag, mur_buf_text(&out->run_id));
    }
    mur_tracked_run_clear(&r);
    if (fd >= 0)
        close(fd);
    return rc;
}
