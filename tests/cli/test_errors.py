#!/usr/bin/env python3
"""What goes wrong outside murmur: the right status, one message that names the thing, no hang, a whole store."""

import contextlib
import gzip
import json
import os
import shutil
import subprocess
import unittest

import murmur_cli
import nasty_files
from murmur_cli import BINARY, MODEL, mpirun, run

import pipeline

RANKS = (1, 2)
NOBODY = 65534


def each_number_of_ranks(test):
    """Runs a test at 1 and 2 ranks, each in a fresh folder."""

    def repeated(self):
        for n_ranks in RANKS:
            with self.subTest(n_ranks=n_ranks):
                self.folder = self.enterContext(murmur_cli.temporary_folder())
                self.source = self.write_source("tweets/a.jsonl")
                self.store = self.folder / "store"
                test(self, n_ranks)

    repeated.__name__ = test.__name__
    return repeated


class ErrorTest(murmur_cli.TestCase):
    def write_source(self, name, data=nasty_files.lines(nasty_files.TWEET)):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def fail_job(self, n_ranks, status, *options, source=None, **execution):
        result = mpirun(n_ranks, "run", source or self.source.parent, "--store", self.store, *options, **execution)
        return self.assert_fails(result, status)

    def assert_store_is_whole(self, n_rows=None):
        self.assert_status(run("verify", self.store), 0)
        if n_rows is not None:
            self.assertEqual(len(self.export(self.store, "bronze").rows), n_rows)


class Sources(ErrorTest):
    @each_number_of_ranks
    def test_missing_folder(self, n_ranks):
        self.assertIn("nowhere", self.fail_job(n_ranks, 66, source=self.folder / "nowhere"))
        self.assertFalse(self.store.exists())

    @each_number_of_ranks
    def test_strict_refuses_the_first_reject_and_keeps_nothing(self, n_ranks):
        self.write_source("tweets/b.jsonl", nasty_files.lines(nasty_files.TWEET, b"bad"))
        message = self.fail_job(n_ranks, 65, "--strict")
        self.assertIn("b.jsonl", message)
        self.assertIn(str(len(nasty_files.TWEET) + 1), message)
        self.assert_store_is_whole(0)
        self.run_job(self.source.parent, self.store, n_ranks=n_ranks)
        self.assert_store_is_whole(2)

    @each_number_of_ranks
    def test_truncated_gzip_is_no_error(self, n_ranks):
        self.write_source("tweets/b.jsonl.gz", gzip.compress(nasty_files.lines(nasty_files.TWEET) * 200)[:-20])
        self.run_job(self.source.parent, self.store, n_ranks=n_ranks)
        bronze, rejects = pipeline.make_bronze([self.source.parent])
        self.assert_store_is_whole(len(bronze))
        self.assertEqual(len(rejects), 1)
        got = self.export(self.store, "rejects").rows
        self.assertEqual([(row["byte_offset"], row["byte_length"]) for row in got],
                         [(row["byte_offset"], row["byte_length"]) for row in rejects])

    @each_number_of_ranks
    def test_unreadable_files_and_folders_are_named_and_the_others_ingested(self, n_ranks):
        with self.as_nobody() as execution:
            hidden = self.write_source("tweets/b.jsonl")
            self.write_source("tweets/c.jsonl")
            closed = self.write_source("tweets/closed/d.jsonl").parent
            hidden.chmod(0)
            closed.chmod(0)
            result = self.execute_as_nobody(execution, n_ranks)
            self.assert_fails(result, 74)
            self.assertIn("b.jsonl", result.err)
            self.assertIn("closed: Permission denied", result.err)
            self.assert_store_is_whole(2)
            hidden.chmod(0o644)
            closed.chmod(0o755)
            self.assert_status(self.execute_as_nobody(execution, n_ranks), 0)
            self.assert_store_is_whole(4)

    @contextlib.contextmanager
    def as_nobody(self):
        """What goes before a command so that permissions hold: nothing, or a change of user where root runs the tests."""
        prefix = []
        if os.geteuid() == 0:
            if not shutil.which("setpriv"):
                self.skipTest("root reads everything, and there is no setpriv to become someone else")
            prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
            self.folder.chmod(0o755)
            self.store.mkdir()
            os.chown(self.store, NOBODY, NOBODY)
        # The source tree may be in a folder that nobody sees.
        program, model = self.folder / "bin/murmur", self.folder / "model"
        program.parent.mkdir()
        shutil.copy(BINARY, program)
        shutil.copytree(MODEL, model)
        yield prefix, program, {"MURMUR_MODEL": str(model), "HOME": str(self.folder)}

    def execute_as_nobody(self, execution, n_ranks, source=None):
        prefix, program, env = execution
        launcher = ["mpirun", "-np", n_ranks] if n_ranks > 1 else []
        command = [*prefix, *launcher, program, "run", source or self.source.parent, "--store", self.store]
        return murmur_cli.execute(command, env=env, cwd=self.folder)

    @each_number_of_ranks
    def test_store_folder_without_permission(self, n_ranks):
        with self.as_nobody() as execution:
            if self.store.exists():
                os.chown(self.store, 0, 0)
            else:
                self.store.mkdir()
            self.store.chmod(0o555)
            self.assertIn("store", self.assert_fails(self.execute_as_nobody(execution, n_ranks), 73))
            self.store.chmod(0o755)

    @each_number_of_ranks
    def test_store_path_is_a_file(self, n_ranks):
        self.store.write_text("mine")
        self.assertIn("store", self.fail_job(n_ranks, 73))
        self.assertEqual(self.store.read_text(), "mine")

    @each_number_of_ranks
    def test_store_folder_of_others_is_refused(self, n_ranks):
        self.store.mkdir()
        (self.store / "thesis.txt").write_text("mine")
        self.assertIn("store", self.fail_job(n_ranks, 73))
        self.assertEqual([path.name for path in self.store.iterdir()], ["thesis.txt"])

    @each_number_of_ranks
    def test_full_disk_leaves_the_store_whole(self, n_ranks):
        with self.small_disk("3m") as disk:
            self.store = disk / "store"
            self.run_job(self.source.parent, self.store, n_ranks=n_ranks)
            many = nasty_files.lines(*(nasty_files.with_text(os.urandom(300).hex().encode()) for _ in range(9000)))
            self.write_source("tweets/b.jsonl", many)
            self.fail_job(n_ranks, 74)
            self.assert_store_is_whole(1)
            self.write_source("tweets/b.jsonl")
            self.run_job(self.source.parent, self.store, n_ranks=n_ranks)
            self.assert_store_is_whole(2)

    @each_number_of_ranks
    def test_disk_that_is_full_sooner_or_later(self, n_ranks):
        """At the lock, at the first part's rows, at its spare room, at a later part."""
        self.write_source("tweets/b.jsonl", nasty_files.lines(*(nasty_files.with_text(b"@a and @b %d" % i) for i in range(200))))
        undisturbed = self.folder / "undisturbed"
        self.run_job(self.source.parent, undisturbed)
        expected = self.export_tables(undisturbed)
        messages = []
        with self.small_disk("4m") as disk:
            self.store = disk / "store"
            for free in (0, 36, 72, 240) if n_ranks == 1 else (0, 240):  # KiB; tests/faults/full_disk.py has every step
                shutil.rmtree(self.store, ignore_errors=True)
                self.leave_free(disk, free << 10)
                with self.subTest(free=f"{free}K"):
                    messages.append(self.fail_job(n_ranks, 74))
                    (disk / "ballast").unlink()
                    self.assert_store_is_whole(0)
                    self.run_job(self.source.parent, self.store, n_ranks=n_ranks)
                    self.assert_store_is_whole()
                    self.assertEqual(self.export_tables(self.store), expected)
        self.assertEqual(len({message[message.index("error: ") + 7 :].split("/_")[0] for message in messages}), len(messages))

    def export_tables(self, store):
        columns = {"bronze": ("--columns", "date,user,text,sentiment,source_file,rescued_data")}
        return {table: self.export(store, table, *columns.get(table, ())).out
                for table in ("bronze", "rejects", "silver", "gold", "application")}

    @staticmethod
    def leave_free(disk, n_bytes):
        """Fills the disk but for so much."""
        ballast = disk / "ballast"
        ballast.unlink(missing_ok=True)
        about = os.statvfs(disk)
        ballast.write_bytes(bytes(max(0, about.f_bavail * about.f_frsize - n_bytes)))

    @contextlib.contextmanager
    def small_disk(self, size):
        disk = self.folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "murmur-test", disk], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("a small disk needs the right to mount one")
        try:
            yield disk
        finally:
            subprocess.run(["umount", "--lazy", disk], check=True)


class Models(ErrorTest):
    def copy_model(self):
        model = self.folder / "model"
        shutil.copytree(MODEL, model)
        return model

    def fail_with_model(self, n_ranks, model, *words):
        message = self.fail_job(n_ranks, 65, "--model", model)
        for word in words:
            self.assertIn(word, message)
        self.assertNotIn("Traceback", message)

    @each_number_of_ranks
    def test_missing_model(self, n_ranks):
        self.assertIn("nowhere", self.fail_job(n_ranks, 66, "--model", self.folder / "nowhere"))

    @each_number_of_ranks
    def test_folder_that_is_no_model(self, n_ranks):
        message = self.fail_job(n_ranks, 66, "--model", self.source.parent)
        self.assertIn("config.json", message)

    @each_number_of_ranks
    def test_weights_cut_short(self, n_ranks):
        model = self.copy_model()
        weights = model / "model.safetensors"
        for length in (0, 4, 100, weights.stat().st_size - 1):
            with self.subTest(length=length):
                os.truncate(weights, length)
                self.fail_with_model(n_ranks, model, "model.safetensors")
                shutil.copy(MODEL / "model.safetensors", weights)

    @each_number_of_ranks
    def test_weights_with_lying_offsets(self, n_ranks):
        model = self.copy_model()
        weights = model / "model.safetensors"
        data = weights.read_bytes()
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        name = next(name for name in header if name.endswith("word_embeddings.weight"))
        begin, end = header[name]["data_offsets"]
        for offsets in ([begin, end + (1 << 40)], [end, begin], [-2, end], [begin, begin], [begin + 1, end + 1]):
            with self.subTest(offsets=offsets):
                header[name]["data_offsets"] = offsets
                text = json.dumps(header).encode()
                weights.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
                self.fail_with_model(n_ranks, model, "model.safetensors")
        weights.write_bytes((1 << 62).to_bytes(8, "little") + data[8:])
        self.fail_with_model(n_ranks, model, "model.safetensors")

    @each_number_of_ranks
    def test_config_that_names_no_known_architecture(self, n_ranks):
        model = self.copy_model()
        config = json.loads((model / "config.json").read_text())
        for architectures in (None, [], ["GPT2LMHeadModel"], "RobertaForSequenceClassification"):
            with self.subTest(architectures=architectures):
                changed = {**config, "architectures": architectures}
                if architectures is None:
                    del changed["architectures"]
                (model / "config.json").write_text(json.dumps(changed))
                self.fail_with_model(n_ranks, model, "config.json", "architecture")
        (model / "config.json").write_text("{")
        self.fail_with_model(n_ranks, model, "config.json")

    @each_number_of_ranks
    def test_config_that_does_not_fit_the_weights(self, n_ranks):
        model = self.copy_model()
        config = json.loads((model / "config.json").read_text())
        for change in ({"hidden_size": 128}, {"num_hidden_layers": 99}, {"vocab_size": 10}, {"hidden_size": 0}, {"num_attention_heads": 7}):
            with self.subTest(change=change):
                (model / "config.json").write_text(json.dumps({**config, **change}))
                self.fail_with_model(n_ranks, model)

    @each_number_of_ranks
    def test_missing_tokenizer_files(self, n_ranks):
        for name in ("vocab.txt", "bpe.codes"):
            with self.subTest(name=name):
                model = self.copy_model()
                (model / name).unlink()
                self.assertIn(name, self.fail_job(n_ranks, 66, "--model", model))
                shutil.rmtree(model)


class Usage(ErrorTest):
    @each_number_of_ranks
    def test_wrong_usage_of_run(self, n_ranks):
        for arguments in (
            ["run"],
            ["run", self.source],
            ["run", "--store", self.store],
            ["run", self.source, "--store", self.store, "--no-such-option"],
            ["run", self.source, "--store", self.store, "--max-files", "0"],
            ["run", self.source, "--store", self.store, "--max-files", "some"],
            ["run", self.source, "--store", self.store, "--compress", "10"],
            ["run", self.source, "--store", self.store, "--mention-rule", "none"],
            ["run", self.source, "--store", self.store, "--text", "none"],
            ["run", self.source, "--store", self.store, "--trigger", "soon"],
            ["run", self.source, "--store"],
        ):
            with self.subTest(arguments=arguments):
                self.assert_fails(mpirun(n_ranks, *arguments), 64)
                self.assertFalse(self.store.exists())

    def test_wrong_usage_of_others(self):
        for arguments in (
            ["no-such-command"],
            ["export"],
            ["export", "store"],
            ["export", "store", "bronze", "more"],
            ["history"],
            ["verify"],
            ["mentions"],
            ["mentions", "store", "--top", "x"],
        ):
            with self.subTest(arguments=arguments):
                self.assert_fails(run(*arguments), 64)

    def test_wrong_usage_of_export(self):
        source, store = self.write_source("tweets/a.jsonl"), self.folder / "store"
        self.run_job(source, store)
        for arguments in (
            ["no-such-table"],
            ["bronze", "--format", "xml"],
            ["bronze", "--version", "7"],
            ["bronze", "--version", "x"],
            ["bronze", "--columns", "text,no_such_column"],
            ["bronze", "--limit", "x"],
        ):
            with self.subTest(arguments=arguments):
                self.assert_fails(run("export", store, *arguments), 64)

    def test_store_that_is_not_there(self):
        for arguments in (["export", "nowhere", "gold"], ["history", "nowhere"], ["mentions", "nowhere"], ["verify", "nowhere"]):
            with self.subTest(arguments=arguments):
                self.assertIn("nowhere", self.assert_fails(run(*arguments, cwd=self.folder), 66))

    def test_help_needs_nothing(self):
        for arguments in (["--help"], ["run", "--help"], ["export", "--help"], ["generate", "--help"]):
            result = self.assert_status(run(*arguments), 0)
            self.assertIn(b"Usage:", result.out)
        self.assertRegex(self.assert_status(run("--version"), 0).out, rb"^murmur \d+\.\d+")


class Damage(ErrorTest):
    """A store whose files were changed behind murmur's back."""

    def setUp(self):
        super().setUp()
        self.store = self.folder / "store"
        self.run_job(self.write_source("tweets/a.jsonl"), self.store)

    def test_verify_finds_a_changed_part(self):
        part = next((self.store / "gold").glob("part-*"))
        data = bytearray(part.read_bytes())
        data[len(data) // 2] ^= 0xFF
        part.chmod(0o644)
        part.write_bytes(data)
        self.assert_status(run("verify", self.store), 65)

    def test_verify_finds_a_missing_part(self):
        next((self.store / "bronze").glob("part-*")).unlink()
        self.assert_status(run("verify", self.store), 65)

    def test_verify_finds_a_changed_record(self):
        record = min((self.store / "_log").glob("*.json"))
        text = record.read_text()
        record.chmod(0o644)
        record.write_text(text.replace("INGEST", "INJEST", 1))
        self.assert_status(run("verify", self.store), 65)
        self.assert_fails(run("export", self.store, "gold"), 65)

    def test_litter_is_no_damage(self):
        (self.store / "gold/.part-left-over.h5").write_bytes(b"half")
        self.assert_status(run("verify", self.store), 0)

    def test_second_writer_is_refused_by_name(self):
        lock = self.store / "_lock"
        if lock.exists():
            self.skipTest("the lock of an ended run is still there")
        holder = subprocess.Popen(
            [BINARY, "run", str(self.folder / "tweets"), "--store", str(self.store), "--trigger", "60s"],
            stderr=subprocess.PIPE, text=True)
        self.addCleanup(holder.stderr.close)
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        for line in holder.stderr:
            if " run " in line:
                break
        message = self.assert_fails(run("run", self.folder / "tweets", "--store", self.store), 73)
        self.assertIn(str(holder.pid), message)


class DamagedParts(murmur_cli.TestCase):
    """HDF5 1.10 crashes on some flipped bits, as of byte 15, so none may come to it."""

    def flip(self, path, byte):
        contents = bytearray(path.read_bytes())
        contents[byte] ^= 1
        path.write_bytes(contents)

    def test_run_that_counts_names_the_damaged_part_and_ends(self):
        tweets, more, pristine = (self.folder / name for name in ("tweets", "more", "pristine"))
        for folder, n, seed in ((tweets, 60, 1), (more, 20, 2)):
            self.assert_status(run("generate", folder, "--tweets", n, "--files", 1, "--seed", seed), 0)
        self.run_job(tweets, pristine)
        # With --fold-case all of gold is counted again, without it the former application is added to.
        for table, options in (("application", ()), ("gold", ("--fold-case",))):
            for n_ranks, byte in ((1, 15), (2, 15), (2, -100)):
                with self.subTest(table=table, n_ranks=n_ranks, byte=byte):
                    store = shutil.copytree(pristine, self.folder / f"{table}-{n_ranks}-{byte}")
                    (victim,) = store.glob(f"{table}/part-*.h5")
                    self.flip(victim, byte)
                    error = self.assert_fails(mpirun(n_ranks, "run", more, "--store", store, *options), 65)
                    self.assertIn(victim.name, error)
                    self.assertFalse((store / "_lock").exists())


if __name__ == "__main__":
    unittest.main()
