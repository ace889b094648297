#!/usr/bin/env python3
"""Source files that change, vanish, grow or are none: taken once and whole, or refused by name; nothing waits."""

import json
import os
import socket
import subprocess
import threading
import time
import unittest

import murmur_cli
import nasty_files
from murmur_cli import BINARY, MPI_ENVIRONMENT, run

import pipeline

TIME_STEP = 0.05  # coarser than any file system's clock


def tweets(first, n):
    return nasty_files.lines(*(nasty_files.with_text(b"@bob number %d" % i) for i in range(first, first + n)))


class Sources(murmur_cli.TestCase):
    def setUp(self):
        super().setUp()
        self.tweets, self.store = self.folder / "tweets", self.folder / "store"
        self.tweets.mkdir()

    def put(self, name, data=nasty_files.lines(nasty_files.TWEET)):
        path = os.path.join(os.fsencode(self.tweets), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(data)
        return path

    def ingested(self):
        return [row["source_file"] for row in self.export(self.store, "bronze", "--columns", "source_file").rows]

    def path(self, name):
        return str(self.tweets / name)

    def test_odd_files_are_refused_by_name_and_the_others_ingested(self):
        self.put("good.jsonl")
        self.put(b"not-\xff-utf8.jsonl")
        os.mkfifo(self.tweets / "pipe.jsonl")
        with socket.socket(socket.AF_UNIX) as unix:
            os.chdir(self.tweets)  # a socket's path is short
            self.addCleanup(os.chdir, "/")
            unix.bind("socket.json")
        os.symlink("nowhere", self.tweets / "dangling.jsonl")
        os.symlink("loop.jsonl", self.tweets / "loop.jsonl")
        os.symlink("/dev/null", self.tweets / "device.jsonl.gz")
        for n_ranks in (1, 2):
            with self.subTest(n_ranks=n_ranks):
                self.store = self.folder / f"store-{n_ranks}"
                result = self.run_job(self.tweets, self.store, n_ranks=n_ranks, status=74)
                self.assertEqual(len(result.errors), 1, result.err)
                self.assertIn("6 source files could not be read", result.errors[0])
                for words in ("not-\\xff-utf8.jsonl: its name is not UTF-8", "pipe.jsonl: a FIFO, not a file",
                              "socket.json: a socket, not a file", "dangling.jsonl: a symbolic link to nothing",
                              "loop.jsonl: Too many levels of symbolic links", "device.jsonl.gz: a device, not a file"):
                    self.assertIn(words, result.err)
                self.assertEqual(self.ingested(), [self.path("good.jsonl")])
        self.assert_fails(run("sources", self.tweets, timeout=20), 74)

    def test_names_may_hold_spaces_line_feeds_and_controls(self):
        names = ["a b.jsonl", "line\nfeed.jsonl", "bell\x07\x7f.jsonl", "tab\t\"quote\".jsonl", "日本.jsonl"]
        for name in names:
            self.put(name)
        self.run_job(self.tweets, self.store, n_ranks=2)
        expected = sorted(map(self.path, names), key=os.fsencode)
        self.assertEqual(self.ingested(), expected)
        self.assert_status(run("verify", self.store), 0)
        self.assertIn(b"line\\x0afeed.jsonl\n", self.assert_status(run("sources", self.tweets), 0).out)
        self.put("line\nfeed.jsonl", b"{}\n{}\n")
        self.assertIn("line\\x0afeed.jsonl changed", self.run_job(self.tweets, self.store).err)
        self.assertEqual(self.ingested(), expected)

    def test_links_to_files_are_files_of_their_own_and_links_to_folders_are_not_followed(self):
        self.put("a.jsonl")
        self.put("deep/b.jsonl")
        os.symlink("a.jsonl", self.tweets / "link.jsonl")
        os.link(self.tweets / "a.jsonl", self.tweets / "hard.jsonl")
        os.symlink("..", self.tweets / "deep/up")
        result = self.run_job(self.tweets, self.store, n_ranks=2)
        self.assertIn("deep/up: a symbolic link to a folder is not followed", result.err)
        self.assertEqual(self.ingested(), list(map(self.path, ["a.jsonl", "deep/b.jsonl", "hard.jsonl", "link.jsonl"])))
        # By its own name a link is the same file as in its folder, and a link to a folder is that folder.
        os.symlink(self.tweets, self.folder / "other")
        result = self.run_job([self.tweets / "link.jsonl", self.folder / "other"], self.store)
        self.assertIn("4 source files: 4 ingested before, 0 to ingest", result.err)

    def test_same_content_under_two_paths_is_ingested_twice(self):
        self.put("a.jsonl")
        self.put("b.jsonl")
        self.run_job(self.tweets, self.store)
        self.assertEqual(len(self.ingested()), 2)

    def test_very_long_and_deep_paths(self):
        self.addCleanup(subprocess.run, ["rm", "-rf", self.tweets], check=True)  # too deep for Python
        at = os.open(self.tweets, os.O_RDONLY)
        for _ in range(45):  # 45 * 101 bytes go over PATH_MAX; what is below cannot be opened by its path
            os.mkdir("d" * 100, dir_fd=at)
            with open(os.open("x.jsonl", os.O_WRONLY | os.O_CREAT, dir_fd=at), "wb") as out:
                out.write(nasty_files.lines(nasty_files.TWEET))
            below = os.open("d" * 100, os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = below
        os.close(at)
        result = self.run_job(self.tweets, self.store, n_ranks=2, status=74)
        self.assertIn("File name too long", result.err)
        self.assertGreater(len(self.ingested()), 35)
        subprocess.run(["rm", "-r", self.tweets], check=True)

        chain = self.tweets.joinpath(*["d"] * 1500)
        subprocess.run(["mkdir", "-p", chain], check=True)
        (chain / "x.jsonl").write_bytes(nasty_files.lines(nasty_files.TWEET))
        few_files = ["sh", "-c", 'ulimit -n 256; exec "$0" "$@"', BINARY, "run", self.tweets, "--store", self.folder / "s2"]
        self.assert_status(murmur_cli.execute(few_files), 0)
        self.store = self.folder / "s2"
        self.assertEqual(self.ingested(), [str(chain / "x.jsonl")])

    def test_vanished_after_ingest_is_fine(self):
        os.unlink(self.put("a.jsonl"))
        self.put("b.jsonl")
        self.run_job(self.tweets, self.store)
        os.unlink(self.path("b.jsonl"))
        result = self.run_job(self.tweets, self.store, n_ranks=2)
        self.assertNotIn("b.jsonl", result.err)
        self.assertEqual(self.ingested(), [self.path("b.jsonl")])

    def start(self, n_ranks, *options):
        """A run in the background, its log in a file."""
        launcher = ["mpirun", "-np", str(n_ranks)] if n_ranks > 1 else []
        log = open(self.folder / "log", "wb")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            [*launcher, BINARY, "run", str(self.tweets), "--store", str(self.store), *options],
            stderr=log, env={**os.environ, **MPI_ENVIRONMENT}, start_new_session=True)
        self.addCleanup(lambda: process.poll() is None and os.killpg(process.pid, 9))
        return process

    def wait_until(self, is_so, seconds=60):
        end = time.monotonic() + seconds
        while not is_so():
            self.assertLess(time.monotonic(), end, (self.folder / "log").read_text())
            time.sleep(0.01)

    def test_files_that_move_between_listing_and_reading_are_left_for_the_next_run(self):
        for n_ranks in (1, 2):
            with self.subTest(n_ranks=n_ranks):
                self.tweets, self.store = self.folder / f"tweets-{n_ranks}", self.folder / f"store-{n_ranks}"
                for i in range(12):  # a batch each, so that there is time behind the listing
                    self.put(f"{i:02}.jsonl", tweets(i, 300))
                process = self.start(n_ranks, "--max-files", "1")
                self.wait_until(lambda: (self.store / f"_log/{0:020}.json").exists())
                with open(self.path("10.jsonl"), "ab") as out:
                    out.write(b'{"text": "@bob is being wri')
                os.unlink(self.path("11.jsonl"))
                os.mkfifo(self.path("11.jsonl"))
                os.unlink(self.path("09.jsonl"))
                self.assertEqual(process.wait(120), 0)
                log = (self.folder / "log").read_text()
                self.assertIn("10.jsonl changed while it was to be read", log)
                self.assertIn("11.jsonl changed while it was to be read", log)
                self.assertIn("09.jsonl vanished", log)
                self.assertIn("2 files that are still being written are left for the next run", log)
                self.assertEqual(sorted(set(self.ingested())), [self.path(f"{i:02}.jsonl") for i in range(9)])
                with open(self.path("10.jsonl"), "ab") as out:
                    out.write(b'tten"}\n')
                os.unlink(self.path("11.jsonl"))
                self.run_job(self.tweets, self.store, n_ranks=n_ranks)
                bronze, rejects = pipeline.make_bronze([self.tweets])
                self.assertEqual(rejects, [])
                texts = [row["text"] for row in self.export(self.store, "bronze").rows]
                self.assertEqual(texts, [row["text"] for row in bronze])
                self.assertEqual(self.export(self.store, "rejects").rows, [])

    def test_settle_leaves_fresh_files_for_the_next_run(self):
        self.put("old.jsonl")
        os.utime(self.path("old.jsonl"), (time.time() - 3600,) * 2)
        self.put("fresh.jsonl")
        self.put("ahead.jsonl")
        os.utime(self.path("ahead.jsonl"), (time.time() + 86400,) * 2)  # not of now either: a time set by hand
        for n_ranks in (1, 2):
            result = self.run_job(self.tweets, self.store, "--settle", "10m", n_ranks=n_ranks)
            self.assertIn("1 not settled yet", result.err)
            self.assertIn("1 files that are still being written are left", result.err)
            self.assertEqual(sorted(self.ingested()), [self.path("ahead.jsonl"), self.path("old.jsonl")])
        self.run_job(self.tweets, self.store, "--settle", "0")
        self.assertEqual(len(self.ingested()), 3)
        self.assert_fails(run("run", self.tweets, "--store", self.store, "--settle", "soon"), 64)

    def test_a_growing_file_is_ingested_once_and_whole_when_it_has_settled(self):
        path = self.put("growing.jsonl", b"")
        stop = threading.Event()

        def grow():
            number = 0
            while not stop.wait(TIME_STEP):
                with open(path, "ab") as out:  # a line in two writes: half of it is often there
                    out.write(b'{"text": "@bob ')
                    out.flush()
                    time.sleep(TIME_STEP)
                    out.write(b'line %d"}\n' % number)
                number += 1

        writer = threading.Thread(target=grow)
        writer.start()
        try:
            process = self.start(2, "--trigger", "200ms", "--settle", "1500ms")
            self.wait_until(lambda: (self.store / "_lock").exists())
            time.sleep(2)
            self.assertFalse(os.path.exists(self.store / f"_log/{0:020}.json"), (self.folder / "log").read_text())
        finally:
            stop.set()
            writer.join()
        self.wait_until(lambda: (self.store / f"_log/{1:020}.json").exists())
        process.send_signal(10)  # SIGUSR1
        self.assertEqual(process.wait(60), 0)
        with open(path, "rb") as source:
            expected = [json.loads(line)["text"] for line in source]
        self.assertGreater(len(expected), 10)
        self.assertEqual([row["text"] for row in self.export(self.store, "bronze").rows], expected)
        self.assertEqual(self.export(self.store, "rejects").rows, [])


if __name__ == "__main__":
    unittest.main()
