"""Runs of MLflow: the file store as MLflow reads it, and what reaches a server, also one that fails."""

import fcntl
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import mlflow_server
import mlflow_store
import murmur_cli
from test_evaluate import write_tweets

OTHERS = ("TRACKING_URI", "TRACKING_USERNAME", "TRACKING_PASSWORD", "TRACKING_TOKEN", "TRACKING_SERVER_CERT_PATH",
          "TRACKING_CLIENT_CERT_PATH", "TRACKING_INSECURE_TLS", "EXPERIMENT_NAME")
QUICK = {**{f"MLFLOW_{name}": "" for name in OTHERS},  # whatever the tester's are
         "MLFLOW_HTTP_REQUEST_TIMEOUT": "1", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
         "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
         "PATH": "/nowhere"}  # no gnuplot: pictures are tested once


class Tracking(murmur_cli.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = murmur_cli.temporary_folder()
        cls.made = cls.shared.__enter__()
        write_tweets(cls.made / "tweets.jsonl", 120, ["negative", "neutral", "positive", None])
        cls.store = cls.made / "st ore"
        result = murmur_cli.run("run", cls.made / "tweets.jsonl", "--store", cls.store)
        assert result.status == 0, result.err

    @classmethod
    def tearDownClass(cls):
        cls.shared.__exit__(None, None, None)

    def evaluate(self, *options, status=0, env=None):
        result = murmur_cli.run("evaluate", self.store, "--json", *options, cwd=self.folder, env={**QUICK, **(env or {})})
        self.assert_status(result, status)
        return result

    def push(self, uri, *options, status=0, env=None):
        result = murmur_cli.run("push", self.store, "--tracking-uri", uri, *options, cwd=self.folder, env={**QUICK, **(env or {})})
        return self.assert_status(result, status)

    def runs(self, experiment="murmur", folder=None):
        return mlflow_store.read_store(folder or self.folder / "mlruns")[experiment]


class FileStore(Tracking):
    def test_a_run_has_what_was_evaluated(self):
        [got] = self.evaluate().rows
        [run] = self.runs()
        self.assertEqual(got["mlflow"]["run_id"], run["folder"].name)
        self.assertEqual(got["mlflow"]["experiment_id"], run["folder"].parent.name)
        self.assertEqual(pathlib.Path(got["mlflow"]["folder"]), (self.folder / "mlruns").resolve())
        values = {key: value for key, (_, _, value) in run["metrics"].items()}
        for name in ("precision", "recall", "f1_score", "accuracy", "rows"):
            self.assertEqual(values[name], got[name], name)
        for name, rates in got["classes"]["report"].items():
            for rate in ("precision", "recall", "f1_score") if name != "accuracy" else ():
                self.assertEqual(values[f"{name}_{rate}"], rates[rate])
        self.assertEqual(values["expected_calibration_error"], got["calibration"]["expected_calibration_error"])
        [record] = [json.loads(path.read_text()) for path in (self.store / "_log").glob("*0.json")]
        self.assertEqual(
            {name: run["params"][name] for name in ("model_name", "model_hash", "precision", "silver_table_version",
                                                    "mention_rule", "ranks", "murmur_version")},
            {"model_name": "murmur-mini", "model_hash": record["model"]["hash"], "precision": "fp32",
             "silver_table_version": "0", "mention_rule": "twitter", "ranks": "1",
             "murmur_version": record["murmur_version"]})
        self.assertEqual(run["meta"]["status"], 3)
        self.assertEqual(run["tags"]["mlflow.source.type"], "LOCAL")
        logged = json.loads(run["artifacts"]["evaluation.json"])
        del got["mlflow"]
        self.assertEqual(logged, got)

    @unittest.skipUnless(shutil.which("gnuplot"), "gnuplot is not here")
    def test_a_run_has_its_pictures_and_they_show_its_numbers(self):
        [got] = self.evaluate(env={"PATH": os.environ["PATH"]}).rows
        [run] = self.runs()
        pictures = ("confusion_matrix", "confusion_matrix_by_class", "reliability")
        self.assertEqual(set(run["artifacts"]),
                         {"evaluation.json", *(f"{name}.{kind}" for name in pictures for kind in ("png", "svg"))})
        for name in pictures:
            self.assertEqual(run["artifacts"][f"{name}.png"][:8], b"\x89PNG\r\n\x1a\n")
        for name, matrix in (("confusion_matrix", got["confusion_matrix"]),
                             ("confusion_matrix_by_class", got["classes"]["confusion_matrix"])):
            shown = re.findall(r">(?:<!\[CDATA\[)?\s*(\d+)\s*(?:\]\]>)?<", run["artifacts"][f"{name}.svg"].decode())
            self.assertEqual(sorted(map(int, shown)), sorted(sum(matrix, [])), name)

    def test_without_gnuplot_a_run_lacks_pictures_and_nothing_else(self):
        result = self.evaluate()
        self.assertIn("lacks its pictures", result.err)
        [run] = self.runs()
        self.assertEqual(set(run["artifacts"]), {"evaluation.json"})

    def test_the_commands_that_show_a_run_are_printed(self):
        folder = self.folder / "a b'c"
        folder.mkdir()
        text = self.assert_status(murmur_cli.run("evaluate", self.store, cwd=folder, env=QUICK), 0).out.decode()
        quoted = "'" + str((folder / "mlruns").resolve()).replace("'", "'\\''") + "'"
        self.assertIn(f"MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri {quoted}\n", text)
        self.assertIn(f"mlflow migrate-filestore --source {quoted} --target sqlite:///mlflow.db", text)
        self.assertEqual(len(self.runs(folder=folder / "mlruns")), 1)

    def test_names_are_kept_whatever_they_are(self):
        names = ["007", "1e3", "yes", "NULL", "~", "a: b", "a #b", "- x", "it's", 'say "hi"', "back\\slash", " around ", "[]",
                 "two\nlines", "tab\there", "Zoë 😀 مرحبا", "\u2028sep", "\x85\ufeff\x07", "%41", "a" * 200, "{x: y}", "`", "@"]
        for name in names:
            self.evaluate("--experiment", name, "--run-name", name)
        store = mlflow_store.read_store(self.folder / "mlruns")
        self.assertEqual(set(store), {"Default", *names})
        for name in names:
            self.assertEqual([run["meta"]["run_name"] for run in store[name]], [name])
        self.evaluate("--experiment", "it's")  # and found again
        self.assertEqual(len(self.runs("it's")), 2)

    def test_writers_at_once_make_one_experiment_and_lose_no_run(self):
        jobs = [subprocess.Popen([murmur_cli.BINARY, "evaluate", str(self.store), "--json"], cwd=self.folder,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **QUICK}) for _ in range(8)]
        said = [json.loads(job.communicate(timeout=60)[0])["mlflow"]["run_id"] for job in jobs]
        self.assertEqual({run["folder"].name for run in self.runs()}, set(said))
        self.assertEqual(len(set(said)), 8)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["mlruns"])  # nothing is left over

    def test_an_experiment_that_mlflow_made_is_used(self):
        self.evaluate()
        [run] = self.runs()
        old = run["folder"].parent
        made = old.parent / "318204917650283411"
        old.rename(made)
        for meta in (made / "meta.yaml", made / run["folder"].name / "meta.yaml"):
            meta.write_text(meta.read_text().replace(old.name, made.name))
        self.evaluate()
        self.assertEqual({run["folder"].parent.name for run in self.runs()}, {made.name})

    def test_a_deleted_experiment_is_named_and_left_alone(self):
        self.evaluate()
        [run] = self.runs()
        experiment = run["folder"].parent
        experiment.rename(experiment.parent / ".trash" / experiment.name)
        result = self.evaluate(status=65)
        self.assertIn("was deleted", self.assert_fails(result, 65))
        self.assertEqual(len(result.rows), 1)  # the rates are printed all the same
        self.assertEqual(set(mlflow_store.read_store(self.folder / "mlruns")), {"Default"})
        self.evaluate("--experiment", "other")

    def test_a_folder_by_path_or_uri_takes_the_runs(self):
        for uri in ("else where", f"file://{self.folder}/else%20where"):
            self.evaluate("--tracking-uri", uri)
        self.evaluate("--mlruns", "else where", env={"MLFLOW_EXPERIMENT_NAME": "mine"})
        self.assertEqual(len(self.runs(folder=self.folder / "else where")), 2)
        self.assertEqual(len(self.runs("mine", folder=self.folder / "else where")), 1)
        for uri in ("sqlite:///x.db", "databricks", "ftp://host"):
            self.assertIn("not to", self.assert_fails(self.evaluate("--tracking-uri", uri, status=64), 64))

    def test_nothing_is_logged_of_nothing_or_on_request(self):
        self.assertIsNone(self.evaluate("--no-tracking").rows[0]["mlflow"])
        source, empty = self.folder / "empty.jsonl", self.folder / "empty"
        source.write_text('{"text": "nobody"}\n')
        self.run_job(source, empty)
        self.assert_status(murmur_cli.run("evaluate", empty, cwd=self.folder, env=QUICK), 0)
        self.assertFalse((self.folder / "mlruns").exists())

    def test_a_store_takes_runs_also_where_nothing_can_be_made_beside_it(self):
        folder = self.folder / ("x" * 250)  # a longer name is none
        for _ in range(2):
            self.evaluate("--mlruns", folder)
        self.assertEqual(len(self.runs(folder=folder)), 2)

    def test_a_place_that_cannot_be_written_is_named(self):
        (self.folder / "mlruns").write_text("a file")
        self.assertIn("mlruns", self.assert_fails(self.evaluate(status=73), 73))


class Push(Tracking):
    def assert_has(self, server, n=1):
        """The server has the file store's runs, each once, and was asked nothing that no API has."""
        self.assertEqual(server.wrong, [])
        runs = [run for runs in mlflow_store.read_store(self.folder / "mlruns").values() for run in runs]
        self.assertEqual((len(runs), len(server.runs)), (n, n))
        by_id = {run["tags"]["murmur.run_id"]: run for run in server.runs.values()}
        names = {number: name for name, number in server.experiments.items()}
        for run in runs:
            there = by_id[run["folder"].name]
            info, meta = there["info"], run["meta"]
            self.assertEqual((info["status"], info["start_time"], info["end_time"], info["run_name"], info["user_id"]),
                             ("FINISHED", meta["start_time"], meta["end_time"], meta["run_name"], meta["user_id"]))
            self.assertEqual(names[info["experiment_id"]],
                             mlflow_store.read_meta(run["folder"].parent)["name"])
            points = {key: point for key, point in run["metrics"].items() if math.isfinite(point[2])}
            self.assertEqual(len(there["metrics"]), len(points))
            self.assertEqual({m["key"]: (m["step"], m["timestamp"], m["value"]) for m in there["metrics"]}, points)
            self.assertEqual(there["params"], run["params"])
            tags = {key: value for key, value in run["tags"].items() if not key.startswith("murmur.pushed.")}
            self.assertEqual(there["tags"], {**tags, "murmur.run_id": run["folder"].name})
            prefix = f"{info['experiment_id']}/{info['run_id']}/artifacts/"
            self.assertEqual({name[len(prefix):]: body for name, body in server.artifacts.items()
                              if name.startswith(prefix)}, run["artifacts"])

    def test_evaluate_sends_its_run(self):
        with mlflow_server.Server() as server:
            [got] = self.evaluate("--tracking-uri", server.uri + "/").rows
            self.assert_has(server)
            self.assertEqual(got["mlflow"]["server"], server.uri)
            self.assertIn(got["mlflow"]["server_run_id"], server.runs)

    def test_runs_are_sent_once_and_later_ones_follow(self):
        with mlflow_server.Server(prefix="/ml/flow") as server:
            for name in ("one", "two"):
                self.evaluate("--experiment", name, "--run-name", "a 'name' / with #? %")
            self.assertIn("pushed 2 of 2 ", self.push(server.uri).out.decode())
            n_calls = len(server.calls)
            self.assertIn("pushed 0 of 2 ", self.push(server.uri).out.decode())
            self.assertEqual(len(server.calls), n_calls)
            self.evaluate("--experiment", "Zoë / & ?")
            self.assertIn("pushed 1 of 3 ", self.push(server.uri).out.decode())
            self.assert_has(server, 3)
            with mlflow_server.Server() as other:
                self.assertIn("pushed 3 of 3 ", self.push(other.uri).out.decode())
                self.assert_has(other, 3)

    def test_artifacts_arrive_byte_for_byte(self):
        self.evaluate()
        [run] = self.runs()
        folder = run["folder"] / "artifacts"
        (folder / "deep" / "er").mkdir(parents=True)
        for name, content in (("deep/er/a b#%?é.bin", bytes(range(256)) * 5000), ("empty", b""), ("deep/x", b"\r\n\0")):
            (folder / name).write_bytes(content)
        with mlflow_server.Server() as server:
            server.fail("artifact", "cut", "500-after", "429")
            self.push(server.uri, env={"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3"})
            self.assert_has(server)
            self.assertEqual(len(server.artifacts), len(run["artifacts"]) + 3)

    def test_large_runs_are_sent_within_the_limits(self):
        self.evaluate()
        [run] = self.runs()
        for number in range(1003):
            (run["folder"] / "metrics" / f"m{number}").write_text(f"1790000000000 {number} 0\n")
        (run["folder"] / "metrics" / "none").write_text("1790000000000 nan 0\n")
        (run["folder"] / "metrics" / "much").write_text("1790000000000 inf 0\n")
        for number in range(110):
            (run["folder"] / "params" / f"p{number}").write_text("é" * 6000)
            (run["folder"] / "tags" / f"t{number}").write_text("\x01" * 2500)
        with mlflow_server.Server() as server:
            self.push(server.uri)
            self.assert_has(server)

    def test_all_points_of_a_metric_are_sent_once(self):
        self.evaluate()
        [run] = self.runs()
        points = [(1790000000000 + t, t * 0.1, t // 2) for t in range(20)]
        (run["folder"] / "metrics" / "loss").write_text("".join("%d %r %d\n" % p for p in reversed(points)))
        with mlflow_server.Server() as server:
            server.fail("runs/log-batch", "cut-after")
            self.push(server.uri)
            [there] = server.runs.values()
            self.assertEqual([(m["timestamp"], m["value"], m["step"]) for m in there["metrics"] if m["key"] == "loss"], points)

    def forget_pushes(self):
        for path in (self.folder / "mlruns").glob("*/*/tags/murmur.pushed.*"):
            path.unlink()  # a later server may have an earlier one's port

    def test_any_failure_once_is_survived(self):
        self.evaluate()
        for call in ("experiments/get-by-name", "experiments/create", "runs/search", "runs/create", "runs/get",
                     "runs/log-batch", "artifact", "runs/update"):
            for kind in ("500", "503-after", "cut-after", *(["429", "cut", "hang", "hang-after"] if "log" in call else [])):
                with self.subTest(call=call, kind=kind), mlflow_server.Server() as server:
                    self.forget_pushes()
                    server.fail(call, kind)
                    self.push(server.uri)
                    self.assert_has(server)

    def test_a_push_that_failed_is_finished_by_the_next(self):
        for call in ("experiments/create", "runs/create", "runs/log-batch", "artifact", "runs/update"):
            with self.subTest(call=call), mlflow_server.Server() as server:
                shutil.rmtree(self.folder / "mlruns", ignore_errors=True)
                server.fail(call, "503-after")
                result = self.evaluate("--tracking-uri", server.uri, status=74, env={"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"})
                self.assert_fails(result, 74)
                self.assertIn("the run is kept", result.err)
                self.assertIsNone(result.rows[0]["mlflow"]["server_run_id"])
                self.push(server.uri)
                self.assert_has(server)

    def test_a_dead_server_loses_nothing_and_takes_no_time(self):
        with mlflow_server.Server() as server:
            uri = server.uri
        result = self.evaluate("--tracking-uri", uri, status=74)
        self.assertIn("murmur push", result.err)
        self.assertEqual(len(self.runs()), 1)
        self.assert_fails(self.push(uri, status=74), 74)
        with mlflow_server.Server() as server:
            self.push(server.uri)
            self.assert_has(server)
            server.fail("experiments/get-by-name", "hang", "hang", "hang")
            self.evaluate("--experiment", "later")
            self.assertIn("imed out", self.assert_fails(self.push(server.uri, status=74), 74))

    def test_user_password_and_token_go_as_mlflow_sends_them(self):
        basic = {"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": "s3cret:ö"}
        cases = [(mlflow_server.basic("ann", "s3cret:ö"), basic), ("Bearer t0ken", {"MLFLOW_TRACKING_TOKEN": "t0ken"}),
                 (mlflow_server.basic("ann", "s3cret:ö"), {**basic, "MLFLOW_TRACKING_TOKEN": "other"})]
        for authorization, env in cases:
            with self.subTest(env=env), mlflow_server.Server(authorization) as server:
                shutil.rmtree(self.folder / "mlruns", ignore_errors=True)
                self.evaluate("--tracking-uri", server.uri, env=env)
                self.assert_has(server)
        with mlflow_server.Server(mlflow_server.basic("b@b", "p/w")) as server:
            shutil.rmtree(self.folder / "mlruns")
            result = self.evaluate("--tracking-uri", server.uri.replace("//", "//b%40b:p%2Fw@"))
            self.assert_has(server)
            written = b"".join(path.read_bytes() for path in (self.folder / "mlruns").rglob("*") if path.is_file())
            for text in (written, result.out, result.err.encode()):
                self.assertNotIn(b"p/w", text)
                self.assertNotIn(b"p%2Fw", text)
            shutil.rmtree(self.folder / "mlruns")
            result = self.evaluate("--tracking-uri", server.uri, status=64)
            self.assertIn("MLFLOW_TRACKING_TOKEN", self.assert_fails(result, 64))

    def test_what_a_server_says_is_told_with_a_cure(self):
        self.evaluate()
        cases = {"host": (74, "--allowed-hosts"), "redirect": (64, "redirects"), "page": (74, "MLflow server?"),
                 "404": (74, "MLflow server?")}
        for kind, (status, words) in cases.items():
            with self.subTest(kind=kind), mlflow_server.Server() as server:
                server.fail("experiments/get-by-name", kind)
                self.assertIn(words, self.assert_fails(self.push(server.uri, status=status), status))
        with mlflow_server.Server() as server:
            server.experiments["murmur"], server.deleted = "7", {"murmur"}
            self.assertIn("was deleted", self.assert_fails(self.push(server.uri, status=65), 65))

    def test_tls_needs_a_certificate_that_is_trusted(self):
        both, certificate = self.folder / "both.pem", self.folder / "certificate.pem"
        if not shutil.which("openssl"):
            self.skipTest("openssl is not here")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", both, "-out", certificate,
                        "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"],
                       check=True, capture_output=True)
        both.write_bytes(both.read_bytes() + certificate.read_bytes())
        with mlflow_server.Server(certificate=both) as server:
            result = self.evaluate("--tracking-uri", server.uri, status=74)
            self.assertIn("MLFLOW_TRACKING_SERVER_CERT_PATH", self.assert_fails(result, 74))
            self.assertEqual(server.calls, [])
            self.push(server.uri, env={"MLFLOW_TRACKING_SERVER_CERT_PATH": str(certificate)})
            self.assert_has(server)
            self.evaluate("--tracking-uri", server.uri, env={"MLFLOW_TRACKING_INSECURE_TLS": "true"})
            self.assert_has(server, 2)
            env = {"MLFLOW_TRACKING_INSECURE_TLS": "true", "MLFLOW_TRACKING_SERVER_CERT_PATH": str(certificate)}
            self.assert_fails(self.push(server.uri, status=64, env=env), 64)

    def test_proxies_are_not_asked_for_this_machine(self):
        with mlflow_server.Server() as server:
            self.evaluate("--tracking-uri", server.uri, env={"http_proxy": "http://127.0.0.1:1"})
            self.assert_has(server)

    def test_artifacts_go_where_the_server_wants_them(self):
        root = self.folder / "artifacts"
        root.mkdir()
        self.evaluate()
        [run] = self.runs()
        with mlflow_server.Server(artifact_root=f"file://{root}/") as server:
            self.push(server.uri)
            [there] = server.runs.values()
            place = root / there["info"]["experiment_id"] / there["info"]["run_id"] / "artifacts"
            self.assertEqual({path.name: path.read_bytes() for path in place.iterdir()}, run["artifacts"])
            self.assertEqual(server.artifacts, {})
        for artifact_root in ("s3://bucket/", "mlflow-artifacts://example.org:80/", "file:///nowhere/here/", "rel/"):
            with mlflow_server.Server(artifact_root=artifact_root) as server:
                self.forget_pushes()
                self.assertIn("stay in the file store", self.push(server.uri).err)
                self.assertEqual(server.artifacts, {})
        with mlflow_server.Server() as server:
            server.artifact_root = f"mlflow-artifacts://127.0.0.1:{server.port}/"
            self.forget_pushes()
            self.push(server.uri)
            self.assert_has(server)

    def test_runs_of_other_stores_and_deleted_ones_stay(self):
        self.evaluate()
        other = self.folder / "other"
        self.run_job(self.made / "tweets.jsonl", other)
        self.assert_status(murmur_cli.run("evaluate", other, cwd=self.folder, env=QUICK), 0)
        self.evaluate()
        last = self.runs()[-1]["folder"] / "meta.yaml"
        last.write_text(last.read_text().replace("lifecycle_stage: active", "lifecycle_stage: deleted"))
        with mlflow_server.Server() as server:
            self.assertIn("pushed 1 of 1 ", self.push(server.uri).out.decode())
            moved = self.folder / "moved"
            other.rename(moved)
            result = murmur_cli.run("push", moved, "--tracking-uri", server.uri, cwd=self.folder, env=QUICK)
            self.assertIn("pushed 1 of 1 ", self.assert_status(result, 0).out.decode())
            self.assertEqual(server.wrong, [])

    def test_a_run_that_mlflow_wrote_again_is_read(self):
        self.evaluate()
        [run] = self.runs()
        meta = run["folder"] / "meta.yaml"
        text = "\n".join(f"run_name: \"a long name that PyYAML\\\n  \\ folds, with \\xE9 and\n  more\"" if line.startswith("run_name")
                         else "user_id: 'it''s\n  me'" if line.startswith("user_id") else line
                         for line in meta.read_text().splitlines())
        meta.write_text("# rewritten\n" + text + "\n")
        with mlflow_server.Server() as server:
            self.push(server.uri)
            [there] = server.runs.values()
            self.assertEqual(there["info"]["run_name"], "a long name that PyYAML folds, with é and more")
            self.assertEqual(there["info"]["user_id"], "it's me")

    def test_a_damaged_run_is_named_and_the_others_are_sent(self):
        self.evaluate()
        self.evaluate()
        bad = self.runs()[0]["folder"]
        for name, content in (("metrics/recall", "x 1 2\n"), ("meta.yaml", "run_id: 'open\n")):
            (bad / name).write_text(content)
            with mlflow_server.Server() as server:
                result = self.push(server.uri, status=65 if name != "meta.yaml" else 0)
                self.assertEqual(len(server.runs), 1)
            self.assertEqual("not pushed" in result.err, name != "meta.yaml")

    def test_of_two_pushes_at_once_the_second_is_turned_away(self):
        self.evaluate()
        [run] = self.runs()
        with open(run["folder"] / "meta.yaml") as held, mlflow_server.Server() as server:
            fcntl.flock(held, fcntl.LOCK_EX)
            self.assertIn("another process", self.assert_fails(self.push(server.uri, status=75), 75))
            fcntl.flock(held, fcntl.LOCK_UN)
            self.push(server.uri)
            self.assert_has(server)

    def test_without_a_server_or_a_file_store_it_says_so(self):
        result = murmur_cli.run("push", self.store, cwd=self.folder, env=QUICK)
        self.assertIn("--tracking-uri", self.assert_fails(result, 64))
        self.assertIn("murmur evaluate", self.assert_fails(self.push("http://127.0.0.1:1", status=66), 66))
        for uri in ("http://", "http://a b/", "http://host/?x=1"):
            self.assertIn("no address", self.assert_fails(self.push(uri, status=64), 64))


if __name__ == "__main__":
    unittest.main()
