/* A record as text: docs/FORMAT.md, "The log". Members always stand in this order. */
#include "murmur/clock.h"
#include "murmur/hash.h"
#include "murmur/json.h"
#include "murmur/record.h"
#include "record_text.h"

/* `before` ends with the member's colon. */
static void append_text(mur_buf *out, const char *before, const char *text)
{
    mur_buf_append_text(out, before);
    if (text)
        mur_json_append_string(out, mur_view_of(text));
    else
        mur_buf_append_text(out, "null");
}

/* Readers of JSON keep numbers as doubles: what those do not hold exactly is written as a string. */
static void append_int(mur_buf *out, const char *before, int64_t value)
{
    bool is_exact = value >= -MUR_EXACT_INT && value <= MUR_EXACT_INT;
    mur_buf_append_text(out, before);
    mur_buf_append_text(out, is_exact ? "" : "\"");
    mur_buf_append_int(out, value);
    mur_buf_append_text(out, is_exact ? "" : "\"");
}

static void append_part(mur_buf *out, const mur_part *part)
{
    char hash[MUR_HASH_HEX];
    append_text(out, "{\"path\":", part->path);
    append_int(out, ",\"rows\":", part->n_rows);
    append_int(out, ",\"bytes\":", part->bytes);
    append_text(out, ",\"hash\":", mur_hash_hex(hash, part->hash));
    append_text(out, ",\"file_hash\":", mur_hash_hex(hash, part->file_hash));
    mur_buf_append_byte(out, '}');
}

static void append_change(mur_buf *out, const mur_change *c)
{
    append_text(out, "", c->table);
    append_int(out, ":{\"version\":", c->version);
    mur_buf_append_text(out, ",\"schema\":");
    mur_buf_append_text(out, c->schema ? c->schema : "null");
    append_text(out, ",\"input\":", c->input);
    append_int(out, ",\"input_version\":", c->input_version);
    mur_buf_append_text(out, ",\"added\":[");
    for (size_t i = 0; i < c->n_added; i++) {
        if (i > 0)
            mur_buf_append_byte(out, ',');
        append_part(out, &c->added[i]);
    }
    mur_buf_append_text(out, "],\"removed\":[");
    for (size_t i = 0; i < c->n_removed; i++)
        append_text(out, i ? "," : "", c->removed[i]);
    append_int(out, "],\"rows\":", c->n_rows);
    append_int(out, ",\"parts\":", c->n_parts);
    append_int(out, ",\"bytes\":", c->bytes);
    mur_buf_append_byte(out, '}');
}

static void append_source(mur_buf *out, const mur_source_file *s)
{
    append_text(out, "{\"path\":", s->path);
    append_int(out, ",\"size\":", s->size);
    append_int(out, ",\"mtime_ns\":", s->mtime_ns);
    append_int(out, ",\"rows\":", s->n_rows);
    append_int(out, ",\"rejects\":", s->n_rejects);
    mur_buf_append_byte(out, '}');
}

void mur_record_format(mur_buf *out, const mur_record *r)
{
    char text[MUR_TIME_TEXT], checksum[MUR_HASH_HEX];
    size_t begin = out->len;
    append_int(out, "{\"record\":", r->number);
    append_text(out, ",\"time\":", mur_time_format(text, r->time));
    append_text(out, ",\"operation\":", r->operation);
    append_text(out, ",\"run_id\":", r->run_id);
    append_text(out, ",\"murmur_version\":", r->murmur_version);
    append_text(out, ",\"blas_kernel\":", r->blas_kernel);
    append_int(out, ",\"ranks\":", r->ranks);
    mur_buf_append_text(out, ",\"options\":");
    mur_buf_append_text(out, r->options);
    if (r->model_name) {
        append_text(out, ",\"model\":{\"name\":", r->model_name);
        append_text(out, ",\"hash\":", r->model_hash);
        append_text(out, ",\"precision\":", r->precision);
        mur_buf_append_byte(out, '}');
    } else {
        mur_buf_append_text(out, ",\"model\":null");
    }
    mur_buf_append_text(out, ",\"tables\":{");
    for (size_t i = 0; i < r->n_changes; i++) {
        if (i > 0)
            mur_buf_append_byte(out, ',');
        append_change(out, &r->changes[i]);
    }
    mur_buf_append_text(out, "},\"sources\":[");
    for (size_t i = 0; i < r->n_sources; i++) {
        if (i > 0)
            mur_buf_append_byte(out, ',');
        append_source(out, &r->sources[i]);
    }
    mur_buf_append_text(out, "],\"units\":[");
    for (size_t i = 0; i < r->n_units; i++) {
        append_int(out, i ? ",[" : "[", r->units[i].bronze);
        append_int(out, ",", r->units[i].rejects);
        append_int(out, ",", r->units[i].silver);
        mur_buf_append_byte(out, ']');
    }
    mur_buf_append_byte(out, ']');
    for (size_t i = 0; i < r->n_vacuumed; i++) /* most records have none, and then not the member */
        append_text(out, i ? "," : ",\"vacuumed\":[", r->vacuumed[i]);
    if (r->n_vacuumed > 0)
        mur_buf_append_byte(out, ']');
    mur_hash_hex(checksum, mur_hash(out->ptr + begin, out->len - begin));
    mur_buf_printf(out, MUR_CHECKSUM_BEFORE "%s" MUR_CHECKSUM_AFTER, checksum);
}
