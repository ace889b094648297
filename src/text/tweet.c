#include "tweet.h"

#include <stdlib.h>

#include "murmur/date.h"
#include "murmur/mem.h"
#include "murmur/tables.h"
#include "murmur/utf8.h"
#include "value.h"

#define NAME_SHOWN 64       /* bytes of a name in a reason */
#define NAMES_KEPT_SLOTS 64 /* a larger map is given back, not swept for every record that follows */

void mur_tweet_init(mur_tweet *t, const mur_schema *schema)
{
    *t = (mur_tweet){.schema = schema};
    for (size_t c = 0; c < schema->n_columns; c++) {
        bool is_ours = c == MUR_BRONZE_SOURCE_FILE || c == MUR_BRONZE_PROCESSING_TIME || c == MUR_BRONZE_RESCUED_DATA;
        if (!is_ours)
            t->declared |= UINT64_C(1) << c;
    }
}

void mur_tweet_clear(mur_tweet *t)
{
    free(t->others);
    mur_map_clear(&t->names);
    mur_buf_clear(&t->text);
    mur_buf_clear(&t->reason);
    *t = (mur_tweet){0};
}

/* A name as it is compared: without quotes and escapes. Borrowed from the record or from t->text. */
static mur_view plain_name(mur_tweet *t, mur_view quoted)
{
    mur_view inner = {quoted.ptr + 1, quoted.len - 2};
    if (inner.len == 0 || !memchr(inner.ptr, '\\', inner.len))
        return inner;
    mur_buf_reset(&t->text);
    mur_json_unquote_name(&t->text, quoted);
    return mur_buf_view(&t->text);
}

/* A value as bronze has it: a string's text, anything else as written. Borrowed likewise. */
static mur_view plain_value(mur_tweet *t, const mur_member *m)
{
    if (m->kind != MUR_JSON_STRING)
        return m->value;
    mur_view inner = {m->value.ptr + 1, m->value.len - 2};
    if (inner.len == 0 || !memchr(inner.ptr, '\\', inner.len))
        return inner;
    mur_buf_reset(&t->text);
    mur_json_unquote(&t->text, m->value);
    return mur_buf_view(&t->text);
}

/* Decoding never makes a string longer, so that most are measured by what is written. */
static bool is_over(mur_tweet *t, const mur_member *m, size_t max_value)
{
    size_t written = m->kind == MUR_JSON_STRING ? m->value.len - 2 : m->value.len;
    return written > max_value && plain_value(t, m).len > max_value;
}

static void refuse_value(mur_tweet *t, const mur_member *m, size_t max_value)
{
    size_t shown = m->name.len - 2 < NAME_SHOWN ? m->name.len - 2 : NAME_SHOWN;
    shown = mur_utf8_valid_prefix((mur_view){m->name.ptr + 1, shown}); /* no half of a code point */
    mur_buf_reset(&t->reason);
    mur_buf_printf(&t->reason, "value of \"%.*s%s\" over %zu bytes", (int)shown, m->name.ptr + 1,
                   shown < m->name.len - 2 ? "…" : "", max_value);
}

/* The declared column of this name, or -1. */
static int find_declared(const mur_tweet *t, mur_view name)
{
    for (size_t c = 0; c < t->schema->n_columns; c++)
        if (t->declared >> c & 1 && mur_view_equal(name, mur_view_of(t->schema->columns[c].name)))
            return (int)c;
    return -1;
}

/* A name that is there already keeps its place and takes the new member. */
static void add_other(mur_tweet *t, mur_view name, const mur_member *m)
{
    size_t number = mur_map_add(&t->names, name, NULL);
    if (number == t->n_others) {
        if (t->n_others == t->cap_others) {
            t->cap_others = mur_grown(t->cap_others, t->n_others + 1);
            t->others = mur_realloc(t->others, t->cap_others, sizeof *t->others);
        }
        t->n_others++;
    }
    t->others[number] = *m;
}

static void forget(mur_tweet *t)
{
    t->seen = 0;
    t->n_fields = 0;
    if (t->n_others == 0)
        return;
    t->n_others = 0;
    if (t->names.n_slots > NAMES_KEPT_SLOTS)
        mur_map_clear(&t->names);
    else
        mur_map_reset(&t->names);
}

bool mur_tweet_read(mur_tweet *t, mur_view object, size_t max_value)
{
    forget(t);
    mur_json_walk w;
    mur_json_walk_begin(&w, object);
    while (mur_json_walk_next(&w)) {
        mur_member m = {w.name, w.value, w.kind};
        if (is_over(t, &m, max_value)) {
            refuse_value(t, &m, max_value);
            return false;
        }
        mur_view name = plain_name(t, m.name);
        int column = find_declared(t, name);
        if (column < 0) {
            add_other(t, name, &m);
        } else {
            if (!(t->seen >> column & 1))
                t->order[t->n_fields++] = (mur_field_place){(size_t)column, t->n_others};
            t->fields[column] = m;
            t->seen |= UINT64_C(1) << column;
        }
    }
    return true;
}

/* Sets a field's column; false where the value is not of its type. */
static bool store_field(mur_tweet *t, mur_frame *bronze, size_t c)
{
    const mur_member *m = &t->fields[c];
    int64_t integer;
    double number;
    int8_t truth;
    if (m->kind == MUR_JSON_LITERAL && m->value.ptr[0] == 'n')
        return true;
    switch (t->schema->columns[c].type) {
    case MUR_STRING: mur_frame_set_string(bronze, c, plain_value(t, m)); return true;
    case MUR_INT64:
        if (!mur_value_int64(&integer, m->kind, m->value))
            return false;
        mur_frame_set_int64(bronze, c, integer);
        return true;
    case MUR_FLOAT64:
        if (!mur_value_float64(&number, m->kind, m->value, &t->text))
            return false;
        mur_frame_set_float64(bronze, c, number);
        return true;
    case MUR_BOOL:
        if (!mur_value_bool(&truth, m->kind, m->value))
            return false;
        mur_frame_set_int8(bronze, c, truth);
        return true;
    case MUR_TIMESTAMP:
        integer = m->kind == MUR_JSON_STRING ? mur_date_parse(plain_value(t, m)) : MUR_NO_TIME;
        mur_frame_set_int64(bronze, c, integer);
        return integer != MUR_NO_TIME;
    default: return false; /* no type of a bronze column */
    }
}

static void append_rescued(mur_buf *text, const mur_member *m)
{
    mur_buf_append_byte(text, text->len ? ',' : '{');
    mur_buf_append_view(text, m->name);
    mur_buf_append_byte(text, ':');
    mur_buf_append_view(text, m->value);
}

void mur_tweet_store(mur_tweet *t, mur_frame *bronze)
{
    uint64_t misfits = 0;
    for (size_t i = 0; i < t->n_fields; i++)
        if (!store_field(t, bronze, t->order[i].column))
            misfits |= UINT64_C(1) << t->order[i].column;
    if (t->n_others == 0 && misfits == 0)
        return;

    /* What is in no column, in order of first appearance. */
    mur_buf *text = &t->text;
    mur_buf_reset(text);
    size_t next = 0;
    for (size_t i = 0; i <= t->n_others; i++) {
        for (; next < t->n_fields && t->order[next].n_others_before <= i; next++)
            if (misfits >> t->order[next].column & 1)
                append_rescued(text, &t->fields[t->order[next].column]);
        if (i < t->n_others)
            append_rescued(text, &t->others[i]);
    }
    mur_buf_append_byte(text, '}');
    mur_frame_set_string(bronze, MUR_BRONZE_RESCUED_DATA, mur_buf_view(text));
}
