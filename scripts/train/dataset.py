"""Training tweets as token ids: reading, variants, what is kept aside, batches.

murmur scores a tweet with its mentions cut out, but its tables can also be scored
raw, and links come and go with the source.  So every labelled tweet is encoded in
four variants and the trainer draws one each time it sees the tweet.
"""

import array
import dataclasses
import gzip
import multiprocessing
import re

import numpy
import torch

from model import LABELS, PAD
from tweet_text import TweetTokenizer

UNLABELLED = -1

MENTION = re.compile(r"(?<!\w)[@＠]\w+")
LINK = re.compile(r"\bhttps?\b(?:://\S+)?")

# Chances of: everything kept; mentions removed; links removed; both removed.
VARIANT_CHANCES = (0.15, 0.35, 0.10, 0.40)

HUMAN_FILES = (
    "semeval_train_http.tsv.gz",
    "extra_apple.tsv.gz",
    "extra_brand_sxsw.tsv.gz",
    "extra_sanders.tsv.gz",
    "extra_semeval2018_valence.tsv.gz",
    "extra_tse_kaggle.tsv.gz",
    "extra_vader_tweets.tsv.gz",
)
SEMEVAL_FILE = HUMAN_FILES[0]
DISTANT_FILE = "distant.tsv.gz"
UNLABELLED_FILE = "unlabeled.txt.gz"
VALIDATION_FILE = "semeval_val.tsv.gz"
N_ASIDE = 2000


def without_mentions(text):
    return MENTION.sub("", text)


def without_links(text):
    return LINK.sub("", text)


def variants(text):
    """In the order of VARIANT_CHANCES."""
    return (text, without_mentions(text), without_links(text), without_links(without_mentions(text)))


def read_tweets(path):
    """Yields (label, text)."""
    labelled = ".tsv" in path.name
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if labelled:
                label, _, text = line.partition("\t")
                yield int(label), text
            else:
                yield UNLABELLED, line


def fingerprint(text):
    """Equal for retweets and copies that differ in mentions, links, case or punctuation."""
    return re.sub(r"[\W_]+", "", without_links(without_mentions(text))).casefold()


def kept_aside(data_dir):
    """Rows of SEMEVAL_FILE that are never trained on: the same in every run."""
    tweets = list(read_tweets(data_dir / SEMEVAL_FILE))
    order = numpy.random.RandomState(0).permutation(len(tweets))
    return [tweets[row] for row in sorted(order[:N_ASIDE])]


def held_out_fingerprints(data_dir):
    held_out = [*read_tweets(data_dir / VALIDATION_FILE), *kept_aside(data_dir)]
    return {fingerprint(text) for _, text in held_out}


@dataclasses.dataclass
class EncodedTweets:
    """labels[tweet]; the ids of one variant are ids[starts[tweet, variant] : ends[tweet, variant]]."""

    labels: numpy.ndarray
    ids: numpy.ndarray
    starts: numpy.ndarray
    ends: numpy.ndarray

    def __len__(self):
        return len(self.labels)

    def tweet(self, number, variant):
        return self.ids[self.starts[number, variant] : self.ends[number, variant]]

    def take(self, numbers):
        return EncodedTweets(self.labels[numbers], self.ids, self.starts[numbers], self.ends[numbers])

    @staticmethod
    def join(parts):
        shifts = numpy.cumsum([0] + [len(part.ids) for part in parts])
        return EncodedTweets(
            numpy.concatenate([part.labels for part in parts]),
            numpy.concatenate([part.ids for part in parts]),
            numpy.concatenate([part.starts + shift for part, shift in zip(parts, shifts)]),
            numpy.concatenate([part.ends + shift for part, shift in zip(parts, shifts)]),
        )


def start_encoder(model_dir):
    global encoder
    encoder = TweetTokenizer.from_folder(model_dir)


def encode_variants(tweet):
    label, text = tweet
    spellings = variants(text)
    encoded = {spelling: encoder.encode(spelling) for spelling in set(spellings)}
    return label, [encoded[spelling] for spelling in spellings]


def encode_tweets(tweets, model_dir, processes):
    labels, starts, ends = [], [], []
    ids = array.array("i")  # a list of integers would take ten times the memory
    with multiprocessing.Pool(processes, start_encoder, (model_dir,)) as pool:
        for label, encoded in pool.imap(encode_variants, tweets, chunksize=1000):
            labels.append(label)
            row_starts, row_ends, seen = [], [], {}
            for variant in map(tuple, encoded):
                if variant not in seen:  # most variants of a tweet are the same
                    seen[variant] = (len(ids), len(ids) + len(variant))
                    ids.extend(variant)
                row_starts.append(seen[variant][0])
                row_ends.append(seen[variant][1])
            starts.append(row_starts)
            ends.append(row_ends)
    return EncodedTweets(*map(numpy.array, (labels, ids, starts, ends)))


def load_training_file(name, data_dir, model_dir, work_dir, limit=None, processes=2):
    """A data file as EncodedTweets, without held-out tweets and copies; kept in WORK once encoded.

    Of a file with more than LIMIT tweets a fixed random choice is taken.
    """
    path = work_dir / f"encoded_{name.partition('.')[0]}_{limit or 'all'}.npz"
    if not path.exists():
        tweets = list(read_tweets(data_dir / name))
        if limit and limit < len(tweets):
            tweets = [tweets[row] for row in numpy.random.RandomState(1).permutation(len(tweets))[:limit]]
        seen = held_out_fingerprints(data_dir)
        fresh = []
        for label, text in tweets:
            mark = fingerprint(text)
            if mark not in seen:
                seen.add(mark)
                fresh.append((label, text))
        encoded = encode_tweets(fresh, model_dir, processes)
        unfinished = path.with_suffix(".part.npz")
        numpy.savez(unfinished, **dataclasses.asdict(encoded))
        unfinished.rename(path)
    with numpy.load(path) as arrays:
        return EncodedTweets(**arrays)


def pad(sequences):
    width = max(map(len, sequences))
    batch = torch.full((len(sequences), width), PAD, dtype=torch.long)
    for row, ids in enumerate(sequences):
        batch[row, : len(ids)] = torch.as_tensor(ids)
    return batch


def class_weights(labels, strength):
    """A weight for each class, 1 on average over the tweets; strength 1 balances the classes."""
    counts = numpy.bincount(labels, minlength=len(LABELS)).astype(float)
    weights = (counts.sum() / numpy.maximum(counts, 1)) ** strength
    return weights * counts.sum() / (weights * counts).sum()


def epoch_batches(tweets, batch_size, random, pool_batches=50):
    """Yields (tweet numbers, padded ids), each tweet once, in one drawn variant.

    Texts of similar length share a batch, so little padding is computed: batches are cut
    from pools that are sorted by length, and then shuffled.
    """
    order = random.permutation(len(tweets))
    drawn = random.choice(len(VARIANT_CHANCES), size=len(tweets), p=VARIANT_CHANCES)
    lengths = (tweets.ends - tweets.starts)[numpy.arange(len(tweets)), drawn]
    pool_size = batch_size * pool_batches
    batches = []
    for begin in range(0, len(order), pool_size):
        pool = order[begin : begin + pool_size]
        pool = pool[numpy.argsort(lengths[pool], kind="stable")]
        batches.extend(pool[start : start + batch_size] for start in range(0, len(pool), batch_size))
    for batch in random.permutation(len(batches)):
        numbers = batches[batch]
        yield numbers, pad([tweets.tweet(number, drawn[number]) for number in numbers])
