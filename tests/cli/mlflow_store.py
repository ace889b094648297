"""Reads MLflow's file store by the rules of MLflow 2.x's FileStore (mlflow/store/tracking/file_store.py and
mlflow/utils/validation.py), and by those of 3.x's `mlflow migrate-filestore` where they are stricter. Shares nothing with
murmur; whatever MLflow would warn of or refuse is an error here."""

import os
import pathlib
import posixpath
import re
import urllib.parse

try:
    import yaml  # as MLflow; where it is there, it has to agree
except ImportError:
    yaml = None

STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
EXPERIMENT_KEYS = {"artifact_location", "creation_time", "experiment_id", "last_update_time", "lifecycle_stage", "name"}
RUN_KEYS = {"artifact_uri", "deleted_time", "end_time", "entry_point_name", "experiment_id", "lifecycle_stage", "run_id",
            "run_name", "run_uuid", "source_name", "source_type", "source_version", "start_time", "status", "tags", "user_id"}
ESCAPES = {"0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b", " ": " ",
           '"': '"', "/": "/", "\\": "\\", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029"}


class Malformed(Exception):
    pass


def check(condition, *what):
    if not condition:
        raise Malformed(*what)


def read_scalar(text):
    """One line's scalar, as YAML 1.1 takes it."""
    if text[0] == "'":
        check(len(text) > 1 and text[-1] == "'" and not re.search(r"(?<!')'(?!')", re.sub("''", "", text[1:-1])), text)
        return text[1:-1].replace("''", "'")
    if text[0] == '"':
        check(len(text) > 1 and re.fullmatch(r'(?:[^"\\]|\\.)*', text[1:-1]), text)
        return re.sub(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|.)",
                      lambda m: chr(int(m[1][1:], 16)) if m[1][0] in "xu" else ESCAPES[m[1]], text[1:-1])
    if text == "[]":
        return []
    if re.fullmatch("~|null|Null|NULL", text):
        return None
    if re.fullmatch("(?i)yes|no|true|false|on|off", text):
        return text.lower() in ("yes", "true", "on")
    if re.fullmatch(r"[-+]?(0|[1-9][0-9_]*)", text):
        return int(text)
    check(re.fullmatch(r"[A-Za-z_/][^:#]*(:[^ #][^:#]*)*", text), "not a scalar for sure", text)
    return text


def read_meta(folder):
    raw = (folder / "meta.yaml").read_bytes().decode("utf-8")
    check(raw.endswith("\n"), folder)
    check(not re.search("[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", raw), "unprintable", folder)
    out = {}
    for line in raw[:-1].split("\n"):
        key, colon, value = line.partition(": ")
        check(colon and re.fullmatch(r"\w+", key) and key not in out, line)
        out[key] = read_scalar(value)
    if yaml:
        check(yaml.safe_load(raw) == out, "PyYAML reads something else", raw)
    return out


def check_key(key):
    """validation.py: _validate_metric_name, _validate_param_name, _validate_tag_name."""
    check(re.fullmatch(r"[/\w.\- ]+", key) and posixpath.normpath(key) == key and key not in (".", "..")
          and key[0] != "/" and not key.startswith("..") and len(key) <= 250, "not a key", key)
    return key


def resources(folder):
    """All files below, by their path relative to it, as FileStore._get_resource_files."""
    check(folder.is_dir(), folder)
    for root, _, names in os.walk(folder):
        for name in names:
            path = pathlib.Path(root) / name
            yield check_key(path.relative_to(folder).as_posix()), path


def read_metric(path):
    points = []
    lines = path.read_text().split("\n")
    check(lines[-1] == "" and len(lines) > 1, "a metric without data, or with half a line", path)
    for line in lines[:-1]:
        fields = line.split(" ")
        check(len(fields) == 3, line)
        points.append((int(fields[2]), int(fields[0]), float(fields[1])))
    return max(points)  # step, time, value


def local_path(uri):
    parts = urllib.parse.urlparse(uri)
    check(parts.scheme == "file" and parts.netloc == "" and parts.query == "" and parts.fragment == "", uri)
    return pathlib.Path(urllib.parse.unquote(parts.path))


def check_time(value):
    check(isinstance(value, int) and 1.5e12 < value < 4e12, "not milliseconds", value)


def read_run(folder, experiment_id):
    meta = read_meta(folder)
    check(set(meta) == RUN_KEYS, folder, set(meta) ^ RUN_KEYS)
    check(re.fullmatch("[0-9a-f]{32}", meta["run_id"]) and meta["run_id"] == meta["run_uuid"] == folder.name, folder)
    check(isinstance(meta["experiment_id"], str) and meta["experiment_id"] == experiment_id, "wrong experiment", folder)
    check(meta["lifecycle_stage"] in ("active", "deleted") and meta["status"] in STATUSES and meta["source_type"] == 4, meta)
    check(isinstance(meta["user_id"], str) and isinstance(meta["run_name"], str) and meta["tags"] == [], meta)
    check_time(meta["start_time"])
    check_time(meta["end_time"])
    check(meta["end_time"] >= meta["start_time"], meta)
    check(local_path(meta["artifact_uri"]) == folder / "artifacts", meta["artifact_uri"])
    check({path.name for path in folder.iterdir()} == {"meta.yaml", "metrics", "params", "tags", "artifacts"}, folder)
    out = {"meta": meta, "folder": folder,
           "metrics": {key: read_metric(path) for key, path in resources(folder / "metrics")},
           "params": {key: path.read_text() for key, path in resources(folder / "params")},
           "tags": {key: path.read_text() for key, path in resources(folder / "tags")},
           "artifacts": {path.relative_to(folder / "artifacts").as_posix(): path.read_bytes()
                         for path in (folder / "artifacts").rglob("*") if path.is_file()}}
    for step, time, _ in out["metrics"].values():
        check(step >= 0, out["metrics"])
        check_time(time)
    for value in out["params"].values():  # read by lines in 2.0; one line then
        check("\n" not in value and value == value.strip() and len(value) <= 6000, value)
    check(all(len(value) <= 5000 for value in out["tags"].values()), out["tags"])
    check(out["tags"]["mlflow.runName"] == meta["run_name"] and out["tags"]["mlflow.user"] == meta["user_id"], out["tags"])
    return out


def read_store(root):
    """{experiment name: [runs]}; Malformed for what MLflow would not take or warn of."""
    root = pathlib.Path(root)
    check((root / ".trash").is_dir() and (root / "0" / "meta.yaml").is_file(), "not initialised", root)
    out, ids = {}, set()
    for folder in root.iterdir():
        if folder.name == ".trash":
            continue
        check(folder.is_dir() and re.fullmatch("0|[1-9][0-9]{17}", folder.name), "not an experiment's folder", folder)
        meta = read_meta(folder)
        check(set(meta) == EXPERIMENT_KEYS and meta["experiment_id"] == folder.name, meta)
        check(meta["lifecycle_stage"] == "active" and isinstance(meta["name"], str) and meta["name"], meta)
        check(meta["name"] not in out, "two experiments of one name", meta["name"])
        check(local_path(meta["artifact_location"]) == folder, meta["artifact_location"])
        check_time(meta["creation_time"])
        check_time(meta["last_update_time"])
        runs = [read_run(path, folder.name) for path in folder.iterdir() if path.name != "meta.yaml"]
        check(not ids & {run["folder"].name for run in runs}, "a run twice")
        ids |= {run["folder"].name for run in runs}
        out[meta["name"]] = sorted(runs, key=lambda run: run["meta"]["start_time"])
    check(out["Default"] == [] and "0" in {path.name for path in root.iterdir()}, "no default experiment")
    return out
