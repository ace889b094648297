#include "export_h5.h"

#include <inttypes.h>
#include <stdlib.h>

#include "murmur/clock.h"
#include "murmur/mem.h"
#include "murmur/plain_file.h"

static const mur_plain_flags flags[] = {
    {"sentiment_id", "other positive"},
    {"predicted_sentiment_id", "other positive"},
    {NULL, NULL},
};

/* What the file says of itself, as CF-1.8 has it. Nothing of it depends on when or where it was exported. */
static int describe(mur_plain_file *f, const mur_store *store, const mur_schema *schema, const mur_change *change)
{
    char time[MUR_TIME_TEXT];
    char *title = mur_format("murmur, table %s: %s", schema->table, schema->description);
    char *history = NULL;
    if (change) {
        const mur_record *r = mur_store_record_of(store, change);
        history = mur_format("%s version %" PRId64 " of table %s: %s by murmur %s", mur_time_format(time, r->time),
                             change->version, change->table, r->operation, r->murmur_version);
    }
    const struct {
        const char *name, *text;
    } texts[] = {{"Conventions", "CF-1.8"},
                 {"title", title},
                 {"source", "murmur " MURMUR_VERSION},
                 {"history", history},
                 {"table", schema->table}};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof texts / sizeof *texts; i++)
        if (texts[i].text)
            rc = mur_plain_put_text(f, texts[i].name, texts[i].text);
    if (rc == 0)
        rc = mur_plain_put_int64(f, "version", change ? change->version : -1);
    free(history);
    free(title);
    return rc;
}

static int take(void *file, const mur_frame *rows)
{
    return mur_plain_append(file, rows);
}

int mur_export_h5(const mur_store *store, const mur_selection *selection, const mur_schema *schema, const char *path)
{
    int64_t version = mur_store_version_at(store, selection->table, selection->record);
    const mur_change *change = version < 0 ? NULL : mur_store_change(store, selection->table, version);
    int64_t n_rows = change ? change->n_rows : 0;
    if (selection->limit >= 0 && selection->limit < n_rows)
        n_rows = selection->limit;
    mur_plain_file *file;
    int rc = mur_plain_create(&file, path, schema, n_rows, flags);
    if (rc == 0)
        rc = describe(file, store, schema, change);
    if (rc == 0)
        rc = mur_each_frame(store, selection, schema, take, file);
    return mur_plain_close(&file, rc);
}
