#!/usr/bin/env python3
"""A classifier of random weights twice: as a Hugging Face folder, and as ONNX with the same weights.

    make_models.py base|small FOLDER

FOLDER then holds config.json, model.safetensors, model.onnx, check.json (ids of a few texts of one length and their
logits, by tests/oracle/roberta.py), and lengths, one a line, with the mean and the spread of tweets'. ONNX is written by hand (protobuf's wire format, https://protobuf.dev/
programming-guides/encoding; onnx.proto3, opset 17), as PyTorch's exporter would: ids, positions and a mask of padding
go in, logits come out. Needs numpy.
"""

import json
import math
import pathlib
import sys

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tests/oracle"))
from model_files import make_tensors, write_safetensors  # noqa: E402
from roberta import Classifier  # noqa: E402

SHAPES = {"base": (64001, 768, 12, 12, 3072), "small": (8192, 256, 6, 4, 1024)}
FLOAT, INT64 = 1, 7  # TensorProto.DataType


# ---- protobuf ----


def varint(number):
    out = bytearray()
    number &= (1 << 64) - 1
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, value):
    """An integer, a float, or bytes and text with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + numpy.float32(value).tobytes()
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def tensor(name, array):
    kind = FLOAT if array.dtype == numpy.float32 else INT64
    dims = b"".join(field(1, n) for n in array.shape)
    return dims + field(2, kind) + field(8, name) + field(9, array.tobytes())


def attribute(name, value):
    if isinstance(value, float):
        return field(1, name) + field(2, value) + field(20, 1)
    if isinstance(value, int):
        return field(1, name) + field(3, value) + field(20, 2)
    return field(1, name) + b"".join(field(8, n) for n in value) + field(20, 7)


def port(name, kind, dimensions):
    """An input or output; dimensions are names."""
    shape = b"".join(field(1, field(2, d)) for d in dimensions)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


# ---- the network ----


class Graph:
    def __init__(self, config, tensors):
        self.config, self.tensors, self.nodes, self.initializers = config, tensors, [], {}

    def constant(self, array):
        array = numpy.asarray(array, order="C")
        name = f"constant_{len(self.initializers)}"
        self.initializers[name] = array
        return name

    def node(self, operation, *inputs, **attributes):
        output = f"{operation}_{len(self.nodes)}"
        self.nodes.append(b"".join(field(1, name) for name in inputs) + field(2, output) + field(3, output) +
                          field(4, operation) +
                          b"".join(field(5, attribute(name, value)) for name, value in attributes.items()))
        return output

    def weight(self, name):
        return self.constant(self.tensors[name])

    def linear(self, name, x):
        product = self.node("MatMul", x, self.constant(self.tensors[name + ".weight"].T))
        return self.node("Add", self.weight(name + ".bias"), product)

    def norm(self, name, x):
        return self.node("LayerNormalization", x, self.weight(name + ".weight"), self.weight(name + ".bias"), axis=-1,
                         epsilon=float(self.config["layer_norm_eps"]))

    def number(self, value):
        return self.constant(numpy.array(value, numpy.float32))

    def attention(self, name, x, mask):
        heads, hidden = self.config["num_attention_heads"], self.config["hidden_size"]
        shape = self.constant(numpy.array([0, 0, heads, hidden // heads], numpy.int64))

        def split(part, order):
            return self.node("Transpose", self.node("Reshape", self.linear(f"{name}.self.{part}", x), shape), perm=order)

        query, value = split("query", [0, 2, 1, 3]), split("value", [0, 2, 1, 3])
        scores = self.node("MatMul", query, split("key", [0, 2, 3, 1]))
        scores = self.node("Div", scores, self.number(math.sqrt(hidden // heads)))
        weights = self.node("Softmax", self.node("Add", scores, mask), axis=-1)
        gathered = self.node("Transpose", self.node("MatMul", weights, value), perm=[0, 2, 1, 3])
        gathered = self.node("Reshape", gathered, self.constant(numpy.array([0, 0, hidden], numpy.int64)))
        return self.linear(f"{name}.output.dense", gathered)

    def gelu(self, x):
        error = self.node("Erf", self.node("Div", x, self.number(math.sqrt(2))))
        return self.node("Mul", self.node("Mul", x, self.node("Add", error, self.number(1))), self.number(0.5))

    def build(self):
        base = "roberta.embeddings"
        x = self.node("Gather", self.weight(f"{base}.word_embeddings.weight"), "ids")
        x = self.node("Add", x, self.weight(f"{base}.token_type_embeddings.weight"))
        x = self.node("Add", x, self.node("Gather", self.weight(f"{base}.position_embeddings.weight"), "positions"))
        x = self.norm(f"{base}.LayerNorm", x)
        axes = self.constant(numpy.array([1, 2], numpy.int64))
        hole = self.node("Sub", self.number(1), self.node("Cast", self.node("Unsqueeze", "mask", axes), to=FLOAT))
        mask = self.node("Mul", hole, self.number(-1e4))
        for number in range(self.config["num_hidden_layers"]):
            layer = f"roberta.encoder.layer.{number}"
            added = self.node("Add", self.attention(f"{layer}.attention", x, mask), x)
            x = self.norm(f"{layer}.attention.output.LayerNorm", added)
            inner = self.gelu(self.linear(f"{layer}.intermediate.dense", x))
            x = self.norm(f"{layer}.output.LayerNorm", self.node("Add", self.linear(f"{layer}.output.dense", inner), x))
        first = self.node("Gather", x, self.constant(numpy.array(0, numpy.int64)), axis=1)
        hidden = self.node("Tanh", self.linear("classifier.dense", first))
        return self.linear("classifier.out_proj", hidden)

    def write(self, path):
        logits = self.build()
        inputs = [port(name, INT64, ["texts", "tokens"]) for name in ("ids", "positions", "mask")]
        parts = [field(1, node) for node in self.nodes] + [field(2, "classifier")]
        parts += [field(5, tensor(name, array)) for name, array in self.initializers.items()]
        parts += [field(11, p) for p in inputs] + [field(12, port(logits, FLOAT, ["texts", "labels"]))]
        # ir_version 8, producer, graph, and the operators' version
        path.write_bytes(field(1, 8) + field(2, "murmur") + field(7, b"".join(parts)) + field(8, field(2, 17)))


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in SHAPES:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary, hidden, layers, heads, inner = SHAPES[sys.argv[1]]
    config = {"architectures": ["RobertaForSequenceClassification"], "model_type": "roberta", "hidden_act": "gelu",
              "hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads,
              "intermediate_size": inner, "vocab_size": vocabulary, "max_position_embeddings": 130,
              "type_vocab_size": 1, "pad_token_id": 1, "layer_norm_eps": 1e-5,
              "id2label": {"0": "NEG", "1": "NEU", "2": "POS"}}
    # The tests' weights have a deviation of 0.3, at which softmax picks one key; here it is 0.02.
    tensors = {name: values if name.endswith("orm.weight") else values * numpy.float32(1 / 15)
               for name, values in make_tensors(config).items()}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    write_safetensors(folder / "model.safetensors", tensors)
    Graph(config, tensors).write(folder / "model.onnx")
    lengths = numpy.random.default_rng(3).normal(20.6, 7.2, 1000).round().clip(6, 40)
    (folder / "lengths").write_text("".join(f"{int(n)}\n" for n in lengths))
    ids = numpy.random.default_rng(2).integers(2, vocabulary, (3, 19))
    logits = Classifier(folder, encode=list).logits(ids)
    (folder / "check.json").write_text(json.dumps({"ids": ids.tolist(), "logits": logits.tolist()}))


if __name__ == "__main__":
    main()
