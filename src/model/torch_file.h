/* torch_file.h: which tensors a pytorch_model.bin holds, and where: a zip archive of one pickle, ROOT/data.pkl, and of
 * the storages' bytes, ROOT/data/KEY (torch.save since 1.6). */
#ifndef MURMUR_MODEL_TORCH_FILE_H
#define MURMUR_MODEL_TORCH_FILE_H

#include "murmur/buf.h"
#include "tensor.h"
#include "zip.h"

/* MUR_ENOINPUT, MUR_EIO, MUR_EDATA; the message names file and tensor. */
int mur_torch_read(mur_tensors *out, const char *path) MUR_MUST_USE;

/* The same for an archive that may be in memory. */
int mur_torch_parse(mur_tensors *out, mur_zip_source source) MUR_MUST_USE;

/* The elements of an indirect tensor of at most two dimensions, in row-major order, appended to `out`; `path` is the
 * file. MUR_EIO, MUR_EDATA, MUR_EINTERNAL (no memory for its storage). */
int mur_torch_fetch(mur_buf *out, const mur_tensor *t, const char *path) MUR_MUST_USE;

#endif
