#!/usr/bin/env python3
"""The oracle itself, held to facts that neither it nor murmur made: published cases where they are here, and by hand."""

import json
import unittest

import murmur_cli
from murmur_cli import SHARED

import pipeline
import strict_json
import tweets


def is_json(text):
    try:
        strict_json.parse_extent(text)
        return True
    except strict_json.NotJson:
        return False


def golden(*parts):
    path = SHARED.joinpath("golden", *parts)
    if not path.exists():
        raise unittest.SkipTest(f"{'/'.join(parts)} is not here")
    return path


class Oracle(unittest.TestCase):
    def test_extent_and_depth_are_exact(self):
        self.assertEqual(strict_json.parse_extent(b' {"a":[1,{}]}\n'), (1, 13, 3))
        self.assertEqual(list(strict_json.members(b'{ "a" : 1 ,"b":[ 2 ]}')), [(b'"a"', b"1"), (b'"b"', b"[ 2 ]")])
        self.assertEqual(list(strict_json.elements(b"[1, {} ,[]]")), [(1, 2, 0), (4, 6, 1), (8, 10, 1)])

    def test_strings_are_decoded(self):
        self.assertEqual(strict_json.unquote(rb'"\ud83d\ude00 \ud83d \\u0041 \u0041"'), "\U0001f600 \ufffd \\u0041 A")
        self.assertTrue(strict_json.has_escaped_nul(rb'{"a":"\\\u0000"}'))
        self.assertFalse(strict_json.has_escaped_nul(rb'{"a":"\\u0000"}'))

    def test_dates_are_read(self):
        for text, expected in (
            ("Mon Apr 06 22:19:45 PDT 2009", "2009-04-07T05:19:45Z"),
            ("Wed Jun 10 15:59:26 +0000 2020", "2020-06-10T15:59:26Z"),
            ("2009-04-07", "2009-04-07T00:00:00Z"),
            ("2009-04-07T05:19:45.1239+02:00", "2009-04-07T03:19:45.123Z"),
            ("yesterday", None),
        ):
            self.assertEqual(tweets.format_time(tweets.parse_date(text)), expected, text)

    def test_json_suite(self):
        """nst/JSONTestSuite: y_ must pass, n_ must not."""
        for path in sorted(golden("json", "test_parsing").iterdir()):
            if path.name[0] in "yn":
                self.assertEqual(is_json(path.read_bytes()), path.name[0] == "y", path.name)

    def test_twitter_text_suite(self):
        for line in golden("mentions", "mentions_dev.jsonl").read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            if "mentions" in case:
                found, _ = tweets.find_mentions_twitter(case["text"])
                self.assertEqual([mention[1:] for mention in found], case["mentions"], case["description"])

    def test_logits_of_the_reference(self):
        folder = golden("models", "bertweet")
        try:
            import numpy
            import roberta
        except ImportError as error:
            self.skipTest(str(error))
        classifier = roberta.Classifier(folder, encode=lambda text: None)
        for line in golden("models", "bertweet.expected.jsonl").read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            got = classifier.logits(numpy.array([case["ids"]]))[0]
            numpy.testing.assert_allclose(got, case["logits"], atol=1e-4, err_msg=case["text"])

    def test_application_sorts_by_total_and_bytes(self):
        gold = [{"mention": mention, "timestamp": None, "predicted_sentiment": "POS"} for mention in ("@b", "＠a", "@B", "@b")]
        self.assertEqual([row["mention"] for row in pipeline.make_application(gold)], ["@b", "@B", "＠a"])
        self.assertEqual([row["total"] for row in pipeline.make_application(gold, fold_case=True)], [3, 1])


if __name__ == "__main__":
    unittest.main()
