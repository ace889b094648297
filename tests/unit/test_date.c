#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "murmur/date.h"

/* The date of text in memory of exactly its size, as murmur prints instants; "null" for none. */
static const char *shown(const char *text)
{
    static char out[MUR_TIME_TEXT];
    size_t len = strlen(text);
    char *copy = malloc(len + !len);
    memcpy(copy, text, len);
    int64_t ms = mur_date_parse((mur_view){copy, len});
    free(copy);
    return ms == MUR_NO_TIME ? "null" : mur_time_format(out, ms);
}

static void tweet_dates_are_read_as_utc(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"Mon Apr 06 22:19:45 PDT 2009", "2009-04-07T05:19:45Z"},
        {"Mon Jan 06 22:19:45 PST 2009", "2009-01-07T06:19:45Z"},
        {"Sat Feb 28 23:59:59 MST 2009", "2009-03-01T06:59:59Z"},
        {"Sat Feb 28 23:59:59 MDT 2009", "2009-03-01T05:59:59Z"},
        {"Sat Dec 31 20:00:00 CST 2011", "2012-01-01T02:00:00Z"},
        {"Sat Dec 31 20:00:00 CDT 2011", "2012-01-01T01:00:00Z"},
        {"Sat Dec 31 20:00:00 EST 2011", "2012-01-01T01:00:00Z"},
        {"Sat Dec 31 20:00:00 EDT 2011", "2012-01-01T00:00:00Z"},
        {"Mon May 11 03:17:40 UTC 2009", "2009-05-11T03:17:40Z"},
        {"Mon May 11 03:17:40 GMT 2009", "2009-05-11T03:17:40Z"},
        {"Mon May 11 03:17:40 Z 2009", "2009-05-11T03:17:40Z"},
        {"Wed Jun 10 15:59:26 +0000 2020", "2020-06-10T15:59:26Z"},
        {"Wed Jun 10 15:59:26 +0530 2020", "2020-06-10T10:29:26Z"},
        {"Wed Jun 10 15:59:26 -03:30 2020", "2020-06-10T19:29:26Z"},
        {"Wed Jul 1 00:00:00 +00:00 2020", "2020-07-01T00:00:00Z"},
        {"Thu Feb 29 00:00:00 UTC 2024", "2024-02-29T00:00:00Z"},
        {"wed aUG 10 15:59:26 UTC 2020", "2020-08-10T15:59:26Z"},
        {"Mon Sep 10 15:59:26 UTC 2020", "2020-09-10T15:59:26Z"}, /* it was a Thursday */
        {"Xyz Oct 10 15:59:26 UTC 2020", "2020-10-10T15:59:26Z"},
        {"Monday Nov 10 15:59:26 UTC 2020", "2020-11-10T15:59:26Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(shown(cases[i][0]), cases[i][1]);
}

static void iso_dates_are_read_as_utc(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"2009-04-07T05:19:45Z", "2009-04-07T05:19:45Z"},
        {"2009-04-07 05:19:45", "2009-04-07T05:19:45Z"},
        {"2009-04-07", "2009-04-07T00:00:00Z"},
        {"2009-04-07T05:19:45.1239+02:00", "2009-04-07T03:19:45.123Z"},
        {"2009-04-07T05:19-0130", "2009-04-07T06:49:00Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(shown(cases[i][0]), cases[i][1]);
}

static void anything_else_is_no_date(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        " ",
        "x",
        "not a date",
        "1239081585",
        "Mon Apr 06 22:19:45 PDT",
        "Mon Apr 06 22:19:45 2009",
        "Mon Apr 06 22:19:45 PDT 2009 ",
        " Mon Apr 06 22:19:45 PDT 2009",
        "Mon Apr 06 22:19:45 PDT 2009 x",
        "Mon  Apr 06 22:19:45 PDT 2009",
        "Mon Apr  6 22:19:45 PDT 2009",
        "Mon\tApr 06 22:19:45 PDT 2009",
        "Mon, Apr 06 22:19:45 PDT 2009",
        "M0n Apr 06 22:19:45 PDT 2009",
        "Mon Apri 06 22:19:45 PDT 2009",
        "Mon April 06 22:19:45 PDT 2009",
        "Mon Avr 06 22:19:45 PDT 2009",
        "Mon Apr 006 22:19:45 PDT 2009",
        "Mon Apr 6th 22:19:45 PDT 2009",
        "Mon Apr 06 2:19:45 PDT 2009",
        "Mon Apr 06 22:19 PDT 2009",
        "Mon Apr 06 22.19.45 PDT 2009",
        "Mon Apr 06 22:19:45.5 PDT 2009",
        "Mon Apr 06 22:19:45 CET 2009",
        "Mon Apr 06 22:19:45 pdt 2009",
        "Mon Apr 06 22:19:45 PDTX 2009",
        "Mon Apr 06 22:19:45 +000 2009",
        "Mon Apr 06 22:19:45 +00000 2009",
        "Mon Apr 06 22:19:45 +0:000 2009",
        "Mon Apr 06 22:19:45 +2400 2009",
        "Mon Apr 06 22:19:45 +0060 2009",
        "Mon Apr 06 22:19:45 0000 2009",
        "Mon Apr 06 22:19:45 PDT 209",
        "Mon Apr 06 22:19:45 PDT 20090",
        "Mon Apr 06 22:19:45 PDT -009",
        "Mon Apr 00 22:19:45 PDT 2009",
        "Mon Apr 31 22:19:45 PDT 2009",
        "Sun Feb 29 22:19:45 PDT 2009",
        "Mon Apr 06 24:00:00 PDT 2009",
        "Mon Apr 06 22:60:45 PDT 2009",
        "Mon Apr 06 22:19:60 PDT 2009",
        "2009-02-29",
        "2009-4-7",
        "2009-04-07T",
        "2009-04-07T05:19:45 PDT",
        "04/07/2009",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(shown(cases[i]), "null") != 0)
            fail_msg("\"%s\" was read as %s", cases[i], shown(cases[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tweet_dates_are_read_as_utc),
        cmocka_unit_test(iso_dates_are_read_as_utc),
        cmocka_unit_test(anything_else_is_no_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
