#!/usr/bin/env python3
"""Columns merged into bronze: what fits is typed, what does not is rescued, older parts read as null, and nothing
changes without --merge-schema."""

import csv
import io
import json
import os
import random
import shutil
import subprocess
import sys
import unittest

import murmur_cli
import nasty_files
from murmur_cli import SOURCE, mpirun, run

import pipeline

FIRST = {"likes": "int64", "score": "float64", "lang": "string"}
SECOND = {"verified": "bool", "seen": "timestamp"}
OWN = ["date", "user", "text", "sentiment", "source_file", "processing_time", "rescued_data"]
# Of each type what fits, what is near it, and what is far from it; as written.
VALUES = ["7", "-0", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "1.0", "1.5", "1e3", "-1E-7",
          "1e400", "1e-400", "0.1", "9007199254740993", "1.7976931348623157e308", "123456789012345678901234567890", "true",
          "false", "null", '"7"', '"true"', '""', '"2009-04-07"', '"Mon Apr 06 22:19:45 PDT 2009"',
          '"2020-01-02T03:04:05.678+01:00"', '"2020-02-30"', '"\\u00e9\\ud800"', "[1, 2]", '{"a" : 1}', "1239081585"]
ODD_NAMES = ["a/b", "valid", ".dot", "per%cent", 'quo"te\\', "a,b", "new\nline", "日本", "Likes", " "]
SPARK = {"int64": "long", "float64": "double", "string": "string", "bool": "boolean", "timestamp": "timestamp"}


class Schema(murmur_cli.TestCase):
    def setUp(self):
        super().setUp()
        self.tweets, self.store = self.folder / "tweets", self.folder / "store"
        self.tweets.mkdir()

    def put(self, name, n=60, fields=(*FIRST, *SECOND)):
        """Records that have the fields with any values, some twice, among others."""
        dice = random.Random(name)
        lines = []
        for i in range(n):
            members = [f'"text": "@bob tweet {i}"', '"x": [ 1 ]']
            members += [f"{json.dumps(field)}:{dice.choice(VALUES)}" for field in fields if dice.random() < 0.8]
            members += dice.choices(members, k=dice.randrange(2))
            dice.shuffle(members)
            lines.append("{" + ", ".join(members) + "}")
        (self.tweets / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def schema(self, columns, name="schema.json"):
        path = self.folder / name
        path.write_text(json.dumps({"columns": [{"name": name, "type": type} for name, type in columns.items()]}))
        return path

    def spark_schema(self, columns):
        path = self.folder / "spark.json"
        fields = [{"name": name, "type": SPARK[type], "nullable": True, "metadata": {}} for name, type in columns.items()]
        path.write_text(json.dumps({"type": "struct", "fields": fields}))
        return path

    def bronze(self, *options):
        rows = self.export(self.store, "bronze", *options).rows
        for row in rows:
            del row["processing_time"]
        return rows

    def assert_bronze(self, batches, *options):
        """The table against the oracle's: `batches` of (files, types of the columns then); null where older."""
        columns = {}
        for _, merged in batches:
            columns.update(merged)
        expected = []
        for files, merged in batches:
            bronze, rejects = pipeline.make_bronze([self.tweets / name for name in files], merged=merged)
            self.assertEqual(rejects, [])
            expected += [{**row, **{name: row.get(name) for name in columns}} for row in bronze]
        rows = self.bronze(*options)
        self.assert_rows(rows, expected, "bronze")
        order = list(self.export(self.store, "bronze", "--limit", "1", *options).rows[0])
        self.assertEqual(order, [*OWN, *columns])

    def parts_read(self, table="bronze"):
        command = [sys.executable, SOURCE / "scripts/murmur_store.py", self.store, table]
        done = subprocess.run([str(word) for word in command], capture_output=True, check=True)
        return [json.loads(line) for line in done.stdout.decode("utf-8").split("\n") if line]

    def assert_reader_agrees(self):
        def instant(text):
            return text and (text.rstrip("Z") if "." in text else text.rstrip("Z") + ".000")

        exported = self.export(self.store, "bronze").rows
        for row in exported:
            for name in ("processing_time", "seen"):
                if name in row:
                    row[name] = instant(row[name])
        self.assert_rows(self.parts_read(), exported, "scripts/murmur_store.py")

    def test_columns_come_with_their_commit_and_stay(self):
        self.put("a.jsonl")
        self.run_job(self.tweets, self.store)
        self.put("b.jsonl")
        self.put("c.jsonl")
        first = self.schema(FIRST)
        self.run_job(self.tweets, self.store, "--schema", first, "--merge-schema", "--max-files", "1", n_ranks=2)
        self.put("d.jsonl")
        self.run_job(self.tweets, self.store, n_ranks=2)  # keeps them
        self.put("e.jsonl")
        second = self.spark_schema({"text": "string", **SECOND, "likes": "int64"})
        self.run_job(self.tweets, self.store, "--schema", second, "--merge-schema", n_ranks=2)
        self.put("f.jsonl")
        self.run_job(self.tweets, self.store, "--schema", first, n_ranks=2)  # nothing new in it

        both = {**FIRST, **SECOND}
        batches = [(["a.jsonl"], {}), (["b.jsonl", "c.jsonl", "d.jsonl"], FIRST), (["e.jsonl", "f.jsonl"], both)]
        self.assert_bronze(batches)
        self.assert_bronze(batches[:1], "--version", "0")
        self.assert_bronze([batches[0], (["b.jsonl"], FIRST)], "--version", "1")
        self.assert_reader_agrees()
        self.assert_status(run("verify", self.store), 0)
        for name in both:  # every type was met by values that fit and by others
            values = [row[name] for row in self.bronze("--columns", f"{name},processing_time")]
            self.assertGreater(sum(value is not None for value in values), 5, name)
            self.assertGreater(sum(value is None for value in values), 5, name)

        expected = self.bronze()
        self.assert_status(run("optimize", self.store), 0)
        self.assert_rows(self.bronze(), expected, "bronze after optimize")
        self.assert_reader_agrees()
        self.assert_status(run("verify", self.store), 0)
        plain = self.bronze("--columns", "text,likes,processing_time")
        self.assertEqual([list(row) for row in plain[:1]], [["text", "likes"]])

    def test_optimize_of_parts_with_different_columns_keeps_all_rows(self):
        self.put("a.jsonl")
        self.run_job(self.tweets, self.store)
        self.put("b.jsonl")
        self.run_job(self.tweets, self.store, "--schema", self.schema(FIRST), "--merge-schema")
        self.put("c.jsonl")
        self.run_job(self.tweets, self.store, "--schema", self.schema({**FIRST, **SECOND}), "--merge-schema", n_ranks=2)
        tables = ("bronze", "rejects", "silver", "gold", "application")
        before = {table: self.export(self.store, table).out for table in tables}
        parts = list((self.store / "bronze").glob("part-*.h5"))
        hashes = set()
        for n_ranks in (1, 3):
            with self.subTest(n_ranks=n_ranks):
                store = shutil.copytree(self.store, self.folder / f"store-{n_ranks}")
                self.assert_status(mpirun(n_ranks, "optimize", store), 0)
                self.assertEqual({table: self.export(store, table).out for table in tables}, before)
                record = max((r for r in map(json.loads, (p.read_text() for p in (store / "_log").glob("[0-9]*.json")))
                              if "bronze" in r["tables"]), key=lambda r: r["record"])
                self.assertEqual((record["operation"], len(record["tables"]["bronze"]["removed"])), ("OPTIMIZE", 3))
                (part,) = record["tables"]["bronze"]["added"]
                hashes.add(part["hash"])
                self.assert_status(run("verify", store, "--deep"), 0)
                # Old versions have the columns that they had.
                for version in range(3):
                    self.assertEqual(self.export(store, "bronze", "--version", version).out,
                                     self.export(self.store, "bronze", "--version", version).out)
        self.assertEqual((len(parts), len(hashes)), (3, 1))

    def test_any_number_of_ranks_gives_the_same_rows(self):
        for name in "abcdefgh":
            self.put(f"{name}.jsonl", 250)
        schema, made = self.schema({**FIRST, **SECOND}), []
        for n_ranks in (1, 3):
            self.store = self.folder / f"store-{n_ranks}"
            self.run_job(self.tweets, self.store, "--schema", schema, "--merge-schema", n_ranks=n_ranks)
            record = json.loads((self.store / f"_log/{0:020}.json").read_bytes())
            made.append((self.bronze(), record["tables"]["bronze"]["schema"], record["units"]))
        self.assertEqual(made[1], made[0])
        self.assertEqual([column["name"] for column in made[0][1]["columns"]], [*OWN, *FIRST, *SECOND])

    def test_csv_and_h5_have_the_columns_too(self):
        self.put("a.jsonl")
        self.run_job(self.tweets, self.store)
        self.put("b.jsonl")
        self.run_job(self.tweets, self.store, "--schema", self.schema({**FIRST, **SECOND}), "--merge-schema")
        rows = self.export(self.store, "bronze").rows
        text = self.assert_status(run("export", self.store, "bronze", "--format", "csv"), 0).out.decode("utf-8")
        got = list(csv.reader(io.StringIO(text, newline="")))
        self.assertEqual(got[0], list(rows[0]))
        for cells, row in zip(got[1:], rows):
            for cell, value in zip(cells, row.values()):
                if isinstance(value, (bool, int, float)):
                    self.assertEqual(json.loads(cell), value)
                else:
                    self.assertEqual(cell, value or "")
        self.assertEqual(len(got) - 1, len(rows))

        file = self.folder / "bronze.h5"
        self.assert_status(run("export", self.store, "bronze", "--format", "h5", "--output", file), 0)
        import h5py

        with h5py.File(file, "r") as plain:
            self.assertEqual(len(plain["likes"]), len(rows))
            self.assertEqual([int(value) for value, row in zip(plain["likes"], rows) if row["likes"] is not None],
                             [row["likes"] for row in rows if row["likes"] is not None])
            self.assertEqual([float(value) for value, row in zip(plain["score"], rows) if row["score"] is not None],
                             [row["score"] for row in rows if row["score"] is not None])

    def test_columns_may_have_any_names(self):
        self.put("a.jsonl", fields=ODD_NAMES)
        columns = dict.fromkeys(ODD_NAMES, "float64")
        self.run_job(self.tweets, self.store, "--schema", self.schema(columns), "--merge-schema", n_ranks=2)
        self.assert_bronze([(["a.jsonl"], columns)])
        self.assert_reader_agrees()
        self.assert_status(run("verify", self.store), 0)
        text = self.assert_status(run("export", self.store, "bronze", "--format", "csv"), 0).out.decode("utf-8")
        self.assertEqual(next(csv.reader(io.StringIO(text, newline=""))), OWN + ODD_NAMES)
        self.assert_status(run("export", self.store, "bronze", "--format", "h5", "--output", self.folder / "b.h5"), 0)

    def test_the_other_tables_do_not_change(self):
        self.put("a.jsonl")
        self.run_job(self.tweets, self.store)
        wide = self.folder / "wide"
        self.run_job(self.tweets, wide, "--schema", self.schema(FIRST), "--merge-schema")
        for table in ("silver", "gold", "application", "rejects"):
            self.assertEqual(self.export(wide, table).out, self.export(self.store, table).out)

    def fail_job(self, n_ranks, status, *options):
        return self.assert_fails(murmur_cli.mpirun(n_ranks, "run", self.tweets, "--store", self.store, *options), status)

    def test_without_merge_schema_wider_is_refused_and_nothing_changes(self):
        self.put("a.jsonl")
        schema = self.schema(FIRST)
        message = self.fail_job(2, 65, "--schema", schema)
        for words in ("schema.json", "likes (int64), score (float64), lang (string)", "--merge-schema"):
            self.assertIn(words, message)
        self.assertFalse(self.store.exists())
        self.run_job(self.tweets, self.store, "--schema", self.schema(dict.fromkeys(OWN[:4], "string"), "own.json"))
        self.put("b.jsonl")
        history = run("history", self.store).out
        for n_ranks in (1, 2):
            self.assertIn("likes (int64)", self.fail_job(n_ranks, 65, "--schema", schema))
            self.assertEqual(run("history", self.store).out, history)
        self.run_job(self.tweets, self.store, "--schema", schema, "--merge-schema", n_ranks=2)
        self.assert_bronze([(["a.jsonl"], {}), (["b.jsonl"], FIRST)])

    def test_a_column_keeps_its_type(self):
        self.put("a.jsonl")
        self.run_job(self.tweets, self.store, "--schema", self.schema(FIRST), "--merge-schema")
        self.put("b.jsonl")
        message = self.fail_job(2, 65, "--schema", self.schema({"score": "int64"}), "--merge-schema")
        self.assertIn("column score is int64 there and float64 in bronze", message)
        self.assert_bronze([(["a.jsonl"], FIRST)])

    def test_schema_files_that_cannot_be(self):
        self.put("a.jsonl")
        path = self.folder / "bad.json"
        cases = [(b"", "bad.json is empty"), (b'{"columns":\n [}', "bad.json: line 2, column 3"),
                 (b"\x80", "bad.json: line 1, column 1"), (b'{"a": 1}', "murmur's"),
                 (json.dumps({"columns": [{"name": "user", "type": "int64"}]}).encode(), "column user is string in bronze"),
                 (json.dumps({"columns": [{"name": "source_file", "type": "string"}]}).encode(), "source_file"),
                 (json.dumps({"columns": [{"name": "a", "type": "bool"}] * 2}).encode(), "column a is there twice"),
                 (json.dumps({"columns": [{"name": f"n{i}", "type": "bool"} for i in range(58)]}).encode(), "64 is the most"),
                 (json.dumps({"columns": [{"name": "a", "type": "varchar"}]}).encode(), "varchar")]
        for number, (text, words) in enumerate(cases):
            with self.subTest(text=text):
                path.write_bytes(text)
                self.assertIn(words, self.fail_job(1 + (number == 1), 65, "--schema", path, "--merge-schema"))
        self.assertIn("nowhere", self.fail_job(1, 66, "--schema", self.folder / "nowhere", "--merge-schema"))
        self.assertIn("a folder", self.fail_job(1, 74, "--schema", self.folder, "--merge-schema"))
        os.mkfifo(self.folder / "pipe")
        self.assertIn("a FIFO", self.fail_job(2, 74, "--schema", self.folder / "pipe", "--merge-schema"))
        self.assertIn("--schema", self.fail_job(2, 64, "--merge-schema"))
        self.assertFalse(self.store.exists())

    def test_the_schema_of_a_record_is_a_schema_file(self):
        self.put("a.jsonl")
        self.run_job(self.tweets, self.store, "--schema", self.schema(FIRST), "--merge-schema")
        record = json.loads((self.store / f"_log/{0:020}.json").read_bytes())
        path = self.folder / "recorded.json"
        path.write_text(json.dumps(record["tables"]["bronze"]["schema"]))
        self.put("b.jsonl")
        self.run_job(self.tweets, self.store, "--schema", path)
        self.store = self.folder / "other"
        self.run_job(self.tweets, self.store, "--schema", path, "--merge-schema")
        self.assert_bronze([(["a.jsonl", "b.jsonl"], FIRST)])

    def test_a_run_without_new_files_adds_no_columns(self):
        (self.tweets / "a.jsonl").write_bytes(nasty_files.lines(nasty_files.TWEET))
        self.run_job(self.tweets, self.store)
        history = run("history", self.store).out
        self.run_job(self.tweets, self.store, "--schema", self.schema(FIRST), "--merge-schema")
        self.assertEqual(run("history", self.store).out, history)


if __name__ == "__main__":
    unittest.main()
