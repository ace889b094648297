#include "murmur/quantity.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

typedef struct unit {
    const char *name;
    double factor;
} unit;

/* A decimal number and one of `units`; whole after scaling. */
static int parse(int64_t *value, const char *text, const unit *units, const char *what, const char *examples)
{
    char *end;
    double number = text[0] >= '0' && text[0] <= '9' ? strtod(text, &end) : -1;
    if (number >= 0) {
        for (const unit *u = units; u->name; u++) {
            if (strcasecmp(end, u->name) != 0)
                continue;
            double scaled = number * u->factor;
            if (scaled < 9.2e18) {
                *value = (int64_t)llround(scaled);
                return 0;
            }
        }
    }
    return mur_fail(MUR_EUSAGE, "'%s' is not a %s; write for example %s", text, what, examples);
}

int mur_size_parse(int64_t *bytes, const char *text)
{
    static const unit units[] = {{"", 1},         {"B", 1},       {"K", 0x1p10},   {"KB", 0x1p10},  {"KiB", 0x1p10},
                                 {"M", 0x1p20},   {"MB", 0x1p20}, {"MiB", 0x1p20}, {"G", 0x1p30},   {"GB", 0x1p30},
                                 {"GiB", 0x1p30}, {"T", 0x1p40},  {"TB", 0x1p40},  {"TiB", 0x1p40}, {NULL, 0}};
    return parse(bytes, text, units, "size", "4096, 64K, 256M or 1G");
}

int mur_duration_parse(int64_t *ms, const char *text)
{
    static const unit units[] = {{"", 1000},     {"ms", 1},      {"s", 1000},     {"m", 60000},
                                 {"min", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
    return parse(ms, text, units, "duration", "10s, 5m, 2h or 7d");
}

int mur_integer_parse(int64_t *value, const char *text, int64_t low, int64_t high)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < low || number > high)
        return mur_fail(MUR_EUSAGE, "'%s' is not a whole number from %" PRId64 " to %" PRId64, text, low, high);
    *value = number;
    return 0;
}

char *mur_size_format(char out[MUR_QUANTITY_TEXT], int64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    double value = (double)bytes;
    size_t unit_index = 0;
    while (value >= 1024 && unit_index + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit_index++;
    }
    snprintf(out, MUR_QUANTITY_TEXT, unit_index == 0 ? "%.0f %s" : "%.1f %s", value, units[unit_index]);
    return out;
}

char *mur_duration_format(char out[MUR_QUANTITY_TEXT], double seconds)
{
    int64_t s = seconds > 0 && seconds < 1e15 ? (int64_t)(seconds + 0.5) : 0;
    if (s < 60)
        snprintf(out, MUR_QUANTITY_TEXT, "%" PRId64 "s", s);
    else if (s < 3600)
        snprintf(out, MUR_QUANTITY_TEXT, "%" PRId64 "m %" PRId64 "s", s / 60, s % 60);
    else
        snprintf(out, MUR_QUANTITY_TEXT, "%" PRId64 "h %" PRId64 "m", s / 3600, s / 60 % 60);
    return out;
}
