"""RobertaForSequenceClassification in numpy, one text length at a time: docs/MODEL.md read a second time.

Needs numpy, and the `regex` module for the tokenizer of scripts/train/tweet_text.py.
"""

import json
import math
import pathlib
import struct
import sys

import numpy

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
DTYPES = {"F16": numpy.float16, "F32": numpy.float32, "F64": numpy.float64}
CLASSES = ("NEG", "NEU", "POS")
BATCH = 64

# erf on a grid, interpolated linearly: error below step^2 / 8 < 1e-8, where 1e-5 would do.
ERF_STEPS = 4096
ERF_LIMIT = 6
ERF_TABLE = numpy.array(
    [math.erf(i / ERF_STEPS) for i in range(-ERF_LIMIT * ERF_STEPS, ERF_LIMIT * ERF_STEPS + 2)], numpy.float32
)


def erf(x):
    at = (numpy.clip(x, -ERF_LIMIT, ERF_LIMIT) + numpy.float32(ERF_LIMIT)) * numpy.float32(ERF_STEPS)
    low = at.astype(numpy.int32)
    part = at - low
    return ERF_TABLE[low] * (1 - part) + ERF_TABLE[low + 1] * part


def gelu(x):
    return x * numpy.float32(0.5) * (1 + erf(x * numpy.float32(math.sqrt(0.5))))


def softmax(x):
    powers = numpy.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def read_safetensors(path):
    """{name: float32 array}. Layout: 8 bytes of header length, a JSON header, the data."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    tensors = {}
    for name, about in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__" or about["dtype"] not in DTYPES:
            continue
        begin, end = (8 + length + offset for offset in about["data_offsets"])
        values = numpy.frombuffer(data[begin:end], DTYPES[about["dtype"]])
        tensors[name] = values.astype(numpy.float32).reshape(about["shape"])
    return tensors


class Classifier:
    def __init__(self, folder, encode=None):
        """`encode(text)` gives ids; by default the Python tokenizer of the folder's files."""
        folder = pathlib.Path(folder)
        self.config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.tensors = read_safetensors(folder / "model.safetensors")
        labels = self.config["id2label"]
        self.classes = [CLASSES.index(labels[str(i)].upper()[:3]) for i in range(len(labels))]
        if encode is None:
            sys.path.insert(0, str(REPOSITORY / "scripts/train"))
            from tweet_text import TweetTokenizer

            encode = TweetTokenizer.from_folder(folder).encode
        self.encode = encode

    def linear(self, name, x):
        rows = x.reshape(-1, x.shape[-1])  # one large product: numpy makes one a text otherwise
        y = rows @ self.tensors[name + ".weight"].T + self.tensors[name + ".bias"]
        return y.reshape(*x.shape[:-1], -1)

    def normalize(self, name, x):
        centred = x - x.mean(axis=-1, keepdims=True)
        deviation = numpy.sqrt((centred**2).mean(axis=-1, keepdims=True) + self.config["layer_norm_eps"])
        return centred / deviation * self.tensors[name + ".weight"] + self.tensors[name + ".bias"]

    def attend(self, name, x):
        texts, tokens, width = x.shape
        heads = self.config["num_attention_heads"]

        def split(part):
            return self.linear(f"{name}.self.{part}", x).reshape(texts, tokens, heads, -1).transpose(0, 2, 1, 3)

        query, key, value = split("query"), split("key"), split("value")
        weights = softmax(query @ key.transpose(0, 1, 3, 2) / numpy.float32(math.sqrt(width // heads)))
        return self.linear(f"{name}.output.dense", (weights @ value).transpose(0, 2, 1, 3).reshape(texts, tokens, width))

    def states(self, ids):
        """The last layer's states[texts, tokens, features] of ids[texts, tokens], all of one length."""
        embeddings = "roberta.embeddings"
        first = self.config["pad_token_id"] + 1
        x = self.tensors[f"{embeddings}.word_embeddings.weight"][ids]
        x = x + self.tensors[f"{embeddings}.position_embeddings.weight"][first : first + ids.shape[1]]
        x = x + self.tensors[f"{embeddings}.token_type_embeddings.weight"][0]
        x = self.normalize(f"{embeddings}.LayerNorm", x)
        for number in range(self.config["num_hidden_layers"]):
            layer = f"roberta.encoder.layer.{number}"
            x = self.normalize(f"{layer}.attention.output.LayerNorm", x + self.attend(f"{layer}.attention", x))
            inner = gelu(self.linear(f"{layer}.intermediate.dense", x))
            x = self.normalize(f"{layer}.output.LayerNorm", x + self.linear(f"{layer}.output.dense", inner))
        return x

    def logits(self, ids):
        """logits[texts, labels]"""
        first = self.states(ids)[:, 0]
        return self.linear("classifier.out_proj", numpy.tanh(self.linear("classifier.dense", first)))

    def probabilities(self, texts):
        """{text: probability of each class}."""
        by_length = {}
        for text in set(texts):
            ids = self.encode(text)
            by_length.setdefault(len(ids), []).append((text, ids))
        found = {}
        for group in by_length.values():
            for at in range(0, len(group), BATCH):
                batch = group[at : at + BATCH]
                labels = softmax(self.logits(numpy.array([ids for _, ids in batch])).astype(numpy.float64))
                for (text, _), row in zip(batch, labels):
                    totals = numpy.zeros(len(CLASSES))
                    numpy.add.at(totals, self.classes, row)
                    found[text] = totals
        return found

    def classify(self, texts):
        """(class, probability) of each text, in order."""
        found = self.probabilities(texts)
        return [(CLASSES[int(found[text].argmax())], float(found[text].max())) for text in texts]
