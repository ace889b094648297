/* push.h: runs of an MLflow file store (file_store.h) to an MLflow server, by its REST API. */
#ifndef MURMUR_PUSH_H
#define MURMUR_PUSH_H

#include <stdbool.h>
#include <stddef.h>

#include "murmur/buf.h"
#include "murmur/error.h"

typedef struct mur_push_server mur_push_server;

/* Local. `uri`: http or https. User, password, token, certificates, time limits come from MLFLOW_TRACKING_* and
 * MLFLOW_HTTP_REQUEST_* (murmur(1), ENVIRONMENT). Nothing is sent. MUR_EUSAGE. */
int mur_push_open(mur_push_server **out, const char *uri) MUR_MUST_USE;
void mur_push_close(mur_push_server **s);

/* The server's address without user and password. Borrowed. */
const char *mur_push_address(const mur_push_server *s);

typedef struct mur_pushed {
    mur_buf run_id;     /* the server's id of the run; the caller's to clear */
    bool was_there;     /* an earlier push brought it */
    size_t n_artifacts; /* that were sent, */
    size_t
        n_artifacts_kept; /* or stay in the file store, since the server's place for them cannot be reached from here */
} mur_pushed;

/* Local. Gives the server the run, unless it has it: which servers have it is kept in the run's tags (murmur.pushed.…).
 * May be repeated after any failure, at any point of it: what the server has is looked up before it is sent, so nothing
 * is there twice. MUR_EAGAIN: another process pushes it. MUR_EUSAGE (user, password, token), MUR_EDATA, MUR_EIO. */
int mur_push_run(mur_push_server *s, const char *run_folder, mur_pushed *out) MUR_MUST_USE;

#endif
