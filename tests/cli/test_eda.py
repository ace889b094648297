"""eda: every figure recomputed from bronze and silver with h5py, on generated tweets, on names that attack a terminal, and
on real ones."""

import collections
import csv
import io
import json
import statistics
import sys
import unicodedata
import unittest

import murmur_cli
from murmur_cli import SHARED, SOURCE, run

sys.path.insert(0, str(SOURCE / "scripts"))
import murmur_store
from tweets import MENTION_RULES, parse_date

OWN_COLUMNS = ["date", "user", "text", "sentiment", "source_file", "processing_time", "rescued_data"]

# Wide, combining, from right to left, controls, overrides of direction, line separators, quotes of all kinds.
NAMES = ["日本語の名前", "e\u0301" * 9, "שלום עולם", "مرحبا", "\x1b[31mred\x1b[0m", "a\nb\tc", "\u202egnp.exe", "x\u2028y",
         "😀😀", "👨\u200d👩\u200d👧", "`id`", "$(id)", '"quoted",csv', "it's", "_under_score_", "%s%n", "", " ", "|", "a" * 300,
         "日" * 40, "z" + "\u0300" * 500]


def ranked(values):
    """(value, how often) of all but nulls, most first, then in byte order."""
    counts = collections.Counter(value for value in values if value is not None)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0].encode()))


def count_nulls(values):
    return sum(value is None for value in murmur_store.plain(values))


def expected_eda(store, version=None, top=20):
    store = murmur_store.Store(store)
    bronze = store.read("bronze", version)
    users, labels = ranked(bronze["user"]), ranked(bronze["sentiment"])
    tweets = [n for _, n in users]
    texts = [text or "" for text in bronze["text"]]
    classes = collections.Counter(n.bit_length() - 1 for n in tweets)
    return {
        "tweets": len(texts),
        "nulls": {name: count_nulls(values) for name, values in bronze.items()},
        "bad_dates": sum(date is not None and parse_date(date) is None for date in bronze["date"]),
        "mentions": {rule: {"with": (n := sum(bool(find(text)[0]) for text in texts)), "without": len(texts) - n}
                     for rule, find in MENTION_RULES.items()},
        "users": {"distinct": len(users), "tweets": sum(tweets),
                  "top": [{"user": user, "tweets": n} for user, n in users[:top]],
                  "median_tweets": statistics.median_low(tweets) if tweets else 0,
                  "by_tweets": [{"from": 2**k, "to": 2 ** (k + 1) - 1, "users": classes[k]} for k in sorted(classes)]},
        "labels": {"distinct": len(labels), "tweets": sum(n for _, n in labels),
                   "top": [{"sentiment": label, "tweets": n} for label, n in labels[:top]]},
    }


def columns_of(line):
    """What a terminal shows it in: wide characters take two columns, marks and format characters none."""
    return sum(0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in line)


class Eda(murmur_cli.TestCase):
    def setUp(self):
        super().setUp()
        self.store = self.folder / "store"

    def ingest(self, rows, name="tweets.jsonl", **options):
        path = self.folder / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        self.run_job(path, self.store, **options)

    def eda(self, *options):
        return self.assert_status(run("eda", self.store, *options), 0)

    def assert_figures(self, got, expected):
        self.assertEqual({column["name"]: column["nulls"] for column in got["columns"]}, expected.pop("nulls"))
        for name, value in expected.items():
            self.assertEqual(got[name], value, name)

    def test_figures_are_those_of_the_tables(self):
        tweets = self.folder / "tweets"
        self.assert_status(run("generate", tweets, "--tweets", "1500", "--files", "5"), 0)
        self.run_job(tweets, self.store, "--max-files", "2", n_ranks=2)
        got = self.eda("--json").rows[0]
        self.assert_figures(got, expected_eda(self.store))
        silver, rejects = (murmur_store.read_table(self.store, table) for table in ("silver", "rejects"))
        self.assertEqual(got["silver"], {"version": 2, "rows": len(silver["mention"]),
                                         "null_timestamps": count_nulls(silver["timestamp"]),
                                         "null_sentiments": count_nulls(silver["sentiment"])})
        self.assertEqual((got["version"], got["rejects"]), (2, len(rejects["reason"])))
        self.assertGreater(min(got["rejects"], got["bad_dates"], got["silver"]["null_timestamps"]), 0)
        self.assertNotEqual(got["mentions"]["twitter"], got["mentions"]["word"])

        # Another version, another length of the lists.
        got = self.eda("--json", "--version", "0", "--top", "3").rows[0]
        self.assertEqual((got["version"], got["silver"]["version"]), (0, 0))
        self.assert_figures(got, expected_eda(self.store, version=0, top=3))

        # The text has the same figures.
        text, expected = self.eda().out.decode(), expected_eda(self.store)
        self.assertRegex(text, rf"^{expected['tweets']} tweets in bronze version 2, ")
        for name, n in expected["nulls"].items():
            self.assertRegex(text, rf"(?m)^{name} +{n} ")
        for rule, n in expected["mentions"].items():
            self.assertRegex(text, rf"(?m)^{rule} +{n['with']} +\S+ +{n['without']} ")
        for user in expected["users"]["top"]:
            self.assertRegex(text, rf"(?m)^{user['user']} +{user['tweets']} [█▉▊▋▌▍▎▏]+$")
        self.assertRegex(text, rf"(?m)^{expected['users']['distinct']} distinct users, ")

    def test_csv_has_every_user(self):
        self.ingest([{"user": name, "text": "hi"} for i, name in enumerate(NAMES) for _ in range(i % 3 + 1)])
        lines = list(csv.reader(io.StringIO(self.eda("--csv").out.decode(), newline="")))
        users = ranked(murmur_store.read_table(self.store, "bronze")["user"])
        self.assertEqual(lines, [["user", "tweets"]] + [[user, str(n)] for user, n in users])
        self.assertEqual(len(users), len(NAMES))
        lines = list(csv.reader(io.StringIO(self.eda("--csv", "--top", "2").out.decode(), newline="")))
        self.assertEqual(len(lines), 3)

    def test_names_stay_in_their_column_whatever_they_are(self):
        self.ingest([{"user": name, "text": "@a hi", "sentiment": name} for name in NAMES])
        self.assert_figures(self.eda("--json", "--top", "99").rows[0], expected_eda(self.store, top=99))
        out = self.eda("--top", "99").out.decode()
        for line in out.split("\n"):
            hidden = [c for c in line if unicodedata.category(c) in ("Cc", "Zl", "Zp") or 0x202A <= ord(c) <= 0x202E]
            self.assertEqual(hidden, [], ascii(line))
        bars = [line for line in out.split("\n") if line.endswith("█" * 40)]
        top = [line for line in bars if not line.startswith("1 ")]  # without the line of users with one tweet
        self.assertEqual(len(top), 2 * len(NAMES))
        for line in top:
            self.assertEqual(columns_of(line), 28 + 1 + 10 + 1 + 40, ascii(line))
            self.assertEqual(line.count("\u2068"), line.count("\u2069"), ascii(line))
        self.assertIn("\\x1b[31mred\\x1b[0m ", out)
        self.assertIn("\u2068שלום עולם\u2069 ", out)
        self.assertIn("a" * 27 + "… ", out)
        self.assertIn("日" * 13 + "… ", out)

    def test_stores_without_tweets_or_with_one_are_fine(self):
        (self.store / "_log").mkdir(parents=True)
        self.assertEqual(self.eda().out.decode(), "0 tweets: bronze has no version yet\n")
        got = self.eda("--json").rows[0]
        self.assertEqual((got["version"], got["tweets"], got["users"]["top"], got["silver"]["version"]),
                         (None, 0, [], None))
        self.assertEqual(self.eda("--csv").out, b"user,tweets\n")
        self.ingest([{"text": "no user, no date"}])
        self.assert_figures(self.eda("--json").rows[0], expected_eda(self.store))
        self.assertIn("0 distinct users\n", self.eda().out.decode())

    def test_columns_that_were_merged_are_counted_too(self):
        self.ingest([{"user": "a", "text": "hi"}])
        schema = self.folder / "schema.json"
        schema.write_text('{"columns":[{"name":"likes","type":"int64"}]}')
        path = self.folder / "more.jsonl"
        path.write_text('{"user":"a","likes":3}\n{"user":"b"}\n')
        self.run_job(path, self.store, "--schema", schema, "--merge-schema")
        got = self.eda("--json").rows[0]
        self.assert_figures(got, expected_eda(self.store))
        self.assertEqual([(c["name"], c["type"], c["nulls"]) for c in got["columns"][7:]], [("likes", "int64", 2)])
        got = self.eda("--json", "--version", "0").rows[0]
        self.assertEqual([c["name"] for c in got["columns"]], OWN_COLUMNS)

    def test_wrong_usage_is_refused(self):
        self.assert_fails(run("eda", self.folder), 66)
        self.ingest([{"text": "hi"}])
        self.assertIn("exclude each other", self.assert_fails(run("eda", self.store, "--json", "--csv"), 64))
        self.assert_fails(run("eda", self.store, "--top", "0"), 64)
        self.assert_fails(run("eda", self.store, "--version", "1"), 64)

    @unittest.skipUnless((SHARED / "data/tweets").is_dir(), "needs the team's real tweets")
    def test_figures_of_real_tweets_are_those_of_the_tables(self):
        self.run_job([SHARED / "data/tweets/manual-498.jsonl", SHARED / "data/tweets/tweets-003.jsonl.gz"], self.store,
                     n_ranks=2)
        got = self.eda("--json", "--top", "1000000").rows[0]
        self.assert_figures(got, expected_eda(self.store, top=1000000))
        self.assertGreater(got["tweets"], 1000)


if __name__ == "__main__":
    unittest.main()
