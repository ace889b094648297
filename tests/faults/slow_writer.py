#!/usr/bin/env python3
"""A write that is slow as a whole, but not in any step, is waited for; one that makes no progress is not.

    tests/faults/slow_writer.py

Rank 0 alone writes a small part, of so many columns that 50 ms for each dataset (failure points of kind `late`) take longer
than --io-timeout and what the other ranks give rank 0 beyond it.  Needs the preset `faults`.
"""

import json
import sys
import time

import faulty
from faulty import Failure
from murmur_cli import temporary_folder

N_COLUMNS = 56  # two datasets each, and two points that are late for each
TIMEOUT = 1  # seconds; the other ranks wait 3 s longer
LEAST_SECONDS = 8


def main():
    faulty.points()
    with temporary_folder() as folder:
        sources, schema = folder / "tweets", folder / "schema.json"
        faulty.write_sources(sources, 2)
        schema.write_text(json.dumps({"columns": [{"name": f"c{i:02}", "type": "string"} for i in range(N_COLUMNS)]}))
        options = ("--schema", schema, "--merge-schema", "--io-timeout", f"{TIMEOUT}s")
        began = time.monotonic()
        result = faulty.run(2, sources, folder / "slow", *options,
                            env={"MURMUR_FAULT": "part.dataset:0:1:late,part.write:0:1:late"})
        seconds = time.monotonic() - began
        if result.status != 0:
            raise Failure(f"a slow run ends with status {result.status} after {seconds:.1f} s\n{result.err}")
        if seconds < LEAST_SECONDS:
            raise Failure(f"the slow run took {seconds:.1f} s: nothing was tested")
        faulty.verify(folder / "slow", "after the slow run")

        began = time.monotonic()
        result = faulty.run(2, sources, folder / "hung", *options, env={"MURMUR_FAULT": "part.sync:0:1:halt"})
        print(f"slow: {seconds:.1f} s, status 0; hung: {time.monotonic() - began:.1f} s, status {result.status}")
        if result.status != 74:
            raise Failure(f"a run that hangs ends with status {result.status}\n{result.err}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
