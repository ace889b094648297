/* date.h: the dates that tweets carry. */
#ifndef MURMUR_DATE_H
#define MURMUR_DATE_H

#include <stdint.h>

#include "murmur/clock.h"
#include "murmur/view.h"

/* "Mon Apr 06 22:19:45 PDT 2009": a weekday (any word of letters: it is not checked against the date), an English month
 * of three letters in any case, a day of one or two digits, the time, a zone (UTC GMT Z EST EDT CST CDT MST MDT PST
 * PDT, or numeric as in "Wed Jun 10 15:59:26 +0000 2020" or +00:00), a year of four digits, one space between two of
 * them. Or ISO 8601 as mur_time_parse reads it. Milliseconds UTC; MUR_NO_TIME for anything else, and for days that
 * never were. */
int64_t mur_date_parse(mur_view text);

#endif
