"""The five S in status: every figure recomputed from progress.jsonl and the log, and verdicts that change when memory is
little, one file holds the work, or parts are many."""

import gzip
import json
import unittest

import murmur_cli
from murmur_cli import BINARY, execute, run

SMALL_PART = 1 << 20
GRADES = ["fine", "watch", "costly"]


def grade(value, watch, costly):
    return GRADES[(value >= watch) + (value >= costly)]


def worst(values):
    return max(range(len(values)), key=values.__getitem__)


def mean(values):
    return sum(values) / len(values)


def over(a, b):
    return a / b if b else None


def tweets(n, first=0, n_words=3):
    return "".join(json.dumps({"user": f"u{i}", "text": f"@a{i}" + f" day {i} was good" * n_words}) + "\n"
                   for i in range(first, first + n))


class FiveS(murmur_cli.TestCase):
    def setUp(self):
        super().setUp()
        self.source, self.store = self.folder / "tweets", self.folder / "store"
        self.source.mkdir()

    def ingest(self, *options, **execution):
        self.run_job(self.source, self.store, *options, **execution)
        return self.five_s()

    def five_s(self):
        return self.assert_status(run("status", self.store, "--json"), 0).rows[0]["five_s"]

    def log(self):
        return [json.loads(path.read_text()) for path in sorted((self.store / "_log").glob("[0-9]*.json"))]

    def expected(self):
        last = [json.loads(line) for line in (self.store / "progress.jsonl").read_text().splitlines()]
        last = [line for line in last if line["name"] == "run"][-1]
        c, seconds, n = last["counters"], last["seconds"], last["ranks"]
        sums = {name: sum(values) for name, values in c.items()}
        work = [sum(parts) for parts in zip(c["ingest_seconds"], c["refine_seconds"], c["score_seconds"])]
        busy = [sum(parts) for parts in zip(work, c["write_seconds"], c["merge_seconds"])]
        tightest = worst([peak / limit for peak, limit in zip(c["peak_bytes"], c["limit_bytes"])])
        slow = last["slowestUnit"]
        waits = mean(c["exchange_seconds"]) + mean(c["reduce_seconds"])
        log = self.log()
        parts = {}
        for record in log:
            for table, change in record["tables"].items():
                kept = [part for part in parts.get(table, []) if part["path"] not in change["removed"]]
                parts[table] = kept + change["added"]
        added = [(table, part["bytes"]) for record in log if record["run_id"] == last["runId"]
                 for table, change in record["tables"].items() for part in change["added"]]
        sizes = [part["bytes"] for table in parts.values() for part in table]
        bronze = sum(part["rows"] for part in parts["bronze"])
        return {
            "spill": {"peak_bytes": c["peak_bytes"][tightest], "limit_bytes": c["limit_bytes"][tightest],
                      "peak_of_limit": 100 * c["peak_bytes"][tightest] / c["limit_bytes"][tightest],
                      "swapped_bytes": sums["swapped_bytes"], "major_faults": sums["major_faults"],
                      "temporary_bytes": sums["temporary_bytes"], "spilled_bytes": sums["spilled_bytes"]},
            "skew": {"work_max_over_mean": over(max(work), mean(work)), "work_seconds_max": max(work),
                     "work_seconds_mean": mean(work), "waiting_of_run": 100 * (max(work) - mean(work)) / seconds,
                     "busy_max_over_mean": over(max(busy), mean(busy)),
                     "tweets_max_over_mean": over(max(c["tweets"]), mean(c["tweets"])),
                     "tokens_max_over_mean": over(max(c["tokens"]), mean(c["tokens"])), "units": sums["units"],
                     "slowest_unit_seconds": c["slowest_unit_seconds"][slow["rank"]],
                     "slowest_unit_tweets": slow["tweets"]},
            "shuffle": {"exchange_bytes": sums["exchange_bytes"], "exchange_seconds": mean(c["exchange_seconds"]),
                        "reduce_bytes": sums["reduce_bytes"], "reduce_seconds": mean(c["reduce_seconds"]),
                        "share_of_run": 100 * waits / seconds,
                        "exchange_bytes_per_tweet": over(sums["exchange_bytes"], sums["tweets"]),
                        "batches": last["numBatches"]},
            "storage": {"parts": len(sizes), "bytes": sum(sizes), "small_parts": sum(size < SMALL_PART for size in sizes),
                        "bytes_per_tweet": sum(sizes) / bronze,
                        "compressed": 100 * sum(size for _, size in added) / sums["part_bytes_written"],
                        "read_amplification": sums["part_bytes_read"] / sum(size for t, size in added if t == "gold"),
                        "write_seconds": max(c["write_seconds"]),
                        "disk_bytes": sum(512 * path.stat().st_blocks for path in self.store.rglob("*") if path.is_file())},
            "serialization": {"weights_read_bytes": sums["weights_read_bytes"],
                              "weights_mapped_bytes": sums["weights_mapped_bytes"],
                              "weights_seconds": max(c["weights_seconds"]),
                              "share_of_run": 100 * max(c["weights_seconds"]) / seconds,
                              "broadcast_bytes": sums["broadcast_bytes"], "broadcast_seconds": mean(c["broadcast_seconds"]),
                              "packed_records": sums["packed_records"]},
        }

    def assert_figures(self, got):
        expected = self.expected()
        self.assertEqual(list(got), list(expected))
        for name, figures in expected.items():
            self.assertEqual(set(got[name]), {"grade", "verdict", "cure", *figures}, name)
            for figure, value in figures.items():
                if value is None:
                    self.assertIsNone(got[name][figure], f"{name}: {figure}")
                else:  # progress.jsonl has microseconds
                    self.assertAlmostEqual(got[name][figure] / (abs(value) or 1), value / (abs(value) or 1), 2,
                                           f"{name}: {figure}: {got[name][figure]}, {value}")
        # What depends on the machine's speed is graded by its figure.
        share = got["serialization"]["share_of_run"]
        self.assertEqual(got["serialization"]["grade"], grade(share, 10, 50))
        share = got["shuffle"]["share_of_run"]
        if "One rank" not in got["shuffle"]["verdict"]:
            self.assertEqual(got["shuffle"]["grade"], grade(share, 10, 30))

    def test_many_parts_then_optimize_then_vacuum(self):
        for i in range(17):
            (self.source / f"{i:02}.jsonl").write_text(tweets(2, 2 * i))
        got = self.ingest("--max-files", "1", "--trigger", "once")
        self.assert_figures(got)
        self.assertEqual((got["storage"]["grade"], got["storage"]["parts"]), ("fine", 4))
        got = self.ingest("--max-files", "1")
        self.assert_figures(got)
        self.assertEqual(got["storage"]["grade"], "watch")
        self.assertIn("bronze has 17 parts below 1 MiB", got["storage"]["verdict"])
        self.assertIn("murmur optimize", got["storage"]["cure"])
        self.assertEqual((got["shuffle"]["grade"], got["shuffle"]["batches"]), ("fine", 16))

        self.assert_status(run("optimize", self.store), 0)
        got = self.five_s()
        self.assertEqual((got["storage"]["grade"], got["storage"]["parts"]), ("watch", 4))
        self.assertIn("Old versions", got["storage"]["verdict"])
        self.assertIn("murmur vacuum", got["storage"]["cure"])
        self.assert_status(run("vacuum", self.store, "--older-than", "0s"), 0)
        got = self.five_s()
        self.assertEqual(got["storage"]["grade"], "fine", got["storage"])
        text = self.assert_status(run("status", self.store), 0).out.decode()
        for name, finding in got.items():
            self.assertRegex(text, rf"(?m)^{name} +{finding['grade']} ")
        self.assertIn(got["storage"]["verdict"], " ".join(text.split()))

    def test_one_file_with_all_the_work_is_skew(self):
        def ingest(name, n_ranks):
            store = self.folder / name
            self.run_job(self.folder / f"{name}.d", store, n_ranks=n_ranks)
            self.store = store
            got = self.five_s()
            self.assert_figures(got)
            return got["skew"]

        # A unit a file or, as a small batch is cut into small ones, some more; large in bytes and small in work.
        even = self.folder / "even.d"
        even.mkdir()
        for i in range(12):
            (even / f"{i}.jsonl").write_text((json.dumps({"text": "@a" + " good" * 12, "pad": "x" * 60000}) + "\n") * 5)
        skewed = self.folder / "skewed.d"
        skewed.mkdir()
        with gzip.open(skewed / "all.jsonl.gz", "wt") as file:
            file.write(tweets(250, n_words=15))
        found = ingest("even", 2)
        self.assertNotEqual(found["grade"], "costly", found)
        self.assertGreaterEqual(found["units"], 12)
        found = ingest("skewed", 2)
        cost = min(grade(found["work_max_over_mean"], 1.25, 1.5), grade(found["waiting_of_run"], 5, 15), key=GRADES.index)
        self.assertNotEqual(found["grade"], "fine", found)
        self.assertEqual((found["grade"], found["units"], found["slowest_unit_tweets"]), (cost, 1, 250), found)
        self.assertIn("all.jsonl.gz", found["verdict"])
        self.assertIn("Cut that file", found["cure"])

    def test_little_memory_is_spill(self):
        def ingest_with(limit):
            (self.source / f"{limit}.jsonl").write_text(tweets(3, limit % 1000))
            self.assert_status(execute(["prlimit", f"--rss={limit}", BINARY, "run", self.source, "--store", self.store]), 0)
            got = self.five_s()
            self.assert_figures(got)
            return got["spill"]

        found = ingest_with(1 << 40)
        self.assertEqual(found["grade"], "fine")
        self.assertLess(found["limit_bytes"], 1 << 40)  # the machine's
        peak = found["peak_bytes"]
        for fraction, expected in (0.87, "watch"), (0.99, "costly"):
            found = ingest_with(int(peak / fraction))
            self.assertEqual((found["grade"], found["limit_bytes"]), (expected, int(peak / fraction)), found)
            self.assertIn("Memory is tight: rank 0", found["verdict"])
            self.assertIn("--max-bytes", found["cure"])

    def test_runs_of_several_ranks_and_nothing_new(self):
        (self.source / "a.jsonl").write_text(tweets(20))
        got = self.ingest(n_ranks=3)
        self.assert_figures(got)
        self.assertGreater(got["shuffle"]["exchange_bytes"], 0)
        self.assertEqual(got["serialization"]["weights_mapped_bytes"], 3 * got["serialization"]["weights_read_bytes"])
        got = self.ingest()
        self.assertIn("No work was dealt", got["skew"]["verdict"])

    def test_store_without_runs_has_no_verdicts(self):
        (self.store / "_log").mkdir(parents=True)
        got = self.five_s()
        self.assertEqual([finding["grade"] for finding in got.values()],
                         ["unknown", "unknown", "unknown", "fine", "unknown"])
        self.assertIn(b"No run of this store", run("status", self.store).out)


if __name__ == "__main__":
    unittest.main()
