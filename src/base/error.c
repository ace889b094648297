#include "murmur/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local mur_error last = {.rank = -1};

static int fail(int code, int number, const char *format, va_list arguments)
{
    char text[sizeof last.message]; /* built aside: an argument may be the old message */
    vsnprintf(text, sizeof text, format, arguments);
    if (number != 0) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, ": %s", strerror(number));
    }
    memcpy(last.message, text, sizeof text);
    last.code = code;
    last.rank = -1;
    return code;
}

int mur_fail(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fail(code, 0, format, arguments);
    va_end(arguments);
    return code;
}

int mur_fail_errno(int code, const char *format, ...)
{
    int number = errno;
    va_list arguments;
    va_start(arguments, format);
    fail(code, number, format, arguments);
    va_end(arguments);
    return code;
}

void mur_error_add(const char *format, ...)
{
    char text[sizeof last.message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t used = strlen(text), old = strlen(last.message);
    if (used + 2 < sizeof text) { /* what does not fit of the old message is cut */
        size_t room = sizeof text - 1 - used - 2, kept = old < room ? old : room;
        memcpy(text + used, ": ", 2);
        memcpy(text + used + 2, last.message, kept);
        text[used + 2 + kept] = '\0';
    }
    memcpy(last.message, text, sizeof text);
}

mur_error *mur_error_last(void)
{
    return &last;
}

const char *mur_code_text(int code)
{
    switch (code) {
#define X(name, status, text)                                                                                          \
    case name: return text;
        MUR_CODES(X)
#undef X
    default: return "unknown error";
    }
}

int mur_exit_status(int rc)
{
    if (rc >= 0)
        return 0;
    switch (rc) {
#define X(name, status, text)                                                                                          \
    case name: return status;
        MUR_CODES(X)
#undef X
    default: return -MUR_EINTERNAL;
    }
}
