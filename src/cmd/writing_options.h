/* writing_options.h: --compress, --io-timeout and --break-lock, for every command that writes parts.
 *
 *     static const mur_option options[] = {…, MUR_WRITING_OPTIONS, {NULL, NULL, NULL, NULL}};
 *     if (mur_writing_takes(name))                       in `set`
 *         return mur_writing_set(&o->writing, name, value);
 */
#ifndef MURMUR_WRITING_OPTIONS_H
#define MURMUR_WRITING_OPTIONS_H

#include "cmd.h"
#include "murmur/writing.h"

#define MUR_WRITING_OPTIONS                                                                                            \
    {"compress", "0..9", "deflate level of the parts (default 1)", NULL},                                              \
        {"io-timeout", "TIME", "end the job when writing makes no progress for so long (default 300s)", NULL},         \
    {                                                                                                                  \
        "break-lock", NULL, "take the store over from a writer that is known to be dead", NULL                         \
    }

/* Whether the option is one of the three; and takes its value: MUR_EUSAGE for one that is none. */
bool mur_writing_takes(const char *name);
int mur_writing_set(mur_writing *w, const char *name, const char *value) MUR_MUST_USE;

#endif
