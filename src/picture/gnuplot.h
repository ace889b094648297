/* gnuplot.h: one run of gnuplot. */
#ifndef MURMUR_GNUPLOT_H
#define MURMUR_GNUPLOT_H

#include <stdbool.h>

#include "murmur/error.h"

/* Runs `gnuplot script` in the folder, with the user's start-up files left out; `is_png` sets the variable png. Ends it
 * after `limit` seconds. MUR_ENOINPUT where there is no gnuplot; MUR_EINTERNAL with what it said. */
int mur_gnuplot_run(const char *folder, const char *script, bool is_png, double limit) MUR_MUST_USE;

#endif
