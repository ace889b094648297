"""RoBERTa's byte-level BPE in plain Python, from its rule: slow, and obvious. Shares nothing with src/token/."""

import json
import re

import regex

# GPT-2's words. Letters, numbers and white space are the regex module's.
WORDS = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")


def byte_letters():
    """{byte: the character that stands for it}: printable Latin-1 for itself, the rest from U+0100 on."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    return {**{byte: chr(byte) for byte in printable}, **{byte: chr(256 + n) for n, byte in enumerate(rest)}}


LETTERS = byte_letters()


def to_letters(text):
    return "".join(LETTERS[byte] for byte in text.encode("utf-8"))


def cut_at(text, specials, keeps_left_space):
    """[(piece, whether it is a special token), …]: leftmost, and of those the longest."""
    alternatives = "|".join(re.escape(token) for token in sorted(specials, key=len, reverse=True))
    pieces = re.split(f"({alternatives})", text)  # text and token by turns
    for number in range(1, len(pieces), 2):
        if not keeps_left_space(pieces[number]):
            pieces[number - 1] = pieces[number - 1].rstrip()
    return [(piece, number % 2 == 1) for number, piece in enumerate(pieces) if piece]


class ByteLevel:
    def __init__(self, ids, merges, max_length, adds_prefix_space=False):
        self.ids = ids
        self.ranks = {pair: rank for rank, pair in enumerate(merges)}
        self.max_length = max_length
        self.adds_prefix_space = adds_prefix_space
        self.specials = ["<s>", "</s>", "<unk>", "<pad>", "<mask>"]
        self.known = {}

    @classmethod
    def from_folder(cls, folder, **settings):
        ids = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
        lines = (folder / "merges.txt").read_text(encoding="utf-8").split("\n")
        merges = [tuple(line.split(" ")) for line in lines if line and not line.startswith("#version")]
        return cls(ids, merges, **settings)

    def merge(self, word):
        symbols = list(word)
        while True:
            pairs = [pair for pair in zip(symbols, symbols[1:]) if pair in self.ranks]
            if not pairs:
                return symbols
            left, right = min(pairs, key=self.ranks.get)
            merged, at = [], 0
            while at < len(symbols):
                is_pair = symbols[at : at + 2] == [left, right]
                merged.append(left + right if is_pair else symbols[at])
                at += 2 if is_pair else 1
            symbols = merged

    def word_ids(self, word):
        if word not in self.known:
            self.known[word] = [self.ids[symbol] for symbol in self.merge(to_letters(word))]
        return self.known[word]

    def normalize(self, text):
        return text

    def encode(self, text):
        ids = []
        for piece, is_special in cut_at(text, self.specials, lambda token: token != "<mask>"):
            if is_special:
                ids.append(self.ids[piece])
                continue
            if self.adds_prefix_space and not piece.startswith(" "):
                piece = " " + piece
            for word in WORDS.findall(piece):
                ids += self.word_ids(word)
        return [self.ids["<s>"], *ids[: self.max_length - 2], self.ids["</s>"]]
