/* report.h: a store as pictures and one page. */
#ifndef MURMUR_REPORT_H
#define MURMUR_REPORT_H

#include <stddef.h>

#include "murmur/error.h"

typedef struct mur_report_made {
    size_t n_pictures; /* drawn, each as SVG and PNG with its table and script */
    char *page;        /* path of index.html, owned by the caller */
} mur_report_made;

/* Local. Reads the store as of its last record, beside any writer, and writes into the folder, which is made if it is
 * not there and whose other files are left alone: index.html, which needs nothing beside it, and four files for each
 * picture (murmur/picture.h). A store without rows gives a page that says so. MUR_ENOINPUT (also without gnuplot),
 * MUR_ECREATE, MUR_EIO, MUR_EDATA. */
int mur_report(mur_report_made *out, const char *store, const char *folder) MUR_MUST_USE;

#endif
