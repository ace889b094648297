"""history, as a table and as JSON, against the records of the log."""

import json
import unittest

import murmur_cli
from murmur_cli import run


class History(murmur_cli.TestCase):
    def setUp(self):
        super().setUp()
        self.store = self.folder / "store"
        for seed, n_files in ("1", "3"), ("2", "2"):  # two runs, so that application is replaced once
            tweets = self.folder / seed
            self.assert_status(run("generate", tweets, "--tweets", "150", "--files", n_files, "--seed", seed), 0)
            self.run_job(tweets, self.store, "--max-files", "2")
        self.records = [json.loads(path.read_text()) for path in sorted(self.store.glob("_log/*.json"))]

    def history(self, *arguments):
        return self.assert_status(run("history", self.store, *arguments), 0)

    def test_json_has_all_changes_newest_first(self):
        expected, last = [], {}
        for record in self.records:
            for table, change in record["tables"].items():
                added = sum(part["rows"] for part in change["added"])
                expected.append({
                    "table": table, "version": change["version"], "record": record["record"], "time": record["time"],
                    "operation": record["operation"], "rows_added": added,
                    "rows_removed": last.get(table, 0) + added - change["rows"], "rows": change["rows"],
                    "parts_added": len(change["added"]), "parts_removed": len(change["removed"]),
                    "parts": change["parts"], "bytes": change["bytes"], "input": change["input"],
                    "input_version": change["input_version"] if change["input"] else None,
                    "sources": len(record["sources"]), "vacuumed": 0,
                    "model": (record["model"] or {}).get("name"), "model_hash": (record["model"] or {}).get("hash"),
                    "precision": (record["model"] or {}).get("precision"), "run_id": record["run_id"],
                    "murmur_version": record["murmur_version"], "blas_kernel": record["blas_kernel"],
                    "ranks": record["ranks"], "options": record["options"]})
                last[table] = change["rows"]
        by_record = sorted(expected, key=lambda row: -row["record"])  # stable: a record's tables keep their order
        self.assertEqual(self.history("--json").rows, by_record)
        self.assertEqual(self.history("gold", "--json").rows, [row for row in by_record if row["table"] == "gold"])
        self.assertEqual(self.history("--json", "--limit", "3").rows, by_record[:3])
        self.assertEqual(self.history("--json", "--limit", "0").out, b"")
        self.assertGreater(sum(row["rows_removed"] for row in by_record), 0)

    def test_json_tells_what_was_vacuumed(self):
        self.assert_status(run("vacuum", self.store, "--older-than", "0s"), 0)
        record = json.loads(max(self.store.glob("_log/*.json")).read_text())
        first = self.history("--json").rows[0]
        self.assertEqual({name: first[name] for name in ("table", "version", "record", "operation", "vacuumed")},
                         {"table": None, "version": None, "record": record["record"], "operation": "VACUUM",
                          "vacuumed": len(record["vacuumed"])})
        self.assertGreater(first["vacuumed"], 0)
        self.assertEqual(self.history("gold", "--json").rows[0]["operation"], "INGEST")

    def test_table_has_a_line_for_each_version(self):
        lines = self.history("gold").out.decode().splitlines()
        self.assertEqual(len(lines), 1 + 3)
        for line, record in zip(lines[1:], [r for r in reversed(self.records) if "gold" in r["tables"]]):
            change, words = record["tables"]["gold"], line.split()
            self.assertEqual(words[:4], ["gold", str(change["version"]), record["time"], "INGEST"])
            self.assertEqual(words[4:7], [str(sum(part["rows"] for part in change["added"])), str(change["rows"]),
                                          str(change["parts"])])
            self.assertEqual(words[9:], [str(len(record["sources"])), record["model"]["name"], record["run_id"]])
        self.assertEqual(self.history("gold", "--limit", "2").out.decode().splitlines(), lines[:3])
        self.assert_status(run("history", self.store, "gold", "--limit", "-1"), 64)
        self.assert_status(run("history", self.store, "golden"), 64)


if __name__ == "__main__":
    unittest.main()
