#include "http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "murmur/clock.h"
#include "murmur/file.h"
#include "murmur/log.h"
#include "murmur/mem.h"
#include "murmur/quantity.h"

#define CONNECT_MS 10000L
#define ANSWER_BYTES (16 << 20) /* an MLflow server's answers are some KiB */
#define WAIT_SECONDS 60.0       /* between two tries, at most */

struct mur_http {
    CURL *curl;
    char *base;
    char *user, *password, *token; /* NULL: none */
    const char *server_certificate, *client_certificate;
    bool is_insecure, is_loopback;
    int64_t timeout_s, n_retries;
    double backoff;    /* seconds before the first repetition; each further one waits twice as long */
    double asked_wait; /* what the server said to wait, for the next repetition */
    char problem[CURL_ERROR_SIZE];
};

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static int variable_integer(int64_t *out, const char *name, int64_t otherwise, int64_t low, int64_t high)
{
    const char *value = variable(name);
    *out = otherwise;
    int rc = value ? mur_integer_parse(out, value, low, high) : 0;
    if (rc < 0)
        mur_error_add("%s", name);
    return rc;
}

static int read_variables(mur_http *h)
{
    int64_t backoff;
    const char *insecure = variable("MLFLOW_TRACKING_INSECURE_TLS");
    h->is_insecure = insecure && (strcasecmp(insecure, "true") == 0 || strcmp(insecure, "1") == 0);
    h->server_certificate = variable("MLFLOW_TRACKING_SERVER_CERT_PATH");
    h->client_certificate = variable("MLFLOW_TRACKING_CLIENT_CERT_PATH");
    if (h->is_insecure && h->server_certificate)
        return mur_fail(MUR_EUSAGE, "MLFLOW_TRACKING_INSECURE_TLS and MLFLOW_TRACKING_SERVER_CERT_PATH exclude each "
                                    "other: unset one of them");
    const char *user = variable("MLFLOW_TRACKING_USERNAME"), *password = variable("MLFLOW_TRACKING_PASSWORD");
    if (!h->user && user && password) {
        h->user = mur_strdup(user);
        h->password = mur_strdup(password);
    }
    const char *token = variable("MLFLOW_TRACKING_TOKEN");
    if (!h->user && token)
        h->token = mur_strdup(token);
    int rc = variable_integer(&h->timeout_s, "MLFLOW_HTTP_REQUEST_TIMEOUT", 30, 1, 86400);
    if (rc == 0)
        rc = variable_integer(&h->n_retries, "MLFLOW_HTTP_REQUEST_MAX_RETRIES", 3, 0, 100);
    if (rc == 0)
        rc = variable_integer(&backoff, "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", 1, 0, 3600);
    if (rc == 0)
        h->backoff = (double)backoff;
    return rc;
}

/* A part of the URI, decoded where that is asked for; NULL if it has none such. */
static char *part_of(CURLU *uri, CURLUPart part, unsigned flags)
{
    char *text = NULL, *out;
    if (curl_url_get(uri, part, &text, flags) != CURLUE_OK)
        return NULL;
    out = mur_strdup(text);
    curl_free(text);
    return out;
}

static bool is_loopback_name(const char *host)
{
    size_t len = strlen(host), suffix = strlen(".localhost");
    return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0 ||
           (len > suffix && strcasecmp(host + len - suffix, ".localhost") == 0);
}

static int parse_uri(mur_http *h, const char *text)
{
    CURLU *uri = curl_url();
    char *scheme = NULL, *host = NULL, *query = NULL, *fragment = NULL;
    int rc = 0;
    if (uri && curl_url_set(uri, CURLUPART_URL, text, 0) == CURLUE_OK) {
        scheme = part_of(uri, CURLUPART_SCHEME, 0);
        host = part_of(uri, CURLUPART_HOST, 0);
        query = part_of(uri, CURLUPART_QUERY, 0);
        fragment = part_of(uri, CURLUPART_FRAGMENT, 0);
    }
    if (!scheme || !host || query || fragment || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)) {
        rc = mur_fail(MUR_EUSAGE, "this is no address of an MLflow server; write for example http://localhost:5000");
        goto done;
    }
    h->is_loopback = is_loopback_name(host);
    h->user = part_of(uri, CURLUPART_USER, CURLU_URLDECODE);
    h->password = part_of(uri, CURLUPART_PASSWORD, CURLU_URLDECODE);
    if (h->user && !h->password)
        h->password = mur_strdup("");
    curl_url_set(uri, CURLUPART_USER, NULL, 0);
    curl_url_set(uri, CURLUPART_PASSWORD, NULL, 0);
    h->base = part_of(uri, CURLUPART_URL, 0);
    for (size_t len = strlen(h->base); len > 0 && h->base[len - 1] == '/'; len--)
        h->base[len - 1] = '\0';
done:
    free(scheme);
    free(host);
    free(query);
    free(fragment);
    curl_url_cleanup(uri);
    return rc;
}

int mur_http_open(mur_http **out, const char *uri)
{
    mur_http *h = mur_alloc(1, sizeof *h);
    int rc = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? parse_uri(h, uri)
                                                               : mur_fail(MUR_EINTERNAL, "libcurl cannot start");
    if (rc == 0)
        rc = read_variables(h);
    if (rc == 0 && !(h->curl = curl_easy_init()))
        rc = mur_fail(MUR_EINTERNAL, "libcurl cannot start");
    if (rc == 0 && (h->user || h->token) && !h->is_loopback && strncmp(h->base, "http:", 5) == 0)
        mur_log_warn("user and password go to %s as plain text: https would hide them", h->base);
    if (rc < 0)
        mur_http_close(&h);
    *out = h;
    return rc;
}

void mur_http_close(mur_http **http)
{
    mur_http *h = *http;
    if (!h)
        return;
    if (h->curl)
        curl_easy_cleanup(h->curl);
    curl_global_cleanup();
    free(h->base);
    free(h->user);
    free(h->password);
    free(h->token);
    free(h);
    *http = NULL;
}

const char *mur_http_base(const mur_http *h)
{
    return h->base;
}

bool mur_http_is_loopback(const mur_http *h)
{
    return h->is_loopback;
}

static size_t take_answer(char *bytes, size_t size, size_t n, void *context)
{
    mur_buf *answer = context;
    if (n * size > ANSWER_BYTES - answer->len)
        return 0; /* libcurl ends the request */
    mur_buf_append(answer, bytes, n * size);
    return n * size;
}

static int seek_file(void *context, curl_off_t offset, int origin)
{
    return fseeko(context, offset, origin) == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static void set_connection(mur_http *h)
{
    CURL *c = h->curl;
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->problem);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "murmur");
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS < h->timeout_s * 1000 ? CONNECT_MS : h->timeout_s * 1000);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    if (h->is_loopback)
        curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
    if (h->user) {
        curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(c, CURLOPT_USERNAME, h->user);
        curl_easy_setopt(c, CURLOPT_PASSWORD, h->password);
    } else if (h->token) {
        curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(c, CURLOPT_XOAUTH2_BEARER, h->token);
    }
    if (h->is_insecure) {
        curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (h->server_certificate)
        curl_easy_setopt(c, mur_path_is_folder(h->server_certificate) ? CURLOPT_CAPATH : CURLOPT_CAINFO,
                         h->server_certificate);
    if (h->client_certificate)
        curl_easy_setopt(c, CURLOPT_SSLCERT, h->client_certificate);
}

/* One try. `*may_pass` tells of a failure whether a later try may do better. */
static int send_once(mur_http *h, const mur_http_request *q, FILE *file, int64_t file_bytes, long *status,
                     mur_buf *answer, bool *may_pass)
{
    CURL *c = h->curl;
    char *url = mur_format("%s%s", h->base, q->path);
    struct curl_slist *headers = NULL;
    int rc = 0;
    mur_buf_reset(answer);
    h->problem[0] = '\0';
    *may_pass = false;
    *status = 0;
    curl_easy_reset(c);
    set_connection(h);
    curl_easy_setopt(c, CURLOPT_URL, url);
    /* On a connection that it has used before, libcurl sends again by itself what was cut. */
    curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, q->is_repeatable ? 0L : 1L);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, answer);
    if (q->json) {
        headers = curl_slist_append(headers, "Content-Type: application/json");
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, q->json);
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(q->json));
    }
    if (file) { /* as long as it takes, but never without progress */
        rewind(file);
        headers = curl_slist_append(headers, "Content-Type: application/octet-stream");
        curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(c, CURLOPT_READDATA, file);
        curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, seek_file);
        curl_easy_setopt(c, CURLOPT_SEEKDATA, file);
        curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)file_bytes);
        curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)h->timeout_s);
    } else {
        curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)h->timeout_s * 1000);
    }
    headers = curl_slist_append(headers, "Expect:"); /* servers of Python's answer 100 late or never */
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);

    CURLcode code = curl_easy_perform(c);
    if (code == CURLE_OK) {
        curl_off_t wait = 0;
        curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, status);
        curl_easy_getinfo(c, CURLINFO_RETRY_AFTER, &wait);
        h->asked_wait = (double)wait;
        *may_pass = *status == 408 || *status == 429 || *status == 500 || (*status >= 502 && *status <= 504);
    } else {
        *may_pass = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY ||
                    code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT || code == CURLE_GOT_NOTHING ||
                    code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_PARTIAL_FILE;
        h->asked_wait = 0;
        rc = mur_fail(MUR_EIO, "%s: %s", h->base, *h->problem ? h->problem : curl_easy_strerror(code));
        if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
            mur_error_add("MLFLOW_TRACKING_SERVER_CERT_PATH names the certificates to trust");
    }
    curl_slist_free_all(headers);
    free(url);
    return rc;
}

bool mur_http_wait(const mur_http *h, int attempt)
{
    if (attempt >= h->n_retries)
        return false;
    double wait = h->backoff * (double)(1 << (attempt < 16 ? attempt : 16));
    wait = wait > h->asked_wait ? wait : h->asked_wait;
    wait = wait < WAIT_SECONDS ? wait : WAIT_SECONDS;
    mur_log_info("%s; once more in %.0f s", mur_error_last()->message, wait);
    mur_sleep(wait);
    return true;
}

static int open_body(FILE **file, int64_t *bytes, const char *path)
{
    struct stat about;
    *file = fopen(path, "rb");
    if (!*file)
        return mur_fail_errno(MUR_EIO, "cannot open %s", path);
    if (fstat(fileno(*file), &about) < 0 || !S_ISREG(about.st_mode))
        return mur_fail(MUR_EIO, "%s is not a file", path);
    *bytes = about.st_size;
    return 0;
}

int mur_http_send(mur_http *h, const mur_http_request *q, long *status, mur_buf *answer)
{
    FILE *file = NULL;
    int64_t file_bytes = 0;
    int rc = q->file ? open_body(&file, &file_bytes, q->file) : 0;
    for (int attempt = 0; rc == 0; attempt++) {
        bool may_pass;
        rc = send_once(h, q, file, file_bytes, status, answer, &may_pass);
        if (rc == 0 && may_pass)
            rc = mur_fail(MUR_EIO, "%s answers %s %s with status %ld", h->base, q->method, q->path, *status);
        if (rc == 0 || !may_pass)
            break;
        if (!q->is_repeatable)
            rc = MUR_EAGAIN;
        else if (mur_http_wait(h, attempt))
            rc = 0;
    }
    if (file)
        fclose(file);
    return rc;
}
