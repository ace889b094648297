#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/ingest.h"
#include "murmur/mem.h"
#include "murmur/quantity.h"
#include "murmur/sources.h"
#include "murmur/tables.h"
#include "murmur/utf8.h"

typedef struct settings {
    int64_t n_records;
} settings;

static const mur_option options[] = {
    {"records", "N", "records of the first file to print (default 5)", NULL},
    {NULL, NULL, NULL, NULL},
};

static int set(void *into, const char *name, const char *value)
{
    settings *s = into;
    (void)name; /* there is one */
    return mur_integer_parse(&s->n_records, value, 0, 1000000);
}

/* On one line, whatever the name holds. */
static void append_path(mur_buf *out, const char *path)
{
    size_t room = 4 * strlen(path) + 1;
    out->len += mur_utf8_show(mur_buf_reserve(out, room), room, mur_view_of(path));
}

/* The first lines of the first file, as ingest would read them. */
static int print_records(mur_buf *out, const char *path, int64_t n_records)
{
    mur_buf raw = {0}, text = {0};
    const char *damage = NULL;
    int rc = mur_file_read(&raw, path);
    if (rc == 0 && mur_is_gzip(mur_buf_view(&raw)))
        rc = mur_inflate(&text, mur_buf_view(&raw), (size_t)2 << 30, &damage);
    else if (rc == 0)
        mur_buf_append(&text, raw.ptr, raw.len);
    if (rc == 0) {
        mur_frame bronze, rejects;
        mur_frame_init(&bronze, &mur_bronze_schema);
        mur_frame_init(&rejects, &mur_rejects_schema);
        mur_ingest in = {.bronze = &bronze,
                         .rejects = &rejects,
                         .source_file = mur_view_of(path),
                         .processing_time = mur_now_ms(),
                         .max_value = MUR_MAX_VALUE};
        mur_document_kind kind = damage ? MUR_DOCUMENT_LINES : mur_document_probe(mur_buf_view(&text));
        rc = mur_ingest_text(&in, mur_buf_view(&text), 0, kind, damage);
        static const char *const kinds[] = {"JSON Lines", "one object", "an array"};
        mur_buf_append_byte(out, '\n');
        append_path(out, path);
        mur_buf_printf(out, ": %s, %zu records, %zu rejects\n", kinds[kind], bronze.n_rows, rejects.n_rows);
        for (size_t row = 0; rc == 0 && row < bronze.n_rows && row < (size_t)n_records; row++) {
            for (size_t c = MUR_BRONZE_DATE; c <= MUR_BRONZE_SENTIMENT; c++) {
                mur_view value = mur_frame_string(&bronze, row, c);
                mur_buf_printf(out, "%s%s=", c ? "  " : "", mur_bronze_schema.columns[c].name);
                if (mur_frame_is_present(&bronze, row, c))
                    mur_buf_append_view(out, value);
                else
                    mur_buf_append_text(out, "null");
            }
            mur_buf_append_byte(out, '\n');
        }
        mur_frame_clear(&bronze);
        mur_frame_clear(&rejects);
    }
    mur_buf_clear(&raw);
    mur_buf_clear(&text);
    return rc;
}

static int run(const mur_command *self, int argc, char **argv)
{
    settings s = {.n_records = 5};
    int first, rc = mur_parse_options(self, argc, argv, set, &s, &first);
    if (rc != 0)
        return rc;
    mur_sources list;
    rc = mur_sources_list(&list, argv + first, (size_t)(argc - first), NULL);
    if (rc < 0)
        return rc;

    mur_buf out = {0};
    char size[MUR_QUANTITY_TEXT];
    int64_t bytes = 0;
    for (size_t i = 0; i < list.n; i++) {
        bytes += list.items[i].size;
        mur_buf_printf(&out, "%12" PRId64 "  ", list.items[i].size);
        append_path(&out, list.items[i].path);
        mur_buf_append_byte(&out, '\n');
    }
    mur_buf_printf(&out, "%zu source files, %s\n", list.n, mur_size_format(size, bytes));
    if (list.n > 0 && s.n_records > 0)
        rc = print_records(&out, list.items[0].path, s.n_records);
    if (rc == 0)
        rc = mur_output(mur_buf_view(&out));
    if (rc >= 0 && list.n_refused > 0)
        rc = mur_fail(MUR_EIO, "%zu files or folders could not be read (named above)", list.n_refused);
    mur_buf_clear(&out);
    mur_sources_clear(&list);
    return rc;
}

const mur_command mur_cmd_sources = {
    .name = "sources",
    .operands = "DIR...",
    .summary = "list, count and size the source files, print the first records of one",
    .options = options,
    .min_operands = 1,
    .max_operands = 100000,
    .run = run,
};
