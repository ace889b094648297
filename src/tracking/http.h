/* http.h: requests to one server, with time limits and repeats, over libcurl (https://curl.se/libcurl/c/).
 *
 * Set by the environment variables that MLflow's own client knows: MLFLOW_TRACKING_USERNAME and _PASSWORD, or _TOKEN;
 * MLFLOW_TRACKING_INSECURE_TLS, _SERVER_CERT_PATH, _CLIENT_CERT_PATH; MLFLOW_HTTP_REQUEST_TIMEOUT, _MAX_RETRIES,
 * _BACKOFF_FACTOR. Proxies are libcurl's (http_proxy, no_proxy …), never for this machine itself.
 */
#ifndef MURMUR_HTTP_H
#define MURMUR_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "murmur/buf.h"
#include "murmur/error.h"

typedef struct mur_http mur_http;

/* `uri`: http or https, a host, perhaps a path, USER:PASSWORD@. Nothing is sent. MUR_EUSAGE. */
int mur_http_open(mur_http **out, const char *uri) MUR_MUST_USE;
void mur_http_close(mur_http **h);

/* The server without user, password and '/' at the end: for messages, and as its name. */
const char *mur_http_base(const mur_http *h);
bool mur_http_is_loopback(const mur_http *h);

typedef struct mur_http_request {
    const char *method; /* GET, POST, PUT */
    const char *path;   /* behind the base: "/api/…", encoded */
    const char *json;   /* the body of a POST; else NULL */
    const char *file;   /* the body of a PUT, as it is; else NULL */
    bool is_repeatable; /* twice does what once does */
} mur_http_request;

/* Sends the request; `*status` is HTTP's, `answer` is replaced by the body. What may pass (no connection, a time limit,
 * a cut, status 408, 429, 500, 502, 503, 504) is tried again, later and later, if it is repeatable; MUR_EIO when that
 * is over, MUR_EAGAIN at once if it is not repeatable: whether the server did it is not known. Other failures: MUR_EIO.
 */
int mur_http_send(mur_http *h, const mur_http_request *q, long *status, mur_buf *answer) MUR_MUST_USE;

/* Waits before repetition `attempt` (0 first) of something larger that ended in MUR_EAGAIN; false if there were enough.
 */
bool mur_http_wait(const mur_http *h, int attempt);

#endif
