"""What the tests of failures share: sources, runs of the build with failure points, and the comparison at the end."""

import collections
import gzip
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
os.environ.setdefault("MURMUR_BINARY", str(SOURCE / "build/faults/murmur"))
sys.path.insert(0, str(SOURCE / "tests/cli"))

import murmur_cli  # noqa: E402

BINARY = murmur_cli.BINARY
TABLES = ("bronze", "rejects", "silver", "gold", "application")
# mpirun ends the other ranks at once: they die at instants as good as any, and a test does not wait a second.
ENVIRONMENT = {"OMPI_MCA_odls_base_sigkill_timeout": "0", "OPENBLAS_NUM_THREADS": "1"}


class Failure(Exception):
    """What a test of this folder finds."""


def points():
    """{point: [kinds]} of the build, in the order in which a run passes them."""
    result = murmur_cli.execute([BINARY], env={"MURMUR_FAULT": "list"})
    listed = dict((words[0], words[1:]) for words in (line.split() for line in result.out.decode().splitlines()))
    if result.status != 0 or "record.link" not in listed:
        raise SystemExit(f"{BINARY} has no failure points: cmake --preset faults && cmake --build --preset faults")
    return listed


def tweet(number):
    return json.dumps(
        {"date": "Mon Apr 06 22:19:45 PDT 2009", "user": f"u{number}", "sentiment": ("positive", "negative")[number % 2],
         "text": f"@u{number % 7} and @v{number % 3}: tweet {number} is about the weather of day {number * 31 % 97}",
         "id": number}).encode()


def write_tweets(path, first, n):
    """Tweets with numbers of their own, so that a lost or repeated row shows."""
    lines = [tweet(number) for number in range(first, first + n)]
    if first % 3 == 0:
        lines.insert(1, b"no tweet %d" % first)
    text = b"\n".join(lines) + b"\n"
    path.write_bytes(gzip.compress(text, mtime=0) if path.name.endswith(".gz") else text)


def write_sources(folder, n_files, tweets_per_file=3, first_file=0):
    folder.mkdir(exist_ok=True)
    for i in range(first_file, first_file + n_files):
        name = f"{i:06}.jsonl" + (".gz" if i % 2 else "")
        write_tweets(folder / name, i * tweets_per_file, tweets_per_file)


def start(n_ranks, arguments, env, stderr):
    """A command in the background, in a process group of its own."""
    launcher = ["mpirun", "-np", str(n_ranks)] if n_ranks > 1 else []
    return subprocess.Popen(
        [*launcher, BINARY, *map(str, arguments)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr, start_new_session=True,
        env={**os.environ, **murmur_cli.MPI_ENVIRONMENT, **ENVIRONMENT, **env})


def find_ranks(process):
    """{rank: pid}: the children of mpirun, or the process itself."""
    try:
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    except OSError:
        children = []
    ranks = {}
    for pid in map(int, children):
        try:
            environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        for entry in environment:
            if entry.startswith(b"OMPI_COMM_WORLD_RANK="):
                ranks[int(entry.split(b"=")[1])] = pid
    if not ranks and process.poll() is None and process.args[0] != "mpirun":
        ranks[0] = process.pid
    return ranks


def is_halted(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False


def end(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)


def murmur(n_ranks, arguments, env=None, timeout=60):
    return murmur_cli.mpirun(n_ranks, *arguments, env={**ENVIRONMENT, **(env or {})}, timeout=timeout)


def run(n_ranks, sources, store, *options, **execution):
    return murmur(n_ranks, ("run", sources, "--store", store, *options), **execution)


def n_records(store):
    return len(list((store / "_log").glob("[0-9]*.json")))


def verify(store, when):
    """No damage, or no store yet; returns how much is left over."""
    if not store.exists():
        return 0
    result = murmur_cli.run("verify", store)
    if result.status != 0:
        damage = "\n".join(line for line in result.out.decode().splitlines() if not line.startswith("litter:"))
        raise Failure(f"verify {when}: status {result.status}\n{damage}\n{result.err}")
    return result.out.count(b"litter:")


def complete(n_ranks, sources, store, *options):
    """A run that nothing disturbs ends what was begun."""
    result = run(n_ranks, sources, store, *options, timeout=240)
    if result.status != 0:
        raise Failure(f"the next run: status {result.status}\n{result.err}")
    verify(store, "after the next run")


def export(store):
    """The lines of all tables; when a row was read is not what it says."""
    tables = {}
    for table in TABLES:
        result = murmur_cli.run("export", store, table)
        if result.status != 0:
            raise Failure(f"export {table}: {result.err}")
        tables[table] = re.sub(rb'"processing_time":"[^"]*"', b"", result.out).split(b"\n")
    return tables


def compare(got, expected, is_ordered=True):
    """(lost, repeated) rows over all tables; Failure where only their order differs, and it counts."""
    lost = repeated = 0
    for table in TABLES:
        more, less = collections.Counter(got[table]), collections.Counter(expected[table])
        lost += sum((less - more).values())
        repeated += sum((more - less).values())
        if is_ordered and more == less and got[table] != expected[table]:
            raise Failure(f"{table}: the rows are in another order")
    return lost, repeated


def assert_equal(store, expected, is_ordered=True):
    lost, repeated = compare(export(store), expected, is_ordered)
    if lost or repeated:
        raise Failure(f"{lost} rows lost, {repeated} repeated or wrong")
