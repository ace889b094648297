/* mlflow_api.h: the calls of MLflow's REST API that a push needs (mlflow/protos/service.proto, version 2.0). */
#ifndef MURMUR_MLFLOW_API_H
#define MURMUR_MLFLOW_API_H

#include "http.h"
#include "murmur/tracked_run.h"

/* Appends the id of the experiment of that name, which is made if there is none. MUR_EDATA if it was deleted. All of
 * these: MUR_EIO, with the server's own words; MUR_EUSAGE where it wants another user, password or token. */
int mur_api_experiment(mur_http *h, mur_buf *id, const char *name) MUR_MUST_USE;

/* Appends the id of the experiment's first run that has the tag; 1 if there is none. */
int mur_api_find_run(mur_http *h, mur_buf *id, const char *experiment, const char *tag, const char *value) MUR_MUST_USE;

/* Makes a run with that tag. MUR_EAGAIN: perhaps. */
int mur_api_create_run(mur_http *h, mur_buf *id, const char *experiment, const mur_tracked_run *r, const char *tag,
                       const char *value) MUR_MUST_USE;

/* What the server has of a run: its latest point of each metric, params and tags into `out` (zeroed before; clear it
 * even after a failure), and where artifacts go, appended to `artifact_uri`. */
int mur_api_get_run(mur_http *h, mur_tracked_run *out, mur_buf *artifact_uri, const char *id) MUR_MUST_USE;

/* Logs all metrics that are numbers, params and tags of `r`, in batches. MUR_EAGAIN: some of them, perhaps. */
int mur_api_log(mur_http *h, const char *id, const mur_tracked_run *r) MUR_MUST_USE;

/* Puts a file to a place below the server's artifacts: "EXPERIMENT/RUN/artifacts/NAME". */
int mur_api_put_artifact(mur_http *h, const char *place, const char *file) MUR_MUST_USE;

/* Sets the run's status and end. */
int mur_api_end_run(mur_http *h, const char *id, const mur_tracked_run *r) MUR_MUST_USE;

#endif
