"""One writer at a time: jobs that start together, and a writer that was halted while another took over."""

import json
import os
import signal
import time
import unittest

import murmur_cli
from murmur_cli import run

LEASE = 120  # seconds without renewal after which a lock is nobody's


def records(store):
    return [json.loads(path.read_bytes()) for path in sorted((store / "_log").glob("[0-9]*.json"))]


def age(path, seconds):
    about = os.stat(path)
    os.utime(path, (about.st_atime - seconds, about.st_mtime - seconds))


class Writers(murmur_cli.TestCase):
    def setUp(self):
        super().setUp()
        self.source, self.store = self.folder / "tweets", self.folder / "store"
        self.generate("tweets", seed=1)

    def generate(self, name, seed):
        self.assert_status(run("generate", self.folder / name, "--tweets", "40", "--files", "2", "--seed", seed), 0)

    def undisturbed(self):
        store = self.folder / "undisturbed"
        self.run_job(self.source, store)
        return {table: self.rows(store, table) for table in ("bronze", "silver", "gold", "application", "rejects")}

    def rows(self, store, table):
        rows = self.export(store, table).rows
        for row in rows:
            row.pop("processing_time", None)
        return rows

    def test_of_two_jobs_that_start_at_once_one_wins_and_the_other_says_who(self):
        # All pairs at once: a loser waits five seconds for the winner to go. The interval keeps winners there.
        pairs = []
        for i in range(8):
            store = self.folder / f"store{i}"
            pairs.append((store, [self.start_job(self.source, store, "--trigger", "1s") for _ in range(2)]))
        for store, jobs in pairs:
            end = time.monotonic() + 60
            while not any(job.process.poll() is not None for job in jobs):
                self.assertLess(time.monotonic(), end, [job.said for job in jobs])
                time.sleep(0.02)
            loser, winner = sorted(jobs, key=lambda job: job.process.poll() is None)
            message = self.assert_fails(loser.wait(), 73)
            self.assertIn(f"process {winner.process.pid} on host {os.uname().nodename}", message)
            self.assertIn("--break-lock", message)
            self.assertIsNone(winner.process.poll(), winner.said)
            self.assert_status(run("stop", store), 0)
        expected = self.undisturbed()
        for store, jobs in pairs:
            self.assertEqual(sorted(job.wait().status for job in jobs), [0, 73])
            self.assertEqual(len({record["run_id"] for record in records(store)}), 1)
            self.assertEqual([name for name in os.listdir(store) if name[0] == "_"], ["_log"])
            self.assert_status(run("verify", store), 0)
            for table, rows in expected.items():
                self.assert_rows(self.rows(store, table), rows, table)

    def test_a_writer_that_was_halted_past_its_lease_cannot_publish(self):
        for n_ranks, is_successor_there in (1, True), (2, False):
            with self.subTest(n_ranks=n_ranks, is_successor_there=is_successor_there):
                self.store = self.folder / f"store{n_ranks}"
                self.check_halted_writer(n_ranks, is_successor_there)

    def check_halted_writer(self, n_ranks, is_successor_there):
        halted = self.start_job(self.source, self.store, "--trigger", "1s", n_ranks=n_ranks)
        self.wait_for_record(self.store, 1, halted)
        halted.signal_ranks(signal.SIGSTOP)
        n_before = len(records(self.store))
        self.generate(f"tweets/more{n_ranks}", seed=n_ranks)  # both jobs will want it
        age(self.store / "_lock", LEASE + 5)

        successor = self.start_job(self.source, self.store, *(["--trigger", "1s"] if is_successor_there else []))
        self.wait_for_record(self.store, n_before + 1, successor)
        if not is_successor_there:
            self.assertEqual(successor.wait().status, 0, successor.said)
        self.assertIn("two minutes", successor.said)
        log = records(self.store)

        halted.signal_ranks(signal.SIGCONT)
        message = self.assert_fails(halted.wait(), 73)
        self.assertIn("was taken over by" if is_successor_there else "was removed", message)
        if is_successor_there:
            self.assertIn(f"process {successor.process.pid} ", message)
            self.assertIsNone(successor.process.poll(), successor.said)
            self.assert_status(run("stop", self.store, "--wait", "30s"), 0)
        self.assertEqual(records(self.store), log)
        self.assertEqual(len({record["run_id"] for record in log}), 2)
        self.assert_status(run("verify", self.store), 0)
        self.run_job(self.source, self.store)  # nothing is left to do
        self.assertEqual(records(self.store), log)


if __name__ == "__main__":
    unittest.main()
