#!/usr/bin/env python3
"""verify --deep of stores that runs of all kinds made, and what commands do with a part that is damaged."""

import os
import unittest

import murmur_cli
import nasty_files
from murmur_cli import run


class Verify(murmur_cli.TestCase):
    def assert_agrees(self, store):
        out = self.assert_status(run("verify", store, "--deep"), 0).out.decode()
        n_rows = sum(len(self.export(store, table).rows) for table in ("silver", "gold", "application"))
        self.assertIn(f"its tables agree: {n_rows} rows computed again", out)

    def test_stores_of_every_kind_of_run_agree(self):
        nasty, store = self.folder / "nasty", self.folder / "store"
        nasty_files.write(nasty)
        self.run_job(nasty / "lines", store, "--max-files", 5, n_ranks=2)
        self.assert_agrees(store)
        self.run_job(nasty / "mentions.jsonl", store, "--mention-rule", "word", "--fold-case")
        self.assert_agrees(store)
        self.run_job([nasty / "whole", nasty / "gzip"], store, "--max-files", 3, "--text", "raw")
        self.assert_agrees(store)
        self.assert_status(run("optimize", store), 0)
        self.assert_agrees(store)
        self.run_job(nasty, store)
        self.assert_agrees(store)

    def test_store_without_records_agrees(self):
        store = self.folder / "store"
        store.mkdir()
        self.assert_status(run("verify", store, "--deep"), 0)

    def test_damaged_part_is_never_read(self):
        source, store = self.folder / "a.jsonl", self.folder / "store"
        source.write_bytes(nasty_files.TWEET + b"\n")
        self.run_job(source, store)
        for table, command in ("gold", ["export", store, "gold"]), ("application", ["mentions", store]):
            (part,) = (store / table).iterdir()
            whole = part.read_bytes()
            for offset in (3, 15, len(whole) // 2, len(whole) - 1):
                part.write_bytes(whole[:offset] + bytes([whole[offset] ^ 0x80]) + whole[offset + 1 :])
                for arguments in command, ["verify", store], ["verify", store, "--deep"]:
                    with self.subTest(table=table, offset=offset, arguments=arguments[0]):
                        result = run(*arguments)
                        self.assert_fails(result, 65)
                        self.assertIn(part.name, result.err + result.out.decode())
            os.unlink(part)
            self.assertIn(part.name, self.assert_fails(run(*command), 65))
            part.write_bytes(whole)
        self.assert_status(run("verify", store, "--deep"), 0)


if __name__ == "__main__":
    unittest.main()
