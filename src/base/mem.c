#include "murmur/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "murmur/fault.h"
#include "murmur/log.h"

static void (*exhausted_hook)(int status) = exit;

void mur_mem_on_exhausted(void (*hook)(int status))
{
    exhausted_hook = hook;
}

static void exhausted(size_t count, size_t size)
{
    mur_log_error("out of memory (%zu × %zu bytes); run with fewer ranks per node or a smaller --max-bytes", count,
                  size);
    exhausted_hook(mur_exit_status(MUR_EINTERNAL));
    abort(); /* the hook does not return */
}

void *mur_alloc(size_t count, size_t size)
{
    void *p = mur_fault_memory() ? NULL : calloc(count ? count : 1, size ? size : 1);
    if (!p)
        exhausted(count, size);
    return p;
}

void *mur_realloc(void *old, size_t count, size_t size)
{
    void *p =
        mur_fault_memory() || (size && count > SIZE_MAX / size) ? NULL : realloc(old, count && size ? count * size : 1);
    if (!p)
        exhausted(count, size);
    return p;
}

void *mur_try_alloc(size_t count, size_t size)
{
    void *p = NULL;
    if (!mur_fault_memory() && (size == 0 || count <= (SIZE_MAX - 64) / size)) {
        size_t len = (count * size + 63) / 64 * 64;
        p = aligned_alloc(64, len ? len : 64);
    }
    if (!p)
        mur_fail(MUR_EINTERNAL, "out of memory (%zu × %zu bytes)", count, size);
    return p;
}

void *mur_try_alloc_large(size_t len)
{
    const size_t page = (size_t)2 << 20; /* x86-64's large one */
    if (len < page)
        return mur_try_alloc(1, len);
    void *p = mur_fault_memory() || len > SIZE_MAX - page ? NULL : aligned_alloc(page, (len + page - 1) / page * page);
    if (p)
        (void)madvise(p, len, MADV_HUGEPAGE); /* a wish: where there are none, all is as before */
    else
        mur_fail(MUR_EINTERNAL, "out of memory (%zu bytes)", len);
    return p;
}

char *mur_strndup(const char *text, size_t len)
{
    char *p = mur_alloc(len + 1, 1);
    memcpy(p, text, len);
    return p;
}

char *mur_strdup(const char *text)
{
    return mur_strndup(text, strlen(text));
}

char *mur_format(const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int len = vsnprintf(NULL, 0, format, arguments);
    char *text = mur_alloc((size_t)len + 1, 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(arguments);
    return text;
}

size_t mur_grown(size_t cap, size_t need)
{
    size_t next = cap ? cap : 16;
    while (next < need) {
        if (next > SIZE_MAX / 2)
            return need;
        next *= 2;
    }
    return next;
}
