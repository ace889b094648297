#!/usr/bin/env python3
"""Fails when a layer calls a library that is another layer's: MPI is par's, HDF5 store's, cJSON's parser json's, BLAS
model's, libcurl tracking's. HDF5's header drags MPI's in, so the include paths alone cannot tell. (store hands MPI's objects to HDF5, and
those are data, not calls.)"""
import re
import subprocess
import sys

OWNERS = {
    r"MPI_\w+": {"par"},
    r"H5\w+": {"store"},
    r"cJSON_Parse\w*": {"json"},
    r"cblas_\w+|openblas_\w+": {"model"},
    r"XXH\w+": {"base"},
    r"posix_spawnp?|fork|exec\w+|popen|system": {"picture"},
    r"curl_\w+": {"tracking"},
    r"(un)?gz\w+|inflate\w*": {"text", "model"},
}


def main():
    nm, archives = sys.argv[2], sys.argv[3:]
    failures = 0
    for archive in archives:
        layer = re.search(r"libmurmur_(\w+)\.a$", archive).group(1)
        listing = subprocess.run([nm, "-u", archive], check=True, capture_output=True, text=True).stdout
        for symbol in set(re.findall(r"^\s+U (\w+)$", listing, re.M)):
            for pattern, owners in OWNERS.items():
                if re.fullmatch(pattern, symbol) and layer not in owners:
                    print(f"{layer} calls {symbol}, which only {', '.join(sorted(owners))} may")
                    failures += 1
    print(f"{len(archives)} layers checked, {failures} wrong calls")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
