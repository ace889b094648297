"""evaluate against its definition, computed from exported rows with numpy alone."""

import json
import random
import unittest

import numpy

import murmur_cli

WORDS = "good bad lovely awful day love hate coffee rain happy sad great worst best meh train late fine ok".split()
CLASSES = ("negative", "neutral", "positive")
PREDICTED = {"NEG": 0, "NEU": 1, "POS": 2}


def write_tweets(path, n, labels, seed=1):
    draw = random.Random(seed)
    with open(path, "w") as out:
        for _ in range(n):
            words = draw.choices(WORDS, k=draw.randint(2, 9))
            for _ in range(draw.randint(0, 2)):
                words.insert(draw.randint(0, len(words)), "@" + draw.choice(["ann", "bob", "a_b", "Zoë", "carl"]))
            tweet = {"date": "Mon Apr 06 22:19:45 PDT 2009", "user": "u", "text": " ".join(words)}
            label = draw.choice(labels)
            out.write(json.dumps(tweet if label is None else {**tweet, "sentiment": label}) + "\n")


def ratio(a, b):
    return a / b if b else 0.0


def rates(given, predicted):
    """Of two arrays of booleans; a quotient by 0 is 0."""
    hits = (given & predicted).sum()
    precision, recall = ratio(hits, predicted.sum()), ratio(hits, given.sum())
    return {"precision": precision, "recall": recall, "f1_score": ratio(2 * precision * recall, precision + recall),
            "support": given.sum()}


def expected_of(gold):
    """What evaluate is to print of these rows of gold."""
    given, predicted = (numpy.array([row[name] for row in gold], int) for name in ("sentiment_id", "predicted_sentiment_id"))
    binary = rates(given == 1, predicted == 1)
    out = {"rows": len(gold), **{name: binary[name] for name in ("precision", "recall", "f1_score")},
           "accuracy": ratio((given == predicted).sum(), len(gold)),
           "confusion_matrix": [[int(((given == g) & (predicted == p)).sum()) for p in (0, 1)] for g in (0, 1)]}

    labelled = [row for row in gold if row["sentiment"] in CLASSES]
    given = numpy.array([CLASSES.index(row["sentiment"]) for row in labelled], int)
    predicted = numpy.array([PREDICTED[row["predicted_sentiment"]] for row in labelled], int)
    report = {name: rates(given == c, predicted == c) for c, name in enumerate(CLASSES)}
    means = ("precision", "recall", "f1_score")
    weights = [ratio(report[name]["support"], len(labelled)) for name in CLASSES]
    report["macro"] = {m: numpy.mean([report[name][m] for name in CLASSES]) for m in means}
    report["weighted"] = {m: numpy.dot(weights, [report[name][m] for name in CLASSES]) for m in means}
    report["macro"]["support"] = report["weighted"]["support"] = len(labelled)
    report["accuracy"] = ratio((given == predicted).sum(), len(labelled))
    is_full = all(report[name]["support"] > 0 for name in CLASSES)
    out["classes"] = {"rows": len(labelled), "unlabelled": sum(row["sentiment"] is None for row in gold),
                      "labels": list(CLASSES), "report": report if is_full else None,
                      "confusion_matrix": [[int(((given == g) & (predicted == p)).sum()) for p in range(3)]
                                           for g in range(3)]}
    out["classes"]["other_labels"] = len(gold) - len(labelled) - out["classes"]["unlabelled"]

    score = numpy.array([numpy.float32(row["predicted_score"]) for row in labelled], float)
    which = numpy.minimum(score // 10, 9)
    bins = []
    for b in range(10):
        inside = which == b
        bins.append({"from": 10.0 * b, "to": 10.0 * b + 10, "rows": inside.sum(),
                     "correct": (given == predicted)[inside].sum(),
                     "mean_score": score[inside].mean() if inside.any() else None})
    error = sum(b["rows"] / len(labelled) * abs(b["correct"] / b["rows"] - b["mean_score"] / 100)
                for b in bins if b["rows"]) if labelled else None
    out["calibration"] = {"rows": len(labelled), "expected_calibration_error": error, "bins": bins}
    return out


class Evaluate(murmur_cli.TestCase):
    def setUp(self):
        super().setUp()
        self.source, self.store = self.folder / "tweets.jsonl", self.folder / "store"

    def store_of(self, n, labels, seed=1, n_ranks=1):
        write_tweets(self.source, n, labels, seed)
        self.run_job(self.source, self.store, n_ranks=n_ranks)

    def evaluate(self, *options, status=0, **execution):
        return self.assert_status(murmur_cli.run("evaluate", self.store, "--no-tracking", *options, **execution), status)

    def assert_alike(self, got, expected, what=""):
        """Numbers within rounding, the rest equal; `got` may have more members."""
        if isinstance(expected, dict):
            for name in expected:
                self.assertIn(name, got, what)
                self.assert_alike(got[name], expected[name], f"{what}/{name}")
        elif isinstance(expected, list):
            self.assertEqual(len(got), len(expected), what)
            for number, (one, other) in enumerate(zip(got, expected)):
                self.assert_alike(one, other, f"{what}[{number}]")
        elif isinstance(expected, (float, numpy.floating)):
            self.assertAlmostEqual(got, expected, delta=1e-9, msg=what)
        else:
            self.assertEqual(got, expected, what)

    def check(self):
        [got] = self.evaluate("--json").rows
        gold = self.export(self.store, "gold").rows
        self.assert_alike(got, expected_of(gold))
        return got, gold

    def test_rates_are_those_of_the_exported_rows(self):
        self.store_of(400, [*CLASSES, None, "Positive", ""], n_ranks=2)
        got, gold = self.check()
        self.assertGreater(min(got["classes"]["unlabelled"], got["classes"]["other_labels"]), 0)
        self.assertIsNotNone(got["classes"]["report"])
        self.assertEqual(got["silver_version"], 0)
        self.assertEqual((got["model_name"], got["model_precision"], got["mention_rule"], got["ranks"]),
                         ("murmur-mini", "fp32", "twitter", 2))
        text = self.evaluate().out.decode()
        self.assertIn(f"precision {got['precision']:.4f}", text)
        self.assertIn(f"expected calibration error {got['calibration']['expected_calibration_error']:.4f}", text)
        self.assertIn("neutral is a class of its own", text)

    def test_labels_of_two_classes_have_no_rates_by_class(self):
        self.store_of(100, ["negative", "positive"])
        got, _ = self.check()
        self.assertIsNone(got["classes"]["report"])
        self.assertIn("there are no rates by class", self.evaluate().out.decode())

    def test_rates_have_a_decimal_point_also_where_they_are_whole(self):
        self.store_of(30, ["neutral"])  # no row is given as positive
        self.check()
        text = self.evaluate("--json").out.decode()
        for member in ('"recall":0.0,', '"f1_score":0.0,'):
            self.assertIn(member, text)
        self.assertIn("No row was given as positive: its recall stands as 0.", self.evaluate().out.decode())

    def test_no_rows_and_one_row_are_evaluated(self):
        self.source.write_text('{"text": "nobody is mentioned", "sentiment": "positive"}\n')
        self.run_job(self.source, self.store)
        [got] = self.evaluate("--json").rows
        self.assertEqual((got["rows"], got["precision"]), (0, 0.0))
        self.assertIsNone(got["calibration"]["expected_calibration_error"])
        self.assertIn("gold has no rows", self.evaluate().out.decode())
        more = self.folder / "more.jsonl"
        more.write_text('{"text": "what a lovely day @ann", "sentiment": "positive"}\n')
        self.run_job(more, self.store)
        self.check()

    def test_an_old_version_is_evaluated_as_it_was(self):
        self.store_of(50, CLASSES)
        [before] = self.evaluate("--json").rows
        write_tweets(self.folder / "more.jsonl", 50, CLASSES, seed=2)
        self.run_job(self.folder / "more.jsonl", self.store)
        self.assertEqual(self.evaluate("--json", "--version", "0").rows, [before])
        [after] = self.evaluate("--json").rows
        self.assertEqual((after["gold_version"], after["silver_version"]), (1, 1))
        self.assertGreater(after["rows"], before["rows"])
        self.assertIn("no version 2", self.assert_fails(self.evaluate("--version", "2", status=64), 64))

    def test_what_made_the_rows_is_told_also_after_optimize(self):
        self.store_of(50, CLASSES)
        write_tweets(self.folder / "more.jsonl", 50, CLASSES, seed=2)
        self.run_job(self.folder / "more.jsonl", self.store, "--precision", "int8")
        [before] = self.evaluate("--json").rows
        self.assert_status(murmur_cli.run("optimize", self.store), 0)
        [after] = self.evaluate("--json").rows
        self.assertEqual(before["model_precision"], "int8")
        self.assertEqual({**after, "gold_version": before["gold_version"]}, before)

    def test_folders_that_are_no_store_are_refused(self):
        self.assert_fails(murmur_cli.run("evaluate", self.folder / "none"), 66)


if __name__ == "__main__":
    unittest.main()
