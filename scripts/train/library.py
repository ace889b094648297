"""transformer.c, compiled for this machine, and called with numpy's arrays.

A model's parameters are one array of floats; Layout says which of them are which.
"""

import ctypes
import dataclasses
import pathlib
import subprocess

import numpy

SOURCE = pathlib.Path(__file__).with_name("transformer.c")
COMPILE = "cc -std=gnu11 -O3 -march=native -fopenmp -ffast-math -shared -fPIC".split()

CLASSES = 3
LONGEST = 128  # tokens of a text

FLOATS = ctypes.POINTER(ctypes.c_float)
INTEGERS = ctypes.POINTER(ctypes.c_int32)


class CShape(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int32) for name in ("vocabulary", "hidden", "layers", "ffn", "positions")]


class CBatch(ctypes.Structure):
    _fields_ = [
        ("n_texts", ctypes.c_int32),
        ("n_masked", ctypes.c_int32),
        ("ids", INTEGERS),
        ("starts", INTEGERS),
        ("targets", FLOATS),
        ("weights", FLOATS),
        ("is_binary", ctypes.POINTER(ctypes.c_uint8)),
        ("masked", INTEGERS),
        ("words", INTEGERS),
        ("mask_weight", ctypes.c_float),
        ("dropout", ctypes.c_float),
        ("seed", ctypes.c_uint32),
    ]


@dataclasses.dataclass
class Batch:
    """Texts end to end: text i is ids[starts[i] : starts[i + 1]], masked words replaced."""

    ids: numpy.ndarray  # int32
    starts: numpy.ndarray  # int32, one more than texts
    targets: numpy.ndarray = None  # float32 [texts, CLASSES], probabilities
    weights: numpy.ndarray = None  # float32 [texts]: in the loss; 0 for a text without a label
    is_binary: numpy.ndarray = None  # uint8 [texts]: the neutral class takes no part
    masked: numpy.ndarray = None  # int32: rising positions in ids
    words: numpy.ndarray = None  # int32: the ids that were there
    mask_weight: float = 0.0  # of a masked word in the loss
    dropout: float = 0.0
    seed: int = 0

    def __len__(self):
        return len(self.starts) - 1


def pointer(array, kind, dtype):
    if array is None:
        return None
    assert array.dtype == dtype and array.flags.c_contiguous
    return array.ctypes.data_as(kind)


def floats(array):
    return pointer(array, FLOATS, numpy.float32)


def c_batch(batch):
    def integers(array):
        return pointer(array, INTEGERS, numpy.int32)

    return CBatch(
        len(batch),
        0 if batch.masked is None else len(batch.masked),
        integers(batch.ids),
        integers(batch.starts),
        floats(batch.targets),
        floats(batch.weights),
        pointer(batch.is_binary, ctypes.POINTER(ctypes.c_uint8), numpy.uint8),
        integers(batch.masked),
        integers(batch.words),
        batch.mask_weight,
        batch.dropout,
        batch.seed & 0xFFFFFFFF,
    )


class Layout:
    """{name: (begin, shape)} of the parameters, in the order of transformer.c."""

    def __init__(self, shape):
        self.entries = {}
        self.size = 0
        hidden, ffn, vocabulary = shape.hidden_size, shape.intermediate_size, shape.vocab_size

        def add(name, *dimensions):
            self.entries[name] = (self.size, dimensions)
            self.size += int(numpy.prod(dimensions))

        def add_norm(name):
            add(f"{name}.weight", hidden)
            add(f"{name}.bias", hidden)

        def add_linear(name, outputs, inputs):
            add(f"{name}.weight", outputs, inputs)
            add(f"{name}.bias", outputs)

        embeddings = "roberta.embeddings"
        add(f"{embeddings}.word_embeddings.weight", vocabulary, hidden)
        add(f"{embeddings}.position_embeddings.weight", shape.max_position_embeddings, hidden)
        add(f"{embeddings}.token_type_embeddings.weight", 1, hidden)
        add_norm(f"{embeddings}.LayerNorm")
        for number in range(shape.num_hidden_layers):
            layer = f"roberta.encoder.layer.{number}"
            for kind in ("weight", "bias"):  # query, key and value lie together
                for part in ("query", "key", "value"):
                    add(f"{layer}.attention.self.{part}.{kind}", *((hidden, hidden) if kind == "weight" else (hidden,)))
            add_linear(f"{layer}.attention.output.dense", hidden, hidden)
            add_norm(f"{layer}.attention.output.LayerNorm")
            add_linear(f"{layer}.intermediate.dense", ffn, hidden)
            add_linear(f"{layer}.output.dense", hidden, ffn)
            add_norm(f"{layer}.output.LayerNorm")
        add_linear("classifier.dense", hidden, hidden)
        add_linear("classifier.out_proj", CLASSES, hidden)
        self.published = len(self.entries)  # what follows guesses masked words: in training only
        add_linear("guess.dense", hidden, hidden)
        add_norm("guess.LayerNorm")
        add("guess.bias", vocabulary)

    def view(self, array, name):
        begin, dimensions = self.entries[name]
        return array[begin : begin + int(numpy.prod(dimensions))].reshape(dimensions)

    def published_names(self):
        return list(self.entries)[: self.published]


def load_library(work_dir):
    path = work_dir / "transformer.so"
    if not path.exists() or path.stat().st_mtime < SOURCE.stat().st_mtime:
        unfinished = path.with_suffix(".part")
        subprocess.run([*COMPILE, "-o", unfinished, SOURCE, "-lm"], check=True)
        unfinished.rename(path)
    library = ctypes.CDLL(str(path.resolve()))
    library.transformer_parameters.restype = ctypes.c_size_t
    library.transformer_open.restype = ctypes.c_void_p
    library.squared_norm.restype = ctypes.c_double
    return library


class Transformer:
    """Room for batches of so many tokens, texts and masked words, in PARTS that run side by side."""

    def __init__(self, shape, work_dir, tokens, texts, masked, parts=2):
        assert shape.hidden_size == 64 * shape.num_attention_heads
        assert shape.hidden_size % 64 == shape.intermediate_size % 32 == shape.vocab_size % 32 == 0
        self.library = load_library(work_dir)
        c_shape = CShape(
            shape.vocab_size,
            shape.hidden_size,
            shape.num_hidden_layers,
            shape.intermediate_size,
            shape.max_position_embeddings,
        )
        self.layout = Layout(shape)
        assert self.library.transformer_parameters(ctypes.byref(c_shape)) == self.layout.size
        self.has_tiles = bool(self.library.transformer_has_tiles())
        # Texts are not split between parts, so a part may be larger than its share by one text.
        room = (tokens // parts + LONGEST, texts, masked)
        self.handle = ctypes.c_void_p(self.library.transformer_open(ctypes.byref(c_shape), parts, *room))

    def learn(self, parameters, gradients, batch, logits=None):
        """Sets the gradients of the batch; returns the sums of the label loss and of the masked-word loss."""
        losses = (ctypes.c_double * 2)()
        structure = c_batch(batch)
        self.library.transformer_learn(
            self.handle, floats(parameters), floats(gradients), ctypes.byref(structure), losses, floats(logits)
        )
        return losses[0], losses[1]

    def predict(self, parameters, batch):
        logits = numpy.empty((len(batch), CLASSES), numpy.float32)
        structure = c_batch(batch)
        self.library.transformer_predict(self.handle, floats(parameters), ctypes.byref(structure), floats(logits))
        return logits


class AdamW:
    """Adam with decoupled weight decay for matrices; gradients are clipped to a norm of 1."""

    def __init__(self, library, layout, decay=0.01, betas=(0.9, 0.98)):
        self.library, self.decay, self.betas = library, decay, betas
        self.mean = numpy.zeros(layout.size, numpy.float32)
        self.square = numpy.zeros(layout.size, numpy.float32)
        self.steps = 0
        self.ranges = []  # of parameters with and without decay, neighbours merged
        for begin, dimensions in layout.entries.values():
            decays, end = len(dimensions) > 1, begin + int(numpy.prod(dimensions))
            if self.ranges and self.ranges[-1][2] == decays:
                self.ranges[-1][1] = end
            else:
                self.ranges.append([begin, end, decays])

    def step(self, parameters, gradients, rate):
        self.steps += 1
        size = ctypes.c_size_t(len(gradients))
        norm = float(self.library.squared_norm(floats(gradients), size)) ** 0.5
        scale = 1.0 / max(norm, 1.0)
        for begin, end, decays in self.ranges:
            self.library.adamw(
                *(floats(array[begin:end]) for array in (parameters, gradients, self.mean, self.square)),
                ctypes.c_size_t(end - begin),
                *map(ctypes.c_float, (scale, rate, self.decay if decays else 0.0, *self.betas)),
                self.steps,
            )
        return norm
