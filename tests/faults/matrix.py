#!/usr/bin/env python3
"""Every failure point × every kind of failure × ranks 0 and 1 × the first and the last time it is passed.

    tests/faults/matrix.py [--all] [--point NAME]... [--jobs N] [--markdown]

Each cell: a run in which that failure happens, `verify`, the next run at another number of ranks, `verify`; then all
tables must equal those of a run that nothing disturbed.  Without --all each point comes once, the kinds in turn.  Fails
also where a point of the build's list is never passed.  Needs the preset `faults`.
"""

import argparse
import collections
import concurrent.futures
import itertools
import os
import sys
import traceback

import faulty
from faulty import Failure
from murmur_cli import temporary_folder

N_RANKS = 2
N_FILES = 3
OPTIONS = ("--max-files", "1")
N_RECORDS = N_FILES + 1  # the batches' and the application's
KINDS = ("crash", "io", "memory", "short", "torn")
STATUSES = {"crash": {137}, "torn": {137}, "io": {73, 74}, "short": {74}, "memory": {0, 70}}
# A file that cannot be read is left to the next run, so its rows come behind those of the others.
REFUSES_A_FILE = ("source.probe", "source.read", "source.inflate")
BY_THE_CLOCK = ("lock.renew",)  # how often it is passed is chance
TRIES = 4  # which rank takes a unit is chance

Cell = collections.namedtuple("Cell", "point kind rank nth")
Outcome = collections.namedtuple("Outcome", "status n_records n_litter failure")


def late(rank):
    """The other rank takes the units: this one is late."""
    return f"unit.take:{rank}:1:late"


def count_passes(sources, folder):
    """{(point, rank): times in one run}, the most over runs in which either rank is late."""
    times = collections.Counter()
    for rank in range(N_RANKS):
        counts = folder / f"counts{rank}"
        env = {"MURMUR_FAULT": late(rank), "MURMUR_FAULT_COUNTS": str(counts)}
        result = faulty.run(N_RANKS, sources, folder / f"count{rank}", *OPTIONS, env=env)
        if result.status != 0:
            raise SystemExit(f"an undisturbed run fails: {result.err}")
        for line in counts.read_text().splitlines():
            passing_rank, point, n = line.split()
            key = point, int(passing_rank)
            times[key] = max(times[key], int(n))
    return times


def all_cells(points, times):
    for point, kinds in points.items():
        for rank in range(N_RANKS):
            n = min(times[point, rank], 1) if point in BY_THE_CLOCK else times[point, rank]
            for kind, nth in itertools.product(KINDS, sorted({1, n} - {0})):
                if kind in kinds and n:
                    yield Cell(point, kind, rank, nth)


def short_form(cells, points):
    """One cell for each point, every kind and both ranks in turn."""
    for number, point in enumerate(points):
        of_point = [cell for cell in cells if cell.point == point]
        if of_point:
            yield of_point[number * 7 % len(of_point)]


def run_cell(cell, sources, expected):
    outcome = Outcome(None, 0, 0, None)
    with temporary_folder() as folder:
        try:
            for attempt in range(TRIES):
                store = folder / f"store{attempt}"
                env = {"MURMUR_FAULT": f"{late(1 - cell.rank)},{cell.point}:{cell.rank}:{cell.nth}:{cell.kind}"}
                result = faulty.run(N_RANKS, sources, store, *OPTIONS, env=env)
                if "murmur: fault:" in result.err:
                    break
            else:
                raise Failure(f"was not reached in {TRIES} runs")
            outcome = outcome._replace(status=result.status, n_records=faulty.n_records(store))
            if result.status not in STATUSES[cell.kind]:
                raise Failure(f"ends with status {result.status}\n{result.err}")
            if result.status in (70, 73, 74) and not result.errors:
                raise Failure(f"says nothing\n{result.err}")
            outcome = outcome._replace(n_litter=faulty.verify(store, "after the failure"))
            # The same number of ranks would hide what depends on it.
            faulty.complete(1 if cell.nth == 1 else 3, sources, store, *OPTIONS)
            faulty.assert_equal(store, expected, not (cell.kind == "io" and cell.point in REFUSES_A_FILE))
        except (Failure, AssertionError) as failure:
            outcome = outcome._replace(failure=str(failure))
        except Exception:
            outcome = outcome._replace(failure=traceback.format_exc())
    return outcome


def describe(outcome):
    """"137 1/4": the status and the records there were, or what is wrong."""
    return "FAILED" if outcome.failure else f"{outcome.status} {outcome.n_records}/{N_RECORDS}"


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
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()

    points = faulty.points()
    with temporary_folder() as folder:
        sources = folder / "tweets"
        faulty.write_sources(sources, N_FILES)
        faulty.complete(1, sources, folder / "undisturbed", *OPTIONS)
        expected = faulty.export(folder / "undisturbed")
        times = count_passes(sources, folder)
        missed = [point for point in points if not any(times[point, rank] for rank in range(N_RANKS))]
        cells = list(all_cells(points, times))
        if arguments.point:
            cells = [cell for cell in cells if cell.point in arguments.point]
        elif not arguments.all:
            cells = list(short_form(cells, points))
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            outcomes = dict(zip(cells, pool.map(lambda cell: run_cell(cell, sources, expected), cells)))

    print_table(points, outcomes, arguments.markdown)
    for cell, outcome in outcomes.items():
        if outcome.failure:
            print(f"\n{':'.join(map(str, (cell.point, cell.rank, cell.nth, cell.kind)))}: {outcome.failure}")
    if missed:
        print(f"\nnever passed: {', '.join(missed)}")
    n_failed = sum(bool(outcome.failure) for outcome in outcomes.values())
    print(f"\n{len(points)} points, {len(outcomes)} failures made to happen (told: exit status, records of {N_RECORDS} "
          f"published before): {len(outcomes) - n_failed} were completed by the next run and equal, {n_failed} were not; "
          f"{len(missed)} points never passed")
    return 1 if n_failed or missed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
