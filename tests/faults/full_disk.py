#!/usr/bin/env python3
"""A disk that is full from one step of a run on, for every step: rank 0 halts there, the disk is filled, it goes on.

    tests/faults/full_disk.py [--all] [--point NAME]...

Each must end with status 74 and a message (or 0, where nothing more is written), publish nothing that is not whole, and
be completed by the next run once there is room: all tables equal then.  Without --all some steps.  Makes a small
file system, which needs the right to mount one; Open MPI 4.1.4 hides a full disk above MPI-IO, so only a real one will do.
Needs the preset `faults`.
"""

import argparse
import collections
import contextlib
import os
import signal
import subprocess
import sys
import time

import faulty
from faulty import Failure
from murmur_cli import temporary_folder

SKIPPED = 77
N_FILES = 2
SOME = ("lock.write", "part.reserve", "part.create", "part.dataset", "part.close", "part.closed", "record.create",
        "record.write", "record.link", "count.publish", "checkpoint.write")
# HDF5 1.10 may hang where it closes a file on a full disk: the job then ends itself.
OPTIONS = ("--max-files", "1", "--io-timeout", "5s")


def fill(disk):
    with open(disk / "ballast", "wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while ballast.write(bytes(4096)):
            pass


def halted_rank(process, n_ranks):
    """The process id of rank 0 once it is halted; None where the run ended before."""
    while process.poll() is None:
        pid = faulty.find_ranks(process).get(0) if n_ranks > 1 else process.pid
        if pid and faulty.is_halted(pid):
            return pid
        time.sleep(0.002)
    return None


def run_case(point, n_ranks, sources, disk, folder, expected):
    """The run's status and records, or None where it does not pass the point."""
    store = disk / "store"
    with open(folder / "log", "w+") as log:
        process = faulty.start(n_ranks, ("run", sources, "--store", store, *OPTIONS),
                               {"MURMUR_FAULT": f"{point}:0:1:halt"}, log)
        try:
            pid = halted_rank(process, n_ranks)
            if pid is None:
                return None
            fill(disk)
            os.kill(pid, signal.SIGCONT)
            status = process.wait(60)
        finally:
            faulty.end(process)
        log.seek(0)
        said = log.read()
    (disk / "ballast").unlink()
    if status not in (0, 74):
        raise Failure(f"status {status}\n{said}")
    if status == 74 and said.count("error: ") != 1:
        raise Failure(f"not one message\n{said}")
    faulty.verify(store, "after the full disk")
    n_records = faulty.n_records(store)
    faulty.complete(3 - n_ranks, sources, store, *OPTIONS)
    faulty.assert_equal(store, expected)
    return status, n_records


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="every step, at 1 and 2 ranks")
    parser.add_argument("--point", action="append")
    arguments = parser.parse_args()

    points = arguments.point or (list(faulty.points()) if arguments.all else SOME)
    outcomes, failures = collections.Counter(), 0
    with temporary_folder() as folder:
        sources = folder / "tweets"
        faulty.write_sources(sources, N_FILES)
        faulty.complete(1, sources, folder / "undisturbed", *OPTIONS)
        expected = faulty.export(folder / "undisturbed")
        for number, point in enumerate(points):
            for n_ranks in (1, 2) if arguments.all or arguments.point else (2 - number % 2,):
                disk = folder / f"disk{number}-{n_ranks}"
                disk.mkdir()
                mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "murmur-test", str(disk)]
                if subprocess.run(mount, capture_output=True).returncode != 0:
                    print("skipped: a small disk needs the right to mount one")
                    return SKIPPED
                try:
                    outcome = run_case(point, n_ranks, sources, disk, folder, expected)
                    told = "not passed" if outcome is None else f"status {outcome[0]}, {outcome[1]} records"
                except (Failure, AssertionError, subprocess.TimeoutExpired) as failure:
                    failures += 1
                    told = f"FAILED: {failure}"
                finally:
                    subprocess.run(["umount", "--lazy", str(disk)], check=True)
                outcomes[told.split(",")[0].split(":")[0]] += 1
                print(f"{point:18} {n_ranks} rank{'s' * (n_ranks > 1)}  {told}", flush=True)
    print(", ".join(f"{n} × {told}" for told, n in sorted(outcomes.items())))
    return 1 if failures or not outcomes["status 74"] else 0


if __name__ == "__main__":
    sys.exit(main())
