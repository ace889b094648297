#!/usr/bin/env python3
"""murmur run, whole: its tables against those that tests/oracle computes another way, at any number of ranks."""

import csv
import io
import json
import re
import shutil
import unittest

import murmur_cli
import nasty_files
from murmur_cli import MODEL, SHARED, run

import pipeline

TABLES = ("bronze", "rejects", "silver", "gold", "application")
SCORE_TOLERANCE = 1e-3  # of 100: numpy's sums go in another order
TEXTS_CHECKED = 300  # of each table: numpy takes some 10 ms for one


def load_classifier():
    try:
        import roberta

        return roberta.Classifier(MODEL)
    except (ImportError, FileNotFoundError) as error:
        print(f"predictions are not checked: {error}")
        return None


def without_time(bronze):
    """The bytes of an export, but for when rows were read."""
    return re.sub(rb',"processing_time":"[^"]*"', b"", bronze)


class PipelineTest(murmur_cli.TestCase):
    def export_all(self, store):
        tables = {table: self.export(store, table).out for table in TABLES}
        tables["bronze"] = without_time(tables["bronze"])
        return tables

    def assert_same_tables(self, got, expected):
        for table in TABLES:
            if got[table] != expected[table]:
                self.assert_rows(got[table].splitlines(), expected[table].splitlines(), table)

    def assert_predictions(self, got, texts, classifier):
        """Gold's columns for rows whose predicted sentiment may differ only where two classes are as likely."""
        distinct = sorted(set(texts))
        chances = classifier.probabilities(distinct[:: 1 + len(distinct) // TEXTS_CHECKED])
        for number, (row, text) in enumerate(zip(got, texts)):
            if text not in chances:
                continue
            chance = dict(zip(("NEG", "NEU", "POS"), 100 * chances[text]))
            where = f"gold: row {number}: {row}: {chance}"
            self.assertGreaterEqual(chance[row["predicted_sentiment"]], max(chance.values()) - SCORE_TOLERANCE, where)
            self.assertAlmostEqual(row["predicted_score"], chance[row["predicted_sentiment"]], delta=SCORE_TOLERANCE, msg=where)

    def assert_tables(self, store, sources, mention_rule="twitter", is_raw=False, fold_case=False, max_value=64 << 10):
        """All tables of a store against the oracle's."""
        bronze, rejects = pipeline.make_bronze(sources, max_value)
        rows = self.export(store, "bronze").rows
        for row in rows:
            self.assertRegex(row.pop("processing_time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$")
        self.assert_rows(rows, bronze, "bronze")
        if rows:
            self.assertEqual(list(rows[0]), list(bronze[0]), "order of columns")

        rows = self.export(store, "rejects").rows
        for row in rows:
            self.assertTrue(row.pop("reason"))
        self.assert_rows(rows, rejects, "rejects")

        silver, texts = pipeline.make_silver(bronze, mention_rule)
        self.assert_rows(self.export(store, "silver").rows, silver, "silver")

        gold = self.export(store, "gold").rows
        silver_part = [{name: row[name] for name in ("timestamp", "mention", "cleaned_text", "sentiment")} for row in gold]
        self.assert_rows(silver_part, silver, "gold")
        for row in gold:
            self.assertEqual(row["sentiment_id"], int(row["sentiment"] == "positive"))
            self.assertEqual(row["predicted_sentiment_id"], int(row["predicted_sentiment"] == "POS"))
        if self.classifier:
            self.assert_predictions(gold, texts if is_raw else [row["cleaned_text"] for row in silver], self.classifier)

        application = self.export(store, "application").rows
        self.assert_rows(application, pipeline.make_application(gold, fold_case), "application")
        return bronze, rejects


class WholeRun(PipelineTest):
    """One run at one rank, looked at from many sides."""

    @classmethod
    def setUpClass(cls):
        cls.classifier = load_classifier()
        cls.shared = cls.enterClassContextOnce(murmur_cli.temporary_folder())
        cls.sources = cls.shared / "sources"
        made = run("generate", cls.sources / "generated", "--tweets", 1600, "--files", 16, "--seed", 11)
        assert made.status == 0, made.err
        nasty_files.write(cls.sources / "nasty")
        cls.store = cls.shared / "store"
        cls.first_run = run("run", cls.sources, "--store", cls.store, timeout=300)

    @classmethod
    def enterClassContextOnce(cls, context):
        value = context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)
        return value

    def setUp(self):
        super().setUp()
        self.assert_status(self.first_run, 0)

    def test_tables_equal_the_oracle(self):
        bronze, rejects = self.assert_tables(self.store, [self.sources])
        self.assertGreater(len(bronze), 1600)
        self.assertGreater(len(rejects), 100)

    def test_any_number_of_ranks_gives_the_same_bytes(self):
        expected = self.export_all(self.store)
        for n_ranks, threads in ((2, "1"), (3, "2"), (5, "1")):
            with self.subTest(n_ranks=n_ranks, threads=threads):
                store = self.folder / f"store-{n_ranks}"
                self.run_job(self.sources, store, n_ranks=n_ranks, env={"OPENBLAS_NUM_THREADS": threads}, timeout=300)
                self.assert_same_tables(self.export_all(store), expected)
                self.assert_status(run("verify", store), 0)

    def test_second_run_adds_nothing(self):
        store = self.folder / "store"
        shutil.copytree(self.store, store)
        history = self.assert_status(run("history", store), 0).out
        self.run_job(self.sources, store, n_ranks=2)
        self.assertEqual(run("history", store).out, history)
        self.assert_same_tables(self.export_all(store), self.export_all(self.store))

    def test_relative_spelling_names_the_same_files(self):
        store = self.folder / "store"
        shutil.copytree(self.store, store)
        history = run("history", store).out
        self.run_job("../sources/./nasty", store, cwd=self.sources)
        self.assertEqual(run("history", store).out, history)

    def test_log_goes_to_standard_error(self):
        self.assertEqual(self.first_run.out, b"")
        self.assertEqual(self.first_run.errors, [])
        self.assertIn("done in", self.first_run.err)

    def test_verify_finds_nothing(self):
        self.assert_status(run("verify", self.store), 0)

    def test_csv_says_the_same_as_jsonl(self):
        csv.field_size_limit(1 << 20)
        for table in ("bronze", "silver", "gold", "application"):
            with self.subTest(table=table):
                rows = self.export(self.store, table).rows
                text = self.assert_status(run("export", self.store, table, "--format", "csv"), 0).out.decode("utf-8")
                got = list(csv.reader(io.StringIO(text, newline="")))
                self.assertEqual(got[0], list(rows[0]))
                for got_row, row in zip(got[1:], rows):
                    for cell, value in zip(got_row, row.values()):
                        if isinstance(value, float):
                            self.assertEqual(float(cell), value)
                        else:
                            self.assertEqual(cell, "" if value is None else str(value))
                self.assertEqual(len(got) - 1, len(rows))

    def test_columns_and_limit_choose(self):
        rows = self.export(self.store, "silver").rows
        chosen = self.export(self.store, "silver", "--columns", "sentiment,mention", "--limit", 7).rows
        self.assertEqual([list(row.items()) for row in chosen],
                         [[("sentiment", row["sentiment"]), ("mention", row["mention"])] for row in rows[:7]])

    def test_mentions_lists_the_top(self):
        application = self.export(self.store, "application").rows
        out = self.assert_status(run("mentions", self.store, "--top", 5), 0).out.decode()
        for row in application[:5]:
            self.assertRegex(out, rf"{re.escape(row['mention'])}\b.*\b{row['total']}\b")


class Options(PipelineTest):
    """Runs of their own, on small data."""

    @classmethod
    def setUpClass(cls):
        cls.classifier = load_classifier()

    def generate(self, name="tweets", n_tweets=300, n_files=7, seed=3):
        folder = self.folder / name
        self.assert_status(run("generate", folder, "--tweets", n_tweets, "--files", n_files, "--seed", seed), 0)
        return folder

    def test_new_file_is_all_that_a_later_run_adds(self):
        tweets, store = self.generate(), self.folder / "store"
        self.run_job(tweets, store)
        before = {table: self.export(store, table).rows for table in TABLES}
        new = tweets / "zz-new.jsonl"
        new.write_bytes(nasty_files.lines(nasty_files.TWEET, b"bad", nasty_files.with_text(b"@bob hello")))
        self.run_job(tweets, store, n_ranks=2)
        after = {table: self.export(store, table).rows for table in TABLES}
        bronze, rejects = pipeline.make_bronze([new])
        for table, added in (("bronze", bronze), ("rejects", rejects), ("silver", [1, 1]), ("gold", [1, 1])):
            with self.subTest(table=table):
                self.assert_rows(after[table][: len(before[table])], before[table], table)
                self.assertEqual(len(after[table]), len(before[table]) + len(added))
        self.assert_tables(store, [tweets])

    def test_more_ranks_than_files(self):
        source, store = self.folder / "one.jsonl", self.folder / "store"
        source.write_bytes(nasty_files.lines(nasty_files.TWEET, nasty_files.TWEET))
        self.run_job(source, store, n_ranks=4)
        self.assert_tables(store, [source])

    def test_large_file_is_cut_at_line_ends(self):
        tweets, store = self.generate(n_tweets=3000, n_files=1), self.folder / "store"
        self.run_job(tweets, store, n_ranks=3, timeout=300)
        self.assert_tables(store, [tweets])

    def test_several_sources_overlap(self):
        tweets, store = self.generate(), self.folder / "store"
        sources = [tweets / "tweets-00003.jsonl", tweets, tweets / "tweets-00000.jsonl"]
        self.run_job(sources, store)
        self.assert_tables(store, [tweets])

    def test_empty_folder_is_a_warning(self):
        empty, store = self.folder / "empty", self.folder / "store"
        empty.mkdir()
        for n_ranks in (1, 3):
            with self.subTest(n_ranks=n_ranks):
                result = self.run_job(empty, store, n_ranks=n_ranks)
                self.assertIn("no source files", result.err)
                self.assert_status(run("verify", store), 0)
                self.assertEqual(self.export(store, "gold").out, b"")

    def test_files_without_a_mention_leave_gold_empty(self):
        source, store = self.folder / "one.jsonl", self.folder / "store"
        source.write_bytes(nasty_files.lines(nasty_files.with_text(b"no one here")))
        self.run_job(source, store, n_ranks=2)
        self.assert_tables(store, [source])

    def test_max_files_makes_a_version_a_batch(self):
        tweets, store = self.generate(), self.folder / "store"
        self.run_job(tweets, store, "--max-files", 3, n_ranks=2)
        self.assert_tables(store, [tweets])
        files = pipeline.list_sources([tweets])
        for version in range(3):
            with self.subTest(version=version):
                bronze, _ = pipeline.make_bronze(files[: 3 * version + 3])
                rows = self.export(store, "bronze", "--version", version).rows
                for row in rows:
                    del row["processing_time"]
                self.assert_rows(rows, bronze, "bronze")
                silver, _ = pipeline.make_silver(bronze)
                self.assert_rows(self.export(store, "silver", "--version", version).rows, silver, "silver")
        self.assert_fails(run("export", store, "bronze", "--version", 3), 64)

    def test_max_bytes_makes_batches_too(self):
        tweets, store = self.generate(n_tweets=900, n_files=6), self.folder / "store"
        self.run_job(tweets, store, "--max-bytes", "40K")
        self.assert_tables(store, [tweets])
        self.export(store, "bronze", "--version", 1)

    def test_trigger_once_takes_one_batch(self):
        tweets, store = self.generate(), self.folder / "store"
        files = pipeline.list_sources([tweets])
        self.run_job(tweets, store, "--max-files", 3, "--trigger", "once")
        self.assert_tables(store, files[:3])
        self.run_job(tweets, store, "--max-files", 3, "--trigger", "once", n_ranks=2)
        self.assert_tables(store, files[:6])
        self.run_job(tweets, store)
        self.assert_tables(store, files)

    def test_word_rule(self):
        sources, store = self.folder / "nasty", self.folder / "store"
        nasty_files.write(sources)
        self.run_job(sources / "mentions.jsonl", store, "--mention-rule", "word", n_ranks=2)
        self.assert_tables(store, [sources / "mentions.jsonl"], mention_rule="word")

    def test_raw_text_is_scored_whole(self):
        tweets, store = self.generate(), self.folder / "store"
        self.run_job(tweets, store, "--text", "raw")
        self.assert_tables(store, [tweets], is_raw=True)

    def test_fold_case_counts_spellings_together(self):
        sources, store = self.folder / "nasty", self.folder / "store"
        nasty_files.write(sources)
        self.run_job(sources / "mentions.jsonl", store, "--fold-case", n_ranks=2)
        self.assert_tables(store, [sources / "mentions.jsonl"], fold_case=True)
        mentions = [row["mention"] for row in self.export(store, "application").rows]
        self.assertIn("@alice", mentions)
        self.assertNotIn("@ALICE", mentions)

    def test_max_value_moves_the_limit(self):
        sources, store = self.folder / "nasty", self.folder / "store"
        nasty_files.write(sources)
        self.run_job(sources / "lines", store, "--max-value", "100")
        self.assert_tables(store, [sources / "lines"], max_value=100)

    def test_changed_file_is_reported_and_not_read_again(self):
        source, store = self.folder / "one.jsonl", self.folder / "store"
        source.write_bytes(nasty_files.lines(nasty_files.TWEET))
        self.run_job(source, store)
        before = self.export_all(store)
        source.write_bytes(nasty_files.lines(nasty_files.TWEET, nasty_files.TWEET))
        self.assertIn("one.jsonl changed", self.run_job(source, store).err)
        self.assert_same_tables(self.export_all(store), before)

    def test_compression_does_not_show(self):
        tweets = self.generate()
        stores = [self.folder / f"store-{level}" for level in (0, 9)]
        for store, level in zip(stores, (0, 9)):
            self.run_job(tweets, store, "--compress", level, n_ranks=2)
        self.assert_same_tables(self.export_all(stores[1]), self.export_all(stores[0]))

    @unittest.skipUnless((SHARED / "data/tweets").is_dir(), "the shared tweets are not here")
    def test_real_tweets(self):
        folder, store = self.folder / "tweets", self.folder / "store"
        folder.mkdir()
        for name in ("manual-498.jsonl", "tweets-000.jsonl.gz", "tweets-031.jsonl.gz"):
            shutil.copy(SHARED / "data/tweets" / name, folder)
        self.run_job(folder, store, n_ranks=2, timeout=300)
        bronze, rejects = self.assert_tables(store, [folder])
        self.assertGreater(len(bronze), 2000)
        self.assertEqual(rejects, [])


if __name__ == "__main__":
    unittest.main()
