"""A run ends before its time is over: no batch begins that might not end within it."""

import time
import unittest

import murmur_cli
from murmur_cli import run

N_FILES = 400  # in batches of one: more than any machine commits in the seconds that the limits leave


class TimeLimit(murmur_cli.TestCase):
    def setUp(self):
        super().setUp()
        self.source, self.store = self.folder / "tweets", self.folder / "store"
        self.assert_status(run("generate", self.source, "--tweets", str(N_FILES), "--files", str(N_FILES)), 0)

    def stop_in_time(self, *options, env=None):
        result = self.run_job(self.source, self.store, "--max-files", "1", *options, n_ranks=2, status=75, env=env)
        self.assertIn("another batch might not end before the job's time is over", result.err)
        self.assertEqual(len(result.errors), 1)
        return int(result.errors[0].split("stopped with ")[1].split()[0])

    def complete(self):
        self.run_job(self.source, self.store, n_ranks=2)
        rows = self.export(self.store, "bronze").rows + self.export(self.store, "rejects").rows
        self.assertEqual(len({row["source_file"] for row in rows}), N_FILES)

    def test_a_limit_ends_the_run_with_work_left_and_the_next_completes(self):
        began = time.monotonic()
        n_left = self.stop_in_time("--time-limit", "6s")
        self.assertLess(time.monotonic() - began, 30)  # not by the clock of a busy machine: it ends at all
        self.assertTrue(0 < n_left < N_FILES, n_left)
        self.complete()

    def test_the_end_of_the_slurm_job_is_such_a_limit(self):
        self.stop_in_time(env={"SLURM_JOB_END_TIME": str(int(time.time()) + 7)})
        self.complete()

    def test_a_limit_that_is_far_away_changes_nothing(self):
        self.run_job(self.source, self.store, "--time-limit", "1h",
                     env={"SLURM_JOB_END_TIME": str(int(time.time()) + 3600)})

    def test_what_is_no_duration_is_refused(self):
        self.assert_fails(run("run", self.source, "--store", self.store, "--time-limit", "soon"), 64)


if __name__ == "__main__":
    unittest.main()
