#!/usr/bin/env python3
"""Learns vocab.txt and bpe.codes of a small tweet model, in BERTweet's formats.

    train_bpe.py DATA --work WORK --output MODEL_DIR [--vocabulary 16384]

DATA holds unlabeled.txt.gz and the labelled *.tsv.gz files.  The words of all
normalised tweets are counted once and kept in WORK.  The vocabulary is then

    the four fixed specials, characters that are frequent enough, one entry for
    each merge, <mask>

so every symbol that BPE can produce from those characters has an id, and only
rare characters become <unk>.

The result depends on the data alone: of pairs with equal counts, the one that is
smaller as a pair of strings is merged first.
"""

import argparse
import collections
import gzip
import heapq
import multiprocessing
import pathlib

from tweet_text import (
    FIXED_SPECIALS,
    initial_symbols,
    merge_pair,
    normalize_tweet,
    split_words,
    surface_token,
)

VALIDATION = "semeval_val.tsv.gz"
# The same tweets as in semeval_train_http, without their links.
DUPLICATE = "semeval_train.tsv.gz"


def corpus_lines(data_dir):
    """All tweets but those of the validation set."""
    for path in sorted(data_dir.glob("*.gz")):
        if path.name in (VALIDATION, DUPLICATE):
            continue
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            for line in lines:
                yield line.rstrip("\n").split("\t", 1)[-1]


def words_of_tweet(text):
    return split_words(normalize_tweet(text))


def count_words(data_dir, processes):
    counts = collections.Counter()
    with multiprocessing.Pool(processes) as pool:
        for words in pool.imap(words_of_tweet, corpus_lines(data_dir), chunksize=2000):
            counts.update(words)
    return counts


def cached_word_counts(data_dir, work_dir, processes):
    """{word: count}, from WORK/word_counts.txt ("WORD COUNT" lines) when it is there."""
    path = work_dir / "word_counts.txt"
    if not path.exists():
        counts = count_words(data_dir, processes)
        unfinished = path.with_suffix(".part")
        with open(unfinished, "w", encoding="utf-8", newline="\n") as output:
            for word in sorted(counts):
                output.write(f"{word} {counts[word]}\n")
        unfinished.rename(path)
    with open(path, encoding="utf-8", newline="\n") as lines:
        rows = (line.rstrip("\n").rpartition(" ") for line in lines)
        return {word: int(count) for word, _, count in rows}


def frequent_characters(words, minimum):
    """{symbol: count} of single characters; with "</w>" where they end a word."""
    counts = collections.Counter()
    for word, count in words.items():
        for symbol in initial_symbols(word):
            counts[symbol] += count
    return {symbol: count for symbol, count in counts.items() if count >= minimum}


class PairCounts:
    """How often each pair of neighbours occurs, kept up to date as words are merged."""

    def __init__(self, words):
        self.words = [initial_symbols(word) for word in words]
        self.word_counts = list(words.values())
        self.counts = collections.Counter()
        self.where = collections.defaultdict(set)  # pair -> words that hold it, or once did
        for number in range(len(self.words)):
            self.add(number, +1)
        # A heap entry can be out of date; most_frequent() checks it against the counts.
        self.heap = [(-count, pair) for pair, count in self.counts.items()]
        heapq.heapify(self.heap)

    def add(self, number, sign):
        """Counts the pairs of one word in (+1) or out (-1); returns them."""
        symbols = self.words[number]
        pairs = set(zip(symbols, symbols[1:]))
        for pair in zip(symbols, symbols[1:]):
            self.counts[pair] += sign * self.word_counts[number]
        if sign > 0:
            for pair in pairs:
                self.where[pair].add(number)
        return pairs

    def most_frequent(self):
        while self.heap:
            count, pair = self.heap[0]
            current = self.counts[pair]
            if current == -count:
                return pair, current
            heapq.heappop(self.heap)
            if current > 0:
                heapq.heappush(self.heap, (-current, pair))
        return None, 0

    def merge(self, pair):
        touched = set()
        for number in self.where.pop(pair):
            touched |= self.add(number, -1)
            self.words[number] = merge_pair(self.words[number], *pair)
            touched |= self.add(number, +1)
        for other in touched:
            if self.counts[other] > 0:
                heapq.heappush(self.heap, (-self.counts[other], other))

    def symbol_counts(self):
        """How often each symbol occurs after the merges made so far."""
        counts = collections.Counter()
        for symbols, count in zip(self.words, self.word_counts):
            for symbol in symbols:
                counts[symbol] += count
        return counts


def learn_merges(words, n_merges):
    """Returns [(pair, count when it was merged)] and the symbol counts at the end."""
    pairs = PairCounts(words)
    merges = []
    known = set()
    while len(merges) < n_merges:
        pair, count = pairs.most_frequent()
        if pair is None:
            break
        pairs.merge(pair)
        # Two merges can spell the same symbol ("a"+"bc", "ab"+"c"); it has one id, so
        # the second one is kept as a rule without using up a place in the vocabulary.
        if "".join(pair) in known:
            n_merges += 1
        known.add("".join(pair))
        merges.append((pair, count))
    return merges, pairs.symbol_counts()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder for intermediate files")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="model folder to write to")
    parser.add_argument("--vocabulary", type=int, default=16384, help="ids in all, specials included")
    parser.add_argument("--character-minimum", type=int, default=100, help="occurrences that earn a character an id")
    parser.add_argument("--word-minimum", type=int, default=2, help="rarer words are left out of the pair counts")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()

    arguments.work.mkdir(parents=True, exist_ok=True)
    arguments.output.mkdir(parents=True, exist_ok=True)
    words = cached_word_counts(arguments.data, arguments.work, arguments.processes)
    characters = frequent_characters(words, arguments.character_minimum)
    n_specials = len(FIXED_SPECIALS) + 1  # and <mask>
    words = {word: count for word, count in words.items() if count >= arguments.word_minimum}
    merges, counts = learn_merges(words, arguments.vocabulary - n_specials - len(characters))

    symbols = {symbol: counts[symbol] for symbol in characters}
    symbols.update({left + right: counts[left + right] for (left, right), _ in merges})
    by_frequency = sorted(symbols, key=lambda symbol: (-symbols[symbol], symbol))
    with open(arguments.output / "vocab.txt", "w", encoding="utf-8", newline="\n") as output:
        for symbol in by_frequency:
            output.write(f"{surface_token(symbol)} {symbols[symbol]}\n")
    with open(arguments.output / "bpe.codes", "w", encoding="utf-8", newline="\n") as output:
        for (left, right), count in merges:
            output.write(f"{left} {right} {count}\n")
    print(f"{len(characters)} characters, {len(merges)} merges, {len(symbols) + n_specials} ids")


if __name__ == "__main__":
    main()
