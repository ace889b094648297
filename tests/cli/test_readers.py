"""Readers beside a writer that commits many small batches: each reads one record, whole, and none ever fails."""

import json
import re
import sys
import threading
import time
import unittest

import murmur_cli
from murmur_cli import SOURCE, run

sys.path.insert(0, str(SOURCE / "scripts"))
import murmur_store

N_ROUNDS = 6  # each reader in each round
PER_FILE = 25


class Readers(murmur_cli.TestCase):
    """The writer is given files for as long as there are readers; what they read is held against the log afterwards."""

    def setUp(self):
        super().setUp()
        self.source, self.store = self.folder / "tweets", self.folder / "store"
        self.source.mkdir()
        self.n_files, self.is_over = 0, threading.Event()

    def feed(self):
        """One file per trigger: the next comes when its record is there, and the first application's behind the first."""
        while not self.is_over.wait(0.1):
            number = self.n_files
            if number and not (self.store / "_log" / f"{number:020}.json").exists():
                continue
            tweets = [{"date": "2009-04-06", "user": "u", "text": f"@u{i % 9} and @v{i} like day {i * 31 % 97}"}
                      for i in range(number * PER_FILE, (number + 1) * PER_FILE)]
            hidden = self.source / "_next"
            hidden.write_text("".join(json.dumps(tweet) + "\n" for tweet in tweets))
            hidden.rename(self.source / f"{number:06}.jsonl")
            self.n_files += 1

    def test_every_read_is_of_one_record_and_whole(self):
        job = self.start_job(self.source, self.store, "--trigger", "50ms", "--max-files", "1", n_ranks=2)
        feeder = threading.Thread(target=self.feed)
        feeder.start()
        self.addCleanup(feeder.join)
        self.addCleanup(self.is_over.set)
        self.wait_for_record(self.store, 1, job)
        readers = [self.read_status, self.read_export, self.read_mentions, self.read_history, self.read_script,
                   self.read_old_version, self.read_verify]
        seen = {reader: [] for reader in readers}
        for _ in range(N_ROUNDS):
            for reader in readers:
                seen[reader].append(reader())
        self.is_over.set()
        feeder.join()
        self.assertIsNone(job.process.poll(), job.said)
        end = time.monotonic() + 60
        while self.status()["sources"] < self.n_files:
            self.assertLess(time.monotonic(), end, job.said)
        self.assert_status(run("stop", self.store, "--wait", "30s"), 0)
        self.assertEqual(job.wait().status, 0, job.said)

        # Each reader saw the store grow: it read beside the writer. (Application grows once a minute.)
        for reader, reads in seen.items():
            if reader != self.read_mentions:
                self.assertGreater(len(set(map(str, reads))), 1, reader.__name__)
        self.check(seen)

    # ---- what each reader saw; what can be judged at once is ----

    def status(self):
        return self.assert_status(run("status", self.store, "--json"), 0).rows[0]

    def read_status(self):
        status = self.status()
        tables = status["tables"]
        self.assertEqual(tables["bronze"]["rows"], status["sources"] * PER_FILE)
        self.assertEqual(tables["silver"]["rows"], tables["gold"]["rows"])
        self.assertEqual(status["writer"]["state"], "running")
        return {"record": status["last_record"]["number"],
                "rows": {table: tables[table]["rows"] for table in tables}}

    def read_export(self):
        rows = self.export(self.store, "gold").rows
        return [len(rows), rows[-1]]

    def read_mentions(self):
        out = self.assert_status(run("mentions", self.store), 0).out.decode()
        return [int(figure) for figure in re.match(r"(\d+) mentions of (\d+) users", out).groups()]

    def read_history(self):
        changes = self.assert_status(run("history", self.store, "--json"), 0).rows
        self.assertEqual(sorted({change["record"] for change in changes}), list(range(changes[0]["record"] + 1)))
        return changes[0]["record"]

    def read_script(self):
        """Two tables as of one instant."""
        store = murmur_store.Store(self.store)
        silver, gold = (store.read(table) for table in ("silver", "gold"))
        self.assertEqual(silver["cleaned_text"], gold["cleaned_text"])
        return [len(store.records) - 1, len(gold["mention"])]

    def read_old_version(self):
        """A version that is not the latest stays as it is while others are added."""
        latest = self.status()["tables"]["gold"]["version"]
        return [latest // 2, len(self.export(self.store, "gold", "--version", latest // 2).rows)]

    def read_verify(self):
        """What the writer has in hand is not taken for left over either."""
        lines = self.assert_status(run("verify", self.store), 0).out.decode().splitlines()
        self.assertEqual(len(lines), 1, lines)
        return lines[0]

    # ---- held against the log ----

    def check(self, seen):
        log = [json.loads(path.read_bytes()) for path in sorted((self.store / "_log").glob("[0-9]*.json"))]
        rows_at, rows = [], {}  # of each table, at each record
        for record in log:
            rows = {**rows, **{table: change["rows"] for table, change in record["tables"].items()}}
            rows_at.append(rows)
        gold_rows = [record["tables"]["gold"]["rows"] for record in log if "gold" in record["tables"]]
        final = self.export(self.store, "gold").rows
        counted = [[0, 0]]  # application has no version before the first trigger is done
        counted += [[gold_rows[change["input_version"]], change["rows"]]
                    for change in (record["tables"].get("application") for record in log) if change]

        for read in seen[self.read_status]:
            self.assertEqual(read["rows"], rows_at[read["record"]])
        for n_rows, last in seen[self.read_export]:
            self.assertIn(n_rows, gold_rows)
            self.assertEqual(last, final[n_rows - 1])
        for mentions_and_users in seen[self.read_mentions]:  # totals of the gold version that application stands for
            self.assertIn(mentions_and_users, counted)
        for record, n_rows in seen[self.read_script]:
            self.assertEqual(n_rows, rows_at[record]["gold"])
        for version, n_rows in seen[self.read_old_version]:
            self.assertEqual(n_rows, gold_rows[version])
        for line in seen[self.read_verify]:
            self.assertRegex(line, " is whole: ")


if __name__ == "__main__":
    unittest.main()
