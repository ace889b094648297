/* bpe.h: byte pair encoding. Of all neighbouring pairs of a word's symbols the one learned first is merged, everywhere
 * in the word, until no pair is known. What a symbol is, and what a word begins as, is the caller's: fastBPE's code
 * points (bpe_codes.h) or the bytes of RoBERTa (byte_level.c).
 */
#ifndef MURMUR_TOKEN_BPE_H
#define MURMUR_TOKEN_BPE_H

#include <stddef.h>
#include <stdint.h>

#define MUR_BPE_MOST_MERGES (UINT32_MAX / 8)

/* A symbol that no merge knows. */
#define MUR_BPE_NO_SYMBOL UINT32_MAX

typedef struct mur_bpe_merge mur_bpe_merge;
typedef struct mur_bpe_symbol mur_bpe_symbol;
typedef struct mur_bpe_candidate mur_bpe_candidate;

typedef struct mur_bpe {
    mur_bpe_merge *merges;
    size_t n_slots; /* of the hash table `merges`; a power of two */

    /* Scratch of mur_bpe_split. */
    mur_bpe_symbol *word;
    size_t cap_word;
    mur_bpe_candidate *heap;
    size_t n_heap, cap_heap;
    size_t *round;
    size_t cap_round;
} mur_bpe;

/* Room for `n_merges`, MUR_BPE_MOST_MERGES at most. */
void mur_bpe_init(mur_bpe *b, size_t n_merges);
void mur_bpe_clear(mur_bpe *b);

/* The lower rank was learned first. A pair that is there already gets the new rank. */
void mur_bpe_set(mur_bpe *b, uint32_t left, uint32_t right, uint32_t merged, uint32_t rank);

/* A final symbol of a word, and the number of first symbols up to its end. */
typedef struct mur_bpe_piece {
    size_t end;
    uint32_t symbol;
} mur_bpe_piece;

/* Cuts a word into `pieces`, which has room for `len` > 0, and returns how many they are. Time len × log(len), however
 * long the word. */
size_t mur_bpe_split(mur_bpe *b, mur_bpe_piece *pieces, const uint32_t *symbols, size_t len);

#endif
