#!/usr/bin/env python3
"""Scores a model folder on tweets labelled by hand.

    evaluate.py MODEL_DIR DATA

Prints macro-averaged recall (the measure of the SemEval task), recall for each class
and accuracy: on the validation tweets and on those kept aside of the training file, as
they are, without mentions (what murmur scores by default), and with a link added.
"""

import argparse
import pathlib

import numpy
import torch

import dataset
from model import LABELS, load_model
from tweet_text import TweetTokenizer

INPUTS = {
    "mentions kept": lambda text: text,
    "mentions removed": dataset.without_mentions,
    "mentions removed, link added": lambda text: dataset.without_mentions(text) + " http",
}


@torch.no_grad()
def predict(model, sequences, batch_size=128):
    """The most probable label id of each token sequence."""
    model.eval()
    by_length = sorted(range(len(sequences)), key=lambda number: len(sequences[number]))
    predicted = numpy.empty(len(sequences), dtype=int)
    for begin in range(0, len(by_length), batch_size):
        numbers = by_length[begin : begin + batch_size]
        logits = model(dataset.pad([sequences[number] for number in numbers]))
        predicted[numbers] = logits.argmax(1).numpy()
    return predicted


def recalls(labels, predicted):
    return [(predicted[labels == label] == label).mean() for label in range(len(LABELS))]


def scores(labels, predicted):
    by_class = recalls(labels, predicted)
    return {
        "macro recall": numpy.mean(by_class),
        **{f"{name} recall": value for name, value in zip(LABELS, by_class)},
        "accuracy": (labels == predicted).mean(),
    }


def evaluate(model, tokenizer, tweets, change):
    """TWEETS are (label, text); CHANGE is what is done to each text first."""
    labels = numpy.array([label for label, _ in tweets])
    return scores(labels, predict(model, [tokenizer.encode(change(text)) for _, text in tweets]))


def held_out_tweets(data_dir):
    return {
        "validation": list(dataset.read_tweets(data_dir / dataset.VALIDATION_FILE)),
        "kept aside": dataset.kept_aside(data_dir),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model_dir", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    arguments = parser.parse_args()

    model = load_model(arguments.model_dir)
    tokenizer = TweetTokenizer.from_folder(arguments.model_dir)
    for set_name, tweets in held_out_tweets(arguments.data).items():
        for input_name, change in INPUTS.items():
            result = evaluate(model, tokenizer, tweets, change)
            numbers = "  ".join(f"{name} {value:.4f}" for name, value in result.items())
            print(f"{set_name}, {input_name} ({len(tweets)} tweets): {numbers}")


if __name__ == "__main__":
    main()
