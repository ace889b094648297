/* A record from text that may be torn, damaged or made by someone else: every member is checked by type and range. */
#include <limits.h>
#include <stdlib.h>

#include "murmur/clock.h"
#include "murmur/hash.h"
#include "murmur/json.h"
#include "murmur/mem.h"
#include "murmur/record.h"
#include "murmur/schema.h"
#include "record_text.h"

/* Takes members one after the other; the first that is wrong decides, and what is taken after it is empty. */
typedef struct taker {
    const char *what;
    int rc;
} taker;

static void refuse(taker *t, const char *name, const char *expected)
{
    if (t->rc == 0)
        t->rc = mur_fail(MUR_EDATA, "%s: member %s is not %s", t->what, name, expected);
}

static const cJSON *take(taker *t, const cJSON *object, const char *name, cJSON_bool (*is_kind)(const cJSON *),
                         const char *expected)
{
    const cJSON *member = mur_json_member(object, name);
    if (t->rc == 0 && is_kind(member))
        return member;
    refuse(t, name, expected);
    return NULL;
}

static char *take_text(taker *t, const cJSON *object, const char *name)
{
    const cJSON *member = take(t, object, name, cJSON_IsString, "a string");
    return member ? mur_strdup(member->valuestring) : NULL;
}

/* Integers are numbers, or strings where a double would not hold them. */
static int64_t int_of(taker *t, const cJSON *value, const char *name, int64_t low)
{
    int64_t number = low;
    bool is_fine = false;
    if (cJSON_IsNumber(value) && value->valuedouble >= (double)-MUR_EXACT_INT &&
        value->valuedouble <= (double)MUR_EXACT_INT) {
        number = (int64_t)value->valuedouble;
        is_fine = (double)number == value->valuedouble;
    } else if (cJSON_IsString(value)) {
        is_fine = mur_record_digits(mur_view_of(value->valuestring), &number);
    }
    if (!is_fine || number < low)
        refuse(t, name, "an integer that it can be");
    return number;
}

static int64_t take_int(taker *t, const cJSON *object, const char *name, int64_t low)
{
    return t->rc == 0 ? int_of(t, mur_json_member(object, name), name, low) : 0;
}

static uint64_t take_hash(taker *t, const cJSON *object, const char *name)
{
    const cJSON *member = take(t, object, name, cJSON_IsString, "a string");
    const char *text = member ? member->valuestring : "";
    if (strlen(text) != MUR_HASH_HEX - 1 || strspn(text, "0123456789abcdef") != MUR_HASH_HEX - 1)
        refuse(t, name, "16 hexadecimal digits");
    return t->rc == 0 ? strtoull(text, NULL, 16) : 0;
}

/* An object's text, in this writer's spelling. */
static char *take_object(taker *t, const cJSON *object, const char *name)
{
    const cJSON *member = take(t, object, name, cJSON_IsObject, "an object");
    return member ? cJSON_PrintUnformatted(member) : NULL;
}

/* Table names are folders, parts files in them: nothing in a log may lead out of the store. */
static bool is_file_name(const char *name, size_t len)
{
    return len > 0 && len < NAME_MAX && name[0] != '.' && name[0] != '_' && !memchr(name, '/', len);
}

static char *take_path(taker *t, const cJSON *value, const char *name)
{
    const char *text = cJSON_IsString(value) ? value->valuestring : "", *slash = strchr(text, '/');
    if (t->rc == 0 && slash && is_file_name(text, (size_t)(slash - text)) && is_file_name(slash + 1, strlen(slash + 1)))
        return mur_strdup(text);
    refuse(t, name, "the path of a part");
    return NULL;
}

static void take_change(taker *t, const cJSON *json, mur_record *r)
{
    if (!is_file_name(json->string, strlen(json->string)))
        refuse(t, json->string, "the name of a table");
    for (size_t i = 0; i < r->n_changes; i++)
        if (strcmp(r->changes[i].table, json->string) == 0)
            refuse(t, json->string, "there only once");
    if (t->rc < 0)
        return;
    mur_change *c = mur_record_change(r, json->string);
    c->version = take_int(t, json, "version", 0);
    if (!cJSON_IsNull(mur_json_member(json, "schema"))) /* null in checkpoints alone: mur_state_check refuses it */
        c->schema = take_object(t, json, "schema");
    if (!cJSON_IsNull(mur_json_member(json, "input")))
        c->input = take_text(t, json, "input");
    c->input_version = take_int(t, json, "input_version", -1);
    c->n_rows = take_int(t, json, "rows", 0);
    c->n_parts = take_int(t, json, "parts", 0);
    c->bytes = take_int(t, json, "bytes", 0);

    const cJSON *added = take(t, json, "added", cJSON_IsArray, "an array"), *item;
    c->added = mur_alloc((size_t)cJSON_GetArraySize(added), sizeof *c->added);
    cJSON_ArrayForEach(item, added)
    {
        mur_part *part = &c->added[c->n_added++];
        part->path = take_path(t, mur_json_member(item, "path"), "path");
        part->n_rows = take_int(t, item, "rows", 0);
        part->bytes = take_int(t, item, "bytes", 0);
        part->hash = take_hash(t, item, "hash");
        part->file_hash = take_hash(t, item, "file_hash");
    }
    const cJSON *removed = take(t, json, "removed", cJSON_IsArray, "an array");
    c->removed = mur_alloc((size_t)cJSON_GetArraySize(removed), sizeof *c->removed);
    cJSON_ArrayForEach(item, removed) c->removed[c->n_removed++] = take_path(t, item, "removed");
}

static void take_vacuumed(taker *t, const cJSON *document, mur_record *r)
{
    if (!mur_json_member(document, "vacuumed"))
        return;
    const cJSON *paths = take(t, document, "vacuumed", cJSON_IsArray, "an array"), *item;
    r->vacuumed = mur_alloc((size_t)cJSON_GetArraySize(paths), sizeof *r->vacuumed);
    cJSON_ArrayForEach(item, paths) r->vacuumed[r->n_vacuumed++] = take_path(t, item, "vacuumed");
}

static void take_record(taker *t, const cJSON *document, mur_record *r)
{
    char *time = NULL;
    r->number = take_int(t, document, "record", 0);
    time = take_text(t, document, "time");
    if (time && mur_time_parse(&r->time, mur_view_of(time)) < 0)
        refuse(t, "time", "an instant");
    free(time);
    r->operation = take_text(t, document, "operation");
    r->run_id = take_text(t, document, "run_id");
    r->murmur_version = take_text(t, document, "murmur_version");
    r->blas_kernel = take_text(t, document, "blas_kernel");
    int64_t ranks = take_int(t, document, "ranks", 1);
    if (ranks > INT_MAX)
        refuse(t, "ranks", "a number of ranks");
    r->ranks = (int)ranks;
    r->options = take_object(t, document, "options");
    const cJSON *model = mur_json_member(document, "model");
    if (!cJSON_IsNull(model)) {
        r->model_name = take_text(t, model, "name");
        r->model_hash = take_text(t, model, "hash");
        r->precision = take_text(t, model, "precision");
    }
    const cJSON *tables = take(t, document, "tables", cJSON_IsObject, "an object"), *table;
    cJSON_ArrayForEach(table, tables) take_change(t, table, r);
    take_vacuumed(t, document, r);
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
    mur_record_lists lists;
    mur_buf rest = {0};
    int rc = mur_record_split(&lists, &rest, text, what);
    cJSON *document = rc == 0 ? mur_json_parse(mur_buf_view(&rest), what) : NULL;
    if (document) {
        taker t = {.what = what};
        take_record(&t, document, out);
        rc = t.rc;
    } else {
        rc = MUR_EDATA;
    }
    cJSON_Delete(document);
    mur_buf_clear(&rest);
    if (rc == 0)
        rc = mur_record_take_sources(out, lists.sources, what);
    if (rc == 0)
        rc = mur_record_take_units(out, lists.units, what);
    if (rc < 0)
        mur_record_clear(out);
    return rc;
}
