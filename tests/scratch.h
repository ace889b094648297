/* scratch.h: a folder that a test may fill and that is gone after it, and assertions that show what murmur said. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "murmur/error.h"
#include "murmur/mem.h"

/* A new folder below $TMPDIR whose name begins with murmur-NAME; NULL if none can be made. */
static inline char *scratch_make(const char *name)
{
    const char *root = getenv("TMPDIR");
    char *folder = mur_format("%s/murmur-%s-XXXXXX", root ? root : "/tmp", name);
    if (!mkdtemp(folder)) {
        free(folder);
        folder = NULL;
    }
    return folder;
}

static inline int scratch_remove_entry(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about, (void)kind, (void)where;
    return remove(path);
}

/* Removes a folder and all in it; NULL is fine. The name stays its owner's to free. */
static inline void scratch_remove(const char *folder)
{
    if (folder)
        nftw(folder, scratch_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* A test's set up and tear down: an empty folder `folder`, of the test in hand. */
#define SCRATCH_FOLDER(name)                                                                                           \
    static char *folder;                                                                                               \
    static int make_folder(void **state)                                                                               \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        folder = scratch_make(name);                                                                                   \
        return folder ? 0 : -1;                                                                                        \
    }                                                                                                                  \
    static int remove_folder(void **state)                                                                             \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        scratch_remove(folder);                                                                                        \
        free(folder);                                                                                                  \
        return 0;                                                                                                      \
    }

static inline void assert_done(int rc)
{
    if (rc < 0)
        fail_msg("%s", mur_error_last()->message);
}

static inline void assert_message(const char *part)
{
    if (!strstr(mur_error_last()->message, part))
        fail_msg("\"%s\" is not in the message \"%s\"", part, mur_error_last()->message);
}

#endif
