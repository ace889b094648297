#!/usr/bin/env python3
"""Every failure point × every kind of failure × ranks 0 and 1 × the first and the last time it is passed.

    tests/faults/matrix.py [--all] [--point NAME]... [--kind KIND]... [--jobs N] [--markdown]

Each cell: a run (or another command, for what only it passes; steps of a commit also in a run that merges a column into
bronze) in which that failure happens, `verify`, the next run at another number of ranks, `verify`; then all tables must equal
those of a run that nothing disturbed.  Without --all each point comes once, the kinds in turn.  Fails also where a point of
the build's list is never passed, and where a command that was told of its failure leaves files behind.  Needs the preset
`faults`.
"""

import argparse
import collections
import concurrent.futures
import itertools
import os
import pathlib
import shutil
import sys
import traceback

import faulty
from faulty import Failure
from murmur_cli import temporary_folder

N_RANKS = 2
N_FILES = 3
OPTIONS = ("--max-files", "1")
MERGING = ("--schema", pathlib.Path(__file__).with_name("schema.json"), "--merge-schema")
# What is disturbed: the command, on how many ranks, and the commands that made its store before.
SCENARIOS = {
    "run": (("run",), N_RANKS, ()),
    "merge": (("run", *MERGING), N_RANKS, (("run", "--trigger", "once"),)),
    "together": (("run",), N_RANKS, ()),
    "optimize": (("optimize",), N_RANKS, (("run",),)),
    "rescore": (("rescore", "--max-bytes", "1"), N_RANKS, (("run",),)),
    "vacuum": (("vacuum", "--older-than", "0s"), 1, (("run",), ("optimize",))),
    "clear": (("clear", "--yes"), 1, (("run",),)),
}
# All ranks write the parts of a run, as they do large ones.
ENVIRONMENT = {"together": {"MURMUR_FAULT_DISABLE": "small"}}
# Points that come again, besides the first scenario that passes them.
ALSO = {"together": ("part.reserve", "part.spare", "part.file", "part.attributes", "part.exchange", "part.dataset",
                     "part.write", "part.close", "part.closed", "part.hashes", "part.sync", "part.check"),
        "merge": ("schema.merge", "part.attributes", "part.closed", "record.make", "record.write", "record.link",
                  "record.folder", "record.done")}
KINDS = ("crash", "io", "memory", "short", "torn")
STATUSES = {"crash": {137}, "torn": {137}, "io": {73, 74}, "short": {74}, "memory": {0, 70}}
# The log is whole without: such a failure ends nothing.
HARMLESS = ("warning: no checkpoint", "warning: no progress is kept")
# A file that cannot be read is left to the next run, so its rows come behind those of the others.
REFUSES_A_FILE = ("source.probe", "source.read", "source.inflate")
# A job that is told of its failure leaves nothing behind: `io` at these, but from the link on, when the record may be there.
CLEANS_UP = ("part.", "count.", "record.", "optimize.", "rescore.")
FROM_THE_LINK_ON = ("record.link", "record.folder")
BY_THE_CLOCK = ("lock.renew",)  # how often it is passed is chance
TRIES = 4  # which rank takes a unit is chance

Cell = collections.namedtuple("Cell", "point kind rank nth scenario")
Outcome = collections.namedtuple("Outcome", "status n_records n_litter failure")


def late(rank):
    """The other rank takes the units: this one is late."""
    return f"unit.take:{rank}:1:late"


def fill_in(words, sources, store):
    """The command with its operands."""
    verb, *options = words
    operands = (sources, "--store", store, *OPTIONS) if verb == "run" else (store,)
    return (verb, *operands, *options)


def prepare(name, sources, store):
    """A store as the scenario finds it; there may be none."""
    for words in SCENARIOS[name][2]:
        result = faulty.murmur(N_RANKS, fill_in(words, sources, store))
        if result.status != 0:
            raise SystemExit(f"an undisturbed {words[0]} fails: {result.err}")


def complete(n_ranks, name, sources, store):
    faulty.complete(n_ranks, sources, store, *OPTIONS, *(MERGING if name == "merge" else ()))


def is_store(folder):
    """Also what is left of one that is being deleted."""
    return (folder / "_log").exists() or (folder / "_clearing").exists()


def copy(before, store):
    if before.exists():
        shutil.copytree(before, store)


def count_passes(sources, folder):
    """{(scenario, point, rank): times}, the most over commands in which either rank is late."""
    times = collections.Counter()
    for name, (words, n_ranks, _) in SCENARIOS.items():
        before = folder / f"before-{name}"
        prepare(name, sources, before)
        for rank in range(N_RANKS):
            store, counts = folder / f"{name}{rank}", folder / f"counts-{name}{rank}"
            copy(before, store)
            env = {"MURMUR_FAULT": late(rank), "MURMUR_FAULT_COUNTS": str(counts), **ENVIRONMENT.get(name, {})}
            result = faulty.murmur(n_ranks, fill_in(words, sources, store), env=env)
            if result.status != 0:
                raise SystemExit(f"an undisturbed {name} fails: {result.err}")
            for line in counts.read_text().splitlines():
                passing_rank, point, n = line.split()
                key = name, point, int(passing_rank)
                times[key] = max(times[key], int(n))
    return times


def all_cells(points, times):
    """Each point in the first scenario that passes it, and where else it is to come."""
    for point, kinds in points.items():
        passing = [name for name in SCENARIOS if any(times[name, point, rank] for rank in range(N_RANKS))]
        also = [name for name in passing[1:] if point in ALSO.get(name, ())]
        for name, rank in itertools.product(passing[:1] + also, range(N_RANKS)):
            n = min(times[name, point, rank], 1) if point in BY_THE_CLOCK else times[name, point, rank]
            for kind, nth in itertools.product(KINDS, sorted({1, n} - {0})):
                if kind in kinds and n:
                    yield Cell(point, kind, rank, nth, name)


def short_form(cells, points):
    """One cell for each point, every kind and both ranks in turn."""
    for number, point in enumerate(points):
        of_point = [cell for cell in cells if cell.point == point]
        if of_point:
            yield of_point[number * 7 % len(of_point)]


def run_cell(cell, sources, befores, expected):
    outcome = Outcome(None, 0, 0, None)
    words, n_ranks, _ = SCENARIOS[cell.scenario]
    with temporary_folder() as folder:
        try:
            for attempt in range(TRIES):
                store = folder / f"store{attempt}"
                copy(befores[cell.scenario], store)
                env = {"MURMUR_FAULT": f"{late(1 - cell.rank)},{cell.point}:{cell.rank}:{cell.nth}:{cell.kind}",
                       **ENVIRONMENT.get(cell.scenario, {})}
                result = faulty.murmur(n_ranks, fill_in(words, sources, store), env=env)
                if "murmur: fault:" in result.err:
                    break
            else:
                raise Failure(f"was not reached in {TRIES} runs")
            n_records = faulty.n_records(store) - faulty.n_records(befores[cell.scenario])
            outcome = outcome._replace(status=result.status, n_records=n_records)
            is_tolerated = result.status == 0 and any(warning in result.err for warning in HARMLESS)
            if result.status not in STATUSES[cell.kind] and not is_tolerated:
                raise Failure(f"ends with status {result.status}\n{result.err}")
            if result.status in (70, 73, 74) and not result.errors:
                raise Failure(f"says nothing\n{result.err}")
            if not (store / "_clearing").exists():  # else it is no store any more
                outcome = outcome._replace(n_litter=faulty.verify(store, "after the failure"))
            is_told = cell.kind == "io" and cell.point.startswith(CLEANS_UP) and cell.point not in FROM_THE_LINK_ON
            if is_told and outcome.n_litter > 0:
                raise Failure(f"{outcome.n_litter} files are left over")
            if words[0] != "run" and is_store(store):
                result = faulty.murmur(n_ranks, fill_in(words, sources, store))
                if result.status != 0:
                    raise Failure(f"the next {cell.scenario}: status {result.status}\n{result.err}")
            # The same number of ranks would hide what depends on it.
            complete(1 if cell.nth == 1 else 3, cell.scenario, sources, store)
            faulty.assert_equal(store, expected[cell.scenario], not (cell.kind == "io" and cell.point in REFUSES_A_FILE))
        except (Failure, AssertionError) as failure:
            outcome = outcome._replace(failure=str(failure))
        except Exception:
            outcome = outcome._replace(failure=traceback.format_exc())
    return outcome


def describe(outcome):
    """"137 (1)": the status and the records published by then, or that it went wrong."""
    return "FAILED" if outcome.failure else f"{outcome.status} ({outcome.n_records})"


def print_table(points, outcomes, is_markdown):
    rows = [["point", *KINDS]]
    for point in points:
        row = [point]
        for kind in KINDS:
            told = []
            for cell, outcome in outcomes.items():
                if (cell.point, cell.kind) == (point, kind) and describe(outcome) not in told:
                    told.append(describe(outcome))
            row.append(", ".join(told))
        rows.append(row)
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [text.ljust(width) for text, width in zip(row, widths)]
        print("| " + " | ".join(cells) + " |" if is_markdown else "  ".join(cells).rstrip())
        if is_markdown and number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="every cell, not one for each point")
    parser.add_argument("--point", action="append", help="every cell of this point alone")
    parser.add_argument("--kind", action="append", choices=KINDS, help="this kind alone")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()

    points = faulty.points()
    with temporary_folder() as folder:
        sources = folder / "tweets"
        faulty.write_sources(sources, N_FILES)
        expected = {}
        for name in ("run", "merge"):
            prepare(name, sources, folder / f"undisturbed-{name}")
            complete(1, name, sources, folder / f"undisturbed-{name}")
            expected[name] = faulty.export(folder / f"undisturbed-{name}")
        expected = {name: expected.get(name, expected["run"]) for name in SCENARIOS}
        times = count_passes(sources, folder)
        befores = {name: folder / f"before-{name}" for name in SCENARIOS}
        missed = [p for p in points if not any(times[name, p, rank] for name in SCENARIOS for rank in range(N_RANKS))]
        cells = list(all_cells(points, times))
        if arguments.point:
            cells = [cell for cell in cells if cell.point in arguments.point]
        elif not arguments.all:
            cells = list(short_form(cells, points))
        cells = [cell for cell in cells if not arguments.kind or cell.kind in arguments.kind]
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            outcomes = dict(zip(cells, pool.map(lambda cell: run_cell(cell, sources, befores, expected), cells)))

    print_table(points, outcomes, arguments.markdown)
    for cell, outcome in outcomes.items():
        if outcome.failure:
            print(f"\n{':'.join(map(str, (cell.point, cell.rank, cell.nth, cell.kind)))}: {outcome.failure}")
    if missed:
        print(f"\nnever passed: {', '.join(missed)}")
    n_failed = sum(bool(outcome.failure) for outcome in outcomes.values())
    print(f"\n{len(points)} points, {len(outcomes)} failures made to happen (told: exit status and records "
          f"published by then): {len(outcomes) - n_failed} were completed by the next run and equal, {n_failed} were not; "
          f"{len(missed)} points never passed")
    return 1 if n_failed or missed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
