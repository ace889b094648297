"""Small classifiers as Hugging Face folders, in every form of weights that murmur reads. numpy only: what torch.save
writes is written here by hand, so that tests do not need torch."""

import json
import pathlib
import shutil
import struct
import zipfile

import numpy

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
TOKENIZER = SOURCE / "weights/murmur-mini"
TOKENIZER_FILES = ("vocab.txt", "bpe.codes", "added_tokens.json", "tokenizer_config.json")

STORAGES = {"F32": "FloatStorage", "F16": "HalfStorage", "BF16": "BFloat16Storage", "I64": "LongStorage"}
ITEM = {"F32": 4, "F16": 2, "BF16": 2, "I64": 8}

DISTILBERT_MODULES = {
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}


def make_config(kind="roberta", labels=("NEG", "NEU", "POS"), **changes):
    """`kind`: roberta, bert, distilbert."""
    vocabulary = (TOKENIZER / "vocab.txt").read_text(encoding="utf-8").count("\n") + 5  # and the special tokens
    sizes = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 40,
             "hidden_act": "gelu"}
    sizes.update({name: changes.pop(name) for name in list(changes) if name in sizes})
    if kind == "distilbert":
        names = {"hidden_size": "dim", "num_hidden_layers": "n_layers", "num_attention_heads": "n_heads",
                 "intermediate_size": "hidden_dim", "hidden_act": "activation"}
        sizes = {names[name]: value for name, value in sizes.items()}
    else:
        sizes.update(type_vocab_size=1 if kind == "roberta" else 2, layer_norm_eps=1e-5)
    name = {"roberta": "Roberta", "bert": "Bert", "distilbert": "DistilBert"}[kind]
    return {
        "architectures": [name + "ForSequenceClassification"],
        "model_type": kind,
        **sizes,
        "vocab_size": vocabulary,
        "max_position_embeddings": 130,
        "pad_token_id": 1 if kind == "roberta" else 0,
        "id2label": {str(i): label for i, label in enumerate(labels)},
        "tokenizer_class": "BertweetTokenizer",
        **changes,
    }


def size(config, name, own):
    return config[own if own in config else name]


def make_tensors(config, seed=1):
    """{name: float32 array}, under the architecture's own names."""
    random = numpy.random.default_rng(seed)
    kind, hidden = config["model_type"], size(config, "hidden_size", "dim")
    inner = size(config, "intermediate_size", "hidden_dim")
    tensors = {}

    def add(name, *shape):
        values = random.normal(0, 0.3, shape)
        tensors[name] = (values + 1 if name.endswith("orm.weight") else values).astype(numpy.float32)

    def add_linear(name, outs, ins):
        add(name + ".weight", outs, ins)
        add(name + ".bias", outs)

    def add_norm(name):
        add(name + ".weight", hidden)
        add(name + ".bias", hidden)

    base = kind + "."
    add(base + "embeddings.word_embeddings.weight", config["vocab_size"], hidden)
    add(base + "embeddings.position_embeddings.weight", config["max_position_embeddings"], hidden)
    if kind != "distilbert":
        add(base + "embeddings.token_type_embeddings.weight", config["type_vocab_size"], hidden)
    add_norm(base + "embeddings.LayerNorm")
    for number in range(size(config, "num_hidden_layers", "n_layers")):
        layer = f"{base}{'transformer' if kind == 'distilbert' else 'encoder'}.layer.{number}."

        def own(module):
            return layer + (DISTILBERT_MODULES[module] if kind == "distilbert" else module)

        for part in ("query", "key", "value"):
            add_linear(own("attention.self." + part), hidden, hidden)
        add_linear(own("attention.output.dense"), hidden, hidden)
        add_norm(own("attention.output.LayerNorm"))
        add_linear(own("intermediate.dense"), inner, hidden)
        add_linear(own("output.dense"), hidden, inner)
        add_norm(own("output.LayerNorm"))
    dense, out = {"roberta": ("classifier.dense", "classifier.out_proj"), "bert": ("bert.pooler.dense", "classifier"),
                  "distilbert": ("pre_classifier", "classifier")}[kind]
    add_linear(dense, hidden, hidden)
    add_linear(out, len(config["id2label"]), hidden)
    return tensors


def to_bytes(array, dtype="F32"):
    if array.dtype.kind == "i":
        return array.astype("<i8").tobytes()
    if dtype == "BF16":
        return (array.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    return array.astype({"F32": "<f4", "F16": "<f2"}[dtype]).tobytes()


def dtype_of(array, dtype):
    return "I64" if array.dtype.kind == "i" else dtype


def round_to(array, dtype):
    """What a value is once it has been stored as `dtype`."""
    if dtype == "BF16":
        return (array.view(numpy.uint32) & 0xFFFF0000).view(numpy.float32)
    return array.astype(numpy.float16).astype(numpy.float32) if dtype == "F16" else array


def write_safetensors(path, tensors, dtype="F32"):
    header, data, end = {}, [], 0
    for name, array in tensors.items():
        data.append(to_bytes(array, dtype))
        header[name] = {"dtype": dtype_of(array, dtype), "shape": list(array.shape),
                        "data_offsets": [end, end + len(data[-1])]}
        end += len(data[-1])
    text = json.dumps(header).encode()
    path.write_bytes(b"".join([struct.pack("<Q", len(text)), text, *data]))


# ---- pytorch_model.bin ----


def text_opcode(text):
    return b"X" + struct.pack("<I", len(text.encode())) + text.encode()


def number_opcode(number):
    if 0 <= number < 256:
        return b"K" + bytes([number])
    if 0 <= number < 65536:
        return b"M" + struct.pack("<H", number)
    return b"\x8a\x08" + struct.pack("<q", number)


def tuple_opcode(numbers):
    return b"(" + b"".join(map(number_opcode, numbers)) + b"t"


def tensor_opcodes(storage_class, key, storage_len, first, shape, stride):
    storage = (b"(" + text_opcode("storage") + b"ctorch\n" + storage_class.encode() + b"\n" + text_opcode(key)
               + text_opcode("cpu") + number_opcode(storage_len) + b"tQ")
    return (b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number_opcode(first) + tuple_opcode(shape)
            + tuple_opcode(stride) + b"\x89ccollections\nOrderedDict\n)RtR")


def make_pickle(entries):
    """`entries`: (name, tensor_opcodes(...)). As torch 1.6 and later, with the modules' versions."""
    out = b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01("
    for name, opcodes in entries:
        out += text_opcode(name) + opcodes
    out += b"u"
    return out + b"}" + text_opcode("_metadata") + b"h\x00)R" + text_opcode("") + b"}" + text_opcode("version") + b"K\x01sssb."


def write_torch(path, tensors, dtype="F32", compression=zipfile.ZIP_STORED, shared=(), transposed=(), root="archive",
                pickle=None):
    """Tensors in `shared` are pairs (name, name of the one whose storage it uses); those in `transposed` are stored
    column by column, as a .t() that was saved."""
    keys = {name: str(number) for number, name in enumerate(tensors)}
    entries = []
    with zipfile.ZipFile(path, "w", compression, allowZip64=True) as archive:
        for name, array in tensors.items():
            shape, stride = list(array.shape), [1] * array.ndim
            for d in range(array.ndim - 2, -1, -1):
                stride[d] = stride[d + 1] * shape[d + 1]
            held = array
            if name in transposed:
                held, stride = array.T, [1, shape[0]]
            storage_class = STORAGES[dtype_of(array, dtype)]
            entries.append((name, tensor_opcodes(storage_class, keys[name], array.size, 0, shape, stride)))
            archive.writestr(f"{root}/data/{keys[name]}", to_bytes(numpy.ascontiguousarray(held), dtype))
        for name, other in shared:
            array = tensors[other]
            entries.append((name, tensor_opcodes(STORAGES[dtype_of(array, dtype)], keys[other], array.size, 0,
                                                 list(array.shape), [array.shape[1], 1])))
        archive.writestr(f"{root}/data.pkl", pickle if pickle is not None else make_pickle(entries))
        archive.writestr(f"{root}/version", "3\n")


# ---- folders ----


def write_folder(folder, config, tensors=None, form="model.safetensors", dtype="F32", shards=3, **torch_options):
    """`form`: model.safetensors or pytorch_model.bin, either with .index.json behind it for shards."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = make_tensors(config) if tensors is None else tensors
    for name in TOKENIZER_FILES:
        if (TOKENIZER / name).exists():
            shutil.copy(TOKENIZER / name, folder / name)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    write = write_safetensors if "safetensors" in form else lambda *given: write_torch(*given, **torch_options)
    if not form.endswith(".index.json"):
        write(folder / form, tensors, dtype)
        return folder
    weight_map = {}
    names = list(tensors)
    for shard in range(shards):
        file = f"part-{shards - shard}.of.{shards}"  # names are free
        held = {name: tensors[name] for name in names[shard::shards]}
        write(folder / file, held, dtype)
        weight_map.update(dict.fromkeys(held, file))
    index = {"metadata": {"total_size": 1}, "weight_map": weight_map}
    (folder / form).write_text(json.dumps(index), encoding="utf-8")
    return folder
