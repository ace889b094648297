"""bench: its figures, never how large they are; and the log that it leaves, whose checkpoint h5py reads as
docs/FORMAT.md says."""

import json
import shutil
import unittest

import h5py
import murmur_cli
from murmur_cli import MODEL, execute, mpirun, run


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

    def test_figures_of_json_and_table(self):
        texts = self.folder / "texts.jsonl"
        texts.write_text("".join(json.dumps({"text": f"tweet {i}"}) + "\n" for i in range(20)))
        folder = self.folder / "work"
        folder.mkdir()
        lines = self.assert_status(run("bench", "json", "table", "--texts", texts, "--json",
                                       env={"TMPDIR": str(folder)}), 0).rows
        self.assertEqual([line["bench"] for line in lines], ["json", "table", "table"])
        self.assertEqual((lines[0]["tweets"], lines[0]["bytes"]), (20, texts.stat().st_size))
        for line in lines:
            self.assertGreater(line["megabytes_per_s"], 0)
        for line in lines[1:]:
            self.assertEqual(line["rows"], 20)
            self.assertGreater(line["bytes"], 20 * len(str(texts)))
            self.assertGreater(line["file_bytes"], 0)
        self.assertEqual(list(folder.iterdir()), [])

    def test_figures_of_what_a_unit_costs_beside_its_work(self):
        lines = self.assert_status(run("bench", "plan", "--units", "1", "--json", env={"TMPDIR": str(self.folder)}), 0).rows
        large, small, record, order = lines
        self.assertEqual((small["files"], record["units"], order["units"]), (1000, 500, 500))
        self.assertGreaterEqual(large["units"], 500)  # the last ones are small
        for line in large, small, record:
            self.assertGreater(line["seconds"], 0)
        self.assertEqual(list(self.folder.iterdir()), [])

    def peaks(self, isa=""):
        lines = self.assert_status(run("bench", "peak", "--json", env={"MURMUR_ISA": isa}), 0).rows
        self.assertEqual(lines[-1]["what"], "memory")
        self.assertGreater(lines.pop()["bytes_per_s"], 1 << 20)
        kinds = {}
        for line in lines:
            kinds.setdefault(line["what"], []).append(line)
        self.assertEqual(list(kinds), ["fp32", "bf16", "int8"])
        self.assertEqual(lines, sum(kinds.values(), []))
        for of_kind in kinds.values():
            if len(of_kind) == 1 and of_kind[0]["instructions"] is None:
                self.assertIsNone(of_kind[0]["gflops"])
                continue
            self.assertEqual(len({line["instructions"] for line in of_kind}), len(of_kind))
            for line in of_kind:
                self.assertGreater(line["gflops"], 0)
        self.assertGreater(kinds["fp32"][0]["gflops"], 0)
        return {what: [line["instructions"] for line in of_kind] for what, of_kind in kinds.items()}

    def test_peaks_are_there_or_null_and_capped_as_kernels_are(self):
        every = self.peaks()
        portable = self.peaks("portable")
        self.assertEqual([len(names) for names in portable.values()], [1, 1, 1])
        self.assertEqual((portable["bf16"], portable["int8"]), ([None], [None]))
        available = run("classify", "x", env={"MURMUR_ISA": "?"}).errors[0].split("it has ")[1].split(", ")
        for isa in available[1:]:
            capped = self.peaks(isa)
            for what, names in capped.items():
                self.assertEqual(names, every[what][-len(names):] if names != [None] else [None])
        self.assert_fails(run("bench", "peak", env={"MURMUR_ISA": "z80"}), 64)

    def check_encoder(self, line, work_of_token, n_ranks):
        """What the figures have to do with each other."""
        self.assertEqual((line["bench"], line["ranks"]), ("encoder", n_ranks))
        self.assertAlmostEqual(line["tweets_per_s"] * line["tokens"] / line["tweets"] / line["tokens_per_s"], 1, 3)
        self.assertAlmostEqual(line["gflops"] * 1e9 / line["tokens_per_s"] / work_of_token, 1, 3)
        self.assertAlmostEqual(line["fraction_of_peak"] * line["peak_gflops"] / line["gflops"], 1, 2)
        for fraction in "fraction_of_peak", "fraction_by_cpu":
            self.assertGreater(line[fraction], 0)
            self.assertLessEqual(line[fraction], 1.05)
        shares = [value for name, value in line.items() if name.endswith("_share")]
        self.assertGreater(len(shares), 3)
        self.assertAlmostEqual(sum(shares), 1, 4)

    def test_figures_of_encoder_of_a_model_on_ranks(self):
        lengths = self.folder / "lengths"
        lengths.write_text("3\n5\r\n128")
        config = json.loads((MODEL / "config.json").read_text())
        hidden, inner = config["hidden_size"], config["intermediate_size"]
        work = 2 * config["num_hidden_layers"] * (4 * hidden * hidden + 2 * hidden * inner)
        for n_ranks in 1, 2:
            # The tokenizer's figures come from rank 0 alone, before MPI starts.
            lines = self.assert_status(mpirun(n_ranks, "bench", "encoder", "json", "--model", MODEL, "--lengths",
                                              lengths, "--tweets", "7", "--json"), 0).rows
            self.assertEqual([line["bench"] for line in lines][:2], ["json", "encoder"])
            precisions = [line["precision"] for line in lines[1:]]
            self.assertEqual(precisions[0], "fp32")
            self.assertEqual(len(set(precisions)), len(precisions))
            for line in lines[1:]:
                self.assertEqual(line["shape"], MODEL.name)
                self.assertEqual((line["tweets"], line["tokens"]), (7 * n_ranks, (2 * (3 + 5 + 128) + 3) * n_ranks))
            self.check_encoder(lines[1], work, n_ranks)

    def test_figures_of_what_ranks_do_together(self):
        texts = self.folder / "texts.jsonl"
        texts.write_text('{"date":"2009-04-06","user":"a","text":"@b hi","sentiment":"positive"}\n' * 1000)
        for n_ranks in 1, 3:
            lines = self.assert_status(mpirun(n_ranks, "bench", "ranks", "--texts", texts, "--dir",
                                              self.folder / str(n_ranks), "--json"), 0).rows
            self.assertEqual({(line["bench"], line["ranks"]) for line in lines}, {("ranks", n_ranks)})
            agreement, few, many, small, large, alone = lines
            self.assertEqual([line["exchanges"] for line in (small, large, alone)], [14, 14, 1])
            self.assertEqual(alone["bytes"], small["bytes"])
            self.assertGreater(agreement["microseconds"], 0)
            self.assertEqual(few["bytes"], n_ranks - 1)
            self.assertAlmostEqual(many["bytes"] / (16 << 20), (n_ranks - 1) / n_ranks, 3)
            # Rows take the same at any number of ranks, but for the one offset more that each string column has.
            names = 6 * 8
            self.assertAlmostEqual((large["bytes"] - names) / n_ranks, (small["bytes"] - names) / n_ranks / 4 * 1000, -3)
        self.assertIn("is there already", self.assert_fails(
            mpirun(2, "bench", "ranks", "--texts", texts, "--dir", self.folder / "1"), 73))
        self.assert_fails(mpirun(2, "bench", "ranks", "--texts", self.folder / "none"), 66)

    def test_figures_of_encoder_of_a_shape(self):
        options = ["--shape", "small", "--precision", "fp32", "--tweets", "100"]
        (line,) = self.assert_status(run("bench", "encoder", *options, "--json"), 0).rows
        self.assertEqual((line["shape"], line["precision"], line["tweets"]), ("small", "fp32", 100))
        self.assertEqual(line["tokens"], 2056)  # as in tweets: 20.6 each
        self.check_encoder(line, 9437184, 1)
        (table,) = self.assert_status(run("bench", "encoder", *options), 0).out.decode().splitlines()
        self.assertTrue(table.startswith("encoder   small fp32 "), table)

    def test_figures_of_deal(self):
        options = ["--json", "--units", "8", "--unit-time", "20ms"]
        for n_ranks, ranks_per_node, n_nodes in (1, 0, 1), (3, 1, 3), (3, 2, 2):
            result = mpirun(n_ranks, "bench", "deal", *options, "--ranks-per-node", ranks_per_node)
            rows = self.assert_status(result, 0).rows
            self.assertEqual(len(rows), 3)
            for row in rows:
                self.assertEqual((row["nodes"], row["ranks"], row["units"]), (n_nodes, n_ranks, 8 * n_ranks))
                self.assertGreaterEqual(row["seconds"], 0.16)
                self.assertEqual(row["answers"] > 0, n_nodes > 1)
                self.assertEqual(row["median_ms"] is None, n_nodes == 1)
                self.assertGreaterEqual(row["tail_percent"], 0)
        self.assert_fails(run("bench", "deal", "--units", "0"), 64)

    def test_peers_are_skipped_where_there_is_no_node(self):
        (self.folder / "dirname").symlink_to(shutil.which("dirname"))
        script = murmur_cli.SOURCE / "scripts/bench_peers.sh"
        result = self.assert_status(execute([shutil.which("bash"), script], env={"PATH": str(self.folder)}), 0)
        self.assertEqual(result.out, b"")
        self.assertIn("skipped: there is no node", result.err)

    def test_usage(self):
        self.assertIn("there is no measurement 'speed'", self.assert_fails(run("bench", "speed"), 64))
        self.assert_fails(run("bench", "--shape", "large"), 64)
        self.assert_fails(mpirun(2, "bench", "--precision", "fp12"), 64)
        self.assert_fails(run("bench", "--shape", "small", "--model", MODEL), 64)
        lengths = self.folder / "lengths"
        for text in "", "3\nx\n", "0\n", "3\n\n", "129\n":
            lengths.write_text(text)
            self.assert_fails(mpirun(2, "bench", "encoder", "--shape", "small", "--lengths", lengths), 65)
        self.assert_fails(mpirun(2, "bench", "encoder", "--model", self.folder / "none/"), 66)
        self.assert_fails(mpirun(2, "bench", "json", "encoder", "--texts", self.folder / "none"), 66)
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
