"""A small MLflow tracking server that takes nothing but what the REST API documents (service.proto and
mlflow_artifacts.proto of MLflow 2.x, limits from mlflow/utils/validation.py), and that fails when it is told to."""

import base64
import http.server
import json
import re
import socket
import ssl
import threading
import time
import urllib.parse
import uuid

API = "/api/2.0/mlflow/"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts/"
KEY = re.compile(r"[/\w.\- ]{1,250}")


class Refusal(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


def is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def is_text(value):
    return isinstance(value, str)


def is_pairs(value, limit):
    return (isinstance(value, list) and all(isinstance(p, dict) and set(p) == {"key", "value"} and is_text(p["key"])
                                            and is_text(p["value"]) and KEY.fullmatch(p["key"])
                                            and len(p["value"]) <= limit for p in value))


def is_metrics(value):
    return (isinstance(value, list) and all(isinstance(m, dict) and set(m) == {"key", "value", "timestamp", "step"}
                                            and KEY.fullmatch(m["key"]) and isinstance(m["value"], (int, float))
                                            and not isinstance(m["value"], bool) and is_int(m["timestamp"])
                                            and is_int(m["step"]) for m in value))


# What each call's body has: name → (needed, test).
BODIES = {
    "experiments/create": {"name": (True, lambda v: is_text(v) and v)},
    "runs/search": {"experiment_ids": (True, lambda v: isinstance(v, list) and v and all(map(is_text, v))),
                    "filter": (False, lambda v: re.fullmatch(r"tags\.`[\w.]+` = '[0-9a-f]+'", v)),
                    "run_view_type": (False, lambda v: v in ("ACTIVE_ONLY", "DELETED_ONLY", "ALL")),
                    "max_results": (False, lambda v: is_int(v) and 0 < v <= 50000)},
    "runs/create": {"experiment_id": (True, is_text), "user_id": (False, is_text), "run_name": (False, is_text),
                    "start_time": (True, is_int), "tags": (False, lambda v: is_pairs(v, 5000))},
    "runs/log-batch": {"run_id": (True, is_text), "metrics": (False, is_metrics),
                       "params": (False, lambda v: is_pairs(v, 6000)), "tags": (False, lambda v: is_pairs(v, 5000))},
    "runs/update": {"run_id": (True, is_text), "status": (False, lambda v: v in ("RUNNING", "SCHEDULED", "FINISHED",
                                                                              "FAILED", "KILLED")),
                    "end_time": (False, is_int), "run_name": (False, is_text)},
}


class Server:
    """With Server() as s: s.uri, s.runs (by id), s.artifacts (by path), s.wrong (requests that no API has), s.calls.
    s.fail(call, *kinds): the next calls of that name do `500`, `429`, `cut` or `hang` before they have done anything, or
    with `-after` behind them when all is done."""

    def __init__(self, authorization=None, certificate=None, artifact_root="mlflow-artifacts:/", prefix=""):
        self.authorization, self.prefix, self.artifact_root = authorization, prefix, artifact_root
        self.experiments, self.runs, self.artifacts = {}, {}, {}
        self.wrong, self.calls, self.faults, self.deleted = [], [], {}, set()
        self.lock, self.is_over = threading.Lock(), threading.Event()
        state = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or each answer waits for an acknowledgement

            def log_message(self, *_):
                pass

            def do_GET(self):
                state.answer(self)

            do_POST = do_PUT = do_GET

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)
            self.http.handle_error = lambda *_: None  # a client that does not trust the certificate
        self.port = self.http.server_address[1]
        self.uri = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}{prefix}"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.http.shutdown()
        self.http.server_close()

    def fail(self, call, *kinds):
        self.faults.setdefault(call, []).extend(kinds)

    def answer(self, request):
        length = request.headers.get("Content-Length")
        body = request.rfile.read(int(length)) if length else b""
        url = urllib.parse.urlsplit(request.path)
        path = url.path[len(self.prefix):] if url.path.startswith(self.prefix) else ""
        call = "artifact" if path.startswith(ARTIFACTS) else path[len(API):] if path.startswith(API) else path
        with self.lock:
            self.calls.append(call)
            fault = self.faults.get(call, [])[:1]
            self.faults[call] = self.faults.get(call, [])[1:]
        fault = fault[0] if fault else ""
        if fault and not fault.endswith("-after"):
            return self.break_down(request, fault)
        try:
            if self.authorization and request.headers.get("Authorization") != self.authorization:
                raise Refusal(401, "UNAUTHENTICATED", "You are not authenticated.")
            if not self.authorization and "Authorization" in request.headers:
                raise Refusal(400, "BAD_REQUEST", "a password for nobody")
            with self.lock:
                status, out = 200, self.act(request, call, path, url.query, body)
        except Refusal as refusal:
            status, out = refusal.status, {"error_code": refusal.code, "message": str(refusal)}
            if refusal.code == "BAD_REQUEST":
                self.wrong.append(f"{request.command} {request.path}: {refusal}: {body[:300]}")
        if fault:
            return self.break_down(request, fault[: -len("-after")])
        text = json.dumps(out).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)

    def break_down(self, request, kind):
        request.close_connection = True
        if kind == "hang":
            self.is_over.wait(60)
        elif kind == "cut":
            request.connection.shutdown(socket.SHUT_RDWR)
        elif kind == "redirect":
            request.send_response(302)
            request.send_header("Location", "http://127.0.0.1:1/")
            request.send_header("Content-Length", "0")
            request.end_headers()
        elif kind == "host":
            request.send_response(403)
            text = b"Invalid Host header - possible DNS rebinding attack detected"
            request.send_header("Content-Length", str(len(text)))
            request.end_headers()
            request.wfile.write(text)
        elif kind == "page":
            request.send_response(200)
            request.send_header("Content-Length", "15")
            request.end_headers()
            request.wfile.write(b"<html>hi</html>")
        else:
            request.send_response(int(kind))
            request.send_header("Retry-After", "0")
            request.send_header("Content-Length", "0")
            request.end_headers()

    def act(self, request, call, path, query, body):
        def need(condition, what):
            if not condition:
                raise Refusal(400, "BAD_REQUEST", what)

        if call == "artifact":
            need(request.command == "PUT" and "Content-Length" in request.headers and not query, "an artifact is PUT")
            name = urllib.parse.unquote(path[len(ARTIFACTS):])
            need(re.fullmatch(r"\d+/[0-9a-f]{32}/artifacts/.+", name) and name.split("/")[1] in self.runs, name)
            self.artifacts[name] = body
            return {}
        parameters = dict(urllib.parse.parse_qsl(query, strict_parsing=True)) if query else {}
        if call in BODIES:
            need(request.command == "POST" and not parameters, "it is a POST")
            need(request.headers.get("Content-Type", "").split(";")[0] == "application/json", "its type is JSON")
            document = json.loads(body, parse_constant=lambda name: need(False, name))
            need(isinstance(document, dict) and set(document) <= set(BODIES[call]), "fields that it does not have")
            for name, (is_needed, test) in BODIES[call].items():
                need(not is_needed or name in document, f"{name} is missing")
                need(name not in document or test(document[name]), f"{name} is not of its type")
            return getattr(self, call.replace("/", "_").replace("-", "_"))(document, need, len(body))
        need(request.command == "GET" and not body, "it is a GET")
        if call == "experiments/get-by-name":
            need(set(parameters) == {"experiment_name"}, "parameters")
            return {"experiment": self.experiment_of(parameters["experiment_name"])}
        if call == "runs/get":
            need(set(parameters) == {"run_id"}, "parameters")
            return {"run": self.describe(self.run_of(parameters["run_id"]))}
        raise Refusal(404, "BAD_REQUEST", "no such call")

    def experiment_of(self, name):
        if name not in self.experiments:
            raise Refusal(404, "RESOURCE_DOES_NOT_EXIST", f"Could not find experiment with name '{name}'")
        return {"experiment_id": self.experiments[name], "name": name, "artifact_location": "mlflow-artifacts:/1",
                "lifecycle_stage": "deleted" if name in self.deleted else "active"}

    def run_of(self, run_id):
        if run_id not in self.runs:
            raise Refusal(404, "RESOURCE_DOES_NOT_EXIST", f"Run with id={run_id} not found")
        return self.runs[run_id]

    @staticmethod
    def describe(run):
        latest = {}
        for m in run["metrics"]:
            key = (m["step"], m["timestamp"], m["value"])
            if m["key"] not in latest or key > latest[m["key"]][0]:
                latest[m["key"]] = (key, m)
        pairs = {kind: [{"key": k, "value": v} for k, v in run[kind].items()] for kind in ("params", "tags")}
        return {"info": run["info"], "data": {"metrics": [m for _, m in latest.values()], **pairs}}

    def experiments_create(self, document, need, _):
        if document["name"] in self.experiments:
            raise Refusal(400, "RESOURCE_ALREADY_EXISTS", "Experiment already exists")
        self.experiments[document["name"]] = str(len(self.experiments) + 1)
        return {"experiment_id": self.experiments[document["name"]]}

    def runs_search(self, document, need, _):
        tag, value = re.fullmatch(r"tags\.`([\w.]+)` = '([0-9a-f]+)'", document["filter"]).groups()
        found = [run for run in self.runs.values() if run["info"]["experiment_id"] in document["experiment_ids"]
                 and run["tags"].get(tag) == value]
        return {"runs": [self.describe(run) for run in found[: document["max_results"]]]} if found else {}

    def runs_create(self, document, need, _):
        need(document["experiment_id"] in self.experiments.values(), "no such experiment")
        run_id = uuid.uuid4().hex
        root = f"{self.artifact_root}{document['experiment_id']}/{run_id}/artifacts"
        info = {"run_id": run_id, "run_uuid": run_id, "experiment_id": document["experiment_id"], "status": "RUNNING",
                "run_name": document.get("run_name"), "user_id": document.get("user_id"), "artifact_uri": root,
                "start_time": document["start_time"], "lifecycle_stage": "active"}
        tags = {"mlflow.runName": document.get("run_name"), **{t["key"]: t["value"] for t in document.get("tags", [])}}
        self.runs[run_id] = {"info": info, "metrics": [], "params": {}, "tags": tags}
        return {"run": self.describe(self.runs[run_id])}

    def runs_log_batch(self, document, need, length):
        run = self.run_of(document["run_id"])
        lists = [document.get(kind, []) for kind in ("metrics", "params", "tags")]
        need(len(lists[0]) <= 1000 and len(lists[1]) <= 100 and len(lists[2]) <= 100 and sum(map(len, lists)) <= 1000
             and length <= 1000000, "a batch beyond the limits")
        for p in lists[1]:
            if run["params"].setdefault(p["key"], p["value"]) != p["value"]:
                raise Refusal(400, "INVALID_PARAMETER_VALUE", "Changing param values is not allowed.")
        run["metrics"].extend(lists[0])
        run["tags"].update({t["key"]: t["value"] for t in lists[2]})
        return {}

    def runs_update(self, document, need, _):
        info = self.run_of(document["run_id"])["info"]
        info.update({name: document[name] for name in ("status", "end_time", "run_name") if name in document})
        return {"run_info": info}


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
