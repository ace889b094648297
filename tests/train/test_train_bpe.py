"""The tokenizer trainer against a slow one, on words and texts of its own."""

import collections
import gzip
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent.parent / "scripts/train"
sys.path.insert(0, str(SCRIPTS))

from tweet_text import FIXED_SPECIALS, TweetTokenizer, initial_symbols, merge_pair  # noqa: E402
from train_bpe import frequent_characters, learn_merges  # noqa: E402


def slow_merges(words, n_merges):
    """Counts all pairs of all words again for every merge."""
    symbols = {word: initial_symbols(word) for word in words}
    merges = []
    spellings = set()
    while len(spellings) < n_merges:
        counts = collections.Counter()
        for word, count in words.items():
            for pair in zip(symbols[word], symbols[word][1:]):
                counts[pair] += count
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append((best, counts[best]))
        spellings.add("".join(best))
        symbols = {word: merge_pair(parts, *best) for word, parts in symbols.items()}
    return merges


class Merges(unittest.TestCase):
    def test_equal_the_slow_ones(self):
        for seed in range(30):
            chance = random.Random(seed)
            letters = "abcä😀" if seed % 2 else "ab"
            words = collections.Counter()
            for _ in range(40):
                word = "".join(chance.choice(letters) for _ in range(chance.randint(1, 8)))
                words[word] += chance.randint(1, 20)
            found, _ = learn_merges(dict(words), 25)
            self.assertEqual(found, slow_merges(dict(words), 25), seed)

    def test_counts_of_symbols_add_up(self):
        words = {"banana": 3, "bandana": 2, "an": 7}
        merges, counts = learn_merges(words, 4)
        spelled = sum(len(symbol.replace("</w>", "")) * count for symbol, count in counts.items())
        self.assertEqual(spelled, sum(len(word) * count for word, count in words.items()))
        self.assertEqual(len(merges), 4)

    def test_rare_characters_are_left_out(self):
        self.assertEqual(set(frequent_characters({"ab": 5, "cb": 1}, 2)), {"a", "b</w>"})


class Files(unittest.TestCase):
    def test_a_folder_that_the_tokenizer_reads(self):
        texts = [f"so {word} today, {word} again @user http" for word in ("happy", "happier", "unhappy", "lucky")] * 30
        with tempfile.TemporaryDirectory() as folder:
            data, model = pathlib.Path(folder) / "data", pathlib.Path(folder) / "model"
            data.mkdir()
            with gzip.open(data / "unlabeled.txt.gz", "wt", encoding="utf-8") as lines:
                lines.writelines(text + "\n" for text in texts)
            command = [sys.executable, SCRIPTS / "train_bpe.py", data, "--work", folder, "--output", model]
            outputs = []
            for _ in range(2):
                subprocess.run([*command, "--vocabulary", "64", "--character-minimum", "10"], check=True,
                               stdout=subprocess.DEVNULL, timeout=120)
                outputs.append([(model / name).read_bytes() for name in ("vocab.txt", "bpe.codes")])
            self.assertEqual(*outputs)
            tokenizer = TweetTokenizer(model)
            self.assertEqual(len(tokenizer.ids), 64)
            self.assertEqual(sorted(tokenizer.ids.values()), list(range(64)))
            self.assertEqual([tokenizer.ids[name] for name in FIXED_SPECIALS], list(range(len(FIXED_SPECIALS))))
            for text in texts:
                ids = tokenizer.encode(text)
                self.assertNotIn(tokenizer.ids["<unk>"], ids)
                names = {number: name for name, number in tokenizer.ids.items()}
                spelled = " ".join(names[number] for number in ids[1:-1]).replace("@@ ", "")
                self.assertEqual(spelled, tokenizer.normalize(text))
            self.assertIn(tokenizer.ids["happy"], tokenizer.encode(texts[0]))


if __name__ == "__main__":
    unittest.main()
