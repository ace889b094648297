#!/usr/bin/env python3
"""Scores a model folder on tweets labelled by hand.

    evaluate.py MODEL_DIR DATA [--work WORK]

Prints macro-averaged recall (the measure of the SemEval task), recall for each class,
accuracy and the expected calibration error: on the validation tweets and on those kept
aside of the training file, as they are, without mentions (what murmur scores by
default), and with a link added.
"""

import argparse
import pathlib
import tempfile

import numpy

import dataset
from library import Batch, Transformer
from model import LABELS, read_safetensors, read_shape
from tweet_text import TweetTokenizer

INPUTS = {
    "mentions kept": lambda text: text,
    "mentions removed": dataset.without_mentions,
    "mentions removed, link added": lambda text: dataset.without_mentions(text) + " http",
}
BATCH_TOKENS = 4096


class Predictor:
    def __init__(self, transformer, batch_tokens):
        self.transformer, self.batch_tokens = transformer, batch_tokens

    def logits(self, parameters, sequences):
        """[sequence, label]"""
        found, begin = [], 0
        ends = numpy.cumsum([len(ids) for ids in sequences])
        while begin < len(sequences):
            before = ends[begin - 1] if begin else 0
            end = max(begin + 1, int(numpy.searchsorted(ends, before + self.batch_tokens, side="right")))
            found.append(self.transformer.predict(parameters, Batch(*dataset.packed(sequences[begin:end]))))
            begin = end
        return numpy.concatenate(found)


def recalls(labels, predicted):
    return [(predicted[labels == label] == label).mean() for label in range(len(LABELS))]


def scores(labels, predicted):
    by_class = recalls(labels, predicted)
    return {
        "macro recall": numpy.mean(by_class),
        **{f"{name} recall": value for name, value in zip(LABELS, by_class)},
        "accuracy": (labels == predicted).mean(),
    }


def softmax(logits):
    powers = numpy.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def calibration_error(labels, probabilities, bins=15):
    """Expected calibration error (Guo et al. 2017): how far confidence is from accuracy, on average over equal bins."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    of_bin = numpy.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs((confidence - right)[of_bin == each].sum()) for each in range(bins)]
    return sum(gaps) / len(labels)


def best_temperature(labels, logits):
    """What logits are divided by so that the labels are most probable (Guo et al. 2017)."""

    def surprise(temperature):
        return -numpy.log(softmax(logits / temperature)[numpy.arange(len(labels)), labels]).mean()

    return min(numpy.exp(numpy.linspace(numpy.log(0.25), numpy.log(4), 401)), key=surprise)


def held_out_tweets(data_dir):
    return {
        "validation": list(dataset.read_tweets(data_dir / dataset.VALIDATION_FILE)),
        "kept aside": dataset.kept_aside(data_dir),
    }


def load_predictor(model_dir, work_dir):
    """(predictor, parameters) of a published model."""
    transformer = Transformer(read_shape(model_dir), work_dir, BATCH_TOKENS, BATCH_TOKENS // 2, 0, parts=1)
    parameters = numpy.zeros(transformer.layout.size, numpy.float32)
    for name, tensor in read_safetensors(model_dir / "model.safetensors").items():
        transformer.layout.view(parameters, name)[...] = tensor
    return Predictor(transformer, BATCH_TOKENS), parameters


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model_dir", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()))
    arguments = parser.parse_args()

    predictor, parameters = load_predictor(arguments.model_dir, arguments.work)
    tokenizer = TweetTokenizer.from_folder(arguments.model_dir)
    for set_name, tweets in held_out_tweets(arguments.data).items():
        labels = numpy.array([label for label, _ in tweets])
        for input_name, change in INPUTS.items():
            logits = predictor.logits(parameters, [tokenizer.encode(change(text)) for _, text in tweets])
            result = scores(labels, logits.argmax(1))
            result["calibration error"] = calibration_error(labels, softmax(logits))
            numbers = "  ".join(f"{name} {value:.4f}" for name, value in result.items())
            print(f"{set_name}, {input_name} ({len(tweets)} tweets): {numbers}")


if __name__ == "__main__":
    main()
