#include "estimate.h"

#include <stdlib.h>
#include <string.h>

#include "murmur/file.h"
#include "murmur/ingest.h"
#include "murmur/mem.h"

/* Samples of a unit, each of so many bytes: an eighth of a unit of one file, some hundred tweets. */
#define N_SAMPLES 4
#define SAMPLE_BYTES (8 << 10)

/* Of 29,432 real texts by murmur-mini's tokenizer; others' are near. <s> and </s> come to each text. (run --verbose
 * says of each unit what was expected and what came: of 61 units nine in ten within a sixth.) */
#define BYTES_PER_TOKEN 3.9
#define TOKENS_PER_TEXT 2

/* To parse a byte and to keep its row takes about so much of the time of a token by the smallest model. */
#define TOKENS_PER_BYTE 1e-4

/* Of a file that cannot be looked at: about what tweets with mentions in all texts have. */
#define USUAL_DENSITY 0.1

static mur_view behind(mur_view json, size_t n)
{
    return (mur_view){json.ptr + n, json.len - n};
}

/* Takes a string, whose quotation mark is before `json`, off it: the bytes that it will be decoded to. False where it
 * has no end. */
static bool take_string(mur_view *json, size_t *n, bool *has_mention)
{
    size_t at = 0;
    *n = 0;
    *has_mention = false;
    for (; at < json->len && json->ptr[at] != '"'; ++*n) {
        bool is_escaped = json->ptr[at] == '\\',
             is_unicode = is_escaped && at + 1 < json->len && json->ptr[at + 1] == 'u';
        *has_mention = *has_mention || json->ptr[at] == '@';
        *n += is_unicode ? 2 : 0; /* most of what is written so has three bytes */
        at += is_unicode ? 6 : is_escaped ? 2 : 1;
    }
    if (at >= json->len)
        return false;
    *json = behind(*json, at + 1);
    return true;
}

/* Takes blanks and then `wanted` off; false where something else is there. */
static bool take_sign(mur_view *json, char wanted)
{
    while (json->len > 0 && memchr(" \t\r\n", *json->ptr, 4))
        *json = behind(*json, 1);
    if (json->len == 0 || *json->ptr != wanted)
        return false;
    *json = behind(*json, 1);
    return true;
}

double mur_estimate_tokens(mur_view json)
{
    static const char key[] = "\"text\"";
    const size_t key_len = sizeof key - 1;
    double n = 0;
    for (const char *at; json.len > 0 && (at = memmem(json.ptr, json.len, key, key_len)) != NULL;) {
        size_t len;
        bool has_mention;
        json = behind(json, (size_t)(at - json.ptr) + key_len);
        if (!take_sign(&json, ':') || !take_sign(&json, '"'))
            continue;
        if (!take_string(&json, &len, &has_mention))
            break;
        if (has_mention)
            n += (double)len / BYTES_PER_TOKEN + TOKENS_PER_TEXT;
    }
    return n;
}

/* The density of tokens in a piece at some byte of it, by JSON's bytes as plans reckon them. False where it cannot be
 * read. */
static bool sample(double *density, const mur_plan *p, const mur_piece_of_file *piece, int64_t at)
{
    mur_buf bytes = {0}, inflated = {0};
    const char *path = p->files[piece->file].path, *damage;
    int64_t len = piece->len < SAMPLE_BYTES ? piece->len : SAMPLE_BYTES;
    at = at + len > piece->len ? piece->len - len : at;
    /* A whole file may be gzip, whose beginning alone can be read. */
    int rc = mur_file_read_range(&bytes, path, piece->offset + (piece->is_whole ? 0 : at), len);
    double n_bytes = (double)bytes.len;
    mur_view json = mur_buf_view(&bytes);
    if (rc == 0 && piece->is_whole && mur_is_gzip(json)) {
        rc = mur_inflate(&inflated, json, MUR_UNIT_BYTES, &damage);
        json = mur_buf_view(&inflated);
        n_bytes *= MUR_GZIP_RATIO;
    }
    bool is_fine = rc == 0 && n_bytes > 0;
    *density = is_fine ? mur_estimate_tokens(json) / n_bytes : 0;
    mur_buf_clear(&bytes);
    mur_buf_clear(&inflated);
    return is_fine;
}

static int64_t estimate(const mur_plan *p, const mur_unit *unit)
{
    double sum = 0;
    int n = 0;
    const mur_piece_of_file *piece = &p->pieces[unit->first_piece], *end = piece + unit->n_pieces;
    int64_t bytes = 0, before = 0;
    for (const mur_piece_of_file *i = piece; i < end; i++)
        bytes += i->len;
    for (int k = 0; k < N_SAMPLES; k++) {
        int64_t at = bytes * (2 * k + 1) / (2 * N_SAMPLES);
        const mur_piece_of_file *former = k > 0 ? piece : NULL;
        while (piece + 1 < end && at >= before + piece->len)
            before += piece++->len;
        if (piece == former && piece->is_whole) /* its beginning was looked at */
            continue;
        double density;
        if (sample(&density, p, piece, at - before)) {
            sum += density;
            n++;
        }
    }
    return (int64_t)((n > 0 ? sum / n : USUAL_DENSITY) * (double)unit->size + TOKENS_PER_BYTE * (double)unit->size) + 1;
}

void mur_plan_estimate(mur_plan *p, const mur_comm *c)
{
    size_t first = p->n_units * (size_t)c->rank / (size_t)c->n_ranks,
           end = p->n_units * ((size_t)c->rank + 1) / (size_t)c->n_ranks;
    mur_buf all = {0};
    int64_t *mine = mur_alloc(end - first, sizeof *mine);
    for (size_t i = first; i < end; i++)
        mine[i - first] = estimate(p, &p->units[i]);
    mur_all_gather(c, (mur_view){(const char *)mine, (end - first) * sizeof *mine}, &all, NULL);
    for (size_t i = 0; i < p->n_units; i++)
        memcpy(&p->units[i].n_tokens, all.ptr + i * sizeof *mine, sizeof *mine);
    mur_buf_clear(&all);
    free(mine);
}
