#!/usr/bin/env python3
"""One store, many small batches, and a writer that dies again and again at random instants.

    tests/faults/campaign.py [--kills N]           SIGKILL to the pids of one rank or of all, never to mpirun
    tests/faults/campaign.py --power [--kills N]   the power goes: what was not synced is lost as well (power.py)
    tests/faults/campaign.py --writers [--kills N] a writer is halted at a random step of a commit, long enough to lose
                                                   its lock; another one writes; then the first goes on

After each, `verify` finds no damage, and no record that was acknowledged is gone or changed; at the end a run that nothing
disturbs completes the store, and all tables hold exactly the rows of an undisturbed run: none lost, none repeated.
`--seed S` repeats the choices of a campaign, though not the scheduler's.  `--disable fsync` and `--disable exclusive` take
a precaution away: then the campaign must fail, which `--expect-failure` asks for.  Needs the preset `faults`.
"""

import argparse
import collections
import hashlib
import os
import random
import signal
import sys
import time

import faulty
import power
from faulty import Failure
from murmur_cli import temporary_folder

OPTIONS = ("--max-files", "1")
LONGEST_SECONDS = 0.6  # from a run's first point to the kill
WAITING_FILES = 24  # more than a run can take in that time
SLOT_BYTES = 64
LEASE_SECONDS = 1000  # a lock that was silent for so long is anybody's


class Campaign:
    def __init__(self, folder, arguments, rng):
        self.rng, self.arguments = rng, arguments
        self.power = power.Power(folder / "power", arguments.shim) if arguments.power else None
        disk = self.power.disk if self.power else folder
        self.sources, self.store, self.trace = folder / "tweets", disk / "store", folder / "trace"
        self.folder = folder
        self.points = list(faulty.points())
        self.steps = collections.Counter()
        self.n_files = self.n_litter = self.n_losses = 0
        self.records = {}  # name: hash, of those that were acknowledged

    def environment(self):
        env = {"MURMUR_FAULT_TRACE": str(self.trace)}
        if self.arguments.disable:
            env["MURMUR_FAULT_DISABLE"] = self.arguments.disable
        return {**env, **(self.power.environment if self.power else {})}

    def add_sources(self, n):
        faulty.write_sources(self.sources, n, first_file=self.n_files)
        self.n_files += n

    def log(self):
        """{name: hash} of the records there are, in order."""
        paths = sorted((self.store / "_log").glob("[0-9]*.json"))
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    def check(self, when):
        self.n_litter = faulty.verify(self.store, when)
        now = self.log()
        for name, digest in self.records.items():
            if now.get(name) != digest:
                raise Failure(f"{when} the acknowledged record {name} is {'changed' if name in now else 'gone'}")

    def acknowledge(self, is_whole):
        """Takes down the records that the writer had acknowledged before: all, or all but the last."""
        now = list(self.log().items())
        self.records.update(now if is_whole else now[:-1])

    def step_of(self, rank):
        slot = self.trace.read_bytes()[rank * SLOT_BYTES : (rank + 1) * SLOT_BYTES]
        return slot.split(b"\0")[0].decode(errors="replace")

    def wait_for_begin(self, process):
        """Until rank 0 passes its first point; False where the run ended before."""
        while process.poll() is None:
            if self.trace.exists() and self.step_of(0):
                return True
            time.sleep(0.001)
        return False

    def run_arguments(self):
        return "run", self.sources, "--store", self.store, *OPTIONS

    def choose(self):
        """A command, and how long it may live."""
        chance = self.rng.random()
        if self.records and chance < 0.1:
            return ("optimize", self.store), LONGEST_SECONDS / 2
        if self.records and chance < 0.2:
            return ("vacuum", self.store, "--older-than", "0s"), LONGEST_SECONDS / 6
        # Half of the runs end with a batch, so that application is written as often as the other tables.
        if chance < 0.6:
            return (*self.run_arguments(), "--trigger", "once"), LONGEST_SECONDS / 2
        return self.run_arguments(), LONGEST_SECONDS

    def kill(self, number):
        """A run (or optimize, or vacuum), and a kill in it; False where the run was over before."""
        rng = self.rng
        self.add_sources(max(0, WAITING_FILES - (self.n_files - len(self.records))))
        self.trace.write_bytes(bytes(SLOT_BYTES * 64))
        arguments, seconds = self.choose()
        n_ranks = 1 if arguments[0] == "vacuum" else rng.choice((1, 2, 2, 3))
        delay = rng.uniform(0, seconds)
        with open(self.folder / "log", "w+") as log:
            process = faulty.start(n_ranks, arguments, self.environment(), log)
            try:
                is_begun = self.wait_for_begin(process)
                time.sleep(delay)
                ranks = faulty.find_ranks(process)
                victims = sorted(ranks)
                if not self.power and rng.random() < 0.5:
                    victims = [rng.choice(victims)] if victims else []
                for rank in victims:
                    os.kill(ranks[rank], signal.SIGKILL)
                status = process.wait(60)
            finally:
                faulty.end(process)
            log.seek(0)
            said = log.read()
        is_killed = bool(is_begun and victims and status != 0)
        if not is_killed and status != 0:
            raise Failure(f"a run that was not killed ends with status {status}\n{said}")
        if is_killed:
            self.steps[self.step_of(victims[0])] += 1
        self.acknowledge(is_whole=not is_killed)
        if self.power and rng.random() < 0.7:  # else the next writer builds on what is not on disk yet
            self.power.lose(rng)
            self.n_losses += 1
        self.check(f"after kill {number}")
        return is_killed

    def halt(self, number):
        """A halted writer, another one, and the first again."""
        rng = self.rng
        self.add_sources(2)
        point = rng.choice([p for p in self.points if p.startswith("record.")] if rng.random() < 0.5 else self.points)
        env = {**self.environment(), "MURMUR_FAULT": f"{point}:0:1:halt"}
        with open(self.folder / "log", "w+") as log:
            first = faulty.start(1, self.run_arguments(), env, log)
            try:
                if not wait_until_halted(first):
                    self.acknowledge(is_whole=True)  # a point that only a new store passes
                    return False
                self.steps[point] += 1
                lock = self.store / "_lock"
                if lock.exists():
                    os.utime(lock, (time.time() - LEASE_SECONDS,) * 2)
                # A file that comes before those of the first one, so that their records differ.
                faulty.write_tweets(self.sources / f"{self.n_files - 2:06}-.jsonl", 10**6 + 10 * number, 3)
                second = faulty.run(2, self.sources, self.store, *OPTIONS)
                if second.status != 0:
                    raise Failure(f"the second writer: status {second.status}\n{second.err}")
                self.acknowledge(is_whole=True)
                os.kill(first.pid, signal.SIGCONT)
                status = first.wait(60)
            finally:
                faulty.end(first)
            log.seek(0)
            said = log.read()
        if status not in (0, 73):
            raise Failure(f"halted at {point}, the first writer ends with status {status}\n{said}")
        if status == 73 and "error:" not in said:
            raise Failure(f"halted at {point}, the first writer says nothing\n{said}")
        self.check(f"after halt {number} at {point}")
        return True

    def conclude(self):
        """(lost, repeated) rows of the completed store."""
        faulty.complete(2, self.sources, self.store, *OPTIONS)
        self.acknowledge(is_whole=True)
        undisturbed = self.folder / "undisturbed"
        faulty.complete(1, self.sources, undisturbed, *OPTIONS)
        # Files that a second writer found came later than their names say.
        return faulty.compare(faulty.export(self.store), faulty.export(undisturbed), not self.arguments.writers)

    def power_text(self):
        return f", {self.n_losses} of them with the power" if self.power else ""

    def print_histogram(self):
        most = max(self.steps.values(), default=1)
        for point in [point for point in self.points if self.steps[point]] + [s for s in self.steps if s not in self.points]:
            n = self.steps[point]
            print(f"{point or '(before the first)':18} {n:5}  {'#' * round(40 * n / most)}")


def wait_until_halted(process):
    while process.poll() is None:
        if faulty.is_halted(process.pid):
            return True
        time.sleep(0.002)
    return False


def run(folder, arguments):
    """Returns what the campaign found, or None."""
    campaign = Campaign(folder, arguments, random.Random(arguments.seed))
    n_done = n_over = 0
    begun = time.monotonic()
    found, lost, repeated = None, "?", "?"
    try:
        while n_done < arguments.kills:
            is_done = campaign.halt(n_done) if arguments.writers else campaign.kill(n_done)
            n_done += is_done
            n_over += not is_done
        lost, repeated = campaign.conclude()
        if lost or repeated:
            found = f"{lost} rows lost, {repeated} repeated"
    except Failure as failure:
        found = str(failure)
    what = "halts" if arguments.writers else "kills"
    print(f"{what} by the last point that the {'first writer' if arguments.writers else 'killed rank'} passed:")
    campaign.print_histogram()
    print(f"seed {arguments.seed}: {n_done} {what}{campaign.power_text()}, {n_over} runs that ended before; {len(campaign.records)} records, "
          f"{campaign.n_files} files, {campaign.n_litter} files left over; {lost} rows lost, {repeated} rows repeated; "
          f"{time.monotonic() - begun:.0f} s")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=15, metavar="N", help="how often (default 15)")
    parser.add_argument("--seed", type=int, default=None)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--power", action="store_true")
    form.add_argument("--writers", action="store_true")
    parser.add_argument("--shim", default=faulty.SOURCE / "build/faults/tests/faults/libpower.so",
                        help="the library of power.c")
    parser.add_argument("--disable", choices=("fsync", "exclusive"))
    parser.add_argument("--expect-failure", action="store_true")
    arguments = parser.parse_args()
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(10**6)

    with temporary_folder() as folder:
        found = run(folder, arguments)
    if found:
        print(f"FOUND: {found}")
    elif arguments.expect_failure:
        print(f"found nothing with {arguments.disable} disabled")
    return int(bool(found) != arguments.expect_failure)


if __name__ == "__main__":
    sys.exit(main())
