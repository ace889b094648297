#!/usr/bin/env python3
"""clear: a store goes whole or not at all, and nothing goes that is not murmur's."""

import os
import pty
import subprocess
import time
import unittest

import test_maintenance
from murmur_cli import BINARY, run


class Clear(test_maintenance.Maintenance):
    def snapshot(self, folder):
        return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def test_store_is_gone(self):
        store = self.copy()
        (store / "progress.jsonl").write_text("{}\n")
        self.assert_status(run("clear", store, "--yes"), 0)
        self.assertFalse(store.exists())
        self.run_job(self.tweets, store)  # and another can begin there
        self.assertEqual(self.export(store, "silver").out, self.export(self.pristine, "silver").out)

    def test_without_yes_it_asks_and_where_nobody_answers_it_refuses(self):
        store = self.copy()
        before = self.snapshot(store)
        self.assertIn("give --yes", self.assert_fails(run("clear", store), 64))
        for answer, status in ((b"n\n", 64), (b"\n", 64), (b"y\n", 0)):
            self.assertEqual(self.snapshot(store), before)
            ours, its = pty.openpty()
            os.write(ours, answer)
            asked = subprocess.run([BINARY, "clear", store], stdin=its, capture_output=True, timeout=60)
            os.close(ours)
            os.close(its)
            self.assertEqual(asked.returncode, status, asked.stderr)
            self.assertIn(b"Delete the store", asked.stderr)
        self.assertFalse(store.exists())

    def test_files_that_are_not_murmurs_stay(self):
        store = self.copy()
        foreign = [store / "notes.txt", store / "gold/part-of-a-book.h5", store / "_log/readme", store / "other/data.h5"]
        for path in foreign:
            path.parent.mkdir(exist_ok=True)
            path.write_text("mine")
        result = self.assert_status(run("clear", store, "--yes"), 0)
        self.assertIn("holds files that are not murmur's", result.err)
        left = self.snapshot(store)
        self.assertEqual({path.name for path in left}, {path.name for path in foreign})

    def test_folder_that_is_no_store_is_not_touched(self):
        other = self.folder / "other"
        (other / "_log").mkdir(parents=True)
        (other / "_log/apache.log").write_text("GET /")
        (other / "gold").mkdir()
        (other / "gold/part-00000000000000000000-x.h5").write_text("mine")
        before = self.snapshot(other)
        for folder in (other, other / "gold", self.folder / "missing"):
            self.assertIn("is no store", self.assert_fails(run("clear", folder, "--yes"), 66))
        self.assertEqual(self.snapshot(other), before)

    def test_damaged_and_just_created_stores_can_be_cleared(self):
        store = self.copy()
        (store / "_log/00000000000000000003.json").write_text("torn")
        self.assert_status(run("clear", store, "--yes"), 0)
        self.assertFalse(store.exists())
        (store / "_log").mkdir(parents=True)
        self.assert_status(run("clear", store, "--yes"), 0)
        self.assertFalse(store.exists())

    def test_half_cleared_store_is_none_and_the_next_clear_finishes_it(self):
        store = self.copy()
        (store / "_log").rename(store / "_clearing")
        for path in list((store / "gold").iterdir())[:5]:
            path.unlink()
        for command, status in ((["export", store, "gold"], 66), (["verify", store], 66), (["vacuum", store], 66),
                                (["run", self.tweets, "--store", store], 73)):
            self.assertIn("murmur clear", self.assert_fails(run(*command), status))
        self.assert_status(run("clear", store, "--yes"), 0)
        self.assertFalse(store.exists())

    def test_killed_at_any_moment_it_leaves_a_whole_store_or_none(self):
        for number, delay in enumerate((0.002, 0.006, 0.01, 0.014, 0.02, 0.03)):
            store = self.copy(f"store-{number}")
            process = subprocess.Popen([BINARY, "clear", store, "--yes", "--quiet"])
            time.sleep(delay)
            process.kill()
            process.wait()
            if (store / "_log").exists():
                self.assertEqual(self.export(store, "gold").out, self.export(self.pristine, "gold").out)
                self.assert_whole(store)
            elif store.exists():
                self.assert_fails(run("export", store, "gold"), 66)
            if store.exists():
                self.assert_status(run("clear", store, "--yes"), 0)
            self.assertFalse(store.exists())

    def test_running_writer_is_named(self):
        store = self.copy()
        writer = subprocess.Popen([BINARY, "run", self.tweets, "--store", store, "--trigger", "60s"],
                                  stderr=subprocess.DEVNULL)
        try:
            until = time.monotonic() + 60
            while not (store / "_lock").exists() and time.monotonic() < until:
                time.sleep(0.05)
            error = self.assert_fails(run("clear", store, "--yes"), 73)
            self.assertIn(f"held by process {writer.pid} ", error)
        finally:
            writer.kill()
            writer.wait()
        self.assertEqual(self.export(store, "gold").out, self.export(self.pristine, "gold").out)
        self.assert_status(run("clear", store, "--yes"), 0)  # its process is gone, and so is its lock's power
        self.assertFalse(store.exists())


if __name__ == "__main__":
    unittest.main()
