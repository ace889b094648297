/* export_h5.h: the HDF5 form of `murmur export`. */
#ifndef MURMUR_EXPORT_H5_H
#define MURMUR_EXPORT_H5_H

#include "murmur/table_rows.h"

/* Writes the selected rows, columns as in `schema`, to the file at `path` (docs/FORMAT.md, "Exported files"). */
int mur_export_h5(const mur_store *store, const mur_selection *selection, const mur_schema *schema,
                  const char *path) MUR_MUST_USE;

#endif
