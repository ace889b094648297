#include "names.h"

#include <string.h>

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool mur_name_is_part(const char *name)
{
    enum { DIGITS = 20 };
    size_t len = strlen(name), prefix = strlen("part-");
    return begins_with(name, "part-") && strspn(name + prefix, "0123456789") == DIGITS &&
           name[prefix + DIGITS] == '-' && len > 3 && strcmp(name + len - 3, ".h5") == 0;
}

bool mur_name_is_temporary(const char *name)
{
    return begins_with(name, "_tmp-") || begins_with(name, "_lock-");
}

bool mur_name_is_of_root(const char *name)
{
    return strcmp(name, "_lock") == 0 || begins_with(name, "_stop-") || strcmp(name, "_progress") == 0 ||
           strcmp(name, "progress.jsonl") == 0 || begins_with(name, "progress.jsonl.");
}

bool mur_name_is_table(const char *name)
{
    return *name != '.' && *name != '_';
}
