#include "writing_options.h"

#include <string.h>

#include "murmur/quantity.h"

bool mur_writing_takes(const char *name)
{
    return strcmp(name, "compress") == 0 || strcmp(name, "io-timeout") == 0 || strcmp(name, "break-lock") == 0;
}

int mur_writing_set(mur_writing *w, const char *name, const char *value)
{
    int64_t level = w->compress;
    int rc = 0;
    if (strcmp(name, "compress") == 0)
        rc = mur_integer_parse(&level, value, 0, 9);
    else if (strcmp(name, "io-timeout") == 0)
        rc = mur_duration_parse(&w->io_timeout_ms, value);
    else
        w->is_breaking_lock = true;
    w->compress = (int)level;
    return rc;
}
