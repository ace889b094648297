#!/usr/bin/env python3
"""murmur generate: the same bytes for a seed, and as many tweets as were asked for."""

import re
import unittest

import murmur_cli
from murmur_cli import run

import pipeline


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def without_source(rows):
    """Rows as comparable things, in no order."""
    return sorted(repr({**row, "source_file": None}) for row in rows)


class Generate(murmur_cli.TestCase):
    def generate(self, name, *options):
        folder = self.folder / name
        result = self.assert_status(run("generate", folder, *options), 0)
        return folder, result

    def test_a_seed_gives_the_same_bytes_and_another_seed_others(self):
        first, _ = self.generate("first", "--tweets", 700, "--files", 12, "--seed", 5)
        again, _ = self.generate("again", "--tweets", 700, "--files", 12, "--seed", 5)
        other, _ = self.generate("other", "--tweets", 700, "--files", 12, "--seed", 6)
        self.assertEqual(contents(first), contents(again))
        self.assertNotEqual(contents(first)["tweets-00000.jsonl"], contents(other)["tweets-00000.jsonl"])

    def test_tweets_and_rejects_are_as_many_as_it_says(self):
        for n_tweets, n_files in ((0, 1), (1, 1), (3, 20), (2000, 16), (1999, 33)):
            with self.subTest(n_tweets=n_tweets, n_files=n_files):
                folder, result = self.generate(f"{n_tweets}", "--tweets", n_tweets, "--files", n_files)
                bronze, rejects = pipeline.make_bronze([folder])
                self.assertEqual(len(bronze), n_tweets)
                self.assertEqual(len(pipeline.list_sources([folder])), n_files)
                said = re.match(rb"(\d+) tweets and (\d+) texts that ingest rejects, in (\d+) files", result.out)
                self.assertEqual([int(number) for number in said.groups()], [n_tweets, len(rejects), n_files])

    def test_clean_has_no_rejects_and_the_same_tweets(self):
        broken, _ = self.generate("broken", "--tweets", 1500, "--files", 16)
        clean, _ = self.generate("clean", "--tweets", 1500, "--files", 16, "--clean")
        with_rejects, some = pipeline.make_bronze([broken])
        without_rejects, none = pipeline.make_bronze([clean])
        self.assertGreater(len(some), 5)
        self.assertEqual(none, [])
        self.assertEqual(without_source(with_rejects), without_source(without_rejects))

    def test_tweets_do_not_depend_on_the_number_of_files(self):
        three, _ = self.generate("three", "--tweets", 900, "--files", 3)
        seven, _ = self.generate("seven", "--tweets", 900, "--files", 7)
        rows_of_three, rows_of_seven = (pipeline.make_bronze([folder])[0] for folder in (three, seven))
        self.assertEqual(without_source(rows_of_three), without_source(rows_of_seven))

    def test_default_set_has_every_kind_of_oddity(self):
        folder, _ = self.generate("tweets")
        bronze, rejects = pipeline.make_bronze([folder])
        texts = [row["text"] for row in bronze if row["text"] is not None]
        self.assertEqual(len(bronze), 10000)
        self.assertTrue(any("\ufffd" in text for text in texts), "lone surrogates")
        self.assertTrue(any("＠" in text for text in texts), "fullwidth signs")
        self.assertTrue(any(text.startswith("RT @") for text in texts), "retweets")
        self.assertTrue(any(len(text) > 2000 for text in texts), "long texts")
        self.assertTrue(any(row["text"] is None for row in bronze), "missing texts")
        self.assertTrue(any(row["rescued_data"] for row in bronze), "undeclared fields")
        self.assertTrue(any((row["user"] or "").startswith("{") for row in bronze), "objects as values")
        dates = [row["date"] for row in bronze if row["date"]]
        for zone in ("UTC", "GMT", "Z", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", r"\+0530"):
            self.assertTrue(any(re.search(rf" {zone} 2009$", date) for date in dates), zone)
        self.assertTrue(any(pipeline.parse_date(date) is None for date in dates), "unknown dates")
        ordinary = [row for row in bronze if row["sentiment"] in ("positive", "negative", "neutral")]
        self.assertGreater(len(ordinary), 9500)
        for sentiment, least in (("positive", 3000), ("negative", 3000), ("neutral", 300)):
            self.assertGreater(sum(row["sentiment"] == sentiment for row in ordinary), least)
        raws = [row["raw"] for row in rejects]
        for sign in ("\\u0000", "NaN", "}{", "\\xff", "[[[[[[", ",}"):
            self.assertTrue(any(sign in raw for raw in raws), sign)
        self.assertTrue(any(row["byte_length"] > 65536 for row in rejects), "values over the limit")

    def test_mentions_follow_a_steep_distribution(self):
        folder, _ = self.generate("tweets", "--tweets", 5000, "--clean")
        silver, _ = pipeline.make_silver(pipeline.make_bronze([folder])[0])
        counts = {}
        for row in silver:
            counts[row["mention"]] = counts.get(row["mention"], 0) + 1
        ordered = sorted(counts.values(), reverse=True)
        self.assertGreater(len(ordered), 500)
        self.assertGreater(ordered[0], 4 * ordered[20])

    def test_second_call_leaves_files_untouched(self):
        folder, _ = self.generate("tweets", "--tweets", 300)
        before = {path: path.stat().st_mtime_ns for path in folder.glob("tweets-*")}
        _, result = self.generate("tweets", "--tweets", 300)
        self.assertEqual(before, {path: path.stat().st_mtime_ns for path in folder.glob("tweets-*")})
        self.assertIn("16 files", result.err)

    def test_smaller_set_replaces_a_larger_one(self):
        folder, _ = self.generate("tweets", "--tweets", 300, "--files", 9)
        _, result = self.generate("tweets", "--tweets", 50, "--files", 2)
        self.assertEqual(len(list(folder.glob("tweets-*"))), 2)
        self.assertIn("removed 7 files", result.err)

    def test_folder_of_others_is_refused_and_left_alone(self):
        folder = self.folder / "mine"
        folder.mkdir()
        (folder / "thesis.jsonl").write_text("{}\n")
        self.assertIn("thesis.jsonl", self.assert_fails(run("generate", folder), 73))
        self.assertEqual(contents(folder), {"thesis.jsonl": b"{}\n"})

    def test_a_foreign_file_among_generated_ones_is_refused(self):
        folder, _ = self.generate("tweets", "--tweets", 30, "--files", 3)
        (folder / "notes.txt").write_text("x")
        before = contents(folder)
        self.assertIn("notes.txt", self.assert_fails(run("generate", folder, "--files", 2), 73))
        self.assertEqual(contents(folder), before)

    def test_wrong_usage_is_told(self):
        self.assert_fails(run("generate"), 64)
        self.assert_fails(run("generate", self.folder / "x", "--tweets", "many"), 64)
        self.assert_fails(run("generate", self.folder / "x", "--files", "0"), 64)
        self.assert_fails(run("generate", self.folder / "x", "--seed", "-1"), 64)
        self.assertFalse((self.folder / "x").exists())


if __name__ == "__main__":
    unittest.main()
