#include "murmur/registry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "murmur/file.h"
#include "murmur/json.h"
#include "murmur/mem.h"

#define VARIABLE "MURMUR_MODELS"
#define ALIASES "aliases.json"
#define MOST_DIGITS 15 /* of a version: whole numbers that JSON's readers keep exact */

static const char *root_folder(void)
{
    const char *root = getenv(VARIABLE);
    return root && *root ? root : NULL;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* Names and aliases: letters, digits, '.', '_' and '-', the first a letter or a digit; so none is hidden or a path. */
static bool is_name(const char *text)
{
    return *text && strchr(LETTERS, *text) && strspn(text, LETTERS "._-") == strlen(text);
}

/* The number of a version's folder; 0 for what is none: "03" is none, so that a version has one name. */
static int64_t version_of(const char *text)
{
    size_t len = strlen(text);
    if (len == 0 || len > MOST_DIGITS || text[0] == '0' || strspn(text, "0123456789") != len)
        return 0;
    return strtoll(text, NULL, 10);
}

/* An alias must not look like a version. */
static bool is_alias(const char *text)
{
    return is_name(text) && strspn(text, "0123456789") != strlen(text);
}

/* ---- folders ---- */

typedef struct versions {
    int64_t *numbers; /* rising */
    size_t n;
} versions;

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The folders of a folder whose names `is_wanted`, in byte order. */
static int list_folders(char ***names, size_t *n, const char *path, bool (*is_wanted)(const char *name))
{
    struct dirent **entries = NULL;
    *names = NULL;
    *n = 0;
    int found = scandir(path, &entries, NULL, alphasort);
    if (found < 0)
        return mur_fail_errno(errno == ENOENT || errno == ENOTDIR ? MUR_ENOINPUT : MUR_EIO, "cannot list %s", path);
    *names = mur_alloc((size_t)found + 1, sizeof **names);
    for (int i = 0; i < found; i++) {
        char *inner = mur_path_join(path, entries[i]->d_name);
        if (is_wanted(entries[i]->d_name) && mur_path_is_folder(inner))
            (*names)[(*n)++] = mur_strdup(entries[i]->d_name);
        free(inner);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

static void free_names(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

static bool is_version(const char *name)
{
    return version_of(name) > 0;
}

static int list_versions(versions *out, const char *model_folder)
{
    char **names;
    *out = (versions){0};
    int rc = list_folders(&names, &out->n, model_folder, is_version);
    if (rc < 0)
        return rc;
    out->numbers = mur_alloc(out->n + 1, sizeof *out->numbers);
    for (size_t i = 0; i < out->n; i++)
        out->numbers[i] = version_of(names[i]);
    qsort(out->numbers, out->n, sizeof *out->numbers, by_number);
    free_names(names, out->n);
    return 0;
}

static bool has_version(const versions *v, int64_t number)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->numbers[i] == number)
            return true;
    return false;
}

/* ---- aliases ---- */

/* The aliases of a model, an object of whole numbers; empty where there is no file. */
static int read_aliases(cJSON **out, const char *model_folder)
{
    char *path = mur_path_join(model_folder, ALIASES);
    int rc = 0;
    *out = NULL;
    if (!mur_path_exists(path))
        *out = cJSON_CreateObject();
    else if (!(*out = mur_json_parse_file(path)))
        rc = mur_error_last()->code;
    else if (!cJSON_IsObject(*out))
        rc = mur_fail(MUR_EDATA, "%s: it is not a JSON object, such as {\"production\": 3}", path);
    const cJSON *alias;
    cJSON_ArrayForEach(alias, *out)
    {
        if (rc == 0 && !(is_alias(alias->string) && cJSON_IsNumber(alias) && alias->valuedouble >= 1 &&
                         alias->valuedouble < 1e15 && alias->valuedouble == (double)(int64_t)alias->valuedouble))
            rc = mur_fail(MUR_EDATA, "%s: alias \"%.100s\" is not a name with the number of a version", path,
                          alias->string);
    }
    if (rc < 0) {
        cJSON_Delete(*out);
        *out = NULL;
    }
    free(path);
    return rc;
}

/* 0 where there is none of that name. */
static int64_t alias_version(const cJSON *aliases, const char *name)
{
    return (int64_t)mur_json_number(aliases, name, 0);
}

/* ---- names ---- */

static int fail_model(const char *root, const char *name)
{
    char **names;
    size_t n;
    mur_buf all = {0};
    int rc = list_folders(&names, &n, root, is_name);
    if (rc == 0) {
        for (size_t i = 0; i < n; i++)
            mur_buf_printf(&all, "%s%s", i ? ", " : "", names[i]);
        rc = mur_fail(MUR_ENOINPUT, "'%.200s' is neither a folder nor a model in $" VARIABLE " (%s), which has %.1000s",
                      name, root, n ? mur_buf_text(&all) : "none");
        free_names(names, n);
    } else {
        mur_error_add("$" VARIABLE);
    }
    mur_buf_clear(&all);
    return rc;
}

static int fail_version(const char *model_folder, const char *wanted, const versions *v, const cJSON *aliases)
{
    mur_buf all = {0};
    const cJSON *alias;
    for (size_t i = 0; i < v->n; i++)
        mur_buf_printf(&all, "%s%" PRId64, i ? ", " : "", v->numbers[i]);
    cJSON_ArrayForEach(alias, aliases)
        mur_buf_printf(&all, "%s%s (%" PRId64 ")", all.len ? ", " : "", alias->string, (int64_t)alias->valuedouble);
    int rc = mur_fail(MUR_ENOINPUT, "%s has no version '%.200s'; it has %.1000s", model_folder, wanted,
                      all.len ? mur_buf_text(&all) : "none");
    mur_buf_clear(&all);
    return rc;
}

/* The version that `wanted` stands for: a number, an alias, or NULL for the greatest. */
static int find_version(int64_t *out, const char *model_folder, const char *wanted)
{
    versions v;
    cJSON *aliases = NULL;
    int rc = list_versions(&v, model_folder);
    if (rc == 0)
        rc = read_aliases(&aliases, model_folder);
    if (rc == 0) {
        *out = !wanted ? (v.n ? v.numbers[v.n - 1] : 0) : version_of(wanted);
        if (wanted && *out == 0)
            *out = alias_version(aliases, wanted);
        if (!has_version(&v, *out))
            rc = fail_version(model_folder, wanted ? wanted : "(the latest)", &v, aliases);
    }
    cJSON_Delete(aliases);
    free(v.numbers);
    return rc;
}

int mur_registry_find(char **folder, const char *model)
{
    const char *root = root_folder();
    *folder = NULL;
    if (mur_path_is_folder(model) || strchr(model, '/')) {
        *folder = mur_strdup(model);
        return 0;
    }
    if (!root)
        return mur_fail(MUR_ENOINPUT,
                        "'%.200s' is no folder; for it to be the name of a model, set " VARIABLE
                        " to the folder that holds the models",
                        model);
    char *name = mur_strdup(model), *at = strchr(name, '@');
    if (at)
        *at = '\0';
    char *model_folder = mur_path_join(root, name);
    int64_t version = 0;
    int rc = is_name(name) && mur_path_is_folder(model_folder)
                 ? find_version(&version, model_folder, at ? at + 1 : NULL)
                 : fail_model(root, name);
    if (rc == 0)
        *folder = mur_format("%s/%" PRId64, model_folder, version);
    free(model_folder);
    free(name);
    return rc;
}

/* "NAME@VERSION" where `folder` is ROOT/NAME/VERSION. */
static char *name_below(const char *root, const char *folder)
{
    size_t len = strlen(root);
    while (len > 0 && root[len - 1] == '/')
        len--;
    if (strncmp(folder, root, len) != 0 || folder[len] != '/')
        return NULL;
    char *name = mur_strdup(folder + len + strspn(folder + len, "/")), *slash = strchr(name, '/');
    if (slash)
        *slash = '@';
    for (size_t end = strlen(name); end > 0 && name[end - 1] == '/'; end--)
        name[end - 1] = '\0';
    if (slash && version_of(slash + 1) > 0) {
        *slash = '\0';
        bool is_ours = is_name(name);
        *slash = '@';
        if (is_ours)
            return name;
    }
    free(name);
    return NULL;
}

/* As it is written, since a version may be a symbolic link; else resolved. */
char *mur_registry_name(const char *folder)
{
    const char *root = root_folder();
    char *name = root ? name_below(root, folder) : NULL;
    if (root && !name) {
        char *absolute_root = mur_path_absolute(root), *absolute = mur_path_absolute(folder);
        if (absolute_root && absolute)
            name = name_below(absolute_root, absolute);
        free(absolute_root);
        free(absolute);
    }
    return name;
}

/* ---- listing ---- */

static void append_model(mur_registry *r, const char *name, int64_t version, const cJSON *aliases)
{
    mur_buf of_version = {0};
    const cJSON *alias;
    cJSON_ArrayForEach(alias, aliases)
    {
        if ((int64_t)alias->valuedouble == version)
            mur_buf_printf(&of_version, "%s%s", of_version.len ? ", " : "", alias->string);
    }
    r->models = mur_realloc(r->models, r->n + 1, sizeof *r->models);
    r->models[r->n++] = (mur_registered){mur_strdup(name), version, mur_strdup(mur_buf_text(&of_version))};
    mur_buf_clear(&of_version);
}

static int list_model(mur_registry *r, const char *name)
{
    char *folder = mur_path_join(r->root, name);
    versions v;
    cJSON *aliases = NULL;
    int rc = list_versions(&v, folder);
    if (rc == 0)
        rc = read_aliases(&aliases, folder);
    for (size_t i = 0; rc == 0 && i < v.n; i++)
        append_model(r, name, v.numbers[i], aliases);
    cJSON_Delete(aliases);
    free(v.numbers);
    free(folder);
    return rc;
}

int mur_registry_list(mur_registry *out)
{
    *out = (mur_registry){0};
    const char *root = root_folder();
    if (!root)
        return mur_fail(MUR_EUSAGE, "set " VARIABLE " to the folder that holds the models: NAME/VERSION/ in it");
    out->root = mur_strdup(root);
    char **names;
    size_t n;
    int rc = list_folders(&names, &n, out->root, is_name);
    if (rc < 0)
        mur_error_add("$" VARIABLE);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = list_model(out, names[i]);
    free_names(names, n);
    if (rc < 0)
        mur_registry_clear(out);
    return rc;
}

void mur_registry_clear(mur_registry *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->models[i].name);
        free(r->models[i].aliases);
    }
    free(r->models);
    free(r->root);
    *r = (mur_registry){0};
}

/* ---- setting an alias ---- */

/* The file as a whole, under a name of its own and then renamed: a reader sees the old or the new. */
static int write_aliases(const char *model_folder, const cJSON *aliases)
{
    mur_buf text = {0};
    const cJSON *alias;
    cJSON_ArrayForEach(alias, aliases)
        mur_buf_printf(&text, "%s\"%s\": %" PRId64, text.len ? ", " : "{", alias->string, (int64_t)alias->valuedouble);
    mur_buf_append_text(&text, text.len ? "}\n" : "{}\n");
    char *path = mur_path_join(model_folder, ALIASES),
         *fresh = mur_format("%s/." ALIASES ".%d", model_folder, getpid());
    int rc = mur_file_write(fresh, mur_buf_view(&text));
    if (rc == 0)
        rc = mur_file_sync(fresh);
    if (rc == 0 && rename(fresh, path) < 0)
        rc = mur_fail_errno(MUR_ECREATE, "cannot replace %s", path);
    if (rc == 0)
        rc = mur_file_sync(model_folder);
    else
        unlink(fresh);
    free(path);
    free(fresh);
    mur_buf_clear(&text);
    return rc;
}

/* `version` empty: the alias is taken away. */
static int change_alias(const char *model_folder, const char *alias, const char *version)
{
    cJSON *aliases = NULL;
    versions v;
    int64_t number = version_of(version);
    /* One writer after the other; the lock goes with the descriptor. */
    int folder = open(model_folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || flock(folder, LOCK_EX) < 0) {
        int rc = mur_fail_errno(MUR_EIO, "cannot lock %s", model_folder);
        if (folder >= 0)
            close(folder);
        return rc;
    }
    int rc = list_versions(&v, model_folder);
    if (rc == 0)
        rc = read_aliases(&aliases, model_folder);
    if (rc == 0 && *version && !has_version(&v, number))
        rc = fail_version(model_folder, version, &v, aliases);
    if (rc == 0 && !*version && alias_version(aliases, alias) == 0)
        rc = fail_version(model_folder, alias, &v, aliases);
    if (rc == 0) {
        cJSON_DeleteItemFromObjectCaseSensitive(aliases, alias);
        if (*version)
            cJSON_AddNumberToObject(aliases, alias, (double)number);
        rc = write_aliases(model_folder, aliases);
    }
    cJSON_Delete(aliases);
    free(v.numbers);
    close(folder);
    return rc;
}

int mur_registry_set_alias(const char *assignment)
{
    const char *root = root_folder();
    if (!root)
        return mur_fail(MUR_EUSAGE, "set " VARIABLE " to the folder that holds the models");
    char *name = mur_strdup(assignment), *at = strchr(name, '@'), *equals = at ? strchr(at, '=') : NULL;
    int rc = 0;
    if (!equals) {
        rc = mur_fail(MUR_EUSAGE, "'%.200s' is not NAME@ALIAS=VERSION, as in bertweet@production=3", assignment);
        goto done;
    }
    *at = *equals = '\0';
    if (!is_alias(at + 1)) {
        rc = mur_fail(MUR_EUSAGE,
                      "'%.200s' is no alias: letters, digits, '.', '_' and '-', not digits alone (those are versions)",
                      at + 1);
        goto done;
    }
    char *model_folder = mur_path_join(root, name);
    rc = is_name(name) && mur_path_is_folder(model_folder) ? change_alias(model_folder, at + 1, equals + 1)
                                                           : fail_model(root, name);
    free(model_folder);
done:
    free(name);
    return rc;
}
