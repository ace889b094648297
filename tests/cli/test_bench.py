"""bench log: its figures; and the log that it leaves, whose checkpoint h5py reads as docs/FORMAT.md says."""

import json
import unittest

import h5py
import murmur_cli
from murmur_cli import run


def texts(part, name):
    offsets, text = part[name]["offsets"][:], part[name]["bytes"][:].tobytes()
    return [text[begin:end].decode() for begin, end in zip(offsets[:-1], offsets[1:])]


def present(part, name):
    return (part["valid"][:] >> int(part[name].attrs["valid_bit"]) & 1).astype(bool)


class Bench(murmur_cli.TestCase):
    def test_figures_of_log(self):
        sizes = ["--sources", "3000", "--records", "300", "--files", "50"]
        lines = self.assert_status(run("bench", "log", *sizes, "--json", env={"TMPDIR": str(self.folder)}), 0).rows
        self.assertEqual(list(self.folder.iterdir()), [])  # cleaned up
        whats = [line["what"] for line in lines]
        self.assertEqual(whats, ["records", "open, no checkpoints", "write all checkpoints", "checkpoints", "open",
                                 "open again", "list files, look each up in the log", "again"])
        self.assertTrue(all(line["bench"] == "log" for line in lines))
        self.assertEqual([lines[0]["files"], lines[3]["files"]], [300, 1])
        for line in lines:
            if "seconds" in line:
                self.assertGreater(line["seconds"], 0)
                self.assertGreater(line["peak"], 1 << 20)
        table = self.assert_status(run("bench", "log", *sizes, env={"TMPDIR": str(self.folder)}), 0).out.decode()
        self.assertEqual(len(table.splitlines()), len(lines))

    def test_figures_of_tokenizer(self):
        texts = self.folder / "texts.jsonl"
        texts.write_text(json.dumps({"text": "one two"}) + "\n" + json.dumps({"text": "three"}) + "\n")
        lines = self.assert_status(run("bench", "tokenizer", "--texts", texts, "--json"), 0).rows
        self.assertEqual([line["what"] for line in lines], ["load", "first time", "again"])
        self.assertGreater(lines[0]["seconds"], 0)
        for line in lines[1:]:
            self.assertEqual(line["tweets"], 2)
            self.assertGreaterEqual(line["ids"], 3 + 2 * 2)
        table = self.assert_status(run("bench", "tokenizer"), 0).out.decode().splitlines()
        self.assertEqual([line.split()[0] for line in table], ["tokenizer"] * 3)
        self.assertIn("tweets_per_second", table[1])

    def test_usage(self):
        self.assertIn("there is no measurement 'speed'", self.assert_fails(run("bench", "speed"), 64))
        (self.folder / "log").mkdir()
        self.assert_fails(run("bench", "log", "--dir", self.folder), 73)

    def test_h5py_reads_a_checkpoint(self):
        self.assert_status(run("bench", "log", "--sources", "3000", "--records", "300", "--dir", self.folder), 0)
        log = self.folder / "log/store/_log"
        records = [json.loads(path.read_text()) for path in sorted(log.glob("[0-9]*.json"))]
        (checkpoint,) = log.glob("checkpoint-*.h5")
        _, begin, end, _ = checkpoint.stem.split("-")
        self.assertEqual((int(begin), int(end)), (0, len(records)))
        with h5py.File(checkpoint, "r") as part:
            self.assertEqual((part.attrs["table"], part.attrs["version"]), ("_log", len(records)))
            numbers, is_source = part["record"][:], present(part, "path")
            documents, paths = texts(part, "document"), texts(part, "path")
            self.assertTrue((present(part, "document") == ~is_source).all())
            integers = {name: part[name][:] for name in ("size", "mtime_ns", "rows", "rejects")}
        read, schemas = [], {}
        for row, number in enumerate(numbers):
            if not is_source[row]:
                read.append(json.loads(documents[row]))
                for table, change in read[-1]["tables"].items():
                    schemas[table] = change["schema"] = change["schema"] or schemas[table]
            else:
                source = {name: int(values[row]) for name, values in integers.items()}
                read[-1]["sources"].append({"path": paths[row], **source, "mtime_ns": str(source["mtime_ns"])})
            self.assertEqual(read[-1]["record"], number)
        for record in records + read:
            del record["checksum"], record["units"]
        self.assert_rows(read, records, "records")


if __name__ == "__main__":
    unittest.main()
