#!/usr/bin/env python3
"""optimize and vacuum: what maintenance may do to a store's files, and that no row ever shows it."""

import json
import shutil
import subprocess
import sys
import unittest

import murmur_cli
from murmur_cli import SOURCE, mpirun, run

TABLES = ("bronze", "rejects", "silver", "gold", "application")


def records(store):
    return [json.loads(path.read_text()) for path in sorted((store / "_log").glob("[0-9]*.json"))]


def changes(store, table, operation=None):
    return [r["tables"][table] for r in records(store)
            if table in r["tables"] and operation in (None, r["operation"])]


def parts(store, table):
    """The latest version's parts as the log has them, in row order: path → part."""
    latest = {}
    for change in changes(store, table):
        before, removed = list(latest.items()), set(change["removed"])
        place = next((i for i, (path, _) in enumerate(before) if path in removed), len(before))
        latest = dict(before[:place] + [(part["path"], part) for part in change["added"]] +
                      [item for item in before[place:] if item[0] not in removed])
    return latest


class Maintenance(murmur_cli.TestCase):
    """Copies of one store of many small parts."""

    @classmethod
    def setUpClass(cls):
        context = murmur_cli.temporary_folder()
        cls.shared = context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)
        cls.tweets, cls.pristine = cls.shared / "tweets", cls.shared / "store"
        made = run("generate", cls.tweets, "--tweets", 480, "--files", 12, "--seed", 5)
        assert made.status == 0, made.err
        made = mpirun(2, "run", cls.tweets, "--store", cls.pristine, "--max-files", 1)
        assert made.status == 0, made.err

    def copy(self, name="store"):
        return shutil.copytree(self.pristine, self.folder / name)

    def exports(self, store, *options):
        return {table: self.export(store, table, *options).out for table in TABLES}

    def assert_whole(self, store):
        out = self.assert_status(run("verify", store), 0).out.decode()
        self.assertIn("is whole", out)
        return out

    def python_reader(self, store, table, *version):
        command = [sys.executable, SOURCE / "scripts/murmur_store.py", store, table, *version]
        return subprocess.run([str(word) for word in command], capture_output=True)

    def python_rows(self, store, table, *version):
        read = self.python_reader(store, table, *version)
        self.assertEqual(read.returncode, 0, read.stderr.decode())
        return read.stdout


class Optimize(Maintenance):
    def test_rows_and_order_stay_and_parts_are_the_same_at_any_number_of_ranks(self):
        before = self.exports(self.pristine)
        seen = None
        for n_ranks in (1, 2, 3, 4):
            with self.subTest(n_ranks=n_ranks):
                store = self.copy(f"store-{n_ranks}")
                self.assert_status(mpirun(n_ranks, "optimize", store, "--target-size", "24K"), 0)
                self.assertEqual(self.exports(store), before)
                self.assert_whole(store)
                hashes = {table: [part["hash"] for part in parts(store, table).values()] for table in TABLES}
                self.assertEqual(seen or hashes, hashes)
                seen = hashes
        for table in ("bronze", "silver", "gold"):
            self.assertGreater(len(seen[table]), 1, table)
            self.assertLess(len(seen[table]), 12, table)

    def test_one_part_of_each_table_is_left_and_then_nothing_to_do(self):
        store = self.copy()
        out = self.assert_status(mpirun(2, "optimize", store), 0).out.decode()
        self.assertRegex(out, r"gold: version 12: 12 parts \(\d+ rows, .*\) are one of ")
        self.assertEqual({len(parts(store, table)) for table in TABLES}, {1})
        n_records = len(records(store))
        again = self.assert_status(run("optimize", store), 0)
        self.assertEqual(again.out, b"")
        self.assertIn("nothing to do", again.err)
        self.assertEqual(len(records(store)), n_records)

    def test_second_optimize_of_many_bins_finds_nothing(self):
        store = self.copy()
        self.assert_status(run("optimize", store, "--target-size", "100K"), 0)
        n_records = len(records(store))
        self.assertGreater(n_records, len(records(self.pristine)) + 3)
        self.assert_status(mpirun(2, "optimize", store, "--target-size", "100K"), 0)
        self.assertEqual(len(records(store)), n_records)

    def test_old_versions_stay_readable(self):
        store = self.copy()
        self.assert_status(run("optimize", store), 0)
        for version in ("0", "7", "11"):
            for table in ("bronze", "gold"):
                self.assertEqual(self.export(store, table, "--version", version).out,
                                 self.export(self.pristine, table, "--version", version).out)
                self.assertEqual(self.python_rows(store, table, version),
                                 self.python_rows(self.pristine, table, version))
        self.assertEqual(self.python_rows(store, "gold"), self.python_rows(self.pristine, "gold"))

    def test_named_tables_only(self):
        store = self.copy()
        self.assert_status(run("optimize", store, "gold", "rejects"), 0)
        self.assertEqual([len(parts(store, table)) for table in TABLES], [12, 1, 12, 1, 1])
        self.assertIn("there is no table 'golden'", self.assert_fails(run("optimize", store, "golden"), 64))

    def test_dry_run_changes_nothing(self):
        store = self.copy()
        before = sorted(path.name for path in store.rglob("*"))
        out = self.assert_status(mpirun(2, "optimize", store, "--dry-run"), 0).out.decode()
        self.assertRegex(out, r"bronze: 12 parts \(480 rows, .*\) would become one\n")
        self.assertEqual(sorted(path.name for path in store.rglob("*")), before)

    def test_application_is_not_counted_again_and_goes_on_afterwards(self):
        store = self.copy()
        self.assert_status(run("optimize", store), 0)
        n_records = len(records(store))
        self.run_job(self.tweets, store)
        self.assertEqual(len(records(store)), n_records, "gold's rows are those that application stands for")

        # The same rows, with and without an optimize between the batches.
        more = self.folder / "more"
        self.assert_status(run("generate", more, "--tweets", 80, "--files", 2, "--seed", 6), 0)
        plain = self.copy("plain")
        for each in (store, plain):
            self.run_job(more, each, n_ranks=2)
        for table in ("gold", "application"):
            self.assertEqual(self.export(store, table).out, self.export(plain, table).out)

    def test_application_of_several_parts_keeps_its_options(self):
        """Put together, it is the same table: folded as before, not counted again, and folded in a rescoring."""
        tweets, store = self.folder / "many", self.folder / "store"
        tweets.mkdir()
        with open(tweets / "many.jsonl", "w", encoding="utf-8") as lines:
            for first in range(0, 560000, 100):
                names = " ".join(f"@{'U' if number % 2 else 'u'}ser_of_long_{number:07}" for number in range(first, first + 100))
                lines.write(json.dumps({"user": "x", "text": names}) + "\n")
            lines.write(json.dumps({"user": "x", "text": "@SomeOne and @someone"}) + "\n")
        self.assert_status(mpirun(2, "run", tweets, "--store", store, "--fold-case"), 0)
        before = self.export(store, "application").out
        self.assertGreater(len(parts(store, "application")), 1)
        self.assertIn(b'"@someone"', before)
        self.assert_status(run("optimize", store), 0)
        self.assertEqual(len(parts(store, "application")), 1)
        self.assertEqual(self.export(store, "application").out, before)
        n_records = len(records(store))
        self.assert_status(mpirun(2, "run", tweets, "--store", store, "--fold-case"), 0)
        self.assertEqual(len(records(store)), n_records)
        self.assert_status(mpirun(2, "rescore", store, "--precision", "int8"), 0)
        self.assertNotIn(b'"@SomeOne"', self.export(store, "application").out)

    def test_rows_added_between_two_optimizes_are_counted_once(self):
        store, plain, more = self.copy(), self.copy("plain"), self.folder / "more"
        self.assert_status(run("generate", more, "--tweets", 80, "--files", 2, "--seed", 6), 0)
        # A run that ends before it counts: its application record never came to be.
        self.run_job(more, store)
        last = sorted((store / "_log").glob("[0-9]*.json"))[-1]
        self.assertEqual(json.loads(last.read_text())["operation"], "AGGREGATE")
        last.unlink()
        self.assert_status(run("optimize", store, "gold"), 0)
        self.run_job(more, store)
        self.run_job(more, plain)
        self.assertEqual(self.export(store, "application").out, self.export(plain, "application").out)

    def test_damaged_part_is_not_made_sound(self):
        store = self.copy()
        victim = store / list(parts(store, "gold"))[5]
        contents = bytearray(victim.read_bytes())
        contents[len(contents) // 2] ^= 1
        victim.write_bytes(contents)
        n_records = len(records(store))
        error = self.assert_fails(mpirun(2, "optimize", store, "gold"), 65)
        self.assertIn(victim.name, error)
        self.assertEqual(len(records(store)), n_records)
        self.assertEqual(sorted(store.glob("gold/_tmp*")), [])

    def test_no_store_is_told(self):
        self.assertIn("no store", self.assert_fails(mpirun(2, "optimize", self.folder), 66))


class Vacuum(Maintenance):
    def optimized(self):
        store = self.copy()
        self.assert_status(mpirun(2, "optimize", store), 0)
        return store

    def test_only_what_the_latest_versions_need_is_left(self):
        store = self.optimized()
        n_gone = len(list(store.rglob("*.h5"))) - 5
        kept = {path for table in TABLES for path in parts(store, table)}
        before = self.exports(store)
        out = self.assert_status(run("vacuum", store, "--older-than", "0s"), 0).out.decode()
        self.assertEqual(out.count("removed "), n_gone)
        self.assertEqual({str(path.relative_to(store)) for path in store.rglob("*.h5")}, kept)
        self.assertEqual(self.exports(store), before)
        self.assertIn("whole: 5 parts", self.assert_whole(store))
        last = records(store)[-1]
        self.assertEqual((last["operation"], len(last["vacuumed"]), last["tables"]), ("VACUUM", n_gone, {}))

        error = self.assert_fails(run("export", store, "gold", "--version", "3"), 64)
        self.assertRegex(error, r"version 3 of table gold of .* was vacuumed at .*: versions 12 to 12 can be read")
        self.assertIn(b"was vacuumed", self.python_reader(store, "gold", "3").stderr)
        self.assertEqual(self.python_rows(store, "gold"), self.python_rows(self.pristine, "gold"))
        self.assertEqual(self.assert_status(run("vacuum", store, "--older-than", "0s"), 0).out, b"")
        self.assertEqual(len(records(store)), last["record"] + 1)

    def test_default_period_keeps_todays_versions(self):
        store = self.optimized()
        self.assertEqual(self.assert_status(run("vacuum", store), 0).out, b"")
        self.assertEqual(self.export(store, "gold", "--version", "3").out,
                         self.export(self.pristine, "gold", "--version", "3").out)

    def test_dry_run_lists_and_removes_nothing(self):
        store = self.optimized()
        before = sorted(store.rglob("*"))
        out = self.assert_status(run("vacuum", store, "--older-than", "0s", "--dry-run"), 0).out.decode()
        self.assertEqual(out.count("would remove gold/part-"), 12)
        self.assertEqual(sorted(store.rglob("*")), before)

    def test_interrupted_vacuum_is_litter_and_the_next_one_finishes_it(self):
        store = self.optimized()
        victim = next(iter(parts(self.pristine, "gold")))
        contents = (store / victim).read_bytes()
        self.assert_status(run("vacuum", store, "--older-than", "0s"), 0)
        (store / victim).write_bytes(contents)
        self.assertIn(f"litter: {victim} is left over", self.assert_whole(store))
        out = self.assert_status(run("vacuum", store), 0).out.decode()
        self.assertIn(victim, out)
        self.assertFalse((store / victim).exists())
        self.assertNotIn("litter", self.assert_whole(store))

    def test_rows_that_were_not_counted_yet_are_counted_though_their_own_part_is_gone(self):
        store, plain, more = self.copy(), self.copy("plain"), self.folder / "more"
        self.assert_status(run("generate", more, "--tweets", 80, "--files", 2, "--seed", 6), 0)
        self.run_job(more, store)
        sorted((store / "_log").glob("[0-9]*.json"))[-1].unlink()  # the run ended before it counted
        self.assert_status(run("optimize", store, "gold"), 0)
        self.assert_status(run("vacuum", store, "--older-than", "0s"), 0)
        self.run_job(more, store)
        self.run_job(more, plain)
        self.assertEqual(self.export(store, "application").out, self.export(plain, "application").out)

    def test_part_that_is_missing_and_was_not_vacuumed_is_damage(self):
        store = self.optimized()
        self.assert_status(run("vacuum", store, "--older-than", "0s"), 0)
        victim = next(iter(parts(store, "gold")))
        (store / victim).unlink()
        self.assertIn(f"part {victim}", self.assert_status(run("verify", store), 65).out.decode())


if __name__ == "__main__":
    unittest.main()
