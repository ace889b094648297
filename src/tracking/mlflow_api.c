#include "mlflow_api.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "murmur/clock.h"
#include "murmur/json.h"
#include "murmur/mem.h"
#include "murmur/utf8.h"
#include "number.h"
#include "uri.h"

#define API "/api/2.0/mlflow/"
#define ARTIFACTS "/api/2.0/mlflow-artifacts/artifacts/"

/* Of one log-batch. The server takes 1000 metrics, 100 params, 100 tags, 1000 in all and 1,000,000 bytes: of a pair at
 * most 6,000 characters, which may all be escaped. */
enum { BATCH_METRICS = 500, BATCH_PAIRS = 100, BATCH_BYTES = 500000 };

/* What the server says of a call that it refused. */
static int refused(const mur_http *h, const char *call, long status, const mur_buf *answer)
{
    mur_json_scan scan;
    char said[400] = "", code[80] = "";
    mur_json_check(&scan, mur_buf_view(answer), 64);
    cJSON *error = scan.verdict == MUR_JSON_OK ? mur_json_parse(mur_buf_view(answer), "the answer") : NULL;
    const char *message = error ? mur_json_string(error, "message", "") : NULL;
    mur_utf8_show(said, sizeof said, message ? mur_view_of(message) : mur_buf_view(answer));
    mur_utf8_show(code, sizeof code, mur_view_of(error ? mur_json_string(error, "error_code", "") : ""));
    cJSON_Delete(error);

    const char *cure = "";
    int rc = MUR_EIO;
    if (strstr(said, "Invalid Host header")) {
        cure = "; the server's --allowed-hosts must name it, with its port";
    } else if (status == 401 || status == 403) {
        cure = "; MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, say who you are";
        rc = MUR_EUSAGE;
    } else if (status >= 300 && status < 400) {
        cure = "; it redirects: give the address that it redirects to";
        rc = MUR_EUSAGE;
    } else if (status == 404 && !*code) {
        cure = "; is this an MLflow server?";
    }
    return mur_fail(rc, "%s answers %s with status %ld%s%s%s%s%s", mur_http_base(h), call, status, *code ? " " : "",
                    code, *said ? ": " : "", said, cure);
}

/* Sends a call, `body` (freed) or none, and parses the answer. `*status` NULL: what is not 200 is refused. */
static int call(mur_http *h, const char *method, const char *path, cJSON *body, bool is_repeatable, long *status,
                cJSON **out)
{
    mur_buf answer = {0};
    long got = 0;
    char *url = mur_format("%s%s", API, path), *json = body ? cJSON_PrintUnformatted(body) : NULL;
    int rc = body && !json ? mur_fail(MUR_EINTERNAL, "no memory for a request") : 0;
    mur_http_request q = {.method = method, .path = url, .json = json, .is_repeatable = is_repeatable};
    *out = NULL;
    if (rc == 0)
        rc = mur_http_send(h, &q, &got, &answer);
    if (rc == 0 && got != 200 && !(status && got >= 400 && got < 500))
        rc = refused(h, path, got, &answer);
    if (rc == 0) {
        *out = mur_json_parse(mur_buf_view(&answer), "the answer");
        if (!*out && got == 200)
            rc = mur_fail(MUR_EIO, "%s answers %s with what is no JSON; is this an MLflow server?", mur_http_base(h),
                          path);
        else if (!*out)
            rc = refused(h, path, got, &answer);
    }
    if (status)
        *status = got;
    mur_buf_clear(&answer);
    cJSON_Delete(body);
    free(url);
    free(json);
    return rc;
}

static bool has_code(const cJSON *answer, const char *code)
{
    return strcmp(mur_json_string(answer, "error_code", ""), code) == 0;
}

/* A refusal that was let through, as a failure. */
static int refuse_answer(const mur_http *h, const char *path, long status, const cJSON *answer)
{
    mur_buf text = {0};
    char *json = cJSON_PrintUnformatted(answer);
    mur_buf_append_text(&text, json ? json : "");
    int rc = refused(h, path, status, &text);
    mur_buf_clear(&text);
    free(json);
    return rc;
}

/* Appends a member that must be text which can stand in a path or a body as it is. */
static int take_id(mur_buf *out, const mur_http *h, const cJSON *object, const char *name)
{
    const char *id = mur_json_string(object, name, "");
    size_t len = strlen(id);
    if (len == 0 || len > 256 || strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != len)
        return mur_fail(MUR_EIO, "%s answers without a %s; is this an MLflow server?", mur_http_base(h), name);
    mur_buf_append_text(out, id);
    return 0;
}

/* 1 if there is none of that name. */
static int find_experiment(mur_http *h, mur_buf *id, const char *name)
{
    mur_buf path = {0};
    cJSON *answer = NULL;
    long status;
    mur_buf_append_text(&path, "experiments/get-by-name?experiment_name=");
    mur_uri_append_word(&path, mur_view_of(name));
    int rc = call(h, "GET", mur_buf_text(&path), NULL, true, &status, &answer);
    const cJSON *experiment = answer ? mur_json_member(answer, "experiment") : NULL;
    if (rc == 0 && status != 200)
        rc = has_code(answer, "RESOURCE_DOES_NOT_EXIST") ? 1
                                                         : refuse_answer(h, "experiments/get-by-name", status, answer);
    else if (rc == 0 && strcmp(mur_json_string(experiment, "lifecycle_stage", "active"), "active") != 0)
        rc = mur_fail(MUR_EDATA,
                      "the experiment '%s' was deleted on %s: restore it there ('mlflow experiments restore "
                      "--experiment-id %s')",
                      name, mur_http_base(h), mur_json_string(experiment, "experiment_id", "ID"));
    else if (rc == 0)
        rc = take_id(id, h, experiment, "experiment_id");
    cJSON_Delete(answer);
    mur_buf_clear(&path);
    return rc;
}

int mur_api_experiment(mur_http *h, mur_buf *id, const char *name)
{
    cJSON *answer = NULL;
    long status = 0;
    int rc = find_experiment(h, id, name);
    if (rc != 1)
        return rc;
    cJSON *body = cJSON_CreateObject();
    cJSON_AddStringToObject(body, "name", name);
    rc = call(h, "POST", "experiments/create", body, true, &status, &answer);
    if (rc == 0 && status == 200)
        rc = take_id(id, h, answer, "experiment_id");
    else if (rc == 0 && has_code(answer, "RESOURCE_ALREADY_EXISTS")) /* another writer, or this call the first time */
        rc = find_experiment(h, id, name);
    else if (rc == 0)
        rc = refuse_answer(h, "experiments/create", status, answer);
    cJSON_Delete(answer);
    return rc == 1 ? mur_fail(MUR_EIO, "%s neither has nor makes the experiment '%s'", mur_http_base(h), name) : rc;
}

static void add_pair(cJSON *array, const char *key, const char *value)
{
    cJSON *o = cJSON_CreateObject();
    cJSON_AddStringToObject(o, "key", key);
    cJSON_AddStringToObject(o, "value", value);
    cJSON_AddItemToArray(array, o);
}

int mur_api_find_run(mur_http *h, mur_buf *id, const char *experiment, const char *tag, const char *value)
{
    cJSON *body = cJSON_CreateObject(), *answer = NULL;
    char *filter = mur_format("tags.`%s` = '%s'", tag, value);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(body, "experiment_ids"), cJSON_CreateString(experiment));
    cJSON_AddStringToObject(body, "filter", filter);
    cJSON_AddStringToObject(body, "run_view_type", "ACTIVE_ONLY");
    cJSON_AddNumberToObject(body, "max_results", 1);
    int rc = call(h, "POST", "runs/search", body, true, NULL, &answer);
    const cJSON *runs = rc == 0 ? mur_json_member(answer, "runs") : NULL;
    const cJSON *first = cJSON_IsArray(runs) ? cJSON_GetArrayItem(runs, 0) : NULL;
    if (rc == 0)
        rc = first ? take_id(id, h, mur_json_member(first, "info"), "run_id") : 1;
    cJSON_Delete(answer);
    free(filter);
    return rc;
}

int mur_api_create_run(mur_http *h, mur_buf *id, const char *experiment, const mur_tracked_run *r, const char *tag,
                       const char *value)
{
    cJSON *body = cJSON_CreateObject(), *answer = NULL;
    cJSON_AddStringToObject(body, "experiment_id", experiment);
    cJSON_AddStringToObject(body, "user_id", r->user);
    cJSON_AddStringToObject(body, "run_name", r->name);
    cJSON_AddNumberToObject(body, "start_time", (double)r->start);
    add_pair(cJSON_AddArrayToObject(body, "tags"), tag, value);
    int rc = call(h, "POST", "runs/create", body, false, NULL, &answer);
    if (rc == 0)
        rc = take_id(id, h, mur_json_member(mur_json_member(answer, "run"), "info"), "run_id");
    cJSON_Delete(answer);
    return rc;
}

/* A whole number, which protobuf's JSON may have as text. */
static int64_t whole(const cJSON *object, const char *name)
{
    int64_t value = 0;
    if (mur_number_read_int64(&value, mur_view_of(mur_json_string(object, name, "0"))) && value != 0)
        return value;
    double number = mur_json_number(object, name, 0);
    return fabs(number) < 0x1p53 ? (int64_t)number : 0;
}

static void take_pairs(mur_pairs *out, const cJSON *data, const char *name)
{
    const cJSON *items = mur_json_member(data, name), *item;
    cJSON_ArrayForEach(item, items)
        mur_pairs_add(out, mur_json_string(item, "key", ""), mur_view_of(mur_json_string(item, "value", "")));
}

int mur_api_get_run(mur_http *h, mur_tracked_run *out, mur_buf *artifact_uri, const char *id)
{
    char *path = mur_format("runs/get?run_id=%s", id);
    cJSON *answer = NULL;
    *out = (mur_tracked_run){0};
    int rc = call(h, "GET", path, NULL, true, NULL, &answer);
    const cJSON *run = rc == 0 ? mur_json_member(answer, "run") : NULL;
    const cJSON *data = mur_json_member(run, "data"), *item;
    cJSON_ArrayForEach(item, mur_json_member(data, "metrics"))
        mur_tracked_run_point(out, mur_json_string(item, "key", ""), mur_json_number(item, "value", NAN),
                              whole(item, "timestamp"), whole(item, "step"));
    take_pairs(&out->params, data, "params");
    take_pairs(&out->tags, data, "tags");
    mur_buf_append_text(artifact_uri, mur_json_string(mur_json_member(run, "info"), "artifact_uri", ""));
    cJSON_Delete(answer);
    free(path);
    return rc;
}

/* Adds what still fits of `p` from `*at` on, which is moved. */
static void add_pairs(cJSON *body, const char *name, const mur_pairs *p, size_t *at, size_t *bytes)
{
    cJSON *array = cJSON_AddArrayToObject(body, name);
    for (size_t n = 0; *at < p->n && n < BATCH_PAIRS && *bytes < BATCH_BYTES; n++, ++*at) {
        add_pair(array, p->items[*at].key, p->items[*at].value);
        *bytes += 6 * strlen(p->items[*at].value); /* an escaped byte takes six */
    }
}

/* By hand, since cJSON leaves out digits. */
static void add_number(cJSON *object, const char *name, double value)
{
    mur_buf text = {0};
    mur_number_append(&text, value);
    cJSON_AddRawToObject(object, name, mur_buf_text(&text));
    mur_buf_clear(&text);
}

static void add_metrics(cJSON *body, const mur_tracked_run *r, size_t *at)
{
    cJSON *array = cJSON_AddArrayToObject(body, "metrics");
    for (size_t n = 0; *at < r->n_metrics && n < BATCH_METRICS; n++, ++*at) {
        const mur_metric *m = &r->metrics[*at];
        if (!isfinite(m->value)) /* JSON has no such number, and servers refuse the whole batch */
            continue;
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "key", m->key);
        add_number(o, "value", m->value);
        cJSON_AddNumberToObject(o, "timestamp", (double)m->time);
        cJSON_AddNumberToObject(o, "step", (double)m->step);
        cJSON_AddItemToArray(array, o);
    }
}

int mur_api_log(mur_http *h, const char *id, const mur_tracked_run *r)
{
    int rc = 0;
    size_t metrics = 0, params = 0, tags = 0;
    while (rc == 0 && (metrics < r->n_metrics || params < r->params.n || tags < r->tags.n)) {
        cJSON *body = cJSON_CreateObject(), *answer = NULL;
        size_t bytes = 0;
        cJSON_AddStringToObject(body, "run_id", id);
        add_metrics(body, r, &metrics);
        add_pairs(body, "params", &r->params, &params, &bytes);
        add_pairs(body, "tags", &r->tags, &tags, &bytes);
        rc = call(h, "POST", "runs/log-batch", body, false, NULL, &answer);
        cJSON_Delete(answer);
    }
    return rc;
}

int mur_api_put_artifact(mur_http *h, const char *place, const char *file)
{
    mur_buf path = {0}, answer = {0};
    long status;
    mur_buf_append_text(&path, ARTIFACTS);
    mur_uri_append_path(&path, mur_view_of(place));
    mur_http_request q = {.method = "PUT", .path = mur_buf_text(&path), .file = file, .is_repeatable = true};
    int rc = mur_http_send(h, &q, &status, &answer);
    if (rc == 0 && (status < 200 || status > 299))
        rc = refused(h, "the artifact", status, &answer);
    mur_buf_clear(&path);
    mur_buf_clear(&answer);
    return rc;
}

int mur_api_end_run(mur_http *h, const char *id, const mur_tracked_run *r)
{
    static const char *const names[] = {"", "RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"};
    cJSON *body = cJSON_CreateObject(), *answer = NULL;
    cJSON_AddStringToObject(body, "run_id", id);
    cJSON_AddStringToObject(body, "status", names[r->status]);
    if (r->end != MUR_NO_TIME)
        cJSON_AddNumberToObject(body, "end_time", (double)r->end);
    int rc = call(h, "POST", "runs/update", body, true, NULL, &answer);
    cJSON_Delete(answer);
    return rc;
}
