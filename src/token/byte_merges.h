/* byte_merges.h: the merges of byte-level BPE, whose symbols are ids of the vocabulary, and the letters that stand for
 * bytes there. */
#ifndef MURMUR_TOKEN_BYTE_MERGES_H
#define MURMUR_TOKEN_BYTE_MERGES_H

#include "bpe.h"
#include "murmur/error.h"
#include "vocab.h"

/* The code point that stands for a byte in vocab.json and merges.txt: itself where that is printable Latin-1, the
 * others follow U+0100 in order, so that a space is U+0120, Ġ. */
uint32_t mur_byte_letter(uint8_t byte);

/* merges.txt: a line "LEFT RIGHT" for each merge, the first learned first; a first line "#version…" and empty lines are
 * skipped. MUR_EDATA names the line. `b` is zeroed to begin. */
int mur_byte_merges_read(mur_bpe *b, const mur_vocab *v, const char *path) MUR_MUST_USE;

/* The same of `array`, a part of the checked JSON `text`: ["LEFT RIGHT", …] or [["LEFT", "RIGHT"], …]. */
int mur_byte_merges_read_json(mur_bpe *b, const mur_vocab *v, mur_view text, mur_view array,
                              const char *path) MUR_MUST_USE;

#endif
