/* tracking_options.h: where runs of MLflow go: for every command that writes or sends them. */
#ifndef MURMUR_TRACKING_OPTIONS_H
#define MURMUR_TRACKING_OPTIONS_H

#include "cmd.h"

#define MUR_TRACKING_OPTIONS                                                                                           \
    {"tracking-uri", "URI", "an MLflow server (http, https), or a folder as --mlruns", "MLFLOW_TRACKING_URI"},         \
    {                                                                                                                  \
        "mlruns", "DIR", "MLflow's file store (default mlruns)", NULL                                                  \
    }

/* Zeroed: the default folder, no server. */
typedef struct mur_tracking {
    char *folder;       /* owned; NULL: mlruns */
    const char *server; /* NULL: none */
} mur_tracking;

/* Whether the option is one of the two; and takes its value: MUR_EUSAGE for a kind of store that murmur cannot write.
 */
bool mur_tracking_takes(const char *name);
int mur_tracking_set(mur_tracking *t, const char *name, const char *value) MUR_MUST_USE;
void mur_tracking_clear(mur_tracking *t);

const char *mur_tracking_folder(const mur_tracking *t);

/* Appends a word as a shell reads it back. */
void mur_shell_append(mur_buf *out, const char *word);

#endif
