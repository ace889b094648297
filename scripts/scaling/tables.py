#!/usr/bin/env python3
"""What scripts/scaling/run.sh measured, as tables.

    tables.py of-run STORE "PRECISION KIND RANKS TWEETS REAL USER SYSTEM"     one object, on standard output
    tables.py measured RUNS.jsonl BENCH.jsonl OUT COMMAND [by-cpu]            OUT/scaling.tsv and OUT/scaling_constants.tsv
    tables.py into-page TABLES.md PAGE.md                                     between the page's markers
by-cpu: a run's seconds count as far as it had a processor, for a machine that others use too. What waits for the disk is lost then.
"""

import json
import math
import pathlib
import statistics
import sys

from model import usual_unit_bytes


def of_run(store, facts):
    precision, kind, ranks, tweets, real, user, system = facts.split()
    store = pathlib.Path(store)
    lines = [json.loads(line) for line in (store / "progress.jsonl").read_text().splitlines()]
    run = [line for line in lines if line["name"] == "run"][-1]
    parts, rows = {}, {}
    for path in sorted((store / "_log").glob("[0-9]*.json")):
        for table, change in json.loads(path.read_text())["tables"].items():
            for part in change["added"]:
                parts[table] = parts.get(table, 0) + part["bytes"]
                rows[table] = rows.get(table, 0) + part["rows"]
    batches = [line["durationMs"] for line in lines if line["name"] == "bronze_stream"]
    return {"precision": precision, "kind": kind, "ranks": int(ranks), "tweets": int(tweets), "seconds": float(real),
            "cpu": float(user) + float(system), "run_seconds": run["seconds"], "batches": run["numBatches"],
            "record_ms": sum(b["commitOffsets"] for b in batches), "plan_ms": sum(b["queryPlanning"] for b in batches),
            "part_bytes": parts, "rows": rows, "counters": run["counters"]}


def median(runs, value):
    return statistics.median(value(run) for run in runs)


def total(run, name):
    return sum(run["counters"][name])


def scaling_rows(runs):
    kinds = {}
    for run in runs:
        kinds.setdefault((run["precision"], run["kind"], run["ranks"], run["tweets"]), []).append(run)
    rows = []
    for (precision, kind, ranks, tweets), some in kinds.items():
        alone = kinds[precision, "strong", 1, min(r["tweets"] for r in runs)]
        seconds, cpu = median(some, lambda r: r["seconds"]), median(some, lambda r: r["cpu"])
        scale = tweets / alone[0]["tweets"]
        rows.append((precision, kind, ranks, tweets, int(median(some, lambda r: total(r, "source_bytes"))), round(seconds, 2), round(cpu, 2),
                     round(tweets / seconds, 1), round(median(alone, lambda r: r["seconds"]) * scale / seconds / ranks, 3),
                     round(median(alone, lambda r: r["cpu"]) * scale / cpu, 3)))
    return rows


def spread_of(run):
    """Of a log-normal of which the largest of n was so many times the mean."""
    work = sum(total(run, name) for name in ("ingest_seconds", "refine_seconds", "score_seconds"))
    n = max(total(run, "source_bytes") / usual_unit_bytes(total(run, "source_bytes")), 2)
    return max(0.0, math.log(total(run, "slowest_unit_seconds") / (work / n))) / math.sqrt(2 * math.log(n))


def constants(runs, bench, is_by_cpu):
    """Name, value, unit, command."""
    alone = [run for run in runs if run["ranks"] == 1]
    first = alone[0]["precision"]
    one = [run for run in alone if run["precision"] == first]
    of_run = "murmur run, 1 rank" + (" by its processor time: " if is_by_cpu else ": ")
    found = []

    def add(name, value, unit, command):
        found.append((name, f"{value:.6g}", unit, command))

    def share(r):
        return min(1, r["cpu"] / r["seconds"]) if is_by_cpu else 1

    def rate(name, over, runs_=one):
        return median(runs_, lambda r: total(r, name) / total(r, over) * (share(r) if name.endswith("_seconds") else 1))

    for precision in dict.fromkeys(run["precision"] for run in alone):
        some = [run for run in alone if run["precision"] == precision]
        add(f"seconds_per_token_{precision}", rate("score_seconds", "tokens", some), "s", of_run + f"--precision {precision}, score_seconds / tokens")
    add("ingest_seconds_per_byte", rate("ingest_seconds", "source_bytes"), "s", of_run + "ingest_seconds / source_bytes")
    add("refine_seconds_per_tweet", rate("refine_seconds", "tweets"), "s", of_run + "refine_seconds / tweets")
    add("tokens_per_byte", rate("tokens", "source_bytes"), "1", of_run + "tokens / source_bytes")
    add("tweets_per_byte", rate("tweets", "source_bytes"), "1", of_run + "tweets / source_bytes")
    add("mentions_per_byte", rate("mentions", "source_bytes"), "1", of_run + "mentions / source_bytes")
    add("distinct_of_mentions", median(one, lambda r: r["rows"]["application"] / total(r, "mentions")), "1", of_run + "rows of application / mentions")
    add("raw_bytes_per_byte", rate("part_bytes_written", "source_bytes"), "1", of_run + "part_bytes_written / source_bytes")
    add("file_bytes_per_raw_byte", median(one, lambda r: sum(r["part_bytes"].values()) / total(r, "part_bytes_written")), "1",
        of_run + "bytes of parts in the log / part_bytes_written")
    for table in ("bronze", "silver", "gold"):
        add(f"share_{table}", median(one, lambda r: r["part_bytes"][table] / sum(r["part_bytes"].values())), "1", of_run + f"{table}'s share of them")
    add("unit_spread", median(alone, spread_of), "1", of_run + "slowest_unit_seconds over the mean, as the largest of a log-normal")
    add("count_seconds_per_row", median(one, lambda r: share(r) * total(r, "merge_seconds") / (total(r, "mentions") + r["rows"]["application"])), "s",
        of_run + "merge_seconds / (rows of gold + of application)")
    add("record_seconds", median(one, lambda r: r["record_ms"] / 1000 / r["batches"]), "s", of_run + "commitOffsets in progress.jsonl")
    add("estimate_seconds_per_unit", median(one, lambda r: r["plan_ms"] / 1000 / max(total(r, "units"), 1)), "s", of_run + "queryPlanning in progress.jsonl / units")
    busy = ("ingest_seconds", "refine_seconds", "score_seconds", "write_seconds", "merge_seconds")
    add("start_seconds", median(alone, lambda r: share(r) * (r["seconds"] - sum(total(r, name) for name in busy))), "s",
        "time mpirun -np 1 murmur run, less the rank's busy seconds")

    met = [line for line in bench if line["bench"] == "batch"]
    for what in "agreements", "gathers":
        add(f"{what}_of_batch", statistics.median(line[what] for line in met), "1", "mpirun -np 2 murmur run --verbose: the ranks met for this batch, of small parts")

    def bench_of(what, name, ranks=None, network=False):
        (value,) = [line[name] for line in bench if line["what"] == what and line.get("ranks") == ranks and line.get("network", False) == network]
        return value

    few, many = "a part of a few rows", "a part of many rows of bronze"
    for name, what in (("part", many), ("small_part", "a small part")):
        for count in "agreements", "gathers":
            add(f"{count}_of_{name}", bench_of(what, count, 2), "1", f"mpirun -np 2 murmur bench ranks --json: {what}")
    for name, what in (("plan_seconds_per_unit", "a large file planned"), ("record_seconds_per_unit", "a record written as text"),
                       ("order_seconds_per_unit", "units brought into a part's order")):
        add(name, bench_of(what, "microseconds_each") / 1e6, "s", "murmur bench plan --json: " + what)
    command = "mpirun -np 1 murmur bench ranks --json: "
    add("part_seconds", bench_of(few, "seconds", 1), "s", command + few)
    add("part_cpu_seconds_per_byte", bench_of(many, "cpu", 1) / bench_of(many, "bytes", 1), "s", command + many + ", cpu / bytes")
    messages, bytes_ = "a few bytes from each rank to each", "many bytes from each rank to all"
    for name, network, mpirun in (("", True, "mpirun -np 2 --mca btl tcp,self murmur bench ranks --json: "),
                                  ("_in_memory", False, "mpirun -np 2 murmur bench ranks --json: ")):
        add(f"agreement_seconds_per_step{name}", bench_of("a sum over the ranks", "least_microseconds", 2, network) / 1e6, "s", mpirun + "a sum, the least")
        # An exchange is three operations: sizes, a barrier, the bytes.
        add(f"exchange_seconds_per_message{name}", bench_of(messages, "least_microseconds", 2, network) / 3e6, "s", mpirun + messages + ", the least / 3")
        add(f"network_bytes_per_s{name}", bench_of(bytes_, "bytes", 2, network) / bench_of(bytes_, "least_microseconds", 2, network) * 1e6, "bytes/s", mpirun + bytes_ + ", bytes / the least")
    (records,) = [line["files"] for line in bench if line["what"] == "records"]
    add("log_seconds_per_record", bench_of("write all checkpoints", "cpu") / records, "s", "murmur bench log --json: write all checkpoints, cpu / records")
    add("log_open_seconds_per_record", bench_of("open", "seconds") / records, "s", "murmur bench log --json: open / records")
    for what, dd in (("write", "dd if=/dev/zero of=FILE bs=1M count=256 conv=fsync"), ("read", "dd if=FILE of=/dev/null bs=1M iflag=direct")):
        add(f"disk_{what}_bytes_per_s", (256 << 20) / bench_of(what, "seconds"), "bytes/s", dd)
    return found


def kept(path, found):
    """Rows of a table of constants that this machine did not measure, such as those of another one."""
    if not path.exists():
        return []
    names = {name for name, *_ in found}
    rows = [tuple(line.split("\t")) for line in path.read_text().splitlines()[2:]]
    return [row for row in rows if row[0] not in names and "_by_" in row[0]]


def write(path, command, head, rows):
    lines = ["# " + command, "\t".join(head)] + ["\t".join(map(str, row)) for row in rows]
    path.write_text("\n".join(lines) + "\n")


def main(what, *arguments):
    if what == "into-page":
        begin, end = "<!-- tables of scripts/scaling/run.sh -->\n", "<!-- end of tables -->"
        page = pathlib.Path(arguments[1])
        before, rest = page.read_text().split(begin)
        page.write_text(before + begin + pathlib.Path(arguments[0]).read_text() + end + rest.split(end)[1])
        return
    if what == "of-run":
        print(json.dumps(of_run(*arguments)))
        return
    runs, bench = ([json.loads(line) for line in pathlib.Path(path).read_text().splitlines()] for path in arguments[:2])
    out, command, is_by_cpu = pathlib.Path(arguments[2]), arguments[3], "by-cpu" in arguments[4:]
    write(out / "scaling.tsv", command, ("precision", "kind", "ranks", "tweets", "bytes", "seconds", "cpu_seconds", "tweets_per_s", "efficiency", "efficiency_by_cpu"),
          scaling_rows(runs))
    found, path = constants(runs, bench, is_by_cpu), out / "scaling_constants.tsv"
    write(path, command, ("name", "value", "unit", "command"), found + kept(path, found))


if __name__ == "__main__":
    main(*sys.argv[1:])
