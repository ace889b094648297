/* plain_file.h: rows of a table as one HDF5 file that other programs read without help: h5py, pandas users, xarray,
 * netCDF, MATLAB. docs/FORMAT.md ("Exported files") has the layout. Local: one process writes it, with the serial
 * driver and in memory that does not grow with the rows.
 *
 *     rc = mur_plain_create(&f, "gold.h5", &schema, n_rows, flags);
 *     rc = mur_plain_put_text(f, "title", "…");                      attributes of the file, as many as one likes
 *     while (…) rc = mur_plain_append(f, &frame);                    n_rows in all
 *     rc = mur_plain_close(&f, rc);                                  now the file is there, or nothing is
 */
#ifndef MURMUR_PLAIN_FILE_H
#define MURMUR_PLAIN_FILE_H

#include <stdint.h>

#include "murmur/error.h"
#include "murmur/frame.h"

typedef struct mur_plain_file mur_plain_file;

/* What the numbers 0, 1, … of an int8 column mean: words with spaces between them. */
typedef struct mur_plain_flags {
    const char *column; /* NULL ends the list */
    const char *meanings;
} mur_plain_flags;

/* Begins the file beside `path`, under a temporary name. `schema` and `flags` (may be NULL) are only read here.
 * MUR_EUSAGE if the schema has a column twice, MUR_ECREATE, MUR_EIO. */
int mur_plain_create(mur_plain_file **out, const char *path, const mur_schema *schema, int64_t n_rows,
                     const mur_plain_flags *flags) MUR_MUST_USE;

/* Attributes of the file as a whole. */
int mur_plain_put_text(mur_plain_file *f, const char *name, const char *text) MUR_MUST_USE;
int mur_plain_put_int64(mur_plain_file *f, const char *name, int64_t value) MUR_MUST_USE;

/* The next rows, of the same schema. */
int mur_plain_append(mur_plain_file *f, const mur_frame *rows) MUR_MUST_USE;

/* Where `rc` is 0 and all rows came: completes the file, syncs it, and gives it its name, in place of what had it.
 * Otherwise removes what was written. Returns `rc`, or what failed here. NULL afterwards; closing NULL is fine. */
int mur_plain_close(mur_plain_file **f, int rc) MUR_MUST_USE;

#endif
