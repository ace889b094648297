#!/usr/bin/env python3
"""Trains the model of a folder that holds vocab.txt and bpe.codes, and completes the folder.

    train.py DATA --work WORK --output MODEL_DIR

Two stages.  The first learns from many tweets that nobody labelled by hand: whether an
emoticon, since removed, was happy or sad (distant supervision), and which tokens were
masked.  The second learns the three classes from tweets labelled by people.

A run that is stopped continues from its last checkpoint in WORK.  The same data,
options and number of threads give the same batches and the same random numbers.
"""

import argparse
import dataclasses
import math
import pathlib
import shutil
import time
from typing import Dict, Optional

import numpy
import torch
import torch.nn.functional as functional
from torch import nn

import dataset
from evaluate import INPUTS, evaluate, held_out_tweets
from initial_embeddings import initial_embeddings
from model import LABELS, Dropout, SentimentModel, Shape, write_configuration, write_safetensors
from tweet_text import FIXED_SPECIALS, TweetTokenizer

NEUTRAL = LABELS.index("NEU")
FIRST_WORD_ID = len(FIXED_SPECIALS)
EMBEDDING_DEVIATION = 0.05


@dataclasses.dataclass(frozen=True)
class Stage:
    name: str
    shares: Dict[str, float]  # of each file, the part that an epoch draws
    epochs: int
    learning_rate: float
    mask_rate: float
    mask_loss_weight: float
    class_balance: float  # 0: every tweet counts the same; 1: every class does
    label_smoothing: float
    has_neutral: bool
    dropout: float
    warmup: float = 0.06
    batch_size: int = 64


STAGES = (
    Stage(
        name="distant",
        shares={dataset.DISTANT_FILE: 0.9, dataset.UNLABELLED_FILE: 0.06},
        epochs=1,
        learning_rate=4e-4,
        mask_rate=0.15,
        mask_loss_weight=0.3,
        class_balance=0.0,
        label_smoothing=0.1,  # an emoticon is a weak sign
        has_neutral=False,
        dropout=0.0,
    ),
    Stage(
        name="human",
        # All of SemEval in every epoch, a part of the rest: the other files are about
        # few products, or labelled by other rules.
        shares={name: 1.0 if name == dataset.SEMEVAL_FILE else 0.4 for name in dataset.HUMAN_FILES},
        epochs=3,
        learning_rate=2e-4,
        mask_rate=0.1,
        mask_loss_weight=0.0,  # masking is there to hide words, against learning by heart
        class_balance=1.0,
        label_smoothing=0.1,
        has_neutral=True,
        dropout=0.1,
    ),
)


class MaskedWordHead(nn.Module):
    """Guesses masked tokens; used in training only, and never exported."""

    def __init__(self, shape):
        super().__init__()
        self.dense = nn.Linear(shape.hidden_size, shape.hidden_size)
        self.LayerNorm = nn.LayerNorm(shape.hidden_size, shape.layer_norm_eps)
        self.bias = nn.Parameter(torch.zeros(shape.vocab_size))

    def forward(self, hidden, word_embeddings):
        return functional.linear(self.LayerNorm(functional.gelu(self.dense(hidden))), word_embeddings, self.bias)


def mask_words(ids, rate, mask_id):
    """Returns the ids with some words hidden, and where they were."""
    hidden = (ids >= FIRST_WORD_ID) & (torch.rand(ids.shape) < rate)
    random_ids = torch.randint(FIRST_WORD_ID, mask_id, ids.shape)
    replacement = torch.where(torch.rand(ids.shape) < 0.1, random_ids, torch.full_like(ids, mask_id))
    return torch.where(hidden, replacement, ids), hidden


def learning_rate_factor(step, n_steps, warmup):
    """Linear up to 1, then linear down to 0."""
    n_warmup = max(1, round(warmup * n_steps))
    return min((step + 1) / n_warmup, (n_steps - step) / max(1, n_steps - n_warmup))


class StageData:
    """The tweets of a stage, with the weight of each in the loss."""

    def __init__(self, stage, load_file):
        self.stage = stage
        files = [load_file(name) for name in stage.shares]
        self.tweets = dataset.EncodedTweets.join(files)
        self.weights = numpy.concatenate([self.file_weights(tweets.labels) for tweets in files])
        ends = numpy.cumsum([len(tweets) for tweets in files])
        self.ranges = [numpy.arange(end - len(tweets), end) for tweets, end in zip(files, ends)]
        self.draws = [round(share * len(tweets)) for share, tweets in zip(stage.shares.values(), files)]
        self.steps_per_epoch = math.ceil(sum(self.draws) / stage.batch_size)

    def file_weights(self, labels):
        """Balanced within a file, so that files do not pull the classes different ways."""
        if (labels == dataset.UNLABELLED).all():
            return numpy.zeros(len(labels))
        return dataset.class_weights(labels, self.stage.class_balance)[labels]

    def batches(self, seed):
        """Yields (labels, weights, padded ids), all epochs one after the other."""
        for epoch in range(self.stage.epochs):
            random = numpy.random.RandomState([seed, epoch])
            rows = [random.permutation(rows)[:draw] for rows, draw in zip(self.ranges, self.draws)]
            rows = numpy.concatenate(rows)
            for numbers, ids in dataset.epoch_batches(self.tweets.take(rows), self.stage.batch_size, random):
                labels = self.tweets.labels[rows[numbers]]
                weights = self.weights[rows[numbers]]
                yield torch.as_tensor(labels), torch.as_tensor(weights, dtype=torch.float32), ids


class Trainer:
    def __init__(self, shape, load_file, work_dir, seed):
        self.shape = shape
        self.load_file = load_file
        self.checkpoint_path = work_dir / "checkpoint.pt"
        self.log_path = work_dir / "train.log"
        self.seed = seed
        torch.manual_seed(seed)
        self.model = SentimentModel(shape)
        self.mask_head = MaskedWordHead(shape)
        self.modules = nn.ModuleList([self.model, self.mask_head])

    def log(self, message):
        line = f"{time.strftime('%H:%M:%S')} {message}"
        print(line, flush=True)
        with open(self.log_path, "a", encoding="utf-8") as output:
            output.write(line + "\n")

    def initialize_embeddings(self, names):
        ids = numpy.concatenate([self.load_file(name).ids for name in names])
        vectors = initial_embeddings(ids, self.shape.vocab_size, self.shape.hidden_size, EMBEDDING_DEVIATION)
        with torch.no_grad():
            self.model.roberta.embeddings.word_embeddings.weight.copy_(torch.from_numpy(vectors))

    def new_optimizer(self, stage):
        parameters = [parameter for parameter in self.modules.parameters() if parameter.requires_grad]
        return torch.optim.AdamW(
            [
                {"params": [p for p in parameters if p.dim() > 1], "weight_decay": 0.01},
                {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0.0},
            ],
            lr=stage.learning_rate,
            betas=(0.9, 0.98),
        )

    def loss(self, stage, labels, weights, ids):
        masked_ids, hidden_words = mask_words(ids, stage.mask_rate, self.shape.vocab_size - 1)
        states = self.model.roberta(masked_ids, first_only=stage.mask_loss_weight == 0)
        logits = self.model.classifier(states)
        loss = torch.zeros(())
        known = labels != dataset.UNLABELLED
        if known.any():
            logits, labels, weights = logits[known], labels[known], weights[known]
            if not stage.has_neutral:  # leave the third class alone
                logits = torch.stack([logits[:, label] for label in range(len(LABELS)) if label != NEUTRAL], 1)
                labels = (labels > NEUTRAL).long()
            each = functional.cross_entropy(
                logits, labels, reduction="none", label_smoothing=stage.label_smoothing
            )
            loss = loss + (each * weights).mean()
        if stage.mask_loss_weight > 0 and hidden_words.any():
            guesses = self.mask_head(states[hidden_words], self.model.roberta.embeddings.word_embeddings.weight)
            loss = loss + stage.mask_loss_weight * functional.cross_entropy(guesses, ids[hidden_words])
        return loss

    def save(self, stage_number, step, optimizer):
        unfinished = self.checkpoint_path.with_suffix(".part")
        torch.save(
            {
                "stage": stage_number,
                "step": step,
                "modules": self.modules.state_dict(),
                "optimizer": optimizer.state_dict(),
                "random": torch.get_rng_state(),
            },
            unfinished,
        )
        unfinished.rename(self.checkpoint_path)

    def run(self, stages, checkpoint_every, after_epoch):
        resumed: Optional[dict] = None
        if self.checkpoint_path.exists():
            resumed = torch.load(self.checkpoint_path)
            self.modules.load_state_dict(resumed["modules"])
            self.log(f"resuming stage {stages[resumed['stage']].name} at step {resumed['step']}")
        else:
            self.initialize_embeddings([dataset.UNLABELLED_FILE, dataset.DISTANT_FILE])
            self.log("embeddings ready")
        for stage_number, stage in enumerate(stages):
            if resumed and stage_number < resumed["stage"]:
                continue
            self.run_stage(stage_number, stage, resumed, checkpoint_every, after_epoch)
            resumed = None

    def run_stage(self, stage_number, stage, resumed, checkpoint_every, after_epoch):
        data = StageData(stage, self.load_file)
        n_steps = stage.epochs * data.steps_per_epoch
        optimizer = self.new_optimizer(stage)
        first_step = 0
        if resumed:
            optimizer.load_state_dict(resumed["optimizer"])
            torch.set_rng_state(resumed["random"])
            first_step = resumed["step"]
        for module in self.model.modules():
            if isinstance(module, Dropout):
                module.rate = stage.dropout
        self.model.train()
        losses, n_tokens, began = [], 0, time.time()
        for step, (labels, weights, ids) in enumerate(data.batches(self.seed + stage_number)):
            if step < first_step:
                continue
            for group in optimizer.param_groups:
                group["lr"] = stage.learning_rate * learning_rate_factor(step, n_steps, stage.warmup)
            loss = self.loss(stage, labels, weights, ids)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.modules.parameters(), 1.0)
            optimizer.step()

            losses.append(loss.item())
            n_tokens += ids.numel()
            done = step + 1
            if done % 100 == 0:
                speed = n_tokens / (time.time() - began)
                self.log(f"{stage.name} {done}/{n_steps} loss {numpy.mean(losses):.4f} {speed:.0f} tokens/s")
                losses, n_tokens, began = [], 0, time.time()
            if done % checkpoint_every == 0 or done == n_steps:
                self.save(stage_number, done, optimizer)
            if done % data.steps_per_epoch == 0:
                after_epoch(stage, done // data.steps_per_epoch)
                self.model.train()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder for encoded tweets and checkpoints")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="model folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--checkpoint-every", type=int, default=250, help="steps")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    arguments.work.mkdir(parents=True, exist_ok=True)
    n_lines = sum(1 for _ in open(arguments.output / "vocab.txt", encoding="utf-8", newline="\n"))
    shape = Shape(vocab_size=len(FIXED_SPECIALS) + n_lines + 1)
    write_configuration(arguments.output, shape)
    tokenizer = TweetTokenizer.from_folder(arguments.output)
    held_out = held_out_tweets(arguments.data)

    def load_file(name):
        return dataset.load_training_file(name, arguments.data, arguments.output, arguments.work)

    trainer = Trainer(shape, load_file, arguments.work, arguments.seed)

    def report(stage, epoch):
        if not stage.has_neutral:
            return
        for set_name, tweets in held_out.items():
            result = evaluate(trainer.model, tokenizer, tweets, INPUTS["mentions removed"])
            numbers = " ".join(f"{name} {value:.4f}" for name, value in result.items())
            trainer.log(f"{stage.name} epoch {epoch}, {set_name}: {numbers}")

    trainer.run(STAGES, arguments.checkpoint_every, report)
    unfinished = arguments.work / "model.safetensors"
    write_safetensors(unfinished, trainer.model.state_dict())
    shutil.move(unfinished, arguments.output / "model.safetensors")


if __name__ == "__main__":
    main()
