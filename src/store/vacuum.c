#include "murmur/vacuum.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "murmur/clock.h"
#include "murmur/fault.h"
#include "murmur/file.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "names.h"
#include "state.h"

/* A start that waits for the lock keeps its own file for seconds: nothing younger is a dead one's. */
#define LOCK_FILE_AGE_MS INT64_C(3600000)

typedef struct vacuum {
    mur_store *store;
    const mur_vacuum_options *options;
    void (*tell)(void *context, const mur_vacuumed_file *file);
    void *context;
    int64_t now, limit; /* what was removed, or last touched, at `limit` or before goes */
    mur_map parts;      /* that go and that no record says so of yet */
    mur_map litter;     /* paths, as parts' relative to the store */
    mur_map folders;    /* that files go from */
} vacuum;

/* Delta's rule: a part goes if the change that removed it is older than the period, for then every version that had it
 * was over before. */
static void find_parts(vacuum *v)
{
    const mur_store *s = v->store;
    for (size_t n = 0; n < s->n_records && s->records[n].time <= v->limit; n++)
        for (size_t i = 0; i < s->records[n].n_changes; i++) {
            const mur_change *c = &s->records[n].changes[i];
            for (size_t k = 0; k < c->n_removed; k++)
                if (!mur_store_is_vacuumed(s, c->removed[k]))
                    mur_map_add(&v->parts, mur_view_of(c->removed[k]), NULL);
        }
}

static bool stat_file(const vacuum *v, const char *relative, struct stat *about)
{
    char *path = mur_path_join(v->store->folder, relative);
    bool is_file = lstat(path, about) == 0 && S_ISREG(about->st_mode);
    free(path);
    return is_file;
}

/* `folder` is relative to the store; NULL for the store's own. */
static void find_litter(vacuum *v, const char *folder)
{
    char *path = folder ? mur_path_join(v->store->folder, folder) : mur_strdup(v->store->folder);
    DIR *listing = opendir(path);
    struct dirent *entry;
    bool is_table = folder && mur_name_is_table(folder);
    while (listing && (entry = readdir(listing))) {
        const char *name = entry->d_name;
        char *relative = folder ? mur_path_join(folder, name) : mur_strdup(name);
        mur_view view = mur_view_of(relative);
        struct stat about;
        if ((is_table && mur_name_is_part(name)) || mur_name_is_temporary(name)) {
            bool is_named = mur_map_find(&v->store->part_paths, view) != MUR_MAP_NONE;
            if (is_named && mur_store_is_vacuumed(v->store, relative)) {
                mur_map_add(&v->litter, view, NULL); /* an interrupted vacuum's: its record stands */
            } else if (!is_named && stat_file(v, relative, &about)) {
                int64_t touched = (int64_t)about.st_mtim.tv_sec * 1000 + about.st_mtim.tv_nsec / 1000000;
                int64_t limit = v->limit;
                if (!folder && limit > v->now - LOCK_FILE_AGE_MS)
                    limit = v->now - LOCK_FILE_AGE_MS;
                if (touched <= limit)
                    mur_map_add(&v->litter, view, NULL);
            }
        } else if (!folder && (mur_name_is_table(name) || strcmp(name, "_log") == 0)) {
            find_litter(v, name); /* an empty listing where it is no folder */
        }
        free(relative);
    }
    if (listing)
        closedir(listing);
    free(path);
}

static int publish(vacuum *v)
{
    mur_record r = {.operation = mur_strdup("VACUUM"),
                    .run_id = mur_strdup(v->options->run_id),
                    .murmur_version = mur_strdup(v->options->murmur_version),
                    .blas_kernel = mur_strdup(v->options->blas_kernel),
                    .options = mur_format("{\"older_than_ms\":%" PRId64 "}", v->options->older_than_ms),
                    .ranks = 1};
    r.vacuumed = mur_alloc(v->parts.n_keys, sizeof *r.vacuumed);
    for (size_t i = 0; i < v->parts.n_keys; i++) {
        mur_view path = mur_map_key(&v->parts, i);
        r.vacuumed[r.n_vacuumed++] = mur_strndup(path.ptr, path.len);
    }
    int rc = mur_store_publish(v->store, &r);
    mur_record_clear(&r);
    return rc;
}

/* Tells the files at `paths`, and unless it is dry takes them away; the number of those that stay. */
static size_t take_away(vacuum *v, const mur_map *paths, bool is_litter)
{
    size_t n_stay = 0;
    for (size_t i = 0; i < paths->n_keys; i++) {
        mur_view key = mur_map_key(paths, i);
        char *relative = mur_strndup(key.ptr, key.len), *path = mur_path_join(v->store->folder, relative);
        struct stat about;
        mur_vacuumed_file file = {relative, stat_file(v, relative, &about) ? about.st_size : 0, is_litter};
        if (!v->options->is_dry && MUR_STEP("vacuum.unlink", unlink(path)) < 0 && errno != ENOENT) {
            mur_log_warn("cannot remove %s: %s", path, strerror(errno));
            n_stay++;
        } else {
            v->tell(v->context, &file);
            size_t folder = strchr(relative, '/') ? (size_t)(strchr(relative, '/') - relative) : 0;
            mur_map_add(&v->folders, (mur_view){relative, folder}, NULL);
        }
        free(path);
        free(relative);
    }
    return n_stay;
}

static int sync_folders(const vacuum *v)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < v->folders.n_keys; i++) {
        mur_view key = mur_map_key(&v->folders, i);
        char *name = mur_strndup(key.ptr, key.len), *path = mur_path_join(v->store->folder, name);
        rc = MUR_STEP("vacuum.folder", mur_file_sync(path));
        free(path);
        free(name);
    }
    return rc;
}

int mur_store_vacuum(mur_store *s, const mur_vacuum_options *o,
                     void (*tell)(void *context, const mur_vacuumed_file *file), void *context)
{
    vacuum v = {.store = s, .options = o, .tell = tell, .context = context, .now = mur_now_ms()};
    v.limit = v.now - o->older_than_ms;
    find_parts(&v);
    find_litter(&v, NULL);
    int rc = o->is_dry || v.parts.n_keys == 0 ? 0 : publish(&v);
    if (rc == 0) {
        size_t n_stay = take_away(&v, &v.parts, false);
        n_stay += take_away(&v, &v.litter, true);
        if (!o->is_dry)
            rc = sync_folders(&v);
        if (rc == 0 && n_stay > 0)
            rc = mur_fail(MUR_EIO, "%s: %zu file%s not be removed (named above): run murmur vacuum again", s->folder,
                          n_stay, n_stay == 1 ? " could" : "s could");
    }
    mur_map_clear(&v.parts);
    mur_map_clear(&v.litter);
    mur_map_clear(&v.folders);
    return rc;
}
