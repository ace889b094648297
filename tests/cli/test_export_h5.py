#!/usr/bin/env python3
"""export --format h5: what h5py, xarray and netCDF find in the file is what JSON Lines say."""

import json
import math
import os
import re
import subprocess
import unittest
import warnings

import h5py
import numpy

import murmur_cli
import nasty_files
from murmur_cli import run

MERGED = {"likes": "int64", "score": "float64", "good": "bool", "seen": "timestamp", "row": "int64"}
TABLES = "bronze", "silver", "gold", "application", "rejects"


def iso(milliseconds):
    """As export writes instants."""
    text = str(numpy.datetime64(int(milliseconds), "ms"))
    return text.replace(".000", "") + "Z"


def unescape(text):
    r"""The bytes of a JSON Lines value: \xNN stands for a byte that is not UTF-8 (the files have no such text)."""
    return re.sub(rb"\\x([89a-f][0-9a-f])", lambda match: bytes([int(match[1], 16)]), text.encode("utf-8"))


class ExportH5(murmur_cli.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kept = murmur_cli.temporary_folder()
        folder = cls.kept.__enter__()
        cls.addClassCleanup(cls.kept.__exit__, None, None, None)
        cls.store = folder / "store"
        nasty_files.write(folder / "nasty")
        result = run("run", folder / "nasty", "--store", cls.store, "--max-files", 20)
        assert result.status == 0, result.err
        wide = folder / "wide.jsonl"
        wide.write_text('{"text": "@wide", "likes": 7, "score": 0.1, "good": true, "seen": "2009-04-07T05:19:45.123Z", "row": 1}\n'
                        '{"text": "@wide", "likes": -4611686018427387905, "good": false}\n', encoding="utf-8")
        schema = folder / "schema.json"
        schema.write_text(json.dumps({"columns": [{"name": name, "type": kind} for name, kind in MERGED.items()]}))
        result = run("run", wide, "--store", cls.store, "--schema", schema, "--merge-schema")
        assert result.status == 0, result.err
        (folder / "more.jsonl").write_bytes(nasty_files.TWEET + b'\n{"text": "@late", "date": "2009-04-07T05:19:45.123Z"}\n')
        result = run("run", folder / "more.jsonl", "--store", cls.store)
        assert result.status == 0, result.err

    def write(self, table, *options):
        path = self.folder / f"{table}.h5"
        self.assert_status(run("export", self.store, table, "--format", "h5", "--output", path, *options), 0)
        self.assertEqual([name for name in os.listdir(self.folder) if "_tmp" in name], [])
        return path

    def read(self, path):
        """The rows as JSON Lines have them; raw as bytes."""
        with h5py.File(path, "r") as f:
            names = list(f.attrs["column-order"])
            columns = [self.read_column(f, name) for name in names]
            scale = "row_" if "row" in names else "row"
            n_rows = len(f[scale])
            numpy.testing.assert_array_equal(f[scale][:], numpy.arange(n_rows))
            for name, item in f.items():
                self.assertEqual(item.shape, (n_rows,), name)
                self.assertTrue(name == scale or f[scale] in item.dims[0].values(), f"{name} has no dimension")
                known = [column + suffix for column in names for suffix in ("", "_present", "_bytes")] + [scale]
                self.assertIn(name, known)
        return [dict(zip(names, values)) for values in zip(*columns)]

    def read_column(self, f, name):
        item = f[name]
        companions = item.attrs.get("ancillary_variables", "").split()
        self.assertEqual({companion for companion in f if companion.startswith(name + "_") and f[companion].attrs[
            "long_name"].startswith(("0 where the value is null", "the value's bytes"))}, set(companions))
        if h5py.check_string_dtype(item.dtype):
            kind = h5py.check_string_dtype(item.dtype)
            self.assertEqual((kind.encoding, kind.length), ("utf-8", None))
            values = list(item.asstr()[:])
            if name == "raw":
                values = [value.encode("utf-8") for value in values]
                exact = f["raw_bytes"][:]
                values = [bytes(b) if len(b) else value for value, b in zip(values, exact)]
        elif "units" in item.attrs:
            self.assertEqual(item.attrs["units"], "milliseconds since 1970-01-01 00:00:00")
            values = [None if value == numpy.iinfo(numpy.int64).min else iso(value) for value in item[:]]
        else:
            values = item[:].tolist()
            if item.attrs.get("flag_meanings") == "false true":
                values = [bool(value) if value >= 0 else value for value in values]
        if name + "_present" in companions:
            present = f[name + "_present"][:]
            self.assertIn(0, present, f"{name}: only where there is a null")
            empty = {None, ""} | set(item.attrs.get("_FillValue", []))
            for row in numpy.flatnonzero(present == 0):
                self.assertTrue(values[row] in empty or math.isnan(values[row]), values[row])
                values[row] = None
        return values

    def assert_equal_to_jsonl(self, path, table, *options):
        expected = self.export(self.store, table, *options).rows
        for row in expected:
            if "raw" in row:
                row["raw"] = unescape(row["raw"])
            if "predicted_score" in row:
                row["predicted_score"] = float(numpy.float32(row["predicted_score"]))
        got = self.read(path)
        self.assert_rows(got, expected, table)
        return got

    def test_every_table_is_as_in_json_lines(self):
        for table in TABLES:
            with self.subTest(table=table):
                self.assertGreater(len(self.assert_equal_to_jsonl(self.write(table), table)), 10)

    def test_options_are_those_of_the_other_formats(self):
        options = ["--columns", "text,source_file,date", "--limit", 17, "--version", 1]
        got = self.assert_equal_to_jsonl(self.write("bronze", *options), "bronze", *options)
        self.assertEqual((len(got), list(got[0])), (17, ["text", "source_file", "date"]))
        self.assert_equal_to_jsonl(self.write("gold", "--limit", 0), "gold", "--limit", 0)

    def test_columns_without_nulls_have_no_marks(self):
        with h5py.File(self.write("application", "--columns", "mention,total"), "r") as f:
            self.assertEqual(set(f), {"row", "mention", "total"})
            self.assertNotIn("_FillValue", f["total"].attrs)

    def test_the_file_says_what_it_is(self):
        with h5py.File(self.write("gold"), "r") as f:
            self.assertEqual(f.attrs["Conventions"], "CF-1.8")
            self.assertEqual((f.attrs["table"], f.attrs["version"]), ("gold", len(self.log("gold")) - 1))
            self.assertIn("table gold", f.attrs["title"])
            self.assertEqual(f["sentiment_id"].dtype, numpy.int8)
            self.assertEqual(f["sentiment_id"].attrs["flag_meanings"], "other positive")
            self.assertEqual(f["sentiment_id"].attrs["flag_values"].tolist(), [0, 1])
            self.assertEqual(f["predicted_score"].dtype, numpy.float32)

    def log(self, table):
        text = self.assert_status(run("history", self.store, table), 0).out.decode().splitlines()
        return [line for line in text if line.startswith(table + " ")]

    def test_same_rows_make_the_same_bytes(self):
        self.assertEqual(self.write("gold").read_bytes(), self.write("gold").read_bytes())

    def test_what_fails_leaves_the_former_file(self):
        path = self.write("gold")
        before = path.read_bytes()
        self.assert_fails(run("export", self.store, "gold", "--format", "h5", "--output", path, "--columns", "mention,mention"), 64)
        self.assertEqual(path.read_bytes(), before)
        self.assertEqual(os.listdir(self.folder), [path.name])
        for output, status in (self.folder, 73), (self.folder / "no-such-folder/gold.h5", 73):
            self.assertIn(str(output), self.assert_fails(run("export", self.store, "gold", "--format", "h5", "--output", output), status))
        self.assertIn("--output", self.assert_fails(run("export", self.store, "gold", "--format", "h5"), 64))

    def test_full_disk_is_one_error_and_leaves_nothing(self):
        disk = self.folder / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode:
            self.skipTest("a small file system cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", disk])
        message = self.assert_fails(run("export", self.store, "bronze", "--format", "h5", "--output", disk / "x.h5"), 74)
        self.assertIn("No space left on device", message)
        self.assertEqual(os.listdir(disk), [])

    def test_xarray_reads_it_without_help(self):
        try:
            import xarray
        except ImportError:
            self.skipTest("xarray is not installed")
        engines = [name for name in ("h5netcdf", "netcdf4") if name in xarray.backends.list_engines()]
        if not engines:
            self.skipTest("xarray has neither h5netcdf nor netCDF4")
        expected = self.export(self.store, "gold").rows
        path = self.write("gold")
        for engine in engines:
            with self.subTest(engine=engine), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of NaN cast on the way to NaT
                with xarray.open_dataset(path, engine=engine) as dataset:
                    self.assertEqual(dict(dataset.sizes), {"row": len(expected)})
                    for name in "mention", "cleaned_text", "predicted_sentiment", "sentiment":
                        self.assertEqual(dataset[name].values.tolist(), [row[name] or "" for row in expected])
                    self.assertEqual(dataset["sentiment_id"].dtype, numpy.int8)
                    for time, row in zip(dataset["timestamp"].values, expected):
                        if row["timestamp"] is None or "1678" <= row["timestamp"][:4] <= "2261":  # its nanoseconds' range
                            self.assertEqual(None if numpy.isnat(time) else iso(time.astype("M8[ms]").astype(int)), row["timestamp"])


if __name__ == "__main__":
    unittest.main()
