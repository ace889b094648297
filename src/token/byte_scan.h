/* byte_scan.h: the words that GPT-2's byte-level tokenizers cut a text into:
 *
 *     's | 't | 're | 've | 'm | 'll | 'd | ?\p{L}+ | ?\p{N}+ | ?[^\s\p{L}\p{N}]+ | \s+(?!\S) | \s+      (" ?" at the
 *                                                                            front of the next three: one space)
 * The first alternative that matches wins. Every byte is in a word.
 */
#ifndef MURMUR_TOKEN_BYTE_SCAN_H
#define MURMUR_TOKEN_BYTE_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/view.h"

/* Where the word that begins at `at` < text.len ends. `text` is valid UTF-8, `classes` are mur_text_classes_make's. */
size_t mur_byte_scan(const uint8_t *classes, mur_view text, size_t at);

#endif
