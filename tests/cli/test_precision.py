#!/usr/bin/env python3
"""--precision: the same bytes at any number of ranks and by any instructions, recorded, and near enough to fp32."""

import collections
import gzip
import json
import unittest

import murmur_cli
from murmur_cli import MODEL, SHARED, mpirun, run

CHANGED_LABELS = 0.01  # at most
LOST_RECALL = 0.003  # less than


def classify(texts, *arguments, **options):
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    result = run("classify", "--model", MODEL, "--json", *arguments, stdin=lines.encode(), **options)
    assert result.status == 0, result.err
    return result.rows


def macro_recall(labels, truth):
    right, all_of = collections.Counter(), collections.Counter(truth)
    for label, true in zip(labels, truth):
        right[true] += label == true
    return sum(right[true] / all_of[true] for true in all_of) / len(all_of)


class PrecisionTest(murmur_cli.TestCase):
    def setUp(self):
        super().setUp()
        self.tweets = self.folder / "tweets"
        self.assertEqual(run("generate", self.tweets, "--tweets", 240, "--files", 4, "--seed", 8).status, 0)

    def record(self, store, operation):
        for path in sorted((store / "_log").glob("*.json"), reverse=True):
            record = json.loads(path.read_text())
            if record["operation"] == operation:
                return record
        self.fail(f"no {operation} in {store}")

    def job(self, name, precision, n_ranks=1, **options):
        store = self.folder / name
        result = mpirun(n_ranks, "run", self.tweets, "--store", store, "--precision", precision, **options)
        self.assertEqual(result.status, 0, result.err)
        self.assertIn(f", {precision}, ", result.err)
        return store

    def test_int8_gives_the_same_gold_at_any_number_of_ranks_and_by_any_instructions(self):
        stores = [self.job(f"np{n}", "int8", n) for n in (1, 2, 3)]
        stores += [self.job(isa, "int8", env={"MURMUR_ISA": isa}) for isa in ("portable",)]
        gold, part = self.export(stores[0], "gold").out, self.record(stores[0], "INGEST")["tables"]["gold"]["added"]
        self.assertGreater(gold.count(b"\n"), 50)
        for store in stores[1:]:
            self.assertEqual(self.export(store, "gold").out, gold, store)
            self.assertEqual(self.record(store, "INGEST")["tables"]["gold"]["added"][0]["hash"], part[0]["hash"])
        record = self.record(stores[0], "INGEST")
        self.assertEqual((record["model"]["precision"], record["options"]["batch_tokens"]), ("int8", 512))

    def test_rescore_in_int8_is_a_run_in_int8(self):
        store = self.job("fp32", "fp32")
        record = self.record(store, "INGEST")
        self.assertEqual((record["model"]["precision"], record["options"]["batch_tokens"]), ("fp32", 1024))
        before = self.export(store, "gold").out
        result = run("rescore", store, "--precision", "int8")
        self.assertEqual(result.status, 0, result.err)
        self.assertNotEqual(self.export(store, "gold").out, before)
        self.assertEqual(self.export(store, "gold").out, self.export(self.job("int8", "int8"), "gold").out)
        record = self.record(store, "RESCORE")
        self.assertEqual((record["model"]["precision"], record["options"]["batch_tokens"]), ("int8", 512))

    def test_a_run_in_another_precision_warns_that_gold_is_mixed(self):
        store = self.job("store", "fp32")
        run("generate", self.tweets, "--tweets", 10, "--files", 5, "--seed", 9)
        (self.tweets / "more.jsonl").write_text('{"text": "hello @you", "date": null}\n')
        result = run("run", self.tweets, "--store", store, "--precision", "int8")
        self.assertEqual(len([line for line in result.err.splitlines() if "were scored by model" in line]), 1, result.err)

    def test_other_precisions_and_instruction_sets_are_refused(self):
        for command in (("classify", "x"), ("run", self.tweets, "--store", self.folder / "s"), ("rescore", self.folder / "s")):
            for precision in ("bf16", "fp16", "", "INT8"):
                result = run(*command, "--precision", precision)
                self.assertEqual(result.status, 64)
                self.assertIn("fp32 and int8 are", result.errors[0])
        result = run("classify", "x", env={"MURMUR_ISA": "z80"})
        self.assertEqual(result.status, 64)
        self.assertIn("portable", result.errors[0])

    def test_every_instruction_set_gives_the_same_logits(self):
        texts = [f"{word} {n} #{word} :) http://t.co/{n}" * (n % 4) for n, word in enumerate(["good", "bad", "meh"] * 9)]
        available = run("classify", "x", env={"MURMUR_ISA": "?"}).errors[0].split("it has ")[1].split(", ")
        expected = classify(texts, "--precision", "int8", "--logits")
        for isa in available:
            self.assertEqual(classify(texts, "--precision", "int8", "--logits", env={"MURMUR_ISA": isa}), expected, isa)

    def test_int8_keeps_labels_and_recall(self):
        path = SHARED / "data/train/semeval_val.tsv.gz"
        if not path.exists():
            self.skipTest(f"{path} is not here")
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            rows = [line.rstrip("\n").split("\t", 1) for line in lines]
        truth = [("NEG", "NEU", "POS")[int(label)] for label, _ in rows]
        labels = {p: [row["label"] for row in classify([text for _, text in rows], "--precision", p)] for p in ("fp32", "int8")}
        changed = sum(a != b for a, b in zip(labels["fp32"], labels["int8"])) / len(rows)
        recall = {p: macro_recall(labels[p], truth) for p in labels}
        print(f"{len(rows)} texts: {100 * changed:.2f} % of labels changed, macro recall {recall['fp32']:.4f} in fp32, "
              f"{recall['int8']:.4f} in int8")
        self.assertLessEqual(changed, CHANGED_LABELS)
        self.assertLess(recall["fp32"] - recall["int8"], LOST_RECALL)


if __name__ == "__main__":
    unittest.main()
