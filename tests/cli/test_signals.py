"""A run that is stopped, killed or waiting: what is left behind is whole, and the next run goes on where it ended."""

import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

import murmur_cli
from murmur_cli import BINARY, MPI_ENVIRONMENT, run

N_FILES = 12
TWEETS_PER_FILE = 150


def write_source(path, first):
    with open(path, "w", encoding="utf-8") as out:
        for i in range(first, first + TWEETS_PER_FILE):
            out.write(json.dumps({"date": "Mon Apr 06 22:19:45 PDT 2009", "user": f"u{i}", "sentiment": "positive",
                                  "text": f"@u{i % 7} tweet number {i} is about the weather of day {i * 31 % 97}"}))
            out.write("\n")


def export(store, table):
    result = run("export", store, table)
    assert result.status == 0, result.err
    rows = result.rows
    for row in rows:
        row.pop("processing_time", None)
    return rows


def operations(store):
    return [json.loads(path.read_bytes())["operation"] for path in sorted((store / "_log").glob("[0-9]*.json"))]


class Signals(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="murmur-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.source = self.folder / "tweets"
        self.source.mkdir()
        for i in range(N_FILES):
            write_source(self.source / f"{i:02}.jsonl", i * TWEETS_PER_FILE)
        self.store = self.folder / "store"

    def start(self, n_ranks, *options):
        """A run in the background, in batches of one file, its log in a file."""
        launcher = ["mpirun", "-np", str(n_ranks)] if n_ranks > 1 else []
        log = open(self.folder / "log", "wb")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            [*launcher, BINARY, "run", str(self.source), "--store", str(self.store), "--max-files", "1", *options],
            stdout=subprocess.DEVNULL, stderr=log, env={**os.environ, **MPI_ENVIRONMENT}, start_new_session=True)
        self.addCleanup(lambda: process.poll() is None and os.killpg(process.pid, signal.SIGKILL))
        return process

    def wait_for_record(self, number, seconds=180):
        record = self.store / "_log" / f"{number:020}.json"
        end = time.monotonic() + seconds
        while not record.exists():
            self.assertLess(time.monotonic(), end, f"no record {number}: {(self.folder / 'log').read_text()}")
            time.sleep(0.01)

    def undisturbed(self):
        store = self.folder / "undisturbed"
        result = run("run", self.source, "--store", store, "--max-files", "1")
        self.assertEqual(result.status, 0, result.err)
        return {table: export(store, table) for table in ("bronze", "silver", "gold", "application", "rejects")}

    def assert_completes(self, n_ranks):
        result = murmur_cli.mpirun(n_ranks, "run", self.source, "--store", self.store, "--max-files", "1")
        self.assertEqual(result.status, 0, result.err)
        self.assertEqual(run("verify", self.store).status, 0)
        for table, rows in self.undisturbed().items():
            self.assertEqual(export(self.store, table), rows, table)

    def test_usr1_ends_after_the_batch_in_hand_with_75(self):
        for n_ranks in 1, 2:
            with self.subTest(n_ranks=n_ranks):
                self.store = self.folder / f"store{n_ranks}"
                process = self.start(n_ranks)
                self.wait_for_record(1)
                process.send_signal(signal.SIGUSR1)  # to mpirun, which passes it on
                self.assertEqual(process.wait(60), 75)
                self.assertFalse((self.store / "_lock").exists())
                n_rows = len(export(self.store, "gold"))
                self.assertGreater(n_rows, 0)
                self.assertLess(n_rows, N_FILES * TWEETS_PER_FILE)
                # The application table stands for what was committed.
                self.assertEqual(sum(row["total"] for row in export(self.store, "application")), n_rows)
        self.assert_completes(1)

    def test_usr1_before_mpi_has_started_is_heard_too(self):
        process = self.start(1)
        status = pathlib.Path(f"/proc/{process.pid}/status")

        def catches_usr1():
            caught = re.search(r"SigCgt:\s*(\w+)", status.read_text()).group(1)
            return int(caught, 16) >> (signal.SIGUSR1 - 1) & 1

        while not catches_usr1():  # before that it is not murmur's yet
            self.assertIsNone(process.poll())
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.wait(60), 75, (self.folder / "log").read_text())
        self.assertFalse(list(self.store.glob("gold/*.h5")))
        self.assert_completes(1)

    def test_a_killed_run_is_completed_by_the_next_at_another_number_of_ranks(self):
        process = self.start(2)
        self.wait_for_record(2)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)
        # Ranks outlive a killed mpirun by about a second, and hold the lock so long.
        self.assertEqual(run("verify", self.store).status, 0)
        self.assert_completes(3)

    def test_one_killed_rank_ends_the_job_and_loses_nothing(self):
        process = self.start(2)
        self.wait_for_record(1)
        ranks = subprocess.run(["pgrep", "-f", f"{BINARY} run {self.source}"], capture_output=True, text=True)
        pids = [int(word) for word in ranks.stdout.split() if int(word) != process.pid]
        self.assertEqual(len(pids), 2, ranks.stdout)
        os.kill(pids[-1], signal.SIGKILL)
        self.assertNotEqual(process.wait(60), 0)
        self.assert_completes(2)

    def test_term_ends_at_once_and_the_last_commit_stands(self):
        process = self.start(1)
        self.wait_for_record(1)
        process.terminate()
        self.assertEqual(process.wait(60), -signal.SIGTERM)
        self.assert_completes(1)

    def test_an_interval_run_takes_new_files_until_it_is_stopped(self):
        process = self.start(2, "--trigger", "1s")
        self.wait_for_record(N_FILES)  # its batches and the first application
        write_source(self.source / "zz.jsonl", 100000)
        self.wait_for_record(N_FILES + 1)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.wait(60), 0)  # nothing is left
        self.assertEqual(len(export(self.store, "bronze")), (N_FILES + 1) * TWEETS_PER_FILE)
        self.assert_completes(1)

    def test_an_interval_run_counts_at_its_first_pause_then_once_a_minute_and_at_its_end(self):
        process = self.start(2, "--trigger", "200ms")
        self.wait_for_record(N_FILES)
        for i in range(4):  # less than a minute
            write_source(self.source / f"zz{i}.jsonl", 100000 + 1000 * i)
            self.wait_for_record(N_FILES + 1 + i)
        time.sleep(1)
        self.assertEqual(operations(self.store), ["INGEST"] * N_FILES + ["AGGREGATE"] + ["INGEST"] * 4)
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.wait(60), 0)
        self.assertEqual(operations(self.store)[-2:], ["INGEST", "AGGREGATE"])
        self.assertEqual(sum(row["total"] for row in export(self.store, "application")),
                         len(export(self.store, "gold")))
        self.assert_completes(1)

    def test_an_interval_run_counts_tweets_without_mentions_too(self):
        for path in self.source.iterdir():
            path.unlink()
        (self.source / "silent.jsonl").write_text('{"text": "nobody is named"}\n')
        process = self.start(1, "--trigger", "1h")
        self.wait_for_record(1)
        self.assertEqual(operations(self.store), ["INGEST", "AGGREGATE"])
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(process.wait(60), 0)
        self.assertEqual(len(operations(self.store)), 2)

    def test_a_second_writer_is_refused_with_a_message(self):
        process = self.start(1, "--trigger", "1s")
        self.wait_for_record(0)
        second = run("run", self.source, "--store", self.store)
        self.assertEqual(second.status, 73, second.err)
        self.assertEqual(len(second.errors), 1, second.err)
        self.assertIn("--break-lock", second.errors[0])
        process.send_signal(signal.SIGUSR1)
        self.assertIn(process.wait(60), (0, 75))
        self.assert_completes(1)


if __name__ == "__main__":
    unittest.main()
