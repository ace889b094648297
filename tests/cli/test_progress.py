"""What a run tells of itself while it goes on and afterwards: lines, a bar on a terminal, progress.jsonl, metrics."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

import murmur_cli
from murmur_cli import BINARY, run

STREAMS = {"bronze_stream": "bronze", "silver_stream": "silver", "gold_stream": "gold", "application": "application"}
LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (\[rank \d+\] )?murmur: .+")
BAR = re.compile(r"\[[#-]{20}\] +\d+\.\d%  \d+ tweets  \d+/s")


def screen(heard, columns):
    """What a terminal shows in the end (a list of lines), and all that its last line ever showed."""
    lines, at, shown = [""], 0, []
    for token in re.findall(r"\x1b\[K|\r|\n|[^\r\n\x1b]+|\x1b", heard):
        if token == "\x1b[K":
            lines[-1] = lines[-1][:at]
        elif token == "\r":
            at = 0
        elif token == "\n":
            lines.append("")
            at = 0
        else:
            lines[-1] = lines[-1][:at] + token + lines[-1][at + len(token):]
            at += len(token)
            if at >= columns and BAR.match(lines[-1]):
                raise AssertionError(f"the bar wraps: {lines[-1]}")
            shown.append(lines[-1])
    return lines, shown


def on_terminal(command, columns=100, timeout=120, **environment):
    """Runs a command whose output and errors are one terminal; its status and what the terminal heard."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
                               start_new_session=True,
                               env={**os.environ, **murmur_cli.MPI_ENVIRONMENT, "TERM": "xterm", **environment})
    os.close(slave)
    heard, end = b"", time.monotonic() + timeout
    with contextlib.closing(os.fdopen(master, "rb", buffering=0)) as terminal:
        while True:
            if not select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
                os.killpg(process.pid, signal.SIGKILL)
                raise AssertionError(f"hangs: {command}")
            try:
                some = terminal.read(65536)
            except OSError:  # nobody has the other end any more
                some = b""
            if not some:
                break
            heard += some
    return process.wait(), heard.decode().replace("\r\n", "\n")  # the terminal's own line ends


def metrics(path):
    """{name{labels}: value} of a Prometheus text file, by its grammar: each metric after its HELP and TYPE, once."""
    values, types = {}, {}
    for line in path.read_text().splitlines():
        if line.startswith("# "):
            _, what, name, text = line.split(" ", 3)
            if what == "TYPE":
                assert name not in types and text in ("gauge", "counter"), line
                types[name] = text
            continue
        match = re.fullmatch(r'([a-z_]+)((?:\{(?:[a-z_]+="[^"\\\n]*",?)*\})?) (-?[0-9.e+-]+)', line)
        assert match and match[1] in types and match[1] + match[2] not in values, line
        assert types[match[1]] == "gauge" or match[1].endswith("_total"), line
        values[match[1] + match[2]] = float(match[3])
    return values


class Progress(murmur_cli.TestCase):
    def setUp(self):
        super().setUp()
        self.source, self.store = self.folder / "tweets", self.folder / "store"
        self.generate(240)

    def generate(self, n_tweets, n_files=4):
        self.assert_status(run("generate", self.source, "--tweets", n_tweets, "--files", n_files), 0)

    def write_tweets(self, path, n):
        temporary = path.with_suffix(".new")
        temporary.write_text("".join(json.dumps({"text": f"@a is number {i}"}) + "\n" for i in range(n)))
        temporary.rename(path)

    def lines(self):
        return [json.loads(line) for line in (self.store / "progress.jsonl").read_text().splitlines()]

    def log(self):
        return [json.loads(path.read_bytes()) for path in sorted((self.store / "_log").glob("0*.json"))]

    def test_a_line_for_each_stream_and_trigger_says_what_the_log_and_the_tables_say(self):
        self.run_job(self.source, self.store, "--max-files", "2", n_ranks=3)
        self.write_tweets(self.folder / "more.jsonl", 60)
        self.run_job(self.folder / "more.jsonl", self.store)
        log, lines = self.log(), self.lines()
        triggers = [line for line in lines if line["name"] != "run"]
        self.assertEqual([line["name"] for line in lines],
                         [*list(STREAMS)[:3], *list(STREAMS)[:3], "application", "run",
                          *list(STREAMS)[:3], "application", "run"])
        ids = {}
        for name, table in STREAMS.items():
            of_stream = [line for line in triggers if line["name"] == name]
            records = [record for record in log if table in record["tables"]]
            self.assertEqual([line["batchId"] for line in of_stream], [r["tables"][table]["version"] for r in records])
            self.assertEqual([line["runId"] for line in of_stream], [record["run_id"] for record in records])
            (ids[name],) = {line["id"] for line in of_stream}  # the same over runs
            added = [sum(part["rows"] for part in record["tables"][table]["added"]) for record in records]
            self.assertEqual([line["sink"]["numOutputRows"] for line in of_stream], added)
            for line, record in zip(of_stream, records):
                self.check_line(line, record)
        self.assertEqual(len(set(ids.values())), 4)
        self.assertNotEqual(triggers[0]["runId"], triggers[-1]["runId"])
        rows = {name: [line["numInputRows"] for line in triggers if line["name"] == name] for name in STREAMS}
        self.assertEqual(rows["bronze_stream"], rows["silver_stream"])
        self.assertEqual(rows["gold_stream"],
                         [line["sink"]["numOutputRows"] for line in triggers if line["name"] == "silver_stream"])
        self.assertEqual(sum(rows["application"]), sum(rows["gold_stream"]))
        first = triggers[0]["sources"][0]
        self.assertEqual((first["startOffset"], first["endOffset"], first["latestOffset"]),
                         ({"files": 0}, {"files": 2}, {"files": 4}))
        second = triggers[3]["sources"][0]
        self.assertEqual((second["startOffset"], second["endOffset"]), ({"files": 2}, {"files": 4}))
        self.assertGreater(triggers[3]["inputRowsPerSecond"], 0)

    def check_line(self, line, record):
        """Fields of Spark's StreamingQueryProgress, and the spread over ranks."""
        self.assertLessEqual({"id", "runId", "name", "timestamp", "batchId", "batchDuration", "numInputRows",
                              "inputRowsPerSecond", "processedRowsPerSecond", "durationMs", "stateOperators", "sources",
                              "sink", "observedMetrics"}, set(line))
        self.assertLessEqual({"addBatch", "commitOffsets", "getBatch", "latestOffset", "queryPlanning",
                              "triggerExecution", "walCommit"}, set(line["durationMs"]))
        self.assertLessEqual(line["timestamp"], record["time"])
        ranks = line["ranks"]
        self.assertEqual(ranks["n"], record["ranks"])
        self.assertAlmostEqual(ranks["rows"]["mean"] * ranks["n"], line["numInputRows"], places=3)
        for spread in ranks["seconds"], ranks["rows"], ranks["bytes"]:
            self.assertLessEqual(0, spread["min"])
            self.assertLessEqual(spread["min"], spread["mean"] + 1e-6)
            self.assertLessEqual(spread["mean"], spread["max"] + 1e-6)
        self.assertAlmostEqual(line["processedRowsPerSecond"] * ranks["seconds"]["max"], line["numInputRows"],
                               delta=1 + 1e-3 * line["numInputRows"] / max(ranks["seconds"]["max"], 1e-4))
        self.assertGreaterEqual(line["durationMs"]["triggerExecution"], line["durationMs"]["walCommit"])

    def test_counters_of_the_ranks_add_up_to_the_tables(self):
        self.run_job(self.source, self.store, n_ranks=3)
        end = self.lines()[-1]
        self.assertEqual((end["name"], end["runId"], end["ranks"]), ("run", self.log()[-1]["run_id"], 3))
        counters = end["counters"]
        for name, values in counters.items():
            self.assertEqual(len(values), 3, name)
        tables = {table: len(self.export(self.store, table).rows) for table in ("bronze", "silver", "rejects")}
        self.assertEqual(sum(counters["tweets"]), tables["bronze"])
        self.assertEqual(sum(counters["mentions"]), tables["silver"])
        self.assertEqual(sum(counters["rejects"]), tables["rejects"])
        self.assertEqual(sum(counters["source_bytes"]), sum(source["size"] for source in self.log()[0]["sources"]))
        self.assertEqual(sum(counters["units"]), len(self.log()[0]["units"]))
        self.assertEqual(sum(1 for n in counters["weights_read_bytes"] if n), 1, "one copy on the node")
        self.assertEqual(len(set(counters["weights_mapped_bytes"])), 1)
        self.assertGreater(sum(counters["packed_records"]), 0)
        self.assertGreater(sum(counters["exchange_bytes"]), 0)
        for peak, limit in zip(counters["peak_bytes"], counters["limit_bytes"]):
            self.assertGreater(peak, 10 << 20)
            self.assertGreater(limit, peak)
        self.assertGreater(sum(counters["tokens"]), 2 * sum(counters["texts"]))
        self.assertIn(end["slowestUnit"]["file"], map(str, self.source.iterdir()))
        self.assertEqual(counters["slowest_unit_seconds"][end["slowestUnit"]["rank"]],
                         max(counters["slowest_unit_seconds"]))

    def test_the_limit_of_memory_is_the_least_that_holds(self):
        limit = 3 << 30
        told = []
        for ulimit in "unlimited", limit >> 10:
            command = f'ulimit -v {ulimit}; exec "$0" run "$1" --store "$2"'
            self.assert_status(murmur_cli.execute(["bash", "-c", command, BINARY, self.source, self.store]), 0)
            told += self.lines()[-1]["counters"]["limit_bytes"]
        with open("/proc/meminfo", encoding="ascii") as meminfo:
            machine = int(meminfo.readline().split()[1]) << 10
        self.assertLessEqual(told[0], machine)  # or a control group's
        self.assertEqual(told[1], min(limit, told[0]))

    def test_a_progress_file_that_cannot_be_written_is_a_warning(self):
        (self.store / "_log").mkdir(parents=True)
        (self.store / "progress.jsonl").mkdir()
        ended = self.run_job(self.source, self.store, "--max-files", "1")
        self.assertEqual(ended.err.count("warning: no progress is kept"), 1, ended.err)
        self.assertEqual(len(self.export(self.store, "bronze").rows), 240)

    def test_a_torn_line_of_a_killed_run_stays_by_itself(self):
        self.run_job(self.source, self.store)
        with open(self.store / "progress.jsonl", "a", encoding="utf-8") as progress:
            progress.write('{"name":"gold_str')
        self.write_tweets(self.folder / "more.jsonl", 30)
        self.run_job(self.folder / "more.jsonl", self.store)
        good = []
        for line in (self.store / "progress.jsonl").read_text().splitlines():
            with contextlib.suppress(ValueError):
                good.append(json.loads(line)["name"])
        self.assertEqual(good, [*STREAMS, "run"] * 2)
        status = self.assert_status(run("status", self.store, "--json"), 0).rows[0]
        self.assertEqual(status["last_run"]["tweets"], 30)

    def test_a_terminal_has_a_bar_below_messages_that_stay_whole(self):
        self.generate(600)
        for n_ranks, columns in (1, 100), (2, 60):
            launcher = ["mpirun", "-np", n_ranks] if n_ranks > 1 else []
            store = self.folder / f"store{n_ranks}"
            status, heard = on_terminal([*launcher, BINARY, "run", self.source, "--store", store, "--max-files", "1",
                                         "--metrics-file", self.folder / "none/x.prom"], columns)
            self.assertEqual(status, 0, heard)
            lines, shown = screen(heard, columns)
            self.assertEqual(lines.pop(), "", heard)
            for line in lines:
                self.assertRegex(line, rf"^{LOG_LINE.pattern}$")
                self.assertNotRegex(line, BAR)
            self.assertEqual(sum("warning: no metrics are kept" in line for line in lines), 1, lines)
            bars = [line for line in shown if BAR.match(line)]
            self.assertGreater(len(bars), 2, heard)
            self.assertTrue(any("ETA" in bar for bar in bars) or columns < 70, bars)
            self.assertTrue(all(len(bar) < columns for bar in bars))
            self.assertNotIn("progress", os.listdir(store))

    def test_a_job_that_is_interrupted_leaves_an_empty_line(self):
        self.generate(3000)
        master, slave = pty.openpty()
        with contextlib.closing(os.fdopen(master, "rb", buffering=0)) as terminal:
            process = subprocess.Popen([BINARY, "run", self.source, "--store", self.store], stdin=subprocess.DEVNULL,
                                       stdout=slave, stderr=slave, env={**os.environ, "TERM": "xterm"})
            os.close(slave)
            self.addCleanup(process.kill)
            heard = b""
            while b"scoring" not in heard:
                self.assertTrue(select.select([terminal], [], [], 30)[0], heard)
                heard += terminal.read(65536)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(20), -signal.SIGTERM)
            with contextlib.suppress(OSError):
                while some := terminal.read(65536):
                    heard += some
        lines, shown = screen(heard.decode().replace("\r\n", "\n"), 80)
        self.assertEqual(lines[-1], "")
        self.assertTrue(any(BAR.match(line) for line in shown))

    def test_there_is_no_bar_where_it_is_not_wanted(self):
        command = [BINARY, "run", self.source, "--store", self.store]
        self.assertNotIn("\x1b", self.assert_status(murmur_cli.execute(command), 0).err)
        for words, environment in ((["--quiet"], {}), ([], {"TERM": "dumb"})):
            status, heard = on_terminal([*command, *words], **environment)
            self.assertEqual((status, "\x1b" in heard), (0, False), heard)
        status, heard = on_terminal(["mpirun", "--tag-output", "-np", "1", *command])
        self.assertEqual((status, "\x1b" in heard), (0, False), heard)

    def test_lines_come_also_while_a_rank_stands_still(self):
        """At least every 10 s, here for a batch in which nothing goes on."""
        self.generate(3000, n_files=1)
        job = self.start_job(self.source, self.store, n_ranks=2)
        end = time.monotonic() + 60
        while not (self.store / "_lock").exists():
            self.assertLess(time.monotonic(), end, job.said)
            time.sleep(0.01)
        pid = json.loads((self.store / "_lock").read_bytes())["pid"]
        while not (self.store / "_progress").exists():
            self.assertLess(time.monotonic(), end, job.said)
            time.sleep(0.01)
        for other in job.ranks:
            if other != pid:
                os.kill(other, signal.SIGSTOP)
        stopped = time.monotonic()
        while "(running)" not in job.said and "(writing)" not in job.said:
            self.assertLess(time.monotonic() - stopped, 12, job.said)
            time.sleep(0.1)
        for name in list(STREAMS)[:3]:
            self.assertRegex(job.said, rf"{name} +batch 0  rows in \d+  [\d.]+ rows/s  processing time [\d.]+ s \(")
        job.signal_ranks(signal.SIGCONT)
        self.assertEqual(job.wait(120).status, 0, job.said)

    def test_status_follows_a_job_to_its_end(self):
        job = self.start_job(self.source, self.store, "--trigger", "1s")
        self.wait_for_record(self.store, 1, job)
        now = self.assert_status(run("status", self.store, "--json"), 0).rows[0]["progress"]
        self.assertEqual(now["run_id"], json.loads((self.store / "_lock").read_bytes())["run_id"])
        self.assertLessEqual(now["tweets"], 240)
        with open(self.folder / "text", "wb") as text, open(self.folder / "json", "wb") as objects:
            followers = [subprocess.Popen([BINARY, "status", self.store, "--follow", *words], stdout=out)
                         for words, out in (([], text), (["--json"], objects))]
            time.sleep(2)
            self.write_tweets(self.source / "new.jsonl", 30)
            self.wait_for_record(self.store, 2, job)
            self.assert_status(run("stop", self.store), 0)
            self.assertEqual(job.wait().status, 0, job.said)
            self.assertEqual([follower.wait(20) for follower in followers], [0, 0])
        text = (self.folder / "text").read_text()
        self.assertRegex(text, r"Z bronze_stream batch 1  rows in 30  ")
        self.assertRegex(text, BAR)
        self.assertIn("writer       none\n", text)
        rows = [json.loads(line) for line in (self.folder / "json").read_text().splitlines()]
        self.assertEqual(rows[0]["writer"]["state"], "running")
        self.assertIsNone(rows[-1]["writer"])
        self.assertEqual(rows[-1]["last_run"]["tweets"], 270)
        self.assertIn({"bronze_stream": 30},
                      [{row["trigger"]["name"]: row["trigger"]["numInputRows"]} for row in rows if "trigger" in row])
        self.assertTrue(any(row.get("progress") and set(row) == {"progress"} for row in rows), rows)
        self.assertEqual(self.assert_status(run("status", self.store, "--follow"), 0).out.count(b"writer"), 1)

    def test_the_last_words_of_a_killed_job_are_not_taken_for_news(self):
        job = self.start_job(self.source, self.store, "--trigger", "1h")
        self.wait_for_record(self.store, 1, job)
        while list((self.store / "_log").glob("_tmp*")):  # the record has its name, and not only that
            time.sleep(0.01)
        job.end()
        self.assertTrue((self.store / "_progress").exists())
        self.assertIsNone(self.assert_status(run("status", self.store, "--json"), 0).rows[0]["progress"])
        self.assertNotIn(b"litter", self.assert_status(run("verify", self.store), 0).out)
        self.run_job(self.source, self.store)
        self.assertFalse((self.store / "_progress").exists())
        self.assert_status(run("clear", self.store, "--yes"), 0)
        self.assertFalse(self.store.exists())

    def test_metrics_are_those_of_the_run_that_ended(self):
        path = self.folder / "murmur.prom"
        self.run_job(self.source, self.store, "--metrics-file", path, "--max-files", "2", n_ranks=2)
        values = metrics(path)
        self.assertEqual(values["murmur_running"], 0)
        self.assertEqual(values["murmur_progress_ratio"], 1)
        self.assertEqual(values["murmur_tweets"], 240)
        for stream, table in STREAMS.items():
            self.assertEqual(values[f'murmur_output_rows_total{{stream="{stream}"}}'],
                             len(self.export(self.store, table).rows), stream)
        self.assertEqual(values['murmur_batches_total{stream="bronze_stream"}'], 2)
        self.assertEqual(sum(values[f'murmur_rank_tweets{{rank="{rank}"}}'] for rank in range(2)), 240)
        self.assertEqual(os.listdir(self.folder).count("murmur.prom"), 1)
        self.assertEqual([name for name in os.listdir(self.folder) if name.endswith(".tmp")], [])

    def test_rescore_is_told_of_as_one_trigger_of_gold(self):
        self.run_job(self.source, self.store, "--max-files", "2")
        before = len(self.lines())
        self.assert_status(murmur_cli.mpirun(2, "rescore", self.store, "--max-bytes", "1"), 0)
        gold, application = self.lines()[before:]
        n_rows = len(self.export(self.store, "gold").rows)
        self.assertEqual((gold["name"], gold["batchId"], gold["numInputRows"], gold["sink"]["numOutputRows"]),
                         ("gold_stream", 2, n_rows, n_rows))
        self.assertEqual((application["name"], application["numInputRows"]), ("application", n_rows))


if __name__ == "__main__":
    unittest.main()
