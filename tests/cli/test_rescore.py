#!/usr/bin/env python3
"""rescore: gold made again from silver is what a run with that model would have made."""

import json
import shutil
import struct
import unittest

import murmur_cli
from murmur_cli import MODEL, mpirun, run

import pipeline


def other_model(folder):
    """murmur-mini with another bias of its last layer: other scores, other words."""
    shutil.copytree(MODEL, folder)
    path = folder / "model.safetensors"
    contents = bytearray(path.read_bytes())
    (length,) = struct.unpack_from("<Q", contents)
    tensor = json.loads(contents[8 : 8 + length])["classifier.out_proj.bias"]
    begin, end = tensor["data_offsets"]
    contents[8 + length + begin : 8 + length + end] = bytes(contents[8 + length + begin : 8 + length + end])[::-1]
    if tensor["dtype"] == "F32":
        struct.pack_into("<3f", contents, 8 + length + begin, 1.5, -0.5, 0.25)
    else:  # F16 or BF16: two bytes each, of numbers near one and of both signs
        struct.pack_into("<3H", contents, 8 + length + begin, 0x3E00, 0xB800, 0x3400)
    path.write_bytes(contents)
    return folder


class Rescore(murmur_cli.TestCase):
    """Copies of a store of two batches, whose units are several."""

    @classmethod
    def setUpClass(cls):
        context = murmur_cli.temporary_folder()
        cls.shared = context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)
        cls.tweets, cls.pristine, cls.model_b = cls.shared / "tweets", cls.shared / "store", cls.shared / "model-b"
        made = run("generate", cls.tweets, "--tweets", 4000, "--files", 2, "--seed", 8)
        assert made.status == 0, made.err
        made = mpirun(2, "run", cls.tweets, "--store", cls.pristine, "--max-files", 1)
        assert made.status == 0, made.err
        other_model(cls.model_b)

    def copy(self, name="store"):
        return shutil.copytree(self.pristine, self.folder / name)

    def records(self, store):
        return [json.loads(path.read_text()) for path in sorted((store / "_log").glob("[0-9]*.json"))]

    def tables(self, store):
        return {table: self.export(store, table).out for table in ("gold", "application")}

    def test_same_model_gives_the_same_bits_at_any_number_of_ranks_and_in_any_parts(self):
        expected = self.tables(self.pristine)
        self.assertGreater(sum(len(r["units"]) for r in self.records(self.pristine)), 2)
        for n_ranks, options in ((1, []), (2, ["--max-bytes", "256K"]), (3, ["--max-bytes", "600K"])):
            with self.subTest(n_ranks=n_ranks, options=options):
                store = self.copy(f"store-{n_ranks}")
                if n_ranks == 3:
                    self.assert_status(run("optimize", store, "silver"), 0)
                self.assert_status(mpirun(n_ranks, "rescore", store, *options), 0)
                self.assertEqual(self.tables(store), expected)
                self.assertIn("is whole", self.assert_status(run("verify", store), 0).out.decode())
                *_, rescored, counted = self.records(store)
                self.assertEqual((rescored["operation"], counted["operation"]), ("RESCORE", "AGGREGATE"))
                change = rescored["tables"]["gold"]
                self.assertEqual(list(rescored["tables"]), ["gold"])
                self.assertEqual((change["version"], len(change["removed"]), change["input"]), (2, 2, "silver"))
                self.assertEqual(change["input_version"], 2 if n_ranks == 3 else 1)
                self.assertEqual(len(change["added"]) > 1, bool(options))
                self.assertEqual(counted["tables"]["application"]["input_version"], 2)

    def test_other_model_gives_what_a_run_with_it_gives(self):
        store, fresh = self.copy(), self.folder / "fresh"
        self.assert_status(mpirun(2, "rescore", store, "--model", self.model_b), 0)
        self.run_job(self.tweets, fresh, "--max-files", 1, "--model", self.model_b)
        self.assertEqual(self.tables(store), self.tables(fresh))
        self.assertNotEqual(self.tables(store)["application"], self.tables(self.pristine)["application"])
        self.assertEqual(self.export(store, "gold", "--version", 1).out, self.export(self.pristine, "gold").out)
        rescored, ingested = self.records(store)[-2], self.records(fresh)[0]
        self.assertEqual(rescored["model"], ingested["model"])

        # A later run goes on with the model that it is given, says where that is another, and counts all of gold.
        more = self.folder / "more"
        self.assert_status(run("generate", more, "--tweets", 40, "--files", 1, "--seed", 9), 0)
        self.assertNotIn("were scored by model", self.run_job(self.tweets, store, "--model", self.model_b).err)
        self.assertIn("were scored by model model-b", self.run_job(more, store).err)
        gold = self.export(store, "gold").rows
        self.assertGreater(len(gold), len(self.export(fresh, "gold").rows))
        self.assert_rows(self.export(store, "application").rows, pipeline.make_application(gold, False), "application")

        # And that run's rows become the other model's, too.
        self.assert_status(run("optimize", store), 0)
        self.assert_status(run("rescore", store, "--model", self.model_b), 0)
        self.assert_status(run("verify", store, "--deep"), 0)
        self.run_job(more, fresh, "--model", self.model_b)
        self.assertEqual(self.tables(store), self.tables(fresh))

    def test_model_by_name_is_looked_up_once_for_all_ranks_and_labels_mean_what_is_told(self):
        few, store, models = self.folder / "few", self.folder / "store", self.folder / "models"
        self.assert_status(run("generate", few, "--tweets", 200, "--files", 1, "--seed", 11), 0)
        self.run_job(few, store)
        for version in (2, 10):
            shutil.copytree(self.model_b, models / "tweets" / str(version))
        env = {"MURMUR_MODELS": str(models)}
        self.assert_status(run("model", "--set-alias", "tweets@production=2", env=env), 0)
        of_folder = shutil.copytree(store, self.folder / "of-folder")
        self.assert_status(run("rescore", of_folder, "--model", self.model_b), 0)
        for model, n_ranks, name in (("tweets@production", 2, "tweets@2"), ("tweets", 1, "tweets@10")):
            with self.subTest(model):
                self.assert_status(mpirun(n_ranks, "rescore", store, "--model", model, env=env), 0)
                self.assertEqual(self.records(store)[-2]["model"]["name"], name)
                self.assertEqual(self.tables(store), self.tables(of_folder))
        self.assertIn("no version 'drafts'",
                      self.assert_fails(mpirun(2, "rescore", store, "--model", "tweets@drafts", env=env), 66))

        # The model's own words turned round; the map is recorded with the rows.
        self.assert_status(
            mpirun(2, "rescore", store, "--model", "tweets@2", "--label-map", "NEG=POS,POS=NEG", env=env), 0)
        turned = {"POS": "NEG", "NEU": "NEU", "NEG": "POS"}
        now = [row["predicted_sentiment"] for row in self.export(store, "gold").rows]
        before = [row["predicted_sentiment"] for row in self.export(of_folder, "gold").rows]
        self.assertEqual(now, [turned[sentiment] for sentiment in before])
        self.assertEqual(self.records(store)[-2]["options"]["label_map"], {"NEG": "POS", "POS": "NEG"})

    def test_raw_text_is_found_again_in_bronze_and_what_is_not_said_stays(self):
        few, raw, plain = self.folder / "few", self.folder / "raw", self.folder / "plain"
        self.assert_status(run("generate", few, "--tweets", 300, "--files", 3, "--seed", 10), 0)
        self.run_job(few, raw, "--max-files", 2, "--text", "raw", "--fold-case", "--mention-rule", "word")
        self.run_job(few, plain, "--max-files", 2, "--fold-case", "--mention-rule", "word")
        of_raw, of_plain = self.tables(raw), self.tables(plain)
        self.assertNotEqual(of_raw, of_plain)
        self.assert_status(mpirun(2, "rescore", raw), 0)
        self.assertEqual(self.tables(raw), of_raw)
        self.assert_status(run("rescore", raw, "--text", "cleaned"), 0)
        self.assertEqual(self.tables(raw), of_plain)
        self.assert_status(mpirun(2, "rescore", raw, "--text", "raw"), 0)
        self.assertEqual(self.tables(raw), of_raw)

    def test_store_without_mentions_stays_as_it_is(self):
        store, empty = self.folder / "store", self.folder / "empty"
        empty.mkdir()
        self.run_job(empty, store)
        self.assertIn("nothing to score", self.assert_status(mpirun(2, "rescore", store), 0).err)
        self.assertEqual(self.records(store), [])

    def test_model_that_cannot_be_read_changes_nothing(self):
        store = self.copy()
        self.assert_status(mpirun(2, "rescore", store, "--model", self.folder), 66)
        self.assertEqual(len(self.records(store)), len(self.records(self.pristine)))
        self.assertFalse((store / "_lock").exists())


    def test_damaged_silver_is_named_and_nothing_is_made_of_it(self):
        store = self.copy()
        victim = sorted(store.glob("silver/part-*.h5"))[1]
        contents = bytearray(victim.read_bytes())
        contents[len(contents) // 2] ^= 4
        victim.write_bytes(contents)
        self.assertIn(victim.name, self.assert_fails(mpirun(2, "rescore", store), 65))
        self.assertEqual(len(self.records(store)), len(self.records(self.pristine)))


if __name__ == "__main__":
    unittest.main()
