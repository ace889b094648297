/* bpe_codes.h: byte pair encoding as fastBPE does it (https://github.com/glample/fastBPE): a word's first symbols are
 * its code points, the last one marked "</w>".
 */
#ifndef MURMUR_TOKEN_BPE_CODES_H
#define MURMUR_TOKEN_BPE_CODES_H

#include "bpe.h"
#include "murmur/buf.h"
#include "murmur/error.h"
#include "murmur/map.h"

typedef struct mur_bpe_codes {
    mur_bpe bpe;
    mur_map symbols;         /* all that a merge reads or makes */
    uint32_t ascii[2][0x80]; /* the symbols of ASCII, and at the end of a word */

    /* Scratch. */
    uint32_t *word;
    size_t cap_word;
    mur_buf key;
} mur_bpe_codes;

/* Reads bpe.codes: a line "LEFT RIGHT COUNT" for each merge, the first learned first. A line of another number of
 * fields counts as one and merges nothing; a last line without a line end is not read. `c` is zeroed to begin. */
int mur_bpe_codes_open(mur_bpe_codes *c, const char *path) MUR_MUST_USE;
void mur_bpe_codes_clear(mur_bpe_codes *c);

/* mur_bpe_split of a word of code points. A piece's symbol is its number in `symbols`, or MUR_BPE_NO_SYMBOL for a code
 * point that no merge knows. */
size_t mur_bpe_codes_split(mur_bpe_codes *c, mur_bpe_piece *pieces, const uint32_t *word, size_t len);

#endif
