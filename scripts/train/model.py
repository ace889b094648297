"""RobertaForSequenceClassification in plain PyTorch, and its Hugging Face files.

Parameters have the names of the Hugging Face checkpoint, so a state_dict is what
model.safetensors holds.
"""

import dataclasses
import json
import math
import struct

import numpy
import torch
import torch.nn.functional as functional
from torch import nn

PAD = 1
LABELS = ("NEG", "NEU", "POS")


@dataclasses.dataclass(frozen=True)
class Shape:
    vocab_size: int
    hidden_size: int = 256
    num_hidden_layers: int = 6
    num_attention_heads: int = 4
    intermediate_size: int = 1024
    max_position_embeddings: int = 130
    layer_norm_eps: float = 1e-5


class Dropout(nn.Module):
    """Drops whole features of a text, the same ones at each of its tokens.

    A random number for each element costs more on a CPU than the layer it regularises;
    this needs one for each feature of a text.
    """

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, hidden):
        if not self.training or self.rate == 0:
            return hidden
        texts, features = hidden.shape[0], hidden.shape[-1]
        mask = torch.rand(texts, *[1] * (hidden.dim() - 2), features) >= self.rate
        return hidden * (mask / (1 - self.rate))


class SelfAttention(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.heads = shape.num_attention_heads
        self.query = nn.Linear(shape.hidden_size, shape.hidden_size)
        self.key = nn.Linear(shape.hidden_size, shape.hidden_size)
        self.value = nn.Linear(shape.hidden_size, shape.hidden_size)

    def split(self, projected):
        """[text, token, hidden] to [text, head, token, hidden / heads]"""
        return projected.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, asking, hidden, pad_bias):
        query, key, value = map(self.split, (self.query(asking), self.key(hidden), self.value(hidden)))
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1]) + pad_bias
        return (scores.softmax(-1) @ value).transpose(1, 2).flatten(2)


class AddAndNorm(nn.Module):
    """Projection, dropout, residual, LayerNorm: the end of both halves of a layer."""

    def __init__(self, inputs, shape, dropout):
        super().__init__()
        self.dense = nn.Linear(inputs, shape.hidden_size)
        self.LayerNorm = nn.LayerNorm(shape.hidden_size, shape.layer_norm_eps)
        self.dropout = Dropout(dropout)

    def forward(self, inner, residual):
        return self.LayerNorm(self.dropout(self.dense(inner)) + residual)


class Layer(nn.Module):
    def __init__(self, shape, dropout):
        super().__init__()
        self.attention = nn.ModuleDict(
            {"self": SelfAttention(shape), "output": AddAndNorm(shape.hidden_size, shape, dropout)}
        )
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(shape.hidden_size, shape.intermediate_size)})
        self.output = AddAndNorm(shape.intermediate_size, shape, dropout)

    def forward(self, asking, hidden, pad_bias):
        """New states of the tokens ASKING, which look at all of HIDDEN."""
        asking = self.attention["output"](self.attention["self"](asking, hidden, pad_bias), asking)
        return self.output(functional.gelu(self.intermediate["dense"](asking)), asking)


class Embeddings(nn.Module):
    def __init__(self, shape, dropout):
        super().__init__()
        self.word_embeddings = nn.Embedding(shape.vocab_size, shape.hidden_size, padding_idx=PAD)
        self.position_embeddings = nn.Embedding(shape.max_position_embeddings, shape.hidden_size, padding_idx=PAD)
        self.token_type_embeddings = nn.Embedding(1, shape.hidden_size)
        self.LayerNorm = nn.LayerNorm(shape.hidden_size, shape.layer_norm_eps)
        self.dropout = Dropout(dropout)

    def forward(self, ids):
        real = ids != PAD
        positions = real.cumsum(1) * real + PAD  # the first token is at PAD + 1, padding at PAD
        summed = (
            self.word_embeddings(ids) + self.position_embeddings(positions) + self.token_type_embeddings.weight[0]
        )
        return self.dropout(self.LayerNorm(summed))


class Encoder(nn.Module):
    def __init__(self, shape, dropout):
        super().__init__()
        self.embeddings = Embeddings(shape, dropout)
        self.encoder = nn.ModuleDict(
            {"layer": nn.ModuleList(Layer(shape, dropout) for _ in range(shape.num_hidden_layers))}
        )

    def forward(self, ids, first_only=False):
        """States [text, token, hidden]; FIRST_ONLY leaves the others out of the last layer.

        Padding is told by its id, so a literal "<pad>" in a text is not looked at.  Hugging
        Face tells it by the text's length, and does look at that one.
        """
        hidden = self.embeddings(ids)
        pad_bias = (ids == PAD)[:, None, None, :] * -1e9
        *layers, last_layer = self.encoder["layer"]
        for layer in layers:
            hidden = layer(hidden, hidden, pad_bias)
        return last_layer(hidden[:, :1] if first_only else hidden, hidden, pad_bias)


class ClassificationHead(nn.Module):
    def __init__(self, shape, dropout):
        super().__init__()
        self.dense = nn.Linear(shape.hidden_size, shape.hidden_size)
        self.out_proj = nn.Linear(shape.hidden_size, len(LABELS))
        self.dropout = Dropout(dropout)

    def forward(self, hidden):
        first = self.dropout(hidden[:, 0])
        return self.out_proj(self.dropout(torch.tanh(self.dense(first))))


class SentimentModel(nn.Module):
    def __init__(self, shape, dropout=0.1):
        super().__init__()
        self.shape = shape
        self.roberta = Encoder(shape, dropout)
        self.classifier = ClassificationHead(shape, dropout)
        self.apply(self.initialize)

    @staticmethod
    def initialize(module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
        if isinstance(module, nn.Embedding) and module.padding_idx is not None:
            nn.init.zeros_(module.weight[module.padding_idx].detach())

    def forward(self, ids):
        return self.classifier(self.roberta(ids, first_only=True))


# --- Hugging Face files --------------------------------------------------------------------


def write_safetensors(path, tensors):
    """Header length (u64, little endian), JSON header padded with spaces to 8 bytes, data."""
    header, blobs, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for name, tensor in sorted(tensors.items()):
        blob = tensor.detach().to(torch.float16).contiguous().numpy().astype("<f2").tobytes()
        header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    encoded = json.dumps(header, separators=(",", ":")).encode()
    encoded += b" " * (-len(encoded) % 8)
    with open(path, "wb") as output:
        output.write(struct.pack("<Q", len(encoded)) + encoded)
        output.writelines(blobs)


def read_safetensors(path):
    """The inverse, for F16 files; the tensors come back as float32."""
    data = path.read_bytes()
    (header_length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + header_length])
    header.pop("__metadata__", None)
    body = memoryview(data)[8 + header_length :]
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(body[begin:end], dtype="<f2").astype(numpy.float32)
        tensors[name] = torch.from_numpy(values.reshape(entry["shape"]))
    return tensors


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def write_configuration(model_dir, shape):
    """Everything in a model folder but the weights and the two tokenizer files of train_bpe.py."""
    names = {str(number): label for number, label in enumerate(LABELS)}
    write_json(
        model_dir / "config.json",
        {
            "architectures": ["RobertaForSequenceClassification"],
            "attention_probs_dropout_prob": 0.0,
            "bos_token_id": 0,
            "classifier_dropout": None,
            "eos_token_id": 2,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1,
            "id2label": names,
            "initializer_range": 0.02,
            "label2id": {label: number for number, label in enumerate(LABELS)},
            "model_type": "roberta",
            "pad_token_id": PAD,
            "position_embedding_type": "absolute",
            "tokenizer_class": "BertweetTokenizer",
            "torch_dtype": "float16",
            "type_vocab_size": 1,
            **dataclasses.asdict(shape),
        },
    )
    specials = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "cls_token": "<s>",
        "mask_token": "<mask>",
    }
    write_json(model_dir / "special_tokens_map.json", specials)
    write_json(
        model_dir / "tokenizer_config.json",
        {
            "normalization": True,
            **specials,
            "model_max_length": shape.max_position_embeddings - 2,
            "tokenizer_class": "BertweetTokenizer",
        },
    )
    write_json(model_dir / "added_tokens.json", {"<mask>": shape.vocab_size - 1})


def load_model(model_dir):
    config = json.loads((model_dir / "config.json").read_text(encoding="utf-8"))
    shape = Shape(**{field.name: config[field.name] for field in dataclasses.fields(Shape)})
    model = SentimentModel(shape)
    model.load_state_dict(read_safetensors(model_dir / "model.safetensors"))
    return model.eval()
