/* The lists of source files and work units in a record's text: walked, without a tree. */
#include <errno.h>
#include <stdlib.h>

#include "murmur/json.h"
#include "murmur/mem.h"
#include "record_text.h"

#define MAX_NUMBER 64 /* characters; a longer one is no integer that a record holds */

bool mur_record_digits(mur_view text, int64_t *value)
{
    char copy[MAX_NUMBER];
    size_t sign = text.len > 0 && text.ptr[0] == '-';
    if (text.len == sign || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (strspn(copy + sign, "0123456789") != text.len - sign)
        return false;
    errno = 0;
    *value = strtoll(copy, NULL, 10);
    return errno == 0;
}

/* Whether a member's name, quotes included, is `name`, however it is written. */
static bool is_named(mur_view quoted, const char *name)
{
    if (!memchr(quoted.ptr, '\\', quoted.len))
        return quoted.len == strlen(name) + 2 && memcmp(quoted.ptr + 1, name, quoted.len - 2) == 0;
    mur_buf plain = {0};
    mur_json_unquote_name(&plain, quoted);
    bool is_same = mur_view_equal(mur_buf_view(&plain), mur_view_of(name));
    mur_buf_clear(&plain);
    return is_same;
}

int mur_record_split(mur_record_lists *lists, mur_buf *rest, mur_view text, const char *what)
{
    *lists = (mur_record_lists){0};
    mur_json_scan scan;
    mur_json_check(&scan, text, 0);
    if (scan.verdict != MUR_JSON_OK || scan.kind != MUR_JSON_OBJECT)
        return mur_fail(MUR_EDATA, "%s: byte %zu: %s", what, scan.where,
                        scan.verdict == MUR_JSON_OK ? "not an object" : scan.detail);
    mur_json_walk member;
    mur_json_walk_begin(&member, text);
    char before = '{';
    while (mur_json_walk_next(&member)) { /* of duplicates the last counts, here as in trees */
        if (is_named(member.name, "sources")) {
            lists->sources = member.value;
        } else if (is_named(member.name, "units")) {
            lists->units = member.value;
        } else {
            mur_buf_append_byte(rest, before);
            mur_buf_append_view(rest, member.name);
            mur_buf_append_byte(rest, ':');
            mur_buf_append_view(rest, member.value);
            before = ',';
        }
    }
    mur_buf_append_text(rest, before == '{' ? "{}" : "}");
    return 0;
}

/* An integer as a number, or as a string where a double would not hold it. */
static int take_int(mur_view value, mur_json_kind kind, int64_t low, const char *name, const char *what, int64_t *out)
{
    bool is_fine = false;
    if (kind == MUR_JSON_STRING)
        is_fine = mur_record_digits((mur_view){value.ptr + 1, value.len - 2}, out);
    else if (kind == MUR_JSON_NUMBER)
        is_fine = mur_record_digits(value, out) && *out >= -MUR_EXACT_INT && *out <= MUR_EXACT_INT;
    if (is_fine && *out >= low)
        return 0;
    return mur_fail(MUR_EDATA, "%s: member %s is not an integer that it can be", what, name);
}

static int begin_list(mur_json_walk *walk, mur_view list, const char *name, const char *what)
{
    if (list.len == 0 || list.ptr[0] != '[')
        return mur_fail(MUR_EDATA, "%s: member %s is not an array", what, name);
    mur_json_walk_begin(walk, list);
    return 0;
}

static int take_source(mur_source_file *s, mur_view object, mur_buf *path, const char *what)
{
    const struct {
        const char *name;
        int64_t low, *value;
    } numbers[] = {{"size", 0, &s->size},
                   {"mtime_ns", INT64_MIN, &s->mtime_ns},
                   {"rows", 0, &s->n_rows},
                   {"rejects", 0, &s->n_rejects}};
    enum { N_NUMBERS = sizeof numbers / sizeof *numbers, PATH = 1 << N_NUMBERS, ALL = 2 * PATH - 1 };
    unsigned found = 0;
    mur_json_walk member;
    mur_json_walk_begin(&member, object);
    while (mur_json_walk_next(&member)) {
        if (is_named(member.name, "path")) {
            if (member.kind != MUR_JSON_STRING)
                return mur_fail(MUR_EDATA, "%s: member path is not a string", what);
            mur_buf_reset(path);
            mur_json_unquote(path, member.value);
            free(s->path);
            s->path = mur_strndup(path->ptr ? path->ptr : "", path->len);
            found |= PATH;
            continue;
        }
        for (unsigned i = 0; i < N_NUMBERS; i++) {
            if (!is_named(member.name, numbers[i].name))
                continue;
            int rc = take_int(member.value, member.kind, numbers[i].low, numbers[i].name, what, numbers[i].value);
            if (rc < 0)
                return rc;
            found |= 1u << i;
        }
    }
    return found == ALL ? 0 : mur_fail(MUR_EDATA, "%s: a source lacks its path or one of its numbers", what);
}

int mur_record_take_sources(mur_record *r, mur_view list, const char *what)
{
    mur_json_walk item;
    size_t cap = 0;
    mur_buf path = {0};
    int rc = begin_list(&item, list, "sources", what);
    while (rc == 0 && mur_json_walk_next(&item)) {
        if (r->n_sources == cap) {
            cap = mur_grown(cap, r->n_sources + 1);
            r->sources = mur_realloc(r->sources, cap, sizeof *r->sources);
        }
        mur_source_file *s = &r->sources[r->n_sources++];
        *s = (mur_source_file){0};
        rc = item.kind == MUR_JSON_OBJECT ? take_source(s, item.value, &path, what)
                                          : mur_fail(MUR_EDATA, "%s: a source is not an object", what);
    }
    mur_buf_clear(&path);
    return rc;
}

int mur_record_take_units(mur_record *r, mur_view list, const char *what)
{
    mur_json_walk item, number;
    size_t cap = 0;
    int rc = begin_list(&item, list, "units", what);
    while (rc == 0 && mur_json_walk_next(&item)) {
        int64_t rows[3];
        size_t n = 0;
        if (item.kind == MUR_JSON_ARRAY)
            for (mur_json_walk_begin(&number, item.value); rc == 0 && mur_json_walk_next(&number); n++)
                if (n < 3)
                    rc = take_int(number.value, number.kind, 0, "units", what, &rows[n]);
        if (rc == 0 && n != 3)
            rc = mur_fail(MUR_EDATA, "%s: member units is not an array of arrays of three", what);
        if (rc < 0)
            break;
        if (r->n_units == cap) {
            cap = mur_grown(cap, r->n_units + 1);
            r->units = mur_realloc(r->units, cap, sizeof *r->units);
        }
        r->units[r->n_units++] = (mur_unit_rows){rows[0], rows[1], rows[2]};
    }
    return rc;
}
