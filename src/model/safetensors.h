/* safetensors.h: which tensors a safetensors file holds, and where (https://github.com/huggingface/safetensors,
 * "Format").
 *
 *     bytes 0..8    the header's length, little-endian
 *     the header    {"NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …, "__metadata__": {…}}
 *     the rest      the tensors' bytes: offsets count from here, and the tensors cover all of it once
 *
 * Nothing in a header is believed before it is checked; what passes lies inside the file and is as long as it says.
 */
#ifndef MURMUR_MODEL_SAFETENSORS_H
#define MURMUR_MODEL_SAFETENSORS_H

#include <stdint.h>

#include "murmur/error.h"
#include "murmur/view.h"
#include "tensor.h"

#define MUR_SAFETENSORS_PREFIX 8          /* bytes of the header's length */
#define MUR_SAFETENSORS_HEADER 100000000L /* the longest header, as in the reference implementation */

/* Reads and checks the header of a file. MUR_ENOINPUT, MUR_EIO, MUR_EDATA; the message names file and tensor. */
int mur_safetensors_read(mur_tensors *out, const char *path) MUR_MUST_USE;

/* The two steps of mur_safetensors_read, for a file called `what` of `file_len` bytes: the header's length out of the
 * first 8 bytes, and the header itself. MUR_EDATA. */
int mur_safetensors_header_len(int64_t *len, const unsigned char prefix[MUR_SAFETENSORS_PREFIX], int64_t file_len,
                               const char *what) MUR_MUST_USE;
int mur_safetensors_parse(mur_tensors *out, mur_view header, int64_t file_len, const char *what) MUR_MUST_USE;

#endif
