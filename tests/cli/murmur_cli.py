"""Runs the built program, alone or under mpirun, with a time limit: nothing may hang."""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(os.environ.get("MURMUR_SOURCE", pathlib.Path(__file__).resolve().parent.parent.parent))
BINARY = os.environ.get("MURMUR_BINARY", str(SOURCE / "build/release/murmur"))
SHARED = pathlib.Path(os.environ.get("MURMUR_SHARED", SOURCE.parent / "shared"))
MODEL = pathlib.Path(os.environ.get("MURMUR_MODEL", SOURCE / "weights/murmur-mini"))

sys.path.insert(0, str(SOURCE / "tests/oracle"))

# Where mpirun would refuse root, more ranks than cores, or a container's missing rights.
MPI_ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
}


@dataclasses.dataclass
class Result:
    status: int
    out: bytes
    err: str

    @property
    def errors(self):
        """The lines in which murmur itself says what is wrong; mpirun adds its own."""
        return [line for line in self.err.splitlines() if re.search(r"\bmurmur\b.*: error: ", line)]

    @property
    def rows(self):
        # Not splitlines, which also splits at U+2028 and its like.
        return [json.loads(line) for line in self.out.decode("utf-8").split("\n") if line]


def execute(command, env=None, timeout=240, stdin=b"", cwd=None):
    """Ends the whole process group when the time is over."""
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **MPI_ENVIRONMENT, **(env or {})},
        start_new_session=True,
        cwd=cwd,
    )
    try:
        out, err = process.communicate(stdin, timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"hangs: {command}\n{err.decode(errors='replace')}") from None
    return Result(process.returncode, out, err.decode("utf-8", errors="replace"))


def run(*arguments, **options):
    """murmur alone."""
    return execute([BINARY, *arguments], **options)


def mpirun(n_ranks, *arguments, **options):
    """murmur on `n_ranks` ranks; one rank is murmur alone."""
    launcher = ["mpirun", "-np", n_ranks] if n_ranks > 1 else []
    return execute([*launcher, BINARY, *arguments], **options)


class Job:
    """A process group in the background, what it says on standard error kept."""

    def __init__(self, command, is_under_mpirun):
        self.is_under_mpirun = is_under_mpirun
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=self.log, start_new_session=True,
                                        env={**os.environ, **MPI_ENVIRONMENT})

    @property
    def said(self):
        return os.pread(self.log.fileno(), 1 << 20, 0).decode("utf-8", errors="replace")

    @property
    def ranks(self):
        """The process ids of murmur's ranks. (One that is alone has a helper of Open MPI's for a child.)"""
        pid = self.process.pid
        if not self.is_under_mpirun:
            return [pid]
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def signal_ranks(self, number):
        for pid in self.ranks:
            os.kill(pid, number)

    def wait(self, seconds=60):
        """Its status and the lines in which murmur says what is wrong."""
        status = self.process.wait(seconds)
        return Result(status, b"", self.said)

    def end(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()


class TestCase(unittest.TestCase):
    """A fresh folder for each test, and assertions that show what murmur said."""

    def setUp(self):
        self.folder = self.enterContext(temporary_folder())

    def enterContext(self, context):  # unittest has it from Python 3.11
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def assert_status(self, result, status):
        self.assertEqual(result.status, status, f"\n--- standard error:\n{result.err}")
        return result

    def assert_fails(self, result, status):
        """The status, and exactly one line of murmur's that says why."""
        self.assert_status(result, status)
        self.assertEqual(len(result.errors), 1, f"\n--- standard error:\n{result.err}")
        return result.errors[0]

    def assert_rows(self, got, expected, what):
        """Equality row by row, so that a failure shows the first that differs and not two tables."""
        for number, (got_row, expected_row) in enumerate(zip(got, expected)):
            self.assertEqual(got_row, expected_row, f"{what}: row {number}")
        self.assertEqual(len(got), len(expected), f"{what}: rows")

    def run_job(self, sources, store, *options, n_ranks=1, status=0, **execution):
        sources = sources if isinstance(sources, (list, tuple)) else [sources]
        return self.assert_status(mpirun(n_ranks, "run", *sources, "--store", store, *options, **execution), status)

    def start_job(self, sources, store, *options, n_ranks=1):
        """A job in the background; it ends with the test."""
        launcher = ["mpirun", "-np", n_ranks] if n_ranks > 1 else []
        job = Job([*launcher, BINARY, "run", sources, "--store", store, *options], n_ranks > 1)
        self.addCleanup(job.end)
        return job

    def wait_for_record(self, store, number, job, seconds=60):
        record = pathlib.Path(store) / "_log" / f"{number:020}.json"
        end = time.monotonic() + seconds
        while not record.exists():
            self.assertLess(time.monotonic(), end, f"no record {number}: {job.said}")
            time.sleep(0.01)

    def export(self, store, table, *options):
        return self.assert_status(run("export", store, table, "--format", "jsonl", *options), 0)


@contextlib.contextmanager
def temporary_folder():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="murmur-test-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
