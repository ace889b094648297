"""BERT's WordPiece in plain Python, from its rule: slow, and obvious. Shares nothing with src/token/.

unicodedata is Python 3.11's (Unicode 14) or a later one, so give it characters that were assigned then.
"""

import json
import unicodedata

import byte_level

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


def clean(text):
    kept = []
    for character in text:
        category = unicodedata.category(character)
        if character in "\t\n\r" or category == "Zs":
            kept.append(" ")
        elif character not in "\0\ufffd" and category not in ("Cc", "Cf", "Co"):
            kept.append(character)
    return "".join(kept)


def space_ideographs(text):
    return "".join(
        f" {character} " if any(first <= ord(character) <= last for first, last in IDEOGRAPHS) else character
        for character in text
    )


def without_accents(text):
    return "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")


def is_punctuation(character):
    is_symbol = character.isascii() and character.isprintable() and not character.isalnum() and character != " "
    return is_symbol or unicodedata.category(character).startswith("P")


class WordPiece:
    def __init__(self, ids, max_length, lowers=True, strips=None, spaces_ideographs=True, specials=SPECIALS):
        self.ids = ids
        self.max_length = max_length
        self.lowers = lowers
        self.strips = lowers if strips is None else strips
        self.spaces_ideographs = spaces_ideographs
        self.specials = specials
        self.known = {}

    @classmethod
    def from_folder(cls, folder, **settings):
        lines = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
        return cls({line: number for number, line in enumerate(lines) if line}, **settings)

    def words(self, text):
        text = clean(text)
        if self.spaces_ideographs:
            text = space_ideographs(text)
        if self.lowers:
            text = "".join(character.lower() for character in text)  # one by one: no final sigma
        if self.strips:
            text = without_accents(text)
        return "".join(f" {c} " if is_punctuation(c) else c for c in text).split()

    def pieces(self, word):
        if len(word) > 100:
            return ["[UNK]"]
        pieces, at = [], 0
        while at < len(word):
            prefix = "##" if at else ""
            ends = [end for end in range(at + 1, len(word) + 1) if prefix + word[at:end] in self.ids]
            if not ends:
                return ["[UNK]"]
            pieces.append(prefix + word[at : ends[-1]])
            at = ends[-1]
        return pieces

    def word_ids(self, word):
        if word not in self.known:
            self.known[word] = [self.ids[piece] for piece in self.pieces(word)]
        return self.known[word]

    def parts(self, text):
        for piece, is_special in byte_level.cut_at(text, self.specials, lambda token: True):
            yield from [(piece, True)] if is_special else [(word, False) for word in self.words(piece)]

    def normalize(self, text):
        return " ".join(part for part, _ in self.parts(text))

    def encode(self, text):
        ids = []
        for part, is_special in self.parts(text):
            ids += [self.ids[part]] if is_special else self.word_ids(part)
        return [self.ids["[CLS]"], *ids[: self.max_length - 2], self.ids["[SEP]"]]
