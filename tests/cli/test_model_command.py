#!/usr/bin/env python3
"""What a folder is, and models by name: versions and aliases in $MURMUR_MODELS."""

import concurrent.futures
import json
import unittest

import murmur_cli
from murmur_cli import MODEL, run

import model_files as files


class Description(murmur_cli.TestCase):
    def describe(self, folder, *options, status=0):
        result = self.assert_status(run("model", "--json", folder, *options), status)
        return result.rows[0]

    def test_every_architecture_and_form(self):
        for kind, form, dtype, n_files in (("roberta", "model.safetensors", "F16", 1),
                                           ("bert", "pytorch_model.bin", "BF16", 1),
                                           ("distilbert", "model.safetensors.index.json", "F32", 4)):
            with self.subTest(kind):
                config = files.make_config(kind, ("NEGATIVE", "POSITIVE"))
                tensors = files.make_tensors(config)
                folder = files.write_folder(self.folder / kind, config, tensors, form, dtype)
                got = self.describe(folder)
                self.assertEqual(got["architecture"], config["architectures"][0])
                self.assertEqual((got["layers"], got["hidden"], got["heads"], got["intermediate"]), (2, 24, 3, 40))
                self.assertEqual(got["parameters"], sum(array.size for array in tensors.values()))
                self.assertEqual(got["positions"], 128 if kind == "roberta" else 130)
                self.assertEqual((got["weights"], got["files"], got["dtype"]), (form, n_files, dtype))
                weights = [path for path in folder.iterdir() if path.name.startswith(("model.", "pytorch_", "part-"))]
                self.assertEqual(got["bytes"], sum(path.stat().st_size for path in weights))
                self.assertEqual(got["labels"], {"NEGATIVE": "NEG", "POSITIVE": "POS"})
                self.assertEqual((got["tokenizer"], got["usable"], got["why_not"]), ("BertweetTokenizer", True, None))
                self.assertRegex(got["hash"], "^[0-9a-f]{16}$")
                text = self.assert_status(run("model", folder), 0).out.decode()
                self.assertIn("usable        yes", text)
                self.assertIn(got["hash"], text)

    def test_the_hash_is_the_one_that_gold_records(self):
        source, store = self.folder / "a.jsonl", self.folder / "store"
        source.write_text('{"date":"2020-01-01","user":"u","text":"@a I love it","sentiment":"positive"}\n')
        self.run_job(source, store, "--model", MODEL)
        record = json.loads((store / "_log/00000000000000000000.json").read_text(encoding="utf-8"))
        self.assertEqual(record["model"]["hash"], self.describe(MODEL)["hash"])

    def test_why_a_folder_cannot_be_used(self):
        config = files.make_config()
        folder = files.write_folder(self.folder / "m", config)
        (folder / "config.json").write_text(json.dumps({**config, "architectures": ["ElectraForSequenceClassification"]}))
        got = self.describe(folder, status=65)
        self.assertEqual((got["architecture"], got["usable"]), ("ElectraForSequenceClassification", False))
        self.assertIn("is not supported; supported are", got["why_not"])
        (folder / "config.json").write_text(json.dumps({**config, "tokenizer_class": "XLNetTokenizer"}))
        (folder / "tokenizer_config.json").unlink(missing_ok=True)
        got = self.describe(folder, status=65)
        self.assertEqual((got["usable"], got["tokenizer"], got["layers"]), (False, "XLNetTokenizer", 2))
        self.assertIn("XLNetTokenizer", got["why_not"])
        (folder / "config.json").write_text(json.dumps({**config, "id2label": {"0": "joy", "1": "sad", "2": "calm"}}))
        self.assertIn("--label-map", self.describe(folder, status=65)["why_not"])
        got = self.describe(folder, "--label-map", "joy=POS,sad=NEG,calm=NEU")
        self.assertEqual(got["label_map"], {"joy": "POS", "sad": "NEG", "calm": "NEU"})
        self.assertTrue(got["usable"])
        small = files.make_tensors({**config, "vocab_size": 100})
        (folder / "config.json").write_text(json.dumps({**config, "vocab_size": 100}))
        files.write_safetensors(folder / "model.safetensors", small)
        self.assertIn("the model's vocab_size is 100", self.describe(folder, status=65)["why_not"])
        self.assert_fails(run("model", self.folder / "nowhere"), 66)


class Registry(murmur_cli.TestCase):
    def setUp(self):
        super().setUp()
        self.models = self.folder / "models"
        for version in (1, 2, 10):
            config = files.make_config(labels=("NEG", "NEU", "POS"))
            files.write_folder(self.models / "tweets" / str(version), config, files.make_tensors(config, version))
        (self.models / "tweets/drafts").mkdir()
        (self.models / "tweets/03").mkdir()
        (self.models / ".hidden").mkdir()
        self.env = {"MURMUR_MODELS": str(self.models)}

    def murmur(self, *arguments, status=0):
        return self.assert_status(run(*arguments, env=self.env), status)

    def fails(self, status, *arguments):
        return self.assert_fails(run(*arguments, env=self.env), status)

    def name_of(self, model):
        return self.murmur("model", "--json", model).rows[0]["name"]

    def aliases(self):
        return {row["version"]: row["aliases"] for row in self.murmur("model", "--json").rows}

    def test_names_versions_and_aliases(self):
        self.assertEqual(self.aliases(), {1: "", 2: "", 10: ""})
        self.assertEqual(self.name_of("tweets"), "tweets@10")  # by number, not by text
        self.assertEqual(self.name_of("tweets@2"), "tweets@2")
        self.murmur("model", "--set-alias", "tweets@production=1")
        self.murmur("model", "--set-alias", "tweets@staging=2")
        self.assertEqual(self.name_of("tweets@production"), "tweets@1")
        self.murmur("model", "--set-alias", "tweets@production=2")
        self.assertEqual(self.aliases(), {1: "", 2: "staging, production", 10: ""})
        self.murmur("model", "--set-alias", "tweets@staging=")
        self.assertEqual(json.loads((self.models / "tweets/aliases.json").read_text()), {"production": 2})
        self.assertEqual(self.name_of(self.models / "tweets/2"), "tweets@2")  # as a folder, the same
        self.assertIn("(production)", self.murmur("model").out.decode())

    def test_what_is_not_there_is_said_with_what_is(self):
        self.murmur("model", "--set-alias", "tweets@production=1")
        self.assertIn("it has 1, 2, 10, production (1)", self.fails(66, "classify", "--model", "tweets@prod", "x"))
        self.assertIn("which has tweets", self.fails(66, "classify", "--model", "twets", "x"))
        for model in ("tweets@3", "tweets@03", "tweets@", "tweets@../1", ".hidden", "@production", "tweets@drafts"):
            with self.subTest(model):
                self.fails(66, "tokenize", "--model", model)
        self.assertIn("MURMUR_MODELS", self.assert_fails(run("classify", "--model", "tweets@1", "x"), 66))
        for wrong in ("tweets", "tweets@production", "tweets=1", "tweets@7=1", "tweets@a/b=1", "tweets@.x=1"):
            with self.subTest(wrong):
                self.fails(64, "model", "--set-alias", wrong)
        for wrong in ("tweets@production=3", "tweets@production=x", "tweets@nothing=", "other@production=1"):
            with self.subTest(wrong):
                self.fails(66, "model", "--set-alias", wrong)
        self.assertEqual(self.aliases()[1], "production")

    def test_damaged_aliases(self):
        path = self.models / "tweets/aliases.json"
        for text in ("[]", "{", '{"production": "1"}', '{"production": 1.5}', '{"7": 1}', '{"production": -1}'):
            with self.subTest(text):
                path.write_text(text)
                self.assertIn("aliases.json", self.fails(65, "classify", "--model", "tweets@production", "x"))
        path.write_text('{"production": 5}')
        self.assertIn("no version 'production'", self.fails(66, "classify", "--model", "tweets@production", "x"))

    def test_aliases_set_at_once_are_all_kept(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: self.murmur("model", "--set-alias", f"tweets@a{i}={(1, 2, 10)[i % 3]}"), range(24)))
        expected = {f"a{i}": (1, 2, 10)[i % 3] for i in range(24)}
        self.assertEqual(json.loads((self.models / "tweets/aliases.json").read_text()), expected)
        self.assertEqual([path.name for path in (self.models / "tweets").glob(".*")], [])

    def test_runs_record_name_and_version_at_any_number_of_ranks(self):
        source = self.folder / "a.jsonl"
        source.write_text('{"date":"2020-01-01","user":"u","text":"@a I love it","sentiment":"positive"}\n')
        self.murmur("model", "--set-alias", "tweets@production=2")
        for n_ranks in (1, 3):
            store = self.folder / f"store{n_ranks}"
            self.run_job(source, store, "--model", "tweets@production", n_ranks=n_ranks, env=self.env)
            record = json.loads((store / "_log/00000000000000000000.json").read_text(encoding="utf-8"))
            self.assertEqual(record["model"]["name"], "tweets@2")
            failed = murmur_cli.mpirun(n_ranks, "run", source, "--store", store, "--model", "tweets@x", env=self.env)
            self.assert_fails(failed, 66)

    def test_links_and_roots_with_slashes(self):
        elsewhere = files.write_folder(self.folder / "disk/big", files.make_config())
        (self.models / "tweets/11").symlink_to(elsewhere)
        self.env["MURMUR_MODELS"] += "//"
        self.assertEqual(self.name_of("tweets"), "tweets@11")


if __name__ == "__main__":
    unittest.main()
