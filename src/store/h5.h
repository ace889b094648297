/* h5.h: the few ways in which parts use HDF5 (1.10, https://docs.hdfgroup.org/hdf5/v1_10/): handles that close by
 * themselves, failures as mur_error, property lists, attributes. Used by parts only; no other layer sees a hid_t.
 *
 * What creates or writes is collective on a file that ranks share, as HDF5 asks; the caller agrees on the verdicts.
 */
#ifndef MURMUR_H5_H
#define MURMUR_H5_H

#include <hdf5.h>
#include <stdint.h>

#include "murmur/error.h"
#include "murmur/par.h"

/* Handles that are closed together, newest first. A zeroed scope is empty. */
typedef struct mur_h5scope {
    hid_t held[16];
    int n;
} mur_h5scope;

/* Keeps the handle until mur_h5_leave and returns it; a failed one (negative) is only passed through. */
hid_t mur_h5_hold(mur_h5scope *s, hid_t id);

/* Closes all. `rc` as it was, or MUR_EIO if that was success and a close failed: closing a file is what writes it. */
int mur_h5_leave(mur_h5scope *s, int rc) MUR_MUST_USE;

/* Turns HDF5's own printing off. Local; called before anything else, as often as one likes. */
void mur_h5_start(void);

/* MUR_EIO: the formatted text and the root cause from HDF5's error stack, without the dates that it holds. */
int mur_h5_fail(const char *format, ...) MUR_PRINTF(1, 2);

/* File access by the ranks of `c`, and their transfers: through MPI-IO and collective where there are several, as
 * mur_h5_access_alone where it is one. File access by this process alone. Negative on failure. */
hid_t mur_h5_access_of(const mur_comm *c);
hid_t mur_h5_transfer_of(const mur_comm *c);
hid_t mur_h5_access_alone(void);

/* Attributes: UTF-8 text of variable length (h5py reads it as str), and int64. */
int mur_h5_put_text(hid_t where, const char *name, const char *text) MUR_MUST_USE;
int mur_h5_put_int64(hid_t where, const char *name, int64_t value) MUR_MUST_USE;

/* Reads an attribute of a file that may hold anything: MUR_EDATA if it is missing or of another kind. Text may be fixed
 * or variable in length; `*text` is the caller's to free. */
int mur_h5_get_text(hid_t where, const char *name, char **text) MUR_MUST_USE;
int mur_h5_get_int64(hid_t where, const char *name, int64_t *value) MUR_MUST_USE;

#endif
