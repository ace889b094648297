"""transformer.c: its passes against numpy's and finite differences, training that goes on after a stop, what it publishes."""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(REPOSITORY / "scripts/train"), str(REPOSITORY / "tests/oracle")]

import dataset  # noqa: E402
import library  # noqa: E402
import roberta  # noqa: E402
import train  # noqa: E402
from evaluate import Predictor, best_temperature, calibration_error, scores  # noqa: E402
from library import AdamW, Batch, Transformer  # noqa: E402
from model import Shape, write_configuration, write_safetensors  # noqa: E402

BINARY = os.environ.get("MURMUR_BINARY", str(REPOSITORY / "build/release/murmur"))
SHAPE = Shape(
    vocab_size=224, hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=256,
    max_position_embeddings=130,
)
NEUTRAL = 1


class Reference(roberta.Classifier):
    """The same network by numpy, on the trainer's array of parameters; and its losses."""

    def __init__(self, layout, parameters):
        self.config = {"pad_token_id": 1, **dataclasses.asdict(SHAPE)}
        self.tensors = {name: layout.view(parameters, name) for name in layout.entries}

    def loss(self, batch):
        total = 0.0
        for number, (begin, end) in enumerate(zip(batch.starts, batch.starts[1:])):
            states = self.states(batch.ids[None, begin:end])
            logits = self.linear("classifier.out_proj", numpy.tanh(self.linear("classifier.dense", states[:, 0])))[0]
            logits = logits.astype(float)
            if batch.is_binary[number]:
                logits[NEUTRAL] = -numpy.inf
            chances = numpy.log(roberta.softmax(logits) + 1e-30)
            total -= batch.weights[number] * (batch.targets[number] * chances).sum()
            for position, word in zip(batch.masked, batch.words):
                if begin <= position < end:
                    inner = roberta.gelu(self.linear("guess.dense", states[0, position - begin][None]))
                    inner = self.normalize("guess.LayerNorm", inner)
                    guesses = inner @ self.tensors["roberta.embeddings.word_embeddings.weight"].T
                    guesses = (guesses + self.tensors["guess.bias"])[0].astype(float)
                    total -= batch.mask_weight * numpy.log(roberta.softmax(guesses)[word])
        return total


def random_parameters(layout, random):
    """Larger than a fresh network's, so that every nonlinearity is at work."""
    parameters = random.normal(0, 0.06, layout.size).astype(numpy.float32)
    for name in layout.entries:
        if name.endswith("LayerNorm.weight"):
            layout.view(parameters, name)[...] += 1
    return parameters


def random_batch(random, lengths=(2, 3, 17, 33, 128, 16)):
    sequences = [random.integers(5, SHAPE.vocab_size, length).astype(numpy.int32) for length in lengths]
    ids, starts = dataset.packed(sequences)
    n = len(lengths)
    is_binary = (numpy.arange(n) % 3 == 1).astype(numpy.uint8)
    targets = random.dirichlet([1, 1, 1], n)
    targets[is_binary == 1, NEUTRAL] = 0
    targets /= targets.sum(1, keepdims=True)
    masked = numpy.sort(random.choice(len(ids), 40, replace=False)).astype(numpy.int32)
    return Batch(
        ids, starts, targets.astype(numpy.float32), random.random(n).astype(numpy.float32), is_binary, masked,
        random.integers(5, SHAPE.vocab_size, 40).astype(numpy.int32), 0.05,
    )


class Passes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.work = pathlib.Path(cls.folder.name)
        cls.transformer = Transformer(SHAPE, cls.work, 512, 64, 64, parts=2)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def learn(self, batch, parameters, transformer=None):
        gradients = numpy.empty_like(parameters)
        logits = numpy.empty((len(batch), 3), numpy.float32)
        losses = (transformer or self.transformer).learn(parameters, gradients, batch, logits)
        return losses, gradients, logits

    def test_loss_and_gradients(self):
        random = numpy.random.default_rng(1)
        layout = self.transformer.layout
        parameters, batch = random_parameters(layout, random), random_batch(random)
        losses, gradients, logits = self.learn(batch, parameters)
        reference = Reference(layout, parameters)
        self.assertAlmostEqual(losses[0] + batch.mask_weight * losses[1], reference.loss(batch), delta=0.01)
        numpy.testing.assert_allclose(self.transformer.predict(parameters, batch), logits, atol=1e-6)

        def slope(name, direction, step):
            view, found = layout.view(parameters, name), []
            before = view.copy()
            for sign in (1, -1):
                view[...] = before + sign * step * direction
                found.append(reference.loss(batch))
            view[...] = before
            return (found[0] - found[1]) / (2 * step)

        for name in layout.entries:
            gradient = layout.view(gradients, name)
            norm = numpy.linalg.norm(gradient)
            if name.endswith("key.bias"):  # adds the same to all scores of a query: no softmax sees it
                self.assertLess(norm, 1e-3)
                continue
            self.assertGreater(norm, 1e-4, name)
            steepest = gradient / norm
            noise = random.normal(size=gradient.shape)
            noise /= numpy.linalg.norm(noise)
            self.assertAlmostEqual(slope(name, steepest, 0.02) / norm, 1, delta=0.04, msg=name)
            # A random direction: what the gradient says there, within the rounding of the whole.
            self.assertAlmostEqual(slope(name, noise, 0.02), (noise * gradient).sum(), delta=0.03 * norm + 2e-4, msg=name)

    def test_without_a_label_or_a_mask_there_is_no_gradient(self):
        random = numpy.random.default_rng(2)
        parameters, batch = random_parameters(self.transformer.layout, random), random_batch(random)
        batch.weights[:] = 0
        batch.masked = batch.words = None
        losses, gradients, _ = self.learn(batch, parameters)
        self.assertEqual(losses, (0, 0))
        self.assertEqual(numpy.count_nonzero(gradients), 0)

    def test_same_bits_again_and_nearly_the_same_in_other_parts_or_by_plain_loops(self):
        random = numpy.random.default_rng(3)
        parameters, batch = random_parameters(self.transformer.layout, random), random_batch(random)
        batch.dropout, batch.seed = 0.2, 77
        losses, gradients, logits = self.learn(batch, parameters)
        for again in (self.learn(batch, parameters), self.learn(batch, parameters, Transformer(SHAPE, self.work, 512, 64, 64, 2))):
            self.assertEqual(losses, again[0])
            numpy.testing.assert_array_equal(gradients, again[1])
        plain_work = self.work / "plain"
        plain_work.mkdir()
        command = library.COMPILE
        try:
            library.COMPILE = [*command, "-DNO_TILES"]
            others = [Transformer(SHAPE, self.work, 512, 64, 64, parts) for parts in (1, 3)]
            others.append(Transformer(SHAPE, plain_work, 512, 64, 64, 2))
        finally:
            library.COMPILE = command
        self.assertFalse(others[-1].has_tiles)
        for other in others:
            _, found, found_logits = self.learn(batch, parameters, other)
            numpy.testing.assert_allclose(found_logits, logits, atol=2e-3)
            self.assertLess(numpy.linalg.norm(found - gradients), 0.01 * numpy.linalg.norm(gradients))

    def test_dropout(self):
        random = numpy.random.default_rng(4)
        parameters, batch = random_parameters(self.transformer.layout, random), random_batch(random)
        _, _, plain = self.learn(batch, parameters)
        batch.dropout = 0.3
        found = []
        for batch.seed in range(100):
            found.append(self.learn(batch, parameters)[2])
        self.assertGreater(numpy.abs(found[0] - found[1]).max(), 1e-3)
        self.assertLess(numpy.abs(numpy.mean(found, 0) - plain).max(), 0.35 * numpy.abs(found - plain).max())

    def test_adamw(self):
        random = numpy.random.default_rng(5)
        layout = self.transformer.layout
        parameters = random_parameters(layout, random)
        expected = parameters.astype(float)
        decays = numpy.zeros(layout.size)
        for name, (_, dimensions) in layout.entries.items():
            layout.view(decays, name)[...] = len(dimensions) > 1
        optimizer = AdamW(self.transformer.library, layout)
        mean, square = numpy.zeros(layout.size), numpy.zeros(layout.size)
        for step in range(1, 4):
            gradients = random.normal(0, 0.01, layout.size).astype(numpy.float32)
            optimizer.step(parameters, gradients, 1e-3)
            clipped = gradients / max(1.0, numpy.linalg.norm(gradients.astype(float)))
            mean = 0.9 * mean + 0.1 * clipped
            square = 0.98 * square + 0.02 * clipped**2
            change = mean / (1 - 0.9**step) / (numpy.sqrt(square / (1 - 0.98**step)) + 1e-6)
            expected -= 1e-3 * (change + 0.01 * decays * expected)
        numpy.testing.assert_allclose(parameters, expected, atol=2e-6)


def tiny_files(random):
    """{name: EncodedTweets}: ids 10 to 15 decide, the others say nothing."""
    files = {}
    for name, n in {dataset.DISTANT_FILE: 400, dataset.UNLABELLED_FILE: 300, **dict.fromkeys(dataset.HUMAN_FILES, 120)}.items():
        labels = random.integers(0, 3, n)
        if name == dataset.DISTANT_FILE:
            labels = random.integers(0, 2, n) * 2
        ids, starts, ends = [], [], []
        for label in labels:
            text = random.integers(20, 90, random.integers(4, 12))
            text[random.integers(len(text))] = 10 + 2 * label + random.integers(2)
            starts.append([len(ids)] * 4)
            ids += [0, *text, 2]
            ends.append([len(ids)] * 4)
        if name == dataset.UNLABELLED_FILE:
            labels = numpy.full(n, dataset.UNLABELLED)
        files[name] = dataset.EncodedTweets(labels, *map(numpy.array, (ids, starts, ends)))
    return files


class Stop(Exception):
    pass


class Training(unittest.TestCase):
    def setUp(self):
        self.files = tiny_files(numpy.random.default_rng(6))
        words, first, taught, people, *_ = train.STAGES
        self.stages = [
            dataclasses.replace(words, epochs=3, learning_rate=2e-3),
            dataclasses.replace(first, epochs=6, learning_rate=1e-3),
            dataclasses.replace(taught, epochs=2),
            dataclasses.replace(people, epochs=4, learning_rate=1e-3),
        ]
        train.BATCH_TOKENS, self.batch_tokens = 512, train.BATCH_TOKENS

    def tearDown(self):
        train.BATCH_TOKENS = self.batch_tokens

    def trainer(self, work):
        def soft_labels(trainer, name, tweets):
            return trainer.probabilities("first people", name, tweets)

        trainer = train.Trainer(SHAPE, self.files.__getitem__, soft_labels, work, seed=1, parts=2)
        trainer.log = lambda message: None
        return trainer

    def run_all(self, work, after_epoch=lambda stage_name, epoch: None):
        trainer = self.trainer(work)
        trainer.run(self.stages, 3, after_epoch)
        return trainer

    def test_learns_and_goes_on_after_a_stop_as_if_there_had_been_none(self):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            one, other = pathlib.Path(one), pathlib.Path(other)
            trainer = self.run_all(one)
            held_out = tiny_files(numpy.random.default_rng(7))[dataset.SEMEVAL_FILE]
            sequences = [held_out.tweet(row, 0) for row in range(len(held_out))]
            logits = Predictor(trainer.transformer, 512).logits(trainer.parameters, sequences)
            self.assertGreater(scores(held_out.labels, logits.argmax(1))["macro recall"], 0.9)

            # Stopped at every end of an epoch; the last checkpoint is some steps before.
            stops = []

            def stop(stage_name, epoch):
                if (stage_name, epoch) not in stops:
                    stops.append((stage_name, epoch))
                    raise Stop

            for _ in range(40):
                try:
                    self.run_all(other, stop)
                    break
                except Stop:
                    pass
            self.assertEqual(len(stops), sum(stage.epochs for stage in self.stages))
            for stage in self.stages:
                name = trainer.finished_path(stage.name).name
                numpy.testing.assert_array_equal(numpy.load(one / name), numpy.load(other / name))

    def test_the_program_reads_what_is_published(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            transformer = Transformer(SHAPE, folder, 512, 64, 0, parts=1)
            parameters = random_parameters(transformer.layout, numpy.random.default_rng(8))
            parameters = parameters.astype(numpy.float16).astype(numpy.float32)
            letters = [chr(ord("a") + i) for i in range(26)]
            symbols = [*letters, *(letter + "@@" for letter in letters)]
            fillers = [f"filler{i}" for i in range(SHAPE.vocab_size - 5 - len(symbols))]
            (folder / "vocab.txt").write_text("".join(f"{symbol} 1\n" for symbol in symbols + fillers))
            (folder / "bpe.codes").write_text("")
            write_configuration(folder, SHAPE)
            names = transformer.layout.published_names()
            write_safetensors(folder / "model.safetensors", {n: transformer.layout.view(parameters, n) for n in names})
            texts = ["a", "so happy", "sad and sorry about all that", "x" * 200]
            done = subprocess.run(
                [BINARY, "classify", "--model", folder, "--json", "--logits", "--ids"],
                input="".join(json.dumps({"text": text}) + "\n" for text in texts), text=True, capture_output=True,
                timeout=120, env={**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"},
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            rows = [json.loads(line) for line in done.stdout.splitlines()]
            self.assertEqual(len(rows), len(texts))
            ids = [numpy.array(row["ids"], numpy.int32) for row in rows]
            found = Predictor(transformer, 512).logits(parameters, ids)
            expected = numpy.array([row["logits"] for row in rows])
            self.assertGreater(numpy.ptp(expected), 0.1)
            self.assertLess(numpy.abs(found - expected).max(), 0.02 * max(1, numpy.abs(expected).max()))  # bf16's


class Measures(unittest.TestCase):
    def test_calibration_error(self):
        labels = numpy.array([0, 0, 1, 2])
        certain = numpy.eye(3)[labels]
        self.assertAlmostEqual(calibration_error(labels, certain), 0)
        self.assertAlmostEqual(calibration_error(numpy.array([1, 1, 2, 0]), certain), 1)
        half = numpy.tile([0.5, 0.3, 0.2], (4, 1))
        self.assertAlmostEqual(calibration_error(labels, half), 0)

    def test_temperature(self):
        random = numpy.random.default_rng(10)
        logits = random.normal(0, 1.5, (20000, 3))
        labels = (roberta.softmax(logits).cumsum(1) > random.random((20000, 1))).argmax(1)
        self.assertAlmostEqual(best_temperature(labels, 2 * logits), 2, delta=0.1)
        self.assertLess(calibration_error(labels, roberta.softmax(logits)), 0.02)
        self.assertGreater(calibration_error(labels, roberta.softmax(2 * logits)), 0.05)

    def test_masks(self):
        random = numpy.random.default_rng(9)
        ids = numpy.tile(numpy.arange(0, 90, dtype=numpy.int32), 100)
        masked, where = train.mask_words(ids, 0.15, 95, random)
        self.assertTrue((ids[where] >= train.FIRST_WORD_ID).all())
        self.assertAlmostEqual(len(where) / (ids >= train.FIRST_WORD_ID).sum(), 0.15, delta=0.015)
        numpy.testing.assert_array_equal(numpy.delete(masked, where), numpy.delete(ids, where))
        self.assertAlmostEqual((masked[where] == 95).mean(), 0.9, delta=0.03)


if __name__ == "__main__":
    unittest.main()
