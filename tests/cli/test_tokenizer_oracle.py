#!/usr/bin/env python3
"""murmur tokenize against the Python tokenizer of the training scripts, which shares nothing with it: real words, and
random pieces put together so that the rules meet. The same texts in every run."""

import html.entities
import json
import random
import re
import shutil
import sys
import unittest

import murmur_cli
from murmur_cli import MODEL, SOURCE, run

sys.path.insert(0, str(SOURCE / "scripts/train"))
try:
    import tweet_text
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

N_TEXTS = 5000
SURROGATE = re.compile("[\ud800-\udfff]")  # entities can spell one, and UTF-8 cannot
LONGEST_RUN = 60  # seconds, both programs and both modes

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
        self.kinds += [[f"&{name};" for name in html.entities.name2codepoint]]

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


class Tokenizer(murmur_cli.TestCase):
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
        texts = [texts.next() for _ in range(N_TEXTS)]
        lines = "".join(json.dumps({"text": text}, ensure_ascii=len(text) % 2 == 0) + "\n" for text in texts)
        result = run("tokenize", "--model", folder, "--normalized", stdin=lines.encode("utf-8"), timeout=LONGEST_RUN)
        self.assert_status(result, 0)
        expected = [
            {"ids": oracle.encode(text), "normalized": SURROGATE.sub("\ufffd", oracle.normalize(text))}
            for text in texts
        ]
        for text, got, wanted in zip(texts, result.rows, expected):
            self.assertEqual(got, wanted, ascii(text))
        self.assertEqual(len(result.rows), N_TEXTS)
        return expected

    def test_ids_with_normalization(self):
        rows = self.check_texts(has_normalization=True)
        self.assertTrue(any(len(row["ids"]) == 48 for row in rows))

    def test_ids_without_normalization(self):
        self.check_texts(has_normalization=False)


if __name__ == "__main__":
    unittest.main()
