/* clock.h: instants are int64 milliseconds since 1970-01-01T00:00:00Z, UTC; MUR_NO_TIME (numpy's NaT) means none. */
#ifndef MURMUR_CLOCK_H
#define MURMUR_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "murmur/error.h"
#include "murmur/view.h"

#define MUR_NO_TIME INT64_MIN
#define MUR_TIME_TEXT 40 /* room for any formatted instant */

int64_t mur_now_ms(void);

/* Seconds from an arbitrary start that never goes back: for durations. */
double mur_monotonic(void);

/* A signal ends the sleep early, so that its flag is seen. */
void mur_sleep(double seconds);

/* "2009-04-07T05:19:45Z", with ".123" only where the milliseconds are not zero. Years outside 0..9999 get a sign as in
 * ISO 8601's expanded form. Returns `out`. */
char *mur_time_format(char out[MUR_TIME_TEXT], int64_t ms);

/* Reads ISO 8601: YYYY-MM-DD, or YYYY-MM-DD(T| )HH:MM[:SS[(.|,)fraction]] and then nothing (UTC), Z, ±HH, ±HHMM or
 * ±HH:MM; milliseconds truncated. Leap seconds (60) are not accepted. MUR_EDATA otherwise, no message. */
int mur_time_parse(int64_t *ms, mur_view text) MUR_MUST_USE;

/* Milliseconds of a civil UTC time of the proleptic Gregorian calendar; false if there is no such day or time. */
bool mur_time_from_civil(int64_t *ms, int year, int month, int day, int hour, int minute, int second);

#endif
