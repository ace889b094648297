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

from model import LABELS
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

# What the teachers label for the student: of each file, one tweet in so many.
TAUGHT_FILES = {DISTANT_FILE: 1, UNLABELLED_FILE: 2}


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


def fresh_tweets(name, data_dir):
    """[(label, text)] of a training file, without held-out tweets and copies."""
    seen = held_out_fingerprints(data_dir)
    fresh = []
    for label, text in read_tweets(data_dir / name):
        mark = fingerprint(text)
        if mark not in seen:
            seen.add(mark)
            fresh.append((label, text))
    return fresh


def load_training_file(name, data_dir, model_dir, work_dir, processes=2):
    """A data file as EncodedTweets, without held-out tweets and copies; kept in WORK once encoded."""
    path = work_dir / f"encoded_{name.partition('.')[0]}.npz"
    if not path.exists():
        encoded = encode_tweets(fresh_tweets(name, data_dir), model_dir, processes)
        unfinished = path.with_suffix(".part.npz")
        numpy.savez(unfinished, **dataclasses.asdict(encoded))
        unfinished.rename(path)
    with numpy.load(path) as arrays:
        return EncodedTweets(**arrays)


def kept(path, make):
    """The array in PATH, which MAKE makes if it is not there yet."""
    if not path.exists():
        unfinished = path.with_suffix(".part.npy")
        numpy.save(unfinished, make())
        unfinished.rename(path)
    return numpy.load(path)


LINEAR = "linear"  # arrays of the linear teacher's probabilities


def work_path(work_dir, kind, name):
    """Where an array about file NAME is kept."""
    return work_dir / f"{kind.replace(' ', '_')}_{name.partition('.')[0]}.npy"


def class_weights(labels, strength):
    """A weight for each class, 1 on average over the tweets; strength 1 balances the classes."""
    counts = numpy.bincount(labels, minlength=len(LABELS)).astype(float)
    weights = (counts.sum() / numpy.maximum(counts, 1)) ** strength
    return weights * counts.sum() / (weights * counts).sum()


def packed(sequences):
    """(ids, starts): the token sequences end to end, and where each begins, and the end."""
    starts = numpy.concatenate([[0], numpy.cumsum([len(ids) for ids in sequences])]).astype(numpy.int32)
    return numpy.concatenate(sequences).astype(numpy.int32), starts


def epoch_batches(tweets, batch_tokens, random):
    """Yields (tweet numbers, ids, starts), each tweet once, in one drawn variant; at most BATCH_TOKENS each."""
    order = random.permutation(len(tweets))
    drawn = random.choice(len(VARIANT_CHANCES), size=len(tweets), p=VARIANT_CHANCES)
    lengths = (tweets.ends - tweets.starts)[numpy.arange(len(tweets)), drawn]
    numbers, tokens = [], 0
    for number in order:
        if tokens + lengths[number] > batch_tokens:
            yield numpy.array(numbers), *packed([tweets.tweet(each, drawn[each]) for each in numbers])
            numbers, tokens = [], 0
        numbers.append(number)
        tokens += lengths[number]
    if numbers:
        yield numpy.array(numbers), *packed([tweets.tweet(each, drawn[each]) for each in numbers])
