"""mentions: totals, rankings and times recomputed from gold with h5py, on generated and on real tweets."""

import collections
import csv
import io
import json
import sys
import unittest

import numpy as np

import murmur_cli
from murmur_cli import SHARED, SOURCE, run

sys.path.insert(0, str(SOURCE / "scripts"))
import murmur_store

LABELS = {"NEG": "negative", "NEU": "neutral", "POS": "positive"}
UNITS = {"hour": "h", "day": "D"}  # as numpy calls them
LISTS = {"most_mentioned": "total", "in_favour": "positive", "villains": "negative"}


def instant(time):
    """As murmur writes times."""
    if np.isnat(time):
        return None
    return str(time).replace(".000", "") + "Z"


def expected_mentions(store, version=None, top=20):
    gold = murmur_store.read_table(store, "gold", version)
    users = {}
    for mention, time, label in zip(gold["mention"], gold["timestamp"], gold["predicted_sentiment"]):
        user = users.setdefault(mention, {"mention": mention, "times": [], "negative": 0, "neutral": 0, "positive": 0})
        user[LABELS[label]] += 1
        user["times"] += [] if np.isnat(time) else [time]
    for user in users.values():
        times = user.pop("times")
        user["total"] = user["negative"] + user["neutral"] + user["positive"]
        user["min_timestamp"], user["max_timestamp"] = (instant(f(times)) if times else None for f in (min, max))
    ordered = sorted(users.values(), key=lambda user: (-user["total"], user["mention"].encode()))
    return {
        "mentions": len(gold["mention"]), "users": len(users),
        **{name: sum(user[name] for user in ordered) for name in LABELS.values()},
        **{name: sorted((user for user in ordered if user[by]), key=lambda user: -user[by])[:top]  # stable
           for name, by in LISTS.items()},
    }


def expected_bins(store, unit):
    gold = murmur_store.read_table(store, "gold")
    bins = collections.defaultdict(collections.Counter)
    for time, label in zip(gold["timestamp"], gold["predicted_sentiment"]):
        if not np.isnat(time):
            bins[time.astype(f"M8[{UNITS[unit]}]").astype("M8[s]")][LABELS[label]] += 1
    return [{"begin": f"{begin}Z", **{name: bins[begin][name] for name in LABELS.values()},
             "total": sum(bins[begin].values())} for begin in sorted(bins)]


class Mentions(murmur_cli.TestCase):
    def setUp(self):
        super().setUp()
        self.store = self.folder / "store"

    def ingest(self, rows, name="tweets.jsonl", *options, **execution):
        path = self.folder / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        self.run_job(path, self.store, *options, **execution)

    def mentions(self, *options):
        return self.assert_status(run("mentions", self.store, *options), 0)

    def assert_figures(self, got, expected):
        for name, value in expected.items():
            self.assertEqual(got[name], value, name)

    def generate(self, n_tweets=1200):
        tweets = self.folder / "tweets"
        self.assert_status(run("generate", tweets, "--tweets", n_tweets, "--files", "4"), 0)
        self.run_job(tweets, self.store, "--max-files", "2", n_ranks=2)

    def test_figures_are_those_of_gold(self):
        self.generate()
        got = self.mentions("--json").rows[0]
        self.assert_figures(got, expected_mentions(self.store))
        self.assertEqual((got["version"], got["gold_version"], got["is_behind"]), (0, 1, False))
        self.assertGreater(min(got["negative"], got["neutral"], got["positive"]), 0)
        for top in 1, 7, 10**9:
            self.assert_figures(self.mentions("--json", "--top", top).rows[0], expected_mentions(self.store, top=top))

        text, expected = self.mentions("--top", "5").out.decode(), expected_mentions(self.store, top=5)
        self.assertRegex(text, rf"^{expected['mentions']} mentions of {expected['users']} users\n"
                               rf"{expected['negative']} negative \(.*\), {expected['neutral']} neutral ")
        lists = text.split("\n\n")[1:]
        self.assertEqual(len(lists), len(LISTS))
        for block, name in zip(lists, LISTS):
            lines = block.strip("\n").split("\n")[2:]
            self.assertEqual([line.split()[:5] for line in lines],
                             [[user["mention"], *(str(user[c]) for c in ("negative", "neutral", "positive", "total"))]
                              for user in expected[name]])

    def test_csv_has_every_mention(self):
        self.generate(600)
        lines = list(csv.DictReader(io.StringIO(self.mentions("--csv").out.decode(), newline="")))
        users = expected_mentions(self.store, top=10**9)["most_mentioned"]
        self.assertEqual(lines, [{name: "" if value is None else str(value) for name, value in user.items()}
                                 for user in users])
        self.assertEqual(self.mentions("--csv").out, run("export", self.store, "application", "--format", "csv").out)
        self.assertEqual(len(self.mentions("--csv", "--top", "3").out.splitlines()), 4)

    def test_times_are_those_of_gold(self):
        self.generate()
        mentions = len(murmur_store.read_table(self.store, "gold")["mention"])
        for unit in "hour", "day":
            expected = expected_bins(self.store, unit)
            got = self.mentions("--by", unit, "--json").rows[0]
            self.assertEqual(got["bins"], expected)
            self.assertEqual((got["gold_version"], got["by"], got["mentions"]), (1, unit, mentions))
            self.assertEqual(got["without_timestamp"], mentions - sum(row["total"] for row in expected))
            self.assertGreater(got["without_timestamp"], 0)
            lines = list(csv.DictReader(io.StringIO(self.mentions("--by", unit, "--csv").out.decode())))
            self.assertEqual(lines, [{name: str(value) for name, value in row.items()} for row in expected])
            text = self.mentions("--by", unit).out.decode().splitlines()
            self.assertEqual([line.split()[:5] for line in text[3:]],
                             [[row["begin"], *(str(row[name]) for name in list(LABELS.values()) + ["total"])]
                              for row in expected])

    def test_times_before_1970_and_far_away_have_their_bin(self):
        dates = ["1969-12-31T23:59:59.999Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z", "0001-01-01", "9999-12-31T23:59:59Z"]
        self.ingest([{"date": date, "text": "@a hi"} for date in dates])
        begins = [row["begin"] for row in self.mentions("--by", "day", "--json").rows[0]["bins"]]
        self.assertEqual(begins, ["0001-01-01T00:00:00Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T00:00:00Z"])
        begins = [row["begin"] for row in self.mentions("--by", "hour", "--json").rows[0]["bins"]]
        self.assertEqual(begins[1:4], ["1969-12-31T00:00:00Z", "1969-12-31T23:00:00Z", "1970-01-01T00:00:00Z"])

    def test_bins_are_of_hours_where_nearly_all_rows_are_of_three_days(self):
        hours = [{"date": f"2009-04-{6 + i // 24 % 3:02} {i % 24:02}:00:00", "text": f"@a day {i % 7}"} for i in range(400)]
        self.ingest(hours)
        self.assertEqual(self.mentions("--by", "time", "--json").rows[0]["by"], "hour")
        self.ingest([{"date": "1999-01-01", "text": "@a"}], "stray.jsonl")  # one of four hundred does not change that
        self.assertEqual(self.mentions("--by", "time", "--json").rows[0]["by"], "hour")
        self.ingest([{"date": f"2009-04-{1 + i:02}", "text": "@a"} for i in range(20)], "spread.jsonl")
        self.assertEqual(self.mentions("--by", "time", "--json").rows[0]["by"], "day")

    def test_ties_stand_in_the_order_of_the_table(self):
        self.ingest([{"text": f"@{name} good"} for name in ("b", "a", "B", "_", "c", "a")])
        lists = self.mentions("--json").rows[0]
        self.assertEqual([user["mention"] for user in lists["most_mentioned"]], ["@a", "@B", "@_", "@b", "@c"])
        self.assert_figures(lists, expected_mentions(self.store))
        self.assert_figures(self.mentions("--json", "--top", "2").rows[0], expected_mentions(self.store, top=2))

    def test_gold_that_is_not_counted_yet_is_told(self):
        self.ingest([{"text": "@a good"}])
        before = self.mentions("--json").rows[0]
        self.ingest([{"text": "@b bad"}], "more.jsonl")
        # As of the record that has the new gold and the old application.
        time = json.loads((self.store / "_log" / f"{2:020}.json").read_text())["time"]
        between = self.mentions("--json", "--as-of", time).rows[0]
        self.assertEqual((between["mentions"], between["is_behind"]), (1, True))
        self.assertIn("not counted here", self.mentions("--as-of", time).out.decode())
        self.assertEqual({**between, "is_behind": False}, before)
        self.assert_status(run("optimize", self.store, "gold"), 0)  # the same rows in other parts are no news
        after = self.mentions("--json").rows[0]
        self.assertEqual((after["mentions"], after["is_behind"], after["gold_version"]), (2, False, 1))

    def test_stores_without_mentions_are_fine(self):
        (self.store / "_log").mkdir(parents=True)
        for _ in range(2):
            got = self.mentions("--json").rows[0]
            self.assertEqual((got["mentions"], got["users"], got["most_mentioned"]), (0, 0, []))
            self.assertRegex(self.mentions().out.decode(), "^0 mentions of 0 users\n0 negative")
            self.assertEqual(self.mentions("--by", "time", "--json").rows[0]["bins"], [])
            self.assertEqual(self.mentions("--by", "time", "--csv").out, b"begin,negative,neutral,positive,total\n")
            self.mentions("--by", "time")
            self.ingest([{"text": "nobody"}])

    def test_wrong_usage_is_refused(self):
        (self.store / "_log").mkdir(parents=True)
        self.assertIn("hour, day or time", self.assert_fails(run("mentions", self.store, "--by", "week"), 64))
        self.assertIn("exclude", self.assert_fails(run("mentions", self.store, "--json", "--csv"), 64))
        self.assertIn("--top", self.assert_fails(run("mentions", self.store, "--by", "day", "--top", "3"), 64))

    @unittest.skipUnless((SHARED / "data/tweets").is_dir(), "needs the team's real tweets")
    def test_figures_of_real_tweets_are_those_of_gold(self):
        self.run_job([SHARED / "data/tweets/manual-498.jsonl", SHARED / "data/tweets/tweets-004.jsonl.gz"], self.store,
                     n_ranks=2)
        self.assert_figures(self.mentions("--json", "--top", 10**6).rows[0], expected_mentions(self.store, top=10**6))
        self.assertEqual(self.mentions("--by", "time", "--json").rows[0]["bins"], expected_bins(self.store, "day"))


if __name__ == "__main__":
    unittest.main()
