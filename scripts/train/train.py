#!/usr/bin/env python3
"""Trains the model of a folder that holds vocab.txt and bpe.codes, and completes the folder.

    train.py DATA --work WORK --output MODEL_DIR

In stages.  "words" learns from all tweets: which words were masked, and whether an
emoticon, since removed, was happy or sad.  From there, "first people" learns the three
classes from tweets labelled by people.  It and the linear teacher (teacher.py) label
many more tweets; "taught", which begins again after "words", learns what both make of
them, and three runs of "people", which are averaged, the tweets labelled by people.

A run that is stopped continues from its last checkpoint in WORK.  The same data,
options and kind of processor give the same weights.
"""

import argparse
import dataclasses
import pathlib
import shutil
import time
from typing import Dict, Optional

import numpy

import dataset
from evaluate import INPUTS, Predictor, best_temperature, held_out_tweets, scores, softmax
from initial_embeddings import initial_embeddings
from library import AdamW, Batch, Layout, Transformer
from model import LABELS, Shape, write_configuration, write_safetensors
from tweet_text import FIXED_SPECIALS, TweetTokenizer

NEUTRAL = LABELS.index("NEU")
FIRST_WORD_ID = len(FIXED_SPECIALS)
EMBEDDING_DEVIATION = 0.05
MATRIX_DEVIATION = 0.02
BATCH_TOKENS = 6144
WITHOUT_BOTH = 3  # the variant without mentions and links
MOST_TEXTS = BATCH_TOKENS // 2  # no text has fewer tokens than two


@dataclasses.dataclass(frozen=True)
class Stage:
    name: str
    begins_after: Optional[str]  # the stage whose weights it begins with
    shares: Dict[str, float]  # of each file, the part that an epoch draws
    epochs: int
    learning_rate: float
    mask_rate: float
    mask_loss_weight: float
    class_balance: float  # 0: every tweet counts the same; 1: every class does
    label_smoothing: float
    labels: str  # "emoticons", "people" or "teachers"
    dropout: float
    softened: float = 0.0  # share of what the weights that the stage begins with make of a tweet, in what it should be
    warmup: float = 0.05
    averaged: float = 0.0  # share of the steps, the last ones, whose weights are averaged in the end


FIRST_PEOPLE = Stage(
    name="first people",
    begins_after="words",
    # All of SemEval in every epoch, a part of the rest: the other files are about
    # few products, or labelled by other rules.
    shares={name: 1.0 if name == dataset.SEMEVAL_FILE else 0.4 for name in dataset.HUMAN_FILES},
    epochs=2,
    learning_rate=2e-4,
    mask_rate=0.1,
    mask_loss_weight=0.0,  # masking is there to hide words, against learning by heart
    class_balance=1.0,
    label_smoothing=0.1,
    labels="people",
    dropout=0.1,
    averaged=0.3,
)

# The taught network has seen no person's label itself: what it makes of these tweets is worth hearing. Runs that begin with
# the same weights and see the tweets in other orders end near each other: their average is better than each ("model soups",
# Wortsman et al. 2022).
PEOPLE = tuple(
    dataclasses.replace(FIRST_PEOPLE, name=f"people {run}", begins_after="taught", softened=0.5) for run in (1, 2, 3)
)

STAGES = (
    Stage(
        name="words",
        begins_after=None,
        shares={dataset.DISTANT_FILE: 1.0, dataset.UNLABELLED_FILE: 0.8, **{name: 1.0 for name in dataset.HUMAN_FILES}},
        epochs=1,
        learning_rate=8e-4,
        mask_rate=0.15,
        mask_loss_weight=1.0,
        class_balance=0.5,
        label_smoothing=0.1,  # an emoticon is a weak sign
        labels="emoticons",
        dropout=0.0,
    ),
    FIRST_PEOPLE,
    Stage(
        name="taught",
        begins_after="words",
        shares={name: 1.0 for name in dataset.TAUGHT_FILES},
        epochs=1,
        learning_rate=5e-4,
        mask_rate=0.15,
        mask_loss_weight=0.2,
        class_balance=0.0,
        label_smoothing=0.0,
        labels="teachers",
        dropout=0.0,
    ),
    *PEOPLE,
)


def mask_words(ids, rate, mask_id, random):
    """Returns the ids with some words hidden, and where they were."""
    hidden = (ids >= FIRST_WORD_ID) & (random.random(len(ids)) < rate)
    random_ids = random.integers(FIRST_WORD_ID, mask_id, len(ids), dtype=numpy.int32)
    replacement = numpy.where(random.random(len(ids)) < 0.1, random_ids, numpy.int32(mask_id))
    return numpy.where(hidden, replacement, ids).astype(numpy.int32), numpy.flatnonzero(hidden).astype(numpy.int32)


def learning_rate_factor(step, n_steps, warmup):
    """Linear up to 1, then linear down to 0."""
    n_warmup = max(1, round(warmup * n_steps))
    return min((step + 1) / n_warmup, (n_steps - step) / max(1, n_steps - n_warmup))


class StageData:
    """The tweets of a stage, with what each should be and its weight in the loss."""

    def __init__(self, stage, files, soft_labels, seed):
        """FILES is {name: EncodedTweets}, SOFT_LABELS {name: [tweet, label]}, probabilities, where the stage wants them."""
        self.stage, self.seed = stage, seed
        self.tweets = dataset.EncodedTweets.join(list(files.values()))
        parts = [self.file_targets(name, tweets, soft_labels) for name, tweets in files.items()]
        self.targets, self.weights, self.is_binary = map(numpy.concatenate, zip(*parts))
        ends = numpy.cumsum([len(tweets) for tweets in files.values()])
        ranges = [numpy.arange(end - len(tweets), end) for tweets, end in zip(files.values(), ends)]
        self.ranges = list(zip(ranges, stage.shares.values()))
        self.steps_per_epoch = sum(1 for _ in self.epoch(0))

    def file_targets(self, name, tweets, soft_labels):
        """(targets, weights, is_binary).  Balanced within a file, so that files do not pull the classes different ways."""
        n = len(tweets)
        if self.stage.labels == "teachers":
            return soft_labels[name], numpy.ones(n, numpy.float32), numpy.zeros(n, numpy.uint8)
        is_binary = self.stage.labels == "emoticons"
        if is_binary and name != dataset.DISTANT_FILE:  # for its words alone
            return numpy.zeros((n, len(LABELS)), numpy.float32), numpy.zeros(n, numpy.float32), numpy.zeros(n, numpy.uint8)
        targets = numpy.eye(len(LABELS), dtype=numpy.float32)[tweets.labels]
        classes = numpy.ones(len(LABELS), numpy.float32)
        if is_binary:
            classes[NEUTRAL] = 0
        smooth = self.stage.label_smoothing
        targets = (1 - smooth) * targets + smooth * classes / classes.sum()
        if self.stage.softened:
            targets = (1 - self.stage.softened) * targets + self.stage.softened * soft_labels[name]
        weights = dataset.class_weights(tweets.labels, self.stage.class_balance)[tweets.labels]
        return targets.astype(numpy.float32), weights.astype(numpy.float32), numpy.full(n, is_binary, numpy.uint8)

    def epoch(self, epoch):
        random = numpy.random.RandomState([self.seed, epoch])
        rows = [random.permutation(rows)[: round(share * len(rows))] for rows, share in self.ranges]
        rows = numpy.concatenate(rows)
        for numbers, ids, starts in dataset.epoch_batches(self.tweets.take(rows), BATCH_TOKENS, random):
            yield rows[numbers], ids, starts

    def batches(self, mask_id, first_step):
        """Yields a Batch for each step from FIRST_STEP on, all epochs one after the other."""
        step = 0
        for epoch in range(self.stage.epochs):
            for rows, ids, starts in self.epoch(epoch):
                if step >= first_step:
                    yield self.batch(rows, ids, starts, step, mask_id)
                step += 1

    def batch(self, rows, ids, starts, step, mask_id):
        stage = self.stage
        random = numpy.random.default_rng([self.seed, step])
        masked_ids, masked = mask_words(ids, stage.mask_rate, mask_id, random)
        weights = self.weights[rows]
        n_labelled = max(1, numpy.count_nonzero(weights))
        guesses = stage.mask_loss_weight > 0 and len(masked) > 0
        return Batch(
            masked_ids,
            starts,
            self.targets[rows],
            weights / numpy.float32(n_labelled),
            self.is_binary[rows],
            masked if guesses else None,
            ids[masked] if guesses else None,
            stage.mask_loss_weight / max(1, len(masked)),
            stage.dropout,
            int(random.integers(2**32)),
        )


class Trainer:
    def __init__(self, shape, load_file, load_soft_labels, work_dir, seed, parts):
        self.shape, self.seed, self.work_dir = shape, seed, work_dir
        self.load_file, self.load_soft_labels = load_file, load_soft_labels
        self.checkpoint_path = work_dir / "checkpoint.npz"
        self.log_path = work_dir / "train.log"
        self.layout = Layout(shape)
        # A seventh of the tokens is masked on average; twice that never is.
        self.transformer = Transformer(shape, work_dir, BATCH_TOKENS, MOST_TEXTS, BATCH_TOKENS // 3, parts)
        self.parameters = self.initial_parameters()
        self.gradients = numpy.zeros_like(self.parameters)

    def initial_parameters(self):
        random = numpy.random.default_rng(self.seed)
        parameters = numpy.zeros(self.layout.size, numpy.float32)
        for name, (_, dimensions) in self.layout.entries.items():
            view = self.layout.view(parameters, name)
            if len(dimensions) > 1:
                view[...] = random.normal(0, MATRIX_DEVIATION, dimensions)
            elif name.endswith("LayerNorm.weight"):
                view[...] = 1
        return parameters

    def log(self, message):
        line = f"{time.strftime('%H:%M:%S')} {message}"
        print(line, flush=True)
        with open(self.log_path, "a", encoding="utf-8") as output:
            output.write(line + "\n")

    def initialize_embeddings(self, names):
        ids = numpy.concatenate([self.load_file(name).ids for name in names])
        vectors = initial_embeddings(ids, self.shape.vocab_size, self.shape.hidden_size, EMBEDDING_DEVIATION)
        self.layout.view(self.parameters, "roberta.embeddings.word_embeddings.weight")[...] = vectors

    def save(self, stage_number, step, optimizer, average):
        unfinished = self.checkpoint_path.with_suffix(".part.npz")
        numpy.savez(
            unfinished,
            stage=stage_number,
            step=step,
            parameters=self.parameters,
            mean=optimizer.mean,
            square=optimizer.square,
            optimizer_steps=optimizer.steps,
            average=average,
        )
        unfinished.rename(self.checkpoint_path)

    def finished_path(self, stage_name):
        return self.work_dir / f"finished_{stage_name.replace(' ', '_')}.npy"

    def run(self, stages, checkpoint_every, after_epoch):
        resumed = None
        if self.checkpoint_path.exists():
            with numpy.load(self.checkpoint_path) as arrays:
                resumed = dict(arrays)
        for number, stage in enumerate(stages):
            if self.finished_path(stage.name).exists():
                self.parameters[...] = numpy.load(self.finished_path(stage.name))
                continue
            if resumed is not None and number == resumed["stage"]:
                self.parameters[...] = resumed["parameters"]
                self.log(f"resuming stage {stage.name} at step {resumed['step']}")
            elif stage.begins_after is None:
                self.initialize_embeddings([dataset.UNLABELLED_FILE, dataset.DISTANT_FILE])
                self.log("embeddings ready")
            else:
                self.parameters[...] = numpy.load(self.finished_path(stage.begins_after))
            is_resumed = resumed is not None and number == resumed["stage"]
            self.run_stage(number, stage, resumed if is_resumed else None, checkpoint_every, after_epoch)
            numpy.save(self.finished_path(stage.name), self.parameters)

    def probabilities(self, stage_name, name, tweets):
        """[tweet, label]: what the network after a stage makes of file NAME's, without mentions and links; kept in WORK."""

        def predict():
            parameters = numpy.load(self.finished_path(stage_name))
            sequences = [tweets.tweet(row, WITHOUT_BOTH) for row in range(len(tweets))]
            return softmax(Predictor(self.transformer, BATCH_TOKENS).logits(parameters, sequences))

        return dataset.kept(dataset.work_path(self.work_dir, f"after {stage_name}", name), predict)

    def run_stage(self, number, stage, resumed, checkpoint_every, after_epoch):
        files = {name: self.load_file(name) for name in stage.shares}
        soft_labels = None
        if stage.labels == "teachers":
            files = {name: tweets.take(slice(None, None, dataset.TAUGHT_FILES[name])) for name, tweets in files.items()}
            soft_labels = {name: self.load_soft_labels(self, name, tweets) for name, tweets in files.items()}
        elif stage.softened:
            soft_labels = {name: self.probabilities(stage.begins_after, name, tweets) for name, tweets in files.items()}
        data = StageData(stage, files, soft_labels, self.seed + number)
        n_steps = stage.epochs * data.steps_per_epoch
        first_averaged = round((1 - stage.averaged) * n_steps)
        optimizer = AdamW(self.transformer.library, self.layout)
        average = numpy.zeros_like(self.parameters)  # the sum, until the end
        first_step = 0
        if resumed is not None:
            optimizer.mean, optimizer.square = resumed["mean"], resumed["square"]
            optimizer.steps, first_step = int(resumed["optimizer_steps"]), int(resumed["step"])
            average = resumed["average"]
        losses, n_tokens, began = numpy.zeros(2), 0, time.time()
        for step, batch in enumerate(data.batches(self.shape.vocab_size - 1, first_step), first_step):
            rate = stage.learning_rate * learning_rate_factor(step, n_steps, stage.warmup)
            label_loss, word_loss = self.transformer.learn(self.parameters, self.gradients, batch)
            optimizer.step(self.parameters, self.gradients, rate)
            if step >= first_averaged:
                average += self.parameters

            losses += label_loss, word_loss / (1 if batch.masked is None else len(batch.masked))
            n_tokens += len(batch.ids)
            done = step + 1
            if done % 100 == 0:
                labels, words = losses / 100
                speed = n_tokens / (time.time() - began)
                self.log(f"{stage.name} {done}/{n_steps} label loss {labels:.4f} word loss {words:.4f} {speed:.0f} tokens/s")
                losses, n_tokens, began = numpy.zeros(2), 0, time.time()
            if done == n_steps and first_averaged < n_steps:
                self.parameters[...] = average / (n_steps - first_averaged)
            if done % checkpoint_every == 0 or done == n_steps:
                self.save(number, done, optimizer, average)
            if done % data.steps_per_epoch == 0:
                after_epoch(stage.name, done // data.steps_per_epoch)

    def published(self, temperature):
        """{name: tensor} of the Hugging Face checkpoint, whose logits are divided by the temperature."""
        tensors = {name: self.layout.view(self.parameters, name) for name in self.layout.published_names()}
        for name in ("classifier.out_proj.weight", "classifier.out_proj.bias"):
            tensors[name] = tensors[name] / numpy.float32(temperature)
        return tensors


def soft_labels(trainer, name, tweets):
    """What the linear teacher and the network after "first people" make of the tweets, averaged.

    An emoticon that was there speaks too: it makes its own side twice as likely, the other half as likely.
    """
    linear = numpy.load(dataset.work_path(trainer.work_dir, dataset.LINEAR, name))
    found = (trainer.probabilities("first people", name, tweets) + linear) / 2
    if name == dataset.DISTANT_FILE:
        signs = tweets.labels - NEUTRAL
        found *= 2.0 ** (signs[:, None] * (numpy.arange(len(LABELS)) - NEUTRAL))
        found /= found.sum(1, keepdims=True)
    return found.astype(numpy.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder for encoded tweets and checkpoints")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="model folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--parts", type=int, default=2, help="of a batch, side by side; the weights depend on it")
    parser.add_argument("--checkpoint-every", type=int, default=250, help="steps")
    arguments = parser.parse_args()

    arguments.work.mkdir(parents=True, exist_ok=True)
    n_lines = sum(1 for _ in open(arguments.output / "vocab.txt", encoding="utf-8", newline="\n"))
    shape = Shape(vocab_size=len(FIXED_SPECIALS) + n_lines + 1)
    write_configuration(arguments.output, shape)
    tokenizer = TweetTokenizer.from_folder(arguments.output)
    held_out = held_out_tweets(arguments.data)

    def load_file(name):
        return dataset.load_training_file(name, arguments.data, arguments.output, arguments.work)

    trainer = Trainer(shape, load_file, soft_labels, arguments.work, arguments.seed, arguments.parts)
    predictor = Predictor(trainer.transformer, BATCH_TOKENS)

    def held_out_logits(set_name):
        """(labels, logits)"""
        tweets = held_out[set_name]
        sequences = [tokenizer.encode(INPUTS["mentions removed"](text)) for _, text in tweets]
        return numpy.array([label for label, _ in tweets]), predictor.logits(trainer.parameters, sequences)

    def report(stage_name, epoch):
        for set_name in held_out:
            labels, logits = held_out_logits(set_name)
            result = scores(labels, logits.argmax(1))
            numbers = " ".join(f"{name} {value:.4f}" for name, value in result.items())
            trainer.log(f"{stage_name} epoch {epoch}, {set_name}: {numbers}")

    trainer.run(STAGES, arguments.checkpoint_every, report)
    trainer.parameters[...] = numpy.mean([numpy.load(trainer.finished_path(stage.name)) for stage in PEOPLE], 0)
    report("average of people", STAGES[-1].epochs)
    temperature = best_temperature(*held_out_logits("kept aside"))
    trainer.log(f"temperature {temperature:.3f}")
    unfinished = arguments.work / "model.safetensors"
    write_safetensors(unfinished, trainer.published(temperature))
    shutil.move(unfinished, arguments.output / "model.safetensors")


if __name__ == "__main__":
    main()
