/* view.h: a borrowed run of bytes. Text is UTF-8 where its producer says so; it is never NUL-terminated. */
#ifndef MURMUR_VIEW_H
#define MURMUR_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct mur_view {
    const char *ptr;
    size_t len;
} mur_view;

static inline mur_view mur_view_of(const char *text)
{
    return (mur_view){text, strlen(text)};
}

static inline bool mur_view_equal(mur_view a, mur_view b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Byte order, a prefix before what it begins: the order of every sorted thing in a store. */
static inline int mur_view_compare(mur_view a, mur_view b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared ? memcmp(a.ptr, b.ptr, shared) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

#endif
