/* A record from text that may be torn, damaged or made by someone else: every member is checked by type and range. The
 * text is walked and never becomes a tree: a store that is opened reads thousands of records, and of a batch of many
 * small files the lists alone are megabytes. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "murmur/clock.h"
#include "murmur/hash.h"
#include "murmur/json.h"
#include "murmur/mem.h"
#include "murmur/record.h"
#include "record_text.h"

#define MAX_DEPTH 1000 /* `options` may hold anything */
#define MAX_NUMBER 64  /* characters; a longer one is no integer that a record holds */

/* A value as it is written; `text` is empty where there is none. */
typedef struct value {
    const char *name; /* for messages */
    mur_view text;
    mur_json_kind kind;
} value;

/* Takes values one after the other; the first that is wrong decides, and what is taken after it is empty. */
typedef struct taker {
    const char *what;
    int rc;
} taker;

static void refuse(taker *t, const char *name, const char *expected)
{
    if (t->rc == 0)
        t->rc = mur_fail(MUR_EDATA, "%s: member %s is not %s", t->what, name, expected);
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

/* Fills the wanted members of an object, of duplicates the last. Others are left out. */
static void find(mur_view object, value *wanted, size_t n)
{
    mur_json_walk member;
    mur_json_walk_begin(&member, object);
    while (mur_json_walk_next(&member)) {
        for (size_t i = 0; i < n; i++) {
            if (is_named(member.name, wanted[i].name)) {
                wanted[i].text = member.value;
                wanted[i].kind = member.kind;
                break;
            }
        }
    }
}

static bool take(taker *t, const value *v, mur_json_kind kind, const char *expected)
{
    if (t->rc == 0 && v->text.len > 0 && v->kind == kind)
        return true;
    refuse(t, v->name, expected);
    return false;
}

static bool is_null(const value *v)
{
    return v->kind == MUR_JSON_LITERAL && mur_view_equal(v->text, mur_view_of("null"));
}

/* A quoted string's text, fresh. */
static char *unquoted(mur_view quoted)
{
    if (!memchr(quoted.ptr, '\\', quoted.len))
        return mur_strndup(quoted.ptr + 1, quoted.len - 2);
    mur_buf plain = {0};
    mur_json_unquote(&plain, quoted);
    char *text = mur_strdup(mur_buf_text(&plain));
    mur_buf_clear(&plain);
    return text;
}

static char *take_text(taker *t, const value *v)
{
    return take(t, v, MUR_JSON_STRING, "a string") ? unquoted(v->text) : NULL;
}

/* Digits with an optional sign, nothing else, within int64. */
static bool read_digits(mur_view text, int64_t *number)
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
    *number = strtoll(copy, NULL, 10);
    return errno == 0;
}

/* Integers are numbers, or strings where a double would not hold them. */
static int64_t take_int(taker *t, const value *v, int64_t low)
{
    int64_t number = low;
    bool is_fine = false;
    if (v->text.len > 0 && v->kind == MUR_JSON_STRING)
        is_fine = read_digits((mur_view){v->text.ptr + 1, v->text.len - 2}, &number);
    else if (v->text.len > 0 && v->kind == MUR_JSON_NUMBER)
        is_fine = read_digits(v->text, &number) && number >= -MUR_EXACT_INT && number <= MUR_EXACT_INT;
    if (!is_fine || number < low)
        refuse(t, v->name, "an integer that it can be");
    return t->rc == 0 ? number : 0;
}

static uint64_t take_hash(taker *t, const value *v)
{
    char digits[MUR_HASH_HEX] = "";
    if (take(t, v, MUR_JSON_STRING, "a string") && v->text.len == sizeof digits + 1)
        memcpy(digits, v->text.ptr + 1, sizeof digits - 1);
    if (strspn(digits, "0123456789abcdef") != sizeof digits - 1)
        refuse(t, v->name, "16 hexadecimal digits");
    return t->rc == 0 ? strtoull(digits, NULL, 16) : 0;
}

/* An object's text as it is written. */
static char *take_object(taker *t, const value *v)
{
    return take(t, v, MUR_JSON_OBJECT, "an object") ? mur_strndup(v->text.ptr, v->text.len) : NULL;
}

/* Table names are folders, parts files in them: nothing in a log may lead out of the store. */
static bool is_file_name(const char *name, size_t len)
{
    return len > 0 && len < NAME_MAX && name[0] != '.' && name[0] != '_' && !memchr(name, '/', len);
}

static char *take_path(taker *t, const value *v)
{
    char *text = take_text(t, v), *slash = text ? strchr(text, '/') : NULL;
    if (slash && is_file_name(text, (size_t)(slash - text)) && is_file_name(slash + 1, strlen(slash + 1)))
        return text;
    refuse(t, v->name, "the path of a part");
    free(text);
    return NULL;
}

/* Walks the elements of an array; false, and the walk has no elements, where it is none. */
static bool begin_list(taker *t, const value *v, mur_json_walk *walk)
{
    bool is_list = take(t, v, MUR_JSON_ARRAY, "an array");
    mur_json_walk_begin(walk, is_list ? v->text : mur_view_of("[]"));
    return is_list;
}

static value element(const mur_json_walk *walk, const char *name)
{
    return (value){name, walk->value, walk->kind};
}

/* Room for one more: `n` of them are there, and room grows at powers of two. */
static void *with_room(void *items, size_t n, size_t size)
{
    return (n & (n - 1)) == 0 ? mur_realloc(items, n ? 2 * n : 1, size) : items;
}

static void take_part(taker *t, const value *item, mur_change *c)
{
    value m[] = {{.name = "path"}, {.name = "rows"}, {.name = "bytes"}, {.name = "hash"}, {.name = "file_hash"}};
    if (take(t, item, MUR_JSON_OBJECT, "a list of objects"))
        find(item->text, m, sizeof m / sizeof *m);
    c->added = with_room(c->added, c->n_added, sizeof *c->added);
    mur_part *part = &c->added[c->n_added++];
    *part = (mur_part){.path = take_path(t, &m[0])};
    part->n_rows = take_int(t, &m[1], 0);
    part->bytes = take_int(t, &m[2], 0);
    part->hash = take_hash(t, &m[3]);
    part->file_hash = take_hash(t, &m[4]);
}

static void take_change(taker *t, const char *table, const value *object, mur_record *r)
{
    if (!is_file_name(table, strlen(table)))
        refuse(t, table, "the name of a table");
    for (size_t i = 0; i < r->n_changes; i++)
        if (strcmp(r->changes[i].table, table) == 0)
            refuse(t, table, "there only once");
    if (!take(t, object, MUR_JSON_OBJECT, "an object"))
        return;
    enum { VERSION, SCHEMA, INPUT, INPUT_VERSION, ROWS, PARTS, BYTES, ADDED, REMOVED, N };
    value m[N] = {
        [VERSION] = {.name = "version"}, [SCHEMA] = {.name = "schema"},
        [INPUT] = {.name = "input"},     [INPUT_VERSION] = {.name = "input_version"},
        [ROWS] = {.name = "rows"},       [PARTS] = {.name = "parts"},
        [BYTES] = {.name = "bytes"},     [ADDED] = {.name = "added"},
        [REMOVED] = {.name = "removed"},
    };
    find(object->text, m, N);
    mur_change *c = mur_record_change(r, table);
    c->version = take_int(t, &m[VERSION], 0);
    if (!is_null(&m[SCHEMA])) /* null in checkpoints alone: mur_state_check refuses it */
        c->schema = take_object(t, &m[SCHEMA]);
    if (!is_null(&m[INPUT]))
        c->input = take_text(t, &m[INPUT]);
    c->input_version = take_int(t, &m[INPUT_VERSION], -1);
    c->n_rows = take_int(t, &m[ROWS], 0);
    c->n_parts = take_int(t, &m[PARTS], 0);
    c->bytes = take_int(t, &m[BYTES], 0);

    mur_json_walk item;
    for (begin_list(t, &m[ADDED], &item); t->rc == 0 && mur_json_walk_next(&item);) {
        value part = element(&item, "added");
        take_part(t, &part, c);
    }
    for (begin_list(t, &m[REMOVED], &item); t->rc == 0 && mur_json_walk_next(&item);) {
        value path = element(&item, "removed");
        c->removed = with_room(c->removed, c->n_removed, sizeof *c->removed);
        c->removed[c->n_removed++] = take_path(t, &path);
    }
}

static void take_tables(taker *t, const value *tables, mur_record *r)
{
    if (!take(t, tables, MUR_JSON_OBJECT, "an object"))
        return;
    mur_json_walk member;
    mur_json_walk_begin(&member, tables->text);
    while (t->rc == 0 && mur_json_walk_next(&member)) {
        char *name = unquoted(member.name);
        value change = element(&member, name);
        take_change(t, name, &change, r);
        free(name);
    }
}

static void take_sources(taker *t, const value *list, mur_record *r)
{
    mur_json_walk item;
    for (begin_list(t, list, &item); t->rc == 0 && mur_json_walk_next(&item);) {
        value object = element(&item, list->name);
        value m[] = {{.name = "path"}, {.name = "size"}, {.name = "mtime_ns"}, {.name = "rows"}, {.name = "rejects"}};
        if (take(t, &object, MUR_JSON_OBJECT, "a list of objects"))
            find(object.text, m, sizeof m / sizeof *m);
        r->sources = with_room(r->sources, r->n_sources, sizeof *r->sources);
        mur_source_file *s = &r->sources[r->n_sources++];
        *s = (mur_source_file){.path = take_text(t, &m[0])};
        s->size = take_int(t, &m[1], 0);
        s->mtime_ns = take_int(t, &m[2], INT64_MIN);
        s->n_rows = take_int(t, &m[3], 0);
        s->n_rejects = take_int(t, &m[4], 0);
    }
}

static void take_units(taker *t, const value *list, mur_record *r)
{
    mur_json_walk item, number;
    for (begin_list(t, list, &item); t->rc == 0 && mur_json_walk_next(&item);) {
        value unit = element(&item, list->name);
        int64_t rows[3] = {0};
        size_t n = 0;
        for (begin_list(t, &unit, &number); mur_json_walk_next(&number); n++) {
            value count = element(&number, list->name);
            if (n < 3)
                rows[n] = take_int(t, &count, 0);
        }
        if (n != 3)
            refuse(t, list->name, "an array of arrays of three");
        r->units = with_room(r->units, r->n_units, sizeof *r->units);
        r->units[r->n_units++] = (mur_unit_rows){rows[0], rows[1], rows[2]};
    }
}

/* Most records have no such member. */
static void take_vacuumed(taker *t, const value *list, mur_record *r)
{
    mur_json_walk item;
    if (list->text.len == 0)
        return;
    for (begin_list(t, list, &item); t->rc == 0 && mur_json_walk_next(&item);) {
        value path = element(&item, list->name);
        r->vacuumed = with_room(r->vacuumed, r->n_vacuumed, sizeof *r->vacuumed);
        r->vacuumed[r->n_vacuumed++] = take_path(t, &path);
    }
}

static void take_model(taker *t, const value *model, mur_record *r)
{
    value m[] = {{.name = "name"}, {.name = "hash"}, {.name = "precision"}};
    if (is_null(model))
        return;
    if (take(t, model, MUR_JSON_OBJECT, "an object or null"))
        find(model->text, m, sizeof m / sizeof *m);
    r->model_name = take_text(t, &m[0]);
    r->model_hash = take_text(t, &m[1]);
    r->precision = take_text(t, &m[2]);
}

static void take_record(taker *t, mur_view document, mur_record *r)
{
    enum { RECORD, TIME, OPERATION, RUN, MURMUR, BLAS, RANKS, OPTIONS, MODEL, TABLES, SOURCES, UNITS, VACUUMED, N };
    value m[N] = {
        [RECORD] = {.name = "record"},         [TIME] = {.name = "time"},
        [OPERATION] = {.name = "operation"},   [RUN] = {.name = "run_id"},
        [MURMUR] = {.name = "murmur_version"}, [BLAS] = {.name = "blas_kernel"},
        [RANKS] = {.name = "ranks"},           [OPTIONS] = {.name = "options"},
        [MODEL] = {.name = "model"},           [TABLES] = {.name = "tables"},
        [SOURCES] = {.name = "sources"},       [UNITS] = {.name = "units"},
        [VACUUMED] = {.name = "vacuumed"},
    };
    find(document, m, N);
    r->number = take_int(t, &m[RECORD], 0);
    char *time = take_text(t, &m[TIME]);
    if (time && mur_time_parse(&r->time, mur_view_of(time)) < 0)
        refuse(t, "time", "an instant");
    free(time);
    r->operation = take_text(t, &m[OPERATION]);
    r->run_id = take_text(t, &m[RUN]);
    r->murmur_version = take_text(t, &m[MURMUR]);
    r->blas_kernel = take_text(t, &m[BLAS]);
    int64_t ranks = take_int(t, &m[RANKS], 1);
    if (ranks > INT_MAX)
        refuse(t, "ranks", "a number of ranks");
    r->ranks = (int)ranks;
    r->options = take_object(t, &m[OPTIONS]);
    take_model(t, &m[MODEL], r);
    take_tables(t, &m[TABLES], r);
    take_sources(t, &m[SOURCES], r);
    take_units(t, &m[UNITS], r);
    take_vacuumed(t, &m[VACUUMED], r);
}

/* What stands before the checksum, or an empty view if that is not there or not right. */
static mur_view checked_part(mur_view text)
{
    const size_t before = strlen(MUR_CHECKSUM_BEFORE), after = strlen(MUR_CHECKSUM_AFTER), digits = MUR_HASH_HEX - 1;
    mur_view none = {NULL, 0};
    if (text.len < before + digits + after)
        return none;
    mur_view body = {text.ptr, text.len - before - digits - after};
    char checksum[MUR_HASH_HEX];
    mur_hash_hex(checksum, mur_hash(body.ptr, body.len));
    const char *at = body.ptr + body.len;
    bool is_right = memcmp(at, MUR_CHECKSUM_BEFORE, before) == 0 && memcmp(at + before, checksum, digits) == 0 &&
                    memcmp(at + before + digits, MUR_CHECKSUM_AFTER, after) == 0;
    return is_right ? body : none;
}

int mur_record_parse(mur_record *out, mur_view text, const char *what)
{
    *out = (mur_record){0};
    if (checked_part(text).len == 0)
        return mur_fail(MUR_EDATA, "%s is damaged: its checksum is missing or wrong", what);
    mur_json_scan scan;
    mur_json_check(&scan, text, MAX_DEPTH);
    if (scan.verdict != MUR_JSON_OK || scan.kind != MUR_JSON_OBJECT)
        return mur_fail(MUR_EDATA, "%s: byte %zu: %s", what, scan.where,
                        scan.verdict == MUR_JSON_OK ? "a record is an object" : scan.detail);
    taker t = {.what = what};
    take_record(&t, text, out);
    if (t.rc < 0)
        mur_record_clear(out);
    return t.rc;
}
