/* quantity.h: sizes and durations as users write them, and as murmur prints them. */
#ifndef MURMUR_QUANTITY_H
#define MURMUR_QUANTITY_H

#include <stdint.h>

#include "murmur/error.h"

#define MUR_QUANTITY_TEXT 32

/* "4096", "64K", "256M", "1.5GiB": bytes; K, M, G, T (also with B or iB) are powers of 1024. MUR_EUSAGE with a message.
 */
int mur_size_parse(int64_t *bytes, const char *text) MUR_MUST_USE;

/* "90", "90s", "500ms", "10m", "2h", "7d": milliseconds; a bare number is seconds. MUR_EUSAGE with a message. */
int mur_duration_parse(int64_t *ms, const char *text) MUR_MUST_USE;

/* A whole number in [low, high]. MUR_EUSAGE with a message. */
int mur_integer_parse(int64_t *value, const char *text, int64_t low, int64_t high) MUR_MUST_USE;

/* "3.4 MiB". Returns `out`. */
char *mur_size_format(char out[MUR_QUANTITY_TEXT], int64_t bytes);

/* "5s", "2m 13s", "3h 5m": seconds, to the nearest. Returns `out`. */
char *mur_duration_format(char out[MUR_QUANTITY_TEXT], double seconds);

#endif
