"""The shape of a RobertaForSequenceClassification, and its Hugging Face files."""

import dataclasses
import json
import struct

import numpy

PAD = 1
LABELS = ("NEG", "NEU", "POS")


@dataclasses.dataclass(frozen=True)
class Shape:
    vocab_size: int
    hidden_size: int = 256
    num_hidden_layers: int = 4
    num_attention_heads: int = 4
    intermediate_size: int = 1024
    max_position_embeddings: int = 130
    layer_norm_eps: float = 1e-5


def write_safetensors(path, tensors):
    """Header length (u64, little endian), JSON header padded with spaces to 8 bytes, data; as F16."""
    header, blobs, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for name, tensor in sorted(tensors.items()):
        blob = tensor.astype("<f2").tobytes()
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
        tensors[name] = values.reshape(entry["shape"])
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


def read_shape(model_dir):
    config = json.loads((model_dir / "config.json").read_text(encoding="utf-8"))
    return Shape(**{field.name: config[field.name] for field in dataclasses.fields(Shape)})
