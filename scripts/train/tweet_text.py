#!/usr/bin/env python3
"""The BERTweet tokenizer in plain Python: tweet normalisation and BPE.

    tweet_text.py MODEL_DIR < texts.jsonl > ids.jsonl

Reads JSON Lines {"text": ...} and writes {"ids": [...]}, like `murmur tokenize`.
It is written to be read, not to be fast, and shares nothing with src/token/: the
training scripts use it, and the tests compare the C tokenizer with it.

The rules are those of BertweetTokenizer, whose token scan descends from NLTK's
TweetTokenizer.  Several look odd (a match order that prefers phone numbers to
words, contractions that are split only before a space).  They are what the
reference model was trained with, so they are kept to the letter.
"""

import argparse
import ast
import html.entities
import json
import pathlib
import re
import sys

# The scan needs the `regex` module: its \w and \s follow newer Unicode tables than
# `re`, and its \w holds combining marks and joiners.
import regex

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
EMOJI_TABLE = REPOSITORY / "src/token/emoji_table.inc"

# Ids 0 to 3, in this order; <mask> has no fixed id.
FIXED_SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
MASK = "<mask>"
END_OF_WORD = "</w>"
CONTINUED = "@@"


def read_emoji_table(path=EMOJI_TABLE):
    """Returns {character: name} from the C table, whose strings are also Python literals."""
    row = re.compile(r'^\s*\{0x([0-9A-F]+), ("(?:[^"\\]|\\.)*")\},$', re.MULTILINE)
    table = path.read_text(encoding="utf-8")
    return {chr(int(code_point, 16)): ast.literal_eval(name) for code_point, name in row.findall(table)}


EMOJI_NAMES = read_emoji_table()


# --- Normalisation ---------------------------------------------------------------------

# The optional # and x are greedy, but given back when nothing else is left for the body.
ENTITY = regex.compile(r"&(#?)(x?)([^&;\s]+);")

LONG_RUN = regex.compile(r"([^a-zA-Z0-9])\1{3,}")

# One level of nested parentheses, or a plain pair, inside a link.
URL_PARENTHESES = r"\( [^\s()]*? \( [^\s()]+ \) [^\s()]*? \) | \( [^\s]+? \)"

# At one position the first alternative that matches wins, not the longest.
SCAN = regex.compile(
    rf"""
    # link: with a scheme, or a domain and a slash
    (?: https? : (?: /{{1,3}} | [a-z0-9%] ) | [a-z0-9.\-]+ [.] [a-z]{{2,13}} / )
    (?: [^\s()<>{{}}\[\]]+ | {URL_PARENTHESES} )+
    (?: {URL_PARENTHESES} | [^\s`!()\[\]{{}};:'".,<>?«»“”‘’] )
    # link: a naked domain
  | (?<!@) [a-z0-9]+ (?: [.\-] [a-z0-9]+ )* [.] [a-z]{{2,13}} \b /? (?!@)
    # phone number
  | (?: \+? [01] [ *\-.)]* )? (?: \(? \d{{3}} [ *\-.)]* )? \d{{3}} [ *\-.)]* \d{{4}}
    # emoticon, looking right or left
  | [<>]? [:;=8] [\-o*']? [)\](\[dp/:}}{{@|\\]
  | [)\](\[dp/:}}{{@|\\] [\-o*']? [:;=8] [<>]?
  | <3
    # HTML tag
  | < [^>\s]+ >
    # arrow
  | -+> | <-+
    # handle
  | @ \w+
    # hashtag
  | \#+ \w+ [\w'\-]* \w+
    # e-mail address
  | [\w.+\-]+ @ [\w\-]+ \. (?: [\w\-] \.? )+ [\w\-]
    # word, with apostrophes and dashes inside
  | [^\W\d_] (?: [^\W\d_] | ['\-_] )+ [^\W\d_]
    # number with one separator
  | [+\-]? \d+ [,/.:\-] \d+ [+\-]?
    # other word
  | \w+
    # dots
  | \. (?: \s* \. )+
    # anything else
  | \S
    """,
    regex.VERBOSE | regex.IGNORECASE | regex.UNICODE,
)

# Applied to the whole string, one after another.  A trailing space means that a
# contraction at the very end of a text stays whole.
CONTRACTIONS = (
    ("cannot ", "can not "),
    ("n't ", " n't "),
    ("n 't ", " n't "),
    ("ca n't", "can't"),
    ("ai n't", "ain't"),
    ("'m ", " 'm "),
    ("'re ", " 're "),
    ("'s ", " 's "),
    ("'ll ", " 'll "),
    ("'d ", " 'd "),
    ("'ve ", " 've "),
    (" p . m .", "  p.m."),
    (" p . m ", " p.m "),
    (" a . m .", " a.m."),
    (" a . m ", " a.m "),
)


def decode_entity(match):
    """The character an HTML entity stands for, or nothing when it stands for none."""
    hash_sign, hex_sign, body = match.groups()
    if not hash_sign and not hex_sign:
        code_point = html.entities.name2codepoint.get(body)
        return "" if code_point is None else chr(code_point)
    try:
        code_point = int(body, 16 if hex_sign else 10)
        if 0x80 <= code_point <= 0x9F:  # these were meant as Windows characters
            return bytes([code_point]).decode("cp1252")
        return chr(code_point)
    except (ValueError, OverflowError):
        return ""


def plain_quotes_and_dots(text):
    return text.replace("’", "'").replace("…", "...")


def normalize_token(token):
    lowercase = token.lower()
    if token.startswith("@"):
        return "@USER"
    if lowercase.startswith(("http", "www")):
        return "HTTPURL"
    if len(token) == 1:  # entities may have brought quotes and dots back
        return EMOJI_NAMES.get(token, plain_quotes_and_dots(token))
    return token


def normalize_tweet(text):
    text = plain_quotes_and_dots(text)
    text = ENTITY.sub(decode_entity, text)
    text = LONG_RUN.sub(r"\1\1\1", text)
    text = " ".join(normalize_token(match.group()) for match in SCAN.finditer(text))
    for contraction, parts in CONTRACTIONS:
        text = text.replace(contraction, parts)
    return " ".join(text.split())


# --- Byte pair encoding ------------------------------------------------------------------


def split_words(text):
    """Runs of non-space; a newline right after one belongs to it."""
    return re.findall(r"\S+\n?", text)


def merge_pair(symbols, left, right):
    """Joins all occurrences of a pair, from left to right, without overlap."""
    merged = []
    position = 0
    while position < len(symbols):
        if symbols[position : position + 2] == [left, right]:
            merged.append(left + right)
            position += 2
        else:
            merged.append(symbols[position])
            position += 1
    return merged


def initial_symbols(word):
    return [*word[:-1], word[-1] + END_OF_WORD]


def surface_token(symbol):
    """The spelling of a BPE symbol in vocab.txt."""
    if symbol.endswith(END_OF_WORD):
        return symbol[: -len(END_OF_WORD)]
    return symbol + CONTINUED


def read_merge_ranks(path):
    # Only complete lines count, and only "\n" ends one: other line breaks can be symbols.
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return {tuple(line.split()[:-1]): rank for rank, line in enumerate(lines)}


def read_vocabulary(path):
    ids = {token: number for number, token in enumerate(FIXED_SPECIALS)}
    with open(path, encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, start=len(FIXED_SPECIALS)):
            token = line.strip().rpartition(" ")[0]
            ids[token] = number
    return ids


class TweetTokenizer:
    """Text to ids, with the vocab.txt and bpe.codes of a model folder."""

    def __init__(self, model_dir, normalization=True, max_length=128):
        self.ids = read_vocabulary(model_dir / "vocab.txt")
        self.ids.setdefault(MASK, max(self.ids.values()) + 1)
        self.ranks = read_merge_ranks(model_dir / "bpe.codes")
        self.normalization = normalization
        self.max_length = max_length
        self.specials = (*FIXED_SPECIALS, MASK)
        self.special_pattern = re.compile("(" + "|".join(map(re.escape, self.specials)) + ")")
        self.word_cache = {}

    @classmethod
    def from_folder(cls, model_dir):
        config = json.loads((model_dir / "tokenizer_config.json").read_text(encoding="utf-8"))
        return cls(model_dir, config.get("normalization", False), config["model_max_length"])

    def pieces(self, text):
        """Cuts the text at literal special tokens; yields (piece, whether it is one of them)."""
        for piece in self.special_pattern.split(text):
            if piece in self.specials:
                yield piece, True
            elif piece:
                # Entities can spell a special token only from here on: then it is ordinary text.
                yield normalize_tweet(piece) if self.normalization else piece, False

    def normalize(self, text):
        return " ".join(piece for piece, _ in self.pieces(text)) if self.normalization else text

    def encode_word(self, word):
        if word not in self.word_cache:
            self.word_cache[word] = self.apply_merges(word)
        return self.word_cache[word]

    def apply_merges(self, word):
        if len(word) == 1:
            return [word]
        symbols = initial_symbols(word)
        while len(symbols) > 1:
            pairs = zip(symbols, symbols[1:])
            best = min(pairs, key=lambda pair: self.ranks.get(pair, len(self.ranks)))
            if best not in self.ranks:
                break
            symbols = merge_pair(symbols, *best)
        return [surface_token(symbol) for symbol in symbols]

    def tokenize(self, text):
        tokens = []
        for piece, is_special in self.pieces(text):
            if is_special:
                tokens.append(piece)
            else:
                for word in split_words(piece):
                    tokens.extend(self.encode_word(word))
        return tokens

    def encode(self, text):
        """Ids with <s> and </s> around them, cut to the model's length."""
        unknown = self.ids["<unk>"]
        ids = [self.ids.get(token, unknown) for token in self.tokenize(text)]
        return [self.ids["<s>"], *ids[: self.max_length - 2], self.ids["</s>"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model_dir", type=pathlib.Path, help="folder with vocab.txt, bpe.codes, tokenizer_config.json")
    arguments = parser.parse_args()

    tokenizer = TweetTokenizer.from_folder(arguments.model_dir)
    for line in sys.stdin:
        print(json.dumps({"ids": tokenizer.encode(json.loads(line)["text"])}))


if __name__ == "__main__":
    main()
