/* progress_file.h: STORE/progress.jsonl, its rotated files, and STORE/_progress. Written by the one writer of the
 * store, beside readers. Local. */
#ifndef MURMUR_PROGRESS_FILE_H
#define MURMUR_PROGRESS_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/error.h"

/* A file of so many bytes is renamed to progress.jsonl.000001 and so on before the next line; so many of those stay.
 * Together some tens of thousands of triggers. */
#define MUR_PROGRESS_FILE_BYTES (INT64_C(8) << 20)
#define MUR_PROGRESS_FILES 8

/* Appends `lines` (whole ones, with their line feeds) with one write, behind a line feed where the file does not end
 * with one: a line that a crash tore stays by itself. `limit` is MUR_PROGRESS_FILE_BYTES, but for tests. MUR_EIO. */
int mur_progress_append(const char *store, mur_view lines, int64_t limit) MUR_MUST_USE;

/* The numbers of the rotated files, ascending, in a fresh array; NULL for none. MUR_EIO. */
int mur_progress_rotated(const char *store, int **numbers, size_t *n) MUR_MUST_USE;

/* The path of a rotated file, or of progress.jsonl itself (0). A fresh string. */
char *mur_progress_path(const char *store, int number);

/* STORE/_progress: always as long, so that it is replaced by one write, without a second file. A reader that comes in
 * between may see a mixture: it is for showing. The second removes it. MUR_EIO. */
#define MUR_PROGRESS_NOW_BYTES 1024
int mur_progress_now_write(const char *store, mur_view text) MUR_MUST_USE;
void mur_progress_now_remove(const char *store);
char *mur_progress_now_path(const char *store);

#endif
