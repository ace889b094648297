#include "when.h"

#include <inttypes.h>
#include <string.h>

#include "murmur/quantity.h"

bool mur_when_takes(const char *name)
{
    return strcmp(name, "version") == 0 || strcmp(name, "as-of") == 0;
}

int mur_when_set(mur_when *w, const char *name, const char *value)
{
    int rc = 0;
    if (strcmp(name, "version") == 0) {
        rc = mur_integer_parse(&w->version, value, 0, INT64_MAX);
        w->has_version = true;
    } else {
        if (mur_time_parse(&w->as_of, mur_view_of(value)) < 0)
            rc = mur_fail(MUR_EUSAGE, "'%s' is no time; write for example 2026-11-22T14:00:00Z", value);
        w->has_time = true;
    }
    if (rc == 0 && w->has_version && w->has_time)
        rc = mur_fail(MUR_EUSAGE, "--version and --as-of exclude each other");
    return rc;
}

int mur_when_find(int64_t *record, const mur_when *w, const mur_store *store, const char *table)
{
    const char *folder = mur_store_folder(store);
    const mur_change *last = mur_store_change(store, table, -1);
    *record = (int64_t)mur_store_n_records(store) - 1;
    if (!w->has_version && !w->has_time)
        return 0;
    if (!last)
        return mur_fail(MUR_EUSAGE, "table %s of %s has no version yet", table, folder);
    if (w->has_version && w->version > last->version)
        return mur_fail(MUR_EUSAGE, "table %s of %s has no version %" PRId64 ": it has versions 0 to %" PRId64, table,
                        folder, w->version, last->version);
    if (w->has_version) {
        *record = mur_store_record_of(store, mur_store_change(store, table, w->version))->number;
        return 0;
    }
    *record = mur_store_record_as_of(store, w->as_of);
    if (mur_store_version_at(store, table, *record) < 0) {
        char asked[MUR_TIME_TEXT], first[MUR_TIME_TEXT];
        const mur_record *begun = mur_store_record_of(store, mur_store_change(store, table, 0));
        return mur_fail(MUR_EUSAGE, "table %s of %s had no version at %s: its first was made at %s", table, folder,
                        mur_time_format(asked, w->as_of), mur_time_format(first, begun->time));
    }
    return 0;
}
