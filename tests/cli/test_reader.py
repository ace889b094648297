#!/usr/bin/env python3
"""scripts/murmur_store.py, which knows the store only from docs/FORMAT.md, reads what export prints."""

import json
import subprocess
import sys
import unittest

import numpy

import murmur_cli
import nasty_files
from murmur_cli import SOURCE, run

sys.path.insert(0, str(SOURCE / "scripts"))
import murmur_store  # noqa: E402

TABLES = "bronze", "rejects", "silver", "gold", "application"
COLUMNS = {"likes": "int64", "score": "float64", "good": "bool", "seen": "timestamp", "lang": "string", "a/b": "int64"}
WIDE = [
    {"text": "@wide 1", "likes": 7, "score": 0.5, "good": True, "seen": "2009-04-07T05:19:45.123Z", "lang": "", "a/b": -1},
    {"text": "@wide 2", "likes": 2**62, "good": False, "lang": "日本"},
]


def exported(row):
    """A row of JSON Lines as the reader has it."""
    for name, value in row.items():
        if value is not None and (name.endswith("timestamp") or name in ("processing_time", "seen")):
            row[name] = numpy.datetime64(value.rstrip("Z"), "ms")
        if name == "predicted_score":
            row[name] = float(numpy.float32(value))
        if name == "raw":  # bytes that are no text are written alike by both, if not reversibly
            row[name] = value.encode()
    return row


def rows_of(table):
    columns = []
    for name, values in table.items():
        if isinstance(values, numpy.ndarray) and values.dtype.kind == "M":
            values = [None if numpy.isnat(value) else value for value in values]
        elif isinstance(values, numpy.ndarray):
            values = values.tolist()
        elif name == "raw":
            values = [value.decode("utf-8", "backslashreplace").encode() for value in values]
        columns.append(values)
    return [dict(zip(table, row)) for row in zip(*columns)]


class Reader(murmur_cli.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kept = murmur_cli.temporary_folder()
        folder = cls.kept.__enter__()
        cls.addClassCleanup(cls.kept.__exit__, None, None, None)
        cls.store = folder / "store"
        nasty_files.write(folder / "nasty")
        (folder / "wide.jsonl").write_text("".join(json.dumps(row) + "\n" for row in WIDE))
        (folder / "schema.json").write_text(json.dumps({"columns": [{"name": n, "type": t} for n, t in COLUMNS.items()]}))
        for options in (
            [folder / "nasty/lines", "--max-files", "7"],
            [folder / "wide.jsonl", "--schema", folder / "schema.json", "--merge-schema"],
            [folder / "nasty/mentions.jsonl", folder / "nasty/dates.jsonl"],
        ):
            result = run("run", *options, "--store", cls.store)
            assert result.status == 0, result.err
        result = run("optimize", cls.store)
        assert result.status == 0, result.err

    def assert_same(self, table, got, *options):
        self.assert_rows(rows_of(got), [exported(row) for row in self.export(self.store, table, *options).rows], table)

    def test_every_version_of_every_table_reads_the_same(self):
        store = murmur_store.Store(self.store)
        self.assertEqual(set(store.tables()), set(TABLES))
        for table, latest in store.tables().items():
            self.assertGreater(latest, 0)
            self.assert_same(table, store.read(table))
            for version in range(latest + 1):
                with self.subTest(table=table, version=version):
                    self.assert_same(table, murmur_store.read_table(self.store, table, version), "--version", version)
        for version in (latest + 1, -1):
            with self.assertRaises(KeyError):
                murmur_store.read_table(self.store, table, version)

    def test_instants_read_the_same(self):
        for record in murmur_store.read_log(self.store)[::2]:
            for table in TABLES:
                options = "--as-of", record["time"]
                if run("export", self.store, table, "--limit", 0, *options).status == 0:
                    self.assert_same(table, murmur_store.read_table(self.store, table, as_of=record["time"]), *options)
                else:
                    with self.assertRaises(KeyError):
                        murmur_store.read_table(self.store, table, as_of=record["time"])

    def test_batches_are_the_table_piece_by_piece(self):
        store = murmur_store.Store(self.store)
        for table in TABLES:
            rows = [row for batch in store.batches(table, rows=7) for row in rows_of(batch)]
            self.assert_rows(rows, rows_of(store.read(table)), table)
        sizes = {len(next(iter(batch.values()))) for batch in store.batches("bronze", rows=7)}
        self.assertEqual(max(sizes), 7)
        self.assertEqual(list(store.read("gold", columns=["sentiment", "mention"])), ["sentiment", "mention"])

    def test_types_are_numpys(self):
        bronze = murmur_store.read_table(self.store, "bronze")
        kinds = {name: bronze[name].dtype.str[1:] for name, kind in COLUMNS.items() if kind != "string"}
        self.assertEqual(kinds, {"likes": "i8", "score": "f8", "good": "b1", "seen": "M8[ms]", "a/b": "i8"})
        self.assertIn(b"\xff", b"".join(murmur_store.read_table(self.store, "rejects")["raw"]))

    def test_a_store_is_as_of_its_opening(self):
        source, folder = self.folder / "a.jsonl", self.folder / "store"
        source.write_text('{"text": "@one"}\n')
        self.run_job(source, folder)
        store = murmur_store.Store(folder)
        (self.folder / "b.jsonl").write_text('{"text": "@two"}\n')
        self.run_job(self.folder / "b.jsonl", folder)
        self.assertEqual([store.read(table)["mention"] for table in ("gold", "application")], [["@one"], ["@one"]])
        self.assertEqual(murmur_store.read_table(folder, "gold")["mention"], ["@one", "@two"])

    def test_damage_is_refused(self):
        source, folder = self.folder / "a.jsonl", self.folder / "store"
        source.write_text('{"text": "@one"}\n')
        self.run_job(source, folder)
        (part,) = (folder / "gold").iterdir()
        whole = part.read_bytes()
        part.write_bytes(whole[:-1])
        with self.assertRaises(murmur_store.DamagedError):
            murmur_store.read_table(folder, "gold")
        first = folder / "_log/00000000000000000000.json"
        first.rename(folder / "aside")
        with self.assertRaises(murmur_store.DamagedError):
            murmur_store.Store(folder)
        (folder / "aside").rename(first)
        if murmur_store.xxhash is None:
            self.skipTest("xxhash is not installed: hashes are not checked")
        part.write_bytes(whole[:15] + bytes([whole[15] ^ 0x80]) + whole[16:])
        with self.assertRaises(murmur_store.DamagedError):
            murmur_store.read_table(folder, "gold")
        first.write_bytes(first.read_bytes().replace(b"INGEST", b"INJEST"))
        with self.assertRaises(murmur_store.DamagedError):
            murmur_store.Store(folder)

    def test_pandas_and_arrow_keep_values_and_nulls(self):
        bronze = murmur_store.read_table(self.store, "bronze")
        expected = rows_of(bronze)
        made = 0
        for method, read in ("to_pandas", self.rows_of_pandas), ("to_arrow", self.rows_of_arrow):
            try:
                frame = getattr(bronze, method)()
            except ImportError:
                continue
            made += 1
            self.assert_rows(read(frame), expected, method)
        if not made:
            self.skipTest("neither pandas nor pyarrow is installed")

    def rows_of_pandas(self, frame):
        self.assertEqual({name: str(frame[name].dtype) for name in ("likes", "score", "good", "text")},
                         {"likes": "Int64", "score": "float64", "good": "boolean", "text": "object"})
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        for row in rows:
            for name in "seen", "processing_time":
                row[name] = row[name] and numpy.datetime64(row[name].to_datetime64(), "ms")
        return rows

    def rows_of_arrow(self, table):
        rows = table.to_pylist()
        for row in rows:
            for name in "seen", "processing_time":
                row[name] = row[name] and numpy.datetime64(row[name].replace(tzinfo=None), "ms")
        return rows

    def test_the_program_prints_json_lines(self):
        command = [sys.executable, SOURCE / "scripts/murmur_store.py", self.store, "silver", "0"]
        done = subprocess.run([str(word) for word in command], capture_output=True, check=True)
        rows = [json.loads(line) for line in done.stdout.decode("utf-8").split("\n") if line]
        expected = self.export(self.store, "silver", "--version", 0).rows
        self.assertEqual([row["mention"] for row in rows], [row["mention"] for row in expected])


if __name__ == "__main__":
    unittest.main()
