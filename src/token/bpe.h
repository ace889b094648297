/* bpe.h: byte pair encoding as fastBPE does it (https://github.com/glample/fastBPE): a word's symbols are its code
 * points, the last one marked "</w>"; of all neighbouring pairs the one learned first is merged, everywhere in the
 * word, until no pair is known.
 */
#ifndef MURMUR_TOKEN_BPE_H
#define MURMUR_TOKEN_BPE_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/error.h"
#include "murmur/map.h"

#define MUR_BPE_END_OF_WORD "</w>"

typedef struct mur_bpe_merge mur_bpe_merge;
typedef struct mur_bpe_symbol mur_bpe_symbol;
typedef struct mur_bpe_candidate mur_bpe_candidate;

typedef struct mur_bpe {
    mur_map symbols; /* all that a merge reads or makes */
    mur_bpe_merge *merges;
    size_t n_slots;          /* of the hash table `merges`; a power of two */
    uint32_t ascii[2][0x80]; /* the symbols of ASCII, and at the end of a word */

    /* Scratch of mur_bpe_split. */
    mur_bpe_symbol *word;
    size_t cap_word;
    mur_bpe_candidate *heap;
    size_t n_heap, cap_heap;
    size_t *round;
    size_t cap_round;
    mur_buf key;
} mur_bpe;

/* Reads bpe.codes: a line "LEFT RIGHT COUNT" for each merge, the first learned first. A line of another number of
 * fields counts as one and merges nothing; a last line without a line end is not read. `b` is zeroed to begin. */
int mur_bpe_open(mur_bpe *b, const char *path) MUR_MUST_USE;
void mur_bpe_clear(mur_bpe *b);

#define MUR_BPE_NO_SYMBOL UINT32_MAX

/* A final symbol of a word: where it ends there, and its number in `symbols`, or MUR_BPE_NO_SYMBOL for a code point
 * that no merge knows. */
typedef struct mur_bpe_piece {
    size_t end;
    uint32_t symbol;
} mur_bpe_piece;

/* Cuts a word into `pieces`, which has room for `len` > 0, and returns how many they are. Time len × log(len), however
 * long the word. */
size_t mur_bpe_split(mur_bpe *b, mur_bpe_piece *pieces, const uint32_t *word, size_t len);

#endif
