"""What status tells about a store and its writer, and how stop ends a job."""

import json
import os
import signal
import time
import unittest

import murmur_cli
from murmur_cli import run

TABLES = ("bronze", "silver", "gold", "application", "rejects")


class StatusAndStop(murmur_cli.TestCase):
    def setUp(self):
        super().setUp()
        self.source, self.store = self.folder / "tweets", self.folder / "store"
        self.assert_status(run("generate", self.source, "--tweets", "600", "--files", "12"), 0)

    def status(self):
        return self.assert_status(run("status", self.store, "--json"), 0).rows[0]

    def stop(self, *options, status=0):
        return self.assert_status(run("stop", self.store, *options), status)

    def lock(self):
        return json.loads((self.store / "_lock").read_bytes())

    def test_what_is_no_store_is_refused(self):
        for command in "status", "stop":
            self.assertIn("no store", self.assert_fails(run(command, self.store), 66))
            self.assertIn("no store", self.assert_fails(run(command, self.source), 66))

    def test_a_store_without_records_has_nothing(self):
        (self.store / "_log").mkdir(parents=True)
        status = self.status()
        self.assertEqual((status["writer"], status["last_record"], status["sources"], status["tables"]),
                         (None, None, 0, {}))
        self.assertIn(b"none yet", run("status", self.store).out)

    def test_figures_are_the_logs_and_the_file_systems(self):
        self.run_job(self.source, self.store, "--max-files", "5", n_ranks=2)
        status, text = self.status(), self.assert_status(run("status", self.store), 0).out.decode()
        log = [json.loads(path.read_bytes()) for path in sorted((self.store / "_log").iterdir())]
        self.assertIsNone(status["writer"])
        self.assertEqual({name: status["last_record"][name] for name in ("time", "operation", "run_id")},
                         {name: log[-1][name] for name in ("time", "operation", "run_id")})
        self.assertEqual(status["last_record"]["number"], len(log) - 1)
        self.assertEqual(status["sources"], 12)
        self.assertEqual(status["application_behind"], 0)
        files = [os.path.join(folder, name) for folder, _, names in os.walk(self.store) for name in names]
        self.assertEqual(status["disk"]["files"], len(files))
        self.assertEqual(status["disk"]["bytes"], sum(os.stat(path).st_blocks * 512 for path in files))
        self.assertEqual(set(status["tables"]), set(TABLES))
        for table, told in status["tables"].items():
            record = [record for record in log if table in record["tables"]][-1]
            change = record["tables"][table]
            self.assertEqual(told, {**{name: change[name] for name in ("version", "rows", "parts", "bytes")},
                                    "time": record["time"]})
            self.assertEqual(told["rows"], len(self.export(self.store, table).rows))
            line = next(line for line in text.splitlines() if line.startswith(table + " ") and " stands " not in line)
            self.assertEqual(line.split()[1:4], [str(change[name]) for name in ("version", "rows", "parts")])

    def test_the_writer_is_told_while_it_runs_and_after_it_was_killed(self):
        job = self.start_job(self.source, self.store, "--trigger", "1s")
        self.wait_for_record(self.store, 1, job)
        before, lock = sorted(os.listdir(self.store)), self.lock()
        writer = self.status()["writer"]
        self.assertEqual(writer["state"], "running")
        for name in "run_id", "host", "pid":
            self.assertEqual(writer[name], lock[name])
        self.assertEqual(writer["pid"], job.process.pid)
        self.assertEqual(writer["since"], lock["time"])
        self.assertIsNone(writer["stop_asked"])
        self.assertIn(f"running: run {lock['run_id']}, process {job.process.pid}",
                      run("status", self.store).out.decode())
        job.end()
        writer = self.status()["writer"]
        self.assertEqual((writer["state"], writer["reason"]), ("gone", "its process is gone"))
        self.assertIn(b"no job writes", self.stop().out)
        self.assertEqual(sorted(os.listdir(self.store)), before)  # neither command left anything

    def test_stop_ends_a_job_between_batches_and_tells_whether_work_is_left(self):
        for n_ranks in 1, 2:
            self.store = self.folder / f"store{n_ranks}"
            job = self.start_job(self.source, self.store, "--max-files", "1", n_ranks=n_ranks)
            self.wait_for_record(self.store, 0, job)
            job.signal_ranks(signal.SIGSTOP)  # or it might be done before it is asked
            self.assertIn(b"is asked to finish", self.stop().out)
            job.signal_ranks(signal.SIGCONT)
            ended = job.wait()
            self.assertIn("files left", self.assert_fails(ended, 75))
            self.assertEqual([name for name in os.listdir(self.store) if name[0] == "_"], ["_log"])
            self.assertLess(len(self.export(self.store, "bronze").rows), 600)
            self.assertEqual(self.status()["application_behind"], 0)
            self.run_job(self.source, self.store)  # no earlier request stops it
            self.assertEqual(len(self.export(self.store, "bronze").rows), 600)

    def test_stop_ends_a_job_that_waits_for_its_trigger(self):
        job = self.start_job(self.source, self.store, "--trigger", "1h", n_ranks=2)
        self.wait_for_record(self.store, 1, job)
        lines = self.stop("--wait", "20s").out.decode().splitlines()
        self.assertEqual(len(lines), 2, lines)
        self.assertRegex(lines[1], r"^run [0-9a-f]{32} ended after \d+\.\d s$")
        self.assertEqual(job.wait().status, 0, job.said)  # nothing is left
        self.assertIn(b"no job writes", self.stop("--wait", "20s").out)

    def test_a_request_is_pending_until_the_batch_is_done(self):
        job = self.start_job(self.source, self.store, "--trigger", "1h")
        self.wait_for_record(self.store, 1, job)
        job.signal_ranks(signal.SIGSTOP)
        self.assertIn("has not ended within 0.3 s", self.assert_fails(run("stop", self.store, "--wait", "300ms"), 75))
        self.assertIn(b"was asked before", self.stop().out)
        self.assertIsNotNone(self.status()["writer"]["stop_asked"])
        self.assertIn(b"the run ends after the batch in hand", run("status", self.store).out)
        verified = self.assert_status(run("verify", self.store), 0)  # neither damage nor litter
        self.assertEqual(len(verified.out.splitlines()), 1, verified.out)
        job.signal_ranks(signal.SIGCONT)
        self.assertEqual(job.wait().status, 0, job.said)

    def test_verify_tells_the_file_of_a_run_that_waits_for_the_lock_from_litter(self):
        job = self.start_job(self.source, self.store, "--trigger", "1h")
        self.wait_for_record(self.store, 1, job)
        waiting = self.start_job(self.source, self.store)  # for five seconds
        end = time.monotonic() + 20
        while not list(self.store.glob("_lock-*")):
            self.assertLess(time.monotonic(), end, waiting.said)
            time.sleep(0.01)
        verified = self.assert_status(run("verify", self.store), 0)
        self.assertEqual(len(list(self.store.glob("_lock-*"))), 1, "it waits still")
        self.assertNotIn(b"litter", verified.out)
        waiting.signal_ranks(signal.SIGKILL)
        waiting.wait()
        (left,) = self.store.glob("_lock-*")
        verified = self.assert_status(run("verify", self.store), 0)
        self.assertIn(f"litter: {left.name} is left over", verified.out.decode())

    def test_a_request_to_a_killed_run_does_not_stop_the_next(self):
        job = self.start_job(self.source, self.store, "--trigger", "1h")
        self.wait_for_record(self.store, 1, job)
        job.signal_ranks(signal.SIGSTOP)
        self.stop()
        job.end()
        requests = [name for name in os.listdir(self.store) if name.startswith("_stop-")]
        self.assertEqual(len(requests), 1)
        self.run_job(self.source, self.store)
        self.assertEqual([name for name in os.listdir(self.store) if name[0] == "_"], ["_log"])

    def test_stop_ends_optimize_between_parts(self):
        self.run_job(self.source, self.store, "--max-files", "1")
        before = [self.export(self.store, table).out for table in TABLES]
        job = murmur_cli.Job([murmur_cli.BINARY, "optimize", self.store, "--target-size", "20K"], False)
        self.addCleanup(job.end)
        end = time.monotonic() + 30
        while not (self.store / "_lock").exists():
            self.assertLess(time.monotonic(), end, job.said)
        job.signal_ranks(signal.SIGSTOP)
        self.stop()
        job.signal_ranks(signal.SIGCONT)
        self.assertIn("left to put together", self.assert_fails(job.wait(), 75))
        self.assertEqual([self.export(self.store, table).out for table in TABLES], before)

    def test_usr1_to_any_one_rank_is_a_request_to_all(self):
        job = self.start_job(self.source, self.store, "--max-files", "1", n_ranks=3)
        self.wait_for_record(self.store, 0, job)
        job.signal_ranks(signal.SIGSTOP)
        os.kill(next(pid for pid in job.ranks if pid != self.lock()["pid"]), signal.SIGUSR1)
        job.signal_ranks(signal.SIGCONT)
        self.assertIn("files left", self.assert_fails(job.wait(), 75))


if __name__ == "__main__":
    unittest.main()
