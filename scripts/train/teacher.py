#!/usr/bin/env python3
"""A linear teacher: logistic regression on runs of words and characters.

    teacher.py DATA --work WORK

It learns from the SemEval tweets and labels those of the stage "teacher"; their
probabilities are kept in WORK.  It sees other things than the network does: rare
words, spellings, and which runs of words went with which emoticon.
"""

import argparse
import pathlib
import re

import numpy
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression

import dataset
from evaluate import held_out_tweets, scores
from tweet_text import normalize_tweet

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\w\s]+|_+")
NEGATION = re.compile(r"^(?:not?|never|none|nobody|nothing|neither|nor|cannot|without|hardly|.*n['’]t|dont|cant|wont|isnt|aint)$")
STOPS = re.compile(r"^[.,:;!?…]+$")


def spoken(text):
    """What both teachers and students see: no mentions, no links; here also in lower case."""
    return normalize_tweet(dataset.without_links(dataset.without_mentions(text))).lower()


def words(text):
    """Words and signs; after a negation, up to the next stop, marked as negated."""
    found, negated = [], False
    for word in WORD.findall(text):
        if STOPS.match(word):
            negated = False
        found.append("not_" + word if negated and word[0].isalnum() else word)
        if NEGATION.match(word):
            negated = not negated
    return found


class Mood:
    """For runs of one and two words: how much more often they went with a happy emoticon than with a sad one."""

    def __init__(self, texts, labels):
        self.counter = CountVectorizer(analyzer=self.runs, min_df=5, dtype=numpy.float32, binary=True)
        counts = self.counter.fit_transform(texts)
        happy = numpy.asarray(counts[labels > 1].sum(0)).ravel() + 2
        sad = numpy.asarray(counts[labels == 0].sum(0)).ravel() + 2
        self.log_odds = numpy.log(happy / happy.sum()) - numpy.log(sad / sad.sum())

    @staticmethod
    def runs(text):
        single = words(text)
        return single + [" ".join(pair) for pair in zip(single, single[1:])]

    def transform(self, texts):
        counts = self.counter.transform(texts)
        weighted = counts.multiply(self.log_odds[None, :]).tocsr()
        number = numpy.maximum(numpy.asarray(counts.sum(1)).ravel(), 1)
        total = numpy.asarray(weighted.sum(1)).ravel()
        most = numpy.asarray(weighted.max(1).todense()).ravel()
        least = numpy.asarray(weighted.min(1).todense()).ravel()
        return sparse.csr_matrix(numpy.stack([total / 10, total / number, most, least], 1).astype(numpy.float32))


class LinearTeacher:
    def __init__(self, tweets, distant):
        texts = [spoken(text) for _, text in tweets]
        labels = numpy.array([label for label, _ in tweets])
        self.mood = Mood([spoken(text) for _, text in distant], numpy.array([label for label, _ in distant]))
        self.features = [
            TfidfVectorizer(analyzer="word", tokenizer=words, token_pattern=None, ngram_range=(1, 4), min_df=2,
                            sublinear_tf=True, lowercase=False, dtype=numpy.float32),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True, lowercase=False,
                            dtype=numpy.float32),
        ]
        for feature in self.features:
            feature.fit(texts)
        self.model = LogisticRegression(C=1.0, class_weight="balanced", max_iter=150, solver="lbfgs")
        self.model.fit(self.matrix(texts), labels)

    def matrix(self, texts):
        return sparse.hstack([*(feature.transform(texts) for feature in self.features), self.mood.transform(texts)]).tocsr()

    def probabilities(self, texts):
        """[text, label]; of texts as they are."""
        return self.model.predict_proba(self.matrix([spoken(text) for text in texts])).astype(numpy.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    arguments = parser.parse_args()

    paths = {name: dataset.work_path(arguments.work, dataset.LINEAR, name) for name in dataset.TAUGHT_FILES}
    if all(path.exists() for path in paths.values()):
        return
    distant = dataset.fresh_tweets(dataset.DISTANT_FILE, arguments.data)
    teacher = LinearTeacher(dataset.fresh_tweets(dataset.SEMEVAL_FILE, arguments.data), distant)
    for set_name, tweets in held_out_tweets(arguments.data).items():
        found = teacher.probabilities([text for _, text in tweets])
        result = scores(numpy.array([label for label, _ in tweets]), found.argmax(1))
        print(f"linear teacher, {set_name}:", " ".join(f"{key} {value:.4f}" for key, value in result.items()), flush=True)
    for name, every in dataset.TAUGHT_FILES.items():
        texts = [text for _, text in dataset.fresh_tweets(name, arguments.data)][::every]

        def predict():
            return numpy.concatenate([teacher.probabilities(texts[begin : begin + 5000]) for begin in range(0, len(texts), 5000)])

        dataset.kept(paths[name], predict)
        print(f"{name}: {len(texts)} tweets", flush=True)


if __name__ == "__main__":
    main()
