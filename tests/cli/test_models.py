#!/usr/bin/env python3
"""Models of every architecture, form of weights, dtype and set of labels: the same logits from all forms, and torch's
where torch is installed. What is wrong with a folder is said by the name of the file and the tensor."""

import json
import math
import shutil
import struct
import unittest
import zipfile

import numpy

import murmur_cli
from murmur_cli import run

import model_files as files

try:
    import torch
except ImportError:
    torch = None

TEXTS = ["I love it", "this is the worst day :( https://t.co/x @you", "well, ok", "", "no no no " * 30]
KINDS = ("roberta", "bert", "distilbert")
FORMS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
A_TENSOR = "roberta.encoder.layer.1.attention.self.key.weight"


class ModelTest(murmur_cli.TestCase):
    def classify(self, folder, *options, texts=TEXTS):
        stdin = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
        result = run("classify", "--json", "--logits", "--ids", "--model", folder, *options, stdin=stdin)
        return self.assert_status(result, 0).rows

    def fails(self, folder, *words, status=65, options=()):
        result = run("classify", "--model", folder, *options, "x")
        message = self.assert_fails(result, status)
        for word in words:
            self.assertIn(word, message)
        return message


class Weights(ModelTest):
    def test_every_form_gives_the_same_bits(self):
        for kind in KINDS:
            config = files.make_config(kind)
            tensors = files.make_tensors(config)
            expected = None
            for form in FORMS:
                with self.subTest(kind=kind, form=form):
                    got = self.classify(files.write_folder(self.folder / kind / form, config, tensors, form))
                    expected = expected or got
                    self.assertEqual(got, expected)

    def test_half_precision_is_that_of_the_rounded_weights(self):
        config = files.make_config()
        tensors = files.make_tensors(config)
        for dtype in ("F16", "BF16"):
            rounded = {name: files.round_to(array, dtype) for name, array in tensors.items()}
            expected = self.classify(files.write_folder(self.folder / dtype / "rounded", config, rounded))
            for form in FORMS:
                with self.subTest(dtype=dtype, form=form):
                    folder = files.write_folder(self.folder / dtype / form, config, tensors, form, dtype)
                    self.assertEqual(self.classify(folder), expected)

    def test_torch_files_of_all_sorts(self):
        config = files.make_config()
        tensors = files.make_tensors(config)
        expected = self.classify(files.write_folder(self.folder / "plain", config, tensors))
        words = "roberta.embeddings.word_embeddings.weight"
        buffers = {"roberta.embeddings.position_ids": numpy.arange(130).reshape(1, 130)}
        cases = {
            "deflated": {"compression": zipfile.ZIP_DEFLATED},
            "tied": {"shared": [("lm_head.decoder.weight", words)]},
            "transposed": {"transposed": (A_TENSOR, "classifier.out_proj.weight")},
            "both": {"transposed": (A_TENSOR,), "compression": zipfile.ZIP_DEFLATED},
            "root": {"root": "pytorch_model"},
        }
        for name, options in cases.items():
            with self.subTest(name):
                folder = files.write_folder(self.folder / name, config, {**tensors, **buffers}, "pytorch_model.bin",
                                            **options)
                self.assertEqual(self.classify(folder), expected)

    def test_two_needed_tensors_may_share_a_storage(self):
        config = files.make_config()
        tensors = files.make_tensors(config)
        key, query = A_TENSOR, A_TENSOR.replace("key", "query")
        tensors[query] = tensors[key]
        expected = self.classify(files.write_folder(self.folder / "plain", config, tensors))
        held = {name: array for name, array in tensors.items() if name != query}
        folder = files.write_folder(self.folder / "tied", config, held, "pytorch_model.bin", shared=[(query, key)])
        self.assertEqual(self.classify(folder), expected)

    def test_safetensors_win(self):
        config = files.make_config()
        folder = files.write_folder(self.folder / "m", config, files.make_tensors(config, seed=1))
        expected = self.classify(folder)
        files.write_folder(folder, config, files.make_tensors(config, seed=2), "pytorch_model.bin")
        self.assertEqual(self.classify(folder), expected)
        (folder / "model.safetensors").write_bytes(b"damaged: no silent way out")
        self.fails(folder, "model.safetensors")
        (folder / "model.safetensors").unlink()
        self.assertNotEqual(self.classify(folder), expected)

    def test_old_names_and_names_without_the_base(self):
        for kind in KINDS:
            config = files.make_config(kind)
            tensors = files.make_tensors(config)
            expected = self.classify(files.write_folder(self.folder / kind / "own", config, tensors))
            old = {name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): array
                   for name, array in tensors.items()}
            bare = {name.replace(kind + ".", "", 1): array for name, array in tensors.items()}
            for form in ("model.safetensors", "pytorch_model.bin"):
                for name, held in (("old", old), ("bare", bare)):
                    with self.subTest(kind=kind, form=form, name=name):
                        folder = files.write_folder(self.folder / kind / form / name, config, held, form)
                        self.assertEqual(self.classify(folder), expected)

    @unittest.skipUnless(torch, "torch is not installed")
    def test_torch_save_and_torch_s_logits(self):
        activations = ("gelu", "gelu_new", "gelu_pytorch_tanh", "relu")
        for number, (kind, activation) in enumerate((k, a) for k in KINDS for a in activations):
            heads = 1 + number % 5
            config = files.make_config(kind, hidden_size=heads * (5 + number), num_attention_heads=heads,
                                       num_hidden_layers=1 + number % 3, intermediate_size=17 * (1 + number),
                                       hidden_act=activation)
            with self.subTest(kind=kind, activation=activation):
                tensors = {name: torch.tensor(array) for name, array in files.make_tensors(config, number).items()}
                half = [torch.float32, torch.float16, torch.bfloat16][number % 3]
                saved = {name: tensor.to(half) for name, tensor in tensors.items()}
                folder = files.write_folder(self.folder / str(number), config)
                (folder / "model.safetensors").unlink()
                if number % 2:  # as torch.save(module.state_dict(keep_vars=True)) does
                    saved = {name: torch.nn.Parameter(tensor) for name, tensor in saved.items()}
                torch.save(saved, folder / "pytorch_model.bin")
                for row in self.classify(folder):
                    expected = torch_logits(config, {n: t.detach().double() for n, t in saved.items()}, row["ids"])
                    self.assertLess((torch.tensor(row["logits"]) - expected).abs().max().item(), 1e-4)

    @unittest.skipUnless(torch, "torch is not installed")
    def test_views_and_legacy_files_of_torch(self):
        config = files.make_config()
        arrays = files.make_tensors(config)
        expected = self.classify(files.write_folder(self.folder / "plain", config, arrays))
        tensors = {name: torch.tensor(array) for name, array in arrays.items()}
        query, key, value = (A_TENSOR.replace("key", part) for part in ("query", "key", "value"))
        whole = torch.cat([tensors[query], tensors[key], tensors[value]])
        tensors[query], tensors[key], tensors[value] = whole.chunk(3)  # one storage, three offsets
        out = "classifier.dense.weight"
        tensors[out] = tensors[out].t().contiguous().t()
        folder = files.write_folder(self.folder / "views", config)
        (folder / "model.safetensors").unlink()
        torch.save(tensors, folder / "pytorch_model.bin")
        self.assertEqual(self.classify(folder), expected)
        torch.save(tensors, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
        self.fails(folder, "pytorch_model.bin", "torch before 1.6", "model.safetensors")
        torch.save({"state_dict": tensors, "epoch": 3}, folder / "pytorch_model.bin")
        self.fails(folder, "its dict holds no tensors")
        torch.save(torch.nn.Linear(2, 2), folder / "pytorch_model.bin")
        self.fails(folder, "it asks for torch.nn.modules.linear.Linear")


def torch_logits(config, tensors, ids):
    """The forward pass in torch, in double precision."""
    F = torch.nn.functional
    kind, hidden = config["model_type"], files.size(config, "hidden_size", "dim")
    heads = files.size(config, "num_attention_heads", "n_heads")
    eps = config.get("layer_norm_eps", 1e-12)
    activation = {"gelu": F.gelu, "relu": F.relu}.get(files.size(config, "hidden_act", "activation"),
                                                     lambda x: F.gelu(x, approximate="tanh"))

    def linear(x, name):
        return F.linear(x, tensors[name + ".weight"], tensors[name + ".bias"])

    def norm(x, name):
        return F.layer_norm(x, (hidden,), tensors[name + ".weight"], tensors[name + ".bias"], eps)

    ids = torch.tensor(ids)
    first = config["pad_token_id"] + 1 if kind == "roberta" else 0
    embeddings = kind + ".embeddings."
    x = F.embedding(ids, tensors[embeddings + "word_embeddings.weight"])
    x = x + tensors[embeddings + "position_embeddings.weight"][first : first + len(ids)]
    if kind != "distilbert":
        x = x + tensors[embeddings + "token_type_embeddings.weight"][0]
    x = norm(x, embeddings + "LayerNorm")
    for number in range(files.size(config, "num_hidden_layers", "n_layers")):
        layer = f"{kind}.{'transformer' if kind == 'distilbert' else 'encoder'}.layer.{number}."

        def own(module):
            return layer + (files.DISTILBERT_MODULES[module] if kind == "distilbert" else module)

        q, k, v = (linear(x, own("attention.self." + part)).reshape(len(ids), heads, -1).transpose(0, 1)
                   for part in ("query", "key", "value"))
        weights = torch.softmax(q @ k.transpose(1, 2) / math.sqrt(hidden // heads), -1)
        context = (weights @ v).transpose(0, 1).reshape(len(ids), hidden)
        x = norm(x + linear(context, own("attention.output.dense")), own("attention.output.LayerNorm"))
        inner = activation(linear(x, own("intermediate.dense")))
        x = norm(x + linear(inner, own("output.dense")), own("output.LayerNorm"))
    if kind == "roberta":
        return linear(torch.tanh(linear(x[0], "classifier.dense")), "classifier.out_proj")
    if kind == "bert":
        return linear(torch.tanh(linear(x[0], "bert.pooler.dense")), "classifier")
    return linear(F.relu(linear(x[0], "pre_classifier")), "classifier")


class Damage(ModelTest):
    def setUp(self):
        super().setUp()
        self.config = files.make_config()
        self.tensors = files.make_tensors(self.config)

    def write(self, form, **options):
        return files.write_folder(self.folder / "m", self.config, self.tensors, form, **options)

    def test_missing_and_misshapen_tensors(self):
        for form in FORMS:
            with self.subTest(form):
                self.tensors = files.make_tensors(self.config)
                del self.tensors[A_TENSOR]
                folder = self.write(form)
                self.fails(folder, form, f"tensor {A_TENSOR} is missing")
                self.tensors[A_TENSOR] = numpy.zeros((24, 23), numpy.float32)
                self.fails(self.write(form), f"tensor {A_TENSOR}: its shape is [24, 23], config.json makes it [24, 24]")
                self.tensors[A_TENSOR] = numpy.full((24, 24), numpy.inf, numpy.float32)
                self.fails(self.write(form), f"tensor {A_TENSOR}: it holds infinities or NaN")
                self.tensors[A_TENSOR] = numpy.zeros((24, 24), numpy.int64)
                self.fails(self.write(form), f"tensor {A_TENSOR}: its dtype is I64; murmur reads F32, F16 and BF16")
                (folder / form).unlink()

    def test_indexes_that_lie(self):
        for form in ("model.safetensors.index.json", "pytorch_model.bin.index.json"):
            folder = self.write(form)
            index = json.loads((folder / form).read_text())
            for shard in ("../m/part-1.of.3", "/etc/passwd", "..", "", "a/b", 7, None):
                with self.subTest(form=form, shard=shard):
                    index["weight_map"][A_TENSOR] = shard
                    (folder / form).write_text(json.dumps(index))
                    self.fails(folder, form, A_TENSOR, "is not the name of a file of this folder")
            index["weight_map"][A_TENSOR] = "part-9"
            (folder / form).write_text(json.dumps(index))
            self.fails(folder, "part-9", form, status=66)
            index["weight_map"][A_TENSOR] = "part-1.of.3"
            index["weight_map"]["classifier.dense.bias"] = "part-2.of.3"
            index["weight_map"]["classifier.out_proj.bias"] = "part-1.of.3"
            (folder / form).write_text(json.dumps(index))
            self.fails(folder, "is missing, and", form, "part-")
            for text in ("{}", "[]", '{"weight_map": 3}', '{"weight_map": {}}', "{"):
                (folder / form).write_text(text)
                self.fails(folder, form)
            (folder / form).unlink()

    def test_torch_files_that_lie(self):
        folder = self.write("pytorch_model.bin")
        path = folder / "pytorch_model.bin"
        good = path.read_bytes()
        for length in (0, 3, 40, len(good) // 2, len(good) - 1):
            with self.subTest(length=length):
                path.write_bytes(good[:length])
                self.fails(folder, "pytorch_model.bin")
        entry = files.tensor_opcodes("FloatStorage", "0", 9, 0, [3, 3], [3, 1])
        cases = {
            "it asks for os.system": b"\x80\x02cos\nsystem\n(X\x04\0\0\0truetR.",
            "it asks for torch.nn.Linear": b"\x80\x02ctorch.nn\nLinear\n)R.",
            "opcode 'i' (0x69)": b"\x80\x02ios\nsystem\n.",
            "opcode 0x93": b"\x80\x02\x93.",
            "opcode 0x81": b"\x80\x02}}\x81.",
            "its protocol is not 2": b"\x80\x04}.",
            "it ends without STOP": b"\x80\x02}",
            "its dict holds no tensors": b"\x80\x02}.",
            "it is not one dict": b"\x80\x02K\x01.",
            "the archive does not hold its storage": files.make_pickle(
                [("x", files.tensor_opcodes("FloatStorage", "99999", 9, 0, [3, 3], [3, 1]))]),
            "its storage is not as long as the pickle says": files.make_pickle([("x", entry)]),
            "a persistent id is not that of a storage": b"\x80\x02(X\x01\0\0\0atQ.",
            "BUILD of something that is no dict": b"\x80\x02]}b.",
        }
        for words, pickle in cases.items():
            with self.subTest(words):
                self.fails(self.write("pytorch_model.bin", pickle=pickle), "pytorch_model.bin", words)
        n = self.tensors["roberta.embeddings.word_embeddings.weight"].size
        for shape, stride, first in (([n + 1], [1], 0), ([n], [1], 1), ([2, n], [n, 1], 0), ([2**40, 2**40], [1, 1], 0),
                                     ([2], [2**62], 0), ([1], [1], n), ([0], [1], n + 1)):
            with self.subTest(shape=shape, stride=stride, first=first):
                opcodes = files.tensor_opcodes("FloatStorage", "0", n, first, shape, stride)
                self.fails(self.write("pytorch_model.bin", pickle=files.make_pickle([("x", opcodes)])),
                           "tensor x: it reaches past its storage")

    def test_overlapping_storages(self):
        path = self.write("pytorch_model.bin") / "pytorch_model.bin"
        data = bytearray(path.read_bytes())
        # the directory's entry of storage 2 gets the offset and the size of storage 1's
        first, second = data.rindex(b"archive/data/0") - 46, data.rindex(b"archive/data/1") - 46
        begin = struct.unpack_from("<I", data, first + 42)[0]
        self.assertEqual(data[first : first + 4], b"PK\1\2")
        local = data[begin : begin + 30 + 14]
        at = begin + 200  # inside storage 0's data: a local header that says it is storage 1's
        local[26:30] = struct.pack("<HH", 14, 0)
        data[at : at + len(local)] = local
        struct.pack_into("<I", data, second + 42, at)
        path.write_bytes(data)
        self.fails(path.parent, "begins inside the one before it")

    def test_pointers_of_git_lfs(self):
        for form in ("model.safetensors", "pytorch_model.bin"):
            folder = self.write(form)
            (folder / form).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 540\n")
            self.fails(folder, form, "git lfs pull")
            (folder / form).unlink()

    def test_only_the_weights_of_other_libraries(self):
        folder = self.write("model.safetensors")
        (folder / "model.safetensors").unlink()
        (folder / "tf_model.h5").write_bytes(b"x")
        self.fails(folder, "only tf_model.h5", "pytorch_model.bin", status=66)

    def test_other_architectures(self):
        folder = self.write("model.safetensors")
        config = {**self.config, "architectures": ["ElectraForSequenceClassification"]}
        (folder / "config.json").write_text(json.dumps(config))
        self.fails(folder, "ElectraForSequenceClassification is not supported", "RobertaForSequenceClassification",
                   "BertForSequenceClassification", "DistilBertForSequenceClassification")


class Labels(ModelTest):
    def probabilities(self, row):
        powers = numpy.exp(numpy.array(row["logits"]) - max(row["logits"]))
        return powers / powers.sum()

    def check(self, rows, classes):
        for row in rows:
            sums = {}
            for label, p in zip(classes, self.probabilities(row)):
                sums[label] = sums.get(label, 0) + p
            self.assertEqual(row["label"], max(sums, key=sums.get))
            self.assertAlmostEqual(row["score"], max(sums.values()), delta=1e-5)

    def test_stars(self):
        stars = ("1 star", "2 stars", "3 stars", "4 stars", "5 stars")
        folder = files.write_folder(self.folder / "m", files.make_config(labels=stars))
        self.check(self.classify(folder), ("NEG", "NEG", "NEU", "POS", "POS"))

    def test_two_classes_never_say_neutral(self):
        folder = files.write_folder(self.folder / "m", files.make_config("distilbert", ("NEGATIVE", "POSITIVE")))
        self.check(self.classify(folder), ("NEG", "POS"))

    def test_map(self):
        emotions = ("joy", "anger", "surprise")
        folder = files.write_folder(self.folder / "m", files.make_config(labels=emotions))
        self.fails(folder, "joy", "does not say", "--label-map")
        self.check(self.classify(folder, "--label-map", "joy=POS,anger=NEG,surprise=NEU"), ("POS", "NEG", "NEU"))
        self.check(self.classify(folder, "--label-map", "joy=POS,anger=NEG,surprise=NEG"), ("POS", "NEG", "NEG"))
        self.fails(folder, "no label 'fear'", "joy, anger, surprise", status=64, options=("--label-map", "fear=NEG"))

    def test_map_is_recorded_with_the_rows(self):
        folder = files.write_folder(self.folder / "m", files.make_config(labels=("LABEL_0", "LABEL_1")))
        source = self.folder / "tweets.jsonl"
        source.write_text('{"date":"2020-01-01","user":"u","text":"@a I love it","sentiment":"positive"}\n')
        store = self.folder / "store"
        self.run_job(source, store, "--model", folder, "--label-map", "LABEL_1=pos, 0=NEG")
        record = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((store / "_log").glob("0*.json"))]
        ingest = [r for r in record if r["operation"] == "INGEST"]
        self.assertEqual(ingest[0]["options"]["label_map"], {"LABEL_0": "NEG", "LABEL_1": "POS"})
        self.assertIn(self.export(store, "gold").rows[0]["predicted_sentiment"], ("NEG", "POS"))


GOLDEN = murmur_cli.SHARED / "golden/models"
TOKENIZERS = {"bertweet": "bertweet-base", "roberta": "roberta-base", "bert": "bert-base-uncased",
              "distilbert": "bert-base-uncased"}


@unittest.skipUnless(GOLDEN.exists(), f"no {GOLDEN}")
class Golden(ModelTest):
    """The team's small models, with the tokenizer files of the large ones beside them: ids and PyTorch's logits."""

    def test_ids_and_logits(self):
        for kind, tokenizer in TOKENIZERS.items():
            with self.subTest(kind):
                folder = self.folder / kind
                shutil.copytree(GOLDEN / kind, folder, copy_function=shutil.copyfile)
                folder.chmod(0o755)
                for path in (murmur_cli.SHARED / "tokenizers" / tokenizer).iterdir():
                    if not (folder / path.name).exists():
                        shutil.copyfile(path, folder / path.name)
                lines = (GOLDEN / f"{kind}.expected.jsonl").read_text(encoding="utf-8").split("\n")
                expected = [json.loads(line) for line in lines if line]
                got = self.classify(folder, texts=[row["text"] for row in expected])
                self.assert_rows([row["ids"] for row in got], [row["ids"] for row in expected], kind)
                for row, want in zip(got, expected):
                    self.assertLess(max(abs(a - b) for a, b in zip(row["logits"], want["logits"])), 1e-4)


if __name__ == "__main__":
    unittest.main()
