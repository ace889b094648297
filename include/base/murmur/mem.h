/* mem.h: memory. Small allocations die with a message; bulk ones (whole files, model blocks) use mur_try_alloc. */
#ifndef MURMUR_MEM_H
#define MURMUR_MEM_H

#include <stddef.h>

#include "murmur/error.h"

/* Never NULL: `count * size` zeroed bytes, or the process ends through the hook below. Free with free(). */
void *mur_alloc(size_t count, size_t size);

/* Never NULL, contents kept, new bytes not zeroed. */
void *mur_realloc(void *old, size_t count, size_t size);

/* `count * size` bytes, 64-byte aligned, not zeroed; NULL with MUR_EINTERNAL set when there is no room. */
void *mur_try_alloc(size_t count, size_t size) MUR_MUST_USE;

/* The same for blocks of many MiB, in large pages where the kernel has some: they cost less to touch first, and fewer
 * searches for pages later. */
void *mur_try_alloc_large(size_t len) MUR_MUST_USE;

char *mur_strdup(const char *text);
char *mur_strndup(const char *text, size_t len);

/* printf into a fresh string. */
char *mur_format(const char *format, ...) MUR_PRINTF(1, 2);

/* The capacity to grow to for `need` elements: doubles, so that appending is linear in all. */
size_t mur_grown(size_t cap, size_t need);

/* Called instead of exit(70) when memory is gone, so that par can end the whole job. Must not return. */
void mur_mem_on_exhausted(void (*hook)(int status));

#endif
