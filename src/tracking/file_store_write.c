/* All is written into a scratch folder, brought to disk, and renamed to its place: no reader sees half of it, and of
 * two writers that make the same experiment one finds that it is there, since rename does not replace a folder with
 * files. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "meta.h"
#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/file_store.h"
#include "murmur/hash.h"
#include "murmur/mem.h"
#include "number.h"
#include "uri.h"
#include "walk.h"
#include "yaml.h"

typedef struct writer {
    char *root;       /* the file store, absolute */
    char *scratch;    /* on the same file system */
    char *experiment; /* its id */
} writer;

static int make_folder(const char *path)
{
    return mkdir(path, 0777) < 0 && errno != EEXIST ? mur_fail_errno(MUR_ECREATE, "cannot make the folder %s", path)
                                                    : 0;
}

/* Beside the store and not in it, since MLflow warns of every folder there that is no experiment. Where that folder
 * cannot be written, or the store is a file system of its own, it is inside, and a warning of MLflow's may be seen. */
static int make_scratch(writer *w)
{
    struct stat root, made;
    w->scratch = mur_format("%s.writing-XXXXXX", w->root);
    if (mkdtemp(w->scratch) && stat(w->root, &root) == 0 && stat(w->scratch, &made) == 0 && root.st_dev == made.st_dev)
        return 0;
    rmdir(w->scratch);
    free(w->scratch);
    w->scratch = mur_format("%s/.writing-XXXXXX", w->root);
    if (mkdtemp(w->scratch))
        return 0;
    int rc = mur_fail_errno(MUR_ECREATE, "cannot write into %s", w->root);
    free(w->scratch);
    w->scratch = NULL;
    return rc;
}

static int write_file(const char *folder, const char *name, mur_view bytes)
{
    char *path = mur_path_join(folder, name);
    int rc = mur_file_write(path, bytes);
    if (rc == 0)
        rc = mur_file_sync(path);
    free(path);
    return rc;
}

static void append_member(mur_buf *out, const char *key, const char *value)
{
    mur_buf_printf(out, "%s: ", key);
    mur_yaml_append_string(out, mur_view_of(value));
    mur_buf_append_byte(out, '\n');
}

/* file:///PATH/NAME… of what will lie in the store. */
static void append_uri(mur_buf *out, const char *key, const writer *w, const char *below)
{
    mur_buf uri = {0};
    mur_buf_append_text(&uri, "file://");
    mur_uri_append_path(&uri, mur_view_of(w->root));
    mur_buf_printf(&uri, "/%s", below);
    append_member(out, key, mur_buf_text(&uri));
    mur_buf_clear(&uri);
}

/* Makes the experiment under this id. 1 if the id is taken. */
static int make_experiment(const writer *w, const char *id, const char *name)
{
    char *made = mur_path_join(w->scratch, id), *place = mur_path_join(w->root, id);
    mur_buf meta = {0};
    int64_t now = mur_now_ms();
    append_uri(&meta, "artifact_location", w, id);
    mur_buf_printf(&meta, "creation_time: %" PRId64 "\n", now);
    append_member(&meta, "experiment_id", id);
    mur_buf_printf(&meta, "last_update_time: %" PRId64 "\nlifecycle_stage: active\n", now);
    append_member(&meta, "name", name);
    int rc = make_folder(made);
    if (rc == 0)
        rc = write_file(made, MUR_META, mur_buf_view(&meta));
    if (rc == 0 && rename(made, place) < 0)
        rc = errno == EEXIST || errno == ENOTEMPTY ? 1 : mur_fail_errno(MUR_ECREATE, "cannot make %s", place);
    if (rc == 0)
        rc = mur_file_sync_name(place);
    if (rc == 1)
        mur_folder_remove(made);
    mur_buf_clear(&meta);
    free(made);
    free(place);
    return rc;
}

static bool has_experiment(const writer *w, const char *id)
{
    char *active = mur_format("%s/%s", w->root, id), *deleted = mur_format("%s/%s/%s", w->root, MUR_TRASH, id);
    bool is_there = mur_path_exists(active) || mur_path_exists(deleted);
    free(active);
    free(deleted);
    return is_there;
}

/* What MLflow makes of a store that it has not seen: its bin, and the experiment 0. */
static int make_store(const writer *w)
{
    char *trash = mur_path_join(w->root, MUR_TRASH);
    int rc = make_folder(trash);
    if (rc == 0 && !has_experiment(w, "0"))
        rc = make_experiment(w, "0", "Default");
    free(trash);
    return rc < 0 ? rc : 0;
}

typedef struct lookup {
    const char *name;
    char *id; /* found; owned */
} lookup;

/* Folders that are no experiments are passed over, as MLflow does. */
static int look_at_experiment(void *context, const char *id, const char *path)
{
    lookup *l = context;
    mur_buf meta = {0}, name = {0};
    if (mur_meta_read(&meta, path) == 0 && mur_meta_member(&name, &meta, "name", path) == 0 &&
        mur_view_equal(mur_buf_view(&name), mur_view_of(l->name)))
        l->id = mur_strdup(id);
    mur_buf_clear(&meta);
    mur_buf_clear(&name);
    return l->id ? 1 : 0;
}

static int find_experiment(lookup *l, const char *folder, const char *name)
{
    *l = (lookup){.name = name};
    int rc = mur_walk_entries(folder, true, look_at_experiment, l);
    return rc < 0 ? rc : 0;
}

/* The id of the experiment of that name, which is made if there is none. Ids are of 18 digits, as MLflow's are, and
 * come from the name: two writers that make it at once make the same one. */
static int choose_experiment(writer *w, const char *name)
{
    char *trash = mur_path_join(w->root, MUR_TRASH);
    lookup deleted = {0}, active = {0};
    int rc = find_experiment(&active, w->root, name);
    if (rc == 0 && !active.id)
        rc = find_experiment(&deleted, trash, name);
    if (deleted.id)
        rc = mur_fail(MUR_EDATA,
                      "the experiment '%s' of %s was deleted: take another --experiment, or restore it with 'mlflow "
                      "experiments restore --experiment-id %s'",
                      name, w->root, deleted.id);
    uint64_t number = 100000000000000000u + mur_hash(name, strlen(name)) % 900000000000000000u;
    while (rc == 0 && !active.id) {
        char id[24];
        snprintf(id, sizeof id, "%" PRIu64, number);
        rc = has_experiment(w, id) ? 1 : make_experiment(w, id, name);
        if (rc == 0) {
            active.id = mur_strdup(id);
        } else if (rc == 1) { /* taken: by another writer under this name just now, or by another name */
            rc = find_experiment(&active, w->root, name);
            number = number < 999999999999999999u ? number + 1 : 100000000000000000u;
        }
    }
    w->experiment = active.id;
    free(deleted.id);
    free(trash);
    return rc;
}

static int write_meta(const char *folder, const writer *w, const mur_tracked_run *r)
{
    char *artifacts = mur_format("%s/%s/artifacts", w->experiment, r->id);
    mur_buf meta = {0};
    append_uri(&meta, "artifact_uri", w, artifacts);
    mur_buf_append_text(&meta, "deleted_time: null\n");
    if (r->end == MUR_NO_TIME)
        mur_buf_append_text(&meta, "end_time: null\n");
    else
        mur_buf_printf(&meta, "end_time: %" PRId64 "\n", r->end);
    mur_buf_append_text(&meta, "entry_point_name: ''\n");
    append_member(&meta, "experiment_id", w->experiment);
    mur_buf_append_text(&meta, "lifecycle_stage: active\n");
    append_member(&meta, "run_id", r->id);
    append_member(&meta, "run_name", r->name);
    append_member(&meta, "run_uuid", r->id);
    mur_buf_append_text(&meta, "source_name: ''\nsource_type: 4\nsource_version: ''\n");
    mur_buf_printf(&meta, "start_time: %" PRId64 "\nstatus: %d\ntags: []\n", r->start, (int)r->status);
    append_member(&meta, "user_id", r->user);
    int rc = write_file(folder, MUR_META, mur_buf_view(&meta));
    mur_buf_clear(&meta);
    free(artifacts);
    return rc;
}

static int write_pairs(const char *folder, const char *name, const mur_pairs *pairs)
{
    char *path = mur_path_join(folder, name);
    int rc = make_folder(path);
    for (size_t i = 0; rc == 0 && i < pairs->n; i++)
        rc = write_file(path, pairs->items[i].key, mur_view_of(pairs->items[i].value));
    free(path);
    return rc;
}

static int write_metrics(const char *folder, const mur_tracked_run *r)
{
    char *path = mur_path_join(folder, "metrics");
    mur_buf line = {0};
    int rc = make_folder(path);
    for (size_t i = 0; rc == 0 && i < r->n_metrics; i++) {
        const mur_metric *m = &r->metrics[i];
        mur_buf_reset(&line);
        mur_buf_printf(&line, "%" PRId64 " ", m->time);
        mur_number_append(&line, m->value);
        mur_buf_printf(&line, " %" PRId64 "\n", m->step);
        char *file = mur_path_join(path, m->key);
        rc = mur_file_append(file, mur_buf_view(&line));
        if (rc == 0)
            rc = mur_file_sync(file);
        free(file);
    }
    mur_buf_clear(&line);
    free(path);
    return rc;
}

static int copy_artifacts(const char *folder, const mur_pairs *artifacts)
{
    char *path = mur_path_join(folder, "artifacts");
    mur_buf bytes = {0};
    int rc = make_folder(path);
    for (size_t i = 0; rc == 0 && i < artifacts->n; i++) {
        mur_buf_reset(&bytes);
        rc = mur_file_read(&bytes, artifacts->items[i].value);
        if (rc == 0)
            rc = write_file(path, artifacts->items[i].key, mur_buf_view(&bytes));
    }
    mur_buf_clear(&bytes);
    free(path);
    return rc;
}

static int write_run(char **place, const writer *w, const mur_tracked_run *r)
{
    char *made = mur_path_join(w->scratch, r->id);
    *place = mur_format("%s/%s/%s", w->root, w->experiment, r->id);
    int rc = make_folder(made);
    if (rc == 0)
        rc = write_metrics(made, r);
    if (rc == 0)
        rc = write_pairs(made, "params", &r->params);
    if (rc == 0)
        rc = write_pairs(made, "tags", &r->tags);
    if (rc == 0)
        rc = copy_artifacts(made, &r->artifacts);
    if (rc == 0)
        rc = write_meta(made, w, r);
    if (rc == 0 && rename(made, *place) < 0)
        rc = mur_fail_errno(MUR_ECREATE, "cannot make %s", *place);
    if (rc == 0)
        rc = mur_file_sync_name(*place);
    free(made);
    return rc;
}

int mur_file_store_add(char **run_folder, const char *folder, const mur_tracked_run *r)
{
    writer w = {0};
    *run_folder = NULL;
    int rc = mur_folder_make(folder);
    if (rc == 0) {
        w.root = mur_path_absolute(folder);
        rc = w.root ? 0 : MUR_ENOINPUT;
    }
    if (rc == 0)
        rc = make_scratch(&w);
    if (rc == 0)
        rc = make_store(&w);
    if (rc == 0)
        rc = choose_experiment(&w, r->experiment);
    if (rc == 0)
        rc = write_run(run_folder, &w, r);
    if (w.scratch)
        mur_folder_remove(w.scratch);
    if (rc < 0) {
        free(*run_folder);
        *run_folder = NULL;
    }
    free(w.root);
    free(w.scratch);
    free(w.experiment);
    return rc;
}

int mur_file_store_tag(const char *run_folder, const char *key, const char *value)
{
    /* Not among the tags, where a reader would take it for one. */
    char *made = mur_format("%s/.tag-%ld", run_folder, (long)getpid()),
         *place = mur_format("%s/tags/%s", run_folder, key);
    int rc = mur_file_write(made, mur_view_of(value));
    if (rc == 0)
        rc = mur_file_sync(made);
    if (rc == 0 && rename(made, place) < 0)
        rc = mur_fail_errno(MUR_ECREATE, "cannot write %s", place);
    if (rc < 0)
        unlink(made);
    else
        rc = mur_file_sync_name(place);
    free(made);
    free(place);
    return rc;
}
