#include "murmur/record.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "murmur/clock.h"
#include "murmur/hash.h"
#include "murmur/mem.h"

void mur_run_id_make(char out[MUR_RUN_ID])
{
    uint64_t words[2];
    char hex[MUR_HASH_HEX];
    if (getrandom(words, sizeof words, 0) != sizeof words) {
        words[0] = (uint64_t)mur_now_ms(); /* unique enough: names are made exclusively */
        words[1] = (uint64_t)getpid();
    }
    for (int i = 0; i < 2; i++)
        memcpy(out + 16 * i, mur_hash_hex(hex, words[i]), MUR_HASH_HEX);
}

static void change_clear(mur_change *c)
{
    free(c->table);
    if (!c->is_schema_shared)
        free(c->schema);
    free(c->input);
    for (size_t i = 0; i < c->n_added; i++)
        mur_part_clear(&c->added[i]);
    free(c->added);
    for (size_t i = 0; i < c->n_removed; i++)
        free(c->removed[i]);
    free(c->removed);
}

void mur_record_clear(mur_record *r)
{
    char *texts[] = {r->operation, r->run_id,     r->murmur_version, r->blas_kernel,
                     r->options,   r->model_name, r->model_hash,     r->precision};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    for (size_t i = 0; i < r->n_changes; i++)
        change_clear(&r->changes[i]);
    free(r->changes);
    for (size_t i = 0; r->sources && i < r->n_sources; i++)
        free(r->sources[i].path);
    free(r->sources);
    for (size_t i = 0; i < r->n_vacuumed; i++)
        free(r->vacuumed[i]);
    free(r->vacuumed);
    free(r->units);
    *r = (mur_record){0};
}

mur_change *mur_record_change(mur_record *r, const char *table)
{
    r->changes = mur_realloc(r->changes, r->n_changes + 1, sizeof *r->changes);
    mur_change *change = &r->changes[r->n_changes++];
    *change = (mur_change){.table = mur_strdup(table), .input_version = -1};
    return change;
}
