/* vocab.h: strings and their ids. */
#ifndef MURMUR_TOKEN_VOCAB_H
#define MURMUR_TOKEN_VOCAB_H

#include <stdint.h>

#include "murmur/error.h"
#include "murmur/map.h"
#include "murmur/view.h"

typedef struct mur_vocab {
    mur_map strings;
    int32_t *ids; /* by number of the string */
    size_t cap_ids;
    int32_t largest; /* of all ids; -1 when there is none */
} mur_vocab;

#define MUR_VOCAB_NONE (-1)

void mur_vocab_init(mur_vocab *v);
void mur_vocab_clear(mur_vocab *v);

/* A string that is there already gets the new id. */
void mur_vocab_set(mur_vocab *v, mur_view string, int32_t id);

/* MUR_VOCAB_NONE where the string is unknown. */
int32_t mur_vocab_id(const mur_vocab *v, mur_view string);

/* Reads `object`, a part of the checked JSON `text` of file `path`: {"STRING": id, …}. MUR_EDATA names line and column.
 */
int mur_vocab_read_json(mur_vocab *v, mur_view text, mur_view object, const char *path) MUR_MUST_USE;

/* Reads a vocab.json: mur_vocab_read_json of a whole file. */
int mur_vocab_read_json_file(mur_vocab *v, const char *path) MUR_MUST_USE;

/* Reads a vocab.txt of one string a line, as it stands there: its number from 0 is its id. */
int mur_vocab_read_lines(mur_vocab *v, const char *path) MUR_MUST_USE;

/* Reads a vocab.txt of "TOKEN COUNT" lines, cut at the last space: ids follow `first_id`. MUR_EDATA names the line. */
int mur_vocab_read_counted(mur_vocab *v, const char *path, int32_t first_id) MUR_MUST_USE;

#endif
