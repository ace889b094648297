#include "murmur/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MS_PER_DAY 86400000

int64_t mur_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

double mur_monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void mur_sleep(double seconds)
{
    struct timespec wait = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    nanosleep(&wait, NULL);
}

/* Days since 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms"): years start in March, so that the
 * leap day is the last of its year. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int64_t *year, int *month, int *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

bool mur_time_from_civil(int64_t *ms, int year, int month, int day, int hour, int minute, int second)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
        second > 59)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > lengths[month - 1] + (month == 2 && leap))
        return false;
    int64_t seconds = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *ms = seconds * 1000;
    return true;
}

static char *put_digits(char *to, int n_digits, int value)
{
    for (int i = n_digits - 1; i >= 0; i--, value /= 10)
        to[i] = (char)('0' + value % 10);
    return to + n_digits;
}

/* By hand: with printf an export spent a third of its time here. */
char *mur_time_format(char out[MUR_TIME_TEXT], int64_t ms)
{
    int64_t days = ms / MS_PER_DAY, rest = ms % MS_PER_DAY;
    if (rest < 0) {
        rest += MS_PER_DAY;
        days--;
    }
    int64_t year;
    int month, day;
    civil_from_days(days, &year, &month, &day);
    const int seconds = (int)(rest / 1000), part = (int)(rest % 1000);
    const struct {
        char before;
        int n_digits, value;
    } fields[] = {{'-', 2, month},        {'-', 2, day}, {'T', 2, seconds / 3600}, {':', 2, seconds / 60 % 60},
                  {':', 2, seconds % 60}, {'.', 3, part}};
    char *at = out;
    if (year < 0 || year > 9999)
        at += snprintf(out, MUR_TIME_TEXT, "%+05" PRId64, year);
    else
        at = put_digits(at, 4, (int)year);
    for (size_t i = 0; i < sizeof fields / sizeof *fields - (part == 0); i++) {
        *at++ = fields[i].before;
        at = put_digits(at, fields[i].n_digits, fields[i].value);
    }
    memcpy(at, "Z", 2);
    return out;
}

/* Exactly `n_digits` decimal digits at `*at`. */
static bool take_digits(mur_view text, size_t *at, int n_digits, int *value)
{
    *value = 0;
    for (int i = 0; i < n_digits; i++) {
        if (*at >= text.len || text.ptr[*at] < '0' || text.ptr[*at] > '9')
            return false;
        *value = *value * 10 + (text.ptr[(*at)++] - '0');
    }
    return true;
}

static bool take_one_of(mur_view text, size_t *at, const char *set)
{
    if (*at >= text.len || text.ptr[*at] == '\0' || !strchr(set, text.ptr[*at]))
        return false;
    ++*at;
    return true;
}

int mur_time_parse(int64_t *ms, mur_view text)
{
    size_t at = 0;
    int year, month, day, hour = 0, minute = 0, second = 0, millisecond = 0, offset_minutes = 0;
    if (!take_digits(text, &at, 4, &year) || !take_one_of(text, &at, "-") || !take_digits(text, &at, 2, &month) ||
        !take_one_of(text, &at, "-") || !take_digits(text, &at, 2, &day))
        return MUR_EDATA;

    if (at < text.len) {
        if (!take_one_of(text, &at, "Tt ") || !take_digits(text, &at, 2, &hour) || !take_one_of(text, &at, ":") ||
            !take_digits(text, &at, 2, &minute))
            return MUR_EDATA;
        if (take_one_of(text, &at, ":")) {
            if (!take_digits(text, &at, 2, &second))
                return MUR_EDATA;
            if (take_one_of(text, &at, ".,")) {
                int digit, n_digits = 0;
                for (int weight = 100; take_digits(text, &at, 1, &digit); weight /= 10, n_digits++)
                    millisecond += weight * digit;
                if (n_digits == 0)
                    return MUR_EDATA;
            }
        }
        if (at < text.len && !take_one_of(text, &at, "Zz")) {
            int sign = text.ptr[at] == '-' ? -1 : 1, hours, minutes = 0;
            if (!take_one_of(text, &at, "+-") || !take_digits(text, &at, 2, &hours))
                return MUR_EDATA;
            bool colon = take_one_of(text, &at, ":");
            if ((colon || at < text.len) && !take_digits(text, &at, 2, &minutes))
                return MUR_EDATA;
            if (hours > 23 || minutes > 59)
                return MUR_EDATA;
            offset_minutes = sign * (hours * 60 + minutes);
        }
    }
    if (at != text.len || !mur_time_from_civil(ms, year, month, day, hour, minute, second))
        return MUR_EDATA;
    *ms += millisecond - (int64_t)offset_minutes * 60000;
    return 0;
}
