#include "h5.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "comm_mpi.h"
#include "murmur/mem.h"

hid_t mur_h5_hold(mur_h5scope *s, hid_t id)
{
    assert(s->n < (int)(sizeof s->held / sizeof *s->held));
    if (id >= 0)
        s->held[s->n++] = id;
    return id;
}

int mur_h5_leave(mur_h5scope *s, int rc)
{
    while (s->n > 0) {
        hid_t id = s->held[--s->n];
        /* A file is closed by name, so that its failure is a failure to write; H5Idec_ref closes every other kind. What
         * could not be closed HDF5 1.10 closes again at the end of MPI, and crashes. (Where one rank writes, chunks may
         * be written when their dataset is closed.) */
        H5I_type_t type = H5Iget_type(id);
        bool is_file = type == H5I_FILE;
        herr_t closed = is_file ? H5Fclose(id) : H5Idec_ref(id) < 0 ? -1 : 0;
        if (closed < 0 && (is_file || type == H5I_DATASET))
            mur_comm_abandon();
        if (closed < 0 && rc >= 0)
            rc = mur_h5_fail("cannot close");
    }
    return rc;
}

void mur_h5_start(void)
{
    /* Files are closed one by one. What HDF5 would close at exit is a file that could not be written, as on a full
     * disk, and 1.10 crashes when it tries that again. */
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static herr_t take_cause(unsigned n, const H5E_error2_t *error, void *cause)
{
    if (n == 0)
        snprintf(cause, 512, "%s", error->desc ? error->desc : "");
    return 0;
}

int mur_h5_fail(const char *format, ...)
{
    char text[1024], cause[512] = "";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);

    /* Upward: the innermost failure comes first. HDF5's file drivers put dates and addresses into it: of "file write
     * failed: filename = …, errno = 28, error message = 'No space left on device', buf = 0x55…" the ends are kept.
     * Other layers put line feeds in. */
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_cause, cause);
    const char *reason = strstr(cause, "error message = '");
    if (reason) {
        char shorter[sizeof cause];
        reason += strlen("error message = '");
        snprintf(shorter, sizeof shorter, "%.*s: %.*s", (int)strcspn(cause, ":"), cause, (int)strcspn(reason, "'"),
                 reason);
        memcpy(cause, shorter, sizeof cause);
    }
    char *date = strstr(cause, "time = "), *end_of_date = date ? strstr(date, ", ") : NULL;
    if (date && end_of_date)
        memmove(date, end_of_date + 2, strlen(end_of_date + 2) + 1);
    cause[strcspn(cause, "\n")] = '\0';
    return mur_fail(MUR_EIO, "%s: %s", text, *cause ? cause : "HDF5 failed");
}

static hid_t access_list(void)
{
    hid_t list = H5Pcreate(H5P_FILE_ACCESS);
    /* Old readers must be able to read what is written; strict closing makes a forgotten handle an error. */
    if (list >= 0 && (H5Pset_libver_bounds(list, H5F_LIBVER_EARLIEST, H5F_LIBVER_V110) < 0 ||
                      H5Pset_fclose_degree(list, H5F_CLOSE_SEMI) < 0)) {
        H5Pclose(list);
        return -1;
    }
    return list;
}

hid_t mur_h5_access_of(const mur_comm *c)
{
    if (!c->handles)
        return mur_h5_access_alone();
    hid_t list = access_list();
    H5AC_cache_config_t cache = {.version = H5AC__CURR_CACHE_CONFIG_VERSION};
    bool is_fine = list >= 0 && H5Pget_mdc_config(list, &cache) >= 0;
    /* The file's own structures stay in memory until it is closed: fewer meetings of the ranks, and one moment at which
     * a full disk would be fatal (see release_spare). The most that HDF5 allows is a quarter of its largest cache. */
    cache.set_initial_size = true;
    cache.initial_size = cache.max_size = 64 << 20;
    cache.dirty_bytes_threshold = 32 << 20;
    /* No collective metadata reads: they are broken in 1.10.5 to 1.10.8 (HDFFV-11260). */
    if (list >= 0 && !(is_fine && H5Pset_mdc_config(list, &cache) >= 0 &&
                       H5Pset_fapl_mpio(list, c->handles->all, c->handles->info) >= 0)) {
        H5Pclose(list);
        return -1;
    }
    return list;
}

hid_t mur_h5_access_alone(void)
{
    hid_t list = access_list();
    /* Parts never change, so nobody needs HDF5's flock, which some network file systems refuse. A user's
     * HDF5_USE_FILE_LOCKING still has its way. */
    if (list >= 0 && (H5Pset_fapl_sec2(list) < 0 || H5Pset_file_locking(list, false, true) < 0)) {
        H5Pclose(list);
        return -1;
    }
    return list;
}

hid_t mur_h5_transfer_of(const mur_comm *c)
{
    hid_t list = H5Pcreate(H5P_DATASET_XFER);
    if (list >= 0 && c->handles && H5Pset_dxpl_mpio(list, H5FD_MPIO_COLLECTIVE) < 0) {
        H5Pclose(list);
        return -1;
    }
    return list;
}

static hid_t text_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type >= 0 && (H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)) {
        H5Tclose(type);
        return -1;
    }
    return type;
}

static int put(hid_t where, const char *name, hid_t disk_type, hid_t memory_type, const void *value)
{
    mur_h5scope scope = {0};
    hid_t space = mur_h5_hold(&scope, H5Screate(H5S_SCALAR));
    hid_t attribute = mur_h5_hold(&scope, H5Acreate2(where, name, disk_type, space, H5P_DEFAULT, H5P_DEFAULT));
    int rc = 0;
    if (attribute < 0 || H5Awrite(attribute, memory_type, value) < 0)
        rc = mur_h5_fail("cannot write attribute %s", name);
    return mur_h5_leave(&scope, rc);
}

int mur_h5_put_text(hid_t where, const char *name, const char *text)
{
    mur_h5scope scope = {0};
    hid_t type = mur_h5_hold(&scope, text_type());
    return mur_h5_leave(&scope, put(where, name, type, type, &text));
}

int mur_h5_put_int64(hid_t where, const char *name, int64_t value)
{
    return put(where, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

/* Opens the attribute and its type into the scope; MUR_EDATA unless it is one value of class `wanted`. */
static int open_attribute(mur_h5scope *scope, hid_t where, const char *name, H5T_class_t wanted, hid_t *attribute,
                          hid_t *type)
{
    if (H5Aexists(where, name) <= 0)
        return mur_fail(MUR_EDATA, "attribute %s is missing", name);
    *attribute = mur_h5_hold(scope, H5Aopen(where, name, H5P_DEFAULT));
    if (*attribute < 0)
        return mur_h5_fail("cannot open attribute %s", name);
    *type = mur_h5_hold(scope, H5Aget_type(*attribute));
    hid_t space = mur_h5_hold(scope, H5Aget_space(*attribute));
    if (*type < 0 || space < 0)
        return mur_h5_fail("cannot open attribute %s", name);
    if (H5Tget_class(*type) != wanted || H5Sget_simple_extent_npoints(space) != 1)
        return mur_fail(MUR_EDATA, "attribute %s is of another kind", name);
    return 0;
}

/* Far above any attribute of a part: a schema of 64 columns takes some KiB. */
#define MAX_FIXED_TEXT (1 << 20)

int mur_h5_get_text(hid_t where, const char *name, char **text)
{
    *text = NULL;
    mur_h5scope scope = {0};
    hid_t attribute = -1, type = -1;
    int rc = open_attribute(&scope, where, name, H5T_STRING, &attribute, &type);
    if (rc < 0)
        goto done;
    if (H5Tis_variable_str(type) > 0) {
        hid_t memory_type = mur_h5_hold(&scope, text_type());
        if (H5Tset_cset(memory_type, H5Tget_cset(type)) < 0) {
            rc = mur_h5_fail("cannot read attribute %s", name);
            goto done;
        }
        char *read = NULL; /* stays NULL for empty text */
        if (H5Aread(attribute, memory_type, &read) < 0)
            rc = mur_h5_fail("cannot read attribute %s", name);
        else
            *text = mur_strdup(read ? read : "");
        H5free_memory(read);
    } else {
        size_t size = H5Tget_size(type);
        if (size > MAX_FIXED_TEXT) {
            rc = mur_fail(MUR_EDATA, "attribute %s is too long", name);
            goto done;
        }
        *text = mur_alloc(size + 1, 1);
        if (H5Aread(attribute, type, *text) < 0)
            rc = mur_h5_fail("cannot read attribute %s", name);
    }
done:
    rc = mur_h5_leave(&scope, rc);
    if (rc < 0) {
        free(*text);
        *text = NULL;
    }
    return rc;
}

int mur_h5_get_int64(hid_t where, const char *name, int64_t *value)
{
    mur_h5scope scope = {0};
    hid_t attribute = -1, type = -1;
    int rc = open_attribute(&scope, where, name, H5T_INTEGER, &attribute, &type);
    if (rc == 0 && H5Aread(attribute, H5T_NATIVE_INT64, value) < 0)
        rc = mur_h5_fail("cannot read attribute %s", name);
    return mur_h5_leave(&scope, rc);
}
