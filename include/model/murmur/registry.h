/* registry.h: models by name, in one folder that the environment variable MURMUR_MODELS names:
 *
 *     $MURMUR_MODELS/NAME/VERSION/        a Hugging Face folder; VERSION is a whole number from 1 on
 *     $MURMUR_MODELS/NAME/aliases.json    {"production": 3}
 *
 * A model is then called NAME@VERSION, NAME@ALIAS, or NAME: its greatest version.
 */
#ifndef MURMUR_REGISTRY_H
#define MURMUR_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

#include "murmur/error.h"

/* The folder of a model, a fresh string: what is a folder, or is written with a '/', is that itself; anything else is a
 * name. MUR_ENOINPUT (no such name, version or alias; the message lists those there are), MUR_EDATA, MUR_EIO. */
int mur_registry_find(char **folder, const char *model) MUR_MUST_USE;

/* "NAME@VERSION" of a folder of the registry, a fresh string; NULL for any other folder. */
char *mur_registry_name(const char *folder);

typedef struct mur_registered {
    char *name;
    int64_t version;
    char *aliases; /* that stand for it: "production, staging"; empty where none does */
} mur_registered;

typedef struct mur_registry {
    char *root; /* $MURMUR_MODELS */
    mur_registered *models;
    size_t n;
} mur_registry;

/* All versions of all models, by name and version. MUR_EUSAGE where MURMUR_MODELS is not set, MUR_ENOINPUT, MUR_EDATA,
 * MUR_EIO. */
int mur_registry_list(mur_registry *out) MUR_MUST_USE;
void mur_registry_clear(mur_registry *r);

/* "NAME@ALIAS=VERSION": from now on the alias is that version's; an existing one moves. "NAME@ALIAS=" takes the alias
 * away. Readers see the old aliases or the new; of several writers each one's change is kept. MUR_EUSAGE, MUR_ENOINPUT,
 * MUR_EDATA, MUR_ECREATE, MUR_EIO. */
int mur_registry_set_alias(const char *assignment) MUR_MUST_USE;

#endif
