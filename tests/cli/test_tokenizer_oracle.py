#!/usr/bin/env python3
"""murmur tokenize against tokenizers in plain Python, which share nothing with it: real words, and random pieces put
together so that the rules meet; real tweets too where the team's data is. The same texts in every run. More of them:

    MURMUR_ORACLE_TEXTS=100000 python3 tests/cli/test_tokenizer_oracle.py
"""

import collections
import gzip
import html.entities
import itertools
import json
import os
import random
import re
import shutil
import sys
import unicodedata
import unittest

import murmur_cli
from murmur_cli import MODEL, SHARED, SOURCE, run

sys.path.insert(0, str(SOURCE / "scripts/train"))
try:
    import byte_level
    import tweet_text
    import wordpiece
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

N_TEXTS = int(os.environ.get("MURMUR_ORACLE_TEXTS", 4000))  # of each tokenizer
SURROGATE = re.compile("[\ud800-\udfff]")  # entities can spell one, and UTF-8 cannot
LONGEST_RUN = 60 + N_TEXTS // 100  # seconds

LINKS = """http:// https:// HTTP:/ http:/// http:a httpſ:// www. www http a.co/ bit.ly/ab google.com x.y-z.co.uk/ .com/
    a.b""".split()
PARENTHESES = "( ) (( )) () (a) (a(b)c) ((a)b) )( [ ] { } < > <b> </b> <a".split()
HANDLES = "@ @user @é_ a@b.com a@b.c x.y+z@m-n.co.uk @x.com a.com@b RT@a #tag #a #ab ##x-y- #1 #it's".split()
SMILEYS = ":) :-( 8) =D :'( (; ;p d: D-8 p'=< <:o) >:{ :| @: <3 8pm 8:30 --> <-- -> <- ---".split()
NUMBERS = "555-123-4567 +1 (555)1234567 0123 911 12345678901234567890 1,000 3:30 10/11/2009 -5.5+ ٣٤٥ १२३ 1-2-3".split()
DOTS = ["...", ". . .", "..", "…", "....", ". \n.", "p.m.", " p . m .", " a . m ", "5 p.m. ", "a.m. "]
ENDINGS = ["n't ", "'m ", "'re ", "'s ", "'ll ", "'d ", "'ve ", "cannot ", "can't ", "ain't ", "won’t ", "n 't ", "'"]
ENTITIES = """&amp; &lt; &gt; &quot; &hellip; &rsquo; &apos; &AMP; &#39; &#x27; &#8217; &x41; &xi; &#; &; &x; &#x;
    &#xD83D; &#128; &x81; &#10; &#32; &nbsp; &#64;user &#1_0_0; &#1__0; &#-5; &#+65; &#x0x41; &#1114112; &amp;lt; &lt;s&gt; &a&b;
    &#٣٤; &zwj;""".split()
APOSTROPHES = "'s 't 're 've 'm 'll 'd 'S 'sx 'l 'r '' ' 'll've".split()
BERT_SPECIALS = "[CLS] [SEP] [MASK] [PAD] [UNK] [mask] [ [[MASK]] ##s #".split()
SPECIALS = "<s> </s> <mask> <pad> <unk> <Mask> <s </w> @@ a@@ x</w>y".split()
SPACES = [" ", " ", " ", "  ", "\n", "\n\n", "\t", "\r\n"]
SPACES += ["\u00a0", "\u2028", "\u3000", "\u0085", "\u001c", "\u001f", "\u200b"]
ODDITIES = ["\ufe0f", "\u200d", "\u0301", "\u20e3", "\ufffd", "\u212a"]
ODDITIES += ["İ", "ı", "ſ", "Ⓐ", "🅰", "«", "“", "’", "’’’’", "ß", "日本", "한국"]
PUNCTUATION = list("!?,.;:'\"-_/\\|*+=%&#@~`^$")
# Blocks that have been full for long: later versions of Unicode, which a newer regex module may follow, agree on them.
BLOCKS = ((0x20, 0x7E), (0xA1, 0x17F), (0x391, 0x3A1), (0x410, 0x44F), (0x621, 0x63A), (0x905, 0x939), (0x2010, 0x2027))
BLOCKS += ((0x2190, 0x21FF), (0x2600, 0x26FF), (0x3041, 0x3096), (0x4E00, 0x4FFF), (0xAC00, 0xACFF), (0x1F600, 0x1F64F))


class Texts:
    def __init__(self, words, seed):
        self.words = words
        self.random = random.Random(seed)
        self.kinds = [LINKS, PARENTHESES, HANDLES, SMILEYS, NUMBERS, DOTS, ENDINGS, ENTITIES, SPECIALS, SPACES]
        self.kinds += [ODDITIES, PUNCTUATION, words, words, words, list(tweet_text.EMOJI_NAMES)]
        self.kinds += [[f"&{name};" for name in html.entities.name2codepoint], APOSTROPHES, BERT_SPECIALS]

    def character(self):
        return chr(self.random.randint(*self.random.choice(BLOCKS)))

    def piece(self):
        choice = self.random.random()
        if choice < 0.05:
            return self.character() * self.random.choice((1, 1, 2, 3, 4, 7))
        if choice < 0.08:
            base, marks = self.random.choice((("d", ("", "#")), ("x", ("x", "#x"))))
            return f"&{self.random.choice(marks)}{ord(self.character()):{base}};"
        return self.random.choice(self.random.choice(self.kinds))

    def glued(self):
        return "".join(self.piece() for _ in range(self.random.randint(1, 14)))

    def spaced(self):
        return " ".join(self.piece() for _ in range(self.random.randint(1, 40)))

    def sentence_with_noise(self):
        text = " ".join(self.random.choice(self.words) for _ in range(self.random.randint(3, 25)))
        for _ in range(self.random.randint(0, 5)):
            at = self.random.randint(0, len(text))
            text = text[:at] + self.piece() + text[at + self.random.randint(0, 3) :]
        return text

    def few_characters(self):
        """So few that the patterns that give characters back come near to matching."""
        sets = ("().a/<!b ", ".-@/a1b ", ":;8-o()p<> ", "&#x;1_a ", "' p.m…", "-'_aé1 ", "+1 (5.)-", "\n\r a.")
        characters = self.random.choice(sets)
        head = self.random.choice(("", "", "http://", "http:a", "a.co/", "#", "@", "a@b."))
        return head + "".join(self.random.choice(characters) for _ in range(self.random.randint(1, 30)))

    def next(self):
        return self.random.choice((self.glued, self.spaced, self.sentence_with_noise, self.few_characters))()


class AnyTexts(Texts):
    """Of any characters: for tokenizers whose tables of Unicode no newer version can differ from in what it assigns."""

    def character(self):
        if self.random.random() < 0.5:
            return super().character()
        while True:
            character = chr(self.random.randrange(self.random.choice((0x80, 0x800, 0x3100, 0x10000, 0x20000))))
            # Python's tables are of Unicode 14 or later; what they assign is what it always was.
            if character != "\0" and unicodedata.category(character) not in ("Cn", "Cs"):
                return character


def real_texts(n):
    """Tweets, where the team's data is."""
    texts = []
    for path in sorted((SHARED / "data/tweets").glob("tweets-*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            texts += [json.loads(line)["text"] for line in itertools.islice(lines, n - len(texts))]
    return [text for text in texts if text]


def learn_merges(words, n):
    """Byte pair encoding's merges of these words, the plain way."""
    counts = collections.Counter(byte_level.to_letters(word) for word in words)
    split = {word: list(word) for word in counts}
    merges = []
    while len(merges) < n:
        pairs = collections.Counter()
        for word, symbols in split.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += counts[word]
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for word, symbols in split.items():
            if best[0] in symbols:
                at = 0
                while at + 1 < len(symbols):
                    if (symbols[at], symbols[at + 1]) == best:
                        symbols[at : at + 2] = [best[0] + best[1]]
                    at += 1
    return merges


def murmur_mini_words():
    lines = (MODEL / "vocab.txt").read_text(encoding="utf-8").splitlines()
    words = [line.rsplit(" ", 1)[0] for line in lines]
    return [word for word in words if not word.endswith("@@")]


class Comparison(murmur_cli.TestCase):
    def write_model(self, name, files):
        folder = self.folder / name
        folder.mkdir()
        for file_name, content in files.items():
            text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=len(name) % 2 == 0)
            (folder / file_name).write_text(text, encoding="utf-8")
        return folder

    def compare(self, folder, oracle, texts):
        lines = "".join(json.dumps({"text": text}, ensure_ascii=len(text) % 2 == 0) + "\n" for text in texts)
        result = run("tokenize", "--model", folder, "--normalized", stdin=lines.encode("utf-8"), timeout=LONGEST_RUN)
        self.assert_status(result, 0)
        self.assertEqual(len(result.rows), len(texts))
        for text, got in zip(texts, result.rows):
            wanted = {"ids": oracle.encode(text), "normalized": SURROGATE.sub("\ufffd", oracle.normalize(text))}
            self.assertEqual(got, wanted, ascii(text))
        return result.rows


class TweetTokenizer(Comparison):
    def model(self, has_normalization):
        """murmur-mini's vocabulary, and a short limit, so that texts are cut too."""
        folder = self.folder / ("normalized" if has_normalization else "raw")
        folder.mkdir()
        for name in ("vocab.txt", "bpe.codes", "added_tokens.json"):
            shutil.copy(MODEL / name, folder)
        config = {"tokenizer_class": "BertweetTokenizer", "normalization": has_normalization, "model_max_length": 48}
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
        return folder

    def check_texts(self, has_normalization):
        folder = self.model(has_normalization)
        oracle = tweet_text.TweetTokenizer.from_folder(folder)
        words = [token for token in oracle.ids if not token.endswith("@@") and token not in oracle.specials]
        texts = Texts(words, seed=20090406)
        return self.compare(folder, oracle, [texts.next() for _ in range(N_TEXTS)])

    def test_ids_with_normalization(self):
        rows = self.check_texts(has_normalization=True)
        self.assertTrue(any(len(row["ids"]) == 48 for row in rows))

    def test_ids_without_normalization(self):
        self.check_texts(has_normalization=False)


class ByteLevelTokenizer(Comparison):
    @classmethod
    def setUpClass(cls):
        words = murmur_mini_words()
        cls.merges = learn_merges([" " * (number % 3 > 0) + word for number, word in enumerate(words[:3000])], 400)
        strings = ["<s>", "<pad>", "</s>", "<unk>", *byte_level.LETTERS.values()]
        strings += [left + right for left, right in cls.merges] + ["<mask>"]
        cls.ids = {string: number for number, string in enumerate(dict.fromkeys(strings))}
        texts = AnyTexts(words, seed=20090407)
        cls.texts = real_texts(N_TEXTS // 2)
        cls.texts += [texts.next() for _ in range(N_TEXTS - len(cls.texts))]

    def model(self, name, files, **settings):
        config = {"tokenizer_class": "RobertaTokenizer", "model_max_length": 64, **settings}
        return self.write_model(name, {**files, "tokenizer_config.json": config})

    def separate_files(self):
        merges = "".join(f"{left} {right}\n" for left, right in self.merges)
        return {"vocab.json": self.ids, "merges.txt": "#version: 0.2\n" + merges}

    def one_file(self, merges, adds_prefix_space=False):
        specials = [("<s>", False), ("<pad>", False), ("</s>", False), ("<unk>", False), ("<mask>", True)]
        return {
            "tokenizer.json": {
                "version": "1.0",
                "added_tokens": [
                    {"id": self.ids[token], "content": token, "lstrip": takes_space, "special": True}
                    for token, takes_space in specials
                ],
                "normalizer": None,
                "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": adds_prefix_space, "trim_offsets": True},
                "post_processor": {
                    "type": "RobertaProcessing",
                    "sep": ["</s>", self.ids["</s>"]],
                    "cls": ["<s>", self.ids["<s>"]],
                },
                "model": {"type": "BPE", "dropout": None, "vocab": self.ids, "merges": merges},
            }
        }

    def test_ids_from_separate_files(self):
        oracle = byte_level.ByteLevel(self.ids, self.merges, 64)
        rows = self.compare(self.model("files", self.separate_files()), oracle, self.texts)
        self.assertTrue(any(len(row["ids"]) == 64 for row in rows))

    def test_ids_from_tokenizer_json(self):
        oracle = byte_level.ByteLevel(self.ids, self.merges, 64)
        pairs = self.model("pairs", self.one_file(self.merges))
        self.compare(pairs, oracle, self.texts[: N_TEXTS // 4])
        strings = self.model("strings", self.one_file([f"{left} {right}" for left, right in self.merges]))
        self.compare(strings, oracle, self.texts[: N_TEXTS // 4])

    def test_prefix_space_of_a_named_and_of_a_generic_class(self):
        oracle = byte_level.ByteLevel(self.ids, self.merges, 64, adds_prefix_space=True)
        named = self.model("named", self.one_file(self.merges), add_prefix_space=True)
        self.compare(named, oracle, self.texts[: N_TEXTS // 4])
        files = self.one_file(self.merges, adds_prefix_space=True)
        generic = self.model("generic", files, tokenizer_class="PreTrainedTokenizerFast")
        self.compare(generic, oracle, self.texts[: N_TEXTS // 4])

    def test_ids_of_the_real_vocabulary(self):
        folder = SHARED / "tokenizers/roberta-base"
        if not folder.exists():
            self.skipTest(f"no {folder}")
        self.compare(folder, byte_level.ByteLevel.from_folder(folder, max_length=512), self.texts)


class WordPieceTokenizer(Comparison):
    @classmethod
    def setUpClass(cls):
        words = murmur_mini_words()
        accented = [word for word in words if not word.isascii()]
        # Characters and beginnings, as starts and as continuations, so that most words are found and some are not.
        strings = [*wordpiece.SPECIALS, *(chr(point) for point in range(33, 127))]
        strings += [text for word in words[:2000] + accented for text in (word, word.lower(), word[:3].lower())]
        strings += [f"##{text}" for word in words[:2000] for text in (word[1:2], word[2:5], word[-3:].lower())]
        strings += [f"{prefix}{chr(point)}" for point in range(0xA1, 0x530) for prefix in ("", "##")]
        strings += ["日", "本", "한", "ᄒ", "##ᅡ", "##ᆫ", "i\u0307", "##\u0307"]
        # A line of a vocabulary ends where Python's text mode says.
        strings = [text for text in dict.fromkeys(strings) if text not in ("", "##") and not set(text) & set("\r\n")]
        cls.ids = {text: number for number, text in enumerate(strings)}
        texts = AnyTexts(words, seed=20090408)
        cls.texts = real_texts(N_TEXTS // 2)
        cls.texts += [texts.next() for _ in range(N_TEXTS - len(cls.texts))]

    def oracle(self, **settings):
        return wordpiece.WordPiece(self.ids, 64, **settings)

    def separate_files(self, **settings):
        config = {"tokenizer_class": "BertTokenizer", "model_max_length": 64, **settings}
        return {"vocab.txt": "".join(text + "\n" for text in self.ids), "tokenizer_config.json": config}

    def one_file(self, tokenizer_class, rules, **settings):
        template = [{"SpecialToken": {"id": "[CLS]"}}, {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "[SEP]"}}]
        return {
            "tokenizer_config.json": {"tokenizer_class": tokenizer_class, "model_max_length": 64, **settings},
            "tokenizer.json": {
                "added_tokens": [
                    {"id": self.ids[token], "content": token, "normalized": False} for token in wordpiece.SPECIALS
                ],
                "normalizer": {"type": "BertNormalizer", "clean_text": True, **rules},
                "pre_tokenizer": {"type": "BertPreTokenizer"},
                "post_processor": {
                    "type": "TemplateProcessing",
                    "single": template,
                    "special_tokens": {token: {"ids": [self.ids[token]]} for token in ("[CLS]", "[SEP]")},
                },
                "model": {
                    "type": "WordPiece",
                    "unk_token": "[UNK]",
                    "continuing_subword_prefix": "##",
                    "max_input_chars_per_word": 100,
                    "vocab": self.ids,
                },
            },
        }

    def test_ids_without_case(self):
        folder = self.write_model("uncased", self.separate_files())
        rows = self.compare(folder, self.oracle(), self.texts)
        self.assertTrue(any(len(row["ids"]) == 64 for row in rows))

    def test_ids_with_case_and_every_mixture_of_rules(self):
        texts = self.texts[:: 4]
        for number, (lowers, strips, spaces) in enumerate(itertools.product((False, True), (None, False, True), (False, True))):
            flags = {"do_lower_case": lowers, "strip_accents": strips, "tokenize_chinese_chars": spaces}
            oracle = self.oracle(lowers=lowers, strips=strips, spaces_ideographs=spaces)
            folder = self.write_model(f"rules-{number}", self.separate_files(**flags))
            self.compare(folder, oracle, texts[number::12])

    def test_ids_from_tokenizer_json(self):
        texts = self.texts[:: 4]
        rules = {"lowercase": False, "strip_accents": None, "handle_chinese_chars": False}
        generic = self.write_model("generic", self.one_file("PreTrainedTokenizerFast", rules))
        self.compare(generic, self.oracle(lowers=False, spaces_ideographs=False), texts)
        # A named class takes its own rules, as in transformers.
        named = self.write_model("named", self.one_file("DistilBertTokenizer", rules))
        self.compare(named, self.oracle(), texts)
        cased = self.write_model("cased", self.one_file("BertTokenizerFast", {}, do_lower_case=False))
        self.compare(cased, self.oracle(lowers=False), texts)

    def test_ids_of_the_real_vocabulary(self):
        folder = SHARED / "tokenizers/bert-base-uncased"
        if not folder.exists():
            self.skipTest(f"no {folder}")
        self.compare(folder, wordpiece.WordPiece.from_folder(folder, max_length=512), self.texts)


if __name__ == "__main__":
    unittest.main()
