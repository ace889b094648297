#include "murmur/date.h"

#include <stdbool.h>
#include <string.h>

#define MS_PER_MINUTE 60000

static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                     "jul", "aug", "sep", "oct", "nov", "dec"};

/* North America's names, the only ones among the abbreviations that tweets of 2009 have, and those of UTC. */
static const struct {
    const char *name;
    int hours;
} zones[] = {
    {"UTC", 0},  {"GMT", 0},  {"Z", 0},    {"EST", -5}, {"EDT", -4}, {"CST", -6},
    {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7},
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes the bytes up to the next space, or the end, off `rest`. Two spaces in a row make an empty field, which nothing
 * accepts. */
static mur_view take_field(mur_view *rest)
{
    const char *space = rest->len ? memchr(rest->ptr, ' ', rest->len) : NULL;
    size_t len = space ? (size_t)(space - rest->ptr) : rest->len;
    mur_view field = {rest->ptr, len};
    size_t taken = space ? len + 1 : len;
    rest->ptr += taken;
    rest->len -= taken;
    return field;
}

/* `field` as a number of digits alone. */
static bool read_number(mur_view field, size_t min_digits, size_t max_digits, int *value)
{
    *value = 0;
    for (size_t i = 0; i < field.len; i++) {
        if (!is_digit(field.ptr[i]) || i == max_digits)
            return false;
        *value = *value * 10 + (field.ptr[i] - '0');
    }
    return field.len >= min_digits;
}

static bool is_weekday(mur_view field)
{
    for (size_t i = 0; i < field.len; i++)
        if (!is_letter(field.ptr[i]))
            return false;
    return field.len > 0;
}

static bool read_month(mur_view field, int *month)
{
    for (int m = 0; m < 12 && field.len == 3; m++) {
        if ((field.ptr[0] | 0x20) == months[m][0] && (field.ptr[1] | 0x20) == months[m][1] &&
            (field.ptr[2] | 0x20) == months[m][2]) {
            *month = m + 1;
            return true;
        }
    }
    return false;
}

static bool read_time(mur_view field, int *hour, int *minute, int *second)
{
    return field.len == 8 && field.ptr[2] == ':' && field.ptr[5] == ':' &&
           read_number((mur_view){field.ptr, 2}, 2, 2, hour) &&
           read_number((mur_view){field.ptr + 3, 2}, 2, 2, minute) &&
           read_number((mur_view){field.ptr + 6, 2}, 2, 2, second);
}

/* Minutes east of UTC. */
static bool read_zone(mur_view field, int *minutes)
{
    if (field.len > 0 && (field.ptr[0] == '+' || field.ptr[0] == '-')) {
        int hour, minute;
        bool has_colon = field.len == 6 && field.ptr[3] == ':';
        if (!(has_colon || field.len == 5) || !read_number((mur_view){field.ptr + 1, 2}, 2, 2, &hour) ||
            !read_number((mur_view){field.ptr + field.len - 2, 2}, 2, 2, &minute) || hour > 23 || minute > 59)
            return false;
        *minutes = (field.ptr[0] == '-' ? -1 : 1) * (hour * 60 + minute);
        return true;
    }
    for (size_t z = 0; z < sizeof zones / sizeof *zones; z++) {
        if (mur_view_equal(field, mur_view_of(zones[z].name))) {
            *minutes = zones[z].hours * 60;
            return true;
        }
    }
    return false;
}

/* EEE MMM d HH:mm:ss ZZZ yyyy */
static bool read_tweet_date(mur_view text, int64_t *ms)
{
    int month, day, hour, minute, second, zone_minutes, year;
    if (!is_weekday(take_field(&text)) || !read_month(take_field(&text), &month) ||
        !read_number(take_field(&text), 1, 2, &day) || !read_time(take_field(&text), &hour, &minute, &second) ||
        !read_zone(take_field(&text), &zone_minutes) || !read_number(text, 4, 4, &year) ||
        !mur_time_from_civil(ms, year, month, day, hour, minute, second))
        return false;
    *ms -= (int64_t)zone_minutes * MS_PER_MINUTE;
    return true;
}

int64_t mur_date_parse(mur_view text)
{
    int64_t ms;
    if (text.len > 0 && is_letter(text.ptr[0]))
        return read_tweet_date(text, &ms) ? ms : MUR_NO_TIME;
    return mur_time_parse(&ms, text) == 0 ? ms : MUR_NO_TIME;
}
